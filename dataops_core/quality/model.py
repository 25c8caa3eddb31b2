"""What a quality check yields, and how four of them become one score. Pure.

Source: ``docs/contract.md`` C-60 … C-62.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from typing import Any

from dataops_core.lifecycle import CheckStatus, CheckType

THRESHOLD = Decimal("95.0")

WEIGHTS: Mapping[CheckType, Decimal] = {
    CheckType.SCHEMA_VALIDATION: Decimal("0.30"),
    CheckType.DATA_COMPLETENESS: Decimal("0.30"),
    CheckType.CONNECTOR_HEALTH: Decimal("0.25"),
    CheckType.SAMPLE_QUERY_SUCCESS: Decimal("0.15"),
}


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A verdict. ``score`` is a percentage rounded down to two decimals, None where the check could not tell.

    ``details`` is one short sentence without record contents (C-61); ``metrics`` holds the numbers, JSON-serializable.
    """

    check_type: CheckType
    status: CheckStatus
    score: Decimal | None
    details: str
    metrics: Mapping[str, Any] = field(default_factory=dict)


def percentage(part: int, whole: int) -> Decimal:
    """``part`` of ``whole`` in per cent, rounded down to two decimals, never up; 0 of 0 is 0."""
    if whole == 0:
        return Decimal("0.00")
    return (Decimal(part) * 100 / Decimal(whole)).quantize(Decimal("0.01"), rounding=ROUND_DOWN)


def overall_score(scores: Mapping[CheckType, Decimal]) -> Decimal | None:
    """The weighted sum of the scores, rounded down to one decimal; None until every check has a score."""
    if any(check not in scores for check in CheckType):
        return None
    total = sum((WEIGHTS[check] * scores[check] for check in CheckType), Decimal(0))
    return total.quantize(Decimal("0.1"), rounding=ROUND_DOWN)


def meets_threshold(overall: Decimal | None, statuses: Mapping[CheckType, CheckStatus]) -> bool:
    """Overall at least 95.0, and every check passed (C-62)."""
    return (
        overall is not None
        and overall >= THRESHOLD
        and all(statuses.get(check) is CheckStatus.PASSED for check in CheckType)
    )
