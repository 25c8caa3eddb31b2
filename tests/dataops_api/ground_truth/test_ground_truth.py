"""A dataset's ground truth over the API (C-57): pages, BEIR's archive, tags, and that it is made once and kept."""

import io
import json
import threading
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import update

from dataops_api.ground_truth import making
from dataops_core.company.build import build_company
from dataops_core.dataset_types.base import GenerationSpec
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.generation.records import write_records
from dataops_core.ground_truth import keeping
from dataops_core.ids import new_id
from dataops_core.lifecycle import DatasetStatus, Stage
from dataops_core.quality.planted_defects import planted_defects, to_jsonl
from dataops_core.quality.query_drawing import make_queries
from dataops_core.registry import datasets
from dataops_core.registry.tables import Dataset
from dataops_core.scopes import Scope
from dataops_core.storage import DEFECTS_FILE, GROUND_TRUTH_FILE, QUERIES_FILE, RECORDS_FILE, Storage
from dataops_core.templates.loader import load_catalog
from tests.stored_records import read_records
from tests.waiting import wait_for

CATALOG = load_catalog()
COUNT = 120
TYPE = "jira_issues"


@dataclass(frozen=True)
class Made:
    """A ready dataset with its files."""

    dataset_id: UUID
    folder: Path

    @property
    def path(self) -> str:
        return f"/v1/dataops/datasets/{self.dataset_id}/ground-truth"

    @property
    def file(self) -> Path:
        return self.folder / GROUND_TRUTH_FILE


def make(api: Any, count: int = COUNT) -> Made:
    """A ready dataset whose files are written as a run writes them."""
    client_id = new_id()
    dataset_id: UUID = api.ready(dataset_types=[TYPE], client_id=str(client_id))
    storage = Storage.from_settings(api.settings)
    template = CATALOG.find(dataset_type=TYPE, industry="fintech")[0]
    spec = GenerationSpec(
        template=template,
        vocabulary=CATALOG.vocabulary(template.industry),
        company=build_company(client_id),
        stage=Stage.SANDBOX,
        seed=7,
        record_count=count,
    )
    folder = f"{storage.dataset_folder(dataset_id)}/one-1"
    path = storage.path(f"{folder}/{RECORDS_FILE}")
    report = write_records(spec, DATASET_TYPES[TYPE], storage.filesystem, path)
    table = read_records(storage.filesystem, path)
    queries = make_queries(table, DATASET_TYPES[TYPE], seed=7)
    storage.write_bytes(f"{folder}/{DEFECTS_FILE}", to_jsonl(planted_defects(spec, DATASET_TYPES[TYPE], table)))
    storage.write_bytes(f"{folder}/{QUERIES_FILE}", queries.to_jsonl().encode())
    values = {"records_path": folder, "records_sha256": report.sha256, "record_count": count, "seed": 7}
    with api.database.transaction() as session:
        session.execute(update(Dataset).where(Dataset.dataset_id == dataset_id).values(values))
    return Made(dataset_id, Path(storage.path(folder)))


@pytest.fixture(scope="module")
def made(api: Any) -> Made:
    """A dataset that no test changes."""
    return make(api)


def body(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()


def everything(client: httpx.Client, path: str) -> list[dict[str, Any]]:
    """All questions, by following the links."""
    found, following = [], f"{path}?per_page=100"
    while following:
        page = body(client.get(following))
        found += page["queries"]
        following = page["_links"].get("next")
    return found


def test_a_page_has_the_quality_checks_questions_first(api: Any, made: Made) -> None:
    """C-57, C-31, C-32."""
    page = body(api.admin.get(made.path, params={"per_page": 10}))
    assert list(page) == ["queries", "defects", "pagination", "_links"]
    assert all(question["in_quality_check"] for question in page["queries"])
    assert page["queries"][0]["query_id"] == "q01-title"
    assert page["pagination"]["total_count"] >= 110
    assert page["_links"]["next"] == f"{made.path}?page=2&per_page=10"
    assert body(api.admin.get(made.path, params={"page": 1000}))["queries"] == []


def test_all_pages_together_have_every_question_once(api: Any, made: Made) -> None:
    questions = everything(api.admin, made.path)
    assert len({question["query_id"] for question in questions}) == len(questions) >= 110
    counted = Counter(question["kind"] for question in questions)
    for kind, count in counted.items():
        page = body(api.admin.get(made.path, params={"kind": kind, "per_page": 1}))
        assert page["pagination"]["total_count"] == count
        assert page["queries"][0]["kind"] == kind
        assert f"kind={kind}" in page["_links"]["last"]


def test_expected_documents_are_records_of_the_dataset(api: Any, made: Made) -> None:
    records = api.admin.get(made.path.replace("ground-truth", "records"), params={"format": "ndjson"}).text
    keys = {json.loads(line)["key"] for line in records.splitlines()}
    questions = everything(api.admin, made.path)
    assert {one["document_id"] for question in questions for one in question["expected"]} <= keys
    pointers = [question for question in questions if question["kind"] == "multi_hop"]
    assert all(question["answer"] and question["expected"] for question in pointers)
    assert any(question["elsewhere"] for question in pointers)


def test_defects_are_told_beside_the_questions(api: Any, made: Made) -> None:
    """C-57: in each answer, and in the archive."""
    listed = body(api.admin.get(made.path))["defects"]
    assert listed == [json.loads(line) for line in (made.folder / DEFECTS_FILE).read_bytes().splitlines()]
    assert {one["kind"] for one in listed} >= {"incomplete", "near_duplicate"}
    with zipfile.ZipFile(io.BytesIO(api.admin.get(made.path, params={"format": "beir"}).content)) as files:
        assert files.read("defects.jsonl") == (made.folder / DEFECTS_FILE).read_bytes()


@pytest.mark.parametrize("how", [{"params": {"format": "beir"}}, {"headers": {"Accept": "application/zip"}}])
def test_the_archive_has_questions_judgements_and_documents(api: Any, made: Made, how: dict[str, Any]) -> None:
    """C-57."""
    answer = api.admin.get(made.path, **how)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert answer.headers["vary"] == "Accept"
    assert answer.headers["content-disposition"].startswith('attachment; filename="')
    with zipfile.ZipFile(io.BytesIO(answer.content)) as files:
        lines = [json.loads(line) for line in files.read("queries.jsonl").splitlines()]
        assert len(files.read("corpus.jsonl").splitlines()) == COUNT
        assert files.read("defects.jsonl") == (made.folder / DEFECTS_FILE).read_bytes() != b""
        judged = files.read("qrels/test.tsv").decode().splitlines()[1:]
    questions = everything(api.admin, made.path)
    assert [(one["_id"], one["text"]) for one in lines] == [(one["query_id"], one["text"]) for one in questions]
    assert [line.split("\t")[:2] for line in judged] == [
        [question["query_id"], one["url"]] for question in questions for one in question["expected"]
    ]


@pytest.mark.parametrize("query", [{}, {"kind": "title", "per_page": "3"}, {"format": "beir"}])
def test_the_tag_says_whether_it_is_still_the_same(api: Any, made: Made, query: dict[str, str]) -> None:
    """C-57."""
    answer = api.admin.get(made.path, params=query)
    again = api.admin.get(made.path, params=query, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", answer.headers["etag"])
    other = api.admin.get(made.path, params=query, headers={"If-None-Match": '"another"'})
    assert (other.status_code, other.content) == (200, answer.content)


@pytest.mark.parametrize("name", ["kind", "page", "per_page"])
def test_the_archive_takes_no_part_of_the_questions(api: Any, made: Made, name: str) -> None:
    answer = api.admin.get(made.path, params={"format": "beir", name: "title" if name == "kind" else "1"})
    assert answer.status_code == 400
    assert answer.json()["error"]["details"] == {name: "Goes with format=json; beir has all questions"}


def test_what_is_not_ready_or_gone_is_told(api: Any) -> None:
    """C-57: as for records; the link is there once there is something to read (C-33)."""
    path = "/v1/dataops/datasets/{}/ground-truth"
    assert api.admin.get(path.format(new_id())).status_code == 404
    accepted = api.provision(dataset_types=[TYPE])
    dataset_id = UUID(accepted["datasets"][0]["dataset_id"])
    answer = api.admin.get(path.format(dataset_id))
    assert (answer.status_code, answer.json()["error"]["details"]["status"]) == (409, "provisioning")
    shown = body(api.admin.get(f"/v1/dataops/datasets/{dataset_id}"))
    assert shown["_links"]["ground_truth"] is None
    made = make(api, 20)
    shown = body(api.admin.get(f"/v1/dataops/datasets/{made.dataset_id}"))
    assert shown["_links"]["ground_truth"] == made.path
    api.archive(made.dataset_id)
    assert api.admin.get(made.path).status_code == 410


def test_it_wants_the_scope_of_reading_datasets(api: Any, made: Made) -> None:
    """C-20."""
    with api.asking(Scope.DATASETS_READ) as reader, api.asking(Scope.QUALITY_READ) as other:
        assert reader.get(made.path).status_code == 200
        assert other.get(made.path).status_code == 403


def test_it_is_made_once_for_all_who_ask_at_once_and_then_kept(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """C-57: whoever asks meanwhile waits for the same."""
    made = make(api, 40)
    calls, asked, go = [], threading.Barrier(5), threading.Event()
    original = keeping.make

    def counted(*arguments: Any) -> bytes:
        calls.append(arguments)
        assert go.wait(30)
        return original(*arguments)

    monkeypatch.setattr(keeping, "make", counted)
    answers: list[bytes] = []

    def ask() -> None:
        with httpx.Client(base_url=api.url, headers=api.admin.headers, timeout=30) as client:
            asked.wait(30)
            answers.append(client.get(made.path).content)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    asked.wait(30)
    go.set()
    for thread in threads:
        thread.join(30)
    assert len(set(answers)) == 1
    assert len(answers) == 4
    content = keeping.make(
        Storage.from_settings(api.settings), f"datasets/{made.dataset_id}/one-1", TYPE, company_of(api, made), 7
    )
    assert calls[-1] is not calls[0]
    assert len(calls) == 2, "four requests made it once, this test once"
    wait_for(made.file.exists, "it is kept")
    assert made.file.read_bytes() == content
    assert sorted(entry.name for entry in made.folder.iterdir()) == sorted(
        [DEFECTS_FILE, GROUND_TRUTH_FILE, QUERIES_FILE, RECORDS_FILE]
    )
    monkeypatch.undo()
    assert api.admin.get(made.path).content == answers[0]


def company_of(api: Any, made: Made) -> Any:
    with api.database.transaction() as session:
        return build_company(datasets.get(session, made.dataset_id).client_id)


def test_while_it_takes_long_clients_are_asked_to_come_again(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """C-57: of a million records it takes minutes."""
    made = make(api, 20)
    go, original = threading.Event(), keeping.make

    def slow(*arguments: Any) -> bytes:
        assert go.wait(30)
        return original(*arguments)

    monkeypatch.setattr(keeping, "make", slow)
    monkeypatch.setattr(making, "PATIENCE_SECONDS", 0.05)
    answer = api.admin.get(made.path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert int(answer.headers["retry-after"]) >= 1
    go.set()
    wait_for(made.file.exists, "it is kept")
    assert api.admin.get(made.path).status_code == 200


def test_what_is_torn_down_meanwhile_does_not_come_back(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder that a teardown removes is not made again by who writes into it."""
    made = make(api, 20)
    original = keeping.make

    def torn_down(*arguments: Any) -> bytes:
        content = original(*arguments)
        with api.database.transaction() as session:
            datasets.move(session, made.dataset_id, DatasetStatus.TEARDOWN)
        for entry in made.folder.iterdir():
            entry.unlink()
        made.folder.rmdir()
        return content

    monkeypatch.setattr(keeping, "make", torn_down)
    assert api.admin.get(made.path).status_code == 200
    wait_for(lambda: not threads_named("ground-truth"), "nothing is being made")
    assert not made.folder.exists()


def threads_named(name: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == name]


def test_files_that_are_damaged_are_no_ground_truth(api: Any) -> None:
    made = make(api, 20)
    (made.folder / RECORDS_FILE).write_bytes(b"bitten off")
    assert api.admin.get(made.path).status_code == 503
    assert not made.file.exists()
