"""The ten test queries of a dataset as a file beside its records: drawn once, and then kept.

They follow from the records and the seed alone. Does not belong here: what they ask (``query_drawing.py``,
``large_drawing.py``), and when they are drawn (``provisioning/prepared.py``).
"""

from collections.abc import Sequence

from dataops_core.dataset_types.base import DatasetType, Document
from dataops_core.errors import PermanentError
from dataops_core.generation.pieces import Records
from dataops_core.quality.large_drawing import draw_queries
from dataops_core.quality.query_set import KINDS, QuerySet
from dataops_core.storage import QUERIES_FILE, Storage


def kept_queries(storage: Storage, folder: str) -> QuerySet:
    """The queries beside the records in ``folder``. Raises PermanentError where there are none, StorageError."""
    path = f"{folder}/{QUERIES_FILE}"
    if not storage.exists(path):
        raise PermanentError("The dataset has no test queries: run its `index` asset first.")
    return QuerySet.from_jsonl(storage.read_bytes(path).decode())


def queries_of(
    storage: Storage,
    folder: str,
    records: Records,
    dataset_type: DatasetType,
    *,
    seed: int,
    documents: Sequence[Document] | None = None,
) -> QuerySet:
    """The queries beside these records, drawn where they are not all there so far.

    ``documents`` are all that the records are, where they were made already.

    Raises PermanentError where the records give none of a kind, StorageError.
    """
    kept: QuerySet | None
    try:
        kept = kept_queries(storage, folder)
    except (PermanentError, ValueError):
        # None so far, or a run was killed as it wrote them.
        kept = None
    if kept is not None and len(kept) == len(KINDS):
        return kept
    return draw_queries(records, dataset_type, seed=seed, documents=documents)


def keep_queries(storage: Storage, folder: str, queries: QuerySet) -> None:
    """Puts the queries beside their records, whole or not at all. Raises StorageError."""
    storage.write_bytes(f"{folder}/{QUERIES_FILE}", queries.to_jsonl().encode())
