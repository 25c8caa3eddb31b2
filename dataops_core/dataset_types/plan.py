"""What a dataset's builder needs before its first row, made once per template and company and kept.

Belongs here: the key under which a plan is cached, and the parts of plans that dataset types share: the
company's people as columns, what it has numbered, sets of labels, the words of titles.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np
import pyarrow as pa

from dataops_core.company.model import Company
from dataops_core.company.threads import release_posts
from dataops_core.company.wheel import Wheel
from dataops_core.dataset_types.base import GenerationSpec
from dataops_core.generation import arrays, calendar
from dataops_core.generation.library import Library
from dataops_core.generation.seeding import I64, U64, Draws, digest64, pick, weighted_table
from dataops_core.generation.sentences import PROJECT, TOPIC, add_pools
from dataops_core.generation.words import plural, telling, unique
from dataops_core.once import made_once
from dataops_core.templates.model import IndustryVocabulary, Template

_PlanT = TypeVar("_PlanT")


@dataclass(frozen=True, slots=True)
class PlanKey:
    """What a plan follows from. Two keys are equal when the contents are, whatever the template's version says."""

    digest: int
    template: Template = field(compare=False, repr=False)
    vocabulary: IndustryVocabulary = field(compare=False, repr=False)
    company: Company = field(compare=False, repr=False)

    @classmethod
    def of(cls, spec: GenerationSpec) -> "PlanKey":
        """The key of a specification's plan."""
        digest = digest64(
            spec.template.model_dump_json(),
            spec.vocabulary.model_dump_json(),
            spec.company.client_id,
            spec.company.locale,
        )
        return cls(digest, spec.template, spec.vocabulary, spec.company)


class PlanCache(Generic[_PlanT]):
    """The most recently used plans of a dataset type. A plan that another thread is making is waited for."""

    def __init__(self, build: Callable[[PlanKey], _PlanT], keep: int = 8) -> None:
        self._get = made_once(keep)(build)

    def __call__(self, spec: GenerationSpec) -> _PlanT:
        """The plan of a specification."""
        return self._get(PlanKey.of(spec))


def new_library(plan_key: PlanKey, wheel: Wheel, escape: Callable[[str], str], between: str = ": ") -> Library:
    """The pools that the texts of every type draw from, escaped for the documents' markup; a type adds its own.

    ``between`` stands between a metric and its value.
    """
    template, company = plan_key.template, plan_key.company
    library = Library({TOPIC: [topic.weight for topic in template.topics], PROJECT: wheel.weights})
    add_pools(library, template, plan_key.vocabulary, company, escape=escape, between=between)
    return library


def topic_table(template: Template) -> I64:
    """Draws a topic by weight, as an index of the template's topics."""
    return weighted_table([topic.weight for topic in template.topics])


@dataclass(frozen=True, slots=True)
class People:
    """The company's people as columns to take from, and where each project's team is among them."""

    account_ids: pa.Array
    names: pa.Array
    emails: pa.Array
    #: Where each one sits, in ``local_time.ZONES``.
    zone: I64
    team_first: I64
    team_size: U64

    @classmethod
    def of(cls, company: Company) -> "People":
        """The people of a company."""
        teams = [company.teams[project.team] for project in company.projects]
        return cls(
            account_ids=arrays.texts([person.account_id for person in company.people]),
            names=arrays.texts([person.name for person in company.people]),
            emails=arrays.texts([person.email for person in company.people]),
            zone=np.array([person.zone for person in company.people], dtype=np.int64),
            team_first=np.array([team.first_person for team in teams], dtype=np.int64),
            team_size=np.array([team.size for team in teams], dtype=np.uint64),
        )

    def member(self, projects: I64, drawn: U64) -> I64:
        """A member of each project's team."""
        chosen: I64 = self.team_first[projects] + pick(drawn, self.team_size[projects])
        return chosen

    def colleague(self, projects: I64, person: I64, drawn: U64, besides: I64 | None = None) -> I64:
        """Another member of each project's team than ``person``, and than ``besides``, who are members."""
        first, size = self.team_first[projects], self.team_size[projects]
        if besides is None:
            further = 1 + pick(drawn, size - np.uint64(1))
        else:
            apart = (besides - person) % size.astype(np.int64)
            further = 1 + (apart + pick(drawn, size - np.uint64(2))) % (size.astype(np.int64) - 1)
        other: I64 = first + (person - first + further) % size.astype(np.int64)
        return other


#: Later than anything.
_NEVER = calendar.WINDOW_DAYS * calendar.DAY


@dataclass(frozen=True, slots=True)
class Numbered:
    """What the company has ever more of, by project: issues, and its own service's pull requests and releases."""

    issues: I64
    pull_requests: I64
    #: When each release was announced, in order; beyond a project's own ones there is none in time.
    released: I64
    zone: I64

    @classmethod
    def of(cls, company: Company) -> "Numbered":
        """The counts of a company."""
        announced = release_posts(company).tolist()
        released = [[announced[release.index] for release in own] for own in company.releases_by_project]
        most = max(map(len, released))
        leads = [company.people[company.teams[project.team].first_person] for project in company.projects]
        return cls(
            issues=np.array([project.issue_count for project in company.projects], dtype=np.int64),
            pull_requests=np.array(
                [company.services[project.index].pull_request_count for project in company.projects], dtype=np.int64
            ),
            released=np.array([[*each, *[_NEVER] * (most - len(each))] for each in released], dtype=np.int64),
            zone=np.array([lead.zone for lead in leads], dtype=np.int64),
        )

    def issues_by(self, projects: I64, moments: I64) -> I64:
        """How many issues each project had at each moment."""
        return calendar.filed_by(moments, self.issues[projects], zone=self.zone[projects])

    def pull_requests_by(self, projects: I64, moments: I64) -> I64:
        """How many pull requests the project's own service had."""
        return calendar.filed_by(moments, self.pull_requests[projects], zone=self.zone[projects])

    def releases_by(self, projects: I64, moments: I64) -> I64:
        """How many releases of the project's own service were out and announced: always one at least."""
        # Release by release: a project has few of them.
        out: I64 = np.count_nonzero(self.released.T.take(projects, axis=1) <= moments, axis=0)
        return out


#: Sets of labels to choose from; the set after them is empty.
LABEL_SETS = 256


def label_sets(labels: Sequence[str], company: Company) -> list[list[str]]:
    """``LABEL_SETS`` sets of two to five labels, and an empty one."""
    draws = Draws("labels", company.client_id)
    known = list(dict.fromkeys(labels))
    orders = draws.shuffles("set", len(known), LABEL_SETS).tolist()
    sizes = [draws.between("size", 2, min(5, len(known))) for _ in orders]
    return [*([known[place] for place in order[:size]] for order, size in zip(orders, sizes, strict=True)), []]


@dataclass(frozen=True, slots=True)
class TitleWords:
    """The words that titles are made of. No noun belongs to two topics, so two topics never form the same title."""

    adjectives: tuple[tuple[str, ...], ...]
    nouns: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, template: Template) -> "TitleWords":
        """The title words of a template's topics."""
        seen: set[str] = set()
        nouns = []
        for topic in template.topics:
            own = tuple(noun[:80] for noun in unique(topic.nouns) if noun[:80] not in seen)
            # A topic that says nothing of its own keeps its first noun, told apart by the topic's title.
            own = own or (f"{topic.title[:60]} {topic.nouns[0][:40]}",)
            seen.update(own)
            nouns.append(tuple(map(plural, own)))
        adjectives = tuple(
            tuple(adjective[:60] for adjective in telling(unique(topic.adjectives), unique(topic.nouns)))
            for topic in template.topics
        )
        return cls(adjectives, tuple(nouns))


def incomplete_quota(spec: GenerationSpec) -> int:
    """How many of a specification's records lack a field: its template's share, rounded down to whole records."""
    # In millionths, since the float of a share such as 0.035 may lie just below it.
    return round(spec.template.incomplete_share * 1_000_000) * spec.record_count // 1_000_000


def weighted(drawn: U64, table: I64) -> I64:
    """One entry of a weighted table per draw."""
    return table[pick(drawn, len(table))]


def batch(columns: Mapping[str, Any], schema: pa.Schema) -> pa.RecordBatch:
    """The columns as a batch of the schema; what is no Arrow array yet becomes one."""
    made = [arrays.of_type(columns[field.name], field.type) for field in schema]
    return pa.RecordBatch.from_arrays(made, schema=schema)
