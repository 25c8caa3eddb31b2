"""The threads of the company's workspace in closed form: how long each is, and which tell of incidents and releases.

Belongs here: what any dataset needs to point at a single message: the first one of a thread about an incident or a
release, which every dataset of messages that reaches it has at the same place, at the same time. Does not belong here:
all other threads, and what messages say (``dataset_types/slack``). Source: permalinks are those of Slack's Web API.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from dataops_core.company.model import Company
from dataops_core.company.releases import in_order
from dataops_core.company.wheel import Wheel
from dataops_core.company.workspace import INCIDENTS, RELEASES, shared_channel
from dataops_core.generation import calendar
from dataops_core.generation.seeding import I64, draw, key, pick

#: Messages of the threads of one turn of the wheel; the longest thread has twelve. A last one is cut where records end.
THREADS = (4, 1, 6, 1, 3, 9, 1, 5, 1, 2, 7, 1, 4, 12, 2, 1)
#: Of each project, the threads of these ordinals begin with its releases, in the order in which types take them up,
#: and those of these with its incidents, in the order of their time.
FIRST_RELEASE, BETWEEN_RELEASES = 1, 6
FIRST_INCIDENT, BETWEEN_INCIDENTS = 2, 12
#: An incident's issue is there so soon (``incidents.py``): what is written of it may name it.
_NOTICED_WITHIN = 1800
#: Before any incident ends, and within half an hour of a release, there is a word about it.
_WRITTEN_WITHIN, _ANNOUNCED_WITHIN = 500, 1500

_SIZES = np.array(THREADS, dtype=np.int64)
_STARTS = np.cumsum(_SIZES) - _SIZES
_MICROSECONDS = 1_000_000
#: Has no factor in common with a million: rows next to each other have microseconds far apart, and none share them.
_SCATTER = 618_033


def first_messages(threads: I64) -> I64:
    """The row of the first message of each thread."""
    turn, place = np.divmod(threads, len(THREADS))
    rows: I64 = turn * int(_SIZES.sum()) + _STARTS[place]
    return rows


def microseconds(rows: I64) -> I64:
    """Of each message's time stamp the part that is its row's own, so that no two share one."""
    return rows * _SCATTER % _MICROSECONDS


def incident_posts(company: Company) -> I64:
    """When the company's incidents are first spoken of, by index: within an hour, before they are over."""
    started = np.array([incident.started for incident in company.incidents], dtype=np.int64)
    drawn = draw(key("incident post", company.client_id), np.arange(len(started)))
    posted: I64 = started + _NOTICED_WITHIN + 60 + pick(drawn, _WRITTEN_WITHIN)
    return posted


def release_posts(company: Company) -> I64:
    """When the company's releases are announced, by index: within half an hour."""
    out = np.array([release.moment for release in company.releases], dtype=np.int64)
    drawn = draw(key("release post", company.client_id), np.arange(len(out)))
    posted: I64 = out + 120 + pick(drawn, _ANNOUNCED_WITHIN)
    return posted


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses of the first messages about the company's incidents and about its releases, by index.

    Of the release that was out when the window began, the address of the channel in which the others are announced.
    """

    incidents: tuple[str, ...]
    releases: tuple[str, ...]


@lru_cache(maxsize=64)
def thread_links(company: Company) -> Links:
    """Where the company's incidents and releases are spoken of."""
    wheel = Wheel(company)
    incidents, releases = [], []
    for project in company.projects:
        mine = company.incidents_by_project[project.index]
        incidents += [
            (incident.index, project.index, FIRST_INCIDENT + BETWEEN_INCIDENTS * nth)
            for nth, incident in enumerate(mine)
        ]
        releases += [
            (release.index, project.index, FIRST_RELEASE + BETWEEN_RELEASES * nth)
            for nth, release in enumerate(in_order(company, project.index))
        ]
    announced = _links(company, RELEASES, wheel, releases, release_posts(company))
    channel = f"{company.slack_url}/archives/{shared_channel(company, RELEASES).channel_id}"
    told = _links(company, INCIDENTS, wheel, incidents, incident_posts(company))
    return Links(
        incidents=tuple(told[incident.index] for incident in company.incidents),
        releases=tuple(announced.get(release.index, channel) for release in company.releases),
    )


def _links(
    company: Company, name: str, wheel: Wheel, places: Sequence[tuple[int, int, int]], posted: I64
) -> dict[int, str]:
    """By index the address of what stands at a project's thread of an ordinal."""
    base = f"{company.slack_url}/archives/{shared_channel(company, name).channel_id}/p"
    index, project, ordinal = np.array(places, dtype=np.int64).T
    micros = microseconds(first_messages(wheel.row(project, ordinal)))
    seconds = calendar.epoch_seconds(posted[index])
    columns = (column.tolist() for column in (index, seconds, micros))
    return {each: f"{base}{second}{micro:06d}" for each, second, micro in zip(*columns, strict=True)}
