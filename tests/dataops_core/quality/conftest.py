"""A small dataset type of this package's own, so that the checks are tested apart from the product's types."""

import random
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import pandera.pandas as pandera
import pyarrow as pa
import pytest

from dataops_core.company.model import Company
from dataops_core.dataset_types.base import Document, FieldRule, GenerationSpec, RecordBuilder

TOPICS = {
    "payments": ("settlement batch", "card scheme", "chargeback file", "acquirer switch", "clearing window"),
    "identity": ("session token", "login policy", "consent screen", "device registry", "recovery channel"),
    "ledger": ("posting rule", "balance snapshot", "journal entry", "suspense account", "closing calendar"),
}
VERBS = ("confirmed", "documented", "reviewed", "migrated", "measured", "postponed", "simplified", "restored")
FIRST = ("Ada", "Bruno", "Chiara", "Deniz", "Elif", "Farid", "Greta", "Hana", "Imre", "Jonas", "Keiko", "Lidia")
LAST = ("Abramov", "Bellini", "Castellano", "Dvorak", "Eriksen", "Fontaine", "Grunwald", "Hartono", "Ivarsson")
CUSTOMERS = tuple(f"{a} {b}" for a in ("Alder", "Birch", "Cedar", "Dune", "Ember", "Fjord") for b in ("Foods", "Works"))
SYLLABLES = ("ka", "lo", "mi", "ru", "ve", "zan", "tor", "bel", "dri", "pho", "qui", "sta")


def _filled(values: "pd.Series[Any]") -> Any:
    return values.str.len() > 0


class PageType:
    """Pages of a wiki, as a dataset type declares them."""

    name = "toy_pages"
    label = "Toy"
    object_type = "Page"
    category = "KNOWLEDGE_HUB"
    facets: tuple[str, ...] = ("space", "labels")
    filter_facet = "space"
    id_column = "id"
    created_column = "created"
    author_column = "author"
    archetypes = frozenset({"note"})
    defects: frozenset[str] = frozenset()
    completeness: tuple[FieldRule, ...] = (
        FieldRule("title"),
        FieldRule("summary"),
        FieldRule("labels"),
        FieldRule("_text"),
        FieldRule("resolved", applies=lambda frame: frame["status"] == "done"),
    )
    schema = pandera.DataFrameSchema(
        {
            "id": pandera.Column(str, pandera.Check.str_matches(r"^\d+$"), unique=True),
            "title": pandera.Column(str, pandera.Check(_filled, name="filled")),
            "summary": pandera.Column(str, nullable=True),
            "status": pandera.Column(str, pandera.Check.isin(["open", "done"])),
            "resolved": pandera.Column(str, nullable=True),
            "version": pandera.Column("int64", pandera.Check.ge(1)),
            "labels": pandera.Column(object, nullable=True),
            "space": pandera.Column(str),
            "author": pandera.Column(str),
            "created": pandera.Column(str),
            "_text": pandera.Column(str, pandera.Check(_filled, name="filled")),
        },
        strict=True,
    )

    def builder(self, spec: GenerationSpec) -> RecordBuilder:
        raise NotImplementedError

    def url_pattern(self, company: Company) -> str:  # noqa: ARG002
        return r"https://wiki\.toy\.example/.*"

    def document(self, row: Mapping[str, Any]) -> Document:
        return Document(
            id=row["id"],
            title=row["title"],
            body=row["_text"],
            mime_type="text/html",
            view_url=f"https://wiki.toy.example/pages/{row['id']}",
            author_email=row["author"],
            author_name=None,
            owner_email=None,
            owner_name=None,
            container=row["space"],
            created_at=1_760_000_000,
            updated_at=1_760_000_000,
            status=row["status"],
            properties={"space": row["space"], "labels": tuple(row["labels"] or ())},
        )

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in row.items() if not name.startswith("_")}

    def frame(self, table: pa.Table, *, text: bool = True) -> pd.DataFrame:  # noqa: ARG002
        frame: pd.DataFrame = table.to_pandas()
        return frame


def _sentence(draw: random.Random, topic: str, project: str) -> str:
    things = TOPICS[topic]
    who, thing = f"{draw.choice(FIRST)} {draw.choice(LAST)}", draw.choice(things)
    if draw.random() < 0.25:
        key = f"{project}-{draw.randrange(1, 4000)}"
        return f"{who} {draw.choice(VERBS)} {key} for {draw.choice(CUSTOMERS)} and the {thing}."
    other = "".join(draw.sample(SYLLABLES, 3))
    return f"The {thing} {draw.choice(VERBS)} by the {other} team follows the {draw.choice(things)} of {topic}."


def make_pages(count: int, *, seed: int = 1, body_bytes: int = 3000) -> pa.Table:
    """A table of pages: topics and boilerplate shared, people, keys and customers woven in."""
    draw = random.Random(seed)
    rows: list[dict[str, Any]] = []
    for index in range(count):
        topic = draw.choice(list(TOPICS))
        project = topic[:3].upper()
        sentences = ["Purpose and scope of this page."]
        while sum(map(len, sentences)) < body_bytes:
            sentences.append(_sentence(draw, topic, project))
        paragraphs = [" ".join(sentences[at : at + 4]) for at in range(0, len(sentences), 4)]
        status = draw.choice(["open", "done"])
        rows.append(
            {
                "id": str(100_000 + index),
                "title": f"{draw.choice(TOPICS[topic]).capitalize()} review, {draw.choice(CUSTOMERS)} {2000 + index}",
                "summary": f"What {draw.choice(FIRST)} found",
                "status": status,
                "resolved": "2026-01-28T10:30:00Z" if status == "done" else None,
                "version": draw.randrange(1, 9),
                "labels": [topic, "review"],
                "space": f"{project}{draw.randrange(2)}",
                "author": f"{draw.choice(FIRST)}.{draw.choice(LAST)}@toy.example".lower(),
                "created": "2026-01-28T10:30:00Z",
                "_text": "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs),
            }
        )
    return pa.Table.from_pylist(rows)


@pytest.fixture(scope="session")
def page_type() -> PageType:
    return PageType()


@pytest.fixture(scope="session")
def pages() -> Callable[..., pa.Table]:
    return make_pages


def with_cells(table: pa.Table, column: str, cells: Mapping[int, Any]) -> pa.Table:
    """The table with some cells of a column replaced."""
    values = table.column(column).to_pylist()
    for row, value in cells.items():
        values[row] = value
    position = table.column_names.index(column)
    return table.set_column(position, column, pa.array(values, type=table.schema.field(column).type))


@pytest.fixture(scope="session")
def replaced() -> Callable[[pa.Table, str, Mapping[int, Any]], pa.Table]:
    return with_cells
