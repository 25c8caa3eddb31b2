"""The one form of every error answer (``docs/contract.md`` C-2), and the errors that only HTTP has.

The core raises :class:`DataOpsError` with a code; here the code becomes a status and the envelope. Errors of the
framework (no such route, method not allowed, a body that does not fit) take the same form, the token endpoint's the
form of RFC 6749. A bug becomes INTERNAL_ERROR with no word about its inside; the log has it with the request id.
"""

import logging
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match

from dataops_core.clock import rfc3339, utcnow
from dataops_core.errors import DataOpsError, InvalidRequestError, UnavailableError, UnderWayError

TOKEN_PATH = "/token"  # noqa: S105  a path

STATUS_OF_CODE: Mapping[str, int] = {
    "INVALID_REQUEST": 400,
    "UNAUTHORIZED": 401,
    "FORBIDDEN": 403,
    "NOT_FOUND": 404,
    "METHOD_NOT_ALLOWED": 405,
    "CONFLICT": 409,
    "GONE": 410,
    "PRECONDITION_FAILED": 412,
    "PAYLOAD_TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "IDEMPOTENCY_KEY_REUSED": 422,
    "RATE_LIMITED": 429,
    "INTERNAL_ERROR": 500,
    "SERVICE_UNAVAILABLE": 503,
}
_CODE_OF_STATUS = {status: code for code, status in STATUS_OF_CODE.items()}
#: Errors of the core that are no caller's fault and may pass: storage or a connector that does not answer now.
_PASSING = frozenset({"STORAGE_ERROR", "CONNECTOR_ERROR"})
_RETRY_AFTER_SECONDS = "5"
_SHORTLY_SECONDS = "1"
#: RFC 6749 has no code for these: the nearest that clients know.
_OAUTH_ERRORS = {429: "temporarily_unavailable", 500: "server_error", 503: "temporarily_unavailable"}

_log = logging.getLogger("dataops.api")


class UnauthorizedError(DataOpsError):
    """No valid token (C-4)."""

    code = "UNAUTHORIZED"

    def __init__(self, message: str, *, token_sent: bool) -> None:
        super().__init__(message)
        challenge = f'Bearer error="invalid_token", error_description="{message}"' if token_sent else "Bearer"
        self.headers = {"WWW-Authenticate": challenge}


class ForbiddenError(DataOpsError):
    """The token does not reach that far (C-4). ``scope`` names what would, where a scope would."""

    code = "FORBIDDEN"

    def __init__(self, message: str, *, scope: str | None = None, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message, details=details)
        self.headers = (
            {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'} if scope is not None else {}
        )


class PayloadTooLargeError(DataOpsError):
    """The body is larger than the route takes (C-5)."""

    code = "PAYLOAD_TOO_LARGE"


class UnsupportedMediaTypeError(DataOpsError):
    """The body is not JSON."""

    code = "UNSUPPORTED_MEDIA_TYPE"


def error_response(
    request: Request,
    status: int,
    code: str,
    message: str,
    *,
    details: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The error answer to this request: the envelope, or RFC 6749's form at the token endpoint."""
    content: dict[str, Any]
    if request.scope["path"] == TOKEN_PATH:
        content = {
            "error": _OAUTH_ERRORS.get(status, "invalid_request"),
            "error_description": _described(message, details),
        }
        headers = {"Cache-Control": "no-store"} | dict(headers or {})
    else:
        content = envelope(code, message, details or {}, request_id_of(request))
    return JSONResponse(content, status_code=status, headers=dict(headers) if headers else None)


def _described(message: str, details: Mapping[str, Any] | None) -> str:
    """All in one sentence, of the characters that RFC 6749 (section 5.2) allows in it."""
    reasons = "; ".join(f"{name}: {reason}" for name, reason in (details or {}).items())
    text = f"{message} ({reasons})" if reasons else message
    return re.sub(r"[^ !#-\[\]-~]", "?", text)


def envelope(code: str, message: str, details: Mapping[str, Any], request_id: str) -> dict[str, Any]:
    """The body of an error answer."""
    return {
        "error": {
            "code": code,
            "message": message,
            "details": dict(details),
            "request_id": request_id,
            "timestamp": rfc3339(utcnow()),
        }
    }


def request_id_of(request: Request) -> str:
    """The request's id, given or made (C-3)."""
    request_id: str = request.scope["state"]["request_id"]
    return request_id


def internal_error(request: Request) -> Response:
    """The answer where a bug struck."""
    return error_response(request, 500, "INTERNAL_ERROR", "Something went wrong on our side")


async def on_domain_error(request: Request, error: Exception) -> Response:
    """An error that the product raised on purpose."""
    assert isinstance(error, DataOpsError)  # noqa: S101  registered for this type
    status = STATUS_OF_CODE.get(error.code)
    headers: dict[str, str] = dict(getattr(error, "headers", {}))
    if status is None and error.code not in _PASSING:
        _log.error("request failed", exc_info=error)
        return internal_error(request)
    if status is None or status == 503:
        _log.warning("a part does not answer", exc_info=error)
        headers.setdefault("Retry-After", _RETRY_AFTER_SECONDS)
        return error_response(
            request, 503, "SERVICE_UNAVAILABLE", "A part of the service does not answer at the moment", headers=headers
        )
    if isinstance(error, UnderWayError):
        headers.setdefault("Retry-After", _SHORTLY_SECONDS)
    return error_response(request, status, error.code, error.message, details=error.details, headers=headers)


async def on_database_error(request: Request, error: Exception) -> Response:
    """The database is away, or all of its connections are taken."""
    unavailable = UnavailableError("The database does not answer.")
    unavailable.__cause__ = error
    return await on_domain_error(request, unavailable)


async def on_validation_error(request: Request, error: Exception) -> Response:
    """A parameter or a body that does not fit its model."""
    assert isinstance(error, RequestValidationError)  # noqa: S101  registered for this type
    return await on_domain_error(request, invalid_request(reasons_of(error)))


async def on_http_error(request: Request, error: Exception) -> Response:
    """An error of the framework."""
    assert isinstance(error, HTTPException)  # noqa: S101  registered for this type
    status = error.status_code
    if status == 404:
        return error_response(request, 404, "NOT_FOUND", "There is no such resource")
    if status == 405:
        allowed = ", ".join(sorted(methods_at(request)))
        return error_response(
            request,
            405,
            "METHOD_NOT_ALLOWED",
            f"{request.method} is not possible here",
            headers={"Allow": allowed},
        )
    code = _CODE_OF_STATUS.get(status, "INVALID_REQUEST" if status < 500 else "INTERNAL_ERROR")
    return error_response(request, status, code, HTTPStatus(status).phrase, headers=error.headers)


def methods_at(request: Request) -> set[str]:
    """Every method that the request's path takes: the framework itself names those of one route alone."""
    methods: set[str] = set()
    for route in request.app.router.routes:
        if route.matches(request.scope)[0] is not Match.NONE:
            methods |= getattr(route, "methods", None) or set()
    return methods


def invalid_request(reasons: Mapping[str, str]) -> InvalidRequestError:
    """A 400 that names each field and what is wrong with it (C-43)."""
    return InvalidRequestError("Request validation failed", details=dict(reasons))


def reasons_of(error: RequestValidationError) -> dict[str, str]:
    """Field path → reason, the first reason of each field. Values that were sent are never repeated."""
    reasons: dict[str, str] = {}
    for problem in error.errors():
        path = ".".join(str(part) for part in problem["loc"][1:]) or str(problem["loc"][0])
        reasons.setdefault(path, _reason(problem))
    return reasons


_REASONS = {
    "missing": "This field is required",
    "extra_forbidden": "There is no such field",
    "uuid_parsing": "Must be a UUID",
    "uuid_type": "Must be a UUID",
    "int_type": "Must be an integer",
    "int_parsing": "Must be an integer",
    "int_from_float": "Must be an integer",
    "bool_type": "Must be true or false",
    "bool_parsing": "Must be true or false",
    "string_type": "Must be a string",
    "list_type": "Must be a list",
    "dict_type": "Must be an object",
    "model_attributes_type": "Must be an object",
    "model_type": "Must be an object",
}


def _reason(problem: Mapping[str, Any]) -> str:
    kind, context = problem["type"], problem.get("ctx", {})
    if problem["loc"] == ("body",) and kind == "missing":
        return "A JSON body is required"
    if kind in {"enum", "literal_error"}:
        return f"Must be one of {context['expected'].replace(chr(39), '')}"
    if kind == "value_error":
        return str(context["error"])
    return _REASONS.get(kind, str(problem["msg"]))


HANDLERS: Mapping[Any, Any] = {
    DataOpsError: on_domain_error,
    RequestValidationError: on_validation_error,
    HTTPException: on_http_error,
    OperationalError: on_database_error,
    InterfaceError: on_database_error,
    PoolTimeoutError: on_database_error,
}
