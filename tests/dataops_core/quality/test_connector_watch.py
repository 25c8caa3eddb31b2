"""A connector's status over several looks: faults count at once, doubts when they last, health when it lasts (C-90)."""

from collections.abc import Sequence

import pytest

from dataops_core.lifecycle import ConnectorStatus, Finding
from dataops_core.quality.connector_watch import Standing, observe

CONNECTING, HEALTHY, DEGRADED, UNHEALTHY = (
    ConnectorStatus.CONNECTING,
    ConnectorStatus.HEALTHY,
    ConnectorStatus.DEGRADED,
    ConnectorStatus.UNHEALTHY,
)
#: One letter for a look: clean, slow, could not tell, failed.
LOOKS = {"c": Finding.CLEAN, "s": Finding.STRAINED, "u": Finding.UNCLEAR, "f": Finding.FAILED}
REASONS = {"c": None, "s": "slow: response time 1.1s", "u": "connect: connection lost", "f": "doc_parity: 3 documents"}
LETTERS = {HEALTHY: "H", DEGRADED: "D", UNHEALTHY: "U", CONNECTING: "-"}


def after(looks: str, start: ConnectorStatus = HEALTHY, *, explicit: bool = False) -> Sequence[Standing]:
    """Where the connector stands after each look."""
    standing, seen = Standing(start), []
    for look in looks:
        standing = observe(standing, LOOKS[look], REASONS[look], explicit=explicit)
        seen.append(standing)
    return seen


@pytest.mark.parametrize(
    ("looks", "statuses"),
    [
        ("cccc", "HHHH"),
        ("f", "U"),
        # Two clean looks in a row make well again.
        ("fcc", "UUH"),
        ("fcfcc", "UUUUH"),
        # A doubt degrades; the third in a row is a fault, and one that comes and goes never is.
        ("u", "D"),
        ("uuu", "DDU"),
        ("uucuuc", "DDDDDD"),
        ("uucc", "DDDH"),
        ("uuucc", "DDUUH"),
        # A doubt takes nothing from a known fault.
        ("fucc", "UUUH"),
        ("fcucc", "UUUUH"),
        # Slow is degraded, and stays it until two looks in a row were fast.
        ("s", "D"),
        ("scsc", "DDDD"),
        ("scc", "DDH"),
        # What is whole but slow is unhealthy no more, once that has lasted.
        ("fss", "UUD"),
        ("fsc", "UUD"),
        ("fscc", "UUDH"),
        ("fsfs", "UUUU"),
    ],
)
def test_the_status_follows_what_lasts(looks: str, statuses: str) -> None:
    """C-90."""
    assert "".join(LETTERS[one.status] for one in after(looks)) == statuses


@pytest.mark.parametrize(
    ("looks", "statuses"), [("fc", "UH"), ("uc", "DH"), ("fs", "UD"), ("fu", "UU"), ("uuu", "DDU")]
)
def test_a_look_that_somebody_asked_for_makes_well_at_once(looks: str, statuses: str) -> None:
    """C-63, C-90: an explicit validation."""
    assert "".join(LETTERS[one.status] for one in after(looks, explicit=True)) == statuses


@pytest.mark.parametrize(("look", "status"), [("c", "H"), ("s", "D"), ("u", "D"), ("f", "U")])
def test_the_first_look_decides(look: str, status: str) -> None:
    assert LETTERS[after(look, CONNECTING)[0].status] == status


def test_the_reason_is_the_fault_that_led_there_until_another_takes_its_place() -> None:
    fault = REASONS["f"]
    assert [one.reason for one in after("fucc")] == [fault, fault, fault, None]
    first = observe(Standing(HEALTHY), Finding.STRAINED, "slow: response time 1.1s")
    again = observe(first, Finding.STRAINED, "slow: response time 2.0s")
    assert again.reason == "slow: response time 1.1s", "a number is no news"
    assert observe(again, Finding.STRAINED, "token_expiry: in 3 days").reason == "token_expiry: in 3 days"
    assert observe(again, Finding.FAILED, fault).reason == fault


def test_looks_in_a_row_are_counted() -> None:
    counts = [(one.failures, one.passes, one.clean) for one in after("ccsufc")]
    assert counts == [(0, 1, 1), (0, 2, 2), (0, 3, 0), (1, 0, 0), (2, 0, 0), (0, 1, 1)]
