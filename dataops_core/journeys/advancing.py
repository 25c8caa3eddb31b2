"""Carrying a journey's events on: called by the pipeline's sensor every few seconds, safe to be called twice at once.

Each step of an event is one transaction under its journey's lock, together with the operations that it begins: a kill
at any moment leaves a state from which the next call goes on. A transition goes through two phases, provisioning and
teardown; a completion through teardown alone. Does not belong here: running operations (``provisioning``), and what an
event is when it is told (``accepting.py``). Source: ``docs/contract.md`` C-92.
"""

import logging
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from dataops_core import fault_points
from dataops_core.acting import Acting, acting
from dataops_core.clock import utcnow
from dataops_core.errors import ConflictError, InvalidRequestError
from dataops_core.journeys.accepting import supersede
from dataops_core.journeys.failures import EventFailure, NoDatasetsError, StageNotAheadError
from dataops_core.journeys.planning import plan_transition, requests_of
from dataops_core.lifecycle import (
    DatasetStatus,
    EventRole,
    JourneyEventPhase,
    JourneyEventStatus,
    JourneyEventType,
    OperationStatus,
    Stage,
    TeardownReason,
)
from dataops_core.provisioning.requests import accept_provisioning, accept_teardown
from dataops_core.registry import datasets, journeys, operations
from dataops_core.registry.database import Database
from dataops_core.registry.journeys import DueEvent
from dataops_core.registry.tables import Dataset, Journey, JourneyEvent, Operation
from dataops_core.templates.loader import Catalog

_log = logging.getLogger(__name__)

#: Events carried on by one call; the next one finds the others.
MOST_EVENTS = 50

_Status = JourneyEventStatus
_Phase = JourneyEventPhase


def advance_events(database: Database, catalog: Catalog, *, max_record_count: int) -> list[UUID]:
    """Carries every event on that has nothing to wait for. Returns the operations that were begun, to be launched.

    Where one event cannot be carried on, the others are; then that one's error is raised.
    """
    with database.transaction() as session:
        due = journeys.due(session, limit=MOST_EVENTS)
    begun: list[UUID] = []
    failed: Exception | None = None
    for one in due:
        try:
            begun += _advance(database, catalog, one, max_record_count=max_record_count)
        except ConflictError as error:
            # Its datasets are in other hands at this moment.
            _log.warning("event %s of journey %s waits: %s", one.event_id, one.journey_id, error.message)
        except Exception as error:
            _log.exception("event %s of journey %s was not carried on", one.event_id, one.journey_id)
            failed = failed or error
    if failed is not None:
        raise failed
    return begun


def _advance(database: Database, catalog: Catalog, due: DueEvent, *, max_record_count: int) -> list[UUID]:
    """Carries one event as far as it goes now. Nothing where another is at it."""
    with acting(Acting(request_id=due.request_id)), database.transaction() as session:
        journey = journeys.lock_if_free(session, client_id=due.client_id, journey_id=due.journey_id)
        event = journeys.find_event(session, client_id=due.client_id, event_id=due.event_id)
        if journey is None or event is None:
            return []
        begun: list[UUID] = []
        if event.status is _Status.PENDING:
            if event.event is JourneyEventType.JOURNEY_COMPLETED:
                begun += _begin_completion(session, journey, event)
            elif journeys.with_status(session, journey, _Status.IN_PROGRESS) is None:
                begun += _begin_transition(session, catalog, event, max_record_count=max_record_count)
        if event.phase is _Phase.PROVISIONING:
            begun += _leave_old_stage(session, event)
        if event.phase is _Phase.TEARDOWN:
            begun += _end(session, event)
        return begun


def _begin_completion(session: Session, journey: Journey, event: JourneyEvent) -> list[UUID]:
    """Ends the journey: nothing is provisioned for it any more, and all that it has is torn down."""
    under_way = journeys.with_status(session, journey, _Status.IN_PROGRESS)
    if under_way is not None:
        if under_way.event is JourneyEventType.JOURNEY_COMPLETED:
            return []
        supersede(session, under_way, by=event.event_id)
    journey.ended_at = journey.ended_at or utcnow()
    _to_phase(session, event, _Phase.TEARDOWN)
    return _tear_down_all(session, event)


def _begin_transition(session: Session, catalog: Catalog, event: JourneyEvent, *, max_record_count: int) -> list[UUID]:
    """Asks for what the next stage lacks; the event fails where that is refused, and nothing is changed then."""
    assert event.to_stage is not None  # noqa: S101  every transition has one
    journeys.clear_parts(session, event)
    try:
        with session.begin_nested():
            return _provision(session, catalog, event, event.to_stage, max_record_count=max_record_count)
    except InvalidRequestError as error:
        reasons = "; ".join(str(reason) for reason in error.details.values())
        message = f"The datasets of {event.to_stage} cannot be provisioned: {reasons}."
        _fail(session, event, error.code, message, error.details)
    except ConflictError as error:
        _fail(session, event, error.code, error.details.get("conflict", error.message), error.details)
    except (NoDatasetsError, StageNotAheadError) as error:
        _fail(session, event, error.code, error.message, error.details)
    return []


def _provision(
    session: Session, catalog: Catalog, event: JourneyEvent, to_stage: Stage, *, max_record_count: int
) -> list[UUID]:
    plan = plan_transition(session, event, to_stage)
    if plan.leaving:
        # It stays pending: ``journeys.due`` finds it again when these teardowns have ended.
        journeys.add_parts(session, event, EventRole.LEAVING, ((row.dataset_id, None) for row in plan.leaving))
        return []
    begun = []
    for request, more in requests_of(event, to_stage, plan.missing):
        operation = accept_provisioning(session, catalog, request, max_record_count=max_record_count)
        begun.append(operation.operation_id)
        made = [part.dataset_id for part in operations.parts_of(session, operation.operation_id)]
        for dataset_id in made if more else ():
            datasets.say(session, dataset_id, more | datasets.get(session, dataset_id).meta)
        journeys.add_parts(
            session, event, EventRole.NEXT, ((dataset_id, operation.operation_id) for dataset_id in made)
        )
    journeys.add_parts(session, event, EventRole.NEXT, ((row.dataset_id, None) for row in plan.there))
    journeys.add_parts(session, event, EventRole.OLD, ((row.dataset_id, None) for row in plan.old))
    _to_phase(session, event, _Phase.PROVISIONING)
    fault_points.reached("moving")
    return begun


def _leave_old_stage(session: Session, event: JourneyEvent) -> list[UUID]:
    """Tears the old stage down where every dataset of the next one is ready; where one never will be, nothing."""
    rows = [(part.dataset_id, row) for part, row in journeys.parts_of(session, event, EventRole.NEXT, hold=True)]
    if any(row is not None and row.status in journeys.UNDER_WAY for _, row in rows):
        return []
    errors = {str(dataset_id): _why_not_ready(row) for dataset_id, row in rows if not _is_ready(row)}
    if errors:
        first = next(iter(errors.values()))
        message = f"The datasets of {event.to_stage} are not ready ({first['message']}); what was there before stays."
        _fail(session, event, EventFailure.STAGE_NOT_READY.value, message, errors)
        return []
    _to_phase(session, event, _Phase.TEARDOWN)
    old = [row for _, row in journeys.parts_of(session, event, EventRole.OLD) if row is not None]
    begun = _tear_down(session, event, old)
    fault_points.reached("leaving")
    return begun


def _is_ready(row: Dataset | None) -> bool:
    return row is not None and row.status is DatasetStatus.READY


def _why_not_ready(row: Dataset | None) -> dict[str, Any]:
    if row is None or row.status in {DatasetStatus.TEARDOWN, DatasetStatus.ARCHIVED}:
        return {"code": "CANCELLED", "message": "The dataset was torn down meanwhile."}
    return {"code": row.error_code, "message": row.error_message}


def _tear_down_all(session: Session, event: JourneyEvent) -> list[UUID]:
    return _tear_down(
        session, event, journeys.datasets_of(session, client_id=event.client_id, journey_id=event.journey_id)
    )


def _tear_down(session: Session, event: JourneyEvent, rows: Iterable[Dataset]) -> list[UUID]:
    """Begins, joins or goes on with the teardown of each dataset that is not archived yet. Gives their operations."""
    begun = []
    for row in rows:
        if row.status is DatasetStatus.ARCHIVED:
            continue
        operation = _teardown_of(session, event, row)
        journeys.add_parts(session, event, EventRole.OLD, [(row.dataset_id, operation.operation_id)])
        begun.append(operation.operation_id)
    return begun


def _teardown_of(session: Session, event: JourneyEvent, row: Dataset) -> Operation:
    """With an archive, unless the dataset is being torn down without one already."""
    before = operations.newest_teardown_of(session, row.dataset_id) if row.status is DatasetStatus.TEARDOWN else None
    return accept_teardown(
        session,
        row.dataset_id,
        reason=TeardownReason(event.event.value),
        archive=before.request["archive"] if before is not None else True,
        api_client_id=event.api_client_id,
        request_id=event.request_id,
    )


def _end(session: Session, event: JourneyEvent) -> list[UUID]:
    """Ends an event whose teardowns have all ended; a completion tears down first what its journey got meanwhile."""
    old = journeys.parts_of(session, event, EventRole.OLD)
    # An operation that is not there any more has ended long ago.
    ended = {
        part.dataset_id: operation
        for part, _ in old
        if part.operation_id is not None
        and (operation := session.get(Operation, part.operation_id, populate_existing=True)) is not None
    }
    if any(not operation.status.is_terminal for operation in ended.values()):
        return []
    failed = {
        part.dataset_id: ended[part.dataset_id].error
        for part, row in old
        if row is not None and part.dataset_id in ended and _has_failed(row, ended[part.dataset_id])
    }
    if event.event is JourneyEventType.JOURNEY_COMPLETED:
        of_journey = journeys.datasets_of(session, client_id=event.client_id, journey_id=event.journey_id)
        if begun := _tear_down(session, event, (row for row in of_journey if row.dataset_id not in failed)):
            return begun
    if failed:
        message = f"{len(failed)} of {len(ended)} teardowns failed; retry their operations, or tell of it anew."
        details = {str(dataset_id): error for dataset_id, error in failed.items()}
        _fail(session, event, EventFailure.TEARDOWN_FAILED.value, message, details)
    else:
        event.status, event.phase, event.completed_at = _Status.COMPLETED, None, utcnow()
        session.flush()
    return []


def _has_failed(row: Dataset, operation: Operation) -> bool:
    return operation.status is not OperationStatus.COMPLETED and row.status is DatasetStatus.TEARDOWN


def _to_phase(session: Session, event: JourneyEvent, phase: JourneyEventPhase) -> None:
    event.status, event.phase = _Status.IN_PROGRESS, phase
    event.started_at = event.started_at or utcnow()
    session.flush()


def _fail(session: Session, event: JourneyEvent, code: str, message: str, details: dict[str, Any]) -> None:
    event.status, event.phase, event.completed_at = _Status.FAILED, None, utcnow()
    event.error = {"code": code, "message": message, "details": details}
    session.flush()
