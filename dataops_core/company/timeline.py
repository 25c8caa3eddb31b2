"""When what the company numbers was made: its issues and pull requests, in closed form, whatever datasets there are.

Belongs here: from numbers to moments and back, so that a text of a day names only what there was on that day. Moments
are seconds since the window's start (``generation.calendar``).
"""

from uuid import UUID

import numpy as np

from dataops_core.generation import calendar
from dataops_core.generation.seeding import I64, draw, key


def issue_created(client_id: UUID, projects: I64, numbers: I64, counts: "int | I64", zone: "int | I64") -> I64:
    """When issues were created: ``numbers`` of ``projects`` that have ``counts`` each, in the zone of the team."""
    return calendar.filed(numbers, counts, draw(key("issue", client_id), _places(projects, numbers)), zone=zone)


def pull_request_created(client_id: UUID, services: I64, numbers: I64, counts: "int | I64", zone: "int | I64") -> I64:
    """The same for pull requests of the services' repositories."""
    drawn = draw(key("pull request", client_id), _places(services, numbers))
    return calendar.filed(numbers, counts, drawn, zone=zone)


def ticket_created(client_id: UUID, numbers: I64, count: "int | I64") -> I64:
    """When support tickets were opened, of ``count``: customers sit anywhere, so their hours are UTC's."""
    return calendar.filed(numbers, count, draw(key("support ticket", client_id), numbers))


def tickets_by(moments: I64, count: int) -> I64:
    """How many support tickets had surely been opened before each moment."""
    return calendar.filed_by(moments, count)


def _places(holders: I64, numbers: I64) -> I64:
    return np.asarray(holders, dtype=np.int64) * (1 << 32) + numbers
