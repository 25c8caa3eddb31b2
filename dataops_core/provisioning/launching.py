"""Getting an operation its one run, telling the operation how its run ended, and stopping runs that nobody wants.

Belongs here: the decisions that the API and the pipeline's sensors share, with Dagster behind a function or a protocol.
A launch is leased first, for as long as it takes, and an existing run is looked for before a second try; whatever
double launch is left is made harmless by fencing. Source: ``docs/contract.md`` C-81, C-86.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum, auto
from uuid import UUID

from sqlalchemy.orm import Session

from dataops_core import fault_points, tracing
from dataops_core.clock import utcnow
from dataops_core.errors import DataOpsError, PermanentError, UnavailableError
from dataops_core.lifecycle import OperationStatus
from dataops_core.provisioning.fencing import BEAT_SECONDS
from dataops_core.provisioning.settlement import RunEnding, settle, settle_silent, settle_unlaunchable
from dataops_core.provisioning.silence import Silences
from dataops_core.registry import heartbeats, launches, operations, stops
from dataops_core.registry.database import Database
from dataops_core.runs import Launcher, LaunchRequest, RunState, launch_request

_log = logging.getLogger(__name__)

#: Tries at launching one attempt's run before the operation is given up. A try that never reached Dagster counts too,
#: but while Dagster is down nobody tries.
MAX_LAUNCHES = 6

#: Between two renewals of a launch's lease, while the launch goes on.
RENEW_SECONDS = launches.LAUNCH_LEASE.total_seconds() / 4
#: What Dagster's daemon may need for each of the runs that it is told to launch one after the other.
LAUNCH_TURN = timedelta(seconds=2)

#: How long a cancelled run's process is looked for before the run is called ended without it.
STOP_PATIENCE = timedelta(seconds=30)

#: A run that shows no life for so long is asked about; it is given up only after ``Settings.run_lost_after_seconds``.
QUIET = timedelta(seconds=3 * BEAT_SECONDS)

_DELETED = "Dagster knows the run no more: it was deleted there before it had ended."

#: Asks Dagster about runs, all at once; those that it does not know are left out.
FindRuns = Callable[[Sequence[str]], Mapping[str, RunState]]


def take_launch(
    database: Database,
    operation_id: UUID,
    find_run: Callable[[UUID, int], RunState | None],
    *,
    lease: timedelta | None = None,
) -> LaunchRequest | None:
    """Takes the right to launch an operation's run, for so long. None: nothing is to launch, or another is at it.

    ``find_run(operation_id, attempt)`` asks Dagster, where an earlier try may have launched a run after all.
    """
    with database.transaction() as session:
        tries = launches.lease_launch(session, operation_id, lease=lease)
        view = operations.find_view(session, operation_id) if tries is not None else None
    if tries is None or view is None:
        return None
    request = launch_request(view)
    found = find_run(operation_id, request.attempt) if tries > 1 else None
    if found is not None and found.ending in {None, RunEnding.CANCELED}:
        with database.transaction() as session:
            launches.record_launch(session, operation_id, found.run_id, attempt=request.attempt)
            if found.ending is RunEnding.CANCELED:
                # Somebody stopped it on purpose: another run would undo that.
                settle(session, operation_id, RunEnding.CANCELED, run_id=found.run_id)
        return None
    if tries > MAX_LAUNCHES:
        with database.transaction() as session:
            settle_unlaunchable(session, operation_id, f"Dagster could not start a run in {MAX_LAUNCHES} tries.")
        return None
    return request


def launch_operation(database: Database, launcher: Launcher, operation_id: UUID) -> str | None:
    """Launches the run of an accepted operation, and returns its id. None: not now, or not by this caller.

    Never raises for Dagster's sake: what could not be launched stays pending for the sensor, and a run that Dagster
    refuses for good ends the operation. Call it outside any transaction.
    """
    fault_points.reached("accepted")
    try:
        request = take_launch(database, operation_id, lambda wanted, attempt: launcher.run_of(wanted, attempt=attempt))
        if request is None:
            return None
        with (
            tracing.span("launch run", parent=request.traceparent, dataops__operation_id=str(operation_id)),
            _keeping_lease(database, request),
        ):
            run_id = launcher.launch(request)
    except PermanentError as error:
        _log.error("operation %s was refused: %s", operation_id, error.details.get("said", error.message))
        with database.transaction() as session:
            settle_unlaunchable(session, operation_id, error.message)
        return None
    except UnavailableError as error:
        _log.warning("operation %s was not launched: %s", operation_id, error.message)
        if error.details.get("sent") is False:
            with database.transaction() as session:
                launches.release_launch(session, operation_id)
        return None
    with database.transaction() as session:
        launches.record_launch(session, operation_id, run_id, attempt=request.attempt)
    return run_id


@contextmanager
def _keeping_lease(database: Database, request: LaunchRequest) -> Iterator[None]:
    """Keeps the launch this caller's for as long as the block runs: nobody else sees a run that is being made yet."""
    over = threading.Event()

    def renew() -> None:
        while not over.wait(RENEW_SECONDS):
            try:
                with database.transaction() as session:
                    if not launches.renew_launch(session, request.operation_id, tries=request.tries):
                        return
            except DataOpsError:
                # The database is away for a moment.
                continue

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def due_launches(
    database: Database, find_run: Callable[[UUID, int], RunState | None], *, grace: timedelta
) -> list[LaunchRequest]:
    """The runs to launch now: of pending operations older than ``grace`` that nobody else is launching."""
    now = utcnow()
    with database.transaction() as session:
        # One that was accepted in a time yet to come was so before the clock was set back.
        waiting = [
            row.operation_id for row in launches.awaiting_launch(session) if not now - grace < row.beat_at <= now
        ]
    return take_launches(database, waiting, find_run)


def take_launches(
    database: Database, operation_ids: Iterable[UUID], find_run: Callable[[UUID, int], RunState | None]
) -> list[LaunchRequest]:
    """The runs of these operations, as far as they are to be launched by this caller now, in this order.

    It cannot renew what it leases: each has the time that those before it take as well.
    """
    requests: list[LaunchRequest] = []
    for operation_id in operation_ids:
        lease = launches.LAUNCH_LEASE + len(requests) * LAUNCH_TURN
        request = take_launch(database, operation_id, find_run, lease=lease)
        if request is not None:
            requests.append(request)
    return requests


def run_ended(
    database: Database,
    run_id: str,
    ending: RunEnding,
    *,
    launched_for: tuple[UUID, int] | None = None,
    message: str | None = None,
) -> int:
    """Tells the operations that a run carries that it has ended. Returns how many that changed.

    ``launched_for``: the operation and the attempt in its tags. A run that was cancelled before it had claimed them was
    theirs nevertheless.
    """
    with database.transaction() as session:
        if launched_for is not None and ending is RunEnding.CANCELED:
            operation_id, attempt = launched_for
            launches.record_launch(session, operation_id, run_id, attempt=attempt)
        carried = operations.carried_by(session, run_id)
        return sum(settle(session, one, ending, run_id=run_id, message=message) for one in carried)


def stop_unwanted(
    database: Database,
    find_runs: FindRuns,
    stop: Callable[[str], bool | None],
    give_up: Callable[[str, bool], None],
) -> list[str]:
    """Stops runs that go on although nobody wants them, and returns those that it had to stop (C-37, C-84, C-86).

    A run is asked to end (``stop``: whether it was there to be asked; None where that cannot be told now) until Dagster
    says that it has ended. One that is not there, or did not end within :data:`STOP_PATIENCE` of being asked, is given
    up: it changes nothing. ``give_up`` is told whether the run was lost; else its operation was cancelled.
    """
    with database.transaction() as session:
        unwanted = [(row.run_id, row.asked_at, status) for row, status in stops.runs_to_stop(session)]
    runs = find_runs([run_id for run_id, _, _ in unwanted]) if unwanted else {}
    stopped = []
    for run_id, asked_at, status in unwanted:
        run = runs.get(run_id)
        if run is None or run.ending is not None:
            with database.transaction() as session:
                stops.run_stopped(session, run_id)
            continue
        if run.status != "CANCELING":
            stopped.append(run_id)
            heard = stop(run_id)
            if heard:
                with database.transaction() as session:
                    stops.stop_heard(session, run_id)
            if heard is not False:
                continue
        if utcnow() - asked_at > STOP_PATIENCE:
            give_up(run_id, status is OperationStatus.FAILED)
    return stopped


class Look(StrEnum):
    """What became of a quiet operation when Dagster was asked about its run."""

    UNCHANGED = auto()
    CHANGED = auto()
    #: Dagster believes in the run still.
    GIVEN_UP = auto()


def settle_told(
    session: Session,
    operation_id: UUID,
    run_id: str,
    run: RunState | None,
    silences: Silences,
    *,
    last_beat: datetime,
    lost_after: timedelta,
) -> Look:
    """Does to a quiet open operation what Dagster's word on its run asks for (C-81, C-86).

    A run that has ended ends it; so does one that Dagster does not know any more. One that Dagster calls started shows
    its life by beats from now on, whether or not its first step has come.
    """
    if run is None:
        gone = settle(session, operation_id, RunEnding.LOST, run_id=run_id, message=_DELETED)
        return Look.CHANGED if gone else Look.UNCHANGED
    if run.ending is not None:
        ended = settle(session, operation_id, run.ending, run_id=run_id, message=run.why)
        return Look.CHANGED if ended else Look.UNCHANGED
    if run.status == "STARTED":
        if heartbeats.run_begun(session, operation_id, run_id=run_id):
            return Look.CHANGED
    else:
        heartbeats.run_waits(session, operation_id, run_id=run_id)
    lost = silences.is_lost(operation_id, last_beat, lost_after=lost_after)
    return Look.GIVEN_UP if lost and settle_silent(session, operation_id, last_beat=last_beat) else Look.UNCHANGED


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A run that shows no life, and the operation that was ended for it."""

    operation_id: UUID
    run_id: str


def settle_quiet(
    database: Database, find_runs: FindRuns, silences: Silences, *, lost_after: timedelta
) -> list[GivenUp]:
    """Ends open operations whose run has ended unnoticed, is unknown to Dagster, or shows no life (C-86).

    ``silences`` are the caller's, kept from call to call. Returns the runs that Dagster still believes in and that were
    given up.
    """
    with database.transaction() as session:
        quiet = [
            (row.operation_id, row.run_id, row.beat_at)
            for row in heartbeats.silent_for(session, min(QUIET, lost_after))
            if row.run_id is not None
        ]
    runs = find_runs([run_id for _, run_id, _ in quiet]) if quiet else {}
    given_up = []
    for operation_id, run_id, beat_at in quiet:
        with database.transaction() as session:
            look = settle_told(
                session, operation_id, run_id, runs.get(run_id), silences, last_beat=beat_at, lost_after=lost_after
            )
        if look is Look.GIVEN_UP:
            given_up.append(GivenUp(operation_id, run_id))
    return given_up
