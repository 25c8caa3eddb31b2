"""Generate Confluence pages to memory: the product beside naive Faker, faker2 and Mimesis making the same record.

Prints one table of CPU time: medians of interleaved runs in one warm process, for pages of 30 KB and of 1 KB. The
others do what a script would, by each one's own documentation: one call per value, a list of dictionaries. The record
is the stored page of all columns, with bodies as long as the product's. What a library has no call for (faker2 has
neither numbers nor times) Python's ``random`` makes. Targets, 250 times naive Faker and 8 times faker2, are reported,
never asserted.

faker2 and Mimesis are for this table alone:

    .venv/bin/uv pip install -r benchmarks/requirements.txt
    .venv/bin/python -m benchmarks.peers [--rounds 3]
"""

import argparse
import gc
import os
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any

import pyarrow as pa
from faker import Faker
from rich.console import Console
from rich.table import Table

from benchmarks.generation import body_bytes, naive_page, specification
from dataops_core.dataset_types.base import GenerationSpec
from dataops_core.dataset_types.known import dataset_type
from dataops_core.generation.blocks import ONE_THREAD

try:
    from faker2 import Faker as Faker2
    from mimesis import Generic, Locale
except ImportError as error:
    raise SystemExit(
        f"{error}. Install what is compared: .venv/bin/uv pip install -r benchmarks/requirements.txt"
    ) from None

#: Size of a record → how many the product makes in a run, and how many of them each of the others.
SIZES = {30_000: (500, 50), 1_000: (20_000, 500)}
TARGETS = {"Faker": 250, "faker2": 8}
#: Runs of the product for each of the others'.
OURS_PER_ROUND = 5
_TYPE = dataset_type("confluence_pages")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_NEWEST = datetime(2026, 6, 29, tzinfo=UTC)


def product(spec: GenerationSpec) -> pa.Table:
    return pa.Table.from_batches(list(ONE_THREAD(spec, _TYPE)))


def by_faker(count: int, wanted: int) -> list[dict[str, Any]]:
    fake = Faker("en_US")
    return [naive_page(fake, number, wanted) for number in range(count)]


def by_faker2(count: int, wanted: int) -> list[dict[str, Any]]:
    fake = Faker2(1)
    pages = []
    for number in range(count):
        title = fake.sentence(6)
        created, updated = _two_times()
        pages.append(
            page(
                number,
                title=title,
                times=(created, updated),
                # Five sentences take a twentieth of the time of gen("en_US", "paragraph").
                body=body(lambda: " ".join(fake.sentence(random.randint(4, 8)) for _ in range(5)), wanted),  # noqa: S311
                words=[fake.sentence(1) for _ in range(5)],
                message=fake.sentence(4),
                people=(fake.name(), fake.email(), fake.name(), fake.email()),
            )
        )
    return pages


def by_mimesis(count: int, wanted: int) -> list[dict[str, Any]]:
    fake = Generic(locale=Locale.EN)
    pages = []
    for number in range(count):
        created = fake.datetime.datetime(start=2023, end=2024)
        updated = fake.datetime.datetime(start=2025, end=2025)
        pages.append(
            page(
                number,
                title=fake.text.title(),
                times=(created, updated),
                body=body(lambda: fake.text.text(quantity=5), wanted),
                words=fake.text.words(quantity=5),
                message=fake.text.title(),
                people=(fake.person.full_name(), fake.person.email(), fake.person.full_name(), fake.person.email()),
            )
        )
    return pages


def _two_times() -> tuple[datetime, datetime]:
    created = _NEWEST - timedelta(seconds=random.randrange(86_400 * 365, 86_400 * 1095))  # noqa: S311
    return created, created + (_NEWEST - created) * random.random()  # noqa: S311


def body(paragraph: Callable[[], str], wanted: int) -> str:
    """Paragraphs up to the wanted length."""
    parts: list[str] = []
    length = 0
    while length < wanted:
        parts.append(f"<p>{paragraph()}</p>")
        length += len(parts[-1])
    return "".join(parts)


def page(
    number: int,
    *,
    title: str,
    times: tuple[datetime, datetime],
    body: str,
    words: list[str],
    message: str,
    people: tuple[str, str, str, str],
) -> dict[str, Any]:
    """The record of ``benchmarks.generation.naive_page``, of values that a library has made."""
    author = "".join(random.choices(_LETTERS, k=24))  # noqa: S311
    page_id, space = str(400_000_000 + number), "".join(random.choices(_LETTERS, k=4)).upper()  # noqa: S311
    webui = f"/spaces/{space}/pages/{page_id}/{title.replace(' ', '+')}"
    return {
        "id": page_id,
        "status": random.choice(("current", "archived")),  # noqa: S311
        "title": title,
        "spaceId": str(random.randrange(10_000, 99_999)),  # noqa: S311
        "parentId": str(400_000_000 + random.randint(0, number)),  # noqa: S311
        "parentType": "page",
        "position": random.randrange(1000),  # noqa: S311
        "authorId": author,
        "ownerId": author,
        "lastOwnerId": author,
        "createdAt": times[0].strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "version.createdAt": times[1].strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "version.number": random.randint(1, 20),  # noqa: S311
        "version.message": message,
        "version.minorEdit": random.choice((True, False)),  # noqa: S311
        "version.authorId": author,
        "body.storage.representation": "storage",
        "body.storage.value": body,
        "labels.results": [
            {"id": str(random.randrange(10_000)), "name": word, "prefix": "global"}  # noqa: S311
            for word in words[:3]
        ],
        "_links.webui": webui,
        "_links.editui": f"/pages/resumedraft.action?draftId={page_id}",
        "_links.tinyui": f"/x/{number}",
        "_view_url": f"https://wiki.company.example/wiki{webui}",
        "_space_key": space,
        "_archetype": words[3],
        "_topic": words[4],
        "_author_name": people[0],
        "_author_email": people[1],
        "_owner_name": people[2],
        "_owner_email": people[3],
    }


PEERS: dict[str, Callable[[int, int], list[dict[str, Any]]]] = {
    "Faker": by_faker,
    "faker2": by_faker2,
    "Mimesis": by_mimesis,
}


def specification_of(size: int) -> GenerationSpec:
    spec = specification()
    template = spec.template.model_copy(update={"bytes_per_record": size})
    return replace(spec, template=template, record_count=SIZES[size][0])


def seconds(run: Callable[[], Any]) -> tuple[float, Any]:
    gc.collect()
    started = time.process_time()
    made = run()
    return time.process_time() - started, made


def measured(size: int, rounds: int) -> dict[str, tuple[float, float]]:
    """Of the product and each of the others: microseconds of CPU per record, and bytes of a body."""
    spec = specification_of(size)
    count, fewer = SIZES[size]
    mean = body_bytes(product(spec)["body.storage.value"]) / count
    taken: dict[str, list[float]] = {"product": [], **{name: [] for name in PEERS}}
    bodies = {"product": mean}
    for _ in range(rounds):
        for name, make in PEERS.items():
            # So long that bodies, which end with a paragraph, are no longer than the product's.
            spent, pages = seconds(lambda make=make: make(fewer, int(mean) - 100))
            taken[name].append(spent / fewer)
            bodies[name] = sum(len(one["body.storage.value"]) for one in pages) / fewer
            taken["product"] += [seconds(lambda: product(spec))[0] / count for _ in range(OURS_PER_ROUND)]
    return {name: (statistics.median(values) * 1e6, bodies[name]) for name, values in taken.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="runs of each library, each followed by five of ours")
    rounds = parser.parse_args().rounds
    table = Table(title="Confluence pages to memory, microseconds of CPU each")
    for heading in ("", "30 KB", "body", "product is", "1 KB", "body", "product is"):
        table.add_column(heading, justify="right" if heading else "left")
    found = {size: measured(size, rounds) for size in SIZES}
    versions = {"product": "", **{name: f" {version(name.lower())}" for name in PEERS}}
    for name, said in versions.items():
        cells = [f"{name}{said}"]
        for results in found.values():
            each, length = results[name]
            cells += [f"{each:.1f}", f"{length:,.0f} B", f"{each / results['product'][0]:.0f}x"]
        table.add_row(*cells)
    met = []
    for name, target in TARGETS.items():
        ratios = [results[name][0] / results["product"][0] for results in found.values()]
        said = " and ".join(f"{ratio:.0f} times {'met' if ratio >= target else 'missed'}" for ratio in ratios)
        met.append(f"{name}, target {target}: {said}")
    table.caption = f"{'; '.join(met)}. Load of the machine: {os.getloadavg()[0]:.1f}."
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
