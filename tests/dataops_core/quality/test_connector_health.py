"""Connector health: every required probe, definite faults before doubts, and a status that follows (C-61, C-62)."""

from collections.abc import Sequence
from decimal import Decimal

import pytest

from dataops_core.connectors.protocol import ProbeOutcome, ProbeResult
from dataops_core.lifecycle import CheckStatus, Finding
from dataops_core.quality.connector_health import check_connector, finding_of

PASSED, FAILED = ProbeOutcome.PASSED, ProbeOutcome.FAILED
INDETERMINATE, SKIPPED = ProbeOutcome.INDETERMINATE, ProbeOutcome.SKIPPED
REQUIRED = (
    "connect",
    "auth_index",
    "auth_search",
    "auth_rejects",
    "config_matches",
    "latency",
    "doc_parity",
    "last_upload",
)


def probes(latency_ms: float = 12.0, optional: ProbeOutcome = PASSED, **outcomes: ProbeOutcome) -> list[ProbeResult]:
    """All probes; those named have another outcome than passed."""
    made = [
        ProbeResult(name, True, outcomes.get(name, PASSED), latency_ms if name == "latency" else 4.0, f"{name} said so")
        for name in REQUIRED
    ]
    return [*made, ProbeResult("token_expiry", False, optional, 0.0, "expires in 3 days")]


def test_a_healthy_connector_passes_with_its_worst_response_time() -> None:
    """C-61."""
    result = check_connector(probes(latency_ms=1180.0))
    assert (result.status, result.score) == (CheckStatus.PASSED, Decimal("100.00"))
    assert result.details == "Connector healthy, response time 1.2s"
    assert result.metrics["response_seconds"] == 1.18


@pytest.mark.parametrize(
    ("latency_ms", "shown"), [(4.1, "0.1s"), (1200.0, "1.2s"), (1200.1, "1.3s"), (100.0, "0.1s"), (4999.9, "5.0s")]
)
def test_the_response_time_is_rounded_up(latency_ms: float, shown: str) -> None:
    assert check_connector(probes(latency_ms)).details.endswith(f"response time {shown}")


def test_failed_probes_are_named_and_lower_the_score() -> None:
    """C-62."""
    result = check_connector(probes(auth_rejects=FAILED, doc_parity=FAILED))
    assert (result.status, result.score) == (CheckStatus.FAILED, Decimal("75.00"))
    assert result.details == "Connector unhealthy: auth_rejects, doc_parity failed"
    assert {probe["probe"] for probe in result.metrics["probes"] if probe["outcome"] == "failed"} == {
        "auth_rejects",
        "doc_parity",
    }


@pytest.mark.parametrize("outcome", [INDETERMINATE, SKIPPED])
def test_a_probe_that_could_not_tell_makes_the_check_an_error_without_a_score(outcome: ProbeOutcome) -> None:
    """C-62: nothing is called failed."""
    result = check_connector(probes(latency=outcome))
    assert (result.status, result.score) == (CheckStatus.ERROR, None)
    assert result.details == "Connector could not be checked: latency gave no answer"


def test_a_definite_fault_wins_over_a_doubt() -> None:
    result = check_connector(probes(connect=INDETERMINATE, auth_rejects=FAILED))
    assert (result.status, result.score) == (CheckStatus.FAILED, Decimal("75.00"))
    assert result.details == "Connector unhealthy: auth_rejects failed"


def test_an_answer_after_more_than_five_seconds_is_failed_not_error() -> None:
    """C-62."""
    late = check_connector(probes(latency_ms=5000.1))
    assert late.status is CheckStatus.FAILED
    assert late.details == "Connector unhealthy: latency failed"
    assert check_connector(probes(latency_ms=5000.0)).status is CheckStatus.PASSED


def test_an_optional_probe_decides_nothing() -> None:
    assert check_connector(probes(optional=FAILED)).status is CheckStatus.PASSED


def test_no_probe_is_no_verdict() -> None:
    with pytest.raises(ValueError, match="no required probe"):
        check_connector([])


@pytest.mark.parametrize(
    ("given", "finding", "reason"),
    [
        (probes(), Finding.CLEAN, None),
        (probes(latency_ms=1000.0), Finding.CLEAN, None),
        (probes(latency_ms=1001.0), Finding.STRAINED, "slow: response time 1.1s"),
        (probes(latency_ms=5001.0), Finding.FAILED, "latency: latency said so"),
        (probes(connect=INDETERMINATE), Finding.UNCLEAR, "connect: connect said so"),
        (probes(optional=FAILED), Finding.STRAINED, "token_expiry: expires in 3 days"),
        (probes(doc_parity=FAILED), Finding.FAILED, "doc_parity: doc_parity said so"),
        (
            probes(connect=INDETERMINATE, auth_rejects=FAILED),
            Finding.FAILED,
            "auth_rejects: auth_rejects said so",
        ),
    ],
)
def test_the_finding_follows_from_the_probes(
    given: Sequence[ProbeResult], finding: Finding, reason: str | None
) -> None:
    assert finding_of(given) == (finding, reason)


def test_a_remote_connector_may_take_longer() -> None:
    assert finding_of(probes(latency_ms=2500.0), remote=True) == (Finding.CLEAN, None)
    assert finding_of(probes(latency_ms=2501.0), remote=True)[0] is Finding.STRAINED
