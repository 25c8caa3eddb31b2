"""What all repositories of a template and company share: made once, before the first row.

Belongs here: pools, blocks, tables to draw from. Does not belong here: rows (``builder.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from dataops_core.company.model import Company
from dataops_core.company.wheel import Wheel
from dataops_core.dataset_types.facts import Facts
from dataops_core.dataset_types.github import markup
from dataops_core.dataset_types.github.layout import LAYOUTS
from dataops_core.dataset_types.plan import (
    Numbered,
    People,
    PlanCache,
    PlanKey,
    label_sets,
    new_library,
    topic_table,
)
from dataops_core.generation import arrays
from dataops_core.generation.filling import Filling, Words, fill
from dataops_core.generation.fragments import Fragments
from dataops_core.generation.outline import Outline, compile_outline
from dataops_core.generation.seeding import I64, Draws, weighted_table
from dataops_core.generation.sentences import slug
from dataops_core.generation.words import Lexicon
from dataops_core.templates.model import Template

#: Bytes of a stored row besides its README, so that the two together meet the template's mean.
_OTHER_BYTES = 800
_SERVICE = "service"
#: Descriptions of each archetype and topic.
DESCRIPTIONS = 400


@dataclass(frozen=True, slots=True)
class RepositoryPlan:
    """What all repositories of a template and company share."""

    fragments: Fragments
    outlines: tuple[Outline, ...]
    facts: Facts
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
    #: Of each project the lines of its service's changelog, in the order of time; the first is of what was out at
    #: first: no changelog has it.
    changes: tuple[tuple[str, ...], ...]
    #: Per topic, its nouns as parts of names; no two topics share one.
    stems: tuple[tuple[str, ...], ...]
    #: Per archetype and topic, descriptions to choose from.
    descriptions: tuple[tuple[tuple[str, ...], ...], ...]
    label_sets: pa.ListArray


def _plan(plan_key: PlanKey) -> RepositoryPlan:
    template, company = plan_key.template, plan_key.company
    wheel = Wheel(company)
    library = new_library(plan_key, wheel, str, " | ")
    markup.add_pools(library, company)
    draws = Draws("github", company.client_id, template.template_id)
    weights = {name: weight for name, weight in sorted(template.archetypes.items()) if weight}
    # The services' repositories are services also where a template weighs none.
    archetypes = tuple(sorted({*weights, _SERVICE}))
    blocks = markup.kinds(library, draws)
    parts = [markup.parts(library, name, blocks, draws) for name in archetypes]
    facts = Facts.add(library, template, company, str)
    fragments = library.freeze()
    return RepositoryPlan(
        fragments=fragments,
        outlines=tuple(
            compile_outline(part, fragments.block_bytes, readme_bytes(template), "readme", company.client_id, name)
            for part, name in zip(parts, archetypes, strict=True)
        ),
        facts=facts,
        archetypes=archetypes,
        archetype_table=weighted_table([weights.get(name, 0) for name in archetypes]),
        service_archetype=archetypes.index(_SERVICE),
        languages=tuple(
            tuple(language for language, weight in LAYOUTS[name].languages.items() for _ in range(weight))
            for name in archetypes
        ),
        topics=arrays.texts([topic.key for topic in template.topics]),
        topic_table=topic_table(template),
        wheel=wheel,
        people=People.of(company),
        numbered=Numbered.of(company),
        changes=tuple(tuple(markup.change(company, release) for release in own) for own in company.releases_by_project),
        stems=_stems(template),
        descriptions=_descriptions(plan_key, archetypes),
        label_sets=_label_sets(template, company),
    )


plans = PlanCache(_plan)


def _descriptions(plan_key: PlanKey, archetypes: Sequence[str]) -> tuple[tuple[tuple[str, ...], ...], ...]:
    path = (plan_key.company.client_id, plan_key.template.template_id)
    of_topics = []
    for topic in plan_key.template.topics:
        words, own = Words.of(Lexicon.of(topic, plan_key.vocabulary), str), (*path, topic.key)
        filled = fill(
            [
                Filling(LAYOUTS[name].descriptions, words, DESCRIPTIONS, (*own, name, "description"), capital=True)
                for name in archetypes
            ]
        )
        of_topics.append([tuple(text[:350] for text in texts.to_pylist()) for texts in filled])
    return tuple(zip(*of_topics, strict=True))


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


def readme_bytes(template: Template) -> int:
    """What READMEs have on average, so that whole rows have what the template says."""
    return max(template.bytes_per_record - _OTHER_BYTES, 100)
