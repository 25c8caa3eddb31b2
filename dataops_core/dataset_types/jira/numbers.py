"""Which issue each row of a dataset is: in closed form, so that whatever cites ``KEY-n`` knows what it will be.

A dataset holds a part of each project's issues, spread over all its numbers and so over all the time, and among the
first of them those that track the company's incidents and releases. Beyond the project's count the numbers go on.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from dataops_core.company.model import Company, Release
from dataops_core.company.releases import in_order
from dataops_core.company.wheel import Wheel
from dataops_core.generation.seeding import I64, coprime, digest64

#: Of each project, these of its rows are its incidents, in their order.
_FIRST_INCIDENT, _BETWEEN_INCIDENTS = 2, 9
#: And these are its planned releases, in the order in which types take them up, and one issue of each's.
_FIRST_RELEASE, _FIRST_FIXED, _BETWEEN_RELEASES = 4, 6, 9


class Numbers:
    """The numbers of a company's issues."""

    def __init__(self, company: Company, wheel: Wheel) -> None:
        self._wheel = wheel
        self._counts = np.array([project.issue_count for project in company.projects], dtype=np.int64)
        size = int(self._counts.max())
        self._numbers = np.zeros((len(self._counts), size), dtype=np.int64)
        self._incidents = np.full((len(self._counts), size), -1, dtype=np.int64)
        self._releases = np.full((len(self._counts), size), -1, dtype=np.int64)
        for project, count in enumerate(self._counts.tolist()):
            incidents = {each.issue: each.index for each in company.incidents_by_project[project]}
            releases = in_order(company, project)
            first = dict(_first_rows(list(incidents), releases))
            shift = digest64("issue numbers", company.client_id, project) % count
            spread = (np.arange(count, dtype=np.int64) * coprime(count) + shift) % count + 1
            numbers = [number for number in spread.tolist() if number not in first.values()]
            for row, number in sorted(first.items()):
                numbers.insert(row, number)
            self._numbers[project, :count] = numbers
            shipped = {number: each.index for each in releases for number in (each.issue, *each.fixed)}
            self._incidents[project, :count] = [incidents.get(number, -1) for number in numbers]
            self._releases[project, :count] = [shipped.get(number, -1) for number in numbers]

    def of(self, rows: I64) -> tuple[I64, I64, I64, I64]:
        """Project, number, incident, and the release that an issue tracks or went out with (-1: none) of each row."""
        project, ordinal = self._wheel.project(rows), self._wheel.ordinal(rows)
        known = ordinal < self._counts[project]
        place = np.where(known, ordinal, 0)
        number = np.where(known, self._numbers[project, place], ordinal + 1)
        incident, release = self._incidents[project, place], self._releases[project, place]
        return project, number, np.where(known, incident, -1), np.where(known, release, -1)

    def capacities(self, rows: int) -> I64:
        """How many issues each project has, in a dataset of so many rows: its own count, or more."""
        return np.maximum(self._counts, self._wheel.counts(rows))


def _first_rows(incidents: Sequence[int], releases: Sequence[Release]) -> Iterator[tuple[int, int]]:
    """Row and number of a project's issues that have their rows."""
    for nth, number in enumerate(incidents):
        yield _FIRST_INCIDENT + nth * _BETWEEN_INCIDENTS, number
    for nth, release in enumerate(release for release in releases if release.issue):
        yield _FIRST_RELEASE + nth * _BETWEEN_RELEASES, release.issue
        yield _FIRST_FIXED + nth * _BETWEEN_RELEASES, release.fixed[0]
