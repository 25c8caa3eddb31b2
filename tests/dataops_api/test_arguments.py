"""A route's arguments, taken from the request without the framework: the same values, and the same refusals."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import pytest
from fastapi import APIRouter, Query
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import Request

from dataops_api.arguments import reader_of
from dataops_api.datasets.schemas import ListQuery
from dataops_api.dependencies import CurrentCaller, Service

DATASET = "0b1c4b1e-52a5-4a51-9f5c-8f6f8b3c9d10"


def endpoint(
    request: Request,
    dataset_id: UUID,
    query: Annotated[ListQuery, Query()],
    caller: CurrentCaller,
    parts: Service,
) -> None:
    """Takes all that can be read."""


def listed(tags: Annotated[list[str], Query()]) -> None:
    """Takes a list, which is for the framework."""


def bodied(body: ListQuery) -> None:
    """Takes a body."""


class _Tagged(BaseModel):
    tags: list[str] = []


def tagged(query: Annotated[_Tagged, Query()]) -> None:
    """Takes a model with a list."""


def dependant(function: Any) -> Any:
    router = APIRouter()
    router.add_api_route("/{dataset_id}" if function is endpoint else "/", function, methods=["POST"])
    (route,) = router.routes
    assert isinstance(route, APIRoute)
    return route.dependant


def asked(path: str, query: str) -> Request:
    class App:
        class state:  # noqa: N801
            parts = "the parts"

    return Request(
        {
            "type": "http",
            "path_params": {"dataset_id": path},
            "query_string": query.encode(),
            "headers": [],
            "state": {"caller": "the caller"},
            "app": App,
        }
    )


def test_what_fits_is_read_as_the_framework_reads_it() -> None:
    """C-30."""
    read = reader_of(dependant(endpoint))
    assert read is not None
    request = asked(DATASET, "status=ready&page=3&created_from=2026-01-28T10:00:00%2B02:00&sort=name")
    arguments = read(request)
    assert arguments is not None
    query = arguments.pop("query")
    assert arguments == {
        "request": request,
        "dataset_id": UUID(DATASET),
        "caller": "the caller",
        "parts": "the parts",
    }
    assert isinstance(query, ListQuery)
    assert (query.status, query.page, query.per_page, query.sort) == ("ready", 3, 20, "name")
    assert query.created_from == datetime(2026, 1, 28, 8, tzinfo=UTC)
    assert query.model_fields_set == {"status", "page", "created_from", "sort"}


@pytest.mark.parametrize(
    ("path", "query"),
    [("0b1c", ""), (DATASET, "page=0"), (DATASET, "page="), (DATASET, "status=red"), (DATASET, "created_to=soon")],
)
def test_what_does_not_fit_is_left_to_the_framework(path: str, query: str) -> None:
    """C-5, C-36."""
    read = reader_of(dependant(endpoint))
    assert read is not None
    assert read(asked(path, query)) is None


@pytest.mark.parametrize("function", [listed, bodied, tagged])
def test_routes_that_take_anything_else_are_the_frameworks(function: Any) -> None:
    assert reader_of(dependant(function)) is None
