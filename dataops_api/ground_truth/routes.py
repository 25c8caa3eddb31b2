"""A dataset's ground truth: pages of questions with their answers, or all of it as BEIR has data sets (C-57)."""

import hashlib
from typing import Annotated
from uuid import UUID

import orjson
from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from dataops_api import entity_tags, links
from dataops_api.auth.authority import Caller
from dataops_api.datasets import examples
from dataops_api.dependencies import CurrentCaller, Parts, Service
from dataops_api.errors import invalid_request
from dataops_api.ground_truth.schemas import MEDIA_TYPES, GroundTruthFormat, GroundTruthPage, GroundTruthQuery
from dataops_api.negotiation import preferred
from dataops_api.pagination import page_links, pagination
from dataops_api.records.routes import READY_ALONE, STREAM_HEADERS, open_records, read_ready
from dataops_api.records.streams import RecordStream, attachment
from dataops_api.rendering import JSONAnswer
from dataops_api.routing import Routes
from dataops_core.dataset_types.stored import StoredRecords
from dataops_core.ground_truth import beir
from dataops_core.ground_truth.model import GroundTruth
from dataops_core.registry.tables import Dataset
from dataops_core.scopes import Scope

routes = Routes(links.DATASETS, tag="Datasets")

#: Defects that an answer shows: hundreds of thousands of records have tens of thousands.
_MOST_DEFECTS = 1000

_PATH = links.ground_truth(UUID(examples.DATASET_ID))
_EXAMPLE = {
    "queries": [
        {
            "query_id": "multi-hop-001",
            "text": "Who is the author of the page that names ANC-241, and when was that issue opened?",
            "expected": [
                {
                    "document_id": "772024002",
                    "url": "https://wiki.rowangrove-labs.example/wiki/spaces/ANC/pages/772024002/Ledger",
                }
            ],
            "kind": "multi_hop",
            "filters": [],
            "answer": "Rickey Figueroa; 2026-01-28",
            "elsewhere": [
                {
                    "dataset_type": "jira_issues",
                    "document_id": "ANC-241",
                    "url": "https://jira.rowangrove-labs.example/browse/ANC-241",
                }
            ],
            "in_quality_check": False,
        }
    ],
    "defects": [
        {
            "record_id": "772024387",
            "kind": "near_duplicate",
            "related_record_id": "772023911",
            "detail": {},
        }
    ],
    "pagination": {"page": 1, "per_page": 1, "total_pages": 23, "total_count": 23},
    "_links": {
        "self": f"{_PATH}?kind=multi_hop&page=1&per_page=1",
        "first": f"{_PATH}?kind=multi_hop&page=1&per_page=1",
        "next": f"{_PATH}?kind=multi_hop&page=2&per_page=1",
        "last": f"{_PATH}?kind=multi_hop&page=23&per_page=1",
    },
}


@routes.add(
    "GET",
    "/{dataset_id}/ground-truth",
    access=Scope.DATASETS_READ,
    summary="Get a dataset's ground truth",
    model=GroundTruthPage,
    example=_EXAMPLE,
    problems=READY_ALONE,
    responses={
        200: {
            "headers": STREAM_HEADERS,
            "content": {
                MEDIA_TYPES[GroundTruthFormat.BEIR]: {
                    "schema": {
                        "type": "string",
                        "format": "binary",
                        "description": "A zip: `corpus.jsonl`, `queries.jsonl`, `qrels/test.tsv`, `defects.jsonl`.",
                    },
                    "example": "PK…",
                },
            },
        },
        304: {
            "description": "The ground truth is still the one that `If-None-Match` names.",
            "headers": entity_tags.ETAG,
        },
    },
    extra={"parameters": [entity_tags.IF_NONE_MATCH]},
)
def get_ground_truth(
    request: Request,
    dataset_id: UUID,
    query: Annotated[GroundTruthQuery, Query()],
    caller: CurrentCaller,
    parts: Service,
) -> Response:
    """Questions about the dataset whose answers are known: pages of JSON, or all with the documents in BEIR's form.

    `format`, else `Accept` (`application/zip`), says which. Made when it is first asked for.
    """
    wanted = query.format or _accepted(request)
    if wanted is not GroundTruthFormat.JSON:
        misplaced = query.model_fields_set & {"kind", "page", "per_page"}
        if misplaced:
            raise invalid_request(dict.fromkeys(misplaced, f"Goes with format=json; {wanted} has all questions"))
        return _archive(request, dataset_id, caller, parts)
    _, (content, defects) = read_ready(
        parts, caller, dataset_id, lambda parts, dataset: parts.ground_truths.of(dataset)
    )
    found = GroundTruth.from_jsonl(content).of_kind(query.kind)
    start = (query.page - 1) * query.per_page
    shown = {name: value for name in ("format", "kind") if (value := getattr(query, name)) is not None}
    answer = JSONAnswer(
        {
            "queries": [question.shown for question in found[start : start + query.per_page]],
            "defects": [orjson.loads(line) for line in (defects or b"").splitlines()[:_MOST_DEFECTS]],
            "pagination": pagination(query, len(found)),
            "_links": page_links(links.ground_truth(dataset_id), query, shown, len(found)),
        }
    )
    headers = {"ETag": entity_tags.tag_of(bytes(answer.body)), "Vary": "Accept"}
    if entity_tags.unchanged(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    answer.headers.update(headers)
    return answer


def _archive(request: Request, dataset_id: UUID, caller: Caller, parts: Parts) -> Response:
    dataset, (stored, content, defects) = read_ready(parts, caller, dataset_id, _opened)
    told = f"{dataset.name}/{dataset.records_sha256}/".encode() + content + (defects or b"")
    digest = hashlib.sha256(told).hexdigest()[:32]
    headers = {"ETag": f'"{digest}.{GroundTruthFormat.BEIR}"', "Vary": "Accept"}
    if entity_tags.unchanged(request, headers["ETag"]):
        stored.close()
        return Response(status_code=304, headers=headers)
    headers["Content-Disposition"] = attachment(f"{dataset.name}.beir.zip")
    pieces = beir.archive(GroundTruth.from_jsonl(content), stored.documents(range(stored.group_count)), defects)
    return RecordStream(stored, pieces, media_type=MEDIA_TYPES[GroundTruthFormat.BEIR], headers=headers)


def _opened(parts: Parts, dataset: Dataset) -> tuple[StoredRecords, bytes, bytes | None]:
    content, defects = parts.ground_truths.of(dataset)
    return open_records(parts, dataset), content, defects


def _accepted(request: Request) -> GroundTruthFormat:
    accept = ",".join(request.headers.getlist("accept"))
    found = preferred(accept, tuple(MEDIA_TYPES.values()))
    return next(one for one, media_type in MEDIA_TYPES.items() if media_type == found)
