"""Local clocks: from a moment to the time on somebody's wall, and back, in summer and in winter.

Belongs here: the time zones that people may have, their clocks over some weeks, and the hours in which people work. The
zones' rules are those of the IANA database in the ``tzdata`` package; for weeks that are over they no longer change.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np

from dataops_core.generation.seeding import I64, U64, pick

#: Zones by number; the first is nobody's in particular. A new one comes last.
ZONES = (
    "UTC", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Mexico_City", "America/New_York",
    "America/Sao_Paulo", "America/Toronto", "America/Vancouver", "Asia/Singapore", "Asia/Tokyo", "Australia/Perth",
    "Australia/Sydney", "Europe/Amsterdam", "Europe/Berlin", "Europe/Brussels", "Europe/Copenhagen", "Europe/Dublin",
    "Europe/Helsinki", "Europe/Lisbon", "Europe/London", "Europe/Madrid", "Europe/Oslo", "Europe/Paris",
    "Europe/Prague", "Europe/Rome", "Europe/Stockholm", "Europe/Vienna", "Europe/Warsaw", "Pacific/Auckland",
)  # fmt: skip
ZONE_NUMBERS = {name: number for number, name in enumerate(ZONES)}
_DAY = 86_400
#: Working hours, in seconds of the local day.
WORK_BEGINS, WORK_ENDS = 8 * 3600, 18 * 3600
_FRIDAY = 4


class LocalTime:
    """The clocks of some time zones over some weeks, of which the first begins on the Monday ``start``.

    A zone is given by its place in ``zones``, one for all times or one each. Times are seconds since the first
    midnight, local ones since the zone's own.
    """

    def __init__(self, zones: Sequence[str], start: date, weeks: int) -> None:
        self._zones = zones
        self._start = datetime(start.year, start.month, start.day, 12, tzinfo=UTC)
        self._weeks = weeks

    @cached_property
    def _ahead(self) -> I64:
        """Seconds that a zone's clock is ahead of UTC, (zones, days).

        Clocks change early on Sundays, when nobody works: other days are as their week's Monday, a Sunday as the next.
        """
        mondays = [self._start + timedelta(weeks=week) for week in range(self._weeks + 1)]
        weekly = np.array([[_ahead(monday, zone) for monday in mondays] for zone in map(ZoneInfo, self._zones)])
        daily = np.repeat(weekly[:, :-1], 7, axis=1)
        daily[:, 6::7] = weekly[:, 1:]
        return daily

    def utc(self, local: I64, zones: "int | I64") -> I64:
        """Local times as moments."""
        moments: I64 = local - self._ahead[zones, self._day(local)]
        return moments

    def local(self, moments: I64, zones: "int | I64") -> I64:
        """Moments as local times."""
        near = moments + self._ahead[zones, self._day(moments)]
        times: I64 = moments + self._ahead[zones, self._day(near)]
        return times

    def at_work(self, moments: I64, zones: "int | I64", drawn: U64) -> I64:
        """The moments, those outside working hours put off to the zone's next working morning."""
        day, second = np.divmod(self.local(moments, zones), _DAY)
        weekday = day % 7
        weekend = weekday > _FRIDAY
        early = ~weekend & (second < WORK_BEGINS)
        to_wait = np.where(early, 0, np.where(weekday >= _FRIDAY, 7 - weekday, 1))
        morning = (day + to_wait) * _DAY + WORK_BEGINS + pick(drawn, 5400)
        working = ~weekend & (second >= WORK_BEGINS) & (second < WORK_ENDS)
        return np.where(working, moments, self.utc(morning, zones))

    def _day(self, seconds: I64) -> I64:
        return np.clip(seconds // _DAY, 0, 7 * self._weeks - 1)


def _ahead(moment: datetime, zone: ZoneInfo) -> int:
    offset = moment.astimezone(zone).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0
