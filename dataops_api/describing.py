"""The OpenAPI description of what is served, and the page that shows it without any asset from another host.

The framework describes paths, parameters and answers; here come what it cannot know: the envelope of errors with an
example each, who may call what, and the headers of every request. Does not belong here: the models themselves.
"""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dataops_api import docs_page
from dataops_api.description_links import add_links
from dataops_api.docs_page import DOCS_PATH
from dataops_api.errors import STATUS_OF_CODE, TOKEN_PATH
from dataops_api.idempotency import KEY_HEADER, REPLAYED_HEADER
from dataops_api.routing import PUBLIC, ApiRoute, Problem, Routes
from dataops_core.scopes import SCOPE_DESCRIPTIONS, Scope

TITLE = "DataOps Lifecycle"
VERSION = "1.0"
OPENAPI_PATH = "/openapi.json"

routes = Routes(tag="Documentation")

_SCHEME = "oauth2"
_DESCRIPTION = """\
Provisions, proves, tears down and archives mock datasets for enterprise-search onboarding.

`client_id` in datasets is the *customer*; `client_id` at the token endpoint is the *API client*. They are not related.

Every answer carries `X-Request-ID`; every error has the one form shown at each operation.
"""
_RATE_LIMITED = Problem(
    "RATE_LIMITED", "This API client may ask 100 times a second: try again in 1 s", {"retry_after_seconds": 1}
)
_COMMON = (
    Problem("UNAUTHORIZED", "An access token is required"),
    Problem("FORBIDDEN", "The access token lacks the scope for this"),
    _RATE_LIMITED,
    Problem("INTERNAL_ERROR", "Something went wrong on our side"),
    Problem("SERVICE_UNAVAILABLE", "A part of the service does not answer at the moment"),
)
_OF_PARAMETERS = Problem("INVALID_REQUEST", "Request validation failed", {"page": "Must be an integer"})
_OF_NO_PARAMETERS = Problem(
    "INVALID_REQUEST", "Request validation failed", {"colour": "There is no such query parameter"}
)
_OF_BODIES = (
    Problem("PAYLOAD_TOO_LARGE", "The body is larger than 1 MiB", {"limit_bytes": 1048576}),
    Problem("UNSUPPORTED_MEDIA_TYPE", "The body must be JSON, with Content-Type: application/json"),
)
_OF_KEYS = (
    Problem("CONFLICT", "A request with this idempotency key is under way; ask again shortly"),
    Problem(
        "IDEMPOTENCY_KEY_REUSED",
        "This idempotency key was used for another request",
        {KEY_HEADER: "Use a new key for a new request"},
    ),
)
_ERROR_SCHEMA = {
    "type": "object",
    "title": "Error",
    "additionalProperties": False,
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "additionalProperties": False,
            "required": ["code", "message", "details", "request_id", "timestamp"],
            "properties": {
                "code": {"type": "string", "enum": list(STATUS_OF_CODE)},
                "message": {"type": "string"},
                "details": {"type": "object", "description": "For INVALID_REQUEST: field path → reason."},
                "request_id": {"type": "string"},
                "timestamp": {"type": "string", "format": "date-time"},
            },
        }
    },
}
_HEADERS = {
    "X-Request-ID": {"description": "The request's id.", "schema": {"type": "string"}},
    "RateLimit-Policy": {
        "description": "The limits that apply here: `q` requests, all of them to be had again after `w` seconds "
        "(draft-ietf-httpapi-ratelimit-headers).",
        "schema": {"type": "string"},
        "example": '"api-client";q=200;w=2',
    },
    "RateLimit": {
        "description": "Where the API client stands: `r` requests are left at once, and all will be in `t` seconds.",
        "schema": {"type": "string"},
        "example": '"api-client";r=199;t=1',
    },
    "Location": {"description": "What is to be watched: the operation, or the journey.", "schema": {"type": "string"}},
    "Retry-After": {
        "description": "Seconds after which to try again, or to look.",
        "schema": {"type": "integer", "minimum": 1},
    },
}
_LIMITS = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
_OF_AUTHENTICATED = ("X-Request-ID", "RateLimit-Policy", "RateLimit")
_REQUEST_ID = {
    "name": "X-Request-ID",
    "in": "header",
    "required": False,
    "description": "Echoed in the answer, in errors and in the log where it has 1 to 128 visible ASCII characters; "
    "otherwise a new one is made.",
    "schema": {"type": "string"},
}
_KEY = {
    "name": KEY_HEADER,
    "in": "header",
    "required": False,
    "description": "Sent again with the same request, it gets the first answer again and nothing is done twice. "
    "Any text of visible ASCII characters, such as a UUID.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}
_REPLAYED = {
    "description": "`true` where this is the answer to an earlier request with the same key.",
    "schema": {"type": "string", "enum": ["true"]},
}


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of the application's listed routes."""
    document = get_openapi(title=TITLE, version=VERSION, description=_DESCRIPTION, routes=app.router.routes)
    for route in app.router.routes:
        if isinstance(route, ApiRoute) and route.include_in_schema:
            for method in route.methods or ():
                _complete(document["paths"][route.path_format][method.lower()], route)
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Error"] = _ERROR_SCHEMA
    components["headers"] = _HEADERS
    components["securitySchemes"] = {
        _SCHEME: {
            "type": "oauth2",
            "flows": {
                "clientCredentials": {
                    "tokenUrl": TOKEN_PATH,
                    "scopes": {scope.value: text for scope, text in SCOPE_DESCRIPTIONS.items()},
                }
            },
        }
    }
    add_links(document)
    _make_limits_whole(document)
    return document


def _complete(operation: dict[str, Any], route: ApiRoute) -> None:
    problems = list(route.problems)
    if route.once:
        operation.setdefault("parameters", []).append(_KEY)
        operation["responses"][str(route.status_code)].setdefault("headers", {})[REPLAYED_HEADER] = _REPLAYED
        problems += _OF_KEYS
    if route.path != TOKEN_PATH:
        named = {problem.code for problem in problems}
        if "INVALID_REQUEST" not in named:
            takes_any = "parameters" in operation or route.body_field is not None
            problems.append(_OF_PARAMETERS if takes_any else _OF_NO_PARAMETERS)
        problems += _OF_BODIES if route.body_field is not None else ()
        problems += [problem for problem in _COMMON if route.access is not PUBLIC and problem.code not in named]
    # Wrong parameters are answered with 400, never with the framework's 422.
    operation["responses"].pop("422", None)
    if route.examples:
        # Here, and not through the framework: it would leave out every null of an example.
        media = operation["responses"][str(route.status_code)]["content"]["application/json"]
        media["examples"] = {name: {"value": example} for name, example in route.examples.items()}
    for response in operation["responses"].values():
        for media in response.get("content", {}).values():
            if "itemSchema" in media:
                # A stream is described by its events; the framework would have it be one text.
                media.pop("schema", None)
    for problem in problems:
        _add_problem(operation["responses"], problem)
    operation["responses"] = dict(sorted(operation["responses"].items()))
    for status, response in operation["responses"].items():
        secured = route.path == TOKEN_PATH or (route.access is not PUBLIC and status != "401")
        names = [*(_OF_AUTHENTICATED if secured else ("X-Request-ID",)), *_headers_of(status, route)]
        for name in names:
            response.setdefault("headers", {}).setdefault(name, {"$ref": f"#/components/headers/{name}"})
    operation.setdefault("parameters", []).append(_REQUEST_ID)
    if route.access is not PUBLIC:
        sufficient = dict.fromkeys((*route.access.any_of, Scope.ADMIN))
        operation["security"] = [{_SCHEME: [scope.value]} for scope in sufficient]


def _make_limits_whole(part: Any) -> None:
    """Limits of integers as integers: the framework makes them floats, which readers of JSON round."""
    if isinstance(part, list):
        for member in part:
            _make_limits_whole(member)
    elif isinstance(part, dict):
        if part.get("type") == "integer":
            part |= {name: int(part[name]) for name in _LIMITS & part.keys()}
        for member in part.values():
            _make_limits_whole(member)


def _headers_of(status: str, route: ApiRoute) -> tuple[str, ...]:
    """The headers that answers of this status have, besides those that all have."""
    if status == "202":
        return ("Location", "Retry-After")
    return ("Retry-After",) if status in {"429", "503"} or (status == "409" and route.once) else ()


def _add_problem(responses: dict[str, Any], problem: Problem) -> None:
    example = {
        "error": {
            "code": problem.code,
            "message": problem.message,
            "details": dict(problem.details),
            "request_id": "req-123",
            "timestamp": "2026-01-28T12:00:00Z",
        }
    }
    status = str(STATUS_OF_CODE[problem.code])
    content = responses.setdefault(status, {"description": problem.message}).setdefault("content", {})
    media = content.setdefault("application/json", {"schema": {"$ref": "#/components/schemas/Error"}, "examples": {}})
    media["examples"][problem.message] = {"value": example}


@routes.add("GET", OPENAPI_PATH, access=PUBLIC, summary="This description", listed=False)
def openapi(request: Request) -> Response:
    """The OpenAPI document."""
    return JSONResponse(request.app.openapi())


@routes.add("GET", DOCS_PATH, access=PUBLIC, summary="The description, to read and to try", listed=False)
async def docs(request: Request) -> Response:
    """Swagger UI, with assets of our own."""
    root = request.scope.get("root_path", "")
    return docs_page.page(title=f"{TITLE} API", root=root, description=OPENAPI_PATH)
