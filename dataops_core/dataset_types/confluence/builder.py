"""Any range of Confluence pages of a specification.

Every reference resolves without looking: a page's id follows from its row, its parent is an earlier page of its space,
issues are ``KEY-n`` with n up to the project's count, repositories are those of services, people are the company's.
"""

import base64
import string
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote_plus

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dataops_core.company.build import PAGE_ID_STEP, first_page_id
from dataops_core.dataset_types.base import GenerationSpec, Planted
from dataops_core.dataset_types.confluence.columns import SCHEMA
from dataops_core.dataset_types.confluence.layout import FIRST_VERSION, HOME_ARCHETYPE, VERSION_MESSAGES
from dataops_core.dataset_types.confluence.plan import NOTES, REVIEW_ARCHETYPE, body_bytes, plans
from dataops_core.dataset_types.defects import Candidates, Defects, Marks, incomplete
from dataops_core.dataset_types.plan import LABEL_SETS, batch, incomplete_quota, weighted
from dataops_core.generation import arrays, calendar
from dataops_core.generation.fragments import Ranges, gather
from dataops_core.generation.outline import Sizes, blocks_of
from dataops_core.generation.seeding import (
    I64,
    U64,
    Affine,
    chance,
    draw,
    key,
    mix,
    pick,
)
from dataops_core.generation.sentences import (
    DAYS,
    PROJECT,
    TICKETS,
    TOPIC,
    narrow_days,
    narrow_due,
    narrow_newest,
    narrow_releases,
    spoken_day,
)

#: Each byte as ``quote_plus`` has it.
_ESCAPED = arrays.texts([quote_plus(bytes([byte])) for byte in range(256)])
#: Of each byte what it is in an address, 0 where a title has to be escaped: few of them, and escaping is slow.
_IN_PATH = bytes(
    ord("+") if chr(byte) == " " else byte * (chr(byte) in f"{string.ascii_letters}{string.digits}.,:-")
    for byte in range(256)
)
_INCOMPLETE_FIELDS = ("labels.results", "ownerId", "version.message")
#: Values that columns take again and again.
_STATUS = arrays.texts(["current", "archived"])
_PAGE, _STORAGE = arrays.texts(["page"]), arrays.texts(["storage"])
_MESSAGES = arrays.texts(["", FIRST_VERSION, *VERSION_MESSAGES])
#: Of each project, the pages of these ordinals are the reviews of its incidents, in their order.
_FIRST_REVIEW, _BETWEEN_REVIEWS = 4, 9
#: And those of these are the notes of its releases.
_FIRST_NOTES, _BETWEEN_NOTES = 2, 9
#: A space's first page, which is older than the window, is written anew so late in it or later.
_SETTLED = 30 * calendar.DAY


@dataclass(frozen=True, slots=True)
class _Pages:
    """A range of pages, as numbers: what their columns and their text both say."""

    rows: I64
    #: The project whose space a page is in, and the one that it is about: of a misfiled page another.
    home: I64
    project: I64
    topic: I64
    archetype: I64
    #: Index of the company's incident that a page reviews, -1 for none.
    incident: I64
    #: Index of the company's release that a page is about, -1 for none.
    release: I64
    author: I64
    owner: I64
    #: Whether it is its space's first page, which has no parent.
    root: NDArray[np.bool_]
    parent_id: I64
    created: I64
    updated: I64
    version: I64
    #: Index of the field that an incomplete page lacks, -1 for a complete one.
    lacking: I64


class PageBuilder:
    """Builds any range of a specification's pages."""

    schema = SCHEMA

    def __init__(self, spec: GenerationSpec) -> None:
        self._spec = spec
        self._plan = plans(spec)
        self._path = ("confluence_pages", spec.seed)
        self._incomplete = Affine(spec.record_count, *self._path, "incomplete")
        self._quota = incomplete_quota(spec)
        self._sizes = Sizes(spec.record_count, body_bytes(spec.template), *self._path, "size")
        self._page_id = first_page_id(spec.company)
        self._defects = Defects(spec, self._candidates, facts=self._plan.facts.count)

    def planted(self) -> Iterator[Planted]:
        """The defects that pages have on purpose."""
        yield from incomplete(self._incomplete, self._quota, _INCOMPLETE_FIELDS)
        projects = self._spec.company.projects
        yield from self._defects.planted(lambda _, project: projects[project].key, self._plan.facts.said)

    def rows(self, start: int, stop: int) -> pa.RecordBatch:
        """Pages ``start`` to ``stop``, the latter excluded."""
        marks = self._defects.of(np.arange(start, stop, dtype=np.int64))
        pages, told = marks.split(self._pages(marks.with_sources, marks))
        pages = replace(pages, topic=told.topic, archetype=told.archetype)
        titles, title_fragments = self._titles(told)
        titles = marks.titled(titles, "Copy of {}", "{} (old)")
        columns = {
            **self._identity(pages, titles),
            **self._people(pages),
            **self._history(pages),
            "labels.results": self._labels(pages),
            "body.storage.representation": _STORAGE.take(arrays.integers(np.zeros_like(pages.rows))),
            "body.storage.value": self._bodies(pages, told, title_fragments, marks),
        }
        return batch(columns, SCHEMA)

    def _candidates(self, rows: I64) -> Candidates:
        """Any page may be defective but its space's first one, the reviews of incidents and the notes of releases."""
        project, ordinal = self._plan.wheel.project(rows), self._plan.wheel.ordinal(rows)
        free = (ordinal > 0) & (self._incident(project, ordinal) < 0) & (self._release(project, ordinal) < 0)
        author = self._plan.people.member(project, self._draw("author", rows))
        created = calendar.moments(self._draw("created", rows), self._spec.weeks, zone=self._plan.people.zone[author])
        return Candidates(project=project, moment=created, paired=free, movable=free)

    def _pages(self, rows: I64, marks: Marks) -> _Pages:
        plan = self._plan
        home = plan.wheel.project(rows)
        project = np.where(marks.right >= 0, marks.right, home)
        ordinal = plan.wheel.ordinal(rows)
        owners = self._draw("owner", rows)
        incident, release, root = self._incident(home, ordinal), self._release(home, ordinal), ordinal == 0
        reviews, notes, incidents = incident >= 0, release >= 0, self._spec.company.incidents
        leads = np.array([each.lead for each in incidents], dtype=np.int64)
        ends = np.array([each.resolved for each in incidents], dtype=np.int64)
        author = plan.people.member(project, self._draw("author", rows))
        author = np.where(reviews, leads[incident], np.where(notes, plan.releases.lead[release], author))
        zone = plan.people.zone[author]
        drawn = self._draw("created", rows)
        told = np.where(reviews, ends[incident], plan.releases.posted[release])
        created = calendar.moments(drawn, self._spec.weeks, zone=zone)
        created[root] = calendar.before(drawn[root], zone=zone[root])
        later, within_days = reviews | notes, np.where(reviews, 5, 2)
        created[later] = calendar.later(told[later], drawn[later], within_days=within_days[later], zone=zone[later])
        versions = self._draw("version", rows)
        # A third of the pages never changed; the others a few times, seldom many.
        version = np.where(chance(versions, 330), 1, 2 + np.minimum(pick(mix(versions), 12), pick(mix(~versions), 24)))
        # What is stale was left as it was first written, what replaced it was not.
        version = np.where(marks.stale_ones, 1, np.maximum(version, np.where(marks.newer | root, 2, 1)))
        place = self._incomplete(rows)
        archetypes = plan.archetypes.to_pylist()  # Arrow's own index loads pandas
        return _Pages(
            rows=rows,
            home=home,
            project=project,
            topic=weighted(self._draw("topic", rows), plan.topic_table),
            archetype=np.select(
                [reviews, notes, root],
                [archetypes.index(name) for name in (REVIEW_ARCHETYPE, NOTES, HOME_ARCHETYPE)],
                weighted(self._draw("archetype", rows), plan.archetype_table),
            ),
            incident=incident,
            release=release,
            author=author,
            owner=np.where(chance(owners, 700), author, plan.people.member(project, mix(owners))),
            root=root,
            parent_id=self._page_id + self._parent(rows, home, ordinal) * PAGE_ID_STEP,
            created=created,
            updated=np.where(
                version == 1,
                created,
                calendar.later(
                    np.where(root, _SETTLED, created), self._draw("updated", rows), within_days=400, zone=zone
                ),
            ),
            version=version,
            lacking=np.where(place < self._quota, place % len(_INCOMPLETE_FIELDS), -1),
        )

    def _incident(self, project: I64, ordinal: I64) -> I64:
        """The incident that each page reviews."""
        number, rest = np.divmod(ordinal - _FIRST_REVIEW, _BETWEEN_REVIEWS)
        per_project = self._plan.incidents.shape[1]
        known = (rest == 0) & (number >= 0) & (number < per_project)
        found: I64 = np.where(known, self._plan.incidents[project, np.clip(number, 0, per_project - 1)], -1)
        return found

    def _release(self, project: I64, ordinal: I64) -> I64:
        """The release whose notes each page is."""
        return self._plan.releases.taken_up(project, ordinal, first=_FIRST_NOTES, every=_BETWEEN_NOTES)

    def _parent(self, rows: I64, project: I64, ordinal: I64) -> I64:
        """An earlier page of the space, the earlier the likelier: a tree that is broad and not deep."""
        drawn = self._draw("parent", rows)
        earlier = np.maximum(ordinal, 1).astype(np.uint64)
        chosen = np.minimum(np.minimum(pick(drawn, earlier), pick(mix(drawn), earlier)), pick(mix(~drawn), earlier))
        return self._plan.wheel.row(project, chosen)

    def _identity(self, pages: _Pages, titles: pa.StringArray) -> dict[str, Any]:
        """What a page is and where it stands."""
        plan, space = self._plan, arrays.integers(pages.home)
        numbers = self._page_id + pages.rows * PAGE_ID_STEP
        ids = arrays.integers(numbers).cast(pa.string())
        webui = arrays.joined(plan.space_pages.take(space), ids, "/", _in_path(titles))
        return {
            "id": ids,
            "status": _STATUS.take(arrays.integers(chance(self._draw("status", pages.rows), 40))),
            "title": titles,
            "spaceId": plan.space_ids.take(space),
            "parentId": arrays.integers(pages.parent_id, present=~pages.root).cast(pa.string()),
            "parentType": _PAGE.take(arrays.integers(np.zeros_like(pages.rows), present=~pages.root)),
            "position": pick(self._draw("position", pages.rows), 1 << 20),
            "_links.webui": webui,
            "_links.editui": arrays.joined("/pages/resumedraft.action?draftId=", ids),
            "_links.tinyui": _tiny(numbers),
            "_view_url": arrays.joined(self._spec.company.wiki_url, webui),
            "_space_key": plan.space_keys.take(space),
            "_archetype": plan.archetypes.take(arrays.integers(pages.archetype)),
            "_topic": plan.topics.take(arrays.integers(pages.topic)),
        }

    def _people(self, pages: _Pages) -> dict[str, pa.Array]:
        """Who wrote a page and who has it now. A page whose owner is its author has not been handed over."""
        people = self._plan.people
        unowned = self._lacks(pages, "ownerId")
        author, owner = arrays.integers(pages.author), arrays.integers(pages.owner, present=~unowned)
        previous = arrays.integers(pages.author, present=~unowned & (pages.owner != pages.author))
        return {
            "authorId": people.account_ids.take(author),
            "ownerId": people.account_ids.take(owner),
            "lastOwnerId": people.account_ids.take(previous),
            "version.authorId": people.account_ids.take(
                arrays.integers(np.where(pages.version == 1, pages.author, pages.owner))
            ),
            "_author_name": people.names.take(author),
            "_author_email": people.emails.take(author),
            "_owner_name": people.names.take(owner),
            "_owner_email": people.emails.take(owner),
        }

    def _history(self, pages: _Pages) -> dict[str, Any]:
        """When a page was made and last changed."""
        # Which of the messages: none, that of a first version, or one that is drawn.
        drawn = pick(self._draw("message", pages.rows), len(VERSION_MESSAGES)) + 2
        said = np.where(self._lacks(pages, "version.message"), 0, np.where(pages.version == 1, 1, drawn))
        return {
            "createdAt": calendar.rfc3339(pages.created, milliseconds=True),
            "version.createdAt": calendar.rfc3339(pages.updated, milliseconds=True),
            "version.number": pages.version,
            "version.message": _MESSAGES.take(arrays.integers(said)),
            "version.minorEdit": (pages.version > 1) & chance(self._draw("minor", pages.rows), 300),
        }

    def _labels(self, pages: _Pages) -> pa.ListArray:
        chosen = pick(self._draw("labels", pages.rows), LABEL_SETS)
        return self._plan.labels.take(
            arrays.integers(np.where(self._lacks(pages, "labels.results"), LABEL_SETS, chosen))
        )

    def _lacks(self, pages: _Pages, name: str) -> NDArray[np.bool_]:
        lacks: NDArray[np.bool_] = pages.lacking == _INCOMPLETE_FIELDS.index(name)
        return lacks

    def _draw(self, column: str, rows: I64) -> U64:
        return draw(key(*self._path, column), rows)

    def _titles(self, pages: _Pages) -> tuple[pa.StringArray, dict[str, I64]]:
        """The pages' titles, and the fragments with which their text says the same."""
        plan, company, drawn = self._plan, self._spec.company, self._draw("title", pages.rows)
        titles, fragments = plan.titles.draw(pages.rows, pages.topic, pages.archetype, drawn, self._spec.seed)
        reviews, notes = pages.incident >= 0, pages.release >= 0
        incidents = [company.incidents[index] for index in pages.incident[reviews].tolist()]
        releases = [company.releases[index] for index in pages.release[notes].tolist()]
        fragments["title_other"][reviews] = plan.titles.others["service"] + np.array(
            [incident.service for incident in incidents], dtype=np.int64
        )
        first = pages.rows < len(company.projects)
        starts = [f"{company.projects[row].name}: start here" for row in pages.rows[first].tolist()]
        reviewed = [
            f"Incident review: outage of {company.services[each.service].name} on "
            f"{spoken_day(each.started // calendar.DAY)}"
            for each in incidents
        ]
        noted = [f"Release notes: {company.services[each.service].name} {each.version}" for each in releases]
        return arrays.replaced(titles, (first, starts), (reviews, reviewed), (notes, noted)), fragments

    def _bodies(self, pages: _Pages, told: _Pages, title_fragments: dict[str, I64], marks: Marks) -> pa.StringArray:
        """The text of each page: that of ``told``, which is another page where a page is a copy."""
        plan, fragments = self._plan, self._plan.fragments
        ranges = fragments.ranges(len(told.rows), {TOPIC: told.topic, PROJECT: told.project})
        for name, chosen in title_fragments.items():
            fragments.only(ranges, name, chosen)
        fragments.only(ranges, "author", fragments.base("author") + pages.author)
        # A space's first page speaks as of its last change: when it was made there was nothing to name.
        moment = np.where(told.root, told.updated, marks.moment(pages.created, told.created))
        narrow_days(fragments, ranges, calendar.day_of(moment))
        narrow_due(fragments, ranges, calendar.day_of(moment), "cell_due")
        made = plan.numbered.issues_by(told.project, moment)
        narrow_newest(fragments, ranges, told.project, made, (*TICKETS, "last_ticket"))
        narrow_releases(fragments, ranges, told.project, plan.numbered.releases_by(told.project, moment))
        # A space's first page has none above it: it points to itself. A misfiled one speaks as in its own space.
        first = np.where(told.root, told.rows, told.project)
        above = np.where(told.root | (told.home != told.project), self._page_id + first * PAGE_ID_STEP, told.parent_id)
        for name, digits in (("id_a", above // 1_000_000), ("id_b", above // 1000 % 1000), ("id_c", above % 1000)):
            fragments.only(ranges, name, fragments.base(name) + digits)
        wanted = self._sizes(told.rows)
        outline = np.where(told.incident >= 0, plan.review, told.archetype)
        blocks = blocks_of(plan.outlines, outline, wanted, self._draw("outline", told.rows))
        blocks = plan.facts.placed(blocks, marks)
        plan.facts.narrow(fragments, ranges, marks)
        self._narrow_reviews(ranges, told)
        self._narrow_notes(ranges, told)
        end = np.where(told.incident >= 0, plan.tracking, np.where(told.release >= 0, plan.contents, -1))
        blocks = np.hstack([blocks, end[:, None]])
        return fragments.compose(ranges, blocks, self._draw("body", told.rows), marks.edits)

    def _narrow_reviews(self, ranges: Ranges, pages: _Pages) -> None:
        """Lets the review of an incident speak of its issue, its first ticket, whom it hit and when."""
        fragments, incidents = self._plan.fragments, self._spec.company.incidents
        reviews, chosen = pages.incident >= 0, pages.incident
        issues = np.array([self._plan.first_issue[each.project] + each.issue - 1 for each in incidents], dtype=np.int64)
        hit = np.array([each.customers[0] for each in incidents], dtype=np.int64)
        days = np.array([each.started // calendar.DAY for each in incidents], dtype=np.int64)
        fragments.only_where(ranges, "incident_ticket", reviews, fragments.base("incident_ticket") + issues[chosen])
        fragments.only_where(ranges, "affected", reviews, fragments.base("affected") + hit[chosen])
        for name in ("support_ticket", "outage_thread", "outage_span", "outage_lasted", "outage_course"):
            fragments.only_where(ranges, name, reviews, fragments.base(name) + chosen)
        for name in (*DAYS, "outage_day"):
            fragments.only_where(ranges, name, reviews, fragments.base(name) + days[chosen])

    def _narrow_notes(self, ranges: Ranges, pages: _Pages) -> None:
        """Lets the notes of a release speak of that one and its day."""
        fragments, releases = self._plan.fragments, self._plan.releases
        notes, chosen = pages.release >= 0, pages.release
        releases.narrow(fragments, ranges, notes, chosen)
        fragments.only_where(ranges, "release_contents", notes, fragments.base("release_contents") + chosen)
        for name in (*DAYS, "outage_day"):
            fragments.only_where(ranges, name, notes, fragments.base(name) + calendar.day_of(releases.moment[chosen]))


def _in_path(titles: pa.StringArray) -> pa.StringArray:
    """The titles as Confluence puts them into addresses."""
    places = arrays.places(titles)
    said = titles.buffers()[2].to_pybytes()[: places[-1]].translate(_IN_PATH)
    odd_bytes = np.flatnonzero(np.frombuffer(said, dtype=np.uint8) == 0)
    to_escape = np.zeros(len(titles), dtype=np.bool_)
    to_escape[np.searchsorted(places, odd_bytes, side="right") - 1] = True
    odd = titles.filter(arrays.booleans(to_escape))
    letters = np.frombuffer(odd.buffers()[2] or b"", dtype=np.uint8, count=arrays.places(odd)[-1])
    escaped = gather(_ESCAPED, letters.astype(np.int64), arrays.places(odd))
    return arrays.replaced(arrays.cut(said, places), (to_escape, escaped))


def _tiny(page_ids: I64) -> pa.StringArray:
    """Confluence's short addresses of pages: the four bytes of each id, the lowest first, in base 64."""
    # Three bytes more than make four digits are nought: all ids at once are one run of base 64, eight digits each.
    padded = np.zeros((len(page_ids), 6), dtype=np.uint8)
    padded[:, :4] = page_ids.astype("<u4").view(np.uint8).reshape(-1, 4)
    letters = np.empty((len(page_ids), 11), dtype=np.uint8)
    letters[:, :3] = np.frombuffer(b"/x/", dtype=np.uint8)
    letters[:, 3:] = np.frombuffer(base64.b64encode(padded.tobytes(), b"-_"), dtype=np.uint8).reshape(-1, 8)
    # Without the A's at the end, which are noughts.
    lengths = 11 - np.argmax(letters[:, ::-1] != ord("A"), axis=1)
    return arrays.cut(letters[np.arange(11) < lengths[:, None]], np.concatenate(([0], np.cumsum(lengths))))
