"""Questions about a dataset whose answers are known, and the form in which they are stored. Pure.

Belongs here: what a question is. Does not belong here: finding questions (``drawing.py``), files and archives
(``keeping.py``, ``beir.py``). Source: ``docs/contract.md`` C-57.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from dataops_core.connectors.protocol import SearchFilter


class QuestionKind(StrEnum):
    """What a question is like. Of the first four one document is known beforehand, and words of it are the question."""

    TITLE = "title"
    PHRASE = "phrase"
    ENTITY = "entity"
    CONJUNCTION = "conjunction"
    FILTER = "filter"
    PEOPLE = "people"
    FACT = "fact"
    MULTI_HOP = "multi_hop"
    CONFLICTING = "conflicting"
    UNANSWERABLE = "unanswerable"


@dataclass(frozen=True, slots=True)
class Expected:
    """A document of the dataset that a search must find."""

    document_id: str
    url: str


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A document of another dataset type that the answer needs as well: it is there, or would be."""

    dataset_type: str
    document_id: str
    url: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question with all documents that answer it (none: nobody can). ``answer`` is there where it is a fact."""

    query_id: str
    kind: QuestionKind
    text: str
    filters: tuple[SearchFilter, ...] = ()
    expected: tuple[Expected, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()
    answer: str | None = None
    #: Whether the quality check asks it, too.
    in_quality_check: bool = False

    @property
    def metadata(self) -> dict[str, Any]:
        """All but id, text and expected documents, as plain JSON."""
        return {
            "kind": self.kind.value,
            "filters": [{"field": condition.field, "values": list(condition.values)} for condition in self.filters],
            "answer": self.answer,
            "elsewhere": [
                {"dataset_type": one.dataset_type, "document_id": one.document_id, "url": one.url}
                for one in self.elsewhere
            ],
            "in_quality_check": self.in_quality_check,
        }

    @property
    def shown(self) -> dict[str, Any]:
        """The question as the API shows it."""
        expected = [{"document_id": one.document_id, "url": one.url} for one in self.expected]
        return {"query_id": self.query_id, "text": self.text, "expected": expected, **self.metadata}


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """The questions of a dataset: the ten of its quality check first, then the larger set, kind by kind."""

    questions: tuple[Question, ...]

    def __len__(self) -> int:
        return len(self.questions)

    def __iter__(self) -> Iterator[Question]:
        return iter(self.questions)

    def of_kind(self, kind: QuestionKind | None) -> tuple[Question, ...]:
        """The questions of one kind; of all, where none is named."""
        return tuple(question for question in self.questions if kind is None or question.kind is kind)

    def to_jsonl(self) -> bytes:
        """One JSON object a line, in BEIR's form of queries; ``documents`` has the expected ones: address → id."""
        return "".join(
            json.dumps(
                {
                    "_id": question.query_id,
                    "text": question.text,
                    "metadata": question.metadata,
                    "documents": {one.url: one.document_id for one in question.expected},
                },
                ensure_ascii=False,
            )
            + "\n"
            for question in self.questions
        ).encode()

    @classmethod
    def from_jsonl(cls, content: bytes) -> Self:
        """What :meth:`to_jsonl` wrote. Raises ValueError, KeyError or TypeError for anything else."""
        return cls(tuple(_parsed(json.loads(line)) for line in content.decode().split("\n") if line))


def _parsed(line: dict[str, Any]) -> Question:
    said = line["metadata"]
    return Question(
        query_id=line["_id"],
        kind=QuestionKind(said["kind"]),
        text=line["text"],
        filters=tuple(SearchFilter(one["field"], tuple(one["values"])) for one in said["filters"]),
        expected=tuple(Expected(document_id, url) for url, document_id in line["documents"].items()),
        elsewhere=tuple(Elsewhere(one["dataset_type"], one["document_id"], one["url"]) for one in said["elsewhere"]),
        answer=said["answer"],
        in_quality_check=said["in_quality_check"],
    )
