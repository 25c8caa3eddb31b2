"""The four steps of a teardown: disconnect, archive, delete, update the registry. Each may be run again.

Nothing is deleted before the archive was read back and found whole. A teardown with ``archive=false`` leaves no row of
the dataset either; its operation stays. Source: ``docs/contract.md`` C-52, C-53.
"""

import json
import logging
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete, inspect

from dataops_core import fault_points
from dataops_core.ground_truth import keeping
from dataops_core.lifecycle import DatasetStatus, OperationType, Outcome
from dataops_core.provisioning import fencing, particulars
from dataops_core.provisioning.archive import verify_archive, write_archive
from dataops_core.provisioning.fencing import Claim, Held
from dataops_core.provisioning.removal import remove_index, remove_records
from dataops_core.provisioning.services import Services, StepContext
from dataops_core.provisioning.settlement import finish_dataset
from dataops_core.provisioning.step import step
from dataops_core.registry import datasets, quality
from dataops_core.registry.tables import Base, Dataset

_log = logging.getLogger(__name__)

_TEARDOWN = (OperationType.TEARDOWN,)


@dataclass(frozen=True, slots=True)
class TeardownStep:
    """What one step did to one dataset."""

    dataset_id: UUID
    dataset_type: str
    done: str


def disconnect_connector(context: StepContext) -> TeardownStep:
    """Step 1: the connector refuses everybody from now on, and its index is gone from disk."""
    with step(context, _TEARDOWN, 1) as claim:
        removed = remove_index(context.services, claim.dataset_id)
        _done(context.services, claim, 1)
        return TeardownStep(
            claim.dataset_id, context.dataset_type, "connector disconnected" if removed else "no connector was left"
        )


def archive_records(context: StepContext) -> TeardownStep:
    """Step 2: the archive, read back and compared with its manifest; nothing where none is wanted."""
    services, storage = context.services, context.services.storage
    with step(context, _TEARDOWN, 2) as claim:
        with services.database.transaction() as session:
            held = fencing.hold(session, claim)
            wanted = bool(held.operation.request["archive"])
            source, kept = held.dataset.records_path, held.dataset.archive_path
            about = _plain(held.dataset)
            results = [_plain(row) for row in quality.all_of(session, claim.dataset_id)]
        said = "no archive wanted"
        if wanted and source is None:
            said = "the archive stands" if kept else "there are no published records to archive"
        elif wanted and source is not None:
            folder = write_archive(
                storage,
                claim.dataset_id,
                source=source,
                about=about,
                results=results,
                ground_truth=lambda: _ground_truth(services, held, source),
                operation_id=claim.operation_id,
            )
            verify_archive(storage, folder, else_="nothing was deleted")
            said = f"archived to {folder}"
            with services.database.transaction() as session:
                fencing.hold(session, claim).dataset.archive_path = folder
        _done(services, claim, 2)
        return TeardownStep(claim.dataset_id, context.dataset_type, said)


def delete_records(context: StepContext) -> TeardownStep:
    """Step 3: the records, and the archive where none is to be kept, are gone from disk."""
    services, storage = context.services, context.services.storage
    with step(context, _TEARDOWN, 3) as claim:
        with services.database.transaction() as session:
            held = fencing.hold(session, claim)
            wanted, kept = bool(held.operation.request["archive"]), held.dataset.archive_path
        if wanted and kept is not None:
            verify_archive(storage, kept, else_="nothing was deleted")
        remove_records(services, claim.dataset_id)
        if not wanted:
            storage.remove(storage.archive_folder(claim.dataset_id))
        fault_points.reached("deleting")
        with services.database.transaction() as session:
            held = fencing.hold(session, claim)
            held.dataset.records_path = None
            held.dataset.upload_id = None
            held.dataset.has_remains = False
            if not wanted:
                held.dataset.archive_path = None
            fencing.step_done(session, held, 3)
        return TeardownStep(claim.dataset_id, context.dataset_type, "records deleted")


def update_registry(context: StepContext) -> TeardownStep:
    """Step 4: the dataset is archived, or its row is gone, and its place is free."""
    services = context.services
    with step(context, _TEARDOWN, 4) as claim, services.database.transaction() as session:
        held = fencing.hold(session, claim)
        held.part.steps_done = 4
        score = held.dataset.quality_score
        if held.operation.request["archive"]:
            if held.dataset.status is not DatasetStatus.ARCHIVED:
                datasets.move(session, claim.dataset_id, DatasetStatus.ARCHIVED)
            finish_dataset(session, held.operation, held.part, Outcome.ARCHIVED, quality_score=score)
            fault_points.reached("updating")
            return TeardownStep(claim.dataset_id, context.dataset_type, "archived")
        finish_dataset(session, held.operation, held.part, Outcome.DELETED, quality_score=score)
        session.execute(delete(Dataset).where(Dataset.dataset_id == claim.dataset_id))
        return TeardownStep(claim.dataset_id, context.dataset_type, "deleted")


def _ground_truth(services: Services, held: Held, folder: str) -> bytes | None:
    """The file beside the records, made where nobody has asked for it; None for records that give none."""
    try:
        kept = keeping.kept(services.storage, folder)
        if kept is not None:
            return kept
        with services.database.transaction() as session:
            company = particulars.company_of(session, held)
        return keeping.make(services.storage, folder, held.dataset.dataset_type, company, held.dataset.seed)
    except Exception:
        # Records may be damaged, for which they are torn down perhaps: they are archived as they are.
        _log.warning("a dataset is archived without its ground truth", exc_info=True)
        return None


def _done(services: Services, claim: Claim, number: int) -> None:
    with services.database.transaction() as session:
        fencing.step_done(session, fencing.hold(session, claim), number)


def _plain(row: Base) -> dict[str, Any]:
    """All columns of a row, as plain JSON."""
    columns = {column.key: getattr(row, column.key) for column in inspect(type(row)).column_attrs}
    plain: dict[str, Any] = json.loads(json.dumps(columns, default=str))
    return plain
