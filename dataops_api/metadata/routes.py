"""Changing a dataset's metadata, and nothing else of it (``docs/contract.md`` C-7, C-50)."""

from uuid import UUID

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from dataops_api import entity_tags, links
from dataops_api.datasets import answers, examples
from dataops_api.datasets.routes import NOT_FOUND
from dataops_api.datasets.schemas import Dataset
from dataops_api.dependencies import CurrentCaller, Parts, Service
from dataops_api.metadata.schemas import DatasetChange
from dataops_api.rendering import JSONAnswer
from dataops_api.routing import Problem, Routes
from dataops_core import metadata
from dataops_core.registry import datasets, reading
from dataops_core.scopes import Scope

routes = Routes(links.DATASETS, tag="Datasets")


@routes.add(
    "PATCH",
    "/{dataset_id}",
    access=Scope.DATASETS_WRITE,
    summary="Change a dataset's metadata",
    model=Dataset,
    example=examples.DATASET,
    body_example={"metadata": {"tags": ["updated", "validated"], "custom_field": "value"}},
    problems=[
        NOT_FOUND,
        Problem(
            "INVALID_REQUEST", "Request validation failed", {"metadata.industry": "Is fixed; it cannot be changed"}
        ),
        Problem("PRECONDITION_FAILED", "The dataset has changed since", {"etag": '"9b74c9897bac770ffc029102a200c5de"'}),
    ],
    responses={200: {"headers": entity_tags.ETAG}},
    extra={"parameters": [entity_tags.IF_MATCH]},
)
def change_metadata(
    request: Request, dataset_id: UUID, body: DatasetChange, caller: CurrentCaller, parts: Service
) -> Response:
    """Replaces tags, merges everything else, and answers the dataset. Works in every status."""
    change = body.metadata.model_dump(exclude_unset=True)
    with parts.database.transaction() as session:
        # From here on nobody else changes it: what is compared with the condition is what is changed.
        row = datasets.get_visible(session, dataset_id, customers=caller.customers, lock=True)
        answer, tag = _shown(session, dataset_id, parts)
        entity_tags.require_match(request, tag)
        changed = metadata.merged(row.meta, change)
        if not metadata.same(changed, row.meta):
            datasets.say(session, dataset_id, changed)
            answer, _ = _shown(session, dataset_id, parts)
    return answer


def _shown(session: Session, dataset_id: UUID, parts: Parts) -> tuple[Response, str]:
    """The dataset as this transaction sees it, and its tag."""
    answer = JSONAnswer(answers.dataset(reading.locked_dataset(session.connection(), dataset_id), parts.settings))
    return answer, entity_tags.tagged(answer)
