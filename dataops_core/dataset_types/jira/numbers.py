"""Which issue each row of a dataset is: in closed form, so that whatever cites ``KEY-n`` knows what it will be.

A dataset holds a part of each project's issues, spread over all its numbers and so over all the time, and among the
first of them those that track the company's incidents. Beyond the project's count the numbers go on.
"""

import numpy as np

from dataops_core.company.model import Company
from dataops_core.dataset_types.plan import Wheel
from dataops_core.generation.seeding import I64, coprime, digest64

#: Of each project, these of its rows are its incidents, in their order.
_FIRST_INCIDENT, _BETWEEN_INCIDENTS = 2, 9


class Numbers:
    """The numbers of a company's issues."""

    def __init__(self, company: Company, wheel: Wheel) -> None:
        self._wheel = wheel
        self._counts = np.array([project.issue_count for project in company.projects], dtype=np.int64)
        size = int(self._counts.max())
        self._numbers = np.zeros((len(self._counts), size), dtype=np.int64)
        self._incidents = np.full((len(self._counts), size), -1, dtype=np.int64)
        for project, count in enumerate(self._counts.tolist()):
            incidents = [incident for incident in company.incidents if incident.project == project]
            special = {incident.issue for incident in incidents}
            shift = digest64("issue numbers", company.client_id, project) % count
            spread = (np.arange(count, dtype=np.int64) * coprime(count) + shift) % count + 1
            numbers = [number for number in spread.tolist() if number not in special]
            for place, incident in enumerate(incidents):
                row = _FIRST_INCIDENT + place * _BETWEEN_INCIDENTS
                numbers.insert(row, incident.issue)
                self._incidents[project, row] = incident.index
            self._numbers[project, :count] = numbers

    def of(self, rows: I64) -> tuple[I64, I64, I64]:
        """Project, number and the company's incident (-1: none) of each row."""
        project, ordinal = self._wheel.project(rows), self._wheel.ordinal(rows)
        known = ordinal < self._counts[project]
        place = np.where(known, ordinal, 0)
        number = np.where(known, self._numbers[project, place], ordinal + 1)
        return project, number, np.where(known, self._incidents[project, place], -1)

    def capacities(self, rows: int) -> I64:
        """How many issues each project has, in a dataset of so many rows: its own count, or more."""
        return np.maximum(self._counts, self._wheel.counts(rows))
