"""What answers about quality look like (``docs/contract.md`` C-60, C-61)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from dataops_api.fields import AnswerModel
from dataops_core.lifecycle import CheckStatus


class Check(AnswerModel):
    """The newest verdict of one check. ``score`` is a percentage, ``metrics`` the numbers behind ``details``."""

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
    """What belongs to a quality score."""

    dataset: str


class Quality(AnswerModel):
    """A dataset's quality as it stands."""

    dataset_id: UUID
    overall_score: float | None
    meets_threshold: bool
    threshold: float
    calculated_at: datetime | None
    checks: Checks
    links: QualityLinks = Field(alias="_links")
