"""Local clocks and working hours."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from dataops_core.company.countries import COUNTRIES, OTHER_OFFICES
from dataops_core.generation import local_time
from dataops_core.generation.calendar import CLOCKS as CALENDAR
from dataops_core.generation.calendar import DAY, WINDOW_DAYS, WINDOW_START
from dataops_core.generation.local_time import LocalTime
from dataops_core.generation.seeding import draw, key

ZONES = ("America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Sydney", "America/Sao_Paulo")
START = datetime(WINDOW_START.year, WINDOW_START.month, WINDOW_START.day, tzinfo=UTC)
CLOCKS = LocalTime(ZONES, WINDOW_START, WINDOW_DAYS // 7)


def moments(count: int = 4000) -> np.ndarray:
    return np.sort((draw(key("moments"), np.arange(count)) % np.uint64((WINDOW_DAYS - 4) * DAY)).astype(np.int64)) + DAY


@pytest.mark.parametrize("zone", range(len(ZONES)))
def test_a_local_time_is_what_the_wall_shows_but_in_the_night_when_clocks_change(zone):
    some = moments()
    local = CLOCKS.local(some, np.full(len(some), zone))
    info, wrong = ZoneInfo(ZONES[zone]), 0
    for moment, seconds in zip(some.tolist(), local.tolist(), strict=True):
        wall = (START + timedelta(seconds=moment)).astimezone(info).replace(tzinfo=UTC)
        if wall != START + timedelta(seconds=seconds):
            assert wall.weekday() in {5, 6}
            assert wall.hour < 12 or wall.hour > 22
            wrong += 1
    assert wrong < len(some) * 0.005


def test_a_local_time_leads_back_to_its_moment():
    some, zones = moments(), np.arange(4000) % len(ZONES)
    back = CLOCKS.utc(CLOCKS.local(some, zones), zones)
    assert (back != some).mean() < 0.005


def test_who_is_at_work_is_not_put_off_and_others_until_their_next_morning():
    some, zones = moments(), np.arange(4000) % len(ZONES)
    put = CLOCKS.at_work(some, zones, draw(key("mornings"), np.arange(4000)))
    assert (put >= some).all()
    assert (put - some).max() < 3 * DAY
    local = CLOCKS.local(put, zones)
    assert (local // DAY % 7 < 5).all()
    assert ((local % DAY >= 8 * 3600) & (local % DAY < 18 * 3600)).all()
    before = CLOCKS.local(some, zones)
    working = (before // DAY % 7 < 5) & (before % DAY >= 8 * 3600) & (before % DAY < 18 * 3600)
    assert (put[working] == some[working]).all()
    assert (put[~working] > some[~working]).all()


def test_clocks_change_on_sundays_in_every_zone_that_somebody_works_in():
    named = {office.zone for country in COUNTRIES.values() for office in (*country.offices, *OTHER_OFFICES)}
    assert named == set(local_time.ZONES[1:])
    noons = np.arange(WINDOW_DAYS) * DAY + DAY // 2
    for number, name in enumerate(local_time.ZONES):
        info = ZoneInfo(name)
        moments = CALENDAR.utc(noons, number)
        walls = [(START + timedelta(seconds=moment)).astimezone(info) for moment in moments.tolist()]
        assert {wall.hour for wall in walls} == {12}
        assert CALENDAR.local(moments, number).tolist() == noons.tolist()


def test_dublin_is_an_hour_ahead_in_summer():
    july, january = np.array([12 * 3600]), np.array([200 * DAY])
    dublin = local_time.ZONE_NUMBERS["Europe/Dublin"]
    assert CALENDAR.local(july, dublin) - july == 3600
    assert CALENDAR.local(january, dublin) == january
