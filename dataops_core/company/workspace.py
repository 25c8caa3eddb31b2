"""The company's Slack workspace in closed form: its id, its channels, its people's ids there, permalinks.

Belongs here: what any dataset needs to point at a channel or a message. Does not belong here: messages
(``dataset_types/slack``). Source: the ids' forms are those of Slack's Web API.
"""

from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from dataops_core.company.model import Company, Person, Project
from dataops_core.generation.seeding import Draws

_CODE = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
#: Channels of the whole company.
ANNOUNCEMENTS, INCIDENTS, RELEASES = "announcements", "incidents", "releases"
SHARED_CHANNELS = (ANNOUNCEMENTS, INCIDENTS, RELEASES)


@dataclass(frozen=True, slots=True)
class Channel:
    """A public channel. ``project`` is None where it belongs to the whole company."""

    index: int
    channel_id: str
    name: str
    project: int | None


@lru_cache(maxsize=64)
def channels(company: Company) -> tuple[Channel, ...]:
    """The company's channels: of project p those at 2p (its work) and 2p + 1 (its help desk), then the shared ones."""
    words = [project_word(project) for project in company.projects]
    named = [(name, index) for index, word in enumerate(words) for name in (word, f"{word}-help")]
    return tuple(
        Channel(index=index, channel_id=_code("C0", company.client_id, "channel", index), name=name, project=project)
        for index, (name, project) in enumerate([*named, *((name, None) for name in SHARED_CHANNELS)])
    )


def shared_channel(company: Company, name: str) -> Channel:
    """One of ``SHARED_CHANNELS``."""
    return channels(company)[2 * len(company.projects) + SHARED_CHANNELS.index(name)]


def project_word(project: Project) -> str:
    """What people call a project: ``anchor`` of "Anchor Migration"."""
    return project.name.partition(" ")[0].lower()


def team_id(company: Company) -> str:
    """The workspace's id."""
    return _code("T0", company.client_id, "workspace")


def user_id(company: Company, person: Person) -> str:
    """The person's id in the workspace."""
    return _user_ids(company)[person.index]


@lru_cache(maxsize=64)
def _user_ids(company: Company) -> tuple[str, ...]:
    return tuple(_code("U0", company.client_id, "user", person.index) for person in company.people)


def _code(start: str, client_id: UUID, *path: object) -> str:
    """An id in the form of Slack's: a letter that says of what, and ten capitals and digits."""
    draws = Draws("slack", client_id, *path)
    return start + "".join(_CODE[draws.below("code", len(_CODE))] for _ in range(9))
