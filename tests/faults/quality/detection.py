"""Which of 18 faults of an index the ten queries alone notice, and whether they cry without a fault.

Documents go into the embedded engine itself, without HTTP: what is measured is what the queries see. The table is
asserted on a few datasets by ``test_fault_table.py`` and printed of many by ``benchmarks/detection.py``.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from dataops_core.connectors.embedded import index
from dataops_core.connectors.embedded.readers import Readers
from dataops_core.connectors.embedded.rows import IndexedDocument
from dataops_core.connectors.embedded.search import FieldFilter, Question, search
from dataops_core.connectors.embedded.text import plain_text
from dataops_core.connectors.protocol import ConnectorSpec, ProbeOutcome, SearchAnswer, SearchFilter, SearchHit
from dataops_core.dataset_types.base import Document
from dataops_core.quality.query_drawing import make_queries
from dataops_core.quality.query_set import SampleQuery
from dataops_core.quality.sample_queries import run_queries
from tests.faults.quality.document_faults import Change, crossed, doubled, with_other_authors
from tests.faults.quality.material import generated

MOMENT = "2026-01-28T10:30:00Z"
#: What 95 % of the faults on average do not hold for: a small loss may hide.
SMALL_LOSSES = frozenset({"5% of documents missing", "20% of documents missing"})
#: Shares of the documents that are lost, and how often lots are drawn for each.
LOSSES, LOTS = (0.5, 0.2, 0.05), 5
SPEC = ConnectorSpec(UUID(int=1), name="", object_type="Page", category="KNOWLEDGE_HUB", url_regex=".*", facets=())


class Engine:
    """The embedded engine on one index file, as a connector to be asked."""

    kind = "engine"

    def __init__(self, path: Path, readers: Readers) -> None:
        self._path = path
        self._readers = readers
        self._connector_id = uuid4()

    def search(
        self,
        spec: ConnectorSpec,  # noqa: ARG002
        query: str,
        *,
        filters: Sequence[SearchFilter] = (),
        page_size: int = 10,
    ) -> SearchAnswer:
        asked = Question(query, page_size, filters=tuple(FieldFilter(one.field, one.values) for one in filters))
        with self._readers.lease(self._connector_id, self._path) as connection:
            hits = search(connection, asked, seconds=5).hits
        return answered([SearchHit(hit.view_url, hit.title, (), hit.author_email, hit.owner_email) for hit in hits])


def answered(hits: Sequence[SearchHit]) -> SearchAnswer:
    return SearchAnswer(200, tuple(hits), valid=True, elapsed_seconds=0.001)


class Unfiltered:
    """An engine that heeds no filter."""

    kind = "engine"

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def search(self, spec: ConnectorSpec, query: str, *, filters: Any = (), page_size: int = 10) -> SearchAnswer:  # noqa: ARG002
        return self._engine.search(spec, query, page_size=page_size)


class Canned:
    """An engine that answers everything as the first question."""

    kind = "engine"

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._kept: SearchAnswer | None = None

    def search(self, spec: ConnectorSpec, query: str, *, filters: Any = (), page_size: int = 10) -> SearchAnswer:
        self._kept = self._kept or self._engine.search(spec, query, filters=filters, page_size=page_size)
        return self._kept


class Random:
    """An engine that answers with any documents."""

    kind = "engine"

    def __init__(self, documents: Sequence[Document]) -> None:
        self._documents = documents
        self._draw = random.Random(7)

    def search(self, spec: ConnectorSpec, query: str, *, filters: Any = (), page_size: int = 10) -> SearchAnswer:  # noqa: ARG002
        drawn = self._draw.sample(self._documents, page_size)
        return answered([SearchHit(one.view_url, one.title, (), one.author_email, one.owner_email) for one in drawn])


@dataclass(frozen=True)
class Shelf:
    """Where indexes are built."""

    folder: Path
    readers: Readers

    def engine(self, documents: Sequence[Document], *, title: bool = True, body: bool = True) -> Engine:
        """An engine with these documents, whose titles or bodies may be left out of what is searched."""
        name = uuid4().hex
        spool, target = self.folder / f"{name}.tmp", self.folder / f"{name}.db"
        index.create(spool, upload_id=name, started_at=MOMENT)
        index.append(spool, [indexed(one, title=title, body=body) for one in documents])
        index.finish(spool, target, finished_at=MOMENT, processing_state="INDEXING COMPLETED")
        return Engine(target, self.readers)


def indexed(document: Document, *, title: bool, body: bool) -> IndexedDocument:
    facets = [
        (field, value)
        for field, values in document.properties.items()
        for value in ((values,) if isinstance(values, str) else values)
    ]
    facets += [("author", document.author_email or ""), ("owner", document.owner_email or "")]
    return IndexedDocument(
        id=document.id,
        object_type="Page",
        title=document.title if title else "",
        body=plain_text(document.body, document.mime_type) if body else "",
        view_url=document.view_url,
        author_email=document.author_email,
        author_name=document.author_name,
        owner_email=document.owner_email,
        owner_name=document.owner_name,
        container=document.container,
        status=document.status,
        created_at=document.created_at,
        updated_at=document.updated_at,
        facets=tuple(facets),
    )


def without(documents: list[Document], share: float, lot: int) -> list[Document]:
    """All but a share of the documents, drawn by lot."""
    draw = random.Random(lot)
    lost = set(draw.sample(range(len(documents)), round(len(documents) * share)))
    return [one for number, one in enumerate(documents) if number not in lost]


def each(**change: Callable[[Document], Any]) -> Change:
    """Every document with some members changed."""
    return lambda documents: [replace(one, **{name: of(one) for name, of in change.items()}) for one in documents]


#: Faults of what is indexed.
CHANGES: dict[str, Change] = {
    "empty index": lambda _: [],
    "encoding broken": each(body=lambda one: one.body.encode("utf-16-le").decode("utf-16-be", "replace")),
    "body truncated to 1 KB": each(body=lambda one: one.body[:1024]),
    "facet lost": each(properties=lambda _: {}),
    "authors shuffled": with_other_authors,
    "addresses mangled": each(view_url=lambda one: f"{one.view_url}-x"),
    "documents doubled": doubled,
    "contents crossed": crossed,
}


def notices(connector: Any, queries: Sequence[SampleQuery]) -> bool:
    """Whether a query surely fails."""
    outcomes = run_queries(connector, SPEC, queries, pause=lambda _: None)
    return any(one.outcome is ProbeOutcome.FAILED for one in outcomes)


@dataclass
class Detection:
    """How often each fault was noticed, of how many times; and of how many queries of sound indexes how many failed."""

    noticed: dict[str, list[bool]] = field(default_factory=dict)
    false_alarms: int = 0
    asked: int = 0

    @property
    def rates(self) -> dict[str, float]:
        """The share of each fault that was noticed, from 0 to 1."""
        return {name: sum(found) / len(found) for name, found in self.noticed.items()}

    @property
    def mean(self) -> float:
        """The mean of the rates."""
        return sum(self.rates.values()) / len(self.rates)

    def add(self, folder: Path, readers: Readers, type_name: str, seed: int, *, count: int, rotations: int) -> None:
        """Puts each fault into the index of one more dataset; asks a sound one ten queries for each rotation.

        ``folder`` holds nothing else; its files may go afterwards.
        """
        shelf = Shelf(folder, readers)
        made = generated(folder, type_name, seed=seed, count=count)
        documents, queries = made.documents, list(made.queries)
        sound = shelf.engine(documents)
        elsewhere = generated(folder, type_name, seed=seed, count=count, client_id=UUID(int=0xBEE))
        connectors = {name: shelf.engine(change(documents)) for name, change in CHANGES.items()} | {
            "body not indexed": shelf.engine(documents, body=False),
            "title not indexed": shelf.engine(documents, title=False),
            "another client's documents": shelf.engine(elsewhere.documents),
            "an earlier run's documents": shelf.engine(
                generated(folder, type_name, seed=seed - 1, count=count).documents
            ),
            "filter ignored": Unfiltered(sound),
            "canned results": Canned(sound),
            "random results": Random(documents),
        }
        for share in LOSSES:
            for lot in range(LOTS):
                lossy = shelf.engine(without(documents, share, lot))
                self.noticed.setdefault(f"{share:.0%} of documents missing", []).append(notices(lossy, queries))
        for name, connector in connectors.items():
            self.noticed.setdefault(name, []).append(notices(connector, queries))
        for rotation in range(rotations):
            others = list(make_queries(made.table, made.dataset_type, seed=seed, rotation=rotation))
            self.false_alarms += sum(notices(sound, [query]) for query in others)
            self.asked += len(others)
