"""The company's releases as dataset types speak of them: as columns, in one order, and by the fragments that name one.

A small dataset has room for few of a project's releases. All types take them in the same order, so that they speak of
the same ones. Does not belong here: what a type says about them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dataops_core.company.model import Company
from dataops_core.company.releases import in_order
from dataops_core.company.threads import release_posts
from dataops_core.generation.fragments import Fragments, Ranges
from dataops_core.generation.seeding import I64
from dataops_core.generation.sentences import RELEASES


@dataclass(frozen=True, slots=True)
class Releases:
    """The releases of a company. Columns are by the release's index."""

    project: I64
    #: Which of its project's it is, from the one on that was out when the window began.
    place: I64
    moment: I64
    #: When it was announced.
    posted: I64
    lead: I64
    #: The number of the issue that tracks it, 0 for none.
    issue: I64
    #: Of each project (rows) the releases within the window as types take them up; -1 where there are no more.
    order: I64

    @classmethod
    def of(cls, company: Company) -> "Releases":
        """The releases of a company."""
        releases = company.releases
        places = [company.releases_by_project[release.project].index(release) for release in releases]
        orders = [in_order(company, project) for project in range(len(company.projects))]
        order = np.full((len(orders), max(map(len, orders))), -1, dtype=np.int64)
        for project, taken in enumerate(orders):
            order[project, : len(taken)] = [release.index for release in taken]
        return cls(
            project=np.array([release.project for release in releases], dtype=np.int64),
            place=np.array(places, dtype=np.int64),
            moment=np.array([release.moment for release in releases], dtype=np.int64),
            posted=release_posts(company),
            lead=np.array([release.lead for release in releases], dtype=np.int64),
            issue=np.array([release.issue for release in releases], dtype=np.int64),
            order=order,
        )

    def taken_up(self, projects: I64, numbers: I64, *, first: int, every: int) -> I64:
        """The release that each thing of a project is about, -1 for none: things ``first``, ``first + every`` and so on
        are about one each.
        """
        nth, rest = np.divmod(numbers - first, every)
        known = (rest == 0) & (nth >= 0) & (nth < self.order.shape[1])
        found: I64 = np.where(known, self.order[projects, np.clip(nth, 0, self.order.shape[1] - 1)], -1)
        return found

    def narrow(self, fragments: Fragments, ranges: Ranges, rows: NDArray[np.bool_], chosen: I64) -> None:
        """Lets some rows name their release and no other version."""
        for name in RELEASES:
            bases = fragments.bases[fragments.offsets[fragments.names[name]] + self.project[chosen]]
            fragments.only_where(ranges, name, rows, bases + self.place[chosen])
        fragments.only_where(ranges, "released", rows, fragments.base("released") + chosen)
