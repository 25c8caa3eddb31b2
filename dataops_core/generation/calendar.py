"""When a company works: times of records, in a window that is fixed, never "now".

Belongs here: drawing business-like times and writing them as RFC 3339. The window ends before the product's first
release, so that no record is ever from the future, and the same specification gives the same bytes in any year.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import get_args

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dataops_core.generation import arrays
from dataops_core.generation.local_time import WORK_BEGINS, WORK_ENDS, ZONES, LocalTime
from dataops_core.generation.seeding import I64, U64, key, mix, pick, weighted_table
from dataops_core.templates.model import Month

#: The first day, a Monday, and the number of days: times are in [2023-07-03, 2026-06-29), but for what is older.
WINDOW_START = date(2023, 7, 3)
WINDOW_DAYS = 1092
_START_SECONDS = int(datetime(2023, 7, 3, tzinfo=UTC).timestamp())
_WEEKS = WINDOW_DAYS // 7
#: What was there from the start was made in so many weeks before it, in which no clock changes.
_WEEKS_BEFORE = 8
DAY = 86_400
#: What everybody's clock shows in the window. A zone is its place in ``local_time.ZONES``; the first is UTC.
CLOCKS = LocalTime(ZONES, WINDOW_START, _WEEKS)
#: The second of a day at which work begins, and how long it lasts.
SHIFT_START, SHIFT = WORK_BEGINS, WORK_ENDS - WORK_BEGINS
#: Working seconds of the window, in any one zone.
WORKED_SECONDS = _WEEKS * 5 * SHIFT

#: Day of the week and hour of the day, as weights: mostly Monday to Friday, eight to six.
_WEEKDAYS = weighted_table([50, 54, 54, 52, 44, 3, 3], 1024)
_HOURS = weighted_table([0, 0, 0, 0, 0, 1, 2, 8, 26, 42, 44, 40, 24, 36, 44, 40, 34, 22, 8, 4, 3, 2, 1, 0], 1024)
_MONTHS = get_args(Month)
#: How much is done in a week, as a share of :data:`_ORDINARY`: little over Christmas and New Year, less in August.
_ORDINARY, _CHRISTMAS, _NEW_YEAR, _AUGUST = 20, 7, 11, 15


def _rhythm(week: int) -> int:
    days = [WINDOW_START + timedelta(days=week * 7 + day) for day in range(5)]
    if any(day.month == 12 and day.day in (25, 26) for day in days):
        return _CHRISTMAS
    if any(day.month == 1 and day.day == 1 for day in days):
        return _NEW_YEAR
    return _AUGUST if days[2].month == 8 else _ORDINARY


_RHYTHM = np.array([_rhythm(week) for week in range(_WEEKS)], dtype=np.int64)
#: What is done in the window, in working seconds of which each counts as much as its week's rhythm says; and how much
#: of it before each week.
_DONE_BEFORE = np.concatenate([[0], np.cumsum(_RHYTHM)]) * (5 * SHIFT)
_DONE = int(_DONE_BEFORE[-1])


@lru_cache(maxsize=64)
def weeks(seasonality: "tuple[tuple[str, int], ...]" = ()) -> I64:
    """Weeks of the window, each as often as something happens in it: ``weeks()[pick(drawn, len(weeks()))]``.

    ``seasonality`` has months by their English names in lower case, with how much happens in them, in percent of what
    the company's year alone would have; a month that it does not name has 100.
    """
    percents = dict(seasonality)
    middles = [WINDOW_START + timedelta(days=week * 7 + 2) for week in range(_WEEKS)]
    weights = [int(_RHYTHM[week]) * percents.get(_MONTHS[middle.month - 1], 100) for week, middle in enumerate(middles)]
    return weighted_table(weights, 1 << 13)


def moments(drawn: U64, often: "I64 | None" = None, *, zone: "int | I64" = 0) -> I64:
    """A working moment per draw, in seconds since the window's start, in weeks of :func:`weeks`.

    Hours are those of a zone, one for all or one each.
    """
    table = weeks() if often is None else often
    week = table[pick(drawn, len(table))]
    return _in_window(CLOCKS.utc(week * 7 * DAY + _within_week(mix(drawn + key("within week"))), zone))


def later(start: I64, drawn: U64, *, within_days: "int | I64", zone: "int | I64" = 0) -> I64:
    """A working moment after each start: within so many days where the window allows, and in the window always."""
    return _in_window(np.maximum(CLOCKS.utc(_later(CLOCKS.local(start, zone), drawn, within_days), zone), start + 1))


def _later(start: I64, drawn: U64, within_days: "int | I64") -> I64:
    horizon = np.minimum(start + within_days * DAY, WINDOW_DAYS * DAY - 1)
    rough = start + 60 + pick(drawn, np.maximum(horizon - start - 60, 1).astype(np.uint64))
    day = rough // DAY
    # A weekend's moment moves to the Friday before, unless that is before the start.
    weekday = day % 7
    friday = rough - np.maximum(weekday - 4, 0) * DAY
    hour = _HOURS[pick(mix(drawn + key("hour")), len(_HOURS))]
    working = friday // DAY * DAY + hour * 3600 + rough % 3600
    best = np.where(working > start, working, rough)
    return np.minimum(best, WINDOW_DAYS * DAY - 1)


def at_work(seconds: I64, *, zone: "int | I64" = 0) -> I64:
    """The moment at which so many of the window's ``WORKED_SECONDS`` have passed: Monday to Friday, eight to six."""
    day, second = _divided(np.clip(seconds, 0, WORKED_SECONDS - 1), SHIFT)
    week, weekday = _divided(day, 5)
    local: I64 = (week * 7 + weekday) * DAY + SHIFT_START + second
    return _in_window(CLOCKS.utc(local, zone))


def before(drawn: U64, *, zone: "int | I64" = 0) -> I64:
    """A working moment per draw of the weeks before the window: when something was made that anything may speak of."""
    moments_: I64 = at_work(pick(drawn, _WEEKS_BEFORE * 5 * SHIFT), zone=zone) - _WEEKS_BEFORE * 7 * DAY
    return moments_


def worked(moments_: I64, *, zone: "int | I64" = 0) -> I64:
    """How many working seconds have passed at each moment: the inverse of :func:`at_work`."""
    day, second = _divided(CLOCKS.local(moments_, zone), DAY)
    week, weekday = _divided(day, 7)
    done = np.where(weekday < 5, np.clip(second - SHIFT_START, 0, SHIFT), 0)
    return (week * 5 + np.minimum(weekday, 5)) * SHIFT + done


def filed(numbers: I64, counts: "int | I64", drawn: U64, *, zone: "int | I64" = 0) -> I64:
    """When thing ``number`` (from 1) of ``counts`` that are numbered as they are made was made: over the window, by the
    rhythm of the company's year.

    ``drawn`` varies it within its share of the time: a higher number is never earlier.
    """
    done = ((numbers - 1) * _DONE + pick(drawn, _DONE)) // counts
    week = np.searchsorted(_DONE_BEFORE, done, side="right") - 1
    return at_work(week * (5 * SHIFT) + (done - _DONE_BEFORE[week]) // _RHYTHM[week], zone=zone)


def filed_by(moments_: I64, counts: "int | I64", *, zone: "int | I64" = 0) -> I64:
    """How many things of :func:`filed` were surely made before each moment."""
    week, second = _divided(worked(moments_, zone=zone), 5 * SHIFT)
    # What comes after the last second of the window is of its last week.
    last = np.minimum(week, _WEEKS - 1)
    done = _DONE_BEFORE[week] + second * _RHYTHM[last]
    filed_: I64 = np.clip(done * counts // _DONE, 0, counts)
    return filed_


def _in_window(moments_: I64) -> I64:
    return np.clip(moments_, 0, WINDOW_DAYS * DAY - 1)


def epoch_seconds(moments_: I64) -> I64:
    """The moments as seconds since 1970."""
    return moments_ + _START_SECONDS


def rfc3339(moments_: I64, *, milliseconds: bool = False) -> pa.Array:
    """The moments as text in UTC: ``2026-01-28T10:30:00Z``, or with ``.000`` before the Z."""
    return _written(moments_, 19, ".000Z" if milliseconds else "Z")


def with_offset(moments_: I64) -> pa.Array:
    """The moments as Jira and Salesforce write them: ``2026-01-28T10:30:00.000+0000``."""
    return _written(moments_, 19, ".000+0000")


def dates(moments_: I64) -> pa.Array:
    """The days of the moments in UTC: ``2026-01-28``."""
    return _written(moments_, 10, "")


def _written(moments_: I64, length: int, end: str) -> pa.Array:
    """The first characters of ``2026-01-28T10:30:00``, and an end that all have, by tables of days and minutes.

    NumPy's and Arrow's own ways work each text out anew. Raises ValueError for one a year outside of the window.
    """
    day, second = _divided(moments_, DAY)
    day += _MARGIN
    if len(day) and (day.min() < 0 or day.max() >= len(_DAYS)):
        raise ValueError("a moment is a year away from the window")
    minute, second = _divided(second, 60)
    letters = np.empty((len(moments_), 19 + len(end)), dtype=np.uint8)
    letters[:, :11] = _DAYS.take(day, axis=0)
    letters[:, 11:17] = _MINUTES.take(minute, axis=0)
    letters[:, 17:19] = _SECONDS.take(second, axis=0)
    letters[:, length : length + len(end)] = np.frombuffer(end.encode(), dtype=np.uint8)
    written = letters[:, : length + len(end)]
    return arrays.cut(written.ravel(), np.arange(0, written.size + 1, length + len(end)))


def _divided(numbers: I64, by: int) -> tuple[I64, I64]:
    """Quotients and remainders, in half the time of NumPy's own: its quotients are fast, its remainders are not."""
    quotient = numbers // by
    return quotient, numbers - quotient * by


def _letters(texts: Iterable[str]) -> NDArray[np.uint8]:
    """ASCII texts of one length, a row each."""
    said = list(texts)
    return np.frombuffer("".join(said).encode(), dtype=np.uint8).reshape(len(said), -1)


#: Days before and after the window that can be written, too.
_MARGIN = 366
_DAYS = _letters(f"{WINDOW_START + timedelta(days=day)}T" for day in range(-_MARGIN, WINDOW_DAYS + _MARGIN))
_MINUTES = _letters(f"{hour:02d}:{minute:02d}:" for hour in range(24) for minute in range(60))
_SECONDS = _letters(f"{second:02d}" for second in range(60))


def day_of(moments_: I64) -> I64:
    """The day of the window that each moment is on."""
    return moments_ // DAY


def _within_week(drawn: U64) -> I64:
    weekday = _WEEKDAYS[pick(drawn, len(_WEEKDAYS))]
    hour = _HOURS[pick(mix(drawn + key("hour")), len(_HOURS))]
    second: NDArray[np.int64] = pick(mix(drawn + key("second")), 3600)
    return weekday * DAY + hour * 3600 + second
