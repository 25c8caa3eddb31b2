"""Office documents as numbers and texts: what Google Drive's files and SharePoint's have in common.

Belongs here: the plan of a template and company, which document is about what, by whom and from when, its title and its
text. Does not belong here: how a vendor's API shows a document (``google_drive``, ``sharepoint``), nor how documents
read (``office_layout.py``) and are written (``office_markup.py``).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dataops_core.company.wheel import Wheel
from dataops_core.dataset_types import office_markup as markup
from dataops_core.dataset_types.base import GenerationSpec, Planted
from dataops_core.dataset_types.defects import Candidates, Defects, Marks, incomplete
from dataops_core.dataset_types.facts import Facts
from dataops_core.dataset_types.office_layout import LAYOUTS
from dataops_core.dataset_types.plan import (
    Numbered,
    People,
    PlanCache,
    PlanKey,
    incomplete_quota,
    new_library,
    topic_table,
    weighted,
)
from dataops_core.dataset_types.titles import Titles
from dataops_core.generation import arrays, calendar
from dataops_core.generation.filling import Filling, Words, fill
from dataops_core.generation.fragments import Fragments
from dataops_core.generation.outline import Outline, Sizes, blocks_of, compile_outline
from dataops_core.generation.seeding import I64, U64, Affine, Draws, chance, draw, key, mix, pick, weighted_table
from dataops_core.generation.sentences import (
    PROJECT,
    TICKETS,
    TOPIC,
    narrow_days,
    narrow_due,
    narrow_newest,
    narrow_releases,
)
from dataops_core.generation.words import Lexicon

_DESCRIPTIONS = 300
#: A project's first document, which is older than the window, is written anew so late in it or later.
_SETTLED = 30 * calendar.DAY


@dataclass(frozen=True, slots=True)
class Plan:
    """What all documents of a template and company share."""

    fragments: Fragments
    outlines: tuple[Outline, ...]
    facts: Facts
    archetypes: tuple[str, ...]
    archetype_table: I64
    topics: pa.Array
    topic_table: I64
    titles: Titles
    wheel: Wheel
    people: People
    numbered: Numbered
    #: Per archetype and topic, descriptions to choose from.
    descriptions: tuple[tuple[tuple[str, ...], ...], ...]


def _plan(plan_key: PlanKey) -> Plan:
    template, company = plan_key.template, plan_key.company
    wheel = Wheel(company)
    library = new_library(plan_key, wheel, str, "\t")
    markup.add_pools(library)
    Titles.add_pools(library, template, company, str)
    draws = Draws("office", company.client_id, template.template_id)
    weights = {name: weight for name, weight in sorted(template.archetypes.items()) if weight}
    blocks = markup.kinds(library, draws)
    parts = [markup.parts(library, name, blocks, draws) for name in weights]
    facts = Facts.add(library, template, company, str)
    fragments = library.freeze()
    return Plan(
        fragments=fragments,
        outlines=tuple(
            compile_outline(part, fragments.block_bytes, template.bytes_per_record, "office", company.client_id, name)
            for part, name in zip(parts, weights, strict=True)
        ),
        facts=facts,
        archetypes=tuple(weights),
        archetype_table=weighted_table(list(weights.values())),
        topics=arrays.texts([topic.key for topic in template.topics]),
        topic_table=topic_table(template),
        titles=Titles.of(fragments, template, company, [LAYOUTS[name].titles for name in weights]),
        wheel=wheel,
        people=People.of(company),
        numbered=Numbered.of(company),
        descriptions=_descriptions(plan_key, tuple(weights)),
    )


def _descriptions(plan_key: PlanKey, archetypes: Sequence[str]) -> tuple[tuple[tuple[str, ...], ...], ...]:
    path = (plan_key.company.client_id, plan_key.template.template_id)
    of_topics = []
    for topic in plan_key.template.topics:
        words = Words.of(Lexicon.of(topic, plan_key.vocabulary), str)
        filled = fill(
            [
                Filling(LAYOUTS[name].descriptions, words, _DESCRIPTIONS, (*path, topic.key, name), capital=True)
                for name in archetypes
            ]
        )
        of_topics.append([tuple(texts.to_pylist()) for texts in filled])
    return tuple(zip(*of_topics, strict=True))


_plans = PlanCache(_plan)


@dataclass(frozen=True, slots=True)
class Numbers:
    """A range of documents as numbers: what their columns and their text both say. Moments are the window's seconds."""

    rows: I64
    #: The project in whose folder a document is, and the one that it is about: of a misfiled document another.
    home: I64
    project: I64
    topic: I64
    archetype: I64
    author: I64
    #: Who changed it last: its author where nobody else did.
    editor: I64
    created: I64
    modified: I64
    version: I64
    #: Whether a document lacks its description, which is what incomplete ones lack.
    lacking: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Documents:
    """A range of documents with what they say."""

    numbers: Numbers
    titles: pa.StringArray
    descriptions: list[str | None]
    texts: pa.StringArray

    @property
    def lengths(self) -> I64:
        """Bytes of each text."""
        return arrays.byte_lengths(self.texts)


class Office:
    """Makes any range of a specification's documents.

    ``other_bytes`` has a stored row besides its text, so that the two together meet the template's mean.
    """

    def __init__(self, spec: GenerationSpec, *, other_bytes: int) -> None:
        self._spec = spec
        self.plan = _plans(spec)
        self._path = (spec.template.dataset_type, spec.seed)
        self._incomplete = Affine(spec.record_count, *self._path, "incomplete")
        self._quota = incomplete_quota(spec)
        self._sizes = Sizes(
            spec.record_count, max(spec.template.bytes_per_record - other_bytes, 100), *self._path, "size"
        )
        self._defects = Defects(spec, self._candidates, facts=self.plan.facts.count)

    def draw(self, column: str, rows: I64) -> U64:
        """One 64-bit value per row, of a column of the dataset's own."""
        return draw(key(*self._path, column), rows)

    def planted(self, place: Callable[[int, int], str]) -> Iterator[Planted]:
        """The defects that documents have on purpose. ``place`` names where a row is if it is of a project."""
        yield from incomplete(self._incomplete, self._quota, ("description",))
        yield from self._defects.planted(place, self.plan.facts.said)

    def documents(self, start: int, stop: int) -> Documents:
        """Documents ``start`` to ``stop``, the latter excluded."""
        marks = self._defects.of(np.arange(start, stop, dtype=np.int64))
        numbers, told = marks.split(self._numbers(marks.with_sources, marks))
        numbers = replace(numbers, topic=told.topic, archetype=told.archetype)
        titles, said = self.plan.titles.draw(
            told.rows, told.topic, told.archetype, self.draw("title", told.rows), self._spec.seed
        )
        texts = self._texts(numbers, told, titles, said, marks)
        titles = marks.titled(titles, "Copy of {}", "{} (old)")
        return Documents(
            numbers=numbers,
            titles=titles,
            descriptions=self._descriptions(numbers),
            texts=arrays.joined(titles, "\n\n", texts),
        )

    def _candidates(self, rows: I64) -> Candidates:
        """Any document may be defective but the first one of a project."""
        project = self.plan.wheel.project(rows)
        author = self.plan.people.member(project, self.draw("author", rows))
        created = calendar.moments(self.draw("created", rows), self._spec.weeks, zone=self.plan.people.zone[author])
        free = ~self._is_first(rows)
        return Candidates(project=project, moment=created, paired=free, movable=free)

    def _is_first(self, rows: I64) -> NDArray[np.bool_]:
        """Which are the first documents of their projects, at which others point: they were there from the start."""
        return rows < len(self._spec.company.projects)

    def _numbers(self, rows: I64, marks: Marks) -> Numbers:
        plan = self.plan
        home = plan.wheel.project(rows)
        project = np.where(marks.right >= 0, marks.right, home)
        author = plan.people.member(project, self.draw("author", rows))
        editors = self.draw("editor", rows)
        versions = self.draw("version", rows)
        version = np.where(chance(versions, 250), 1, 2 + np.minimum(pick(mix(versions), 40), pick(mix(~versions), 60)))
        # What is stale was left as it was first written, what replaced it was not.
        first = self._is_first(rows)
        version = np.where(marks.stale_ones, 1, np.maximum(version, np.where(marks.newer | first, 2, 1)))
        editor = np.where((version == 1) | chance(editors, 500), author, plan.people.member(project, mix(editors)))
        drawn = self.draw("created", rows)
        zone = plan.people.zone[author]
        created = np.where(
            first, calendar.before(drawn, zone=zone), calendar.moments(drawn, self._spec.weeks, zone=zone)
        )
        changed = calendar.later(
            np.where(first, _SETTLED, created),
            self.draw("modified", rows),
            within_days=300,
            zone=plan.people.zone[editor],
        )
        return Numbers(
            rows=rows,
            home=home,
            project=project,
            topic=weighted(self.draw("topic", rows), plan.topic_table),
            archetype=weighted(self.draw("archetype", rows), plan.archetype_table),
            author=author,
            editor=editor,
            created=created,
            modified=np.where(version == 1, created, changed),
            version=version,
            lacking=self._incomplete(rows) < self._quota,
        )

    def _descriptions(self, numbers: Numbers) -> list[str | None]:
        chosen = pick(self.draw("description", numbers.rows), _DESCRIPTIONS)
        columns = (column.tolist() for column in (numbers.lacking, numbers.archetype, numbers.topic, chosen))
        return [
            None if lacks else self.plan.descriptions[kind][subject][index]
            for lacks, kind, subject, index in zip(*columns, strict=True)
        ]

    def _texts(
        self, numbers: Numbers, told: Numbers, titles: pa.StringArray, said: dict[str, I64], marks: Marks
    ) -> pa.StringArray:
        """What stands below each title: the text of ``told``, which is another document where one is a copy."""
        plan, fragments = self.plan, self.plan.fragments
        ranges = fragments.ranges(len(titles), {TOPIC: told.topic, PROJECT: told.project})
        for name, chosen in said.items():
            fragments.only(ranges, name, chosen)
        # A project's first document speaks as of its last change: when it was made there was nothing to name.
        first = self._is_first(numbers.rows)
        moment = np.where(first, numbers.modified, marks.moment(numbers.created, told.created))
        narrow_days(fragments, ranges, calendar.day_of(moment))
        narrow_due(fragments, ranges, calendar.day_of(moment), "due")
        narrow_newest(fragments, ranges, told.project, plan.numbered.issues_by(told.project, moment), TICKETS)
        narrow_releases(fragments, ranges, told.project, plan.numbered.releases_by(told.project, moment))
        wanted = self._sizes(told.rows) - (arrays.byte_lengths(titles) + 2)
        blocks = blocks_of(plan.outlines, told.archetype, wanted, self.draw("outline", told.rows))
        blocks = plan.facts.placed(blocks, marks)
        plan.facts.narrow(fragments, ranges, marks)
        return fragments.compose(ranges, blocks, self.draw("text", told.rows), marks.edits)
