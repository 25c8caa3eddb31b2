"""Search of one connector, over HTTP with snippets and in process: the same questions to the same 500 pages.

    python -m benchmarks.search

Prints a table: p50 and p99 in milliseconds with one client, beside the time of an upload and of a round of health
probes. The target is a p99 of at most 75 ms over HTTP; it is reported, never asserted. The service is a process of its
own, as it is served apart from the API; PostgreSQL is the embedded one in a temporary home.
"""

import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import httpx
from rich.console import Console
from rich.table import Table
from sqlalchemy.orm import Session

from dataops_cli.postgres import Postgres
from dataops_core.clock import utcnow
from dataops_core.company.build import build_company
from dataops_core.company.model import DEFAULT_LOCALE
from dataops_core.connectors.client import EmbeddedConnector
from dataops_core.connectors.embedded.files import IndexFiles
from dataops_core.connectors.embedded.readers import Readers
from dataops_core.connectors.embedded.search import Question, search
from dataops_core.connectors.protocol import ConnectorSpec, Manifest
from dataops_core.dataset_types.base import BLOCK_ROWS, Document, GenerationSpec
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.lifecycle import DatasetStatus, Stage, TokenKind
from dataops_core.registry import connectors, migrate
from dataops_core.registry.database import Database
from dataops_core.registry.tables import Customer, Dataset
from dataops_core.security import Keyring
from dataops_core.settings import Settings
from dataops_core.templates.loader import load_catalog

PAGES = 500
QUESTIONS = 1000
TARGET_P99_MS = 75.0
TYPE = "confluence_pages"
UPLOAD_ID = "benchmark"


def pages() -> tuple[ConnectorSpec, list[Document]]:
    """The pages that the demo's template gives, and the connector that they want."""
    catalog, dataset_type = load_catalog(), DATASET_TYPES[TYPE]
    template = next(t for t in catalog.for_type(TYPE) if t.name == "FinTech Developer Productivity - Confluence")
    company = build_company(UUID(int=1))
    builder = dataset_type.builder(
        GenerationSpec(template, catalog.vocabulary(template.industry), company, Stage.SANDBOX, 1, PAGES)
    )
    documents = [
        dataset_type.document(row)
        for start in range(0, PAGES, BLOCK_ROWS)
        for row in builder.rows(start, min(start + BLOCK_ROWS, PAGES)).to_pylist()
    ]
    spec = ConnectorSpec(
        connector_id=uuid4(),
        name="Benchmark",
        object_type=dataset_type.object_type,
        category=dataset_type.category,
        url_regex=dataset_type.url_pattern(company),
        facets=dataset_type.facets,
    )
    return spec, documents


def add_dataset(session: Session) -> UUID:
    """The row of a dataset, so that each search is counted as usage."""
    dataset = Dataset(
        dataset_id=uuid4(),
        name="Benchmark",
        dataset_type=TYPE,
        stage=Stage.SANDBOX,
        client_id=uuid4(),
        journey_id=uuid4(),
        status=DatasetStatus.READY,
        created_at=utcnow(),
        updated_at=utcnow(),
        template_id=uuid4(),
        template_version=1,
        template_name="Benchmark",
        seed=1,
        requested_count=PAGES,
        meta={},
        operation_id=uuid4(),
    )
    session.add(
        Customer(client_id=dataset.client_id, locale=DEFAULT_LOCALE, company_name="Benchmark", created_at=utcnow())
    )
    session.flush()
    session.add(dataset)
    session.flush()
    return dataset.dataset_id


def questions(documents: Sequence[Document]) -> list[str]:
    """What people and checks ask: one to three words, whole titles, six words in a row from deep in a body."""
    generator = random.Random(1)  # noqa: S311  repeatable, not secret
    asked: list[str] = []
    for number in range(QUESTIONS):
        document = generator.choice(documents)
        words = document.body.split()
        match number % 5:
            case 0 | 1 | 2:
                asked.append(" ".join(generator.choice(words) for _ in range(1 + number % 5)))
            case 3:
                asked.append(document.title)
            case _:
                start = generator.randrange(len(words) * 2 // 3, len(words) - 6)
                asked.append(" ".join(words[start : start + 6]))
    return asked


@contextmanager
def serving(settings: Settings, database_url: str) -> Iterator[str]:
    """The connector service in a process of its own; yields its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    # Not by --fd: uvicorn takes such a socket for a Unix one and leaves TCP_NODELAY off, at 40 ms for each request.
    command = [sys.executable, "-m", "uvicorn", "--factory", "dataops_api.connectors.app:app_from_environment"]
    process = subprocess.Popen(
        [*command, "--port", str(port), "--log-level", "warning"],
        env={**os.environ, "DATAOPS_HOME": str(settings.home), "DATAOPS_DATABASE_URL": database_url},
    )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    """Returns once the service answers; raises when it ends instead or takes a minute."""
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        try:
            httpx.get(f"{url}/any/health").raise_for_status()
        except httpx.ConnectError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the connector service did not start")


def timed(ask: Callable[[str], int], asked: Sequence[str]) -> list[float]:
    """Milliseconds of each question, after a warm-up."""
    for question in asked[:50]:
        ask(question)
    took: list[float] = []
    for question in asked:
        started = time.perf_counter()
        ask(question)
        took.append((time.perf_counter() - started) * 1000)
    return took


def measure(home: Path, database_url: str) -> Table:
    settings = Settings(home=home)
    secret = "the secret of a benchmark"  # noqa: S105
    (home / "secret_key").write_text(secret, encoding="utf-8")
    keyring, database = Keyring(secret), Database(database_url)
    spec, documents = pages()
    asked = questions(documents)
    with database.transaction() as session:
        dataset_id = add_dataset(session)
        connectors.create_connector(session, connector_id=spec.connector_id, dataset_id=dataset_id, now=utcnow())
        issued = connectors.issue_token(
            session,
            keyring,
            connector_id=spec.connector_id,
            kind=TokenKind.SEARCH,
            lifetime=timedelta(hours=1),
            now=utcnow(),
        )
    with serving(settings, database_url) as url:
        adapter = EmbeddedConnector(url, keyring)
        adapter.provision(spec)
        started = time.perf_counter()
        loaded = adapter.load(spec, documents, upload_id=UPLOAD_ID)
        load_seconds = time.perf_counter() - started
        manifest = Manifest.of(document.id for document in documents)
        titles = [document.title for document in documents[:5]]
        rounds: list[float] = []
        for _ in range(5):
            started = time.perf_counter()
            probes = adapter.probe(spec, manifest, UPLOAD_ID, titles)
            rounds.append((time.perf_counter() - started) * 1000)
            assert all(probe.outcome == "passed" for probe in probes), probes
        adapter.close()
        headers = {"Authorization": f"Bearer {issued.token}"}
        with httpx.Client(base_url=f"{url}/{spec.connector_id}", headers=headers) as client:

            def over_http(question: str) -> int:
                answer = client.post("/api/search", json={"query": question})
                return len(answer.raise_for_status().json()["results"])

            http = timed(over_http, asked)
    path = IndexFiles(settings.data_path).index(spec.connector_id, UPLOAD_ID)
    readers = Readers()

    def in_process(question: str) -> int:
        with readers.lease(spec.connector_id, path) as connection:
            return len(search(connection, Question(question), seconds=25).hits)

    local = timed(in_process, asked)
    readers.close()
    database.close()
    return report(
        documents, http=http, local=local, load_seconds=load_seconds, index_bytes=loaded.index_bytes, rounds=rounds
    )


def report(
    documents: Sequence[Document],
    *,
    http: Sequence[float],
    local: Sequence[float],
    load_seconds: float,
    index_bytes: int,
    rounds: Sequence[float],
) -> Table:
    size = sum(len(document.body.encode()) for document in documents)
    each = size / len(documents) / 1024
    table = Table(title=f"{len(documents)} pages of {each:.0f} KiB text, {len(http)} questions, one client")
    for column in ("", "p50 ms", "p99 ms", "worst ms"):
        table.add_column(column, justify="left" if not column else "right")
    for name, took in (("over HTTP, with snippets", http), ("in process, with snippets", local)):
        ordered = sorted(took)
        table.add_row(name, *(f"{ordered[int((len(ordered) - 1) * share)]:.1f}" for share in (0.5, 0.99, 1)))
    middle = statistics.median(rounds)
    table.add_row("a round of health probes", f"{middle:.1f}", "", f"{max(rounds):.1f}")
    p99 = sorted(http)[int((len(http) - 1) * 0.99)]
    verdict = "met" if p99 <= TARGET_P99_MS else "missed"
    table.caption = (
        f"p99 over HTTP {p99:.1f} ms, target {TARGET_P99_MS:.0f} ms: {verdict}. Upload of {size / 2**20:.1f} MiB text: "
        f"{load_seconds:.2f} s, index {index_bytes / 2**20:.1f} MiB."
    )
    return table


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="dol-") as folder:
        home = Path(folder)
        with Postgres(home, durable=True) as postgres:
            migrate.upgrade(postgres.url())
            table = measure(home, postgres.url())
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
