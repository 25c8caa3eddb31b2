"""Local clocks of a company's people: from a moment of the window to the time on somebody's wall, and back.

Belongs here: time zones over the window of ``calendar.py``, and the hours in which people work. The zones' rules are
those of the IANA database in the ``tzdata`` package; for a window that is over they no longer change.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from dataops_core.generation.calendar import DAY, WINDOW_DAYS, WINDOW_START
from dataops_core.generation.seeding import I64, U64, pick

#: Working hours, in seconds of the local day.
WORK_BEGINS, WORK_ENDS = 8 * 3600, 18 * 3600
_FRIDAY = 4


class LocalTime:
    """The clocks of some time zones. A zone is given by its place in ``zones``."""

    def __init__(self, zones: Sequence[str]) -> None:
        noons = [
            datetime(WINDOW_START.year, WINDOW_START.month, WINDOW_START.day, 12, tzinfo=UTC) + timedelta(days=day)
            for day in range(WINDOW_DAYS)
        ]
        #: Seconds that a zone's clock is ahead of UTC, (zones, days). A clock changes in a night that nobody works in.
        self._ahead = np.array([[_ahead(noon, zone) for noon in noons] for zone in map(ZoneInfo, zones)])

    def utc(self, local: I64, zones: I64) -> I64:
        """Local times, in seconds since the window's first local midnight, as moments."""
        moments: I64 = local - self._ahead[zones, _day(local)]
        return moments

    def local(self, moments: I64, zones: I64) -> I64:
        """Moments as local times, in seconds since the window's first local midnight."""
        near = moments + self._ahead[zones, _day(moments)]
        times: I64 = moments + self._ahead[zones, _day(near)]
        return times

    def at_work(self, moments: I64, zones: I64, drawn: U64) -> I64:
        """The moments, those outside working hours put off to the zone's next working morning."""
        day, second = np.divmod(self.local(moments, zones), DAY)
        weekday = day % 7
        weekend = weekday > _FRIDAY
        early = ~weekend & (second < WORK_BEGINS)
        to_wait = np.where(early, 0, np.where(weekday >= _FRIDAY, 7 - weekday, 1))
        morning = (day + to_wait) * DAY + WORK_BEGINS + pick(drawn, 5400)
        working = ~weekend & (second >= WORK_BEGINS) & (second < WORK_ENDS)
        return np.where(working, moments, self.utc(morning, zones))


def _ahead(moment: datetime, zone: ZoneInfo) -> int:
    offset = moment.astimezone(zone).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


def _day(seconds: I64) -> I64:
    return np.clip(seconds // DAY, 0, WINDOW_DAYS - 1)
