"""Datasets: list, get, create, tear down, restore, usage (``docs/contract.md`` C-7, C-30 … C-45, C-51 … C-55)."""

from datetime import UTC, date, datetime, time
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from dataops_api import entity_tags, links
from dataops_api.auth.authority import Caller
from dataops_api.datasets import answers, examples
from dataops_api.datasets.schemas import (
    Dataset,
    DatasetList,
    ListQuery,
    NewDatasets,
    ProvisioningAccepted,
    RestoreAccepted,
    TeardownAccepted,
    TeardownBody,
    TeardownQuery,
    Usage,
    UsageQuery,
)
from dataops_api.dependencies import CurrentCaller, Parts, Service
from dataops_api.errors import request_id_of
from dataops_api.idempotency import Accepted, once
from dataops_api.pagination import page_links, pagination
from dataops_api.rendering import JSONAnswer
from dataops_api.routing import Problem, Routes
from dataops_core.errors import NotFoundError
from dataops_core.lifecycle import TeardownReason
from dataops_core.provisioning.asking import ProvisioningRequest
from dataops_core.provisioning.requests import accept_provisioning, accept_teardown
from dataops_core.provisioning.restoring import accept_restore
from dataops_core.registry import connectors, datasets, operations, reading, usage
from dataops_core.registry.tables import Operation
from dataops_core.scopes import Scope

routes = Routes(links.DATASETS, tag="Datasets")

NOT_FOUND = Problem("NOT_FOUND", "Dataset not found", {"dataset_id": examples.DATASET_ID})
_RETRY_AFTER = "2"
_FILTERS = tuple(name for name in ListQuery.model_fields if name not in {"sort", "page", "per_page"})


@routes.add(
    "GET",
    "",
    access=Scope.DATASETS_READ,
    summary="List datasets",
    model=DatasetList,
    example=examples.DATASET_LIST,
)
async def list_datasets(
    request: Request, query: Annotated[ListQuery, Query()], caller: CurrentCaller, parts: Service
) -> Response:
    """A page of datasets, newest first unless asked otherwise; archived ones are listed too."""
    filters = {name: getattr(query, name) for name in _FILTERS} | {"customers": caller.customers}
    rows, total = await reading.list_datasets(
        parts.looking, filters, sort=query.sort, offset=(query.page - 1) * query.per_page, limit=query.per_page
    )
    given = request.query_params
    shown = {name: given[name] for name in (*_FILTERS, "sort") if name in given}
    return JSONAnswer(
        {
            "datasets": [answers.dataset(row, parts.settings) for row in rows],
            "pagination": pagination(query, total),
            "_links": page_links(links.DATASETS, query, shown, total),
        }
    )


@routes.add(
    "POST",
    "",
    access=Scope.DATASETS_WRITE,
    summary="Provision datasets",
    status=202,
    model=ProvisioningAccepted,
    example=examples.PROVISIONING_ACCEPTED,
    problems=[
        Problem(
            "INVALID_REQUEST",
            "Request validation failed",
            {"dataset_types": "Must provide at least one dataset type"},
        ),
        Problem("FORBIDDEN", "The API client does not act for this customer", {"client_id": examples.CLIENT_ID}),
        Problem(
            "CONFLICT",
            "Dataset already exists",
            {
                "existing_dataset_id": examples.DATASET_ID,
                "conflict": "Dataset of type 'confluence_pages' already exists for client/stage",
            },
        ),
        Problem(
            "CONFLICT",
            "Journey has ended",
            {"journey_id": examples.JOURNEY_ID, "conflict": "A journey that has ended gets no datasets"},
        ),
    ],
    body_example=examples.NEW_DATASETS,
    once=True,
)
def create_datasets(request: Request, body: NewDatasets, caller: CurrentCaller, parts: Service) -> Response:
    """Starts a provisioning and answers at once; the operation tells how it goes on."""
    caller.must_reach(body.client_id)
    wanted = ProvisioningRequest(
        journey_id=body.journey_id,
        client_id=body.client_id,
        stage=body.stage,
        dataset_types=body.dataset_types,
        manual=body.template_selection == "manual",
        template_overrides=body.template_overrides,
        metadata=body.metadata.model_dump(),
        record_count=body.generation.record_count,
        seed=body.generation.seed,
        locale=body.generation.locale,
        api_client_id=caller.api_client_id,
        request_id=request_id_of(request),
    )

    def accept(session: Session) -> Accepted:
        operation = accept_provisioning(
            session, parts.catalog, wanted, max_record_count=parts.settings.max_record_count
        )
        made = operations.parts_of(session, operation.operation_id)
        return accepted(operation, answers.provisioning(operation, made, links.datasets_of_journey(body.journey_id)))

    return once(request, caller, parts, accept)


@routes.add(
    "GET",
    "/{dataset_id}",
    access=Scope.DATASETS_READ,
    summary="Get a dataset",
    model=Dataset,
    example=examples.DATASET,
    problems=[NOT_FOUND],
    responses={
        200: {"headers": entity_tags.ETAG},
        304: {"description": "The dataset is still the one that `If-None-Match` names.", "headers": entity_tags.ETAG},
    },
    extra={"parameters": [entity_tags.IF_NONE_MATCH]},
)
async def get_dataset(request: Request, dataset_id: UUID, caller: CurrentCaller, parts: Service) -> Response:
    """One dataset, with an `ETag`."""
    row = await reading.find_dataset(parts.looking, dataset_id, customers=caller.customers)
    if row is None:
        raise NotFoundError("Dataset not found", details={"dataset_id": str(dataset_id)})
    answer = JSONAnswer(answers.dataset(row, parts.settings))
    tag = entity_tags.tagged(answer)
    return Response(status_code=304, headers={"ETag": tag}) if entity_tags.unchanged(request, tag) else answer


@routes.add(
    "DELETE",
    "/{dataset_id}",
    access=Scope.DATASETS_WRITE,
    summary="Tear a dataset down",
    status=202,
    model=TeardownAccepted,
    example=examples.TEARDOWN_ACCEPTED,
    problems=[NOT_FOUND, examples.ARCHIVED_ALREADY],
    once=True,
)
def delete_dataset(
    request: Request,
    dataset_id: UUID,
    query: Annotated[TeardownQuery, Query()],
    caller: CurrentCaller,
    parts: Service,
) -> Response:
    """Starts a teardown, or goes on with the one that is under way."""
    return _tear_down(request, parts, caller, dataset_id, reason=query.reason, archive=query.archive)


@routes.add(
    "POST",
    "/{dataset_id}/teardown",
    access=Scope.DATASETS_WRITE,
    summary="Tear a dataset down",
    status=202,
    model=TeardownAccepted,
    example=examples.TEARDOWN_ACCEPTED,
    body_example={"reason": "manual", "archive": True},
    problems=[NOT_FOUND, examples.ARCHIVED_ALREADY],
    once=True,
)
def tear_down_dataset(
    request: Request,
    dataset_id: UUID,
    caller: CurrentCaller,
    parts: Service,
    body: TeardownBody | None = None,
) -> Response:
    """The same as DELETE, for clients that cannot send one."""
    body = body or TeardownBody()
    return _tear_down(request, parts, caller, dataset_id, reason=body.reason, archive=body.archive)


@routes.add(
    "GET",
    "/{dataset_id}/usage",
    access=Scope.DATASETS_READ,
    summary="Get a dataset's usage",
    model=Usage,
    example=examples.USAGE,
    problems=[NOT_FOUND],
)
def get_usage(
    dataset_id: UUID, query: Annotated[UsageQuery, Query()], caller: CurrentCaller, parts: Service
) -> Response:
    """What the connector served, in all and day by day, and what the dataset takes up. `from` and `to` choose days."""
    with parts.database.transaction() as session:
        row = datasets.get_visible(session, dataset_id, customers=caller.customers)
        connector = connectors.of_dataset(session, dataset_id)
        totals = usage.totals(session, dataset_id)
        shown = [day for day in usage.days(session, dataset_id) if _is_shown(day.day, query)]
    storage = parts.storage
    stored = sum(storage.bytes_under(folder(dataset_id)) for folder in (storage.dataset_folder, storage.archive_folder))
    return JSONAnswer(answers.usage(row, connector, totals=totals, shown=shown, storage_bytes=stored))


@routes.add(
    "POST",
    "/{dataset_id}/restore",
    access=Scope.DATASETS_WRITE,
    summary="Restore a dataset",
    status=202,
    model=RestoreAccepted,
    example=examples.RESTORE_ACCEPTED,
    problems=[NOT_FOUND, examples.NO_ARCHIVE],
    once=True,
)
def restore_dataset(request: Request, dataset_id: UUID, caller: CurrentCaller, parts: Service) -> Response:
    """Makes an archived dataset ready again, from its archive: the same id and records, a new connector, new checks."""

    def accept(session: Session) -> Accepted:
        operation = accept_restore(
            session,
            dataset_id,
            customers=caller.customers,
            api_client_id=caller.api_client_id,
            request_id=request_id_of(request),
        )
        return accepted(operation, answers.restore(operation))

    return once(request, caller, parts, accept)


def _is_shown(day: date, query: UsageQuery) -> bool:
    if query.from_ is not None and day < query.from_.date():
        return False
    return query.to is None or datetime.combine(day, time(), UTC) < query.to


def _tear_down(
    request: Request,
    parts: Parts,
    caller: Caller,
    dataset_id: UUID,
    *,
    reason: TeardownReason,
    archive: bool,
) -> Response:
    def accept(session: Session) -> Accepted:
        operation = accept_teardown(
            session,
            dataset_id,
            reason=reason,
            archive=archive,
            customers=caller.customers,
            api_client_id=caller.api_client_id,
            request_id=request_id_of(request),
        )
        return accepted(operation, answers.teardown(operation))

    return once(request, caller, parts, accept)


def accepted(operation: Operation, answer: dict[str, Any]) -> Accepted:
    """The answer 202 of a change that an operation carries out, which is to be launched."""
    headers = {"Location": links.operation(operation.operation_id), "Retry-After": _RETRY_AFTER}
    return Accepted(
        JSONAnswer(answer, status_code=202, headers=headers),
        customer=operation.client_id,
        launch=operation.operation_id,
    )
