"""Scores and the threshold: decimal arithmetic, rounded down, and every check must pass (C-60, C-62)."""

from decimal import Decimal

import pytest

from dataops_core.lifecycle import CheckStatus, CheckType
from dataops_core.quality.model import meets_threshold, overall_score, percentage

ALL_PASSED = dict.fromkeys(CheckType, CheckStatus.PASSED)


def scores(schema: str, completeness: str, connector: str, queries: str) -> dict[CheckType, Decimal]:
    values = (schema, completeness, connector, queries)
    order = (
        CheckType.SCHEMA_VALIDATION,
        CheckType.DATA_COMPLETENESS,
        CheckType.CONNECTOR_HEALTH,
        CheckType.SAMPLE_QUERY_SUCCESS,
    )
    return {check: Decimal(value) for check, value in zip(order, values, strict=True)}


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        (490, 500, "98.00"),
        (2, 3, "66.66"),
        (9796, 10000, "97.96"),
        (99999, 100000, "99.99"),
        (7, 7, "100.00"),
        (0, 0, "0.00"),
    ],
)
def test_a_percentage_is_rounded_down(part: int, whole: int, expected: str) -> None:
    """C-60: 99.999 is not 100."""
    assert percentage(part, whole) == Decimal(expected)
    assert str(percentage(part, whole)) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("100", "98", "100", "100"), "99.4"),  # the reference prints 98.5, which its own weights do not give
        (("100", "100", "100", "90"), "98.5"),
        (("100", "99.99", "100", "100"), "99.9"),
        (("33.33", "33.33", "33.33", "33.33"), "33.3"),
        (("100", "100", "100", "100"), "100.0"),
        (("0", "0", "0", "0"), "0.0"),
    ],
)
def test_the_overall_score_is_the_weighted_sum_rounded_down(given: tuple[str, str, str, str], expected: str) -> None:
    """C-60."""
    assert str(overall_score(scores(*given))) == expected


def test_there_is_no_overall_score_before_every_check_has_one() -> None:
    """C-60."""
    partial = scores("100", "100", "100", "100")
    del partial[CheckType.CONNECTOR_HEALTH]
    assert overall_score(partial) is None
    assert not meets_threshold(None, ALL_PASSED)


def test_a_failed_check_misses_the_threshold_though_the_overall_score_is_above_it() -> None:
    """C-62: nine of ten queries cost 1.5 points only."""
    overall = overall_score(scores("100", "100", "100", "90"))
    assert overall == Decimal("98.5")
    assert not meets_threshold(overall, {**ALL_PASSED, CheckType.SAMPLE_QUERY_SUCCESS: CheckStatus.FAILED})


@pytest.mark.parametrize("status", [CheckStatus.FAILED, CheckStatus.ERROR, CheckStatus.PENDING])
@pytest.mark.parametrize("check", list(CheckType))
def test_every_check_must_have_passed(check: CheckType, status: CheckStatus) -> None:
    """C-62."""
    assert not meets_threshold(Decimal("100.0"), {**ALL_PASSED, check: status})


def test_the_threshold_includes_95() -> None:
    """C-62."""
    assert meets_threshold(Decimal("95.0"), ALL_PASSED)
    assert not meets_threshold(Decimal("94.9"), ALL_PASSED)
