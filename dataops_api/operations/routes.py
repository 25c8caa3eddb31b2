"""Operations: how asynchronous work goes on, and steering it (``docs/contract.md`` C-25, C-80 … C-86)."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Coroutine
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Send
from starlette.types import Scope as ASGIScope

from dataops_api import links
from dataops_api.auth.authority import Caller
from dataops_api.dependencies import CurrentCaller, Parts, Service
from dataops_api.errors import ForbiddenError, UnauthorizedError
from dataops_api.idempotency import Accepted, once
from dataops_api.operations import answers, examples
from dataops_api.operations.schemas import ListQuery, Operation, OperationList, Steered, WaitQuery
from dataops_api.pagination import page_links, pagination
from dataops_api.rendering import JSONAnswer
from dataops_api.routing import Problem, Routes, bearer_token, require
from dataops_core.errors import NotFoundError, UnavailableError
from dataops_core.lifecycle import OperationStatus, OperationType
from dataops_core.provisioning import steering
from dataops_core.registry import operations, reading
from dataops_core.registry.looking import Row
from dataops_core.registry.operations import OPEN
from dataops_core.registry.tables import Operation as OperationRow
from dataops_core.scopes import Scope

routes = Routes(links.OPERATIONS, tag="Operations")

_OF_DATASETS = (Scope.DATASETS_READ, Scope.DATASETS_WRITE)
_OF_QUALITY = (Scope.QUALITY_READ, Scope.QUALITY_WRITE)
_FILTERS = ("status", "operation_type", "client_id", "dataset_id")
_RETRY_AFTER = "2"
#: Seconds of silence after which a stream says that it lives, and looks whether its reader may still listen.
KEEP_ALIVE_SECONDS = 15.0

NOT_FOUND = Problem("NOT_FOUND", "Operation not found", {"operation_id": examples.OPERATION_ID})


_LAST_EVENT_ID = {
    "name": "Last-Event-ID",
    "in": "header",
    "required": False,
    "description": "The `id` of the last event that came: the same state is not told again. Anything else is as good as"
    " none.",
    "schema": {"type": "string"},
}
_EVENT_SCHEMA = {
    "type": "object",
    "required": ["id", "event", "data"],
    "properties": {
        "id": {"type": "string"},
        "event": {"const": "operation"},
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": {"$ref": "#/components/schemas/Operation"},
        },
    },
}


class EventStream(StreamingResponse):
    """Server-sent events (WHATWG HTML, 9.2)."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncGenerator[bytes, None]) -> None:
        super().__init__(events, headers={"Cache-Control": "no-store"})
        self._events = events

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """ASGI. Whatever ends the answer ends the generator too, at once."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._events.aclose()


@routes.add(
    "GET",
    "",
    access=(*_OF_DATASETS, *_OF_QUALITY),
    summary="List operations",
    model=OperationList,
    example=examples.OPERATION_LIST,
)
async def list_operations(
    request: Request, query: Annotated[ListQuery, Query()], caller: CurrentCaller, parts: Service
) -> Response:
    """A page of the operations that the caller may read, newest first."""
    filters: dict[str, Any] = {name: getattr(query, name) for name in _FILTERS} | {"customers": caller.customers}
    kinds = [kind for kind in OperationType if caller.may(_readers(kind))]
    if len(kinds) < len(OperationType):
        filters["kinds"] = kinds
    rows, total = await reading.list_operations(
        parts.looking, filters, offset=(query.page - 1) * query.per_page, limit=query.per_page
    )
    shown = {name: request.query_params[name] for name in _FILTERS if name in request.query_params}
    return JSONAnswer(
        {
            "operations": [_answer(parts, caller, row) for row in rows],
            "pagination": pagination(query, total),
            "_links": page_links(links.OPERATIONS, query, shown, total),
        }
    )


@routes.add(
    "GET",
    "/{operation_id}",
    # Who may start it may watch it (C-25): which of these suffice depends on the operation's kind.
    access=(*_OF_DATASETS, *_OF_QUALITY),
    summary="Get an operation",
    model=Operation,
    problems=[NOT_FOUND],
    examples={"In progress": examples.IN_PROGRESS, "Completed": examples.COMPLETED},
)
async def get_operation(
    request: Request, operation_id: UUID, query: Annotated[WaitQuery, Query()], caller: CurrentCaller, parts: Service
) -> Response:
    """An operation as the registry has it. With `wait` the answer comes when it has ended, or after so many seconds."""
    row = await _look(parts, caller, operation_id)
    if query.wait and OperationStatus(row.status) in OPEN:
        ended = parts.follower.until_ended(operation_id, row, seconds=query.wait)
        row = await _unless_gone(request, ended) or row
    return JSONAnswer(_answer(parts, caller, row))


@routes.add(
    "GET",
    "/{operation_id}/events",
    access=(*_OF_DATASETS, *_OF_QUALITY),
    summary="Watch an operation",
    response_class=EventStream,
    problems=[NOT_FOUND],
    responses={
        200: {
            "description": "The operation now and at each change, until it has ended: `event: operation`, its whole"
            " state as `data`. A comment every 15 seconds keeps the connection open.",
            "content": {EventStream.media_type: {"example": examples.EVENT, "itemSchema": _EVENT_SCHEMA}},
        },
        204: {"description": "The operation has ended, and `Last-Event-ID` names its end: nothing more will come."},
    },
    extra={"parameters": [_LAST_EVENT_ID]},
)
async def watch_operation(request: Request, operation_id: UUID, caller: CurrentCaller, parts: Service) -> Response:
    """Server-sent events. The last event shows how the operation ended; then the stream ends."""
    row = await _look(parts, caller, operation_id)
    known = request.headers.get("last-event-id")
    if OperationStatus(row.status).is_terminal and known == _event(parts, caller, row)[0]:
        return Response(status_code=204)
    return EventStream(_events(request, parts, caller, operation_id, row, known=known))


@routes.add(
    "POST",
    "/{operation_id}/cancel",
    access=(Scope.DATASETS_WRITE, Scope.QUALITY_WRITE),
    summary="Cancel an operation",
    status=202,
    once=True,
    model=Steered,
    example=examples.CANCELLED,
    problems=[
        NOT_FOUND,
        Problem(
            "CONFLICT",
            "The operation is completed already",
            {"operation_id": examples.OPERATION_ID, "status": "completed"},
        ),
    ],
)
def cancel_operation(request: Request, operation_id: UUID, caller: CurrentCaller, parts: Service) -> Response:
    """Ends an operation under way, whose run changes nothing more from then on. A teardown cannot be cancelled."""
    _require_writer(parts, caller, operation_id)

    def work(session: Session) -> Accepted:
        operations.get_visible(session, operation_id, customers=caller.customers)
        operation = steering.cancel(session, operation_id)
        stop = (operation_id, operation.run_id) if operation.run_id is not None else None
        return Accepted(_accepted(operation, "Operation cancelled"), operation.client_id, stop=stop)

    return once(request, caller, parts, work)


@routes.add(
    "POST",
    "/{operation_id}/retry",
    access=(Scope.DATASETS_WRITE, Scope.QUALITY_WRITE),
    summary="Retry an operation",
    status=202,
    once=True,
    model=Steered,
    example=examples.RETRIED,
    problems=[
        NOT_FOUND,
        Problem(
            "CONFLICT",
            "The operation is completed; only one that failed or was cancelled can be retried",
            {"operation_id": examples.OPERATION_ID, "status": "completed"},
        ),
    ],
)
def retry_operation(request: Request, operation_id: UUID, caller: CurrentCaller, parts: Service) -> Response:
    """Does again what failed or was cancelled, as the same operation's next attempt; what is ready stays as it is."""
    _require_writer(parts, caller, operation_id)

    def work(session: Session) -> Accepted:
        operations.get_visible(session, operation_id, customers=caller.customers)
        operation = steering.retry(session, operation_id)
        return Accepted(_accepted(operation, "Operation retry started"), operation.client_id, launch=operation_id)

    return once(request, caller, parts, work)


def _readers(kind: str) -> tuple[Scope, ...]:
    return _OF_QUALITY if kind == OperationType.VALIDATION else _OF_DATASETS


def _require_writer(parts: Parts, caller: Caller, operation_id: UUID) -> None:
    """Raises ForbiddenError; an operation that is not there is found missing later, after the request was judged."""
    with parts.database.transaction() as session:
        try:
            kind = operations.get_visible(session, operation_id, customers=caller.customers).operation_type
        except NotFoundError:
            return
    require(caller, Scope.QUALITY_WRITE if kind is OperationType.VALIDATION else Scope.DATASETS_WRITE)


async def _look(parts: Parts, caller: Caller, operation_id: UUID) -> Row:
    """The operation as this caller may see it; Dagster is asked only about one that has not moved lately."""
    row = await _read(parts, caller, operation_id)
    require(caller, *_readers(row.operation_type))
    if OperationStatus(row.status) in OPEN and parts.watcher.is_quiet(row.run_id, row.beat_at):
        await run_in_threadpool(parts.watcher.settle_if_quiet, operation_id, row.run_id, row.beat_at)
        row = await _read(parts, caller, operation_id)
    return row


async def _read(parts: Parts, caller: Caller, operation_id: UUID) -> Row:
    row = await reading.find_operation(parts.looking, operation_id, customers=caller.customers)
    if row is None:
        raise NotFoundError("Operation not found", details={"operation_id": str(operation_id)})
    return row


def _answer(parts: Parts, caller: Caller, row: Row) -> dict[str, Any]:
    run_url = (
        f"{parts.settings.dagster_base}/runs/{row.run_id}" if Scope.ADMIN in caller.scopes and row.run_id else None
    )
    return answers.operation(row, run_url=run_url)


def _accepted(operation: OperationRow, message: str) -> Response:
    headers = {"Location": links.operation(operation.operation_id), "Retry-After": _RETRY_AFTER}
    return JSONAnswer(answers.accepted(operation, message), status_code=202, headers=headers)


def _event(parts: Parts, caller: Caller, row: Row) -> tuple[str, bytes]:
    """An event's id, which is the same for the same state, and its lines."""
    data = bytes(JSONAnswer(_answer(parts, caller, row)).body)
    identity = hashlib.sha256(data).hexdigest()[:16]
    return identity, b"id: %b\nevent: operation\ndata: %b\n\n" % (identity.encode(), data)


async def _events(
    request: Request, parts: Parts, caller: Caller, operation_id: UUID, row: Row, *, known: str | None
) -> AsyncGenerator[bytes, None]:
    changes = parts.follower.changes(operation_id, row, seconds=KEEP_ALIVE_SECONDS)
    try:
        async for change in changes:
            if change is None:
                if not await _may_still_listen(request, parts, row):
                    return
                yield b": still here\n\n"
                continue
            identity, lines = _event(parts, caller, change)
            if identity != known:
                yield lines
            known = identity
    finally:
        await changes.aclose()


async def _may_still_listen(request: Request, parts: Parts, row: Row) -> bool:
    """Whether the token is good still: a stream outlives neither it nor its API client's scopes (C-15)."""
    try:
        require(await parts.authority.caller_of(bearer_token(request)), *_readers(row.operation_type))
    except (UnauthorizedError, ForbiddenError):
        return False
    except UnavailableError:
        return True
    return True


async def _unless_gone(request: Request, work: Coroutine[Any, Any, Row]) -> Row | None:
    """What the work comes to; None, and the work given up, where the client goes away first."""

    async def leaving() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    working, left = asyncio.create_task(work), asyncio.create_task(leaving())
    try:
        await asyncio.wait({working, left}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        working.cancel()
        left.cancel()
        await asyncio.gather(working, left, return_exceptions=True)
