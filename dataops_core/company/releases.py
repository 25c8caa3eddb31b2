"""The releases of a company: what its wiki, tracker, chat and repositories all speak of, within the same days.

Belongs here: which versions of its projects' services there were, when, and what went out with them. Does not belong
here: what the systems say about them.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias
from uuid import UUID

import numpy as np

from dataops_core.company.model import Company, Incident, Person, Project, Release, Team
from dataops_core.company.timeline import issue_created
from dataops_core.generation import calendar
from dataops_core.generation.seeding import Draws

#: Planned releases of a project's own service, each in its part of the project's issues.
PER_PROJECT = 8
#: Issues that go out with each of them.
FIXES = 3
#: Every release is out so long before the window's end that it can be talked about.
LAST_MOMENT = (calendar.WINDOW_DAYS - 28) * calendar.DAY - 1
#: The seconds of a team's day between which releases go out: whatever its zone and the season, the same day in UTC.
_EARLIEST, _LATEST = 13 * 3600, 15 * 3600 + 1800
#: Of those that types take up, every so many-th is one that corrects an incident.
_CORRECTION_EVERY = 3
#: Moment, number of the issue that tracks it or 0, and numbers of what it fixes.
_Planned: TypeAlias = tuple[int, int, tuple[int, ...]]


def releases_of(
    client_id: UUID,
    teams: Sequence[Team],
    people: Sequence[Person],
    projects: Sequence[Project],
    incidents: Sequence[Incident],
) -> tuple[Release, ...]:
    """The company's releases, in the order of their time: versions of a service rise.

    Of each project's own service: the one that was out when the window began, ``PER_PROJECT`` planned ones, and those
    that correct what an incident was about, within two working days of it.
    """
    draws = Draws("releases", client_id)
    found: list[Release] = []
    for project in projects:
        team = teams[project.team]
        mine = [incident for incident in incidents if incident.project == project.index]
        zone = people[team.first_person].zone
        planned = _planned(draws, client_id, project, zone, {incident.issue for incident in mine})
        corrections = [
            (
                _out(each.resolved, draws.between("correction", calendar.SHIFT, 2 * calendar.SHIFT), zone),
                0,
                (each.issue,),
            )
            for each in mine
        ]
        # What would go out beside a planned release goes out with that.
        alone = [each for each in corrections if min(abs(each[0] - other[0]) for other in planned) > 3 * calendar.DAY]
        kept = sorted(each for each in (*planned, *alone) if each[0] <= LAST_MOMENT)
        long_ago = draws.below("weekday", 5) - 7 * draws.between("weeks", 1, 6)
        first: _Planned = (_moment(long_ago, _EARLIEST, zone), 0, ())
        major, minor, patch = draws.between("major", 1, 4), draws.between("minor", 2, 14), 0
        for place, (moment, issue, fixed) in enumerate((first, *kept)):
            if place and not issue:
                patch += 1
            elif place:
                # One planned release in eight is a great one.
                great = draws.below("great", PER_PROJECT) == 0
                major, minor, patch = (major + 1, 0, 0) if great else (major, minor + 1, 0)
            found.append(
                Release(
                    index=0,
                    # Service i below the number of projects is project i's own.
                    service=project.index,
                    project=project.index,
                    version=f"{major}.{minor}.{patch}",
                    moment=moment,
                    issue=issue,
                    fixed=fixed,
                    lead=team.first_person + draws.below("lead", team.size),
                )
            )
    found.sort(key=lambda release: (release.moment, release.project))
    return tuple(replace(release, index=index) for index, release in enumerate(found))


def in_order(company: Company, project: int) -> list[Release]:
    """A project's releases within the window as types take them up: from all over it, planned ones and corrections
    mixed.
    """
    releases = [release for release in company.releases_by_project[project] if release.fixed]
    shuffled = Draws("releases in order", company.client_id, project).shuffled("order", len(releases))
    mixed = [releases[place] for place in shuffled]
    planned = [release for release in mixed if release.issue]
    for nth, correction in enumerate(release for release in mixed if not release.issue):
        planned.insert(_CORRECTION_EVERY * (nth + 1) - 1, correction)
    return planned


def _planned(draws: Draws, client_id: UUID, project: Project, zone: int, taken: set[int]) -> list[_Planned]:
    """Moment, issue and fixed issues of each planned release: days after its issue, which follows what it fixes."""
    part = project.issue_count // (PER_PROJECT + 1)
    # Projects release at different times of the year, and each in its own rhythm.
    phase = part // 2 + draws.between("phase", 0, part * 3 // 4)
    issues, fixed = [], []
    for number in range(PER_PROJECT):
        issue = phase + number * part + draws.between("issue", 0, part // 4)
        while issue in taken:
            issue -= 1
        before = [earlier for earlier in range(issue - part // 2 + 2, issue) if earlier not in taken]
        chosen = draws.shuffled("fixed", len(before))[:FIXES]
        issues.append(issue)
        fixed.append(tuple(sorted(before[place] for place in chosen)))
    numbers = np.array(issues, dtype=np.int64)
    created = issue_created(client_id, np.full(len(issues), project.index), numbers, project.issue_count, zone).tolist()
    return [
        (_out(moment, draws.between("prepared", 2 * calendar.SHIFT, 7 * calendar.SHIFT), zone), issue, what)
        for moment, issue, what in zip(created, issues, fixed, strict=True)
    ]


def _out(moment: int, seconds: int, zone: int) -> int:
    """When what was ready so many working seconds after a moment went out: that day, in the middle of it."""
    begun = np.array([moment], dtype=np.int64)
    at_work = calendar.at_work(calendar.worked(begun, zone=zone) + seconds, zone=zone)
    day, second = divmod(int(calendar.CLOCKS.local(at_work, zone)[0]), calendar.DAY)
    return _moment(day, _EARLIEST + (second - calendar.SHIFT_START) * (_LATEST - _EARLIEST) // calendar.SHIFT, zone)


def _moment(day: int, second: int, zone: int) -> int:
    """When it is so late on a zone's day."""
    return int(calendar.CLOCKS.utc(np.array([day * calendar.DAY + second], dtype=np.int64), zone)[0])
