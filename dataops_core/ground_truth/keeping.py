"""The ground truth of a dataset as a file beside its records: made when it is first asked for, and then kept.

It follows from records, queries and company alone: whoever makes it, and when, it is the same. Does not belong here:
what it asks (``drawing.py``), who may see it (``dataops_api/ground_truth``), archives (``provisioning/archive.py``).
"""

from uuid import UUID

from dataops_core.company.model import Company
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.dataset_types.stored import StoredRecords
from dataops_core.ground_truth.closed_form import ClosedForm
from dataops_core.ground_truth.drawing import draw_questions
from dataops_core.lifecycle import DatasetStatus
from dataops_core.quality.keeping import kept_queries
from dataops_core.quality.planted_defects import from_jsonl
from dataops_core.registry import datasets
from dataops_core.registry.database import Database
from dataops_core.storage import DEFECTS_FILE, GROUND_TRUTH_FILE, RECORDS_FILE, Storage


def kept(storage: Storage, folder: str) -> bytes | None:
    """The file beside the records in ``folder``, None where there is none so far. Raises StorageError."""
    path = f"{folder}/{GROUND_TRUTH_FILE}"
    return storage.read_bytes(path) if storage.exists(path) else None


def make(storage: Storage, folder: str, dataset_type: str, company: Company, seed: int) -> bytes:
    """What the file is to hold, from the records and queries in ``folder``. Raises StorageError."""
    ten = kept_queries(storage, folder)
    listed = defects(storage, folder)
    kind = DATASET_TYPES[dataset_type]
    with StoredRecords(storage.filesystem, storage.path(f"{folder}/{RECORDS_FILE}"), kind) as stored:
        truth = draw_questions(
            stored.documents,
            kind,
            ClosedForm(company),
            ten,
            from_jsonl(listed or b""),
            blocks=stored.group_count,
            records=stored.count,
            seed=seed,
        )
    return truth.to_jsonl()


def defects(storage: Storage, folder: str) -> bytes | None:
    """The list of the defects that the records in ``folder`` have on purpose; None of earlier releases' records."""
    path = f"{folder}/{DEFECTS_FILE}"
    return storage.read_bytes(path) if storage.exists(path) else None


def keep(database: Database, storage: Storage, dataset_id: UUID, folder: str, content: bytes) -> None:
    """Puts the file beside the records, whole or not at all, if they are the ready dataset's still.

    The dataset's row is held meanwhile: a teardown or a rerun begins before or after, so that no folder which one of
    them has removed comes back.
    """
    with database.transaction() as session:
        dataset = datasets.get(session, dataset_id, lock=True)
        if dataset.status is not DatasetStatus.READY or dataset.records_path != folder:
            return
        storage.write_bytes(f"{folder}/{GROUND_TRUTH_FILE}", content)
