"""One error type per meaning. Each carries a sentence for a person and a code for a program.

The API maps these to its error envelope (``docs/contract.md`` C-2); the pipeline maps :class:`PermanentError` to a
failure that is not retried. A bug is none of these: it stays the exception that it is.
"""

from collections.abc import Mapping
from typing import Any


class DataOpsError(Exception):
    """Base of every error that the product raises on purpose."""

    code = "INTERNAL_ERROR"

    def __init__(self, message: str, *, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details: dict[str, Any] = dict(details or {})


class InvalidRequestError(DataOpsError):
    """The request breaks a rule; ``details`` maps field paths to reasons."""

    code = "INVALID_REQUEST"


class NotFoundError(DataOpsError):
    """What was asked for does not exist, or not for this caller."""

    code = "NOT_FOUND"


class ConflictError(DataOpsError):
    """The state of the resource does not allow it now."""

    code = "CONFLICT"


class UnderWayError(ConflictError):
    """The very same is being done at this moment; asking again shortly is right."""


class IdempotencyKeyReusedError(DataOpsError):
    """Another request was made with this idempotency key."""

    code = "IDEMPOTENCY_KEY_REUSED"


class GoneError(DataOpsError):
    """It existed and is gone for good."""

    code = "GONE"


class PreconditionFailedError(DataOpsError):
    """It is not any more as the request's condition says."""

    code = "PRECONDITION_FAILED"


class UnavailableError(DataOpsError):
    """A part that is needed does not answer at the moment; trying again later is right."""

    code = "SERVICE_UNAVAILABLE"


class ConfigurationError(DataOpsError):
    """A setting, a file or a database is not as it must be; the message says what to do."""

    code = "CONFIGURATION"


class SecretMismatchError(ConfigurationError):
    """The database was made with another secret key."""


class PermanentError(DataOpsError):
    """A step of a run cannot succeed however often it is tried."""

    code = "PERMANENT"


class StaleRunError(PermanentError):
    """The run is not the one that carries the dataset's active operation: it must change nothing (fencing)."""

    code = "STALE_RUN"


class QualityGateError(PermanentError):
    """A dataset did not pass its quality checks."""

    code = "QUALITY_CHECK_FAILED"


class CheckInconclusiveError(PermanentError):
    """A quality probe could not tell, after its retries (C-62)."""

    code = "CHECK_ERROR"


class StorageError(DataOpsError):
    """Dataset files could not be written or read (disk full, read-only, missing)."""

    code = "STORAGE_ERROR"


class ConnectorError(DataOpsError):
    """The search connector refused or did not answer."""

    code = "CONNECTOR_ERROR"
