"""Any range of GitHub repositories of a specification.

The first repositories are those of the company's services, under their names, so that whatever cites a service's
repository cites one that every dataset has. The others are named by project, subject and purpose, each name once.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dataops_core.company.build import space_home_url
from dataops_core.dataset_types.base import GenerationSpec, Planted
from dataops_core.dataset_types.defects import Candidates, Defects, Marks, incomplete
from dataops_core.dataset_types.github.columns import SCHEMA
from dataops_core.dataset_types.github.layout import LAYOUTS, LICENSES
from dataops_core.dataset_types.github.plan import DESCRIPTIONS, plans, readme_bytes
from dataops_core.dataset_types.plan import LABEL_SETS, batch, incomplete_quota, weighted
from dataops_core.generation import arrays, calendar
from dataops_core.generation.outline import Sizes, blocks_of
from dataops_core.generation.seeding import (
    I64,
    U64,
    Affine,
    chance,
    coprime,
    digest64,
    draw,
    key,
    mix,
    pick,
)
from dataops_core.generation.sentences import PROJECT, TICKETS, TOPIC, narrow_days, narrow_newest, narrow_releases

#: A README names so many releases.
_CHANGES = 4
#: The purpose of a repository whose subject says it already; no archetype's own, so that names never meet.
_CORE = "core"
_INCOMPLETE_FIELDS = ("description", "homepage", "topics")


@dataclass(frozen=True, slots=True)
class _Repositories:
    """A range of repositories, as numbers: what their columns and their READMEs both say."""

    rows: I64
    project: I64
    topic: I64
    archetype: I64
    author: I64
    owner: I64
    created: I64
    pushed: I64
    updated: I64
    public: NDArray[np.bool_]
    fork: NDArray[np.bool_]
    archived: NDArray[np.bool_]
    #: Index of the field that an incomplete repository lacks, -1 for a complete one.
    lacking: I64


class RepositoryBuilder:
    """Builds any range of a specification's repositories."""

    schema = SCHEMA

    def __init__(self, spec: GenerationSpec) -> None:
        self._spec = spec
        self._plan = plans(spec)
        self._path = ("github_repos", spec.seed)
        self._incomplete = Affine(spec.record_count, *self._path, "incomplete")
        self._quota = incomplete_quota(spec)
        self._sizes = Sizes(spec.record_count, readme_bytes(spec.template), *self._path, "size")
        company = spec.company
        self._first_id = 300_000_000 + digest64("repositories", company.client_id) % 500_000_000
        self._owner_id = 20_000_000 + digest64("organization", company.client_id) % 70_000_000

        self._defects = Defects(spec, self._candidates, facts=self._plan.facts.count)

    def planted(self) -> Iterator[Planted]:
        """The defects that repositories have on purpose."""
        yield from incomplete(self._incomplete, self._quota, _INCOMPLETE_FIELDS)
        projects = self._spec.company.projects
        yield from self._defects.planted(lambda _, project: projects[project].key, self._plan.facts.said)

    def rows(self, start: int, stop: int) -> pa.RecordBatch:
        """Repositories ``start`` to ``stop``, the latter excluded."""
        company = self._spec.company
        marks = self._defects.of(np.arange(start, stop, dtype=np.int64))
        repositories, told = marks.split(self._repositories(marks.with_sources))
        # A fork has what its source has, and what is old was left before its successor was.
        last = np.where(marks.stale, told.pushed, calendar.WINDOW_DAYS * calendar.DAY)
        pushed = np.clip(repositories.pushed, np.where(marks.near, told.pushed, 0), last)
        repositories = replace(
            repositories,
            pushed=pushed,
            updated=np.clip(repositories.updated, pushed, np.where(marks.stale, told.updated, last)),
            topic=told.topic,
            archetype=told.archetype,
            archived=repositories.archived | marks.stale,
            fork=repositories.fork | marks.near,
        )
        names = marks.titled(arrays.texts(self._names(told)), "{}-fork", "{}-old").to_pylist()
        urls = [f"{company.github_url}/{company.org}/{name}" for name in names]
        descriptions = self._descriptions(repositories)
        columns = {
            **self._identity(repositories, names, urls),
            **self._state(repositories),
            **self._people(repositories),
            **self._licenses(repositories),
            "description": descriptions,
            "_text": self._readmes(repositories, told, marks, self._heads(names, descriptions)),
        }
        return batch(columns, SCHEMA)

    def _draw(self, column: str, rows: I64) -> U64:
        return draw(key(*self._path, column), rows)

    def _candidates(self, rows: I64) -> Candidates:
        """Any repository may be defective but those of the company's services. All are in one place."""
        found = self._repositories(rows)
        free = rows >= len(self._spec.company.services)
        return Candidates(project=found.project, moment=found.created, paired=free, movable=np.zeros_like(free))

    def _repositories(self, rows: I64) -> _Repositories:
        plan, services = self._plan, self._spec.company.services
        own = rows < len(services)
        project = plan.wheel.project(rows)
        project[own] = [services[row].project for row in rows[own].tolist()]
        archetype = weighted(self._draw("archetype", rows), plan.archetype_table)
        owners = self._draw("owner", rows)
        author = plan.people.member(project, self._draw("author", rows))
        zone = plan.people.zone[author]
        # The services run when the window begins.
        drawn = self._draw("created", rows)
        created = np.where(own, calendar.before(drawn, zone=zone), calendar.moments(drawn, self._spec.weeks, zone=zone))
        archived = ~own & chance(self._draw("archived", rows), 60)
        # An archived repository was left alone within a year; others are pushed to until late.
        pushes = self._draw("pushed", rows)
        pushed = np.where(
            archived,
            calendar.later(created, pushes, within_days=360, zone=zone),
            calendar.later(created, pushes, within_days=calendar.WINDOW_DAYS, zone=zone),
        )
        # A project's own service was last pushed to when it was last released, or just after.
        out = plan.numbered.releases_by(project, pushed)
        versioned = (rows < len(plan.changes)) & (out > 1)
        after = calendar.later(plan.numbered.released[project, out - 1], pushes, within_days=2, zone=zone)
        pushed = np.where(versioned, after, pushed)
        place = self._incomplete(rows)
        return _Repositories(
            rows=rows,
            project=project,
            topic=weighted(self._draw("topic", rows), plan.topic_table),
            archetype=np.where(own, plan.service_archetype, archetype),
            author=author,
            owner=np.where(chance(owners, 600), author, plan.people.member(project, mix(owners))),
            created=created,
            pushed=pushed,
            updated=calendar.later(pushed, self._draw("updated", rows), within_days=30, zone=zone),
            public=~own & chance(self._draw("public", rows), 80),
            fork=~own & chance(self._draw("flags", rows), 30),
            archived=archived,
            lacking=np.where(place < self._quota, place % len(_INCOMPLETE_FIELDS), -1),
        )

    def _names(self, repositories: _Repositories) -> list[str]:
        """A name for each repository, no two alike: of one project, subject and purpose, row i has place i of all."""
        plan, company, seed = self._plan, self._spec.company, self._spec.seed
        names = []
        numbers = zip(
            *(column.tolist() for column in (repositories.rows, repositories.project, repositories.topic)),
            repositories.archetype.tolist(),
            strict=True,
        )
        for row, project, topic, archetype in numbers:
            if row < len(company.services):
                names.append(company.services[row].name)
                continue
            stems, suffixes = plan.stems[topic], LAYOUTS[plan.archetypes[archetype]].suffixes
            capacity = len(stems) * len(suffixes)
            part, index = divmod(row, capacity)
            stem, suffix = divmod((index * coprime(capacity) + seed) % capacity, len(suffixes))
            word = company.projects[project].name.partition(" ")[0].lower()
            # No dispatcher's dispatcher.
            purpose = _CORE if stems[stem].endswith(suffixes[suffix]) else suffixes[suffix]
            name = f"{word}-{stems[stem]}-{purpose}"
            names.append(f"{name}-{part + 1}" if part else name)
        return names

    def _descriptions(self, repositories: _Repositories) -> list[str | None]:
        plan = self._plan
        chosen = pick(self._draw("description", repositories.rows), DESCRIPTIONS).tolist()
        lacks = self._lacks(repositories, "description").tolist()
        return [
            None if lacking else plan.descriptions[archetype][topic][index]
            for lacking, archetype, topic, index in zip(
                lacks, repositories.archetype.tolist(), repositories.topic.tolist(), chosen, strict=True
            )
        ]

    def _identity(self, repositories: _Repositories, names: list[str], urls: list[str]) -> dict[str, Any]:
        """What a repository is and where it stands."""
        plan, company = self._plan, self._spec.company
        count = len(names)
        homes = [
            None
            if lacking
            else f"https://{name}.{company.domain}"
            if archetype == plan.service_archetype
            else space_home_url(company, company.projects[project])
            for lacking, name, archetype, project in zip(
                self._lacks(repositories, "homepage").tolist(),
                names,
                repositories.archetype.tolist(),
                repositories.project.tolist(),
                strict=True,
            )
        ]
        labels = np.where(
            self._lacks(repositories, "topics"), LABEL_SETS, pick(self._draw("topics", repositories.rows), LABEL_SETS)
        )
        ids = (self._first_id + repositories.rows * 3).tolist()
        return {
            "id": ids,
            "node_id": [_node_id("R", id_) for id_ in ids],
            "name": names,
            "full_name": [f"{company.org}/{name}" for name in names],
            "homepage": homes,
            "topics": plan.label_sets.take(arrays.integers(labels)),
            "owner.login": [company.org] * count,
            "owner.id": [self._owner_id] * count,
            "owner.node_id": [_node_id("O", self._owner_id)] * count,
            "owner.type": ["Organization"] * count,
            "owner.site_admin": [False] * count,
            "_view_url": urls,
            "_archetype": arrays.texts(plan.archetypes).take(arrays.integers(repositories.archetype)),
            "_topic": plan.topics.take(arrays.integers(repositories.topic)),
        }

    def _state(self, repositories: _Repositories) -> dict[str, Any]:
        """Flags, counts and times."""
        plan, rows, public = self._plan, repositories.rows, repositories.public
        popularity = self._draw("stars", rows)
        stars = pick(popularity, np.where(public, 400, 40).astype(np.uint64))
        languages = [
            plan.languages[archetype][index % len(plan.languages[archetype])]
            for archetype, index in zip(
                repositories.archetype.tolist(), pick(self._draw("language", rows), 1 << 16).tolist(), strict=True
            )
        ]
        flags = self._draw("flags", rows)
        internal = chance(self._draw("visibility", rows), 650)
        return {
            "private": ~public,
            "fork": repositories.fork,
            "language": languages,
            "visibility": np.where(public, "public", np.where(internal, "internal", "private")).tolist(),
            "default_branch": np.where(chance(mix(flags), 850), "main", "master").tolist(),
            "archived": repositories.archived,
            "disabled": [False] * len(rows),
            "is_template": chance(mix(~flags), 20),
            "has_issues": [True] * len(rows),
            "has_wiki": chance(self._draw("wiki", rows), 400),
            "has_pages": chance(self._draw("pages", rows), 150),
            "size": 40 + pick(self._draw("size kilobytes", rows), 60_000),
            "stargazers_count": stars,
            # GitHub reports the stars under both names.
            "watchers_count": stars,
            "forks_count": stars // 6,
            "open_issues_count": np.where(repositories.archived, 0, pick(self._draw("issues", rows), 45)),
            "created_at": calendar.rfc3339(repositories.created),
            "updated_at": calendar.rfc3339(repositories.updated),
            "pushed_at": calendar.rfc3339(repositories.pushed),
        }

    def _people(self, repositories: _Repositories) -> dict[str, pa.Array]:
        """Who made a repository and who maintains it."""
        people = self._plan.people
        author, owner = arrays.integers(repositories.author), arrays.integers(repositories.owner)
        return {
            "_author_name": people.names.take(author),
            "_author_email": people.emails.take(author),
            "_owner_name": people.names.take(owner),
            "_owner_email": people.emails.take(owner),
        }

    def _licenses(self, repositories: _Repositories) -> dict[str, list[str | None]]:
        """What is public has a license that others know; what is not, one of the company's own."""
        host = f"https://api.github.{self._spec.company.domain}"
        drawn = pick(self._draw("license", repositories.rows), len(LICENSES) - 1)
        chosen = [LICENSES[index] for index in np.where(repositories.public, drawn, len(LICENSES) - 1).tolist()]
        known = [spdx != LICENSES[-1][2] for _, _, spdx in chosen]
        return {
            "license.key": [license_key for license_key, _, _ in chosen],
            "license.name": [name for _, name, _ in chosen],
            "license.spdx_id": [spdx for _, _, spdx in chosen],
            "license.url": [
                f"{host}/licenses/{license_key}" if is_known else None
                for (license_key, _, _), is_known in zip(chosen, known, strict=True)
            ],
            "license.node_id": [_node_id("L", sum(license_key.encode())) for license_key, _, _ in chosen],
        }

    def _lacks(self, repositories: _Repositories, name: str) -> NDArray[np.bool_]:
        lacks: NDArray[np.bool_] = repositories.lacking == _INCOMPLETE_FIELDS.index(name)
        return lacks

    def _heads(self, names: list[str], descriptions: list[str | None]) -> list[str]:
        """How READMEs begin: with name, description and address."""
        base = f"{self._spec.company.github_url}/{self._spec.company.org}"
        return [
            f"# {name}\n\n{f'{text}.{chr(10)}{chr(10)}' if text else ''}```bash\ngit clone {base}/{name}\n```\n\n"
            for name, text in zip(names, descriptions, strict=True)
        ]

    def _changelogs(self, repositories: _Repositories) -> list[str]:
        """How READMEs of projects' own services end: with the newest releases but the one before the window."""
        plan, project = self._plan, repositories.project
        out = plan.numbered.releases_by(project, repositories.pushed).tolist()
        ends = []
        for row, index, last in zip(repositories.rows.tolist(), project.tolist(), out, strict=True):
            own = plan.changes[index][max(1, last - _CHANGES) : last] if row < len(plan.changes) else ()
            ends.append(f"\n## Changelog\n\n{''.join(reversed(own))}" if own else "")
        return ends

    def _readmes(
        self, repositories: _Repositories, told: _Repositories, marks: Marks, heads: list[str]
    ) -> pa.StringArray:
        """The heads, and below each the text of ``told``: another repository's where one is a copy."""
        plan, fragments = self._plan, self._plan.fragments
        ranges = fragments.ranges(len(heads), {TOPIC: told.topic, PROJECT: told.project})
        moment = marks.moment(repositories.pushed, told.pushed)
        narrow_days(fragments, ranges, calendar.day_of(moment))
        made = plan.numbered.issues_by(told.project, moment)
        narrow_newest(fragments, ranges, told.project, made, (*TICKETS, "ticket_link"))
        narrow_releases(fragments, ranges, told.project, plan.numbered.releases_by(told.project, moment))
        # A copy has as much room below its head as its source.
        beheaded = heads if marks.edits is None else self._heads(self._names(told), self._descriptions(told))
        ends = self._changelogs(repositories)
        wanted = self._sizes(told.rows) - np.array(
            [len(head.encode()) + len(end.encode()) for head, end in zip(beheaded, ends, strict=True)]
        )
        blocks = blocks_of(plan.outlines, told.archetype, wanted, self._draw("outline", told.rows))
        blocks = plan.facts.placed(blocks, marks)
        plan.facts.narrow(fragments, ranges, marks)
        bodies = fragments.compose(ranges, blocks, self._draw("readme", told.rows), marks.edits)
        return pc.binary_join_element_wise(
            arrays.texts(heads), bodies, arrays.texts(ends), arrays.texts([""] * len(heads))
        )


def _node_id(kind: str, number: int) -> str:
    """A global id in the form of GitHub's: a letter, and the number in base 64."""
    return f"{kind}_{base64.urlsafe_b64encode(b'kgD' + number.to_bytes(6, 'big')).decode()}"
