"""How Jira issues follow from a specification: any range of rows.

A row's key and its time follow from ``numbers.py`` and the company's timeline. Keys are numbered as time goes; what an
issue or a comment cites was there before it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dataops_core.company.timeline import issue_created, tickets_by
from dataops_core.dataset_types.base import GenerationSpec, Planted
from dataops_core.dataset_types.defects import Candidates, Defects, Marks, incomplete
from dataops_core.dataset_types.jira.columns import COMMENT_LIST, SCHEMA
from dataops_core.dataset_types.jira.layout import LAYOUTS, PRIORITIES, RESOLUTIONS, STATUSES
from dataops_core.dataset_types.jira.plan import COMMENTS, COMPONENT_SETS, INCIDENT, RELEASE, description_bytes, plans
from dataops_core.dataset_types.outages import narrow_course
from dataops_core.dataset_types.plan import LABEL_SETS, batch, incomplete_quota, weighted
from dataops_core.generation import arrays, calendar
from dataops_core.generation.fragments import Ranges
from dataops_core.generation.outline import Sizes, Spread, blocks_of
from dataops_core.generation.seeding import I64, U64, Affine, chance, digest64, draw, key, mix, pick, weighted_table
from dataops_core.generation.sentences import (
    PROJECT,
    TICKETS,
    TOPIC,
    narrow_days,
    narrow_newest,
    narrow_releases,
    spoken_day,
)

_INCOMPLETE_FIELDS = ("fields.labels", "fields.components", "fields.assignee")


@dataclass(frozen=True, slots=True)
class _Issues:
    """A range of issues, as numbers: what their columns and their text both say."""

    rows: I64
    #: The project that an issue is in, and the one that it is about: of a misfiled issue another.
    home: I64
    project: I64
    number: I64
    #: Index of the company's incident that an issue tracks, -1 for none.
    incident: I64
    #: Index of the company's release that an issue prepares or that it went out with, -1 for none; and which of both.
    release: I64
    prepares: NDArray[np.bool_]
    topic: I64
    archetype: I64
    reporter: I64
    assignee: I64
    assigned: NDArray[np.bool_]
    status: I64
    created: I64
    ended: I64
    updated: I64
    #: Index of the field that an incomplete issue lacks, -1 for a complete one.
    lacking: I64

    @property
    def done(self) -> NDArray[np.bool_]:
        """Which are resolved."""
        done: NDArray[np.bool_] = self.status == len(STATUSES) - 1
        return done


class IssueBuilder:
    """Builds any range of a specification's issues."""

    schema = SCHEMA

    def __init__(self, spec: GenerationSpec) -> None:
        self._spec = spec
        self._plan = plans(spec)
        self._path = ("jira_issues", spec.seed)
        self._incomplete = Affine(spec.record_count, *self._path, "incomplete")
        self._quota = incomplete_quota(spec)
        description = description_bytes(spec.template, self._plan.comment_bytes)
        self._sizes = Sizes(spec.record_count, description, *self._path, "size")
        self._comment_counts = Spread(spec.record_count, COMMENTS, *self._path, "comment count")
        self._capacities = self._plan.numbers.capacities(spec.record_count)
        self._first_id = 1_000_000 + digest64("issues", spec.company.client_id) % 8_000_000

        self._defects = Defects(spec, self._candidates, facts=self._plan.facts.count)

    def planted(self) -> Iterator[Planted]:
        """The defects that issues have on purpose."""
        yield from incomplete(self._incomplete, self._quota, _INCOMPLETE_FIELDS)
        projects = self._spec.company.projects
        yield from self._defects.planted(lambda _, project: projects[project].key, self._plan.facts.said)

    def rows(self, start: int, stop: int) -> pa.RecordBatch:
        """Issues ``start`` to ``stop``, the latter excluded."""
        marks = self._defects.of(np.arange(start, stop, dtype=np.int64))
        issues, told = marks.split(self._issues(marks.with_sources, marks))
        issues = replace(issues, topic=told.topic, archetype=told.archetype)
        summaries, title_fragments = self._summaries(told)
        # Jira's own word for a copy. An issue has no older version.
        summaries = marks.titled(summaries, "CLONE - {}", "{}")
        columns = {
            **self._identity(issues, summaries),
            **self._state(issues),
            **self._people(issues),
            "fields.description": self._descriptions(issues, told, title_fragments, marks),
            "_comments": self._comments(issues, marks),
        }
        return batch(columns, SCHEMA)

    def _draw(self, column: str, rows: I64) -> U64:
        return draw(key(*self._path, column), rows)

    def _candidates(self, rows: I64) -> Candidates:
        """Any issue may be defective but those that an incident or a release is about."""
        project, number, incident, release = self._plan.numbers.of(rows)
        zone = self._plan.numbered.zone[project]
        created = issue_created(self._spec.company.client_id, project, number, self._capacities[project], zone)
        free = (incident < 0) & (release < 0)
        return Candidates(project=project, moment=created, paired=free, movable=free)

    def _issues(self, rows: I64, marks: Marks) -> _Issues:
        plan, company = self._plan, self._spec.company
        home, number, incident, release = plan.numbers.of(rows)
        shipped, prepares = release >= 0, (release >= 0) & (plan.releases.issue[release] == number)
        project = np.where(marks.right >= 0, marks.right, home)
        tracked = incident >= 0
        leads = np.array([each.lead for each in company.incidents], dtype=np.int64)
        ends = np.array([each.resolved for each in company.incidents], dtype=np.int64)
        drawn = weighted(self._draw("archetype", rows), plan.archetype_table)
        archetype = np.where(tracked, plan.archetypes.index(INCIDENT), drawn)
        archetype = np.where(prepares, plan.archetypes.index(RELEASE), archetype)
        zone = plan.numbered.zone[home]
        created = issue_created(company.client_id, home, number, self._capacities[home], zone)
        ended = calendar.later(created, self._draw("ended", rows), within_days=plan.longest[archetype], zone=zone)
        out, told = np.maximum(plan.releases.moment[release], created + 600), plan.releases.posted[release]
        ended = np.where(shipped, self._closed_by(rows, created, out, zone), ended)
        ended = np.where(tracked, np.maximum(ends[incident], created + 600), np.where(prepares, out, ended))
        place = self._incomplete(rows)
        lacking = np.where(place < self._quota, place % len(_INCOMPLETE_FIELDS), -1)
        status = self._statuses(rows, created, tracked | shipped)
        unassigned = lacking == _INCOMPLETE_FIELDS.index("fields.assignee")
        # Nobody's: a third of what is to do, and what lacks it, being in progress.
        status = np.where(unassigned & (status == 0), 1, status)
        done, late = status == len(STATUSES) - 1, self._draw("late", rows)
        updated = np.where(done & chance(late, 300), calendar.later(ended, mix(late), within_days=20, zone=zone), ended)
        lead = np.where(tracked, leads[incident], plan.releases.lead[release])
        return _Issues(
            rows=rows,
            home=home,
            project=project,
            number=number,
            incident=incident,
            release=release,
            prepares=prepares,
            topic=weighted(self._draw("topic", rows), plan.topic_table),
            archetype=archetype,
            reporter=np.where(tracked | prepares, lead, plan.people.member(project, self._draw("reporter", rows))),
            assignee=np.where(tracked | prepares, lead, plan.people.member(project, self._draw("assignee", rows))),
            assigned=~unassigned & ((status > 0) | ~chance(self._draw("assigned", rows), 333)),
            status=status,
            created=created,
            ended=ended,
            # When a release is announced, its issues are told so, soon after.
            updated=np.where(shipped, np.maximum(told, ended) + 60 + pick(late, 1200), updated),
            lacking=lacking,
        )

    def _closed_by(self, rows: I64, created: I64, out: I64, zone: I64) -> I64:
        """A working moment between the creation of each issue and the release with which it went out."""
        begin, end = calendar.worked(created, zone=zone), calendar.worked(out, zone=zone)
        share = 200 + pick(self._draw("closed", rows), 700)
        return np.clip(calendar.at_work(begin + (end - begin) * share // 1000, zone=zone), created + 1, out)

    def _statuses(self, rows: I64, created: I64, known: NDArray[np.bool_]) -> I64:
        """The older an issue, the likelier it is done; what an incident or a release is about always is."""
        age = calendar.WINDOW_DAYS - calendar.day_of(created)
        drawn = self._draw("status", rows)
        likely = np.where(age > 120, 930, np.where(age > 30, 700, 250))
        done = known | (pick(drawn, 1000) < likely)
        return np.where(done, len(STATUSES) - 1, weighted(mix(drawn), weighted_table([5, 6, 4, 2])))

    def _summaries(self, issues: _Issues) -> tuple[pa.StringArray, dict[str, I64]]:
        """The issues' summaries, and the fragments with which their text says the same."""
        plan, company = self._plan, self._spec.company
        summaries, fragments = plan.titles.draw(
            issues.rows, issues.topic, issues.archetype, self._draw("summary", issues.rows), self._spec.seed
        )
        tracked, prepares = issues.incident >= 0, issues.prepares
        incidents = [company.incidents[index] for index in issues.incident[tracked].tolist()]
        releases = [company.releases[index] for index in issues.release[prepares].tolist()]
        outages = [
            f"Outage of {company.services[each.service].name} on {spoken_day(each.started // calendar.DAY)}"
            for each in incidents
        ]
        prepared = [f"Release {each.version} of {company.services[each.service].name}" for each in releases]
        summaries = arrays.replaced(summaries, (tracked, outages), (prepares, prepared))
        for there, about in ((tracked, incidents), (prepares, releases)):
            fragments["title_other"][there] = plan.titles.others["service"] + np.array(
                [each.service for each in about], dtype=np.int64
            )
        return summaries, fragments

    def _identity(self, issues: _Issues, summaries: pa.StringArray) -> dict[str, Any]:
        """What an issue is and where it stands."""
        plan, company = self._plan, self._spec.company
        projects = [company.projects[index] for index in issues.home.tolist()]
        keys = [f"{project.key}-{number}" for project, number in zip(projects, issues.number.tolist(), strict=True)]
        ids = [str(id_) for id_ in (self._first_id + issues.number * len(company.projects) + issues.home).tolist()]
        layouts = [LAYOUTS[plan.archetypes[index]] for index in issues.archetype.tolist()]
        drawn = pick(self._draw("priority", issues.rows), plan.priority_tables.shape[1])
        priorities = [PRIORITIES[index] for index in plan.priority_tables[issues.archetype, drawn].tolist()]
        labels = np.where(
            self._lacks(issues, "fields.labels"), LABEL_SETS, pick(self._draw("labels", issues.rows), LABEL_SETS)
        )
        components = issues.home * COMPONENT_SETS + pick(self._draw("components", issues.rows), COMPONENT_SETS)
        components = np.where(
            self._lacks(issues, "fields.components"), len(company.projects) * COMPONENT_SETS, components
        )
        return {
            "id": ids,
            "key": keys,
            "self": [f"{company.jira_url}/rest/api/3/issue/{id_}" for id_ in ids],
            "fields.summary": summaries,
            "fields.issuetype.id": [layout.issue_type[0] for layout in layouts],
            "fields.issuetype.name": [layout.issue_type[1] for layout in layouts],
            "fields.issuetype.subtask": [layout.issue_type[2] for layout in layouts],
            "fields.project.id": [str(10_000 + project.index) for project in projects],
            "fields.project.key": [project.key for project in projects],
            "fields.project.name": [project.name for project in projects],
            "fields.priority.id": [id_ for id_, _ in priorities],
            "fields.priority.name": [name for _, name in priorities],
            "fields.labels": plan.labels.take(arrays.integers(labels)),
            "fields.components": plan.components.take(arrays.integers(components)),
            "_view_url": [f"{company.jira_url}/browse/{key_}" for key_ in keys],
            "_archetype": arrays.texts(plan.archetypes).take(arrays.integers(issues.archetype)),
            "_topic": plan.topics.take(arrays.integers(issues.topic)),
        }

    def _state(self, issues: _Issues) -> dict[str, Any]:
        """How far an issue is, and its times."""
        statuses = [STATUSES[index] for index in issues.status.tolist()]
        done = issues.done
        chosen = arrays.integers(self._resolutions(issues), present=done)
        resolved = calendar.with_offset(issues.ended)
        return {
            "fields.status.id": [id_ for id_, _, _ in statuses],
            "fields.status.name": [name for _, name, _ in statuses],
            "fields.status.statusCategory.key": [category for _, _, category in statuses],
            "fields.created": calendar.with_offset(issues.created),
            "fields.updated": calendar.with_offset(issues.updated),
            "fields.resolutiondate": resolved.take(arrays.integers(np.arange(len(done)), present=done)),
            "fields.resolution.id": arrays.texts([id_ for id_, _, _ in RESOLUTIONS]).take(chosen),
            "fields.resolution.name": arrays.texts([name for _, name, _ in RESOLUTIONS]).take(chosen),
        }

    def _resolutions(self, issues: _Issues) -> I64:
        """How each issue ends: those of the company's incidents and releases well, whatever becomes of others."""
        table = weighted_table([weight for _, _, weight in RESOLUTIONS])
        drawn = weighted(self._draw("resolution", issues.rows), table)
        return np.where((issues.incident >= 0) | (issues.release >= 0), 0, drawn)

    def _people(self, issues: _Issues) -> dict[str, Any]:
        """Who reported an issue and who works on it."""
        people = self._plan.people
        reporter = arrays.integers(issues.reporter)
        assignee = arrays.integers(issues.assignee, present=issues.assigned)
        return {
            "fields.reporter.accountId": people.account_ids.take(reporter),
            "fields.reporter.displayName": people.names.take(reporter),
            "fields.reporter.emailAddress": people.emails.take(reporter),
            "fields.reporter.active": [True] * len(issues.rows),
            "fields.assignee.accountId": people.account_ids.take(assignee),
            "fields.assignee.displayName": people.names.take(assignee),
            "fields.assignee.emailAddress": people.emails.take(assignee),
        }

    def _lacks(self, issues: _Issues, name: str) -> NDArray[np.bool_]:
        lacks: NDArray[np.bool_] = issues.lacking == _INCOMPLETE_FIELDS.index(name)
        return lacks

    def _descriptions(
        self, issues: _Issues, told: _Issues, title_fragments: dict[str, I64], marks: Marks
    ) -> pa.StringArray:
        """What each issue is about: what ``told`` is about, which is another issue where one is a copy."""
        plan, fragments = self._plan, self._plan.fragments
        ranges = self._ranges(told.topic, told.project, marks.moment(issues.created, told.created))
        for name, chosen in title_fragments.items():
            fragments.only(ranges, name, chosen)
        # An incident's issue speaks of its day, of the customer that it hit, and of that customer's ticket.
        tracked, incidents = issues.incident >= 0, self._spec.company.incidents
        narrow_course(fragments, ranges, self._spec.company, issues.incident)
        for pool, known in (
            ("affected", [incident.customers[0] for incident in incidents]),
            ("support_card", [incident.first_ticket - 1 for incident in incidents]),
        ):
            chosen = fragments.base(pool) + np.array(known, dtype=np.int64)[issues.incident]
            fragments.only_where(ranges, pool, tracked, chosen)
        blocks = blocks_of(plan.outlines, told.archetype, self._sizes(told.rows), self._draw("outline", told.rows))
        blocks = plan.facts.placed(blocks, marks)
        plan.facts.narrow(fragments, ranges, marks)
        self._narrow_release(ranges, issues.release)
        contents = np.where(issues.prepares, plan.contents, -1)[:, None]
        closing = np.full((len(blocks), 1), plan.closing, dtype=np.int64)
        return fragments.compose(
            ranges, np.hstack([blocks, contents, closing]), self._draw("description", told.rows), marks.edits
        )

    def _comments(self, issues: _Issues, marks: Marks) -> pa.ListArray:
        """The comments, in the order of their time, from an issue's creation to its last change; a copy has none."""
        plan, people = self._plan, self._plan.people
        counts = np.where(marks.near, 0, self._comment_counts(issues.rows))
        # The last comment on an issue of a release is that it is out, and on that of an incident that it is over.
        about = (issues.release >= 0) | (issues.incident >= 0)
        counts = np.where(about, np.maximum(counts, 1), counts)
        issue = np.repeat(np.arange(len(counts)), counts)
        place: I64 = np.arange(len(issue)) - np.repeat(np.cumsum(counts) - counts, counts)
        drawn = self._draw("comment", issues.rows[issue] * 64 + place)
        project, home = issues.project[issue], issues.home[issue]
        zone = plan.numbered.zone[home]
        created, updated = issues.created[issue], issues.updated[issue]
        begin, end = calendar.worked(created, zone=zone), calendar.worked(updated, zone=zone)
        step: I64 = place * 1000 + pick(drawn, 1000)
        worked: I64 = begin + (end - begin) * step // (counts[issue] * 1000)
        moment = calendar.at_work(worked, zone=zone)
        # What began after hours has its comments after hours too.
        moment = np.clip(moment, created, updated)
        last, incident = place == counts[issue] - 1, issues.incident[issue]
        tells = (issues.release[issue] >= 0) & last
        ends = (incident >= 0) & last & ~tells
        moment = np.where(tells | ends, updated, moment)
        author = np.where(ends | chance(mix(drawn), 400), issues.assignee[issue], people.member(project, mix(~drawn)))
        author = np.where(tells, plan.releases.lead[issues.release[issue]], author)
        ranges = self._ranges(issues.topic[issue], project, moment)
        self._narrow_release(ranges, np.where(tells, issues.release[issue], -1))
        # Each comment of an issue has another form.
        forms, variants = plan.comment_blocks.shape
        form = (pick(self._draw("conversation", issues.rows)[issue], forms) + place) % forms
        chosen = plan.comment_blocks[form, pick(mix(drawn + key("form")), variants)]
        closes = issues.done[issue] & last & chance(mix(~drawn + key("closes")), 700)
        ending = mix(drawn + key("form"))
        endings = [blocks[pick(ending, len(blocks))] for blocks in plan.ending_blocks]
        chosen = np.where(closes, np.choose(self._resolutions(issues)[issue], endings), chosen)
        chosen = np.where(tells, np.array(plan.out)[np.where(issues.prepares[issue], 0, 1)], chosen)
        chosen = np.where(ends, plan.afterwards, chosen)
        # Nobody speaks of himself.
        fragments, mentioned = plan.fragments, people.colleague(project, author, mix(drawn + key("mention")))
        third = people.colleague(project, author, mix(drawn + key("person")), mentioned)
        fragments.only(ranges, "mention", fragments.base("mention*") + mentioned)
        fragments.only(ranges, "person", fragments.base("person*") + third)
        fragments.only_where(ranges, "outage_thread", ends, fragments.base("outage_thread") + incident)
        bodies = fragments.compose(ranges, chosen[:, None], mix(drawn + key("text")))
        ids = (self._first_id + issues.number[issue] * len(self._spec.company.projects) + home) * 8 + place
        by = arrays.integers(author)
        entries = pa.StructArray.from_arrays(
            [
                arrays.integers(ids).cast(pa.string()),
                people.account_ids.take(by),
                people.names.take(by),
                calendar.with_offset(moment),
                bodies,
            ],
            fields=list(COMMENT_LIST.value_type),
        )
        return arrays.lists(entries, counts.tolist()).cast(COMMENT_LIST)

    def _ranges(self, topic: I64, project: I64, moment: I64) -> Ranges:
        """What texts may say: of their topic and project, and of nothing that came after their moment."""
        numbered, fragments = self._plan.numbered, self._plan.fragments
        ranges = fragments.ranges(len(topic), {TOPIC: topic, PROJECT: project})
        narrow_days(fragments, ranges, calendar.day_of(moment))
        narrow_newest(fragments, ranges, project, numbered.issues_by(project, moment), (*TICKETS, "issue_card"))
        narrow_newest(fragments, ranges, project, numbered.pull_requests_by(project, moment), ("pull_card",))
        released = numbered.releases_by(project, moment)
        narrow_releases(fragments, ranges, project, released)
        narrow_newest(fragments, ranges, project, released, ("announcement_card",), newest=1)
        tickets = tickets_by(moment, self._spec.company.ticket_count)
        narrow_newest(fragments, ranges, np.zeros_like(project), tickets, ("support_card",))
        return ranges

    def _narrow_release(self, ranges: Ranges, release: I64) -> None:
        """Lets what is said of a release (-1: none) name it and what it consists of."""
        fragments, named = self._plan.fragments, release >= 0
        for name in ("released", "release_contents", "release_thread"):
            fragments.only_where(ranges, name, named, fragments.base(name) + release)
