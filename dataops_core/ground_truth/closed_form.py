"""What of other systems' documents is known without them: the company's closed form.

Belongs here: which issue or support ticket a text points at, where it is, and what its document says. Does not belong
here: questions (``asking.py``). Source: ``company/timeline.py``, ``company/incidents.py``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from dataops_core.company.build import issue_key, ticket_url
from dataops_core.company.firms import firms
from dataops_core.company.model import Company, Incident
from dataops_core.company.timeline import issue_created, ticket_created
from dataops_core.generation.calendar import epoch_seconds
from dataops_core.ground_truth.model import Elsewhere

ISSUES, TICKETS = "jira_issues", "zendesk_tickets"

_ISSUE = re.compile(r"(?<![\w-])([A-Z][A-Z0-9]+)-([1-9]\d*)(?![\w-])")


@dataclass(frozen=True, slots=True)
class Target:
    """An issue or a ticket that a text points at: what it is called, and its document."""

    #: ``issue``, ``support ticket``.
    noun: str
    name: str
    document: Elsewhere
    number: int
    #: The index of an issue's project.
    project: int = -1


class ClosedForm:
    """A company's issues and tickets."""

    def __init__(self, company: Company) -> None:
        self._company = company
        #: What companies of its country may be called.
        self.firms = firms(company.locale)
        self._projects = {project.key: project for project in company.projects}
        self._ticket = re.compile(rf"{re.escape(company.support_url)}/agent/tickets/([1-9]\d*)(?!\d)")

    def targets(self, text: str) -> Iterator[Target]:
        """The issues and tickets that the text points at, each once, in its order."""
        for key, number in dict.fromkeys(_ISSUE.findall(text)):
            project = self._projects.get(key)
            if project is not None and int(number) <= project.issue_count:
                yield self.issue(project.index, int(number))
        for number in dict.fromkeys(self._ticket.findall(text)):
            if int(number) <= self._company.ticket_count:
                yield self.ticket(int(number))

    def issue(self, project: int, number: int) -> Target:
        """Issue ``number`` of a project by its index."""
        key = issue_key(self._company, project, number)
        document = Elsewhere(ISSUES, key, f"{self._company.jira_url}/browse/{key}")
        return Target("issue", key, document, number, project)

    def ticket(self, number: int) -> Target:
        """Support ticket ``number``."""
        document = Elsewhere(TICKETS, str(number), ticket_url(self._company, number))
        return Target("support ticket", str(number), document, number)

    def day(self, target: Target) -> str:
        """The day on which it was opened, in UTC: ``2026-01-28``."""
        company, numbers = self._company, np.array([target.number], dtype=np.int64)
        if target.project < 0:
            made = ticket_created(company.client_id, numbers, company.ticket_count)
        else:
            project = company.projects[target.project]
            lead = company.people[company.teams[project.team].first_person]
            holders = np.array([target.project], dtype=np.int64)
            made = issue_created(company.client_id, holders, numbers, project.issue_count, lead.zone)
        return _day(int(made[0]))

    def incidents(self) -> tuple[Incident, ...]:
        """The company's outages."""
        return self._company.incidents

    def releases(self) -> list[tuple[str, str, list[Target], str]]:
        """The releases with which issues went out: service, version, these issues, and the day of it, in UTC."""
        company = self._company
        return [
            (
                company.services[release.service].name,
                release.version,
                [self.issue(release.project, number) for number in release.fixed],
                _day(release.moment),
            )
            for release in company.releases
            if release.fixed
        ]

    def customers_of(self, incident: Incident) -> str:
        """The customers that an outage hit, as a sentence lists them."""
        return ", ".join(sorted(self._company.customers[index] for index in incident.customers))

    def tickets_of(self, incident: Incident) -> list[Target]:
        """The tickets that these customers opened."""
        return [self.ticket(incident.first_ticket + place) for place in range(len(incident.customers))]

    def no_issue(self, project: int, beyond: int) -> str:
        """The key that an issue would have if the project had so many more: there is none."""
        held = self._company.projects[project % len(self._company.projects)]
        return f"{held.key}-{held.issue_count + beyond}"


def _day(moment: int) -> str:
    second = epoch_seconds(np.array([moment], dtype=np.int64))[0]
    return datetime.fromtimestamp(int(second), UTC).date().isoformat()
