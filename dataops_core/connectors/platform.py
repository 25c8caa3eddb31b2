"""The wire form of search: Glean's Platform API, version 2026-04-01, as both sides of this product speak it.

Belongs here: requests, answers and problems, each as strict as the published specification (no unknown members). Does
not belong here: how a question is answered, and HTTP itself.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from dataops_core.connectors.embedded.search import Operator

Text = Annotated[str, StringConstraints(min_length=1)]

#: Filter fields that the specification names; they take EQUALS and NOT_EQUALS only.
BUILT_IN_FIELDS = frozenset(
    {
        "type",
        "owner",
        "from",
        "author",
        "channel",
        "status",
        "assignee",
        "reporter",
        "component",
        "mentions",
        "collection",
    }
)
#: Built-in fields whose values are people: mail addresses or display names.
USER_FIELDS = frozenset({"owner", "from", "author", "assignee", "reporter", "mentions"})

ProblemCode = Literal[
    "invalid_request",
    "missing_required_field",
    "invalid_parameter",
    "invalid_cursor",
    "expired_cursor",
    "invalid_filter",
    "invalid_datasource",
    "authentication_required",
    "token_expired",
    "insufficient_permissions",
    "spend_limit_exceeded",
    "resource_not_found",
    "method_not_allowed",
    "request_timeout",
    "request_too_large",
    "token_limit_exceeded",
    "conflict",
    "gone",
    "unprocessable_query",
    "tools_unauthorized",
    "rate_limit_exceeded",
    "internal_error",
    "service_unavailable",
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _is_text(value: object) -> object:
    """JSON has no times: only text is one."""
    if not isinstance(value, str | datetime):
        raise ValueError("must be a date-time in ISO 8601")  # noqa: TRY004  pydantic turns ValueError into its report
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_is_text)]


class Filter(_Strict):
    """One condition. Values of EQUALS are alternatives, those of NOT_EQUALS are excluded, a range has one."""

    field: Text
    values: Annotated[list[Text], Field(min_length=1, max_length=100)]
    operator: Operator = Operator.EQUALS


class TimeRange(_Strict):
    """Bounds of the last change, ``end`` exclusive."""

    start: Moment | None = None
    end: Moment | None = None


class SearchRequest(_Strict):
    """The body of ``POST /api/search``."""

    query: Text
    page_size: Annotated[int, Field(ge=1, le=100, strict=True)] = 10
    cursor: str | None = None
    datasources: Annotated[list[Text], Field(min_length=1, max_length=100)] | None = None
    filters: Annotated[list[Filter], Field(min_length=1, max_length=50)] | None = None
    time_range: TimeRange | None = None


class PersonReference(BaseModel):
    """Somebody that a result points at."""

    model_config = ConfigDict(frozen=True)

    id: str | None = None
    name: str


class Result(_Strict):
    """One result."""

    url: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9+.-]*:\S+$")]
    title: Text
    datasource: Text
    snippets: tuple[Text, ...] = ()
    document_type: Text | None = None
    creator: PersonReference | None = None
    owner: PersonReference | None = None
    created_at: Moment | None = None
    updated_at: Moment | None = None


class SearchWarning(_Strict):
    """Something worth knowing about an answer that is none the less one."""

    code: Text
    message: Text


class SearchResponse(_Strict):
    """The answer of ``POST /api/search``."""

    results: tuple[Result, ...]
    has_more: bool
    next_cursor: str | None
    request_id: Text
    warnings: tuple[SearchWarning, ...]


class FilterField(_Strict):
    """A field that a search can be narrowed by."""

    field: Text
    type: Text
    operators: Annotated[tuple[Operator, ...], Field(min_length=1)]
    values: tuple[Text, ...] | None = None


class DatasourceFilters(_Strict):
    """The fields of one data source."""

    datasource: Text
    filters: tuple[FilterField, ...]


class FiltersResponse(_Strict):
    """The answer of ``GET /api/search/filters``."""

    datasources: tuple[DatasourceFilters, ...]
    request_id: Text


class ProblemError(_Strict):
    """What is wrong with one field; ``pointer`` is a JSON pointer."""

    pointer: str
    detail: str


class Problem(_Strict):
    """An error, as ``application/problem+json``."""

    type: str
    title: str
    status: int
    detail: str
    code: ProblemCode
    request_id: str
    errors: tuple[ProblemError, ...] | None = None


class Metadata(_Strict):
    """What a connector says about itself at its endpoint (``GET {endpoint_url}``); no part of Glean's form.

    Count and digest are read from the index file at that moment; ``state`` is ``damaged`` where it cannot be read.
    """

    connector_id: str
    kind: str
    status: str
    state: Literal["empty", "serving", "damaged"]
    generation: str | None
    document_count: int
    id_digest: str
    index_bytes: int
    datasource: str | None
