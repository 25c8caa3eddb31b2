"""What lists answer: how to ask for more. Pure. The lists themselves are beside their items, in ``models``."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol, TypeVar
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, ConfigDict, Field

T = TypeVar("T")


class Answer(BaseModel):
    """What is read and taken apart at once. As with models: built when first read."""

    model_config = ConfigDict(defer_build=True)


class Pagination(Answer):
    """Where a page stands among all."""

    page: int
    per_page: int
    total_pages: int
    total_count: int


class Numbered(Protocol[T]):
    """A page with a number."""

    items: list[T]
    pagination: Pagination


class RecordList(Answer):
    """Of a dataset's records."""

    items: list[dict[str, Any]] = Field(alias="records")
    pagination: Pagination


class Linked(Protocol[T]):
    """A page whose answer holds the link to the one after it."""

    items: list[T]

    @property
    def next_query(self) -> dict[str, str] | None:
        """The query of the page after this one, None where this is the last."""
        ...


class LinkedAnswer(Answer):
    """A list that links the page after it by ``onward``."""

    onward: ClassVar[str] = "next"

    links: dict[str, str | None] = Field(default_factory=dict, alias="_links")

    @property
    def next_query(self) -> dict[str, str] | None:
        """The query of the link."""
        link = self.links.get(self.onward)
        return dict(parse_qsl(urlsplit(link).query)) if link else None
