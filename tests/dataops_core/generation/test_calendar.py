"""When a company works."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest

from dataops_core.generation import calendar
from dataops_core.generation.local_time import ZONE_NUMBERS
from dataops_core.generation.seeding import mix

NEW_YORK = ZONE_NUMBERS["America/New_York"]
DRAWN = mix(np.arange(5000, dtype=np.uint64))
END = datetime(2026, 6, 29, tzinfo=UTC)


def times(moments: np.ndarray) -> list[datetime]:
    return [datetime.fromtimestamp(second, UTC) for second in calendar.epoch_seconds(moments).tolist()]


def test_the_window_begins_on_a_monday_and_ends_before_the_first_release():
    assert calendar.WINDOW_START.weekday() == 0
    assert calendar.WINDOW_DAYS % 7 == 0
    assert max(times(calendar.moments(DRAWN))) < END


def test_most_work_is_done_on_weekdays_between_eight_and_six():
    worked = times(calendar.moments(DRAWN))
    assert 0.95 < np.mean([moment.weekday() < 5 for moment in worked]) < 1
    assert 0.85 < np.mean([8 <= moment.hour < 18 for moment in worked]) < 1


def in_months(moments: np.ndarray) -> np.ndarray:
    """How many of the moments are in each month, January first, of the two whole calendar years."""
    found = [moment.month for moment in times(moments) if moment.year in {2024, 2025}]
    return np.bincount(found, minlength=13)[1:]


def test_little_is_done_over_christmas_and_less_in_august():
    drawn = mix(np.arange(100_000, dtype=np.uint64))
    for moments in (calendar.moments(drawn), calendar.filed(np.arange(1, 100_001), 100_000, drawn)):
        months, christmas = in_months(moments), [moment for moment in times(moments) if moment.month == 12]
        assert months[7] < 0.85 * months[5]
        assert np.mean([24 <= moment.day <= 28 for moment in christmas]) < 0.1


def test_months_are_as_busy_as_a_season_says():
    drawn = mix(np.arange(100_000, dtype=np.uint64))
    usual = in_months(calendar.moments(drawn))
    busy = in_months(calendar.moments(drawn, calendar.weeks((("november", 300), ("may", 50)))))
    others = [month for month in range(12) if month not in {4, 10}]
    ordinary = busy[others].sum() / usual[others].sum()
    # Weeks that belong to two months go with that of their Wednesday.
    assert busy[10] / usual[10] / ordinary == pytest.approx(3, rel=0.1)
    assert busy[4] / usual[4] / ordinary == pytest.approx(0.5, rel=0.1)


@pytest.mark.parametrize("count", [7, 1000, 400_000])
def test_what_is_filed_by_a_moment_was_made_before_it(count):
    numbers = np.arange(1, count + 1) if count < 5000 else np.linspace(1, count, 5000).astype(np.int64)
    drawn = mix(numbers.astype(np.uint64))
    made = calendar.filed(numbers, count, drawn)
    assert (np.diff(made) >= 0).all()
    surely = calendar.filed_by(made, count)
    assert (surely < numbers).all()
    # No more is left out than the one that is being made, and one of the same second.
    assert (surely >= numbers - 2).all()
    end = np.array([calendar.WINDOW_DAYS * calendar.DAY - 1])
    assert calendar.filed_by(end, count).tolist() == [count]


def test_what_is_later_is_later_and_still_in_the_window():
    start = calendar.moments(DRAWN)
    after = calendar.later(start, mix(DRAWN), within_days=90)
    assert (after > start).all()
    assert (after - start).max() <= 91 * calendar.DAY
    assert max(times(after)) < END
    assert np.mean([moment.weekday() < 5 for moment in times(after)]) > 0.9


def test_at_the_window_s_end_later_stays_in_it():
    start = np.array([calendar.WINDOW_DAYS * calendar.DAY - 100])
    for drawn in DRAWN[:200]:
        after = calendar.later(start, np.array([drawn], dtype=np.uint64), within_days=30)
        assert start[0] < after[0] < calendar.WINDOW_DAYS * calendar.DAY


def test_moments_are_written_in_utc():
    moments = np.array([0, 90_061])
    assert calendar.rfc3339(moments).to_pylist() == ["2023-07-03T00:00:00Z", "2023-07-04T01:01:01Z"]
    assert calendar.rfc3339(moments, milliseconds=True).to_pylist()[1] == "2023-07-04T01:01:01.000Z"
    assert calendar.rfc3339(moments).type == pa.string()
    assert calendar.with_offset(moments).to_pylist()[1] == "2023-07-04T01:01:01.000+0000"
    assert calendar.dates(moments).to_pylist() == ["2023-07-03", "2023-07-04"]
    assert calendar.rfc3339(moments[:0]).to_pylist() == []
    assert calendar.rfc3339(np.array([-1, -40 * 86_400])).to_pylist() == [
        "2023-07-02T23:59:59Z",
        "2023-05-24T00:00:00Z",
    ]
    for far in (-400 * 86_400, (calendar.WINDOW_DAYS + 400) * 86_400):
        with pytest.raises(ValueError, match="a year away"):
            calendar.rfc3339(np.array([0, far]))
    assert calendar.day_of(moments).tolist() == [0, 1]


def test_work_is_counted_from_monday_to_friday_between_eight_and_six():
    seconds = np.arange(0, calendar.WORKED_SECONDS, 7_919)
    worked = calendar.at_work(seconds)
    assert (np.diff(worked) > 0).all()
    assert (calendar.worked(worked) == seconds).all()
    assert all(moment.weekday() < 5 and 8 <= moment.hour < 18 for moment in times(worked))
    elsewhere = calendar.at_work(seconds, zone=NEW_YORK)
    assert (calendar.worked(elsewhere, zone=NEW_YORK) == seconds).all()


def test_nights_and_weekends_add_nothing_to_what_was_worked():
    friday_evening, monday_morning = 4 * calendar.DAY + 19 * 3600, 7 * calendar.DAY + 7 * 3600
    moments = np.array([friday_evening, 5 * calendar.DAY + 12 * 3600, monday_morning])
    assert set(calendar.worked(moments).tolist()) == {5 * 10 * 3600}


def summers_and_winters(moments: np.ndarray, zone: str) -> tuple[list[datetime], list[datetime]]:
    """The moments as clocks of the zone show them, divided by whether it is summer time."""
    local = [moment.astimezone(ZoneInfo(zone)) for moment in times(moments)]
    return [each for each in local if each.dst()], [each for each in local if not each.dst()]


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Europe/Berlin", "Australia/Sydney"])
def test_hours_are_those_of_the_zone_in_summer_and_in_winter(zone):
    number = ZONE_NUMBERS[zone]
    start = calendar.moments(DRAWN, zone=number)
    for season in summers_and_winters(start, zone):
        assert len(season) > 1000
        assert 0.85 < np.mean([8 <= moment.hour < 18 for moment in season]) < 1
        # The hour before is as empty in both: nobody's day is shifted.
        assert np.mean([moment.hour < 7 for moment in season]) < 0.05
    after = calendar.later(start, mix(DRAWN), within_days=90, zone=number)
    assert (after > start).all()
    for season in summers_and_winters(after, zone):
        assert 0.8 < np.mean([8 <= moment.hour < 18 for moment in season]) < 1
    filed = calendar.filed(np.arange(1, 5001), 5000, DRAWN, zone=number)
    assert (np.diff(filed) >= 0).all()
    for season in summers_and_winters(filed, zone):
        assert all(moment.weekday() < 5 and 8 <= moment.hour < 18 for moment in season)


def test_moments_are_written_with_an_offset_too():
    assert calendar.with_offset(np.array([90_061])).to_pylist() == ["2023-07-04T01:01:01.000+0000"]
