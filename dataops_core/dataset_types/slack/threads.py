"""Threads of messages in closed form: which messages make a thread, who writes them and when.

Belongs here: the numbers of a thread. Any thread follows from its number alone, so any range of messages is made
without the others. A reply comes after what it replies to, in the working hours of whoever writes it. Does not belong
here: what messages say (``builder.py``).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dataops_core.company.incidents import MOST_CUSTOMERS
from dataops_core.company.model import Company
from dataops_core.company.threads import (
    BETWEEN_INCIDENTS,
    BETWEEN_RELEASES,
    FIRST_INCIDENT,
    FIRST_RELEASE,
    THREADS,
    first_messages,
    incident_posts,
)
from dataops_core.company.wheel import Wheel
from dataops_core.dataset_types.base import Planted
from dataops_core.dataset_types.defects import incomplete
from dataops_core.dataset_types.plan import People
from dataops_core.dataset_types.releases import Releases
from dataops_core.dataset_types.slack.layout import ANNOUNCEMENT, INCIDENT, LAYOUTS
from dataops_core.generation import calendar
from dataops_core.generation.seeding import I64, U64, Affine, chance, draw, key, mix, pick

#: Messages of the longest thread.
LONGEST = max(THREADS)
_SIZES = np.array(THREADS, dtype=np.int64)
_STARTS = np.cumsum(_SIZES) - _SIZES
_TURN = int(_SIZES.sum())
_THREAD_OF = np.repeat(np.arange(len(THREADS)), _SIZES)
#: How many threads with replies come before each thread of a turn, and how many a turn has.
_ANSWERED: I64 = (np.cumsum(_SIZES > 1) - (_SIZES > 1)).astype(np.int64)
_ANSWERED_PER_TURN = int((_SIZES > 1).sum())
_WEEK = 7 * calendar.DAY
#: Weeks in which threads begin: not the first, whose Monday is Sunday elsewhere, and not the last ones, which the
#: longest thread needs with its nights and weekends.
_FIRST_WEEK, _LAST_WEEK = 1, calendar.WINDOW_DAYS // 7 - 4


@dataclass(frozen=True, slots=True)
class Outages:
    """The company's incidents as columns, and which of them each project has."""

    of_project: I64
    #: When each is first spoken of, and who leads what is done.
    posted: I64
    lead: I64
    issue: I64
    #: The customers that each hit, -1 where there are no more.
    customers: I64

    @classmethod
    def of(cls, company: Company) -> "Outages":
        """The incidents of a company."""
        customers = np.full((len(company.incidents), MOST_CUSTOMERS), -1, dtype=np.int64)
        for incident in company.incidents:
            customers[incident.index, : len(incident.customers)] = incident.customers
        return cls(
            of_project=np.array(
                [[incident.index for incident in mine] for mine in company.incidents_by_project], dtype=np.int64
            ),
            posted=incident_posts(company),
            lead=np.array([incident.lead for incident in company.incidents], dtype=np.int64),
            issue=np.array([incident.issue for incident in company.incidents], dtype=np.int64),
            customers=customers,
        )

    def begun(self, projects: I64, ordinals: I64) -> I64:
        """The incident that each thread of a project begins with, -1 for none."""
        nth, rest = np.divmod(ordinals - FIRST_INCIDENT, BETWEEN_INCIDENTS)
        count = self.of_project.shape[1]
        found: I64 = np.where(
            (rest == 0) & (nth >= 0) & (nth < count), self.of_project[projects, np.clip(nth, 0, count - 1)], -1
        )
        return found


@dataclass(frozen=True, slots=True)
class Threads:
    """Some threads as numbers. What is there per message has the shape (threads, ``LONGEST``)."""

    #: The first message of each, and how many messages there are.
    roots: I64
    lengths: I64
    project: I64
    topic: I64
    archetype: I64
    #: The company's incident that a thread is about, -1 for none.
    incident: I64
    #: Whether it is the first one about that.
    alarm: NDArray[np.bool_]
    #: The company's release that it is about, -1 for none.
    release: I64
    authors: I64
    #: When each message is posted, in seconds since the window's start.
    moments: I64
    #: Place among all threads that have replies, for those that do.
    answered: I64


class ThreadClock:
    """Makes threads of one company, template and seed."""

    def __init__(
        self,
        company: Company,
        people: People,
        archetypes: tuple[str, ...],
        record_count: int,
        weeks: I64,
        *path: object,
    ) -> None:
        self._people = people
        self._count = record_count
        self._weeks = weeks[(weeks >= _FIRST_WEEK) & (weeks < _LAST_WEEK)]
        self._path = path
        self._wheel = Wheel(company)
        self._pauses = np.array([LAYOUTS[name].pause for name in archetypes], dtype=np.uint64)
        self._tells_of_outages = np.array([name == INCIDENT for name in archetypes])
        self._announces, self._alarms = archetypes.index(ANNOUNCEMENT), archetypes.index(INCIDENT)
        self.outages: Outages = Outages.of(company)
        self.releases: Releases = Releases.of(company)

    def number_of(self, rows: I64) -> I64:
        """The thread of each message."""
        turn, place = np.divmod(rows, _TURN)
        return turn * len(THREADS) + _THREAD_OF[place]

    def first_message(self, answered: int) -> int:
        """The first message of the thread that has this place among those with replies."""
        turn, place = divmod(answered, _ANSWERED_PER_TURN)
        return int(first_messages(np.array(turn * len(THREADS) + np.flatnonzero(_SIZES > 1)[place])))

    @property
    def answered(self) -> int:
        """How many threads have replies."""
        turns, rest = divmod(self._count, _TURN)
        return turns * _ANSWERED_PER_TURN + int(((_SIZES > 1) & (rest > _STARTS + 1)).sum())

    def threads(self, numbers: I64, topic_table: I64, archetype_table: I64) -> Threads:
        """The threads of these numbers. The tables draw a topic and an archetype by weight."""
        turn, place = np.divmod(numbers, len(THREADS))
        roots = first_messages(numbers)
        project, ordinal = self._wheel.project(numbers), self._wheel.ordinal(numbers)
        release = self.releases.taken_up(project, ordinal, first=FIRST_RELEASE, every=BETWEEN_RELEASES)
        alarm = self.outages.begun(project, ordinal)
        archetype = archetype_table[pick(self._draw("archetype", numbers), len(archetype_table))]
        archetype = np.where(release >= 0, self._announces, np.where(alarm >= 0, self._alarms, archetype))
        lead = np.where(release >= 0, self.releases.lead[release], np.where(alarm >= 0, self.outages.lead[alarm], -1))
        authors = self._authors(roots, project, lead)
        urgent = self._tells_of_outages[archetype]
        mine = self.outages.of_project[project]
        # The first ones are spoken of most: those that small datasets of other types have too.
        drawn, many = self._draw("incident", numbers), mine.shape[1]
        nth = np.minimum(pick(drawn, many), pick(mix(drawn), many))
        incident = np.where(alarm >= 0, alarm, np.where(urgent, mine[np.arange(len(nth)), nth], -1))
        return Threads(
            roots=roots,
            lengths=np.minimum(_SIZES[place], self._count - roots),
            project=project,
            topic=topic_table[pick(self._draw("topic", numbers), len(topic_table))],
            archetype=archetype,
            incident=incident,
            alarm=alarm >= 0,
            release=release,
            authors=authors,
            moments=self._moments(roots, archetype, authors, (incident, alarm, release)),
            answered=turn * _ANSWERED_PER_TURN + _ANSWERED[place],
        )

    def _authors(self, roots: I64, project: I64, lead: I64) -> I64:
        """Nobody answers himself; who began the thread, ``lead`` where somebody must, is back every third message."""
        first, size = self._people.team_first[project], self._people.team_size[project]
        seats = np.empty((len(roots), LONGEST), dtype=np.int64)
        seats[:, 0] = pick(self._draw("author", roots), size)
        seats[:, 0] = np.where(lead >= 0, lead - first, seats[:, 0])
        for place in range(1, LONGEST):
            drawn = self._draw("author", roots + place)
            before = seats[:, place - 1]
            other = (before + 1 + pick(drawn, size - np.uint64(1))) % size.astype(np.int64)
            returns = chance(mix(drawn), 333) & (before != seats[:, 0])
            seats[:, place] = np.where(returns, seats[:, 0], other)
        chosen: I64 = first[:, None] + seats
        return chosen

    def _moments(self, roots: I64, archetype: I64, authors: I64, about: tuple[I64, I64, I64]) -> I64:
        """When each message is posted: when its incident or its release is first spoken of, or at work.

        Whatever else is said about an incident comes soon after that.
        """
        incident, alarm, release = about
        zones, urgent = self._people.zone[authors], incident >= 0
        drawn = self._draw("posted", roots)
        week = self._weeks[pick(mix(~drawn), len(self._weeks))]
        local = week * _WEEK + calendar.moments(drawn) % _WEEK
        moments = np.empty(authors.shape, dtype=np.int64)
        spoken_of = self.outages.posted[incident] + np.where(alarm >= 0, 0, 60 + pick(drawn, 1200))
        moments[:, 0] = np.where(urgent, spoken_of, calendar.CLOCKS.utc(local, zones[:, 0]))
        moments[:, 0] = np.where(release >= 0, self.releases.posted[release], moments[:, 0])
        for place in range(1, LONGEST):
            pauses = self._draw("pause", roots + place)
            minutes = np.minimum(pick(pauses, self._pauses[archetype]), pick(mix(pauses), self._pauses[archetype]))
            soon = moments[:, place - 1] + 20 + minutes * 60 + pick(mix(~pauses), 60)
            at_work = calendar.CLOCKS.at_work(soon, zones[:, place], mix(pauses + key("morning")))
            # Who sees to an incident does not go home.
            moments[:, place] = np.where(urgent, soon, at_work)
        return moments

    def _draw(self, column: str, rows: I64) -> U64:
        return draw(key(*self._path, column), rows)


class Incomplete:
    """Which threads with replies lack a field in their first message: as many as the quota says, exactly."""

    def __init__(self, answered: int, quota: int, fields: int, *path: object) -> None:
        self._order = Affine(max(answered, 1), *path)
        self._quota = min(quota, answered)
        self._fields = fields

    def planted(self, clock: ThreadClock, fields: Sequence[str]) -> Iterator[Planted]:
        """The first messages that lack one of the fields."""
        for each in incomplete(self._order, self._quota, fields):
            yield replace(each, row=clock.first_message(each.row))

    def lacking(self, threads: Threads) -> I64:
        """Per thread the index of the field that its first message lacks, -1 for none."""
        place = self._order(threads.answered)
        incomplete: NDArray[np.bool_] = (threads.lengths > 1) & (place < self._quota)
        return np.where(incomplete, place % self._fields, -1)
