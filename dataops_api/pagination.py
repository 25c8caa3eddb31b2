"""Pages of lists: the ``pagination`` object and the links between pages (``docs/contract.md`` C-31, C-32)."""

from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import urlencode

from pydantic import Field

from dataops_api.fields import AnswerModel

#: The highest page number that may be asked for: with 100 rows a page, far from where a bigint ends.
LAST_PAGE = 2**31 - 1


class PageQuery(Protocol):
    """A list's query as far as pages go."""

    page: int
    per_page: int

    @property
    def model_fields_set(self) -> set[str]:
        """The names of the parameters that were given."""
        ...


class Pagination(AnswerModel):
    """Where a page stands among all."""

    page: int = Field(ge=1, examples=[1])
    per_page: int = Field(ge=1, le=100, examples=[20])
    total_pages: int = Field(ge=0, examples=[1])
    total_count: int = Field(ge=0, examples=[1])


def without_default(schema: dict[str, Any]) -> None:
    """For a field that an answer may leave out, so that its schema names no default that is never sent."""
    schema.pop("default", None)


class PageLinks(AnswerModel):
    """Links between pages; ``prev`` and ``next`` only where there is such a page."""

    self_: str = Field(alias="self")
    first: str
    prev: str = Field(default="", json_schema_extra=without_default)
    next: str = Field(default="", json_schema_extra=without_default)
    last: str


def pagination(query: PageQuery, total: int) -> dict[str, int]:
    """The ``pagination`` object of a list with so many rows."""
    return {
        "page": query.page,
        "per_page": query.per_page,
        "total_pages": pages_of(query, total),
        "total_count": total,
    }


def page_links(path: str, query: PageQuery, filters: Mapping[str, Any], total: int) -> dict[str, str]:
    """The links of a page, each with every filter that was given; ``per_page`` where it was given."""
    given = [(name, str(value)) for name, value in filters.items() if value is not None]
    sized = [("per_page", str(query.per_page))] if "per_page" in query.model_fields_set else []

    def link(page: int) -> str:
        return f"{path}?{urlencode([*given, ('page', str(page)), *sized])}"

    last = max(1, pages_of(query, total))
    links = {"self": link(query.page), "first": link(1)}
    if query.page > 1:
        links["prev"] = link(min(query.page - 1, last))
    if query.page < last:
        links["next"] = link(query.page + 1)
    return links | {"last": link(last)}


def pages_of(query: PageQuery, total: int) -> int:
    """How many pages there are: 0 where there are no rows."""
    return -(-total // query.per_page)
