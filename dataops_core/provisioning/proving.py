"""The last two steps of a provisioning or restore: proving the dataset by its four checks, publishing what passed.

``run_check`` is a validation's step as well. Source: ``docs/contract.md`` C-35, C-60 … C-63.
"""

import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from dataops_core import fault_points
from dataops_core.clock import utcnow
from dataops_core.connectors.protocol import ConnectorSpec
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.errors import PermanentError, StorageError
from dataops_core.lifecycle import CheckType, DatasetStatus, OperationType, Outcome
from dataops_core.provisioning import fencing, particulars
from dataops_core.provisioning.evaluation import Verdict, evaluate
from dataops_core.provisioning.fencing import Claim, Held
from dataops_core.provisioning.gate import gate_problem
from dataops_core.provisioning.lost_files import damage_of
from dataops_core.provisioning.services import StepContext
from dataops_core.provisioning.settlement import end_validation, fail_dataset, finish_dataset
from dataops_core.provisioning.step import step
from dataops_core.quality.keeping import kept_queries
from dataops_core.quality.model import CheckResult
from dataops_core.registry import connectors, datasets, heartbeats, operations, quality
from dataops_core.registry.tables import Dataset
from dataops_core.settings import API_PREFIX
from dataops_core.storage import MANIFEST_FILE

_PUBLISHING = (OperationType.PROVISIONING, OperationType.RESTORE)
_CHECKING = (OperationType.PROVISIONING, OperationType.VALIDATION, OperationType.RESTORE)


#: Steps that are done when the checks begin, in operations that make a dataset.
_STEPS_BEFORE = {OperationType.PROVISIONING: 4, OperationType.RESTORE: 2}


@dataclass(frozen=True, slots=True)
class PublishedDataset:
    """The last step's result."""

    dataset_id: UUID
    name: str
    record_count: int
    size_bytes: int
    quality_score: float
    self_url: str
    endpoint_url: str
    records_sha256: str


def run_check(context: StepContext, check: CheckType) -> CheckResult:
    """Step 5, one of its four checks; in a validation, one of its steps.

    A verdict of ``failed`` is a result, not an error. Once all checks of this attempt have spoken, a provisioning whose
    gate they close fails with the reason, and a validation ends (``settlement.end_validation``).
    """
    services = context.services
    with step(context, _CHECKING, None) as claim:
        found = claim.found
        with services.database.transaction() as session:
            if not _is_begun(found):
                _begin_proof(session, fencing.hold(session, claim))
            spec = particulars.connected_spec(session, found)
        started, executed_at = time.monotonic(), utcnow()
        verdict = _verdict(context, check, found, spec)
        fault_points.reached("checking")
        with services.database.transaction() as session:
            held = fencing.hold(session, claim)
            quality.add(
                session,
                verdict.result,
                dataset_id=claim.dataset_id,
                operation_id=claim.operation_id,
                attempt=claim.attempt,
                executed_at=executed_at,
                duration_ms=round((time.monotonic() - started) * 1000),
            )
            if verdict.finding is not None:
                connectors.observe(
                    session,
                    spec.connector_id,
                    verdict.finding,
                    verdict.finding_reason,
                    explicit=not operations.is_scheduled(held.operation),
                    now=executed_at,
                )
            held.dataset.quality_score = quality.current(session, claim.dataset_id).overall
            session.flush()
            _after_check(session, held, claim)
        return verdict.result


def _verdict(context: StepContext, check: CheckType, found: Held, spec: ConnectorSpec) -> Verdict:
    """What the check says; in a validation also of files that are gone, where a provisioning fails by them."""
    storage, folder = context.services.storage, particulars.folder_of(found)
    try:
        records = context.services.tables.open(storage, folder)
        manifest = storage.read_json(f"{folder}/{MANIFEST_FILE}")
        return evaluate(
            check,
            records=records,
            dataset_type=DATASET_TYPES[context.dataset_type],
            requested=found.dataset.requested_count,
            incomplete_planned=manifest["incomplete_count"],
            defects_planned=manifest.get("defects"),
            adapter=context.services.connector,
            spec=spec,
            upload_id=found.part.upload_id or found.dataset.upload_id or "",
            queries=kept_queries(storage, folder),
        )
    except (StorageError, PermanentError):
        if found.operation.operation_type is not OperationType.VALIDATION:
            raise
        damage = damage_of(storage, folder, found.dataset)
        if damage is None:
            raise
        return Verdict(damage.verdict(check, found.dataset))


def _is_begun(held: Held) -> bool:
    """Whether it is noted already that the dataset is being proven, as the step before does."""
    before = _STEPS_BEFORE.get(held.operation.operation_type, 0)
    return held.part.steps_done >= before and held.dataset.status is not DatasetStatus.PROVISIONING


def _begin_proof(session: Session, held: Held) -> None:
    before = _STEPS_BEFORE.get(held.operation.operation_type, 0)
    held.part.steps_done = max(held.part.steps_done, before)
    heartbeats.show_progress(session, held.operation.operation_id)
    if held.part.upload_id is not None:
        particulars.to_validating(session, held)


def publish(context: StepContext) -> PublishedDataset:
    """The last step: the dataset becomes ready with what this operation made.

    Raises QualityGateError if a check forbids.
    """
    services, storage = context.services, context.services.storage
    with step(context, _PUBLISHING, 6) as claim, services.database.transaction() as session:
        held = fencing.hold(session, claim)
        problem = gate_problem(session, held.operation, held.dataset)
        if problem is not None:
            raise problem
        folder = particulars.folder_of(held)
        kept_queries(storage, folder)  # without them nobody could check the dataset again
        manifest = storage.read_json(f"{folder}/{MANIFEST_FILE}")
        spec = particulars.connected_spec(session, held)
        state = quality.current(session, claim.dataset_id)
        values: dict[str, Any] = {
            "records_path": folder,
            "records_sha256": manifest["sha256"],
            "upload_id": held.part.upload_id or held.dataset.upload_id,
            "record_count": manifest["record_count"],
            "size_bytes": manifest["size_bytes"],
            "quality_score": state.overall,
            "archived_at": None,
        }
        if held.dataset.status is DatasetStatus.READY:
            session.execute(
                update(Dataset).where(Dataset.dataset_id == claim.dataset_id).values(values | {"updated_at": utcnow()})
            )
        else:
            datasets.move(session, claim.dataset_id, DatasetStatus.READY, **values)
        held.part.steps_done = held.operation.total_steps
        finish_dataset(session, held.operation, held.part, Outcome.READY, quality_score=state.overall)
        fault_points.reached("publishing")
        published = PublishedDataset(
            claim.dataset_id,
            held.dataset.name,
            manifest["record_count"],
            manifest["size_bytes"],
            float(state.overall or 0),
            f"{services.settings.public_base}{API_PREFIX}/datasets/{claim.dataset_id}",
            particulars.endpoint_url(services, spec.connector_id),
            manifest["sha256"],
        )
    for left in storage.tries_of(claim.dataset_id):
        if left != folder:
            storage.remove(left)
    return published


def _after_check(session: Session, held: Held, claim: Claim) -> None:
    """Ends what the last check of this attempt ends: a validation, or a provisioning whose gate is closed."""
    made = quality.of_operation(session, dataset_id=claim.dataset_id, operation_id=claim.operation_id)
    spoken = {check for check, row in made.items() if row.attempt == claim.attempt}
    if claim.operation_type is OperationType.VALIDATION:
        fencing.step_done(session, held, len(spoken))
        if spoken.issuperset(operations.checks_of(held.operation, held.part.dataset_type)):
            end_validation(session, held.operation, held.part)
        return
    if spoken != set(CheckType):
        return
    problem = gate_problem(session, held.operation, held.dataset)
    if problem is None:
        fencing.step_done(session, held, _STEPS_BEFORE[claim.operation_type] + 1)
    else:
        fail_dataset(
            session, held.operation, held.part, code=problem.code, message=problem.message, details=problem.details
        )
