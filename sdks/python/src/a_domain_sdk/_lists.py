"""What lists answer: their items, and how to ask for more. Pure."""

from __future__ import annotations

from typing import Any, ClassVar, Generic, TypeVar
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, ConfigDict, Field

from a_domain_sdk.models import AuditEntry, Dataset, OperationState, PastCheck, Recommendation, Template

T = TypeVar("T")


class Pagination(BaseModel):
    """Where a page stands among all."""

    page: int
    per_page: int
    total_pages: int
    total_count: int


class Numbered(BaseModel, Generic[T]):
    """A page with a number."""

    model_config = ConfigDict(defer_build=True)

    items: list[T]
    pagination: Pagination


class DatasetList(Numbered[Dataset]):
    """Of datasets."""

    items: list[Dataset] = Field(alias="datasets")


class OperationList(Numbered[OperationState]):
    """Of operations."""

    items: list[OperationState] = Field(alias="operations")


class RecordList(Numbered[dict[str, Any]]):
    """Of a dataset's records."""

    items: list[dict[str, Any]] = Field(alias="records")


class Linked(BaseModel, Generic[T]):
    """A page whose answer holds the link to the one after it."""

    model_config = ConfigDict(defer_build=True)

    onward: ClassVar[str] = "next"

    items: list[T]
    links: dict[str, str | None] = Field(default_factory=dict, alias="_links")

    @property
    def next_query(self) -> dict[str, str] | None:
        """The query of the page after this one, None where this is the last."""
        link = self.links.get(self.onward)
        return dict(parse_qsl(urlsplit(link).query)) if link else None


class AuditList(Linked[AuditEntry]):
    """Of the audit log."""

    items: list[AuditEntry] = Field(alias="entries")


class History(Linked[PastCheck]):
    """Of what a dataset's checks said."""

    onward: ClassVar[str] = "older"

    items: list[PastCheck] = Field(alias="history")


class TemplateList(BaseModel):
    """All templates that match."""

    model_config = ConfigDict(defer_build=True)

    templates: list[Template] = Field(default_factory=list)


class Recommendations(BaseModel):
    """A recommendation for each type."""

    model_config = ConfigDict(defer_build=True)

    recommendations: list[Recommendation] = Field(default_factory=list)
