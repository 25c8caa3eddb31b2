"""Every error that the SDK raises: one class per meaning, all of them :class:`DataOpsError`.

An answer of the API with an error status is an :class:`APIStatusError` of the class that its code (else its status)
names. Messages never hold a token or a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any


class DataOpsError(Exception):
    """Base of all errors of this SDK. They can be pickled: a process of a pool hands them to its parent."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Not made again by the constructor, whose arguments have names, which an exception does not keep.
        return _again, (type(self), self.args), self.__dict__


def _again(kind: type[DataOpsError], args: tuple[object, ...]) -> DataOpsError:
    return kind.__new__(kind, *args)


class ConfigurationError(DataOpsError):
    """The client lacks something to start with; the message says which argument or variable gives it."""


class APIConnectionError(DataOpsError):
    """No complete answer came back. ``request_id`` is the id that was sent, for a look into the server's log."""

    def __init__(self, message: str, *, request_id: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.request_id = request_id


class APITimeoutError(APIConnectionError):
    """The answer did not come in time."""


class UnexpectedAnswerError(DataOpsError):
    """An answer that is none of this API's: another content type, broken JSON, or a shape that does not fit.

    Usually ``base_url`` points to something else, or a proxy answered.
    """

    def __init__(self, message: str, *, status: int, request_id: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.request_id = request_id


class APIStatusError(DataOpsError):
    """The API answered with an error.

    ``status`` is the HTTP status; ``code`` the API's word for it (``NOT_FOUND``; of the token endpoint OAuth's, such
    as ``invalid_client``; None where something in between answered); ``details`` what the API adds, for
    INVALID_REQUEST field path → reason; ``request_id`` finds the request in the server's log; ``retry_after`` the
    seconds that the server asks to wait, None where it does not.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str | None = None,
        details: Mapping[str, Any] | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.details: dict[str, Any] = dict(details or {})
        self.request_id = request_id
        self.retry_after = retry_after

    def __str__(self) -> str:
        reasons = "".join(f"; {field}: {reason}" for field, reason in self.details.items())
        request = f", request {self.request_id}" if self.request_id else ""
        return f"{self.message}{reasons} ({self.code or 'HTTP'} {self.status}{request})"


class InvalidRequestError(APIStatusError):
    """400: the request breaks a rule; ``details`` maps field paths to reasons."""


class UnauthorizedError(APIStatusError):
    """401: the credentials or the token are not valid."""


class ForbiddenError(APIStatusError):
    """403: the token's scopes do not reach that far."""


class NotFoundError(APIStatusError):
    """404: it does not exist, or not for this API client."""


class MethodNotAllowedError(APIStatusError):
    """405: that path does not take this method."""


class ConflictError(APIStatusError):
    """409: the state of the resource does not allow it now; ``details`` names what is in the way."""


class GoneError(APIStatusError):
    """410: it existed and is gone for good."""


class PreconditionFailedError(APIStatusError):
    """412: the resource changed since it was read."""


class PayloadTooLargeError(APIStatusError):
    """413: the body is larger than the route takes."""


class UnsupportedMediaTypeError(APIStatusError):
    """415: the body must be JSON."""


class IdempotencyKeyReusedError(APIStatusError):
    """422: another request was made with this idempotency key."""


class RateLimitedError(APIStatusError):
    """429: too many requests; ``retry_after`` says when to come back."""


class InternalServerError(APIStatusError):
    """500: a fault of the server; report it with ``request_id``."""


class ServiceUnavailableError(APIStatusError):
    """503: a part of the service does not answer at the moment."""


_BY_CODE: Mapping[str, type[APIStatusError]] = {
    "INVALID_REQUEST": InvalidRequestError,
    "UNAUTHORIZED": UnauthorizedError,
    "FORBIDDEN": ForbiddenError,
    "NOT_FOUND": NotFoundError,
    "METHOD_NOT_ALLOWED": MethodNotAllowedError,
    "CONFLICT": ConflictError,
    "GONE": GoneError,
    "PRECONDITION_FAILED": PreconditionFailedError,
    "PAYLOAD_TOO_LARGE": PayloadTooLargeError,
    "UNSUPPORTED_MEDIA_TYPE": UnsupportedMediaTypeError,
    "IDEMPOTENCY_KEY_REUSED": IdempotencyKeyReusedError,
    "RATE_LIMITED": RateLimitedError,
    "INTERNAL_ERROR": InternalServerError,
    "SERVICE_UNAVAILABLE": ServiceUnavailableError,
}
_BY_STATUS: Mapping[int, type[APIStatusError]] = {
    400: InvalidRequestError,
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    405: MethodNotAllowedError,
    409: ConflictError,
    410: GoneError,
    412: PreconditionFailedError,
    413: PayloadTooLargeError,
    415: UnsupportedMediaTypeError,
    422: IdempotencyKeyReusedError,
    429: RateLimitedError,
    500: InternalServerError,
    503: ServiceUnavailableError,
}


def status_error(
    status: int, body: object, *, request_id: str | None = None, retry_after: float | None = None
) -> APIStatusError:
    """The error of an answer. ``body`` is its parsed JSON: the API's envelope, OAuth's form, or anything else."""
    code: str | None = None
    message = _phrase(status)
    details: Mapping[str, Any] | None = None
    if isinstance(body, Mapping):
        error = body.get("error")
        if isinstance(error, Mapping):
            code = _text(error.get("code"))
            message = _text(error.get("message")) or message
            found = error.get("details")
            details = found if isinstance(found, Mapping) else None
            request_id = _text(error.get("request_id")) or request_id
        elif isinstance(error, str):
            code = error
            message = _text(body.get("error_description")) or error
    # A code that this version does not know yet still has a status that it does.
    kind = _BY_CODE.get(code or "") or _BY_STATUS.get(status, APIStatusError)
    return kind(message, status=status, code=code, details=details, request_id=request_id, retry_after=retry_after)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "The server answered with an error"


class OperationError(DataOpsError):
    """Something about an operation, whose id is in ``operation_id``."""

    def __init__(self, message: str, *, operation_id: str) -> None:
        super().__init__(message)
        self.message = message
        self.operation_id = operation_id


class OperationFailedError(OperationError):
    """The operation ended as failed. ``code`` and ``details`` (per dataset) are what the operation's error says."""

    def __init__(
        self, message: str, *, operation_id: str, code: str | None = None, details: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message, operation_id=operation_id)
        self.code = code
        self.details: dict[str, Any] = dict(details or {})


class OperationCancelledError(OperationError):
    """The operation was cancelled."""


class OperationTimeoutError(OperationError):
    """The operation did not end within the time given. It goes on at the server."""
