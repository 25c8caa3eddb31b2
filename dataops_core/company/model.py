"""The fictional company of a client: who works there, on what, for whom, and where their systems are.

Derived from the client id (and locale) alone, so that every dataset of a client, whichever came first, speaks of the
same people, projects, services and customers. Everything is invented; hosts and addresses are under ``.example``.
"""

from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from dataops_core.generation.local_time import ZONE_NUMBERS

DEFAULT_LOCALE = "en_US"


@dataclass(frozen=True, slots=True)
class Person:
    """One employee. ``index`` addresses it; ``team`` indexes ``Company.teams``."""

    index: int
    name: str
    email: str
    #: Atlassian account id, 24 to 60 characters.
    account_id: str
    #: GitHub login.
    login: str
    #: What the person does, in the words of the company's country.
    title: str
    team: int
    manager: int | None
    #: Where the team sits, and by which clock: ``America/Chicago``.
    city: str
    timezone: str

    @property
    def zone(self) -> int:
        """The time zone by its number."""
        return ZONE_NUMBERS[self.timezone]


@dataclass(frozen=True, slots=True)
class Team:
    """A team: its members are people ``first_person`` … ``first_person + size``."""

    index: int
    name: str
    first_person: int
    size: int


@dataclass(frozen=True, slots=True)
class Project:
    """A project with its Jira key, its Confluence space and the team that owns it.

    Issue ``KEY-n`` exists for every n from 1 to ``issue_count``, whether or not a Jira dataset was made (closed form).
    """

    index: int
    key: str
    name: str
    team: int
    space_id: str
    issue_count: int


@dataclass(frozen=True, slots=True)
class Service:
    """A service that a team runs; its repository is ``https://github.<domain>/<org>/<name>``.

    Pull request ``n`` of the repository exists for every n from 1 to ``pull_request_count`` (closed form).
    """

    index: int
    name: str
    team: int
    project: int
    pull_request_count: int


@dataclass(frozen=True, slots=True)
class Incident:
    """An outage that left traces in every system. Times are seconds since the window's start (``generation.calendar``).

    ``issue`` is the number of the project's issue that tracks it; ``lead`` and ``customers`` are indexes. Each of the
    customers opened a ticket: the first one number ``first_ticket``, the others the next ones.
    """

    index: int
    service: int
    project: int
    issue: int
    started: int
    resolved: int
    lead: int
    customers: tuple[int, ...]
    first_ticket: int


@dataclass(frozen=True, slots=True)
class Release:
    """A version of a service that went out, and left traces in several systems. Times are as an incident's.

    ``issue`` is the number of the project's issue that tracks it, 0 where it was not planned; ``fixed`` are those of
    what went out with it: issues of which each had been closed by then, or that of the incident that it corrects. What
    was out when the window began has a negative moment and neither. ``lead`` is an index.
    """

    index: int
    service: int
    project: int
    version: str
    moment: int
    issue: int
    fixed: tuple[int, ...]
    lead: int


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody at a customer whom the company knows."""

    name: str
    email: str


@dataclass(frozen=True)
class Hosts:
    """Where a company's systems are: all that the addresses of its documents begin with."""

    #: ``northwind-labs.example``.
    domain: str
    #: GitHub organization login.
    org: str

    @cached_property
    def wiki_url(self) -> str:
        """Base of Confluence links."""
        return f"https://wiki.{self.domain}/wiki"

    @cached_property
    def github_url(self) -> str:
        """Base of GitHub links."""
        return f"https://github.{self.domain}"

    @cached_property
    def jira_url(self) -> str:
        """Base of Jira links."""
        return f"https://jira.{self.domain}"

    @cached_property
    def support_url(self) -> str:
        """Base of Zendesk links."""
        return f"https://support.{self.domain}"

    @cached_property
    def crm_url(self) -> str:
        """Base of Salesforce links."""
        return f"https://crm.{self.domain}"

    @cached_property
    def slack_url(self) -> str:
        """Base of Slack permalinks."""
        return f"https://slack.{self.domain}"

    @cached_property
    def drive_url(self) -> str:
        """Base of Google Drive links."""
        return f"https://drive.{self.domain}"

    @cached_property
    def sharepoint_url(self) -> str:
        """Base of SharePoint links."""
        return f"https://sharepoint.{self.domain}"


@dataclass(frozen=True)
class Company(Hosts):
    """A company, whole."""

    client_id: UUID
    locale: str
    name: str
    people: tuple[Person, ...]
    teams: tuple[Team, ...]
    projects: tuple[Project, ...]
    services: tuple[Service, ...]
    customers: tuple[str, ...]
    #: Of each customer its contacts.
    contacts: tuple[tuple[Contact, ...], ...]
    #: Support ticket ``n`` exists for every n from 1 to this (closed form).
    ticket_count: int
    #: In the order of their time.
    incidents: tuple[Incident, ...]
    #: In the order of their time.
    releases: tuple[Release, ...]

    def __hash__(self) -> int:
        """By what all else follows from: what is kept for a company is looked up by it."""
        return hash((self.client_id, self.locale))

    @cached_property
    def incidents_by_project(self) -> tuple[tuple[Incident, ...], ...]:
        """Of each project its incidents, in the order of their time."""
        return tuple(
            tuple(incident for incident in self.incidents if incident.project == project.index)
            for project in self.projects
        )

    @cached_property
    def releases_by_project(self) -> tuple[tuple[Release, ...], ...]:
        """Of each project the releases of its own service, in the order of their time."""
        return tuple(
            tuple(release for release in self.releases if release.project == project.index) for project in self.projects
        )
