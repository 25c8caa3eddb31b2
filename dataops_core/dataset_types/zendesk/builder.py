"""How Zendesk tickets follow from a specification: any range of rows.

Who asks is a contact of one of the company's customers, who answers one of its people; users, organizations and groups
have ids in closed form. What a ticket or a comment cites was there before it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dataops_core.company.build import ticket_url
from dataops_core.company.people import CONTACTS
from dataops_core.company.timeline import ticket_created, tickets_by
from dataops_core.dataset_types.base import GenerationSpec, Planted
from dataops_core.dataset_types.defects import Candidates, Defects, Marks, incomplete
from dataops_core.dataset_types.plan import LABEL_SETS, batch, incomplete_quota, weighted
from dataops_core.dataset_types.zendesk.columns import COMMENT_LIST, SCHEMA
from dataops_core.dataset_types.zendesk.layout import CHANNELS, LAYOUTS, PRIORITIES, UNSOLVED
from dataops_core.dataset_types.zendesk.numbers import Ids
from dataops_core.dataset_types.zendesk.plan import COMMENTS, INCIDENT, description_bytes, plans
from dataops_core.generation import arrays, calendar
from dataops_core.generation.fragments import Ranges
from dataops_core.generation.outline import Sizes, Spread, blocks_of
from dataops_core.generation.seeding import I64, U64, Affine, chance, draw, key, mix, pick, weighted_table
from dataops_core.generation.sentences import (
    DAYS,
    PROJECT,
    TICKETS,
    TOPIC,
    narrow_days,
    narrow_newest,
    narrow_releases,
    spoken_day,
)

_INCOMPLETE_FIELDS = ("tags", "priority", "organization_id")
#: A solved ticket is closed after so many days.
_CLOSED_AFTER = 28


@dataclass(frozen=True, slots=True)
class _Tickets:
    """A range of tickets, as numbers: what their columns and their text both say."""

    rows: I64
    number: I64
    #: Index of the company's incident that a ticket is about, -1 for none.
    incident: I64
    #: The project whose team a ticket was given to, and the one that it is about: of a misfiled ticket another.
    home: I64
    project: I64
    customer: I64
    contact: I64
    topic: I64
    archetype: I64
    assignee: I64
    #: Index among ``_STATUSES``.
    status: I64
    created: I64
    updated: I64
    #: Index of the field that an incomplete ticket lacks, -1 for a complete one.
    lacking: I64


_STATUSES = (*(name for name, _ in UNSOLVED), "solved", "closed")
_NEW, _SOLVED, _CLOSED = (_STATUSES.index(name) for name in ("new", "solved", "closed"))


class TicketBuilder:
    """Builds any range of a specification's tickets."""

    schema = SCHEMA

    def __init__(self, spec: GenerationSpec) -> None:
        self._spec = spec
        self._plan = plans(spec)
        self._path = ("zendesk_tickets", spec.seed)
        self._incomplete = Affine(spec.record_count, *self._path, "incomplete")
        self._quota = incomplete_quota(spec)
        description = description_bytes(spec.template, self._plan.comment_bytes)
        self._sizes = Sizes(spec.record_count, description, *self._path, "size")
        self._comment_counts = Spread(spec.record_count, COMMENTS, *self._path, "comment count")
        self._capacity = max(spec.company.ticket_count, spec.record_count)
        self._ids = Ids(spec.company)

        self._defects = Defects(spec, self._candidates, facts=self._plan.facts.count)

    def planted(self) -> Iterator[Planted]:
        """The defects that tickets have on purpose. Where a ticket is, is the group that it was given to."""
        yield from incomplete(self._incomplete, self._quota, _INCOMPLETE_FIELDS)
        company = self._spec.company
        groups = [company.teams[project.team].name for project in company.projects]
        yield from self._defects.planted(lambda _, project: groups[project], self._plan.facts.said)

    def rows(self, start: int, stop: int) -> pa.RecordBatch:
        """Tickets ``start`` to ``stop``, the latter excluded."""
        marks = self._defects.of(np.arange(start, stop, dtype=np.int64))
        tickets, told, subjects, title_fragments = self._tickets(marks)
        # Who writes twice rarely writes the same; a ticket has no older version.
        subjects = marks.titled(subjects, "Again: {}", "{}")
        columns = {
            **self._identity(tickets, subjects),
            **self._state(tickets),
            **self._people(tickets),
            "description": self._descriptions(tickets, told, title_fragments, marks),
            "_comments": self._comments(tickets, marks),
        }
        return batch(columns, SCHEMA)

    def _draw(self, column: str, rows: I64) -> U64:
        return draw(key(*self._path, column), rows)

    def _candidates(self, rows: I64) -> Candidates:
        """Any ticket may be defective but those about an incident."""
        number, incident, _ = self._plan.numbers.of(rows)
        created = ticket_created(self._spec.company.client_id, number, self._capacity)
        free, service = incident < 0, self._service(rows)
        # A subject that names a service says whose it is, wherever it is.
        return Candidates(project=self._home(rows, service), moment=created, paired=free, movable=free & (service < 0))

    def _service(self, rows: I64) -> I64:
        """The service that each ticket's subject names, -1 for none: those of projects are their own."""
        topic, archetype = self._drawn(rows)
        return self._plan.titles.services(rows, topic, archetype, self._draw("subject", rows), self._spec.seed)

    def _home(self, rows: I64, service: I64) -> I64:
        """The project whose team a ticket is given to: that of the service in its subject, or any."""
        return np.where(service >= 0, service, self._plan.wheel.project(rows))

    def _drawn(self, rows: I64) -> tuple[I64, I64]:
        """Topic and archetype of each ticket that is not about an incident."""
        plan = self._plan
        topic, archetype = weighted(self._draw("topic", rows), plan.topic_table), self._draw("archetype", rows)
        return topic, weighted(archetype, plan.archetype_table)

    def _tickets(self, marks: Marks) -> tuple[_Tickets, _Tickets, pa.StringArray, dict[str, I64]]:
        """The tickets, those whose text they have, their subjects, and the fragments with which the text says the same.

        Whoever sends a ticket twice is the same contact of the same customer.
        """
        plan, company = self._plan, self._spec.company
        tickets, told = marks.split(self._numbers(marks.with_sources, marks))
        subjects, fragments = plan.titles.draw(
            told.rows, told.topic, told.archetype, self._draw("subject", told.rows), self._spec.seed
        )
        # A customer that the subject names is the one that asks.
        named = fragments["title_other"] - plan.titles.others["customer"]
        own = (named >= 0) & (named < len(company.customers)) & (told.incident < 0)
        told = replace(told, customer=np.where(own, named, told.customer))
        about = told.incident >= 0
        incidents = [company.incidents[index] for index in told.incident[about].tolist()]
        hit = [company.customers[index] for index in told.customer[about].tolist()]
        down = [
            f"{company.services[each.service].name} down for {customer} on {spoken_day(each.started // calendar.DAY)}"
            for each, customer in zip(incidents, hit, strict=True)
        ]
        subjects = arrays.replaced(subjects, (about, down))
        fragments["title_other"][about] = plan.titles.others["service"] + np.array(
            [each.service for each in incidents], dtype=np.int64
        )
        tickets = replace(
            tickets, topic=told.topic, archetype=told.archetype, customer=told.customer, contact=told.contact
        )
        return tickets, told, subjects, fragments

    def _numbers(self, rows: I64, marks: Marks) -> _Tickets:
        plan, company = self._plan, self._spec.company
        number, incident, hit = plan.numbers.of(rows)
        about = incident >= 0
        projects = np.array([each.project for each in company.incidents], dtype=np.int64)
        home = np.where(about, projects[incident], self._home(rows, self._service(rows)))
        topic, archetype = self._drawn(rows)
        archetype = np.where(about, plan.archetypes.index(INCIDENT), archetype)
        drawn = self._draw("customer", rows)
        # Some customers ask more than others.
        asking = np.minimum(pick(drawn, len(company.customers)), pick(mix(drawn), len(company.customers) * 2))
        created = ticket_created(company.client_id, number, self._capacity)
        zone = plan.numbered.zone[home]
        updated = calendar.later(created, self._draw("updated", rows), within_days=plan.longest[archetype], zone=zone)
        place = self._incomplete(rows)
        return _Tickets(
            rows=rows,
            number=number,
            incident=incident,
            home=home,
            project=np.where(marks.right >= 0, marks.right, home),
            customer=np.where(about, hit, asking),
            contact=pick(self._draw("contact", rows), CONTACTS),
            topic=topic,
            archetype=archetype,
            assignee=plan.people.member(home, self._draw("assignee", rows)),
            status=self._statuses(rows, created, updated, about),
            created=created,
            updated=updated,
            lacking=np.where(place < self._quota, place % len(_INCOMPLETE_FIELDS), -1),
        )

    def _statuses(self, rows: I64, created: I64, updated: I64, about: NDArray[np.bool_]) -> I64:
        """The older a ticket, the likelier it is solved; what has been solved for long is closed."""
        age = calendar.WINDOW_DAYS - calendar.day_of(created)
        drawn = self._draw("status", rows)
        likely = np.where(age > 60, 950, np.where(age > 14, 700, 250))
        solved = about | (pick(drawn, 1000) < likely)
        since = calendar.WINDOW_DAYS - calendar.day_of(updated)
        unsolved = weighted(mix(drawn), weighted_table([weight for _, weight in UNSOLVED]))
        return np.where(solved, np.where(since > _CLOSED_AFTER, _CLOSED, _SOLVED), unsolved)

    def _identity(self, tickets: _Tickets, subjects: pa.StringArray) -> dict[str, Any]:
        """What a ticket is and where it stands."""
        plan, company = self._plan, self._spec.company
        numbers = tickets.number.tolist()
        teams = plan.team[tickets.assignee]
        drawn = pick(self._draw("priority", tickets.rows), plan.priority_tables.shape[1])
        priorities = plan.priority_tables[tickets.archetype, drawn]
        labels = np.where(self._lacks(tickets, "tags"), LABEL_SETS, pick(self._draw("tags", tickets.rows), LABEL_SETS))
        types = [LAYOUTS[plan.archetypes[index]].ticket_type for index in tickets.archetype.tolist()]
        return {
            "id": tickets.number,
            "url": [f"{company.support_url}/api/v2/tickets/{number}.json" for number in numbers],
            "type": types,
            "subject": subjects,
            "raw_subject": subjects,
            "priority": arrays.texts(PRIORITIES).take(
                arrays.integers(priorities, present=~self._lacks(tickets, "priority"))
            ),
            "tags": plan.labels.take(arrays.integers(labels)),
            "group_id": self._ids.groups(teams),
            "brand_id": np.full(len(numbers), self._ids.brand),
            "_group": arrays.texts([team.name for team in company.teams]).take(arrays.integers(teams)),
            "_organization": arrays.texts(company.customers).take(arrays.integers(tickets.customer)),
            "_view_url": [ticket_url(company, number) for number in numbers],
            "_archetype": arrays.texts(plan.archetypes).take(arrays.integers(tickets.archetype)),
            "_topic": plan.topics.take(arrays.integers(tickets.topic)),
        }

    def _state(self, tickets: _Tickets) -> dict[str, Any]:
        """How far a ticket is, its times, and how it came in."""
        plan, company, rows = self._plan, self._spec.company, tickets.rows
        incidents = company.incidents
        issues = [
            f"{company.projects[incidents[index].project].key}-{incidents[index].issue}" if index >= 0 else None
            for index in tickets.incident.tolist()
        ]
        is_task = np.array([LAYOUTS[name].ticket_type == "task" for name in plan.archetypes])[tickets.archetype]
        is_problem = np.array([LAYOUTS[name].ticket_type == "problem" for name in plan.archetypes])[tickets.archetype]
        due = calendar.later(tickets.created, self._draw("due", rows), within_days=30)
        channel = weighted(self._draw("channel", rows), weighted_table([weight for _, weight in CHANNELS]))
        channels = [CHANNELS[index][0] for index in channel.tolist()]
        here = np.arange(len(rows))
        return {
            "external_id": issues,
            "status": [_STATUSES[index] for index in tickets.status.tolist()],
            "created_at": calendar.rfc3339(tickets.created),
            "updated_at": calendar.rfc3339(tickets.updated),
            "due_at": calendar.rfc3339(due).take(arrays.integers(here, present=is_task)),
            "recipient": [f"support@{company.domain}" if name == "email" else None for name in channels],
            "has_incidents": is_problem & chance(self._draw("incidents", rows), 250),
            "is_public": [True] * len(rows),
            "allow_channelback": [False] * len(rows),
            "allow_attachments": [True] * len(rows),
            "from_messaging_channel": [name == "chat" for name in channels],
            "via.channel": channels,
        }

    def _people(self, tickets: _Tickets) -> dict[str, Any]:
        """Who asks, who answers, and who else is told."""
        people, ids, company = self._plan.people, self._ids, self._spec.company
        assigned = tickets.status != _NEW
        assignee = arrays.integers(tickets.assignee, present=assigned)
        requesters = [
            company.contacts[customer][contact]
            for customer, contact in zip(tickets.customer.tolist(), tickets.contact.tolist(), strict=True)
        ]
        requester = ids.contacts(tickets.customer, tickets.contact)
        told = self._draw("told", tickets.rows)
        other = ids.contacts(tickets.customer, (tickets.contact + 1) % CONTACTS)
        follower = ids.people(people.member(tickets.home, mix(told)))
        copied, followed = chance(told, 250), chance(mix(~told), 200)
        return {
            "requester_id": requester,
            "submitter_id": np.where(chance(mix(told), 60), ids.people(tickets.assignee), requester),
            "assignee_id": arrays.integers(ids.people(tickets.assignee), present=assigned),
            "organization_id": arrays.integers(
                ids.organizations(tickets.customer), present=~self._lacks(tickets, "organization_id")
            ),
            "collaborator_ids": _some(other, copied),
            "follower_ids": _some(follower, followed),
            "email_cc_ids": _some(other, copied),
            "followup_ids": _some(other, np.zeros_like(copied)),
            "_requester_name": [contact.name for contact in requesters],
            "_requester_email": [contact.email for contact in requesters],
            "_assignee_name": people.names.take(assignee),
            "_assignee_email": people.emails.take(assignee),
        }

    def _lacks(self, tickets: _Tickets, name: str) -> NDArray[np.bool_]:
        lacks: NDArray[np.bool_] = tickets.lacking == _INCOMPLETE_FIELDS.index(name)
        return lacks

    def _descriptions(
        self, tickets: _Tickets, told: _Tickets, title_fragments: dict[str, I64], marks: Marks
    ) -> pa.StringArray:
        """What each ticket asks: what ``told`` asks, which is another ticket where one is a copy."""
        plan, fragments = self._plan, self._plan.fragments
        moment = marks.moment(tickets.created, told.created)
        ranges = self._ranges(told, np.arange(len(told.rows)), moment)
        for name, chosen in title_fragments.items():
            fragments.only(ranges, name, chosen)
        blocks = blocks_of(plan.outlines, told.archetype, self._sizes(told.rows), self._draw("outline", told.rows))
        blocks = plan.facts.placed(blocks, marks)
        plan.facts.narrow(fragments, ranges, marks)
        signature = np.full((len(blocks), 1), plan.signature, dtype=np.int64)
        return fragments.compose(
            ranges, np.hstack([blocks, signature]), self._draw("description", told.rows), marks.edits
        )

    def _comments(self, tickets: _Tickets, marks: Marks) -> pa.ListArray:
        """What follows the description, in the order of time: replies and answers in turn, and notes among them.

        Nothing follows a ticket that was sent again: it is answered where it was sent first.
        """
        plan, company = self._plan, self._spec.company
        outages, solved = tickets.incident >= 0, tickets.status >= _SOLVED
        # After the note on an outage its customer is answered.
        counts = np.maximum(self._comment_counts(tickets.rows), np.where(outages, 2, 1))
        counts = np.where(marks.near | (tickets.status == _NEW), 0, counts)
        ticket = np.repeat(np.arange(len(counts)), counts)
        place: I64 = np.arange(len(ticket)) - np.repeat(np.cumsum(counts) - counts, counts)
        drawn = self._draw("comment", tickets.rows[ticket] * 64 + place)
        zone = plan.numbered.zone[tickets.home[ticket]]
        created, updated = tickets.created[ticket], tickets.updated[ticket]
        begin, end = calendar.worked(created, zone=zone), calendar.worked(updated, zone=zone)
        step: I64 = place * 1000 + pick(drawn, 1000)
        worked: I64 = begin + (end - begin) * step // (counts[ticket] * 1000)
        moment = np.clip(calendar.at_work(worked, zone=zone), created, updated)
        # 0: a reply, 1: an answer to it, 2: a note. A company's incident begins with the note that says so.
        incident, turn = tickets.incident[ticket], place - outages[ticket]
        about = turn < 0
        # A note may be the last word, but not instead of an answer.
        note = (turn >= solved[ticket]) & (turn % 2 == 0) & (place == counts[ticket] - 1) & chance(mix(drawn), 400)
        public = counts - outages - np.bincount(ticket, note, minlength=len(counts)).astype(np.int64)
        kind = np.where(note | about, 2, turn % 2)
        chosen = plan.comments.said(
            solved[ticket].astype(np.int64),
            tickets.archetype[ticket],
            (turn, np.where(note, -1, public[ticket])),
            self._draw("conversation", tickets.rows)[ticket],
            mix(drawn + key("form")),
        )
        told = (moment > plan.posted[incident]).astype(np.int64)
        variant = pick(mix(drawn + key("note")), plan.incident_notes.shape[1])
        chosen = np.where(about, plan.incident_notes[told, variant], chosen)
        ranges = self._ranges(tickets, ticket, moment)
        bodies = plan.fragments.compose(ranges, chosen[:, None], mix(drawn + key("text")))
        by_customer = kind == 1
        contact = tickets.customer[ticket] * CONTACTS + tickets.contact[ticket]
        names = [contact_.name for theirs in company.contacts for contact_ in theirs]
        agents = plan.people.names.to_pylist()
        said_by = [
            names[asking] if theirs else agents[agent]
            for theirs, asking, agent in zip(
                by_customer.tolist(), contact.tolist(), tickets.assignee[ticket].tolist(), strict=True
            )
        ]
        author = np.where(
            by_customer, self._ids.contacts(contact * 0, contact), self._ids.people(tickets.assignee[ticket])
        )
        entries = pa.StructArray.from_arrays(
            [
                arrays.integers(9_000_000_000 + tickets.number[ticket] * 16 + place),
                arrays.integers(author),
                arrays.texts(said_by),
                arrays.booleans(kind != 2),
                calendar.rfc3339(moment),
                bodies,
            ],
            fields=list(COMMENT_LIST.value_type),
        )
        return arrays.lists(entries, counts.tolist()).cast(COMMENT_LIST)

    def _ranges(self, tickets: _Tickets, chosen: I64, moment: I64) -> Ranges:
        """What texts may say: of their ticket's topic, project and people, and of nothing after their moment."""
        plan, fragments, company = self._plan, self._plan.fragments, self._spec.company
        project, customer = tickets.project[chosen], tickets.customer[chosen]
        ranges = fragments.ranges(len(chosen), {TOPIC: tickets.topic[chosen], PROJECT: project})
        narrow_days(fragments, ranges, calendar.day_of(moment))
        narrow_newest(fragments, ranges, project, plan.numbered.issues_by(project, moment), TICKETS)
        narrow_newest(fragments, ranges, project, plan.numbered.pull_requests_by(project, moment), ("pull",))
        narrow_releases(fragments, ranges, project, plan.numbered.releases_by(project, moment))
        opened = tickets_by(moment, company.ticket_count)
        narrow_newest(fragments, ranges, np.zeros_like(project), opened, ("support_ticket",))
        contact = customer * CONTACTS + tickets.contact[chosen]
        fragments.only(ranges, "requester", fragments.base("requester") + contact)
        fragments.only(ranges, "called", fragments.base("called") + contact)
        fragments.only(ranges, "own_customer", fragments.base("own_customer") + customer)
        fragments.only(ranges, "agent", fragments.base("agent") + tickets.assignee[chosen])
        issues = np.array(
            [plan.first_issue[each.project] + each.issue - 1 for each in company.incidents], dtype=np.int64
        )
        about = tickets.incident[chosen]
        began = calendar.day_of(np.array([each.started for each in company.incidents], dtype=np.int64))
        for name in DAYS:
            fragments.only_where(ranges, name, about >= 0, fragments.base(name) + began[about])
        fragments.only(ranges, "incident_ticket", fragments.base("incident_ticket") + issues[about])
        fragments.only(ranges, "outage_thread", fragments.base("outage_thread") + about)
        leads = np.array([each.lead for each in company.incidents], dtype=np.int64)
        fragments.only(ranges, "outage_lead", fragments.base("outage_lead") + leads[about])
        return ranges


def _some(values: I64, chosen: NDArray[np.bool_]) -> pa.ListArray:
    """A list of the one value where it is chosen, else an empty one."""
    return arrays.lists(arrays.integers(values[chosen]), chosen.astype(np.int64).tolist())
