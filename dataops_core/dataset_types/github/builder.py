"""How GitHub repositories follow from a specification: the plan of a template and company, and any range of rows.

The first repositories are those of the company's services, under their names, so that whatever cites a service's
repository cites one that every dataset has. The others are named by project, subject and purpose, each name once.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dataops_core.company.build import space_home_url
from dataops_core.company.model import Company
from dataops_core.dataset_types.base import GenerationSpec
from dataops_core.dataset_types.github import markup
from dataops_core.dataset_types.github.layout import LAYOUTS, LICENSES
from dataops_core.dataset_types.plan import (
    LABEL_SETS,
    Numbered,
    People,
    PlanCache,
    PlanKey,
    Wheel,
    batch,
    incomplete_quota,
    label_sets,
    weighted,
)
from dataops_core.generation import arrays, calendar
from dataops_core.generation.filling import Filling, Words, fill
from dataops_core.generation.fragments import Fragments, Library
from dataops_core.generation.outline import Outline, Sizes, blocks_of, compile_outline
from dataops_core.generation.seeding import (
    I64,
    U64,
    Affine,
    Draws,
    chance,
    coprime,
    digest64,
    draw,
    key,
    mix,
    pick,
    weighted_table,
)
from dataops_core.generation.sentences import PROJECT, TICKETS, TOPIC, add_pools, narrow_days, narrow_newest, slug
from dataops_core.generation.words import Lexicon
from dataops_core.templates.model import Template

#: Bytes of a stored row besides its README, so that the two together meet the template's mean.
_OTHER_BYTES = 800
_INCOMPLETE_FIELDS = ("description", "homepage", "topics")
_SERVICE = "service"
_DESCRIPTIONS = 400

SCHEMA = pa.schema(
    [
        pa.field("id", pa.int64(), nullable=False),
        pa.field("node_id", pa.string(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        pa.field("full_name", pa.string(), nullable=False),
        pa.field("private", pa.bool_(), nullable=False),
        pa.field("fork", pa.bool_(), nullable=False),
        pa.field("description", pa.string()),
        pa.field("homepage", pa.string()),
        pa.field("language", pa.string()),
        pa.field("visibility", pa.string(), nullable=False),
        pa.field("default_branch", pa.string(), nullable=False),
        pa.field("topics", pa.list_(pa.string()), nullable=False),
        pa.field("archived", pa.bool_(), nullable=False),
        pa.field("disabled", pa.bool_(), nullable=False),
        pa.field("is_template", pa.bool_(), nullable=False),
        pa.field("has_issues", pa.bool_(), nullable=False),
        pa.field("has_wiki", pa.bool_(), nullable=False),
        pa.field("has_pages", pa.bool_(), nullable=False),
        pa.field("size", pa.int64(), nullable=False),
        pa.field("stargazers_count", pa.int64(), nullable=False),
        pa.field("watchers_count", pa.int64(), nullable=False),
        pa.field("forks_count", pa.int64(), nullable=False),
        pa.field("open_issues_count", pa.int64(), nullable=False),
        pa.field("created_at", pa.string(), nullable=False),
        pa.field("updated_at", pa.string(), nullable=False),
        pa.field("pushed_at", pa.string()),
        pa.field("owner.login", pa.string(), nullable=False),
        pa.field("owner.id", pa.int64(), nullable=False),
        pa.field("owner.node_id", pa.string(), nullable=False),
        pa.field("owner.type", pa.string(), nullable=False),
        pa.field("owner.site_admin", pa.bool_(), nullable=False),
        pa.field("license.key", pa.string(), nullable=False),
        pa.field("license.name", pa.string(), nullable=False),
        pa.field("license.spdx_id", pa.string(), nullable=False),
        pa.field("license.url", pa.string()),
        pa.field("license.node_id", pa.string(), nullable=False),
        pa.field("_text", pa.string(), nullable=False),
        pa.field("_view_url", pa.string(), nullable=False),
        pa.field("_archetype", pa.string(), nullable=False),
        pa.field("_topic", pa.string(), nullable=False),
        pa.field("_author_name", pa.string(), nullable=False),
        pa.field("_author_email", pa.string(), nullable=False),
        pa.field("_owner_name", pa.string(), nullable=False),
        pa.field("_owner_email", pa.string(), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What all repositories of a template and company share."""

    fragments: Fragments
    outlines: tuple[Outline, ...]
    archetypes: tuple[str, ...]
    #: Draws an archetype by weight, as an index of ``archetypes``.
    archetype_table: I64
    #: The archetype of the services' own repositories.
    service_archetype: int
    languages: tuple[tuple[str, ...], ...]
    topics: pa.Array
    topic_table: I64
    wheel: Wheel
    people: People
    numbered: Numbered
    #: Per topic, its nouns as parts of names; no two topics share one.
    stems: tuple[tuple[str, ...], ...]
    #: Per archetype and topic, descriptions to choose from.
    descriptions: tuple[tuple[tuple[str, ...], ...], ...]
    label_sets: pa.ListArray


def _plan(plan_key: PlanKey) -> _Plan:
    template, company = plan_key.template, plan_key.company
    wheel = Wheel(company)
    topic_weights = [topic.weight for topic in template.topics]
    library = Library({TOPIC: topic_weights, PROJECT: wheel.weights})
    add_pools(library, template, plan_key.vocabulary, company, escape=str)
    markup.add_pools(library, company)
    draws = Draws("github", company.client_id, template.template_id)
    weights = {name: weight for name, weight in sorted(template.archetypes.items()) if weight}
    # The services' repositories are services also where a template weighs none.
    archetypes = tuple(sorted({*weights, _SERVICE}))
    blocks = markup.kinds(library, draws)
    parts = [markup.parts(library, name, blocks, draws) for name in archetypes]
    fragments = library.freeze()
    return _Plan(
        fragments=fragments,
        outlines=tuple(
            compile_outline(part, fragments.block_bytes, _mean_bytes(template), "readme", company.client_id, name)
            for part, name in zip(parts, archetypes, strict=True)
        ),
        archetypes=archetypes,
        archetype_table=weighted_table([weights.get(name, 0) for name in archetypes]),
        service_archetype=archetypes.index(_SERVICE),
        languages=tuple(
            tuple(language for language, weight in LAYOUTS[name].languages.items() for _ in range(weight))
            for name in archetypes
        ),
        topics=arrays.texts([topic.key for topic in template.topics]),
        topic_table=weighted_table(topic_weights),
        wheel=wheel,
        people=People.of(company),
        numbered=Numbered.of(company),
        stems=_stems(template),
        descriptions=_descriptions(plan_key, archetypes),
        label_sets=_label_sets(template, company),
    )


_plans = PlanCache(_plan)


def _descriptions(plan_key: PlanKey, archetypes: Sequence[str]) -> tuple[tuple[tuple[str, ...], ...], ...]:
    topics = [(topic.key, Words.of(Lexicon.of(topic, plan_key.vocabulary), str)) for topic in plan_key.template.topics]
    path = (plan_key.company.client_id, plan_key.template.template_id)
    filled = fill(
        [
            Filling(LAYOUTS[name].descriptions, words, _DESCRIPTIONS, (*path, topic, name, "description"), capital=True)
            for name in archetypes
            for topic, words in topics
        ]
    )
    texts = [tuple(text[:350] for text in some.to_pylist()) for some in filled]
    return tuple(tuple(texts[start : start + len(topics)]) for start in range(0, len(texts), len(topics)))


def _label_sets(template: Template, company: Company) -> pa.ListArray:
    sets = label_sets(template.labels, company)
    return arrays.lists(arrays.texts([label for chosen in sets for label in chosen]), map(len, sets))


def _stems(template: Template) -> tuple[tuple[str, ...], ...]:
    seen: set[str] = set()
    stems = []
    for topic in template.topics:
        own = [stem for stem in dict.fromkeys(slug(noun)[:60] for noun in topic.nouns) if stem not in seen]
        # A topic without a noun of its own is told apart by its key.
        own = own or [f"{slug(topic.key)[:40]}-{slug(topic.nouns[0])[:20]}"]
        seen.update(own)
        stems.append(tuple(own))
    return tuple(stems)


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
    archived: NDArray[np.bool_]
    #: Index of the field that an incomplete repository lacks, -1 for a complete one.
    lacking: I64


class RepositoryBuilder:
    """Builds any range of a specification's repositories."""

    schema = SCHEMA

    def __init__(self, spec: GenerationSpec) -> None:
        self._spec = spec
        self._plan = _plans(spec)
        self._path = ("github_repos", spec.seed)
        self._incomplete = Affine(spec.record_count, *self._path, "incomplete")
        self._quota = incomplete_quota(spec)
        self._sizes = Sizes(spec.record_count, _mean_bytes(spec.template), *self._path, "size")
        company = spec.company
        self._first_id = 300_000_000 + digest64("repositories", company.client_id) % 500_000_000
        self._owner_id = 20_000_000 + digest64("organization", company.client_id) % 70_000_000

    def rows(self, start: int, stop: int) -> pa.RecordBatch:
        """Repositories ``start`` to ``stop``, the latter excluded."""
        company = self._spec.company
        repositories = self._repositories(np.arange(start, stop, dtype=np.int64))
        names = self._names(repositories)
        urls = [f"{company.github_url}/{company.org}/{name}" for name in names]
        descriptions = self._descriptions(repositories)
        columns = {
            **self._identity(repositories, names, urls),
            **self._state(repositories),
            **self._people(repositories),
            **self._licenses(repositories),
            "description": descriptions,
            "_text": self._readmes(repositories, names, urls, descriptions),
        }
        return batch(columns, SCHEMA)

    def _draw(self, column: str, rows: I64) -> U64:
        return draw(key(*self._path, column), rows)

    def _repositories(self, rows: I64) -> _Repositories:
        plan, services = self._plan, self._spec.company.services
        own = rows < len(services)
        project = plan.wheel.project(rows)
        project[own] = [services[row].project for row in rows[own].tolist()]
        archetype = weighted(self._draw("archetype", rows), plan.archetype_table)
        owners = self._draw("owner", rows)
        author = plan.people.member(project, self._draw("author", rows))
        zone = plan.people.utc_offset[author]
        created = calendar.moments(self._draw("created", rows), utc_offset=zone)
        archived = ~own & chance(self._draw("archived", rows), 60)
        # An archived repository was left alone within a year; others are pushed to until late.
        pushes = self._draw("pushed", rows)
        pushed = np.where(
            archived,
            calendar.later(created, pushes, within_days=360, utc_offset=zone),
            calendar.later(created, pushes, within_days=calendar.WINDOW_DAYS, utc_offset=zone),
        )
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
            updated=calendar.later(pushed, self._draw("updated", rows), within_days=30, utc_offset=zone),
            public=~own & chance(self._draw("public", rows), 80),
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
            name = f"{word}-{stems[stem]}-{suffixes[suffix]}"
            names.append(f"{name}-{part + 1}" if part else name)
        return names

    def _descriptions(self, repositories: _Repositories) -> list[str | None]:
        plan = self._plan
        chosen = pick(self._draw("description", repositories.rows), _DESCRIPTIONS).tolist()
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
            "fork": (rows >= len(self._spec.company.services)) & chance(flags, 30),
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

    def _readmes(
        self, repositories: _Repositories, names: list[str], urls: list[str], descriptions: list[str | None]
    ) -> pa.StringArray:
        plan, fragments = self._plan, self._plan.fragments
        ranges = fragments.ranges(len(names), {TOPIC: repositories.topic, PROJECT: repositories.project})
        narrow_days(fragments, ranges, calendar.day_of(repositories.pushed))
        made = plan.numbered.issues_by(repositories.project, repositories.pushed)
        narrow_newest(fragments, ranges, repositories.project, made, (*TICKETS, "ticket_link"))
        heads = [
            f"# {name}\n\n{f'{text}.{chr(10)}{chr(10)}' if text else ''}```bash\ngit clone {url}\n```\n\n"
            for name, url, text in zip(names, urls, descriptions, strict=True)
        ]
        wanted = self._sizes(repositories.rows) - np.array([len(head.encode()) for head in heads])
        blocks = blocks_of(plan.outlines, repositories.archetype, wanted, self._draw("outline", repositories.rows))
        bodies = fragments.compose(ranges, blocks, self._draw("readme", repositories.rows))
        return pc.binary_join_element_wise(arrays.texts(heads), bodies, arrays.texts([""] * len(heads)))


def _mean_bytes(template: Template) -> int:
    """What READMEs have on average, so that whole rows have what the template says."""
    return max(template.bytes_per_record - _OTHER_BYTES, 100)


def _node_id(kind: str, number: int) -> str:
    """A global id in the form of GitHub's: a letter, and the number in base 64."""
    return f"{kind}_{base64.urlsafe_b64encode(b'kgD' + number.to_bytes(6, 'big')).decode()}"
