"""The third check: does the connector answer, to the right caller, fast, with all that was loaded? Pure (C-60 … C-62).

Belongs here: the verdict over probes, and what they say of the connector. Does not belong here: probing
(``connectors/``), and the memory of earlier looks, which keeps a status from flickering (``connector_watch.py``).

A probe that could not tell is never proof of a fault: without a definite failure the check is ``error`` then.
"""

import math
from collections.abc import Sequence

from dataops_core.connectors.protocol import ProbeOutcome, ProbeResult
from dataops_core.lifecycle import CheckStatus, CheckType, Finding
from dataops_core.quality.model import CheckResult, percentage

#: An answer must come within this time.
MAX_RESPONSE_SECONDS = 5.0

#: Slower than this, yet within the maximum, a connector is degraded: ours, and one behind the internet.
SLOW_SECONDS = 1.0
SLOW_SECONDS_REMOTE = 2.5

#: Probes whose latency is one answer's time; others may read much, or wait.
_RESPONSE_PROBES = frozenset({"connect", "auth_index", "auth_search", "auth_rejects", "latency"})


def check_connector(probes: Sequence[ProbeResult]) -> CheckResult:
    """Passes only if every required probe passed; score: share of required probes passed.

    With a definite failure: failed. With none, but a required probe that could not tell (or was skipped): error, no
    score. A probe that passed after more than 5 s failed. ``metrics``: ``response_seconds`` (the worst) and ``probes``
    (probe, required, outcome, latency_ms, detail). ``probes`` must hold at least one required probe.
    """
    required = [probe for probe in probes if probe.required]
    if not required:
        raise ValueError("no required probe was run")
    failed = [probe.probe for probe in required if _outcome(probe) is ProbeOutcome.FAILED]
    untold = [probe.probe for probe in required if _outcome(probe) in _UNTOLD]
    passed = len(required) - len(failed) - len(untold)
    metrics = {
        "response_seconds": round(_response_seconds(probes), 3),
        "required": len(required),
        "passed": passed,
        "probes": [
            {
                "probe": probe.probe,
                "required": probe.required,
                "outcome": _outcome(probe).value,
                "latency_ms": round(probe.latency_ms, 1),
                "detail": probe.detail,
            }
            for probe in probes
        ],
    }
    score = percentage(passed, len(required))
    if failed:
        details = f"Connector unhealthy: {', '.join(failed)} failed"
        return CheckResult(CheckType.CONNECTOR_HEALTH, CheckStatus.FAILED, score, details, metrics)
    if untold:
        details = f"Connector could not be checked: {', '.join(untold)} gave no answer"
        return CheckResult(CheckType.CONNECTOR_HEALTH, CheckStatus.ERROR, None, details, metrics)
    details = f"Connector healthy, response time {_seconds(_response_seconds(probes))}"
    return CheckResult(CheckType.CONNECTOR_HEALTH, CheckStatus.PASSED, score, details, metrics)


def finding_of(probes: Sequence[ProbeResult], *, remote: bool = False) -> tuple[Finding, str | None]:
    """What these probes, some or all, say of the connector, and why; no reason where all is well.

    A definite failure before one that could not tell, that before a slow answer or a failed optional probe (a token
    about to expire).
    """
    required = [probe for probe in probes if probe.required]
    for probe in required:
        if _outcome(probe) is ProbeOutcome.FAILED:
            return Finding.FAILED, _reason(probe)
    for probe in required:
        if _outcome(probe) in _UNTOLD:
            return Finding.UNCLEAR, _reason(probe)
    slowest = _response_seconds(probes)
    if slowest > (SLOW_SECONDS_REMOTE if remote else SLOW_SECONDS):
        return Finding.STRAINED, f"slow: response time {_seconds(slowest)}"
    for probe in probes:
        if not probe.required and _outcome(probe) is ProbeOutcome.FAILED:
            return Finding.STRAINED, _reason(probe)
    return Finding.CLEAN, None


_UNTOLD = frozenset({ProbeOutcome.INDETERMINATE, ProbeOutcome.SKIPPED})


def _outcome(probe: ProbeResult) -> ProbeOutcome:
    """The probe's outcome; too slow an answer is no answer."""
    late = probe.probe in _RESPONSE_PROBES and probe.latency_ms > MAX_RESPONSE_SECONDS * 1000
    return ProbeOutcome.FAILED if late and probe.outcome is ProbeOutcome.PASSED else probe.outcome


def _response_seconds(probes: Sequence[ProbeResult]) -> float:
    """The worst answer's time, in seconds; 0 where nothing answered."""
    answered = [
        probe.latency_ms
        for probe in probes
        if probe.probe in _RESPONSE_PROBES and probe.outcome in {ProbeOutcome.PASSED, ProbeOutcome.FAILED}
    ]
    return max(answered, default=0.0) / 1000


def _seconds(value: float) -> str:
    """One decimal, rounded up: 41 ms is ``0.1s``, never a flattering ``0.0s``."""
    return f"{math.ceil(round(value, 4) * 10) / 10:.1f}s"


def _reason(probe: ProbeResult) -> str:
    return f"{probe.probe}: {probe.detail}" if probe.detail else probe.probe
