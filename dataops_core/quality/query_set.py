"""Test queries with their ground truth, and the form in which they are stored. Pure.

Belongs here: what a query is. Does not belong here: drawing queries (``query_drawing.py``), asking them
(``sample_queries.py``).
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from dataops_core.connectors.protocol import SearchFilter

#: Hits that a query asks for, and the rank that a known item must reach.
PAGE_SIZE = 10
TOP = 3


class QueryKind(StrEnum):
    """What a query asks, and so what its answer must be."""

    TITLE = "title"
    PHRASE = "phrase"
    ENTITY = "entity"
    CONJUNCTION = "conjunction"
    FILTER = "filter"
    PEOPLE = "people"
    NEGATIVE = "negative"


#: The ten.
KINDS = (
    *[QueryKind.TITLE] * 3,
    *[QueryKind.PHRASE] * 2,
    QueryKind.ENTITY,
    QueryKind.CONJUNCTION,
    QueryKind.FILTER,
    QueryKind.PEOPLE,
    QueryKind.NEGATIVE,
)
_NARROWED = frozenset({QueryKind.FILTER, QueryKind.PEOPLE})


@dataclass(frozen=True, slots=True)
class SampleQuery:
    """A query with its ground truth, by ``view_url``.

    ``expected``: at least one must be among the first three hits (none: a filter or negative query). ``allowed``: no
    hit may be outside (None: any may come); of a filter query, the whole answer.
    """

    query_id: str
    kind: QueryKind
    text: str
    filters: tuple[SearchFilter, ...] = ()
    expected: tuple[str, ...] = ()
    allowed: tuple[str, ...] | None = None

    @property
    def qrels(self) -> dict[str, int]:
        """Relevance by URL: 2 must be found, 1 may be."""
        return dict.fromkeys(self.allowed or (), 1) | dict.fromkeys(self.expected, 2)


@dataclass(frozen=True, slots=True)
class QuerySet:
    """The queries of a dataset."""

    queries: tuple[SampleQuery, ...]

    def __len__(self) -> int:
        return len(self.queries)

    def __iter__(self) -> Iterator[SampleQuery]:
        return iter(self.queries)

    def to_jsonl(self) -> str:
        """One JSON object a line, as BEIR's ``queries.jsonl``, each with its qrels beside it."""
        return "".join(json.dumps(_plain(query), ensure_ascii=False, sort_keys=True) + "\n" for query in self.queries)

    def to_qrels(self) -> str:
        """BEIR's ``qrels.tsv``; the corpus id is the document's URL."""
        lines = [
            f"{query.query_id}\t{url}\t{score}\n"
            for query in self.queries
            for url, score in sorted(query.qrels.items())
        ]
        return "".join(["query-id\tcorpus-id\tscore\n", *lines])

    @classmethod
    def from_jsonl(cls, text: str) -> Self:
        """What :meth:`to_jsonl` wrote."""
        return cls(tuple(_parsed(json.loads(line)) for line in text.split("\n") if line.strip()))


def _plain(query: SampleQuery) -> dict[str, Any]:
    filters = [{"field": condition.field, "values": list(condition.values)} for condition in query.filters]
    return {
        "_id": query.query_id,
        "text": query.text,
        "metadata": {"kind": query.kind.value, "filters": filters},
        "qrels": query.qrels,
    }


def _parsed(line: dict[str, Any]) -> SampleQuery:
    kind = QueryKind(line["metadata"]["kind"])
    qrels: dict[str, int] = line["qrels"]
    return SampleQuery(
        query_id=line["_id"],
        kind=kind,
        text=line["text"],
        filters=tuple(SearchFilter(each["field"], tuple(each["values"])) for each in line["metadata"]["filters"]),
        expected=tuple(sorted(url for url, score in qrels.items() if score == 2)),
        allowed=tuple(sorted(qrels)) if kind in _NARROWED else None,
    )
