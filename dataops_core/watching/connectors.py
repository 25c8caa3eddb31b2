"""Looking at the connectors of ready datasets, every few minutes: a status that follows what lasts (C-90).

Belongs here: whose turn it is, looking side by side within a bounded time, and noting what was found. The probes are
the connector's own (``connectors/probes.py``), the rules by which a status moves are ``quality/connector_watch.py``.
What cannot be looked at in time is left for the next call. Two callers at once look twice and note once.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID

from dataops_core import tracing
from dataops_core.clock import utcnow
from dataops_core.connectors.protocol import Manifest, ProbeOutcome, ProbeResult
from dataops_core.lifecycle import ConnectorStatus, Environment
from dataops_core.provisioning.particulars import connector_spec
from dataops_core.provisioning.services import Services
from dataops_core.quality.connector_health import finding_of
from dataops_core.quality.connector_watch import Standing, observe
from dataops_core.registry import connectors
from dataops_core.registry.database import Database
from dataops_core.registry.due import DueLook, due_looks, hold_look
from dataops_core.registry.tables import Connector
from dataops_core.watching.standing import review

#: Looks that one call makes at most, side by side, and the time after which it begins no further one.
MOST_LOOKS = 200
_SIDE_BY_SIDE = 4
_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Change:
    """A connector whose status has moved."""

    dataset_id: UUID
    dataset_type: str
    environment: Environment
    connector_id: UUID
    before: ConnectorStatus
    after: ConnectorStatus
    reason: str | None


@dataclass(frozen=True, slots=True)
class Watched:
    """What one call has seen: how many connectors, and which of them have moved."""

    looks: int
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class _Seen:
    look: DueLook
    after: Standing
    at: datetime


def watch_connectors(services: Services, *, now: datetime | None = None) -> Watched:
    """Looks at every connector whose turn it is, and notes what it finds. Off where the interval is 0."""
    interval = timedelta(seconds=services.settings.connector_watch_seconds)
    if not interval:
        return Watched(0, ())
    with services.database.transaction() as session:
        due = due_looks(session, now=now or utcnow(), interval=interval, limit=MOST_LOOKS)
    if not due:
        return Watched(0, ())
    ends = monotonic() + _SECONDS
    with (
        tracing.span("watch connectors", dataops__looks=len(due)),
        ThreadPoolExecutor(_SIDE_BY_SIDE, thread_name_prefix="watch") as pool,
    ):
        looks = [pool.submit(copy_context().run, _look, services, one, ends) for one in due]
        seen = [found for found in (look.result() for look in looks) if found is not None]
    moving = [one for one in seen if one.after.status is not one.look.connector.status]
    _note_steady(services.database, [one for one in seen if one not in moving])
    changes = [_note_change(services.database, one) for one in moving]
    return Watched(len(seen), tuple(change for change in changes if change is not None))


def _look(services: Services, due: DueLook, ends: float) -> _Seen | None:
    """What the connector is like now; None where there is no time left for it."""
    if monotonic() >= ends:
        return None
    dataset, connector, at = due.dataset, due.connector, utcnow()
    spec = connector_spec(dataset, connector, due.locale)
    # A look that finds everything well takes a part of the probes; where something is amiss all are asked, so that
    # what is amiss is asked again each time.
    turn = connector.consecutive_passes if connector.status is ConnectorStatus.HEALTHY else None
    manifest = Manifest(connector.document_count, connector.id_digest or "")
    probes = services.connector.pulse(spec, manifest, dataset.upload_id or "", turn)
    finding, reason = finding_of([*probes, _whole(due)])
    return _Seen(due, observe(connectors.standing_of(connector), finding, reason), at)


def _whole(due: DueLook) -> ProbeResult:
    """Whether what was indexed, which is all that a cheap look compares with, is what the dataset has."""
    indexed, records = due.connector.document_count, due.dataset.record_count
    outcome = ProbeOutcome.PASSED if indexed == records else ProbeOutcome.FAILED
    return ProbeResult("doc_parity", True, outcome, 0.0, f"{indexed} documents of {records} records")


def _note_steady(database: Database, seen: Sequence[_Seen]) -> None:
    """Notes, in one transaction, the looks that move no status; one that somebody else is noting is left to them."""
    if not seen:
        return
    by_id = {one.look.connector.connector_id: one for one in seen}
    with database.transaction() as session:
        for row in connectors.lock_free(session, by_id.keys()):
            one = by_id[row.connector_id]
            if _is_same(row, one.look.connector):
                connectors.stand(row, one.after, one.at)


def _note_change(database: Database, seen: _Seen) -> Change | None:
    """Notes a look that moves the status, unless the dataset or its connector has moved on meanwhile."""
    dataset, connector = seen.look.dataset, seen.look.connector
    with database.transaction() as session:
        held = hold_look(session, dataset.dataset_id, connector.connector_id)
        if held is None or held[0].upload_id != dataset.upload_id or not _is_same(held[1], connector):
            return None
        connectors.stand(held[1], seen.after, seen.at)
        review(session, dataset.dataset_id)
    return Change(
        dataset_id=dataset.dataset_id,
        dataset_type=dataset.dataset_type,
        environment=Environment(dataset.stage, dataset.client_id),
        connector_id=connector.connector_id,
        before=connector.status,
        after=seen.after.status,
        reason=seen.after.reason,
    )


def _is_same(now: Connector, looked_at: Connector) -> bool:
    """Whether nobody has looked since, and the same is served."""
    return now.last_checked_at == looked_at.last_checked_at and now.generation == looked_at.generation
