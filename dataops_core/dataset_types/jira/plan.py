"""What all issues of a template and company share: made once, before the first row.

Belongs here: pools, blocks, tables to draw from. Does not belong here: rows (``builder.py``).
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dataops_core.company.model import Company
from dataops_core.company.wheel import Wheel
from dataops_core.dataset_types.facts import Facts
from dataops_core.dataset_types.jira import markup
from dataops_core.dataset_types.jira.columns import COMPONENTS
from dataops_core.dataset_types.jira.layout import COMMENTS as COMMENT_FORMS
from dataops_core.dataset_types.jira.layout import ENDINGS, LAYOUTS, RESOLUTIONS
from dataops_core.dataset_types.jira.numbers import Numbers
from dataops_core.dataset_types.plan import (
    Numbered,
    People,
    PlanCache,
    PlanKey,
    label_sets,
    new_library,
    topic_table,
)
from dataops_core.dataset_types.releases import Releases
from dataops_core.dataset_types.titles import Titles
from dataops_core.generation import arrays
from dataops_core.generation.fragments import Fragments
from dataops_core.generation.outline import Outline, compile_outline
from dataops_core.generation.seeding import I64, Draws, weighted_table
from dataops_core.templates.model import Template

#: Bytes of a stored row besides its description and comments, and of a comment besides its text.
_OTHER_BYTES = 740
_COMMENT_BYTES = 140
#: How many comments an issue has: sixteen equally frequent numbers.
COMMENTS = (0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 5, 6, 7)
#: Sets of components of each project.
COMPONENT_SETS = 4
#: Blocks of a form of comment.
_VARIANTS = 3
INCIDENT, RELEASE = "incident", "task"


@dataclass(frozen=True, slots=True)
class IssuePlan:
    """What all issues of a template and company share."""

    fragments: Fragments
    outlines: tuple[Outline, ...]
    facts: Facts
    #: Of each form of comment (rows) its blocks.
    comment_blocks: I64
    ending_blocks: tuple[I64, ...]
    #: What comments have on average, all together.
    comment_bytes: float
    closing: int
    releases: Releases
    #: The block of what a release consists of, and the comments that it is out, on its own issue and on one of it.
    contents: int
    out: tuple[int, int]
    #: The last comment on the issue of an incident.
    afterwards: int
    archetypes: tuple[str, ...]
    archetype_table: I64
    priority_tables: I64
    longest: I64
    titles: Titles
    topics: pa.Array
    topic_table: I64
    wheel: Wheel
    numbers: Numbers
    numbered: Numbered
    people: People
    labels: pa.ListArray
    components: pa.ListArray


def _plan(plan_key: PlanKey) -> IssuePlan:
    template, company = plan_key.template, plan_key.company
    wheel = Wheel(company)
    library = new_library(plan_key, wheel, markup.escape)
    Titles.add_pools(library, template, company, markup.escape)
    markup.add_pools(library, company)
    draws = Draws("jira", company.client_id, template.template_id)
    # The company's incidents and releases have their issues whatever the template weighs.
    archetypes = tuple(sorted({INCIDENT, RELEASE, *(name for name, weight in template.archetypes.items() if weight)}))
    blocks = markup.kinds(library, draws)
    parts = [markup.parts(library, name, blocks, draws) for name in archetypes]
    comments = [markup.comments(library, draws, [form]) for form in COMMENT_FORMS]
    endings = [markup.comments(library, draws, ENDINGS[name]) for _, name, _ in RESOLUTIONS]
    closing = library.block(library.literal(markup.CLOSING))
    contents, *out = markup.shipping(library)
    afterwards = markup.afterwards(library)
    facts = Facts.add(library, template, company, markup.escape, markup.PARAGRAPH)
    fragments = library.freeze()
    a_comment = float(np.mean([fragments.block_bytes[list(blocks)].mean() for blocks in comments])) + _COMMENT_BYTES
    comment_bytes = a_comment * sum(COMMENTS) / len(COMMENTS)
    description = description_bytes(template, comment_bytes)
    labels = label_sets(template.labels, company)
    return IssuePlan(
        fragments=fragments,
        outlines=tuple(
            compile_outline(part, fragments.block_bytes, description, "issue", company.client_id, name)
            for part, name in zip(parts, archetypes, strict=True)
        ),
        facts=facts,
        comment_blocks=np.array([[each[n % len(each)] for n in range(_VARIANTS)] for each in comments], dtype=np.int64),
        ending_blocks=tuple(np.array(each, dtype=np.int64) for each in endings),
        comment_bytes=comment_bytes,
        closing=closing,
        releases=Releases.of(company),
        contents=contents,
        out=(out[0], out[1]),
        afterwards=afterwards,
        archetypes=archetypes,
        archetype_table=weighted_table([template.archetypes.get(name, 0) for name in archetypes]),
        priority_tables=np.stack([weighted_table(list(LAYOUTS[name].priorities)) for name in archetypes]),
        longest=np.array([LAYOUTS[name].longest for name in archetypes], dtype=np.int64),
        titles=Titles.of(fragments, template, company, [LAYOUTS[name].summaries for name in archetypes], capital=True),
        topics=arrays.texts([topic.key for topic in template.topics]),
        topic_table=topic_table(template),
        wheel=wheel,
        numbers=Numbers(company, wheel),
        numbered=Numbered.of(company),
        people=People.of(company),
        labels=arrays.lists(arrays.texts([label for chosen in labels for label in chosen]), map(len, labels)),
        components=_components(company),
    )


plans = PlanCache(_plan)


def _components(company: Company) -> pa.ListArray:
    """Of each project so many sets of its services, its own one first among them; the last set is empty."""
    sets: list[list[int]] = []
    for project in company.projects:
        services = [service.index for service in company.services if service.project == project.index]
        sets += [services[:1] if place % 2 == 0 else services[-2:] for place in range(COMPONENT_SETS)]
    sets.append([])
    said = [company.services[index] for chosen in sets for index in chosen]
    ids = [str(20_000 + service.index) for service in said]
    columns = ([f"{company.jira_url}/rest/api/3/component/{id_}" for id_ in ids], ids, [s.name for s in said])
    entries = pa.StructArray.from_arrays(
        [arrays.texts(column) for column in columns], fields=list(COMPONENTS.value_type)
    )
    return arrays.lists(entries, map(len, sets)).cast(COMPONENTS)


def description_bytes(template: Template, comment_bytes: float) -> float:
    """What descriptions have on average, so that whole rows have what the template says."""
    return max(template.bytes_per_record - _OTHER_BYTES - comment_bytes, 300)
