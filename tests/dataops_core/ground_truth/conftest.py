"""A dataset of each type of one company, with its questions; and documents read by rules of the tests' own."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

import pyarrow as pa
import pytest

from dataops_core.dataset_types.base import BLOCK_ROWS, Document
from dataops_core.ground_truth.closed_form import ClosedForm
from dataops_core.ground_truth.drawing import draw_questions
from dataops_core.ground_truth.model import GroundTruth, Question
from dataops_core.quality.planted_defects import planted_defects
from dataops_core.quality.query_drawing import make_queries
from dataops_core.quality.query_set import QuerySet
from tests.dataops_core.dataset_types.conftest import CATALOG, Dataset, generate, specification
from tests.each_type import EACH_TYPE

RECORDS = 500
#: Small records: what is asked of them is asked of large ones, too.
BYTES = 3000


class Text(HTMLParser):
    """The text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:  # noqa: ARG002
        self.said.append(" ")

    def handle_data(self, data: str) -> None:
        self.said.append(data)

    def unknown_decl(self, data: str) -> None:
        self.said.append(data.removeprefix("CDATA["))


def plain(document: Document) -> str:
    if document.mime_type != "text/html":
        return document.body
    text = Text()
    text.feed(document.body)
    text.close()
    # Inline markup parts no words: both readings are looked at.
    return "".join(text.said)


@dataclass(frozen=True)
class Read:
    """A document as these tests read it."""

    document: Document
    text: str
    words: frozenset[str]

    @classmethod
    def of(cls, document: Document) -> "Read":
        text = f"{document.title}\n{plain(document)}"
        return cls(document, text, frozenset(re.findall(r"[^\W_]+", text.lower())))

    def holds(self, question: str) -> bool:
        return self.words.issuperset(re.findall(r"[^\W_]+", question.lower()))

    def names(self, name: str) -> bool:
        """Whether it has the name, not as a part of another: PAY-1 in PAY-1-fix, a branch, not in PAY-12 or XPAY-1."""
        return re.search(rf"(?<![\w-]){re.escape(name)}(?!\w|-\d)", self.text) is not None


def reading(table: pa.Table, dataset_type: Any) -> tuple[Callable[[Sequence[int]], Iterator[list[Document]]], int]:
    """Row groups of the table, as they are read of a file; and how many there are."""
    groups = table.combine_chunks().to_batches(max_chunksize=BLOCK_ROWS)

    def read(numbers: Sequence[int]) -> Iterator[list[Document]]:
        for number in numbers:
            yield [dataset_type.document(row) for row in groups[number].to_pylist()]

    return read, len(groups)


def questions_of(dataset: Dataset, ten: QuerySet, *, seed: int | None = None) -> GroundTruth:
    read, blocks = reading(dataset.table, dataset.type)
    return draw_questions(
        read,
        dataset.type,
        ClosedForm(dataset.spec.company),
        ten,
        planted_defects(dataset.spec, dataset.type, dataset.table),
        blocks=blocks,
        records=dataset.table.num_rows,
        seed=dataset.spec.seed if seed is None else seed,
    )


@dataclass(frozen=True)
class Asked:
    """A dataset with its questions."""

    dataset: Dataset
    ten: QuerySet
    truth: GroundTruth
    documents: dict[str, Read]

    def of_kind(self, kind: str) -> list[Question]:
        return [question for question in self.truth if question.kind.value == kind]

    def where(self, holds: Callable[[Read], bool]) -> list[str]:
        """The addresses of the documents of which this is true."""
        return sorted(url for url, one in self.documents.items() if holds(one))


def ask(name: str, records: int = RECORDS) -> Asked:
    template = next(template for template in CATALOG.templates if template.dataset_type == name)
    dataset = generate(specification(template.name, records=records, bytes_per_record=BYTES))
    ten = make_queries(dataset.table, dataset.type, seed=dataset.spec.seed)
    read = [Read.of(dataset.type.document(row)) for row in dataset.table.to_pylist()]
    return Asked(dataset, ten, questions_of(dataset, ten), {one.document.view_url: one for one in read})


@pytest.fixture(scope="session")
def asked_of() -> Callable[[str], Asked]:
    made: dict[str, Asked] = {}

    def of(name: str) -> Asked:
        if name not in made:
            made[name] = ask(name)
        return made[name]

    return of


@pytest.fixture(scope="session", params=EACH_TYPE)
def asked(request: pytest.FixtureRequest, asked_of: Callable[[str], Asked]) -> Asked:
    return asked_of(request.param)
