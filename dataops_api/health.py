"""Whether the process lives, and whether it can accept requests, part by part.

Ready means that the API can accept requests: database, migrations and keys. Dagster's parts, the connector service and
the storage of files are listed beside them, but an API without them still answers (docs/contract.md C-86).
"""

from enum import StrEnum
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dataops_api.dependencies import Parts, Service
from dataops_api.errors import error_response
from dataops_api.fields import AnswerModel
from dataops_api.routing import PUBLIC, Problem, Routes
from dataops_core.clock import utcnow
from dataops_core.errors import ConfigurationError, DataOpsError
from dataops_core.registry import installation, migrate, signing_keys

routes = Routes(tag="Health")

_PROBE_SECONDS = 2.0


class ComponentState(StrEnum):
    """What is known of a part."""

    UP = "up"
    DOWN = "down"
    #: Could not be told, because another part is down.
    UNKNOWN = "unknown"


class Component(AnswerModel):
    """A part of the product."""

    state: ComponentState
    reason: str | None


class Components(AnswerModel):
    """All parts."""

    database: Component
    migrations: Component
    keys: Component
    dagster: Component
    code_location: Component
    daemon: Component
    connector: Component
    storage: Component


class Health(AnswerModel):
    """The process lives."""

    status: str


class Readiness(AnswerModel):
    """The API can accept requests."""

    status: str
    components: Components


_UP = {"state": "up", "reason": None}
_EXAMPLE = {
    "status": "ready",
    "components": dict.fromkeys(("database", "migrations", "keys", "dagster", "daemon", "connector", "storage"), _UP)
    | {"code_location": {"state": "down", "reason": "The code location does not answer"}},
}


@routes.add(
    "GET",
    "/healthz",
    access=PUBLIC,
    summary="Whether the process lives",
    model=Health,
    example={"status": "ok"},
)
async def healthz() -> Response:
    """Answers without looking at anything else."""
    return JSONResponse({"status": "ok"})


@routes.add(
    "GET",
    "/readyz",
    access=PUBLIC,
    summary="Whether the API can accept requests, and the state of each part",
    model=Readiness,
    example=_EXAMPLE,
    problems=[
        Problem(
            "SERVICE_UNAVAILABLE",
            "The API cannot accept requests",
            {"components": {"database": {"state": "down", "reason": "The database does not answer"}}},
        )
    ],
)
def readyz(request: Request, parts: Service) -> Response:
    """200 when database, migrations and keys are as they must be; Dagster, connector and storage are listed too."""
    components = _components(parts)
    if all(components[name]["state"] == ComponentState.UP for name in ("database", "migrations", "keys")):
        return JSONResponse({"status": "ready", "components": components})
    return error_response(
        request,
        503,
        "SERVICE_UNAVAILABLE",
        "The API cannot accept requests",
        details={"components": components},
        headers={"Retry-After": "5"},
    )


def _components(parts: Parts) -> dict[str, dict[str, Any]]:
    dagster = parts.gateway.health()
    return _registry(parts) | {
        "dagster": _state(dagster.webserver),
        "code_location": _state(dagster.code_location),
        "daemon": _state(dagster.daemon),
        "connector": _state(None if _connector_answers(parts) else "The connector service does not answer"),
        "storage": _state(parts.storage_probe.fault()),
    }


def _registry(parts: Parts) -> dict[str, dict[str, Any]]:
    names = ("database", "migrations", "keys")
    found = {name: _component(ComponentState.UNKNOWN) for name in names}
    try:
        with parts.database.transaction() as session:
            session.connection()
            found["database"] = _component(ComponentState.UP)
            if not migrate.is_current(session):
                found["migrations"] = _component(
                    ComponentState.DOWN, "The database does not have this release's schema: start `dataops up`"
                )
                return found
            found["migrations"] = _component(ComponentState.UP)
            if not installation.fits(session, parts.keyring):
                found["keys"] = _component(ComponentState.DOWN, "The secret key does not fit the database")
                return found
            signing_keys.current(session, parts.keyring, now=utcnow())
            found["keys"] = _component(ComponentState.UP)
    except ConfigurationError as error:
        found["keys"] = _component(ComponentState.DOWN, error.message)
    except DataOpsError as error:
        found["database"] = _component(ComponentState.DOWN, error.message)
    return found


def _state(fault: str | None) -> dict[str, Any]:
    return _component(ComponentState.UP) if fault is None else _component(ComponentState.DOWN, fault)


def _connector_answers(parts: Parts) -> bool:
    try:
        answer = httpx.get(f"{parts.settings.connector_base}/any/health", timeout=_PROBE_SECONDS, trust_env=False)
    except httpx.HTTPError:
        return False
    return answer.status_code == 200


def _component(state: ComponentState, reason: str | None = None) -> dict[str, Any]:
    return {"state": state.value, "reason": reason}
