"""What all pages of a template and company share: made once, before the first row.

Belongs here: pools, blocks, tables to draw from. Does not belong here: rows (``builder.py``).
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dataops_core.company.model import Company
from dataops_core.company.wheel import Wheel
from dataops_core.dataset_types.confluence import markup
from dataops_core.dataset_types.confluence.columns import LABELS
from dataops_core.dataset_types.confluence.layout import HOME, HOME_ARCHETYPE, LAYOUTS, REVIEW
from dataops_core.dataset_types.facts import Facts
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
from dataops_core.generation.seeding import I64, Draws, digest64, weighted_table
from dataops_core.templates.model import Template

#: Bytes of a stored row besides its body, so that the two together meet the template's mean.
_OTHER_BYTES = 1000
REVIEW_ARCHETYPE, NOTES = "incident_report", "release_notes"


@dataclass(frozen=True, slots=True)
class PagePlan:
    """What all pages of a template and company share."""

    fragments: Fragments
    outlines: tuple[Outline, ...]
    archetypes: pa.Array
    titles: Titles
    archetype_table: I64
    topic_table: I64
    topics: pa.Array
    wheel: Wheel
    #: Of each project, its space, and what the addresses of its pages begin with.
    space_ids: pa.Array
    space_keys: pa.Array
    space_pages: pa.Array
    labels: pa.ListArray
    people: People
    numbered: Numbered
    #: Of each project its incidents, in the order of time, and the block that says how each is tracked.
    incidents: I64
    tracking: int
    #: The outline of a review, which is the last one; those before are of the archetypes.
    review: int
    releases: Releases
    #: The block that says what a release consists of.
    contents: int
    facts: Facts
    #: Of each project, where its issues begin among all.
    first_issue: I64


def _plan(plan_key: PlanKey) -> PagePlan:
    template, company = plan_key.template, plan_key.company
    wheel = Wheel(company)
    library = new_library(plan_key, wheel, markup.escape, "</td><td>")
    markup.add_pools(library, company)
    Titles.add_pools(library, template, company, markup.escape)
    library.alias("author", "person*")
    draws = Draws("confluence", company.client_id, template.template_id)
    # The company's incidents have their reviews, and its releases their notes, whatever the template weighs.
    weighed = sorted({REVIEW_ARCHETYPE, NOTES, *(name for name, weight in template.archetypes.items() if weight)})
    archetypes = (*weighed, HOME_ARCHETYPE)
    blocks = markup.kinds(library, draws)
    layouts = {**{name: LAYOUTS[name] for name in weighed}, HOME_ARCHETYPE: HOME, "review": REVIEW}
    parts = {name: markup.parts(library, name, layout, blocks, draws) for name, layout in layouts.items()}
    tracking, contents = markup.tracking(library), markup.contents(library)
    facts = Facts.add(library, template, company, markup.escape, ("<p>", "</p>"))
    fragments = library.freeze()
    return PagePlan(
        fragments=fragments,
        outlines=tuple(
            compile_outline(part, fragments.block_bytes, body_bytes(template), "outline", company.client_id, name)
            for name, part in parts.items()
        ),
        archetypes=arrays.texts(archetypes),
        titles=Titles.of(fragments, template, company, [layouts[name].titles for name in archetypes]),
        archetype_table=weighted_table([template.archetypes.get(name, 0) for name in archetypes]),
        topic_table=topic_table(template),
        topics=arrays.texts([topic.key for topic in template.topics]),
        wheel=wheel,
        space_ids=arrays.texts([project.space_id for project in company.projects]),
        space_keys=arrays.texts([project.key for project in company.projects]),
        space_pages=arrays.texts([f"/spaces/{project.key}/pages/" for project in company.projects]),
        labels=_labels(template.labels, company),
        people=People.of(company),
        numbered=Numbered.of(company),
        incidents=np.array(
            [[incident.index for incident in mine] for mine in company.incidents_by_project], dtype=np.int64
        ),
        tracking=tracking,
        review=len(archetypes),
        releases=Releases.of(company),
        contents=contents,
        facts=facts,
        first_issue=np.cumsum([0, *(project.issue_count for project in company.projects)])[:-1],
    )


plans = PlanCache(_plan)


def _labels(labels: tuple[str, ...], company: Company) -> pa.ListArray:
    """The sets of labels as the API returns them."""
    sets = label_sets(labels, company)
    said = [label for chosen in sets for label in chosen]
    ids = {label: str(31_000_000 + digest64(company.client_id, label) % 9_000_000) for label in labels}
    columns = ([ids[label] for label in said], said, ["global"] * len(said))
    entries = pa.StructArray.from_arrays([arrays.texts(column) for column in columns], fields=list(LABELS.value_type))
    return arrays.lists(entries, map(len, sets)).cast(LABELS)


def body_bytes(template: Template) -> int:
    """What bodies have on average, so that whole rows have what the template says."""
    return max(template.bytes_per_record - _OTHER_BYTES, 100)
