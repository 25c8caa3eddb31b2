"""The connector service: an application of its own, mounted by the API at ``/connectors`` and able to run apart.

    uvicorn dataops_api.connectors.app:app_from_environment --factory --http dataops_api.patience:PatientProtocol

Belongs here: the routes, each of which admits, reads and calls one function of ``service.py``. Mounted, it has no
start of its own: the application around it calls ``app.state.service.sweep()`` when it starts, and closes the database.
"""

import json
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from typing import TypeVar

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from dataops_api.connectors import problems
from dataops_api.connectors.access import Access
from dataops_api.connectors.problems import ConnectorProblem
from dataops_api.connectors.requests import (
    BodyTooLargeError,
    RequestIds,
    bearer_token,
    holds_nul,
    read_body,
    request_id,
)
from dataops_api.connectors.schemas import (
    BulkIndexRequest,
    DatasourceConfig,
    DatasourceRequest,
    DebugDocumentsRequest,
    DeleteRequest,
    IndexRequest,
)
from dataops_api.connectors.service import ConnectorService
from dataops_api.logs import configure
from dataops_api.middleware import TELEMETRY
from dataops_core import acting, tracing
from dataops_core.acting import ActorKind
from dataops_core.clock import utcnow
from dataops_core.connectors.platform import SearchRequest
from dataops_core.lifecycle import TokenKind
from dataops_core.loading import permanently
from dataops_core.registry.database import Database
from dataops_core.security import Keyring
from dataops_core.settings import Settings

INDEX_BODY_LIMIT = 8 * 1024 * 1024
SEARCH_BODY_LIMIT = 1024 * 1024
_JSON = "application/json"

_Body = TypeVar("_Body", bound=BaseModel)


def create_connector_app(settings: Settings, *, database: Database | None = None) -> FastAPI:
    """The application. Without ``database`` it opens and closes the one that the settings name."""
    owned = Database.from_settings(settings) if database is None else None
    service = ConnectorService(settings, database or owned or Database.from_settings(settings), Keyring.load(settings))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(service.sweep)
        yield
        service.close()
        if owned is not None:
            owned.close()

    app = FastAPI(
        title="DataOps connectors",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        telemetry=TELEMETRY,
    )
    app.state.service = service
    problems.install(app)
    app.add_middleware(RequestIds)  # the outermost: problems carry the id as well
    _add_routes(app, service)
    return app


def app_from_environment() -> FastAPI:
    """The application with the settings of the environment."""
    settings = Settings.load()
    configure(settings)
    tracing.start(settings, service="dataops-connectors")
    with permanently():
        return create_connector_app(settings)


class _Door:
    """Admits a request, reads its body, and runs the work in a thread."""

    def __init__(self, service: ConnectorService) -> None:
        self._service = service

    async def admit(
        self, request: Request, connector_id: str, kinds: Collection[TokenKind], *, internal_only: bool = False
    ) -> Access:
        access = await run_in_threadpool(
            self._service.gatekeeper.admit,
            connector_id,
            bearer_token(request),
            kinds,
            now=utcnow(),
            internal_only=internal_only,
        )
        who = access.who
        request.state.is_look = access.internal and who.kind is ActorKind.SYSTEM
        acting.recognized(who.kind, who.actor_id, who.operation_id)
        return access

    async def index(
        self, request: Request, connector_id: str, model: type[_Body], work: Callable[[Access, _Body], object]
    ) -> Response:
        """A route of the indexing side."""
        access = await self.admit(request, connector_id, (TokenKind.INDEX,))
        body = await _read(request, INDEX_BODY_LIMIT)
        return answer(await run_in_threadpool(lambda: work(access, _parse(model, body))))


async def _read(request: Request, limit: int) -> bytes:
    try:
        return await read_body(request, limit)
    except BodyTooLargeError:
        raise ConnectorProblem(
            "request_too_large", f"The body is larger than {limit // (1024 * 1024)} MiB; send smaller pages."
        ) from None
    except (TimeoutError, ClientDisconnect):
        raise ConnectorProblem("request_timeout", "The body did not arrive in time.") from None


def _parse(model: type[_Body], body: bytes) -> _Body:
    try:
        parsed = model.model_validate_json(body)
    except ValidationError as error:
        raise problems.from_validation(error) from None
    if holds_nul(body):
        raise ConnectorProblem("invalid_request", "The body holds the character NUL, which is no text.")
    return parsed


def answer(value: object) -> Response:
    """What a function of the service returned, as JSON; nothing is an empty object."""
    if isinstance(value, BaseModel):
        return Response(value.model_dump_json(exclude_unset=True), media_type=_JSON)
    return _json_response(value if value is not None else {})


def _json_response(value: object) -> Response:
    return Response(json.dumps(value, ensure_ascii=False, separators=(",", ":")), media_type=_JSON)


def _add_routes(app: FastAPI, service: ConnectorService) -> None:
    door = _Door(service)
    both = (TokenKind.SEARCH, TokenKind.INDEX)

    @app.get("/{connector_id}/health")
    async def health(request: Request) -> Response:
        request.state.is_look = True
        return _json_response({"status": "pass"})

    @app.get("/{connector_id}")
    async def metadata(request: Request, connector_id: str) -> Response:
        access = await door.admit(request, connector_id, both)
        return answer(await run_in_threadpool(service.metadata, access))

    @app.delete("/{connector_id}")
    async def remove(request: Request, connector_id: str) -> Response:
        access = await door.admit(request, connector_id, (TokenKind.INDEX,), internal_only=True)
        await run_in_threadpool(service.remove, access)
        return Response(status_code=204)

    @app.post("/{connector_id}/search")
    @app.post("/{connector_id}/api/search")
    async def search(request: Request, connector_id: str) -> Response:
        access = await door.admit(request, connector_id, (TokenKind.SEARCH,))
        body = await _read(request, SEARCH_BODY_LIMIT)
        return answer(
            await run_in_threadpool(lambda: service.search(access, _parse(SearchRequest, body), request_id(request)))
        )

    @app.get("/{connector_id}/api/search/filters")
    async def filters(request: Request, connector_id: str) -> Response:
        access = await door.admit(request, connector_id, (TokenKind.SEARCH,))
        unknown = set(request.query_params) - {"datasources", "query"}
        if unknown:
            raise ConnectorProblem("invalid_parameter", f"Unknown query parameters: {', '.join(sorted(unknown))}.")
        response = answer(
            await run_in_threadpool(
                service.filters,
                access,
                tuple(request.query_params.getlist("datasources")) or None,
                request.query_params.get("query"),
                request_id(request),
            )
        )
        if "query" in request.query_params:
            response.headers["Cache-Control"] = "no-store"
        return response

    prefix = "/{connector_id}/api/index/v1"

    @app.post(f"{prefix}/adddatasource")
    async def add_datasource(request: Request, connector_id: str) -> Response:
        return await door.index(request, connector_id, DatasourceConfig, service.add_datasource)

    @app.post(f"{prefix}/getdatasourceconfig")
    async def get_datasource_config(request: Request, connector_id: str) -> Response:
        return await door.index(
            request, connector_id, DatasourceRequest, lambda a, body: service.datasource_config(a, body.datasource)
        )

    @app.post(f"{prefix}/bulkindexdocuments")
    async def bulk_index_documents(request: Request, connector_id: str) -> Response:
        return await door.index(request, connector_id, BulkIndexRequest, service.bulk_index)

    @app.post(f"{prefix}/indexdocuments")
    async def index_documents(request: Request, connector_id: str) -> Response:
        return await door.index(request, connector_id, IndexRequest, service.index_documents)

    @app.post(f"{prefix}/deletedocument")
    async def delete_document(request: Request, connector_id: str) -> Response:
        return await door.index(request, connector_id, DeleteRequest, service.delete_document)

    @app.post(f"{prefix}/debug/{{datasource}}/status")
    async def status(request: Request, connector_id: str, datasource: str) -> Response:
        access = await door.admit(request, connector_id, (TokenKind.INDEX,))
        return answer(await run_in_threadpool(service.status, access, datasource))

    @app.post(f"{prefix}/debug/{{datasource}}/documents")
    async def document_statuses(request: Request, connector_id: str, datasource: str) -> Response:
        return await door.index(
            request,
            connector_id,
            DebugDocumentsRequest,
            lambda access, body: service.document_statuses(access, datasource, body),
        )
