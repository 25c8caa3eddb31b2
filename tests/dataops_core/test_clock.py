"""The one form of a time (C-1)."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from dataops_core.clock import rfc3339, utcnow

MOMENT = datetime(2026, 1, 28, 10, 30, 5, 999_999, tzinfo=UTC)


@pytest.mark.parametrize(
    "moment",
    [MOMENT, MOMENT.astimezone(timezone(timedelta(hours=5, minutes=45))), MOMENT.astimezone(ZoneInfo("America/Lima"))],
)
def test_a_time_is_told_in_utc_and_whole_seconds_whatever_its_zone(moment: datetime) -> None:
    """C-1."""
    assert rfc3339(moment) == "2026-01-28T10:30:05Z"


def test_every_part_has_its_places() -> None:
    """C-1."""
    assert rfc3339(datetime(7, 1, 2, 3, 4, 5, tzinfo=UTC)) == "0007-01-02T03:04:05Z"
    assert datetime.fromisoformat(rfc3339(utcnow())).utcoffset() == timedelta(0)
