"""Errors of the connector service, in Glean's problem+json (RFC 9457 with stable codes).

Belongs here: the one error type of the service's own, and how every other becomes an answer. Source:
``docs/contract.md`` C-2.
"""

import logging
from collections.abc import Mapping, Sequence

from fastapi import FastAPI, Request, Response
from pydantic import ValidationError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dataops_api.connectors.requests import request_id
from dataops_api.unreadable import UNREADABLE
from dataops_core.connectors.embedded.index import DamagedIndexError
from dataops_core.connectors.embedded.search import SearchTimeoutError
from dataops_core.connectors.platform import Problem, ProblemCode, ProblemError
from dataops_core.errors import GoneError, StorageError, UnavailableError

_LOG = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
_STATUS: Mapping[ProblemCode, int] = {
    "invalid_request": 400,
    "missing_required_field": 400,
    "invalid_parameter": 400,
    "invalid_cursor": 400,
    "expired_cursor": 400,
    "invalid_filter": 400,
    "invalid_datasource": 400,
    "authentication_required": 401,
    "token_expired": 401,
    "insufficient_permissions": 403,
    "resource_not_found": 404,
    "method_not_allowed": 405,
    "request_timeout": 408,
    "conflict": 409,
    "gone": 410,
    "request_too_large": 413,
    "unprocessable_query": 422,
    "internal_error": 500,
    "service_unavailable": 503,
}
_BY_STATUS: Mapping[int, ProblemCode] = {
    404: "resource_not_found",
    405: "method_not_allowed",
    413: "request_too_large",
}


class ConnectorProblem(Exception):  # noqa: N818  it is named for what it becomes
    """An answer that is an error. ``errors`` names single fields by JSON pointer."""

    def __init__(
        self,
        code: ProblemCode,
        detail: str,
        *,
        errors: Sequence[ProblemError] = (),
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.code: ProblemCode = code
        self.detail = detail
        self.errors = tuple(errors)
        self.status = status or _STATUS[code]
        self.headers = dict(headers or {})


def at(code: ProblemCode, pointer: str, detail: str) -> ConnectorProblem:
    """A problem with one field."""
    return ConnectorProblem(
        code, f"The request is not valid: {pointer} {detail}", errors=[ProblemError(pointer=pointer, detail=detail)]
    )


def from_validation(error: ValidationError) -> ConnectorProblem:
    """What pydantic found, field by field (at most 20)."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    if found[0]["type"] == "json_invalid":
        return ConnectorProblem("invalid_request", f"The body is no valid JSON: {found[0]['msg']}.")
    errors = [ProblemError(pointer=_pointer(item["loc"]), detail=item["msg"]) for item in found[:20]]
    code: ProblemCode = "invalid_parameter"
    kinds = {item["type"] for item in found}
    if kinds == {"missing"}:
        code = "missing_required_field"
    elif "extra_forbidden" in kinds:
        code = "invalid_request"
    elif all(item["loc"][:1] == ("filters",) for item in found):
        code = "invalid_filter"
    named = ", ".join(problem.pointer or "/" for problem in errors[:5])
    return ConnectorProblem(code, f"The request is not valid: see {named}.", errors=errors)


def _pointer(location: Sequence[int | str]) -> str:
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in location)


def response(request: Request, problem: ConnectorProblem) -> Response:
    """The problem as an answer."""
    body = Problem(
        type=f"urn:problem:{problem.code.replace('_', '-')}",
        title=problem.code.replace("_", " ").title(),
        status=problem.status,
        detail=problem.detail,
        code=problem.code,
        request_id=request_id(request),
        errors=problem.errors or None,
    )
    return Response(
        body.model_dump_json(exclude_none=True),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers=problem.headers,
    )


def as_problem(error: Exception) -> ConnectorProblem | None:
    """The problem that an error of the core stands for; None for one that nobody foresaw."""
    match error:
        case ConnectorProblem():
            return error
        case GoneError():
            return ConnectorProblem("gone", error.message)
        case SearchTimeoutError():
            return ConnectorProblem("request_timeout", error.message)
        case UnavailableError():
            return ConnectorProblem("service_unavailable", error.message, headers={"Retry-After": "1"})
        case PoolTimeoutError():
            return ConnectorProblem("service_unavailable", "The service is busy.", headers={"Retry-After": "1"})
        case StorageError():
            return ConnectorProblem("service_unavailable", error.message, status=507)
        case DamagedIndexError():
            return ConnectorProblem("internal_error", f"{error.message} Load the connector again.")
        case HTTPException():
            code = _BY_STATUS.get(error.status_code, "invalid_request")
            return ConnectorProblem(code, str(error.detail), status=error.status_code, headers=error.headers)
        case _:
            return None


def install(app: FastAPI) -> None:
    """Makes every error of the application a problem."""

    async def answer(request: Request, error: Exception) -> Response:
        return _answer(request, error)

    kinds: tuple[type[Exception], ...] = (
        ConnectorProblem,
        GoneError,
        SearchTimeoutError,
        UnavailableError,
        PoolTimeoutError,
        StorageError,
        DamagedIndexError,
        HTTPException,
    )
    for kind in kinds:
        app.add_exception_handler(kind, answer)
    app.add_middleware(_Unforeseen)


def _answer(request: Request, error: Exception) -> Response:
    problem = as_problem(error) or ConnectorProblem("internal_error", "The connector failed; the log says why.")
    if problem.status >= 500:
        _LOG.error("Connector request %s failed: %s", request_id(request), error, exc_info=error)
    return response(request, problem)


class _Unforeseen:
    """ASGI middleware that answers what no handler is for, and what is no request at all.

    A handler for Exception would answer too, but the error would go on to the server, which then drops the connection
    and with it the next request on it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (refused := scope["state"].get(UNREADABLE)):
            said = "; ".join(f"{what}: {reason}" for what, reason in refused.items())
            problem = ConnectorProblem("invalid_request", f"The request is not valid ({said}).")
            await response(Request(scope), problem)(scope, receive, send)
            return
        started = False

        async def noting_send(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, noting_send)
        except Exception as error:
            if started or scope["type"] != "http":
                raise
            await _answer(Request(scope), error)(scope, receive, send)
