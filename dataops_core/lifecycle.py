"""The words of the domain, and the one table of allowed status moves.

Belongs here: enumerations that the API, the pipeline and the registry share, and rules that follow from them alone.
Does not belong here: anything that reads or writes state. Source: ``docs/contract.md`` C-35, C-60, C-80 … C-83,
C-91 … C-93.
"""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Stage(StrEnum):
    """A stage of a client's journey."""

    SANDBOX = "sandbox"
    PILOT = "pilot"
    PRODUCTION = "production"

    def comes_before(self, other: "Stage") -> bool:
        """Whether a journey is here earlier than there."""
        stages = list(Stage)
        return stages.index(self) < stages.index(other)


class Industry(StrEnum):
    """The industries that templates are written for."""

    FINTECH = "fintech"
    HEALTHCARE = "healthcare"
    ENTERPRISE = "enterprise"
    MANUFACTURING = "manufacturing"
    RETAIL = "retail"


class CompanySize(StrEnum):
    """The size of a customer's company, as a recommendation understands it."""

    STARTUP = "startup"
    SMALL = "small"
    MID_MARKET = "mid_market"
    ENTERPRISE = "enterprise"


class DatasetStatus(StrEnum):
    """Where a dataset stands (C-35)."""

    PROVISIONING = "provisioning"
    VALIDATING = "validating"
    READY = "ready"
    FAILED = "failed"
    TEARDOWN = "teardown"
    ARCHIVED = "archived"


class ConnectorStatus(StrEnum):
    """What is known of a dataset's search connector (C-33)."""

    CONNECTING = "connecting"
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"
    DISCONNECTED = "disconnected"


class Finding(StrEnum):
    """What one look at a connector found; ``quality/connector_watch.py`` makes a status of several."""

    #: All that is required holds, and fast.
    CLEAN = "clean"
    #: All that is required holds, but slowly, or something is about to end.
    STRAINED = "strained"
    #: It could not be told: 5xx, 429, connection lost.
    UNCLEAR = "unclear"
    #: Something required surely does not hold.
    FAILED = "failed"


class OperationType(StrEnum):
    """What an operation does (C-80)."""

    PROVISIONING = "dataset_provisioning"
    TEARDOWN = "dataset_teardown"
    VALIDATION = "quality_validation"
    RESTORE = "dataset_restore"


class OperationStatus(StrEnum):
    """Where an operation stands (C-81)."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        """Whether the operation has ended (it may still be retried)."""
        return self in {OperationStatus.COMPLETED, OperationStatus.FAILED, OperationStatus.CANCELLED}


class Outcome(StrEnum):
    """How one dataset of an operation ended."""

    READY = "ready"
    FAILED = "failed"
    ARCHIVED = "archived"
    DELETED = "deleted"
    CANCELLED = "cancelled"


class TeardownReason(StrEnum):
    """Why a dataset is torn down (C-51)."""

    STAGE_TRANSITION = "stage_transition"
    JOURNEY_COMPLETED = "journey_completed"
    ORPHAN_CLEANUP = "orphan_cleanup"
    MANUAL = "manual"


class JourneyEventType(StrEnum):
    """What happened in a journey (C-91)."""

    STAGE_TRANSITION = "stage_transition"
    JOURNEY_COMPLETED = "journey_completed"


class JourneyEventStatus(StrEnum):
    """Where an event of a journey stands (C-91). ``superseded``: a newer one took its place."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    SUPERSEDED = "superseded"


class JourneyEventPhase(StrEnum):
    """What an event in progress waits for (C-92)."""

    PROVISIONING = "provisioning"
    TEARDOWN = "teardown"


class JourneyStatus(StrEnum):
    """Where a journey stands (C-93)."""

    ACTIVE = "active"
    TRANSITIONING = "transitioning"
    COMPLETING = "completing"
    COMPLETED = "completed"


class EventRole(StrEnum):
    """What a dataset is to an event of its journey."""

    #: Of the stage that the journey moves to: it must be ready.
    NEXT = "next"
    #: To be torn down.
    OLD = "old"
    #: Holds a place of the next stage until its own teardown has ended.
    LEAVING = "leaving"


class CheckType(StrEnum):
    """The four quality checks, in the order in which they are shown (C-60)."""

    SCHEMA_VALIDATION = "schema_validation"
    DATA_COMPLETENESS = "data_completeness"
    CONNECTOR_HEALTH = "connector_health"
    SAMPLE_QUERY_SUCCESS = "sample_query_success"


class CheckStatus(StrEnum):
    """What a check says (C-60). ``error``: the probe could not tell (C-62)."""

    PASSED = "passed"
    FAILED = "failed"
    PENDING = "pending"
    ERROR = "error"


class TokenKind(StrEnum):
    """What a connector token may do (C-90)."""

    SEARCH = "search"
    INDEX = "index"


_S = DatasetStatus

#: All status moves there are (C-35). A restore that comes to nothing goes from provisioning or validating back to
#: archived. ``registry.datasets.move`` refuses every other.
ALLOWED_MOVES: dict[DatasetStatus, frozenset[DatasetStatus]] = {
    _S.PROVISIONING: frozenset({_S.VALIDATING, _S.FAILED, _S.TEARDOWN, _S.ARCHIVED}),
    _S.VALIDATING: frozenset({_S.READY, _S.FAILED, _S.TEARDOWN, _S.ARCHIVED}),
    _S.READY: frozenset({_S.TEARDOWN}),
    _S.FAILED: frozenset({_S.PROVISIONING, _S.ARCHIVED, _S.TEARDOWN}),
    _S.TEARDOWN: frozenset({_S.ARCHIVED}),
    _S.ARCHIVED: frozenset({_S.PROVISIONING}),
}

#: A dataset in one of these holds its client/stage/type; any other leaves the place free (C-44).
LIVE_STATUSES = frozenset({_S.PROVISIONING, _S.VALIDATING, _S.READY, _S.TEARDOWN})

#: A dataset in one of these is up or on its way there: where such datasets are, there the journey stands (C-93).
UP_STATUSES = frozenset({_S.PROVISIONING, _S.VALIDATING, _S.READY})

PROVISIONING_STEPS = (
    "Resolving templates",
    "Creating connectors",
    "Populating mock data",
    "Indexing records",
    "Validating quality",
    "Publishing datasets",
)
TEARDOWN_STEPS = ("Disconnecting connector", "Archiving records", "Deleting records", "Updating registry")
RESTORE_STEPS = ("Restoring records", "Creating connector", "Validating quality", "Publishing dataset")


@dataclass(frozen=True, slots=True)
class Environment:
    """One client's stage: what a Dagster partition stands for."""

    stage: Stage
    client_id: UUID

    @property
    def partition_key(self) -> str:
        """``sandbox:123e4567-…``."""
        return f"{self.stage}:{self.client_id}"

    @classmethod
    def parse(cls, partition_key: str) -> "Environment":
        """The environment of a partition key. Raises ValueError with a sentence that says what a key looks like."""
        stage, separator, client = partition_key.partition(":")
        try:
            if separator:
                return cls(Stage(stage), UUID(client))
        except ValueError:
            pass
        raise ValueError(f"'{partition_key}' is no environment: a key is stage:client_id, as in sandbox:<uuid>")


def steps_of(operation_type: OperationType, checks: int = len(CheckType)) -> tuple[str, ...]:
    """The steps that an operation of this type reports, in order (C-83); a validation has one per check asked for."""
    match operation_type:
        case OperationType.PROVISIONING:
            return PROVISIONING_STEPS
        case OperationType.TEARDOWN:
            return TEARDOWN_STEPS
        case OperationType.RESTORE:
            return RESTORE_STEPS
        case OperationType.VALIDATION:
            return tuple(f"Check {number} of {checks}" for number in range(1, checks + 1))
