"""How good datasets are, and were."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from pydantic import Field

from a_domain_sdk._lists import LinkedAnswer
from a_domain_sdk.models.base import Linked, Model
from a_domain_sdk.models.words import CheckStatus, CheckType


class QualityCheck(Model):
    """One check's newest result. ``score`` is 0 to 100; None, with status ``pending``, before the first evaluation."""

    score: float | None = None
    weight: float
    status: CheckStatus | str
    details: str | None = None
    executed_at: datetime | None = None
    metrics: dict[str, Any] = Field(default_factory=dict)


class QualityChecks(Model):
    """The four checks."""

    schema_validation: QualityCheck
    data_completeness: QualityCheck
    connector_health: QualityCheck
    sample_query_success: QualityCheck


class Quality(Linked):
    """How good a dataset is, over the newest result of each check."""

    dataset_id: str
    overall_score: float | None = None
    meets_threshold: bool
    threshold: float
    calculated_at: datetime | None = None
    checks: QualityChecks


class PastCheck(Model):
    """One evaluation of one check. ``score`` is None where it could not tell."""

    check_id: str
    check_type: CheckType | str
    score: float | None = None
    status: CheckStatus | str
    executed_at: datetime
    duration_ms: int
    details: str | None = None
    operation_id: str | None = None


class History(LinkedAnswer):
    """Of what a dataset's checks said."""

    onward: ClassVar[str] = "older"

    items: list[PastCheck] = Field(alias="history")
