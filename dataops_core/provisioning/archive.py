"""A dataset's archive: records, queries, ground truth, quality results and what the dataset was, with a manifest.

Written aside, read back, and put in its place whole; read back again before anything rests on it. Does not belong here:
when an archive is made (``teardown.py``) or used (``restoring.py``). Source: ``docs/contract.md`` C-53, C-54.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from dataops_core import fault_points
from dataops_core.clock import rfc3339, utcnow
from dataops_core.errors import StorageError
from dataops_core.storage import (
    DEFECTS_FILE,
    DRAFT,
    GROUND_TRUTH_FILE,
    MANIFEST_FILE,
    QUERIES_FILE,
    RECORDS_FILE,
    Storage,
)

QUALITY_FILE = "quality.json"
DATASET_FILE = "dataset.json"
#: What a restore gives back to the dataset, where the archive has it: archives of earlier releases lack the last two.
RESTORED_FILES = (RECORDS_FILE, QUERIES_FILE, DEFECTS_FILE, GROUND_TRUTH_FILE)


def write_archive(
    storage: Storage,
    dataset_id: UUID,
    *,
    source: str,
    about: Mapping[str, Any],
    results: Sequence[Mapping[str, Any]],
    ground_truth: Callable[[], bytes | None],
    operation_id: UUID,
) -> str:
    """Archives the records that lie in ``source``, in place of an older archive. Returns its folder.

    ``ground_truth`` gives that file, or None where these records give none.

    An archive that this operation has made already stands: its source may be gone by now. Raises StorageError.
    """
    folder = storage.archive_folder(dataset_id)
    if _made_by(storage, folder) == str(operation_id):
        return folder
    draft = f"{folder}{DRAFT}"
    storage.remove(draft)
    listed = (DEFECTS_FILE,) if storage.exists(f"{source}/{DEFECTS_FILE}") else ()
    for name in (RECORDS_FILE, QUERIES_FILE, *listed):
        storage.copy(f"{source}/{name}", f"{draft}/{name}")
    truth = ground_truth()
    if truth is not None:
        storage.write_bytes(f"{draft}/{GROUND_TRUTH_FILE}", truth)
    storage.write_json(f"{draft}/{QUALITY_FILE}", results)
    storage.write_json(f"{draft}/{DATASET_FILE}", about)
    storage.write_json(
        f"{draft}/{MANIFEST_FILE}",
        {
            "format": 1,
            "dataset_id": str(dataset_id),
            "operation_id": str(operation_id),
            "archived_at": rfc3339(utcnow()),
            "files": {
                name: {"sha256": storage.sha256(f"{draft}/{name}"), "bytes": storage.size(f"{draft}/{name}")}
                for name in sorted(storage.names_in(draft))
            },
            # What the records' own manifest says of them: a restore makes it again.
            "records": storage.read_json(f"{source}/{MANIFEST_FILE}"),
        },
    )
    verify_archive(storage, draft, else_="nothing was deleted")
    fault_points.reached("archiving")
    # The source is there until the archive was verified once more: between these two nothing can be lost.
    storage.remove(folder)
    storage.move_folder(draft, folder)
    return folder


def verify_archive(storage: Storage, folder: str, *, else_: str) -> dict[str, Any]:
    """Reads every file of an archive back, compares it with the manifest, and gives the manifest.

    Raises StorageError that names the file, and says with ``else_`` what was left undone for it.
    """
    manifest = _manifest(storage, folder)
    entries = manifest.get("files")
    if not isinstance(entries, dict) or not {RECORDS_FILE, QUERIES_FILE} <= entries.keys():
        raise StorageError(f"The archive's {MANIFEST_FILE} is damaged; {else_}.")
    for name, entry in entries.items():
        if not storage.exists(f"{folder}/{name}"):
            raise StorageError(f"The archive's {name} is missing; {else_}.")
        if storage.sha256(f"{folder}/{name}") != entry.get("sha256"):
            raise StorageError(f"The archive's {name} is not what its manifest says; {else_}.")
    return manifest


def _made_by(storage: Storage, folder: str) -> str | None:
    if not storage.exists(f"{folder}/{MANIFEST_FILE}"):
        return None
    return _manifest(storage, folder).get("operation_id")


def _manifest(storage: Storage, folder: str) -> dict[str, Any]:
    try:
        manifest = storage.read_json(f"{folder}/{MANIFEST_FILE}")
    except ValueError:
        manifest = None
    return manifest if isinstance(manifest, dict) else {}
