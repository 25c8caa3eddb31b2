"""Records that are made before the step that stores them: laid out, built, and encoded as the file they will be.

A run begins with it in a thread as soon as it knows what the records follow from, and goes on with the connector: most
of building, compressing and hashing leaves Python to others. The records step finds the file's bytes and stores them
under its claim; nothing is written before. So it is with small records, and not too many at a time: others are no more
than laid out, all that they follow from but no record. Does not belong here: building and encoding (``generation/``).
"""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, field

import pyarrow as pa

from dataops_core.dataset_types.base import DatasetType, GenerationSpec
from dataops_core.generation.blocks import Blocks
from dataops_core.generation.pieces import KeptRecords
from dataops_core.generation.records import EncodedRecords, encode_records

_log = logging.getLogger(__name__)

#: Bytes of records that a process makes ahead at a time, by what their templates say: two datasets of 500 pages. Those
#: that come to more are given up, so that all are such as are kept whole anyway (``generation.pieces.KEPT_BYTES``).
MOST_BYTES = 32 * 2**20
#: All that laying out does is compute: one after the other the first is done soonest, which is needed first.
_laying_out = threading.Lock()


@dataclass(frozen=True, slots=True)
class MadeAhead:
    """Records that are being made. Nothing leads back to it, so that they go with who has it."""

    spec: GenerationSpec
    table: "Future[pa.Table]" = field(default_factory=Future)
    encoded: "Future[EncodedRecords]" = field(default_factory=Future)

    @property
    def size(self) -> int:
        """Bytes of all records, as the template has them."""
        return self.spec.record_count * self.spec.template.bytes_per_record

    @property
    def records(self) -> KeptRecords:
        """The records, waited for."""
        return KeptRecords(self.table.result())


class RecordsAhead:
    """What is made ahead for this process's records steps, by the records' folder. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begun: dict[str, MadeAhead] = {}

    def begin(self, folder: str, dataset_type: DatasetType, spec: GenerationSpec, blocks: Blocks) -> threading.Thread:
        """Begins to make these records, or to lay them out where they are too many. Returns at once.

        What is made is kept until it is taken or dropped.
        """
        self.drop(folder)
        made = MadeAhead(spec)
        with self._lock:
            if made.size + sum(other.size for other in self._begun.values()) > MOST_BYTES:
                return lay_out(dataset_type, spec)
            self._begun[folder] = made
        return _started(lambda: _make(dataset_type, blocks, made))

    def take(self, folder: str, spec: GenerationSpec) -> MadeAhead | None:
        """What was begun in this folder, once all its records are built; it is kept no longer.

        None where nothing was begun, where it has to wait for others, where it failed, or was of other records: whoever
        asks builds them then.
        """
        made = self._let_go(folder)
        if made is None or made.table.cancel() or made.table.exception() is not None:
            return None
        return made if made.spec == spec else None

    def drop(self, folder: str) -> None:
        """Keeps no longer what was begun in this folder: nobody will come for it."""
        made = self._let_go(folder)
        if made is not None:
            made.table.cancel()

    def _let_go(self, folder: str) -> MadeAhead | None:
        with self._lock:
            return self._begun.pop(folder, None)


def lay_out(dataset_type: DatasetType, spec: GenerationSpec) -> threading.Thread:
    """Begins to lay out the records. Returns at once.

    Whoever builds them next finds that done, or waits for it; where nobody does, it was done for nothing.
    """
    return _started(lambda: _lay_out(dataset_type, spec))


def _started(work: Callable[[], None]) -> threading.Thread:
    # A daemon: a step that fails meanwhile, or is stopped, does not wait for it.
    thread = threading.Thread(target=work, name="records-ahead", daemon=True)
    thread.start()
    return thread


def _lay_out(dataset_type: DatasetType, spec: GenerationSpec) -> None:
    try:
        with _laying_out:
            dataset_type.builder(spec)
    except Exception:
        # Whoever builds the records meets it again, and fails by it.
        _log.warning("the records could not be laid out ahead", exc_info=True)


def _make(dataset_type: DatasetType, blocks: Blocks, made: MadeAhead) -> None:
    try:
        with _laying_out:
            if not made.table.set_running_or_notify_cancel():
                return
            dataset_type.builder(made.spec)
        batches = _built(dataset_type, blocks, made.spec)
        made.table.set_result(pa.Table.from_batches(batches))
    except _TooLargeError as error:
        _log.info("the records are not made ahead: %s", error)
        made.table.set_exception(error.with_traceback(None))
        return
    except BaseException as error:
        # As above. Without its traceback, which leads back to all of this.
        _log.warning("the records could not be built ahead", exc_info=True)
        made.table.set_exception(error.with_traceback(None))
        return
    try:
        made.encoded.set_result(encode_records(made.spec, batches))
    except BaseException as error:
        _log.warning("the records could not be encoded ahead", exc_info=True)
        made.encoded.set_exception(error.with_traceback(None))


def _built(dataset_type: DatasetType, blocks: Blocks, spec: GenerationSpec) -> list[pa.RecordBatch]:
    """All blocks. Raises _TooLargeError once they come to more than they should."""
    batches: list[pa.RecordBatch] = []
    size = 0
    with closing(blocks(spec, dataset_type)) as built:
        for batch in built:
            batches.append(batch)
            size += batch.nbytes
            if size > MOST_BYTES:
                raise _TooLargeError(f"they are larger than the template's {spec.template.bytes_per_record} bytes each")
    return batches


class _TooLargeError(Exception):
    """The records are not small."""
