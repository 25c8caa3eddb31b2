"""The names under which the product asks Dagster for work: what the API and the pipeline must agree on.

Belongs here: names of the code location, jobs, assets and tags, the run that an operation needs, and what a run's state
means for its operation. Does not belong here: asking Dagster (``dataops_api/dagster_gateway.py``) and the assets
themselves (``dataops_pipeline``). Source: ``docs/contract.md`` C-81, C-84, C-86.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from dataops_core.lifecycle import CheckType, Environment, OperationType
from dataops_core.provisioning.settlement import RunEnding
from dataops_core.registry.operations import OperationView, checks_of

LOCATION_NAME = "dataops"
REPOSITORY_NAME = "__repository__"
PARTITIONS_NAME = "environments"

#: The assets of a dataset type in the order of a run; its checks stand on :data:`CHECKED_ASSET`.
ASSETS = ("template", "connector", "records", "index", "dataset")
CHECKED_ASSET = "index"

TAG_OPERATION = "dataops/operation_id"
TAG_ATTEMPT = "dataops/attempt"
TAG_CLIENT = "dataops/client_id"
TAG_STAGE = "dataops/stage"
TAG_PARTITION = "dagster/partition"
#: The trace that the run belongs to, where there is one.
TAG_TRACE = "dataops/traceparent"
#: Dagster's own: why a run failed. Absent where the run itself could not say.
TAG_FAILURE = "dagster/failure_reason"
#: How the run's process ended, in a sentence, where somebody saw it end before the run had.
TAG_LOST = "dataops/lost_because"

_STARTED_TOO_LATE = "START_TIMEOUT"
#: Dagster's reasons for a failure that somebody reported; any other run that failed was ended from outside.
_REPORTED = frozenset({"STEP_FAILURE", "RUN_EXCEPTION", "JOB_INITIALIZATION_FAILURE", _STARTED_TOO_LATE})
#: What an operation is told whose run was :data:`_STARTED_TOO_LATE`, since no step of it could.
_TOO_LATE = (
    "The run's process did not begin in the time that Dagster gives it. Too much runs at once, or the run host is "
    "down; the same request can be made again."
)

JOBS: Mapping[OperationType, str] = {
    OperationType.PROVISIONING: "provision",
    OperationType.TEARDOWN: "teardown",
    OperationType.VALIDATION: "validate",
    OperationType.RESTORE: "restore",
}


@dataclass(frozen=True, slots=True)
class LaunchRequest:
    """The run that an operation needs. ``checks`` are those of a validation, None anywhere else.

    ``tries``: which try at launching this attempt's run it is.
    """

    operation_id: UUID
    attempt: int
    job: str
    dataset_types: tuple[str, ...]
    checks: tuple[CheckType, ...] | None
    environment: Environment
    traceparent: str | None = None
    tries: int = 1

    @property
    def tags(self) -> dict[str, str]:
        """The tags of the run, its partition among them."""
        traced = {TAG_TRACE: self.traceparent} if self.traceparent is not None else {}
        return traced | {
            TAG_OPERATION: str(self.operation_id),
            TAG_ATTEMPT: str(self.attempt),
            TAG_CLIENT: str(self.environment.client_id),
            TAG_STAGE: self.environment.stage.value,
            TAG_PARTITION: self.environment.partition_key,
        }

    @property
    def assets(self) -> list[tuple[str, str]] | None:
        """Keys of the assets to materialize; None: the job is made of ops, all of which run."""
        if self.job in {JOBS[OperationType.TEARDOWN], JOBS[OperationType.RESTORE]}:
            return None
        if self.checks is not None:
            return []
        return [(dataset_type, asset) for dataset_type in self.dataset_types for asset in ASSETS]

    @property
    def asset_checks(self) -> list[tuple[tuple[str, str], str]] | None:
        """Asset key and name of the checks to evaluate; None: all of the assets asked for."""
        if self.checks is None:
            return None
        return [
            ((dataset_type, CHECKED_ASSET), check.value) for dataset_type in self.dataset_types for check in self.checks
        ]


def launch_request(view: OperationView) -> LaunchRequest:
    """The run that carries this operation on: of its datasets those that have no outcome yet."""
    operation = view.operation
    validation = operation.operation_type is OperationType.VALIDATION
    return LaunchRequest(
        operation_id=operation.operation_id,
        attempt=operation.attempt,
        job=JOBS[operation.operation_type],
        dataset_types=tuple(part.dataset_type for part, _ in view.parts if part.active),
        checks=checks_of(operation) if validation else None,
        environment=Environment(operation.stage, operation.client_id),
        traceparent=operation.traceparent,
        tries=operation.launch_attempts,
    )


@dataclass(frozen=True, slots=True)
class RunState:
    """A run as Dagster tells of it. ``status`` and ``failure_reason`` are Dagster's own words; steps that never began
    are absent. ``lost_because``: how its process ended, where somebody saw that.
    """

    run_id: str
    status: str
    steps: Mapping[str, str] = field(default_factory=dict)
    failure_reason: str | None = None
    lost_because: str | None = None

    @property
    def ending(self) -> RunEnding | None:
        """How the run ended, None while it has not.

        Dagster calls a run whose process was killed a failure like any other; only its reason tells them apart.
        """
        if self.status == "FAILURE" and self.failure_reason not in _REPORTED:
            return RunEnding.LOST
        return {
            "SUCCESS": RunEnding.SUCCESS,
            "FAILURE": RunEnding.FAILURE,
            "CANCELED": RunEnding.CANCELED,
        }.get(self.status)

    @property
    def why(self) -> str | None:
        """Why the run ended as it did, in a sentence, where that is known."""
        if self.ending is RunEnding.LOST:
            return self.lost_because
        return _TOO_LATE if self.failure_reason == _STARTED_TOO_LATE else None


class Launcher(Protocol):
    """Whoever can ask Dagster for a run. Every call raises UnavailableError where Dagster does not answer."""

    def launch(self, request: LaunchRequest) -> str:
        """Launches the run and returns its id. Raises PermanentError where Dagster refuses it for good."""
        ...

    def run_of(self, operation_id: UUID, *, attempt: int | None = None) -> RunState | None:
        """The newest run with the operation's tag (and the attempt's, where one is given), or None."""
        ...

    def run_state(self, run_id: str) -> RunState | None:
        """The run, or None where Dagster knows none of that id."""
        ...

    def terminate(self, run_id: str) -> bool:
        """Asks the run to stop. False: there was nothing left to stop."""
        ...
