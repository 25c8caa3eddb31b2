"""A dataset's records: pages of JSON, or all of them as a stream (``docs/contract.md`` C-56).

A stream reads from a file that it has opened before it answers: a teardown takes the file's name away, not what is
being read. What breaks a stream nevertheless breaks the connection, so that nobody takes a part for the whole.
"""

import json
from collections.abc import Callable
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dataops_api import entity_tags, links
from dataops_api.auth.authority import Caller
from dataops_api.datasets import examples
from dataops_api.datasets.routes import NOT_FOUND
from dataops_api.dependencies import CurrentCaller, Parts, Service
from dataops_api.errors import invalid_request
from dataops_api.negotiation import preferred
from dataops_api.pagination import page_links, pagination
from dataops_api.records.schemas import MEDIA_TYPES, RecordPage, RecordsFormat, RecordsQuery
from dataops_api.records.streams import RecordStream, attachment
from dataops_api.routing import Problem, Routes
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.dataset_types.stored import StoredRecords
from dataops_core.errors import ConflictError, GoneError, StorageError
from dataops_core.lifecycle import DatasetStatus
from dataops_core.registry import datasets
from dataops_core.registry.tables import Dataset
from dataops_core.scopes import Scope
from dataops_core.storage import RECORDS_FILE

_Read = TypeVar("_Read")

routes = Routes(links.DATASETS, tag="Datasets")

_PATH = links.records(UUID(examples.DATASET_ID))
_EXAMPLE = {
    "records": [
        {
            "id": "10001",
            "status": "current",
            "title": "How we roll a release back",
            "spaceId": "20001",
            "createdAt": "2025-11-03T09:12:44.000Z",
            "version": {"number": 3, "createdAt": "2025-12-01T15:02:10.000Z"},
            "body": {"storage": {"representation": "storage", "value": "<p>Find the last good build.</p>"}},
        }
    ],
    "pagination": {"page": 1, "per_page": 1, "total_pages": 500, "total_count": 500},
    "_links": {
        "self": f"{_PATH}?page=1&per_page=1",
        "first": f"{_PATH}?page=1&per_page=1",
        "next": f"{_PATH}?page=2&per_page=1",
        "last": f"{_PATH}?page=500&per_page=1",
    },
}
#: Of streams alone.
STREAM_HEADERS = {
    **entity_tags.ETAG,
    "Content-Disposition": {"description": "A file name for a stream.", "schema": {"type": "string"}},
}

#: What is said where a dataset is not ready.
READY_ALONE = [
    NOT_FOUND,
    Problem(
        "CONFLICT",
        "Dataset is not ready: it is provisioning",
        {"dataset_id": examples.DATASET_ID, "status": "provisioning"},
    ),
    Problem("GONE", "Dataset is archived: its records are gone", {"dataset_id": examples.DATASET_ID}),
]


@routes.add(
    "GET",
    "/{dataset_id}/records",
    access=Scope.DATASETS_READ,
    summary="Get a dataset's records",
    model=RecordPage,
    example=_EXAMPLE,
    problems=READY_ALONE,
    responses={
        200: {
            "headers": STREAM_HEADERS,
            "content": {
                MEDIA_TYPES[RecordsFormat.NDJSON]: {
                    "schema": {
                        "type": "string",
                        "description": "One JSON object a line, as `records` of a page has it.",
                    },
                    "example": '{"id":"10001","status":"current"}\n{"id":"10002","status":"current"}\n',
                },
                MEDIA_TYPES[RecordsFormat.PARQUET]: {
                    "schema": {"type": "string", "format": "binary", "description": "The file as it is stored."},
                    "example": "PAR1…PAR1",
                },
            },
        },
        304: {
            "description": "The records are still those that `If-None-Match` names (streams only).",
            "headers": entity_tags.ETAG,
        },
    },
    extra={"parameters": [entity_tags.IF_NONE_MATCH]},
)
def get_records(
    request: Request,
    dataset_id: UUID,
    query: Annotated[RecordsQuery, Query()],
    caller: CurrentCaller,
    parts: Service,
) -> Response:
    """The records in the vendor's shape: pages of JSON, or all of them as NDJSON or as the stored Parquet.

    `format`, else `Accept`, says which. NDJSON and Parquet come as an attachment with an `ETag`.
    """
    wanted = query.format or _accepted(request)
    if wanted is not RecordsFormat.JSON:
        misplaced = query.model_fields_set & {"page", "per_page"}
        if misplaced:
            raise invalid_request(dict.fromkeys(misplaced, f"Goes with format=json; {wanted} has all records"))
    dataset, stored = read_ready(parts, caller, dataset_id, open_records)
    if wanted is RecordsFormat.JSON:
        with stored:
            found = stored.page((query.page - 1) * query.per_page, query.per_page)
        shown = {"format": query.format.value if query.format is not None else None}
        return JSONResponse(
            {
                "records": found,
                "pagination": pagination(query, stored.count),
                "_links": page_links(links.records(dataset_id), query, shown, stored.count),
            },
            headers={"Vary": "Accept"},
        )
    headers = {"Vary": "Accept"}
    if dataset.records_sha256 is not None:
        headers["ETag"] = f'"{dataset.records_sha256}.{wanted}"'
        if entity_tags.unchanged(request, headers["ETag"]):
            stored.close()
            return Response(status_code=304, headers=headers)
    headers["Content-Disposition"] = attachment(f"{dataset.name}.{wanted}")
    if wanted is RecordsFormat.PARQUET:
        headers["Content-Length"] = str(stored.size)
        pieces = stored.raw()
    else:
        pieces = map(_lines, stored.blocks())
    return RecordStream(stored, pieces, media_type=MEDIA_TYPES[wanted], headers=headers)


def _accepted(request: Request) -> RecordsFormat:
    accept = ",".join(request.headers.getlist("accept"))
    found = preferred(accept, tuple(MEDIA_TYPES.values()))
    return next(one for one, media_type in MEDIA_TYPES.items() if media_type == found)


def read_ready(
    parts: Parts, caller: Caller, dataset_id: UUID, read: Callable[[Parts, Dataset], _Read]
) -> tuple[Dataset, _Read]:
    """The ready dataset and what is read of its files.

    Raises NotFoundError, ConflictError, GoneError, StorageError.
    """
    dataset = _ready(parts, caller, dataset_id)
    try:
        return dataset, read(parts, dataset)
    except StorageError:
        # Between the look at the registry and the look at the files they may have been replaced or torn down.
        looked_in = dataset.records_path
        dataset = _ready(parts, caller, dataset_id)
        if dataset.records_path == looked_in:
            raise
        return dataset, read(parts, dataset)


def _ready(parts: Parts, caller: Caller, dataset_id: UUID) -> Dataset:
    with parts.database.transaction() as session:
        dataset = datasets.get_visible(session, dataset_id, customers=caller.customers)
    if dataset.status is DatasetStatus.ARCHIVED:
        raise GoneError("Dataset is archived: its records are gone", details={"dataset_id": str(dataset_id)})
    if dataset.status is not DatasetStatus.READY:
        raise ConflictError(
            f"Dataset is not ready: it is {dataset.status}",
            details={"dataset_id": str(dataset_id), "status": dataset.status.value},
        )
    return dataset


def open_records(parts: Parts, dataset: Dataset) -> StoredRecords:
    """The dataset's records, to be closed. Raises StorageError."""
    if dataset.records_path is None:
        raise StorageError("The dataset has no records.")
    path = parts.storage.path(f"{dataset.records_path}/{RECORDS_FILE}")
    return StoredRecords(parts.storage.filesystem, path, DATASET_TYPES[dataset.dataset_type])


def _lines(block: list[dict[str, object]]) -> bytes:
    """The records, one a line, as compact JSON."""
    lines = (json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":")) for record in block)
    return "".join(f"{line}\n" for line in lines).encode()
