"""What lists answer: their items, and how to ask for more. Pure."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol, TypeVar
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, ConfigDict, Field

from a_domain_sdk.models import AuditEntry, Dataset, OperationState, PastCheck, Recommendation, Template

T = TypeVar("T")


class _Answer(BaseModel):
    # As with models: built when first read.
    model_config = ConfigDict(defer_build=True)


class Pagination(_Answer):
    """Where a page stands among all."""

    page: int
    per_page: int
    total_pages: int
    total_count: int


class Numbered(Protocol[T]):
    """A page with a number."""

    items: list[T]
    pagination: Pagination


class DatasetList(_Answer):
    """Of datasets."""

    items: list[Dataset] = Field(alias="datasets")
    pagination: Pagination


class OperationList(_Answer):
    """Of operations."""

    items: list[OperationState] = Field(alias="operations")
    pagination: Pagination


class RecordList(_Answer):
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


class _LinkedAnswer(_Answer):
    onward: ClassVar[str] = "next"

    links: dict[str, str | None] = Field(default_factory=dict, alias="_links")

    @property
    def next_query(self) -> dict[str, str] | None:
        """The query of the link."""
        link = self.links.get(self.onward)
        return dict(parse_qsl(urlsplit(link).query)) if link else None


class AuditList(_LinkedAnswer):
    """Of the audit log."""

    items: list[AuditEntry] = Field(alias="entries")


class History(_LinkedAnswer):
    """Of what a dataset's checks said."""

    onward: ClassVar[str] = "older"

    items: list[PastCheck] = Field(alias="history")


class TemplateList(_Answer):
    """All templates that match."""

    templates: list[Template] = Field(default_factory=list)


class Recommendations(_Answer):
    """A recommendation for each type."""

    recommendations: list[Recommendation] = Field(default_factory=list)
