"""Sensors of operations: what the API's process could not see to itself, done within seconds.

``launch_pending_operations`` launches what was accepted and never launched (the API was killed, Dagster was down).
``settle_*`` tell operations how their runs ended, and end those whose runs went silent. ``stop_cancelled_runs`` stops
runs that nobody wants any more: of cancelled operations that the API could not stop (Dagster was down then), of
operations from which a teardown took the last dataset, and those that were given up. Each gathers what Dagster knows
and calls one function of ``dataops_core.provisioning.launching``, which decides; all are idempotent, so that a second
daemon (``dagster dev`` beside a running ``up``) does no harm. Source: ``docs/contract.md`` C-81, C-84, C-86.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from dagster import (
    AssetCheckKey,
    AssetKey,
    DagsterError,
    DagsterEventType,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    DefaultSensorStatus,
    ResourceParam,
    RunRequest,
    RunsFilter,
    RunStatusSensorContext,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    run_status_sensor,
    sensor,
)
from dagster._core.definitions.target import ExecutableDefinition
from dagster._core.errors import DagsterUserCodeUnreachableError

from dataops_core.provisioning.launching import due_launches, run_ended, settle_quiet, stop_unwanted
from dataops_core.provisioning.settlement import RunEnding
from dataops_core.provisioning.silence import Silences
from dataops_core.runs import TAG_ATTEMPT, TAG_FAILURE, TAG_LOST, TAG_OPERATION, LaunchRequest, RunState
from dataops_pipeline.partitions import environments
from dataops_pipeline.resources import DataOps

#: Seconds between two evaluations; Dagster has none shorter.
SOON = 5
#: Seconds between two looks for silent runs.
SOMETIMES = 15

#: The API launches what it has accepted right away; younger operations are its own affair.
GRACE = timedelta(seconds=2)

#: Of this process, from one evaluation to the next.
_SILENCES = Silences()

#: What Dagster's own launcher says of a process that ended before its run.
_DEATH = re.compile(r"Run execution process for \S+ (was terminated|unexpectedly exited)")

_NO_LIFE = "The run showed no life; its operation was ended."

_ENDINGS = {
    DagsterRunStatus.SUCCESS: RunEnding.SUCCESS,
    DagsterRunStatus.FAILURE: RunEnding.FAILURE,
    DagsterRunStatus.CANCELED: RunEnding.CANCELED,
}


def operation_sensors(jobs: Sequence[ExecutableDefinition]) -> list[SensorDefinition]:
    """The sensors of operations; the first launches these jobs."""
    return [_launching(jobs), *(_settling(status) for status in _ENDINGS), _lost(), _stopping()]


def _launching(jobs: Sequence[ExecutableDefinition]) -> SensorDefinition:
    @sensor(
        name="launch_pending_operations",
        jobs=jobs,
        minimum_interval_seconds=SOON,
        default_status=DefaultSensorStatus.RUNNING,
        description="Launches the run of every accepted operation that has none.",
    )
    def launch_pending_operations(
        context: SensorEvaluationContext, dataops: ResourceParam[DataOps]
    ) -> SensorResult | SkipReason:
        requests = due_launches(dataops.services.database, run_finder(context.instance), grace=GRACE)
        return launching(requests) if requests else SkipReason("Every operation has its run.")

    return launch_pending_operations


def launching(requests: Sequence[LaunchRequest]) -> SensorResult:
    """What a sensor says that launches these runs, each in its environment's partition."""
    keys = sorted({request.environment.partition_key for request in requests})
    return SensorResult(
        run_requests=[run_request(request) for request in requests],
        dynamic_partitions_requests=[environments.build_add_request(keys)],
    )


def run_request(request: LaunchRequest) -> RunRequest:
    """The run that an operation needs, in a sensor's words."""
    checks = request.asset_checks
    return RunRequest(
        job_name=request.job,
        asset_selection=[AssetKey(list(key)) for key in request.assets] if request.assets else None,
        asset_check_keys=[AssetCheckKey(AssetKey(list(key)), name) for key, name in checks] if checks else None,
        tags=request.tags,
    )


def run_finder(instance: DagsterInstance) -> Callable[[UUID, int], RunState | None]:
    """Looks for the run of an operation's attempt."""

    def find(operation_id: UUID, attempt: int) -> RunState | None:
        tags = {TAG_OPERATION: str(operation_id), TAG_ATTEMPT: str(attempt)}
        runs = instance.get_runs(RunsFilter(tags=tags), limit=1)
        return _state(runs[0]) if runs else None

    return find


def _runs_finder(instance: DagsterInstance) -> Callable[[Sequence[str]], Mapping[str, RunState]]:
    def find(run_ids: Sequence[str]) -> Mapping[str, RunState]:
        return {run.run_id: _state(run) for run in instance.get_runs(RunsFilter(run_ids=run_ids))}

    return find


def _launched_for(run: DagsterRun) -> tuple[UUID, int] | None:
    """The operation and the attempt in a run's tags."""
    try:
        return UUID(run.tags[TAG_OPERATION]), int(run.tags[TAG_ATTEMPT])
    except (KeyError, ValueError):
        return None


def _state(run: DagsterRun) -> RunState:
    return RunState(
        run_id=run.run_id,
        status=run.status.value,
        failure_reason=run.tags.get(TAG_FAILURE),
        lost_because=run.tags.get(TAG_LOST),
    )


def _why_lost(instance: DagsterInstance, run: DagsterRun) -> str | None:
    """How the run's process ended: as the run host saw it, else what Dagster noted last that was no step's."""
    if TAG_LOST in run.tags:
        return run.tags[TAG_LOST]
    noted = instance.all_logs(run.run_id, of_type=DagsterEventType.ENGINE_EVENT)
    said = [entry.dagster_event.message for entry in noted if entry.dagster_event is not None]
    return next((message for message in reversed(said) if message and _DEATH.search(message)), None)


def _settling(status: DagsterRunStatus) -> SensorDefinition:
    ending = _ENDINGS[status]

    @run_status_sensor(
        name=f"settle_{ending.value}",
        run_status=status,
        minimum_interval_seconds=SOON,
        default_status=DefaultSensorStatus.RUNNING,
        description=f"Tells operations whose run has ended as {status.value}.",
    )
    def settle(context: RunStatusSensorContext, dataops: ResourceParam[DataOps]) -> None:
        run = context.dagster_run
        state = _state(run)
        how = state.ending or ending
        why = _why_lost(context.instance, run) if how is RunEnding.LOST else state.why
        run_ended(dataops.services.database, run.run_id, how, launched_for=_launched_for(run), message=why)

    return settle


def _lost() -> SensorDefinition:
    @sensor(
        name="settle_lost_operations",
        minimum_interval_seconds=SOMETIMES,
        default_status=DefaultSensorStatus.RUNNING,
        description="Ends operations whose run has ended unnoticed or shows no life any more.",
    )
    def settle_lost_operations(context: SensorEvaluationContext, dataops: ResourceParam[DataOps]) -> SkipReason:
        instance, services = context.instance, dataops.services
        lost_after = timedelta(seconds=services.settings.run_lost_after_seconds)
        given_up = settle_quiet(services.database, _runs_finder(instance), _SILENCES, lost_after=lost_after)
        for lost in given_up:
            run = instance.get_run_by_id(lost.run_id)
            if run is not None and not run.is_finished:
                # Dagster's own launcher cannot see that the process is gone: without this the run is STARTED for ever.
                instance.report_run_failed(run, _NO_LIFE)
        return SkipReason(f"{len(given_up)} run(s) given up." if given_up else "No run is silent.")

    return settle_lost_operations


def _stopping() -> SensorDefinition:
    @sensor(
        name="stop_cancelled_runs",
        minimum_interval_seconds=SOON,
        default_status=DefaultSensorStatus.RUNNING,
        description="Stops runs that go on although nobody wants them: cancelled, pre-empted by a teardown, given up.",
    )
    def stop_cancelled_runs(context: SensorEvaluationContext, dataops: ResourceParam[DataOps]) -> SkipReason:
        instance = context.instance

        def stop(run_id: str) -> bool | None:
            try:
                return bool(instance.run_coordinator.cancel_run(run_id))
            except DagsterUserCodeUnreachableError:
                return None
            except DagsterError:
                # The run's launcher does not know it (any more).
                return False

        def give_up(run_id: str, lost: bool) -> None:
            run = instance.get_run_by_id(run_id)
            if run is None or run.is_finished:
                return
            if lost:
                instance.report_run_failed(run, _NO_LIFE)
            else:
                instance.report_run_canceled(run, "Its operation was cancelled and no process of it can be found.")

        stopped = stop_unwanted(dataops.services.database, _runs_finder(instance), stop, give_up)
        return SkipReason(f"{len(stopped)} run(s) asked to stop." if stopped else "No unwanted run goes on.")

    return stop_cancelled_runs
