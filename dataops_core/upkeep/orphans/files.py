"""Records and archives that no dataset answers for, on disk or in a bucket, and what is half written there.

A folder under ``datasets/`` or ``archives/`` bears its dataset's id. It goes where there is no such dataset, where the
dataset is archived (its records) or keeps no archive, and a try's folder where no operation can go on with it. What is
in a running operation's hands is left alone, and so is what a failed teardown will go on with. In a bucket nothing is
looked at beside these two folders: what else is there may be somebody else's.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from dataops_core.lifecycle import DatasetStatus
from dataops_core.registry import orphans
from dataops_core.registry.orphans import PAGE, Owner
from dataops_core.registry.tables import Dataset
from dataops_core.storage import ARCHIVES, DATASETS, DRAFT, MANIFEST_FILE, RECORDS_FILE, Storage
from dataops_core.upkeep.orphans.model import Finding, Kind, Scene, batches

if TYPE_CHECKING:
    from dataops_core.bucket import OpenUpload


def find(scene: Scene) -> Iterator[Finding]:
    """Folders without an owner, and what is half written."""
    storage, database = scene.services.storage, scene.services.database
    storage.check(owner=scene.services.keyring.fingerprint)  # what another installation has there is not ours to judge
    for root, of_one in ((DATASETS, _of_records), (ARCHIVES, _of_archive)):
        for names in batches(sorted(storage.names_in(root)), PAGE):
            ids = {name: _dataset_id(name.removesuffix(DRAFT) if root == ARCHIVES else name) for name in names}
            known = [one for one in ids.values() if one is not None]
            with database.transaction() as session:
                owners = orphans.owners(session, known)
                in_use = orphans.folders_in_use(session, known)
            for name, dataset_id in ids.items():
                if dataset_id is None:
                    yield Finding(
                        Kind.STRANGE_NAME, f"{root}/{name}", f"{root}/{name} is no dataset's by its name: not ours."
                    )
                else:
                    yield from of_one(scene, f"{root}/{name}", dataset_id, owners.get(dataset_id), in_use)
        yield from _half_written(scene, root)


def _half_written(scene: Scene, root: str) -> Iterator[Finding]:
    """Uploads to a bucket whose writer was killed: no file shows them, and they are paid for."""
    storage, database = scene.services.storage, scene.services.database
    for uploads in batches(storage.open_uploads(root), PAGE):
        ids = {upload: _dataset_id(upload.path.split("/")[1].removesuffix(DRAFT)) for upload in uploads}
        ours = {upload: dataset_id for upload, dataset_id in ids.items() if dataset_id is not None}
        with database.transaction() as session:
            owners = orphans.owners(session, list(ours.values()))
        for upload, dataset_id in ours.items():
            owner = owners.get(dataset_id)
            if owner is not None and owner.active:
                continue

            def mend(upload: "OpenUpload" = upload) -> bool:
                storage.abort(upload)
                return True

            says = f"{upload.path}: somebody began to write it, and nobody goes on."
            yield Finding(Kind.UPLOAD_OPEN, upload.path, says, "Give the upload up.", upload.begun_at, mend)


def _of_records(
    scene: Scene, folder: str, dataset_id: UUID, owner: Owner | None, in_use: set[str]
) -> Iterator[Finding]:
    if owner is None:
        yield _finding(
            scene, Kind.DATASET_FILES, folder, "there is no such dataset", _unowned(scene, folder, dataset_id)
        )
    elif owner.active or owner.status is DatasetStatus.TEARDOWN:
        return
    elif owner.status is DatasetStatus.ARCHIVED:

        def is_archived(_: Session, row: Dataset) -> bool:
            return row.status is DatasetStatus.ARCHIVED

        mend = _of_idle(scene, folder, dataset_id, is_archived, forget=True)
        yield _finding(scene, Kind.DATASET_FILES, folder, "the dataset is archived", mend)
    else:
        for left in sorted(set(scene.services.storage.tries_of(dataset_id)) - in_use):

            def is_not_used(session: Session, row: Dataset, left: str = left) -> bool:
                return left not in orphans.folders_in_use(session, [row.dataset_id])

            mend = _of_idle(scene, left, dataset_id, is_not_used)
            yield _finding(scene, Kind.DATASET_FILES, left, "no operation goes on with this try of the dataset", mend)


def _of_archive(
    scene: Scene, folder: str, dataset_id: UUID, owner: Owner | None, _in_use: set[str]
) -> Iterator[Finding]:
    if owner is None:
        yield _finding(
            scene, Kind.ARCHIVE_FILES, folder, "there is no such dataset", _unowned(scene, folder, dataset_id)
        )
    elif owner.active or owner.status is DatasetStatus.TEARDOWN or owner.archive_path == folder:
        return
    else:

        def is_not_kept(_: Session, row: Dataset) -> bool:
            return row.status is not DatasetStatus.TEARDOWN and row.archive_path != folder

        mend = _of_idle(scene, folder, dataset_id, is_not_kept)
        yield _finding(scene, Kind.ARCHIVE_FILES, folder, "the dataset keeps no such archive", mend)


def _finding(scene: Scene, kind: Kind, folder: str, why: str, mend: Callable[[], bool]) -> Finding:
    changed_at = scene.services.storage.changed_at(folder)
    # Gone meanwhile: as young as can be.
    return Finding(kind, folder, f"{folder}: {why}.", "Remove it.", changed_at or scene.now, mend)


def _unowned(scene: Scene, folder: str, dataset_id: UUID) -> Callable[[], bool]:
    def mend() -> bool:
        with scene.services.database.transaction() as session:
            if orphans.owners(session, [dataset_id]):
                return False
        scene.services.storage.remove(folder)
        return True

    return mend


def _of_idle(
    scene: Scene, folder: str, dataset_id: UUID, still: Callable[[Session, Dataset], bool], *, forget: bool = False
) -> Callable[[], bool]:
    """Removes the folder while no operation can begin on its dataset; with ``forget`` the row says that it is gone."""

    def mend() -> bool:
        with scene.services.database.transaction() as session:
            row = orphans.hold_idle(session, dataset_id)
            if row is None or not still(session, row):
                return False
            if forget:
                row.records_path, row.upload_id = None, None
            scene.services.storage.remove(folder)
        return True

    return mend


def _dataset_id(name: str) -> UUID | None:
    try:
        found = UUID(name)
    except ValueError:
        return None
    return found if str(found) == name else None


def missing(scene: Scene) -> Iterator[Finding]:
    """Datasets whose files are not where the registry says: only told of, since nothing here can bring them back."""
    after = None
    while True:
        with scene.services.database.transaction() as session:
            page = [_Resting(*row) for row in orphans.resting_datasets(session, after=after)]
        for one in page:
            finding = _lost(scene.services.storage, one)
            if finding is not None and _still_lost(scene, one.dataset_id):
                yield finding
        if len(page) < PAGE:
            return
        after = page[-1].dataset_id


class _Resting(NamedTuple):
    """A dataset that nobody works on, as far as its files go."""

    dataset_id: UUID
    status: DatasetStatus
    records: str | None
    archive: str | None


def _lost(storage: Storage, one: _Resting) -> Finding | None:
    """What is to be told of its files; None where they are there."""
    if one.status is DatasetStatus.READY and not (one.records and _has(storage, one.records, RECORDS_FILE)):
        return Finding(
            Kind.RECORDS_MISSING,
            str(one.dataset_id),
            f"Dataset {one.dataset_id} is ready, and its records are not in storage. "
            "Rerun its provisioning in Dagster, or tear it down.",
        )
    if one.status is DatasetStatus.ARCHIVED and not _has(storage, str(one.archive), RECORDS_FILE, MANIFEST_FILE):
        return Finding(
            Kind.ARCHIVE_MISSING,
            str(one.dataset_id),
            f"The archive of dataset {one.dataset_id} is not in storage: it cannot be restored. "
            "Bring it back from a backup, or purge it (DELETE with archive=false).",
        )
    return None


def _still_lost(scene: Scene, dataset_id: UUID) -> bool:
    """Looked at again: an operation may have taken its files away since the page was read."""
    with scene.services.database.transaction() as session:
        now = orphans.resting_datasets(session, one=dataset_id)
    return any(_lost(scene.services.storage, _Resting(*row)) is not None for row in now)


def _has(storage: Storage, folder: str, *names: str) -> bool:
    return all(storage.exists(f"{folder}/{name}") for name in names)
