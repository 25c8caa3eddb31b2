"""The incidents of a company: what its chat, tracker, wiki and help desk all speak of, within the same days.

Belongs here: which there were, when, where and whom they hit. Does not belong here: what the systems say about them.
"""

from dataclasses import replace
from uuid import UUID

import numpy as np

from dataops_core.company.model import Incident, Person, Project, Team
from dataops_core.company.timeline import issue_created, tickets_by
from dataops_core.generation.seeding import Draws

#: Incidents of a project: the n-th falls into the n-th part of its issues, so that none are close to each other.
PER_PROJECT = 3
#: Customers that one incident hits, at most.
MOST_CUSTOMERS = 4


def incidents_of(
    client_id: UUID,
    teams: tuple[Team, ...],
    people: tuple[Person, ...],
    projects: tuple[Project, ...],
    *,
    customers: int,
    tickets: int,
) -> tuple[Incident, ...]:
    """The company's incidents, in the order of their time. An incident's issue is created within half an hour."""
    draws = Draws("incidents", client_id)
    issues = [_issues(draws, project) for project in projects]
    # All projects' moments at once: a call for a few takes as long.
    columns = ((each.index, each.issue_count, people[teams[each.team].first_person].zone) for each in projects)
    index, counts, zones = np.array(list(columns), dtype=np.int64).T[:, :, None]
    created = issue_created(client_id, index, np.array(issues, dtype=np.int64), counts, zones).tolist()
    found = []
    for project, numbers, moments in zip(projects, issues, created, strict=True):
        team = teams[project.team]
        for issue, moment in zip(numbers, moments, strict=True):
            order = draws.shuffled("customers", customers)[: draws.between("customer count", 1, MOST_CUSTOMERS)]
            started = max(0, moment - draws.between("unnoticed", 120, 1800))
            found.append(
                Incident(
                    index=0,
                    # Service i below the number of projects is project i's own.
                    service=project.index,
                    project=project.index,
                    issue=issue,
                    started=started,
                    resolved=started + draws.between("lasted", 2400, 21_600),
                    lead=team.first_person + draws.below("lead", team.size),
                    customers=tuple(order),
                    first_ticket=0,
                )
            )
    found.sort(key=lambda incident: (incident.started, incident.project))
    opened = tickets_by(np.array([incident.started for incident in found], dtype=np.int64), tickets).tolist()
    numbered, free, left = [], 1, sum(len(incident.customers) for incident in found)
    for index, (incident, before) in enumerate(zip(found, opened, strict=True)):
        first = max(free, min(before + 2, tickets + 1 - left))
        free, left = first + len(incident.customers), left - len(incident.customers)
        numbered.append(replace(incident, index=index, first_ticket=first))
    return tuple(numbered)


def _issues(draws: Draws, project: Project) -> list[int]:
    part = project.issue_count // PER_PROJECT
    return [number * part + draws.between("issue", 2, part - 1) for number in range(PER_PROJECT)]
