"""How Slack messages follow from a specification: any range of rows.

Every reference resolves without looking: a thread follows from its number (``threads.py``), channels and people are the
workspace's (``company/workspace.py``), issues, pull requests and pages those that the company has in closed form.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dataops_core.company.threads import microseconds
from dataops_core.dataset_types.base import GenerationSpec, Planted
from dataops_core.dataset_types.defects import Candidates, Defects, Marks
from dataops_core.dataset_types.plan import batch, incomplete_quota
from dataops_core.dataset_types.slack.columns import REACTION_LIST, SCHEMA
from dataops_core.dataset_types.slack.layout import REACTIONS
from dataops_core.dataset_types.slack.markup import said_range
from dataops_core.dataset_types.slack.plan import ROLES, plans, text_bytes
from dataops_core.dataset_types.slack.threads import Incomplete, ThreadClock, Threads
from dataops_core.generation import arrays, calendar
from dataops_core.generation.fragments import Ranges
from dataops_core.generation.identifiers import uuids
from dataops_core.generation.outline import Sizes, blocks_of
from dataops_core.generation.seeding import I64, U64, chance, draw, key, mix, pick
from dataops_core.generation.sentences import DAYS, PROJECT, TICKETS, TOPIC, narrow_days, narrow_newest, narrow_releases

_INCOMPLETE_FIELDS = ("reply_users", "reply_users_count", "latest_reply")
#: Slack names so many of those who replied.
_NAMED_REPLIERS = 5


@dataclass(frozen=True, slots=True)
class _Messages:
    """A range of messages, as numbers: what their columns and their text both say."""

    rows: I64
    threads: Threads
    #: Which of the threads each message is in, and its place there.
    thread: I64
    place: I64
    #: The project in whose channel a message is, and the one that it is about: of a misfiled message another.
    home: I64
    project: I64
    topic: I64
    archetype: I64
    channel: I64
    author: I64
    #: Whom a message speaks to: who wrote before, or of a first message somebody of the team.
    addressee: I64
    moment: I64

    @property
    def first(self) -> NDArray[np.bool_]:
        """Whether a message is the first of its thread."""
        first: NDArray[np.bool_] = self.place == 0
        return first

    @property
    def replies(self) -> I64:
        """How many replies a message's thread has."""
        counts: I64 = self.threads.lengths[self.thread] - 1
        return counts


class MessageBuilder:
    """Builds any range of a specification's messages."""

    schema = SCHEMA

    def __init__(self, spec: GenerationSpec) -> None:
        self._spec = spec
        self._plan = plans(spec)
        self._path = ("slack_messages", spec.seed)
        plan = self._plan
        self._clock = ThreadClock(
            spec.company, plan.people, plan.archetypes, spec.record_count, spec.weeks, *self._path
        )
        self._incomplete = Incomplete(
            self._clock.answered, incomplete_quota(spec), len(_INCOMPLETE_FIELDS), *self._path, "incomplete"
        )
        self._sizes = Sizes(spec.record_count, text_bytes(spec.template), *self._path, "size")

        self._defects = Defects(spec, self._candidates, facts=plan.facts.count)

    def planted(self) -> Iterator[Planted]:
        """The defects that messages have on purpose: of threads only the first one is defective."""
        yield from self._incomplete.planted(self._clock, _INCOMPLETE_FIELDS)
        names = self._plan.channel_names.to_pylist()
        yield from self._defects.planted(
            lambda row, project: names[self._channel_of(row, project)], self._plan.facts.said
        )

    def rows(self, start: int, stop: int) -> pa.RecordBatch:
        """Messages ``start`` to ``stop``, the latter excluded."""
        marks = self._defects.of(np.arange(start, stop, dtype=np.int64))
        messages, told = marks.split(self._messages(marks.with_sources, marks))
        messages = replace(messages, topic=told.topic)
        plan, count = self._plan, len(messages.rows)
        author = arrays.integers(messages.author)
        columns = {
            **self._references(messages),
            "type": ["message"] * count,
            "user": plan.user_ids.take(author),
            "text": self._texts(messages, told, marks),
            "team": [plan.team_id] * count,
            "client_msg_id": uuids(key(*self._path, "client_msg_id"), messages.rows),
            "reactions": self._reactions(messages),
            "_channel_name": plan.channel_names.take(arrays.integers(messages.channel)),
            "_posted_at": calendar.rfc3339(messages.moment),
            "_archetype": arrays.texts(plan.archetypes).take(arrays.integers(messages.archetype)),
            "_topic": plan.topics.take(arrays.integers(messages.topic)),
            "_author_name": plan.people.names.take(author),
            "_author_email": plan.people.emails.take(author),
            "_addressee_name": plan.people.names.take(arrays.integers(messages.addressee)),
        }
        return batch(columns, SCHEMA)

    def _draw(self, column: str, rows: I64) -> U64:
        return draw(key(*self._path, column), rows)

    def _candidates(self, rows: I64) -> Candidates:
        """First messages may be, but those about incidents and releases; misfiled only those without replies."""
        threads, thread = self._threads(rows)
        told = np.maximum(threads.incident, threads.release)
        free = (threads.roots[thread] == rows) & (told[thread] < 0)
        own = self._plan.own_channel[threads.archetype[thread]]
        return Candidates(
            project=threads.project[thread],
            moment=threads.moments[thread, 0],
            paired=free,
            movable=free & own & (threads.lengths[thread] == 1),
        )

    def _channel_of(self, row: int, project: int) -> int:
        """The channel that a message would be in if its thread were of this project."""
        threads, _ = self._threads(np.array([row], dtype=np.int64))
        return int(self._plan.channel[threads.archetype[0], project])

    def _threads(self, rows: I64) -> tuple[Threads, I64]:
        """The threads of messages, and which of them each message is in."""
        numbers, thread = np.unique(self._clock.number_of(rows), return_inverse=True)
        return self._clock.threads(numbers, self._plan.topic_table, self._plan.archetype_table), thread

    def _messages(self, rows: I64, marks: Marks) -> _Messages:
        plan = self._plan
        threads, thread = self._threads(rows)
        place = rows - threads.roots[thread]
        home = threads.project[thread]
        project = np.where(marks.right >= 0, marks.right, home)
        author = threads.authors[thread, place]
        someone = plan.people.colleague(home, author, self._draw("addressee", rows))
        return _Messages(
            rows=rows,
            threads=threads,
            thread=thread,
            place=place,
            home=home,
            project=project,
            topic=threads.topic[thread],
            archetype=threads.archetype[thread],
            channel=np.where(
                threads.release[thread] >= 0, plan.release_channel, plan.channel[threads.archetype[thread], home]
            ),
            author=author,
            addressee=np.where(place == 0, someone, threads.authors[thread, np.maximum(place - 1, 0)]),
            moment=threads.moments[thread, place],
        )

    def _references(self, messages: _Messages) -> dict[str, Any]:
        """A message's own time stamp and address, and those of its thread."""
        threads, replies, first = messages.threads, messages.replies, messages.first
        stamps = _stamps(messages.moment, messages.rows)
        root_stamps = _stamps(threads.moments[:, 0], threads.roots).take(arrays.integers(messages.thread))
        lacking = self._incomplete.lacking(threads)[messages.thread]
        # The first message of a thread says how it went on.
        told = first & (replies > 0)
        absent = {name: told & (lacking != number) for number, name in enumerate(_INCOMPLETE_FIELDS)}
        last = threads.lengths - 1
        latest = _stamps(threads.moments[np.arange(len(last)), last], threads.roots + last)
        repliers = [self._repliers(threads, number) for number in range(len(last))]
        users = self._plan.user_ids.to_pylist()
        thread = messages.thread.tolist()
        ids = self._plan.channel_ids.take(arrays.integers(messages.channel))
        url = f"{self._spec.company.slack_url}/archives/"
        said = zip(stamps.to_pylist(), root_stamps.to_pylist(), ids.to_pylist(), first.tolist(), strict=True)
        return {
            "ts": stamps,
            "thread_ts": root_stamps.take(arrays.integers(np.arange(len(replies)), present=replies > 0)),
            "reply_count": arrays.integers(replies, present=told),
            "reply_users": _lists(
                [
                    [users[person] for person in repliers[number][:_NAMED_REPLIERS]] if there else None
                    for number, there in zip(thread, absent["reply_users"].tolist(), strict=True)
                ]
            ),
            "reply_users_count": arrays.integers(
                [len(repliers[number]) for number in thread], present=absent["reply_users_count"]
            ),
            "latest_reply": latest.take(arrays.integers(messages.thread, present=absent["latest_reply"])),
            "permalink": [
                f"{url}{channel}/p{stamp.replace('.', '')}" + ("" if is_first else f"?thread_ts={root}&cid={channel}")
                for stamp, root, channel, is_first in said
            ],
            "_channel_id": ids,
            "_document_id": pc.binary_join_element_wise(ids, stamps, arrays.texts(["-"] * len(stamps))),
        }

    def _repliers(self, threads: Threads, number: int) -> list[int]:
        """Who replied, each once, in order."""
        return list(dict.fromkeys(threads.authors[number, 1 : threads.lengths[number]].tolist()))

    def _reactions(self, messages: _Messages) -> pa.ListArray:
        """One in four messages has reactions; a reaction's users are of the team, the author not among them."""
        plan, rows = self._plan, messages.rows
        drawn = self._draw("reactions", rows)
        counts = np.where(chance(drawn, 250), 1 + np.minimum(pick(mix(drawn), 3), pick(mix(~drawn), 3)), 0)
        owner = np.repeat(np.arange(len(rows)), counts)
        turn = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
        each = mix(drawn[owner] + turn.astype(np.uint64))
        # The reactions of one message differ; the common ones come more often.
        start = np.minimum(pick(drawn, len(REACTIONS)), pick(mix(drawn + key("emoji")), len(REACTIONS)))
        names = (start[owner] + turn * 4) % len(REACTIONS)
        size = plan.people.team_size[messages.home].astype(np.int64)
        first = plan.people.team_first[messages.home]
        many = 1 + np.minimum(pick(each, 6), pick(mix(each), 6))
        reaction = np.repeat(np.arange(len(owner)), many)
        nth = np.arange(len(reaction)) - np.repeat(np.cumsum(many) - many, many)
        of = owner[reaction]
        seat = messages.author[of] - first[of]
        users = first[of] + (seat + 1 + (pick(mix(~each), 1 << 16)[reaction] + nth) % (size[of] - 1)) % size[of]
        entries = pa.StructArray.from_arrays(
            [
                arrays.texts(REACTIONS).take(arrays.integers(names)),
                arrays.lists(plan.user_ids.take(arrays.integers(users)), many.tolist()),
                arrays.integers(many),
            ],
            fields=list(REACTION_LIST.value_type),
        )
        lists = arrays.lists(entries, counts.tolist())
        return lists.take(arrays.integers(np.arange(len(rows)), present=counts > 0)).cast(REACTION_LIST)

    def _texts(self, messages: _Messages, told: _Messages, marks: Marks) -> pa.Array:
        """What each message says: what ``told`` says, which is another message where one is a copy."""
        plan, fragments = self._plan, self._plan.fragments
        ranges = fragments.ranges(len(told.rows), {TOPIC: told.topic, PROJECT: told.project})
        fragments.only(ranges, "addressee", fragments.base("addressee") + messages.addressee)
        third = plan.people.colleague(told.home, told.author, self._draw("person", told.rows), told.addressee)
        fragments.only(ranges, "person", fragments.base("person*") + third)
        narrow_days(fragments, ranges, calendar.day_of(told.moment))
        self._narrow_numbered(ranges, told)
        self._narrow_replies(ranges, told)
        last = (told.place == told.replies) & ~told.first
        role = np.where(told.first, 0, np.where(last & chance(self._draw("closing", told.rows), 700), 2, 1))
        outline = told.archetype * len(ROLES) + role
        keys = self._draw("outline", told.rows)
        # What the first message about a release or an incident begins with is a part of its size.
        about, drawn, threads = np.full(len(keys), -1, dtype=np.int64), mix(keys), told.threads
        for there, begins in (
            (threads.release >= 0, plan.announcements),
            (threads.alarm, plan.alarms[0]),
            ((threads.incident >= 0) & ~threads.alarm, plan.alarms[1]),
        ):
            about = np.where(told.first & there[told.thread], begins[pick(drawn, len(begins))], about)
        before = np.where(about >= 0, fragments.block_bytes[about], 0).astype(np.int64)
        blocks = blocks_of(plan.outlines, outline, self._sizes(told.rows) - before, keys)
        blocks = np.hstack([about[:, None], plan.facts.placed(blocks, marks)])
        plan.facts.narrow(fragments, ranges, marks)
        composed = fragments.compose(ranges, blocks, self._draw("text", told.rows), marks.edits)
        return pc.utf8_rtrim_whitespace(pc.replace_substring(composed, " \n", "\n"))

    def _narrow_replies(self, ranges: Ranges, messages: _Messages) -> None:
        """Lets the replies of one thread begin each in another way."""
        fragments, plan = self._plan.fragments, self._plan
        form = messages.place + pick(self._draw("form", messages.threads.roots)[messages.thread], 60)
        for kind in plan.archetypes:
            pool = f"{kind}_reply"
            base = fragments.bases[fragments.offsets[fragments.names[pool]] + messages.topic]
            first, many = said_range(kind, form)
            fragments.only(ranges, pool, base + first, many.astype(np.uint64))

    def _narrow_numbered(self, ranges: Ranges, messages: _Messages) -> None:
        """Issues and pull requests that there were by then; of an incident, its own issue."""
        numbered, fragments = self._plan.numbered, self._plan.fragments
        issues = numbered.issues_by(messages.project, messages.moment)
        narrow_newest(fragments, ranges, messages.project, issues, (*TICKETS, "ticket_link"))
        pulls = numbered.pull_requests_by(messages.project, messages.moment)
        narrow_newest(fragments, ranges, messages.project, pulls, ("pull_link",))
        released = numbered.releases_by(messages.project, messages.moment)
        narrow_releases(fragments, ranges, messages.project, released)
        release = messages.threads.release[messages.thread]
        self._clock.releases.narrow(fragments, ranges, release >= 0, release)
        # A thread about a release points at the one before, not at itself.
        narrow_newest(fragments, ranges, messages.project, released - (release >= 0), ("announcement",), newest=1)
        fragments.only_where(ranges, "release_contents", release >= 0, fragments.base("release_contents") + release)
        self._narrow_to_incidents(ranges, messages)

    def _narrow_to_incidents(self, ranges: Ranges, messages: _Messages) -> None:
        """Of an incident its own issue, service and day, and one customer that it hit."""
        fragments, outages = self._plan.fragments, self._clock.outages
        incident = messages.threads.incident[messages.thread]
        about = incident >= 0
        hit = (outages.customers[incident] >= 0).sum(axis=1).astype(np.uint64)
        nth = pick(self._draw("customer", messages.threads.roots)[messages.thread], hit)
        links = fragments.bases[fragments.offsets[fragments.names["ticket_link"]] + messages.project]
        incidents = self._spec.company.incidents
        services = np.array([each.service for each in incidents], dtype=np.int64)
        days = calendar.day_of(np.array([each.started for each in incidents], dtype=np.int64))
        fragments.only_where(ranges, "outage_service", about, fragments.base("outage_service") + services[incident])
        fragments.only_where(ranges, "outage_clock", about, fragments.base("outage_clock") + incident)
        for name in DAYS:
            fragments.only_where(ranges, name, about, fragments.base(name) + days[incident])
        fragments.only_where(ranges, "ticket_link", about, links + outages.issue[incident] - 1)
        fragments.only_where(ranges, "customer", about, fragments.base("customer") + outages.customers[incident, nth])


def _stamps(moments: I64, rows: I64) -> pa.Array:
    """Slack's time stamps: seconds and microseconds, the latter a row's own, so that no two messages share one."""
    seconds = arrays.integers(calendar.epoch_seconds(moments)).cast(pa.string())
    micros = arrays.integers(microseconds(rows)).cast(pa.string())
    dots = arrays.texts(["."] * len(rows))
    return pc.binary_join_element_wise(seconds, pc.utf8_lpad(micros, 6, "0"), dots)


def _lists(values: list[list[str] | None]) -> pa.ListArray:
    """Lists of texts, null where there is None."""
    made = arrays.lists(arrays.texts([text for each in values for text in each or ()]), [len(v or ()) for v in values])
    return made.take(arrays.integers(np.arange(len(values)), present=np.array([v is not None for v in values])))
