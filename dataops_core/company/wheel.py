"""Which of the company's projects each row of a dataset belongs to, in closed form, whatever the dataset is of."""

import numpy as np

from dataops_core.company.model import Company
from dataops_core.generation.seeding import I64, Draws


class Wheel:
    """Which project each row belongs to, in closed form: rows go round a wheel on which busy projects have more places.

    The first rows are one per project, so row i below the number of projects belongs to project i. ``ordinal`` is a
    row's number within its project and ``row`` the way back: so a page finds an earlier page of its space alone.
    """

    def __init__(self, company: Company) -> None:
        count = len(company.projects)
        draws = Draws("wheel", company.client_id)
        shares = [draws.between("share", 1, 6) for _ in range(count)]
        rest = [project for project, share in enumerate(shares) for _ in range(share)]
        places = list(range(count)) + [rest[place] for place in draws.shuffled("places", len(rest))]
        self.weights = [share + 1 for share in shares]
        self._project = np.array(places, dtype=np.int64)
        self._per_turn = np.bincount(self._project, minlength=count)
        self._rank = np.array([places[:place].count(project) for place, project in enumerate(places)], dtype=np.int64)
        self._place = np.zeros((count, int(self._per_turn.max())), dtype=np.int64)
        for place, project in enumerate(places):
            self._place[project, self._rank[place]] = place

    def project(self, rows: I64) -> I64:
        """The project of each row."""
        return self._project[rows % len(self._project)]

    def ordinal(self, rows: I64) -> I64:
        """How many earlier rows each row's project has."""
        turn, place = np.divmod(rows, len(self._project))
        return turn * self._per_turn[self._project[place]] + self._rank[place]

    def counts(self, rows: int) -> I64:
        """How many of the first rows each project has."""
        turns, rest = divmod(rows, len(self._project))
        counts: I64 = turns * self._per_turn + np.bincount(self._project[:rest], minlength=len(self._per_turn))
        return counts

    def row(self, projects: I64, ordinals: I64) -> I64:
        """The row of a project's ordinal."""
        turn, rank = np.divmod(ordinals, self._per_turn[projects])
        return turn * len(self._project) + self._place[projects, rank]
