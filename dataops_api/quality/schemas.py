"""What requests about quality and their answers look like (``docs/contract.md`` C-60 … C-64)."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StrictBool

from dataops_api.fields import AnswerModel, Given, Moment, RequestModel
from dataops_api.pagination import without_default
from dataops_core.lifecycle import CheckStatus, CheckType

#: So many evaluations are shown unless fewer are asked for.
MOST_HISTORY = 1000


def _some_once(checks: list[CheckType]) -> list[CheckType]:
    if not checks:
        raise ValueError("Must name at least one check")
    if len(set(checks)) != len(checks):
        raise ValueError("Must not name a check twice")
    return checks


class ValidationRequest(RequestModel):
    """Which checks are evaluated, and whether also those that were evaluated lately."""

    checks: Annotated[list[CheckType], AfterValidator(_some_once)] = Field(
        default=list(CheckType), json_schema_extra={"minItems": 1, "uniqueItems": True}
    )
    force_revalidation: StrictBool = False


class HistoryQuery(BaseModel):
    """Which evaluations are shown: the newest of a range."""

    from_: Given[Moment] = Field(default=None, alias="from", description="Executed at this moment or later.")
    to: Given[Moment] = Field(default=None, description="Executed before this moment.")
    check_type: Given[CheckType] = None
    limit: int = Field(default=MOST_HISTORY, ge=1, le=MOST_HISTORY, description="The newest so many of the range.")
    before: Given[UUID] = Field(
        default=None, description="A `check_id`: evaluations before that one, as `_links.older` asks for them."
    )


# --- answers ----------------------------------------------------------------------------------------------------------


class Check(AnswerModel):
    """What a check said last. ``score`` is the percentage of its newest verdict, ``metrics`` are the numbers behind
    ``details``.
    """

    score: float | None
    weight: float
    status: CheckStatus
    details: str | None
    executed_at: datetime | None
    metrics: dict[str, Any]


class Checks(AnswerModel):
    """The four checks."""

    schema_validation: Check
    data_completeness: Check
    connector_health: Check
    sample_query_success: Check


class QualityLinks(AnswerModel):
    """What belongs to a quality score; ``revalidate`` by POST."""

    dataset: str
    revalidate: str
    history: str


class Quality(AnswerModel):
    """A dataset's quality as it stands."""

    dataset_id: UUID
    overall_score: float | None
    meets_threshold: bool
    threshold: float
    calculated_at: datetime | None
    checks: Checks
    links: QualityLinks = Field(alias="_links")


class ValidationLinks(AnswerModel):
    """Where to watch a validation, and where its results show."""

    status: str
    results: str


class ValidationAccepted(AnswerModel):
    """A validation was started, is under way already, or had nothing left to do."""

    operation_id: UUID
    status: Literal["validating"]
    message: str
    estimated_completion: datetime
    links: ValidationLinks = Field(alias="_links")


class PastCheck(AnswerModel):
    """One evaluation of one check; without a score where it could not tell."""

    check_id: UUID
    check_type: CheckType
    score: float | None
    status: CheckStatus
    executed_at: datetime
    duration_ms: int
    details: str
    operation_id: UUID


class HistoryLinks(AnswerModel):
    """Whose history this is, and where it goes on: ``older`` only where the range holds more."""

    dataset: str
    older: str = Field(default="", json_schema_extra=without_default)


class History(AnswerModel):
    """What a dataset's checks said over time, oldest first."""

    dataset_id: UUID
    history: list[PastCheck]
    links: HistoryLinks = Field(alias="_links")
