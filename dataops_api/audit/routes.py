"""The audit log: what was changed, by whom, on which request (``docs/contract.md`` C-24, Audit log)."""

import base64
import binascii
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Query
from sqlalchemy import DateTime, Row
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dataops_api import links
from dataops_api.audit.schemas import AuditPage, AuditQuery
from dataops_api.dependencies import CurrentCaller, Service
from dataops_api.errors import invalid_request
from dataops_api.routing import Routes
from dataops_core.acting import ActorKind
from dataops_core.clock import rfc3339
from dataops_core.registry import audit
from dataops_core.registry.tables import Base
from dataops_core.scopes import Scope

routes = Routes(links.AUDIT, tag="Audit log")

#: Columns that hold a time, of whichever table.
_MOMENTS = frozenset(
    column.name
    for table in Base.metadata.tables.values()
    for column in table.columns
    if isinstance(column.type, DateTime)
)
_FILTERS = ("resource_type", "resource_id", "action", "operation_id", "request_id", "to")
_EXAMPLE: dict[str, Any] = {
    "entries": [
        {
            "audit_id": "019c0427-2440-7000-8000-000000001267",
            "occurred_at": "2026-01-28T10:30:00Z",
            "actor": {"kind": "api_client", "id": "220e8400-e29b-41d4-a716-446655440009"},
            "request_id": "req-42",
            "operation_id": "990e8400-e29b-41d4-a716-446655440004",
            "action": "changed",
            "resource": {"type": "dataset", "id": "550e8400-e29b-41d4-a716-446655440005"},
            "client_id": "123e4567-e89b-12d3-a456-426614174000",
            "before": {"status": "ready"},
            "after": {"status": "teardown"},
        }
    ],
    "_links": {"self": "/v1/dataops/audit?request_id=req-42"},
}


@routes.add("GET", "", access=Scope.ADMIN, summary="Read the audit log", model=AuditPage, example=_EXAMPLE)
def list_audit(
    request: Request, query: Annotated[AuditQuery, Query()], caller: CurrentCaller, parts: Service
) -> Response:
    """Every change of the product, newest first. `_links.next` goes on with older entries."""
    filters = {name: getattr(query, name) for name in _FILTERS}
    filters |= {"from": query.from_, "customers": caller.customers}
    if query.api_client_id is not None:
        filters |= {"actor_kind": ActorKind.API_CLIENT, "actor_id": str(query.api_client_id)}
    after = _read_cursor(query.cursor) if query.cursor is not None else None
    with parts.database.reading() as connection:
        rows = audit.entries(connection, filters, after=after, limit=query.limit + 1)
    shown = rows[: query.limit]
    given = dict(request.query_params)
    page_links = {"self": _link(given)}
    if len(rows) > query.limit:
        page_links["next"] = _link(given | {"cursor": _cursor(shown[-1])})
    return JSONResponse({"entries": [_entry(row) for row in shown], "_links": page_links})


def _entry(row: Row[Any]) -> dict[str, Any]:
    return {
        "audit_id": str(_id_of(row)),
        "occurred_at": rfc3339(row.occurred_at),
        "actor": {"kind": row.actor_kind, "id": row.actor_id},
        "request_id": row.request_id,
        "operation_id": str(row.operation_id) if row.operation_id is not None else None,
        "action": row.action,
        "resource": {"type": row.resource_type, "id": row.resource_id},
        "client_id": str(row.client_id) if row.client_id is not None else None,
        "before": _columns(row.before),
        "after": _columns(row.after),
    }


def _id_of(row: Row[Any]) -> UUID:
    """A UUID (version 7) made of the entry's moment and its number in the log, which no other entry has."""
    milliseconds = int(row.occurred_at.timestamp() * 1000)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | 0b10 << 62 | row.audit_id)


def _columns(noted: dict[str, Any] | None) -> dict[str, Any] | None:
    """Columns of the registry as they were noted, with times in the form of every other answer (C-1)."""
    if noted is None:
        return None
    return {name: _moment(value) if name in _MOMENTS else value for name, value in noted.items()}


def _moment(value: Any) -> Any:
    return rfc3339(datetime.fromisoformat(value)) if isinstance(value, str) else value


def _link(parameters: dict[str, str]) -> str:
    return f"{links.AUDIT}?{urlencode(parameters)}" if parameters else links.AUDIT


def _cursor(row: Row[Any]) -> str:
    return base64.urlsafe_b64encode(f"{row.occurred_at.isoformat()} {row.audit_id}".encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[datetime, int]:
    refusal = invalid_request({"cursor": "Must be the cursor of a page's _links.next"})
    try:
        moment, _, number = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii").rpartition(" ")
        occurred_at, audit_id = datetime.fromisoformat(moment), int(number)
        if occurred_at.tzinfo is None or not 0 < audit_id < 2**63:
            raise refusal
        return occurred_at.astimezone(UTC), audit_id
    except (ValueError, OverflowError, binascii.Error):  # the last but one: before the year 1 in UTC, or after 9999
        raise refusal from None
