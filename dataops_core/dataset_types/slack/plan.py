"""What all messages of a template and company share: made once, before the first row.

Belongs here: pools, blocks, tables to draw from. Does not belong here: rows (``builder.py``).
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dataops_core.company.model import Company
from dataops_core.company.wheel import Wheel
from dataops_core.company.workspace import RELEASES, channels, shared_channel, team_id, user_id
from dataops_core.dataset_types.facts import Facts
from dataops_core.dataset_types.plan import Numbered, People, PlanCache, PlanKey, new_library, topic_table
from dataops_core.dataset_types.slack import markup
from dataops_core.dataset_types.slack.layout import ANNOUNCEMENT, HELP, INCIDENT, LAYOUTS, WORK
from dataops_core.generation import arrays
from dataops_core.generation.fragments import Fragments
from dataops_core.generation.outline import Outline, compile_outline
from dataops_core.generation.seeding import I64, Draws, weighted_table
from dataops_core.generation.words import Lexicon
from dataops_core.templates.model import Template

#: Bytes of a stored row besides its text, so that the two together meet the template's mean.
_OTHER_BYTES = 475
#: What a message is in its thread, by the pool that it begins with: its first message, a reply, one that ends it.
ROLES = ("{}_opening", "{}_reply", "closing")


@dataclass(frozen=True, slots=True)
class MessagePlan:
    """What all messages of a template and company share."""

    fragments: Fragments
    #: Of each archetype those of its ``ROLES``, one archetype after the other.
    outlines: tuple[Outline, ...]
    facts: Facts
    archetypes: tuple[str, ...]
    archetype_table: I64
    topics: pa.Array
    topic_table: I64
    people: People
    numbered: Numbered
    user_ids: pa.Array
    team_id: str
    channel_ids: pa.Array
    channel_names: pa.Array
    #: Channel of an archetype and project; and whether an archetype's is a project's own.
    channel: I64
    own_channel: NDArray[np.bool_]
    #: Where releases are announced, and the blocks that do.
    release_channel: int
    announcements: I64
    #: The blocks that say which service is down: of the first thread about that, and of the others.
    alarms: tuple[I64, I64]


def _plan(plan_key: PlanKey) -> MessagePlan:
    template, company = plan_key.template, plan_key.company
    wheel = Wheel(company)
    library = new_library(plan_key, wheel, markup.escape)
    markup.add_pools(library, company)
    markup.add_said(
        library,
        [(topic.key, Lexicon.of(topic, plan_key.vocabulary)) for topic in template.topics],
        *(company.client_id, template.template_id),
    )
    # The company's incidents and releases have their threads whatever the template weighs.
    weights = {
        name: template.archetypes.get(name, 0)
        for name in sorted(LAYOUTS)
        if template.archetypes.get(name) or name in {ANNOUNCEMENT, INCIDENT}
    }
    blocks = markup.kinds(library, Draws("slack", company.client_id, template.template_id))
    beginnings = [role.format(name) for name in weights for role in ROLES]
    parts = {beginning: markup.parts(library, beginning, blocks) for beginning in sorted(set(beginnings))}
    announcements, alarms = markup.announcements(library), markup.alarms(library)
    facts = Facts.add(library, template, company, markup.escape, ("", ""))
    fragments = library.freeze()
    compiled = {
        beginning: compile_outline(
            part, fragments.block_bytes, text_bytes(template), "message", company.client_id, beginning
        )
        for beginning, part in parts.items()
    }
    known = channels(company)
    return MessagePlan(
        fragments=fragments,
        outlines=tuple(compiled[beginning] for beginning in beginnings),
        facts=facts,
        archetypes=tuple(weights),
        archetype_table=weighted_table(list(weights.values())),
        topics=arrays.texts([topic.key for topic in template.topics]),
        topic_table=topic_table(template),
        people=People.of(company),
        numbered=Numbered.of(company),
        user_ids=arrays.texts([user_id(company, person) for person in company.people]),
        team_id=team_id(company),
        channel_ids=arrays.texts([channel.channel_id for channel in known]),
        channel_names=arrays.texts([channel.name for channel in known]),
        channel=np.array([_channels_of(company, LAYOUTS[name].channel) for name in weights], dtype=np.int64),
        own_channel=np.array([LAYOUTS[name].channel in {WORK, HELP} for name in weights]),
        release_channel=shared_channel(company, RELEASES).index,
        announcements=np.array(announcements, dtype=np.int64),
        alarms=(np.array(alarms[0], dtype=np.int64), np.array(alarms[1], dtype=np.int64)),
    )


plans = PlanCache(_plan)


def _channels_of(company: Company, name: str) -> list[int]:
    """The channel of each project for threads that belong into a channel of this kind."""
    if name in {WORK, HELP}:
        return [2 * project.index + (name == HELP) for project in company.projects]
    return [shared_channel(company, name).index] * len(company.projects)


def text_bytes(template: Template) -> int:
    """What texts have on average, so that whole rows have what the template says."""
    return max(template.bytes_per_record - _OTHER_BYTES, 100)
