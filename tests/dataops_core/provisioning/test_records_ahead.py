"""Records made before the step that stores them: which, how many at a time, and where it cannot be done."""

import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from dataops_core.company.build import build_company
from dataops_core.dataset_types.base import GenerationSpec
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.errors import StorageError
from dataops_core.generation.blocks import InThreads
from dataops_core.generation.records import RecordsReport, encode_records
from dataops_core.lifecycle import CheckType, DatasetStatus, Stage
from dataops_core.provisioning import proving, records_ahead, steps
from dataops_core.provisioning.records_ahead import MOST_BYTES, RecordsAhead, lay_out
from dataops_core.storage import RECORDS_FILE
from dataops_core.templates.loader import load_catalog

TYPE = DATASET_TYPES["confluence_pages"]
BLOCKS = InThreads(2)


def a_specification(records: int = 20) -> GenerationSpec:
    """Of a customer of its own: nobody has laid out its records before."""
    catalog = load_catalog()
    template = catalog.for_type(TYPE.name)[0]
    company = build_company(uuid4())
    return GenerationSpec(template, catalog.vocabulary(template.industry), company, Stage.SANDBOX, 0, records)


@pytest.fixture
def ahead() -> RecordsAhead:
    return RecordsAhead()


def begun(ahead: RecordsAhead, folder: str, spec: GenerationSpec) -> None:
    thread = ahead.begin(folder, TYPE, spec, BLOCKS)
    thread.join(60)
    assert not thread.is_alive()


@contextmanager
def nothing_can_be_laid_out() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dataops_core.dataset_types.confluence.plan.markup.kinds", None)
        yield


def test_records_that_are_laid_out_ahead_are_laid_out_once() -> None:
    spec = a_specification()
    lay_out(TYPE, spec).join(60)
    with nothing_can_be_laid_out():
        assert TYPE.builder(spec).rows(0, 20).num_rows == 20


def test_what_cannot_be_laid_out_ahead_fails_where_the_records_are_built(caplog: pytest.LogCaptureFixture) -> None:
    spec = a_specification()
    with nothing_can_be_laid_out():
        lay_out(TYPE, spec).join(60)
        assert "could not be laid out ahead" in caplog.text
        with pytest.raises(TypeError):
            TYPE.builder(spec)
    assert TYPE.builder(spec).rows(0, 20).num_rows == 20


def test_what_is_made_ahead_are_the_records_and_their_file(ahead: RecordsAhead) -> None:
    spec = a_specification(600)
    begun(ahead, "here", spec)
    made = ahead.take("here", spec)
    assert made is not None
    blocks = list(BLOCKS(spec, TYPE))
    assert made.records.table.to_batches() == blocks
    assert made.encoded.result() == encode_records(spec, blocks)


def test_what_was_begun_is_taken_once_and_where_it_was_begun(ahead: RecordsAhead) -> None:
    spec = a_specification()
    begun(ahead, "here", spec)
    assert ahead.take("elsewhere", spec) is None
    assert ahead.take("here", spec) is not None
    assert ahead.take("here", spec) is None


def test_what_was_begun_of_other_records_is_not_taken(ahead: RecordsAhead) -> None:
    spec = a_specification()
    begun(ahead, "here", spec)
    assert ahead.take("here", replace(spec, seed=1)) is None


def test_no_more_is_made_ahead_than_memory_is_there_for(ahead: RecordsAhead) -> None:
    half = a_specification()
    half = replace(half, template=half.template.model_copy(update={"bytes_per_record": MOST_BYTES // 2 // 20}))
    begun(ahead, "the first", half)
    begun(ahead, "the second", half)
    begun(ahead, "the third", half)
    assert ahead.take("the third", half) is None
    assert ahead.take("the first", half) is not None
    begun(ahead, "the third", half)
    assert ahead.take("the third", half) is not None
    large = replace(half, record_count=41)
    begun(RecordsAhead(), "alone", large)
    with nothing_can_be_laid_out():
        # It was laid out all the same.
        assert TYPE.builder(large).rows(0, 41).num_rows == 41


def test_what_cannot_be_built_ahead_fails_where_the_records_are_built(
    ahead: RecordsAhead, caplog: pytest.LogCaptureFixture
) -> None:
    spec = a_specification()
    with nothing_can_be_laid_out():
        begun(ahead, "here", spec)
    assert "could not be built ahead" in caplog.text
    assert ahead.take("here", spec) is None


def test_who_needs_records_that_wait_for_others_builds_them(
    ahead: RecordsAhead, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = a_specification()
    monkeypatch.setattr(records_ahead, "encode_records", None)
    with records_ahead._laying_out:
        thread = ahead.begin("here", TYPE, spec, BLOCKS)
        assert ahead.take("here", spec) is None
    with nothing_can_be_laid_out():
        thread.join(60)
        assert not thread.is_alive()


def test_what_is_made_ahead_goes_as_soon_as_nobody_has_it(ahead: RecordsAhead) -> None:
    spec = a_specification()
    begun(ahead, "here", spec)
    made = ahead.take("here", spec)
    assert made is not None
    left = weakref.ref(made.table)
    assert made.encoded.result().report.record_count == 20
    del made
    assert left() is None


# --- the steps --------------------------------------------------------------------------------------------------------


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How the records were written, each time."""
    how: list[str] = []

    def noting(name: str) -> Callable[..., RecordsReport]:
        write = getattr(steps, name)

        def noted(*arguments: object, **options: object) -> RecordsReport:
            how.append(name)
            report: RecordsReport = write(*arguments, **options)
            return report

        return noted

    for name in ("write_records", "write_encoded"):
        monkeypatch.setattr(steps, name, noting(name))
    return how


def stored(case) -> list[Path]:
    return sorted(Path(case.services.storage.path("datasets")).rglob(RECORDS_FILE))


def joined() -> None:
    for thread in threading.enumerate():
        if thread.name == "records-ahead":
            thread.join(60)


def test_a_run_that_indexes_them_makes_its_records_ahead_and_stores_them_in_their_step(accept, written) -> None:
    case = accept(record_count=30)
    context = replace(case.context(), index_follows=True)
    steps.resolve_template(context)
    joined()
    assert stored(case) == []
    steps.create_connector(context)
    made = steps.populate_records(context)
    assert (written, len(stored(case))) == (["write_encoded"], 1)
    # A repetition makes its own, and the same.
    again = steps.populate_records(context)
    assert written == ["write_encoded", "write_records"]
    assert (again.report, again.sample) == (made.report, made.sample)
    steps.index_records(context)
    for check in CheckType:
        proving.run_check(context, check)
    proving.publish(context)
    assert case.dataset().status is DatasetStatus.READY


def test_a_run_that_does_not_index_them_makes_no_records_ahead(accept, written) -> None:
    case = accept(record_count=30)
    context = case.context()
    steps.resolve_template(context)
    steps.create_connector(context)
    steps.populate_records(context)
    assert written == ["write_records"]


def test_records_that_cannot_be_stored_fail_their_step_and_leave_nothing(accept, monkeypatch) -> None:
    case = accept(record_count=30)
    context = replace(case.context(), index_follows=True)
    steps.resolve_template(context)
    steps.create_connector(context)

    def full(*_: object, **__: object) -> RecordsReport:
        raise StorageError("The records could not be written: No space left on device.")

    monkeypatch.setattr(steps, "write_encoded", full)
    with pytest.raises(StorageError, match="No space left"):
        steps.populate_records(context)
    assert (case.dataset().status, stored(case)) == (DatasetStatus.FAILED, [])
    assert case.services.preparations._begun == {}
