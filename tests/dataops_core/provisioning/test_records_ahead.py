"""Records made before the step that stores them: which, how many at a time, and where it cannot be done."""

import threading
import weakref
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pytest

from dataops_core.company.build import build_company
from dataops_core.dataset_types.base import BLOCK_ROWS, DatasetType, GenerationSpec
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.errors import StorageError
from dataops_core.generation.blocks import InThreads
from dataops_core.generation.pieces import open_records
from dataops_core.generation.records import RecordsReport, encode_records
from dataops_core.lifecycle import CheckType, DatasetStatus, Stage
from dataops_core.provisioning import prepared, proving, records_ahead, steps
from dataops_core.provisioning import stored as stored_module
from dataops_core.provisioning.records_ahead import MOST_BYTES, RecordsAhead, lay_out
from dataops_core.storage import RECORDS_FILE
from dataops_core.templates.loader import load_catalog
from tests.waiting import wait_for

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


def test_records_that_are_larger_than_the_template_says_are_not_made_ahead(ahead: RecordsAhead) -> None:
    """A template may ask for less than the parts of a record take: what is made follows from what they are."""
    spec = a_specification(5 * BLOCK_ROWS)
    large, small = (
        replace(spec, template=spec.template.model_copy(update={"bytes_per_record": size})) for size in (30_000, 200)
    )
    built: list[int] = []

    def blocks(_: GenerationSpec, dataset_type: DatasetType) -> Generator[pa.RecordBatch, None, None]:
        for block in InThreads(1)(large, dataset_type):
            built.append(block.num_rows)
            yield block

    thread = ahead.begin("here", TYPE, small, blocks)
    thread.join(60)
    assert ahead.take("here", small) is None
    # It ended as soon as that was known.
    assert built == [BLOCK_ROWS] * 3


def test_who_needs_records_that_wait_for_others_builds_them(ahead: RecordsAhead) -> None:
    spec, asked = a_specification(), []

    def blocks(*arguments: object) -> Generator[pa.RecordBatch, None, None]:
        asked.append(arguments)
        yield from ()

    with records_ahead._laying_out:
        thread = ahead.begin("here", TYPE, spec, blocks)
        assert ahead.take("here", spec) is None
    thread.join(60)
    assert (thread.is_alive(), asked) == (False, [])


def test_what_is_begun_again_in_a_folder_takes_the_place_of_what_was(ahead: RecordsAhead) -> None:
    first, second = a_specification(), a_specification()
    begun(ahead, "here", first)
    begun(ahead, "here", second)
    assert ahead.take("here", second) is not None
    assert ahead._begun == {}


@pytest.mark.parametrize("error", [SystemExit(), RuntimeError("a bug")])
def test_whatever_ends_the_building_nobody_waits_for_it(ahead: RecordsAhead, error: BaseException) -> None:
    def blocks(*_: object) -> Generator[pa.RecordBatch, None, None]:
        raise error
        yield

    spec = a_specification()
    begun_by = ahead.begin("here", TYPE, spec, blocks)
    assert ahead.take("here", spec) is None
    begun_by.join(60)


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


def test_documents_are_made_while_the_records_are_stored_and_these_are_read_for_the_checks(accept, monkeypatch) -> None:
    case = accept(record_count=30)
    context = replace(case.context(), index_follows=True)
    steps.resolve_template(context)
    steps.create_connector(context)
    made, write, opened = threading.Event(), steps.write_encoded, []

    def handed_over(*arguments):
        yield from prepared.handed_over_before(*arguments)
        made.set()

    def late(*arguments, **options):
        assert made.wait(60), "the documents are made"
        return write(*arguments, **options)

    monkeypatch.setattr(prepared, "handed_over_before", prepared.handed_over, raising=False)
    monkeypatch.setattr(prepared, "handed_over", handed_over)
    monkeypatch.setattr(steps, "write_encoded", late)
    monkeypatch.setattr(stored_module, "open_records", lambda *of: opened.append(of) or open_records(*of))
    context.services.tables._opened.cache_clear()
    steps.populate_records(context)
    wait_for(lambda: len(opened) == 1, "what is stored has been opened")
    steps.index_records(context)
    for check in CheckType:
        proving.run_check(context, check)
    assert len(opened) == 1


def test_records_of_a_dataset_without_a_connector_are_dropped(accept, monkeypatch) -> None:
    case = accept(record_count=30)
    context = replace(case.context(), index_follows=True)
    steps.resolve_template(context)
    assert len(case.services.records_ahead._begun) == 1
    monkeypatch.setattr(case.services.connector, "provision", None)
    with pytest.raises(TypeError):
        steps.create_connector(context)
    assert case.services.records_ahead._begun == {}


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
