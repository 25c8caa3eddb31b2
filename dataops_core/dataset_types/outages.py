"""The company's incidents as dataset types speak of them: by the clock, and what happened when.

Times are UTC's, as in alerts and logs: an incident's people and customers sit in several zones. Does not belong here:
what a type says about them, and its markup.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dataops_core.company.build import issue_key, ticket_url
from dataops_core.company.model import Company, Incident
from dataops_core.company.threads import incident_posts, thread_links
from dataops_core.company.timeline import issue_created, ticket_created
from dataops_core.generation import calendar
from dataops_core.generation.fragments import Fragments, Ranges
from dataops_core.generation.library import Library
from dataops_core.generation.seeding import I64, Draws
from dataops_core.generation.sentences import DAYS

#: How an incident begins and ends, and what is tried meanwhile: ``{}`` is the service.
_BEGINS = (
    "{} answers with errors, and nobody has noticed yet.",
    "The first requests to {} time out.",
    "Half of what is sent to {} is refused.",
    "{} stops answering.",
)
_TRIED = (
    "Restarting {} helps for two minutes.",
    "Twice as many instances of {} make no difference.",
    "The last change to {} is rolled back.",
    "Traffic is led around {}.",
    "A full disk is ruled out; the queue in front of {} keeps growing.",
    "The database behind {} is healthy, its connections are not.",
    "Writes to {} are switched off, reads come back.",
    "A second pair of eyes finds the setting of {} that was changed.",
    "{} comes up with a clean cache.",
    "The first healthy instance of {} takes traffic.",
)
_ENDS = (
    "All of {} is back. The incident is over.",
    "{} answers as before; the alert clears.",
    "The backlog of {} is worked off, all clear.",
)
#: What happens during incidents that only a text tells of. Names in braces are pools.
_EVENTS = (
    "{person} is paged: {things} fail in {service}. ",
    "{person} finds {a_thing} that {service} cannot read. ",
    "{customer} reports {things.}",
    "{person} restarts {service}; {things} go on failing. ",
    "{senior} takes over from {junior}. ",
    "{other_service} is cut off from {service}, and {things} come back. ",
    "Traffic of {customer} is led around {service.}",
    "{person} takes the change {code} back. ",
    "{number} of a hundred {things} pass again. ",
    "The {metric} of {service} is at {number} and rises. ",
    "The {metric} is back at {number}, {person} keeps watching. ",
    "{team*} confirms that {other_service} is not the cause. ",
)
#: Pools of a timeline's events, in their order: when each was, to be narrowed for each row.
CLOCKS = tuple(f"clock{event}" for event in range(6))
_DAY_MINUTES = calendar.DAY // 60
#: When events that belong to none of the company's incidents begin, one an hour.
_MORNING = 9 * 60


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened during an incident. ``text`` has ``{}`` where what ``url`` leads to is named."""

    moment: int
    text: str
    name: str = ""
    url: str = ""


def clock(moment: int) -> str:
    """A moment as a clock shows it: ``16:05``."""
    minutes = moment % calendar.DAY // 60
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def spanned(incident: Incident) -> str:
    """From when to when an incident lasted: ``from 16:05 to 18:20 UTC``."""
    return f"from {clock(incident.started)} to {clock(incident.resolved)} UTC"


def lasted(incident: Incident) -> str:
    """How long an incident lasted, as the clock's minutes have it: ``two hours and 15 minutes``."""
    hours, minutes = divmod(incident.resolved // 60 - incident.started // 60, 60)
    counted = ("", "an hour", "two hours", "three hours", "four hours", "five hours", "six hours")[hours]
    told = "" if minutes == 0 else "a minute" if minutes == 1 else f"{minutes} minutes"
    return " and ".join(filter(None, (counted, told)))


def add_clocks(library: Library) -> None:
    """Adds the pools ``CLOCKS``: every minute of a day, and of the next one, which an incident may reach."""
    library.pool("clock", [clock(60 * minute) for minute in range(2 * _DAY_MINUTES)])
    for name in CLOCKS:
        library.alias(name, "clock")


def events(library: Library, draws: Draws, count: int) -> list[tuple[str, ...]]:
    """The pools of so many events, each another one."""
    chosen = sorted(draws.shuffled("event", len(_EVENTS))[:count])
    return [library.parse(_EVENTS[place]) for place in chosen]


def narrow_course(fragments: Fragments, ranges: Ranges, company: Company, incident: I64) -> None:
    """Lets each row name its incident's day (-1: no incident); its events run from the incident's begin to its end."""
    began, ended = (
        np.array(times, dtype=np.int64)
        for times in zip(*((each.started, each.resolved) for each in company.incidents), strict=True)
    )
    tracked = incident >= 0
    first = np.where(tracked, began[incident] // 60 % _DAY_MINUTES, _MORNING)
    minutes = np.where(tracked, (ended - began)[incident] // 60 // len(CLOCKS), 60)
    for place, name in enumerate(CLOCKS):
        fragments.only(ranges, name, fragments.base(name) + first + place * minutes, minutes.astype(np.uint64))
    for name in DAYS:
        fragments.only_where(ranges, name, tracked, fragments.base(name) + calendar.day_of(began[incident]))


def courses(company: Company) -> list[list[Event]]:
    """What happened in the course of each of the company's incidents, in the order of time.

    An issue, a message and a ticket are there at the moments that the tracker, the chat and the help desk say.
    """
    posted, links = incident_posts(company).tolist(), thread_links(company).incidents
    opened, asked = _opened(company), _asked(company)
    found = []
    for incident in company.incidents:
        draws = Draws("course", company.client_id, incident.index)
        service = company.services[incident.service].name
        lead = company.people[incident.lead].name
        key = issue_key(company, incident.project, incident.issue)
        tried = [_TRIED[place] for place in draws.shuffled("tried", len(_TRIED))[:3]]
        begun, ends = posted[incident.index], incident.resolved
        events = [
            Event(incident.started, _BEGINS[draws.below("begins", len(_BEGINS))].format(service)),
            Event(opened[incident.index], f"{lead} opens {{}}.", key, f"{company.jira_url}/browse/{key}"),
            Event(begun, f"{lead} writes to {{}}.", "#incidents", links[incident.index]),
            *(
                Event(begun + (ends - begun) * (nth + 1) // (len(tried) + 1), text.format(service))
                for nth, text in enumerate(sorted(tried, key=_TRIED.index))
            ),
            *(
                Event(
                    asked[ticket],
                    f"{company.customers[customer]} opens {{}}.",
                    f"ticket {ticket}",
                    ticket_url(company, ticket),
                )
                for ticket, customer in _tickets(incident)
                if incident.started < asked[ticket] < ends
            ),
            Event(ends, _ENDS[draws.below("ends", len(_ENDS))].format(service)),
        ]
        found.append(sorted(events, key=lambda event: event.moment))
    return found


def _opened(company: Company) -> list[int]:
    """When the issue of each of the company's incidents was."""
    columns = []
    for incident in company.incidents:
        project = company.projects[incident.project]
        lead = company.people[company.teams[project.team].first_person]
        columns.append((project.index, incident.issue, project.issue_count, lead.zone))
    opened: list[int] = issue_created(company.client_id, *np.array(columns, dtype=np.int64).T).tolist()
    return opened


def _asked(company: Company) -> dict[int, int]:
    """When the tickets of the company's incidents were, by their numbers."""
    tickets = [ticket for incident in company.incidents for ticket, _ in _tickets(incident)]
    moments = ticket_created(company.client_id, np.array(tickets, dtype=np.int64), company.ticket_count)
    return dict(zip(tickets, moments.tolist(), strict=True))


def _tickets(incident: Incident) -> Iterator[tuple[int, int]]:
    """An incident's tickets, each with its customer."""
    return enumerate(incident.customers, incident.first_ticket)
