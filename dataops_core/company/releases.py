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
from dataops_core.generation.seeding import I64, Draws

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
    # All projects' moments at once: a call for a few takes as long.
    zones = np.array([people[teams[project.team].first_person].zone for project in projects])
    mine = [[incident for incident in incidents if incident.project == project.index] for project in projects]
    planned = _planned(draws, client_id, projects, zones, [{each.issue for each in own} for own in mine])
    corrections = _corrections(draws, mine, zones)
    long_ago = np.array([draws.below("weekday", 5) - 7 * draws.between("weeks", 1, 6) for _ in projects])
    before = _moments(long_ago, _EARLIEST, zones).tolist()
    found: list[Release] = []
    for project, long_out, own, others in zip(projects, before, planned, corrections, strict=True):
        team = teams[project.team]
        # What would go out beside a planned release goes out with that.
        alone = [each for each in others if min(abs(each[0] - other[0]) for other in own) > 3 * calendar.DAY]
        kept = sorted(each for each in (*own, *alone) if each[0] <= LAST_MOMENT)
        first: _Planned = (long_out, 0, ())
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


def _planned(
    draws: Draws, client_id: UUID, projects: Sequence[Project], zones: I64, taken: Sequence[set[int]]
) -> list[list[_Planned]]:
    """Of each project moment, issue and fixed issues of each planned release: days after its issue."""
    tracked = [_tracked(draws, project, issues) for project, issues in zip(projects, taken, strict=True)]
    issues = np.array([[issue for issue, _ in own] for own in tracked], dtype=np.int64)
    columns = [(project.index, project.issue_count) for project in projects]
    index, counts = np.array(columns, dtype=np.int64).T[:, :, None]
    created = issue_created(client_id, index, issues, counts, zones[:, None])
    prepared = [draws.between("prepared", 2 * calendar.SHIFT, 7 * calendar.SHIFT) for _ in range(issues.size)]
    out = _out(created, np.array(prepared).reshape(issues.shape), zones[:, None])
    return [
        [(moment, issue, fixed) for moment, (issue, fixed) in zip(moments, own, strict=True)]
        for moments, own in zip(out.tolist(), tracked, strict=True)
    ]


def _tracked(draws: Draws, project: Project, taken: set[int]) -> list[tuple[int, tuple[int, ...]]]:
    """The issue of each planned release of a project, and those before it that it fixes."""
    part = project.issue_count // (PER_PROJECT + 1)
    # Projects release at different times of the year, and each in its own rhythm.
    phase = part // 2 + draws.between("phase", 0, part * 3 // 4)
    tracked = []
    for number in range(PER_PROJECT):
        issue = phase + number * part + draws.between("issue", 0, part // 4)
        while issue in taken:
            issue -= 1
        before = [earlier for earlier in range(issue - part // 2 + 2, issue) if earlier not in taken]
        chosen = draws.shuffled("fixed", len(before))[:FIXES]
        tracked.append((issue, tuple(sorted(before[place] for place in chosen))))
    return tracked


def _corrections(draws: Draws, incidents: Sequence[Sequence[Incident]], zones: I64) -> list[list[_Planned]]:
    """The same of what corrects each of the projects' incidents."""
    many = [len(own) for own in incidents]
    resolved = np.array([each.resolved for own in incidents for each in own], dtype=np.int64)
    worked = np.array([draws.between("correction", calendar.SHIFT, 2 * calendar.SHIFT) for _ in resolved])
    out = iter(_out(resolved, worked, np.repeat(zones, many)).tolist())
    return [[(next(out), 0, (each.issue,)) for each in own] for own in incidents]


def _out(moments: I64, seconds: I64, zones: I64) -> I64:
    """When what was ready so many working seconds after each moment went out: that day, in the middle of it."""
    at_work = calendar.at_work(calendar.worked(moments, zone=zones) + seconds, zone=zones)
    day, second = np.divmod(calendar.CLOCKS.local(at_work, zones), calendar.DAY)
    share = (second - calendar.SHIFT_START) * (_LATEST - _EARLIEST) // calendar.SHIFT
    return _moments(day, _EARLIEST + share, zones)


def _moments(days: I64, seconds: "int | I64", zones: I64) -> I64:
    """When it is so late on a zone's day."""
    return calendar.CLOCKS.utc(days * calendar.DAY + seconds, zones)
