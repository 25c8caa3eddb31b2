"""Documents and test queries made ready for the index step: when, by whom, and where it cannot be done."""

import threading
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from fsspec.implementations.local import LocalFileSystem

from dataops_core.company.build import build_company
from dataops_core.dataset_types.base import Document, GenerationSpec
from dataops_core.dataset_types.jira.dataset_type import JiraIssues
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.errors import PermanentError
from dataops_core.generation.pieces import FileRecords, KeptRecords, Records, open_records
from dataops_core.generation.records import write_records
from dataops_core.ids import new_id
from dataops_core.lifecycle import CheckType, DatasetStatus, Stage
from dataops_core.provisioning import prepared as module
from dataops_core.provisioning import proving, steps
from dataops_core.provisioning.prepared import Preparations, Prepared
from dataops_core.quality.query_set import QueryKind, QuerySet, SampleQuery
from dataops_core.templates.loader import load_catalog

TYPE = DATASET_TYPES["jira_issues"]
DRAWN = QuerySet((SampleQuery("q01", QueryKind.NEGATIVE, "nowhere"),))


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file of 30 records."""
    catalog, path = load_catalog(), str(tmp_path_factory.mktemp("stored") / "records.parquet")
    template = catalog.for_type(TYPE.name)[0]
    spec = GenerationSpec(
        template, catalog.vocabulary(template.industry), build_company(new_id()), Stage.SANDBOX, 0, 30
    )
    write_records(spec, TYPE, LocalFileSystem(), path)
    return path


class Drawing:
    """Draws, and notes of how many documents and in which thread."""

    def __init__(self) -> None:
        self.asked: list[tuple[int | None, str]] = []

    def __call__(self, documents: Sequence[Document] | None) -> QuerySet:
        self.asked.append((None if documents is None else len(documents), threading.current_thread().name))
        return DRAWN


class Broken(JiraIssues):
    """A type whose mapping to the connector's documents has a fault."""

    def document(self, row: Mapping[str, Any]) -> Document:
        raise ValueError(f"no document today of {row['key']}")


def records_of(path: str, *, whole: bool) -> Records:
    return open_records(LocalFileSystem(), path) if whole else FileRecords(LocalFileSystem(), path)


def test_of_records_that_are_kept_whole_the_queries_are_drawn_before_a_document_is_taken(stored: str):
    records, draw = records_of(stored, whole=True), Drawing()
    assert isinstance(records, KeptRecords)
    prepared = Prepared(records, TYPE, draw)
    prepared.begin()
    assert prepared.queries() == DRAWN
    assert draw.asked == [(30, "test-queries")]
    assert list(prepared.documents()) == [TYPE.document(row) for row in records.table.to_pylist()]


def test_of_large_records_the_queries_are_drawn_once_the_last_document_was_taken(stored: str):
    draw = Drawing()
    prepared = Prepared(records_of(stored, whole=False), TYPE, draw)
    prepared.begin()
    documents = prepared.documents()
    taken = [next(documents) for _ in range(30)]
    assert draw.asked == []
    assert list(documents) == []
    assert prepared.queries() == DRAWN
    assert draw.asked == [(None, "test-queries")]
    assert taken == list(Prepared(records_of(stored, whole=True), TYPE, draw).documents())


@pytest.mark.parametrize("whole", [True, False], ids=["kept", "large"])
def test_a_record_that_makes_no_document_fails_whoever_wants_one(stored: str, whole: bool):
    prepared = Prepared(records_of(stored, whole=whole), Broken(), Drawing())
    prepared.begin()
    with pytest.raises(ValueError, match="no document today of"):
        list(prepared.documents())


def test_what_is_prepared_goes_as_soon_as_nobody_has_it(stored: str):
    prepared = Prepared(records_of(stored, whole=True), TYPE, Drawing())
    prepared.begin()
    assert (len(list(prepared.documents())), prepared.queries()) == (30, DRAWN)
    left = weakref.ref(prepared)
    del prepared
    assert left() is None


def test_what_was_begun_is_taken_once(stored: str):
    preparations, prepared = Preparations(), Prepared(records_of(stored, whole=True), TYPE, Drawing())
    preparations.keep("here", prepared)
    assert [preparations.take(folder) for folder in ("elsewhere", "here", "here")] == [None, prepared, None]
    assert prepared.queries() == DRAWN


def test_the_index_takes_what_the_records_step_has_begun_and_a_repetition_makes_its_own(accept, monkeypatch):
    made: list[str] = []
    handed_over = module.handed_over

    def noted(records, dataset_type):
        made.append(dataset_type.name)
        return handed_over(records, dataset_type)

    monkeypatch.setattr(module, "handed_over", noted)
    case = accept()
    context = replace(case.context(), index_follows=True)
    for step in (steps.resolve_template, steps.create_connector, steps.populate_records):
        step(context)
    steps.index_records(context)
    assert made == [context.dataset_type]
    steps.index_records(context)
    assert made == [context.dataset_type] * 2
    for check in CheckType:
        proving.run_check(context, check)
    proving.publish(context)
    assert case.dataset().status is DatasetStatus.READY


def test_queries_that_cannot_be_drawn_fail_the_index_and_not_the_records(accept, monkeypatch):
    case = accept()
    context = replace(case.context(), index_follows=True)
    steps.resolve_template(context)
    steps.create_connector(context)
    monkeypatch.setattr("dataops_core.quality.query_drawing._TRIED_WORDS", 0)
    steps.populate_records(context)
    with pytest.raises(PermanentError, match="No phrase query can be drawn"):
        steps.index_records(context)
    assert case.dataset().status is DatasetStatus.FAILED
