"""What all tickets of a template and company share: made once, before the first row.

Belongs here: pools, blocks, tables to draw from. Does not belong here: rows (``builder.py``).
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dataops_core.company.threads import incident_posts
from dataops_core.company.wheel import Wheel
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
from dataops_core.dataset_types.titles import Titles
from dataops_core.dataset_types.zendesk import markup
from dataops_core.dataset_types.zendesk.conversation import Comments, comments
from dataops_core.dataset_types.zendesk.layout import LAYOUTS
from dataops_core.dataset_types.zendesk.numbers import Numbers
from dataops_core.generation import arrays
from dataops_core.generation.fragments import Fragments
from dataops_core.generation.outline import Outline, compile_outline
from dataops_core.generation.seeding import I64, Draws, weighted_table
from dataops_core.templates.model import Template

#: Bytes of a stored row besides its description and comments, and of a comment besides its text.
_OTHER_BYTES = 650
_COMMENT_BYTES = 75
#: How many comments follow the first one: sixteen equally frequent numbers.
COMMENTS = (1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 5, 5, 6, 7, 8)
INCIDENT = "incident"


@dataclass(frozen=True, slots=True)
class TicketPlan:
    """What all tickets of a template and company share."""

    fragments: Fragments
    outlines: tuple[Outline, ...]
    facts: Facts
    comments: Comments
    #: The notes of an incident: before there is a word about it in the chat (row 0), and after that.
    incident_notes: I64
    #: When each incident is first spoken of.
    posted: I64
    #: What comments have on average, all together.
    comment_bytes: float
    signature: int
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
    #: Of each project where its issues begin among all, and of each person the team.
    first_issue: I64
    team: I64


def _plan(plan_key: PlanKey) -> TicketPlan:
    template, company = plan_key.template, plan_key.company
    wheel = Wheel(company)
    library = new_library(plan_key, wheel, str)
    Titles.add_pools(library, template, company, str)
    markup.add_pools(library, company)
    draws = Draws("zendesk", company.client_id, template.template_id)
    # The company's incidents have their tickets whatever the template weighs.
    archetypes = tuple(sorted({INCIDENT, *(name for name, weight in template.archetypes.items() if weight)}))
    blocks = markup.kinds(library, draws)
    parts = [markup.parts(library, name, blocks, draws) for name in archetypes]
    said, told = comments(library, draws, archetypes), markup.incident_notes(library)
    signature = markup.signature(library)
    facts = Facts.add(library, template, company, str)
    fragments = library.freeze()
    replies, answers, notes = (float(fragments.block_bytes[each].mean()) for each in said.by_author)
    # Of a hundred, as ``_comments`` draws them: a note now and then as the last one.
    a_comment = 0.52 * replies + 0.42 * answers + 0.06 * notes + _COMMENT_BYTES
    comment_bytes = a_comment * sum(COMMENTS) / len(COMMENTS)
    issue_counts = [project.issue_count for project in company.projects]
    labels = label_sets(template.labels, company)
    return TicketPlan(
        fragments=fragments,
        outlines=tuple(
            compile_outline(
                part,
                fragments.block_bytes,
                description_bytes(template, comment_bytes),
                *("ticket", company.client_id, name),
            )
            for part, name in zip(parts, archetypes, strict=True)
        ),
        facts=facts,
        comments=said,
        incident_notes=np.array(told, dtype=np.int64),
        posted=incident_posts(company),
        comment_bytes=comment_bytes,
        signature=signature,
        archetypes=archetypes,
        archetype_table=weighted_table([template.archetypes.get(name, 0) for name in archetypes]),
        priority_tables=np.stack([weighted_table(list(LAYOUTS[name].priorities)) for name in archetypes]),
        longest=np.array([LAYOUTS[name].longest for name in archetypes], dtype=np.int64),
        titles=Titles.of(
            fragments,
            template,
            company,
            [LAYOUTS[name].subjects for name in archetypes],
            capital=True,
            # Those of which texts tell more: each project's own one.
            services=len(company.projects),
        ),
        topics=arrays.texts([topic.key for topic in template.topics]),
        topic_table=topic_table(template),
        wheel=wheel,
        numbers=Numbers(company),
        numbered=Numbered.of(company),
        people=People.of(company),
        labels=arrays.lists(arrays.texts([label for chosen in labels for label in chosen]), map(len, labels)),
        first_issue=np.cumsum([0, *issue_counts])[:-1],
        team=np.array([person.team for person in company.people], dtype=np.int64),
    )


plans = PlanCache(_plan)


def description_bytes(template: Template, comment_bytes: float) -> float:
    """What descriptions have on average, so that whole rows have what the template says."""
    return max(template.bytes_per_record - _OTHER_BYTES - comment_bytes, 300)
