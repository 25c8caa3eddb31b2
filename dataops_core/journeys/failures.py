"""Why an event of a journey fails: the codes, and the errors that a plan raises (``docs/contract.md`` C-91, C-92)."""

from enum import StrEnum

from dataops_core.errors import DataOpsError


class EventFailure(StrEnum):
    """The codes of failed events; beside them those of a refused request for datasets."""

    STAGE_NOT_READY = "STAGE_NOT_READY"
    TEARDOWN_FAILED = "TEARDOWN_FAILED"
    NO_DATASETS = "NO_DATASETS"
    STAGE_NOT_AHEAD = "STAGE_NOT_AHEAD"
    JOURNEY_COMPLETED = "JOURNEY_COMPLETED"


class NoDatasetsError(DataOpsError):
    """The journey has no datasets whose types the next stage could take over."""

    code = EventFailure.NO_DATASETS.value


class StageNotAheadError(DataOpsError):
    """The journey has come further already: it goes forward alone."""

    code = EventFailure.STAGE_NOT_AHEAD.value
