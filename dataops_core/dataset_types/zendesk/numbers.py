"""Which ticket each row of a dataset is, and the ids of who is named in it: in closed form, as others may cite them.

A dataset holds a part of the company's tickets, spread over all their numbers and so over all the time; every eleventh
row is a ticket about one of the company's incidents, as long as there are any.
"""

import numpy as np

from dataops_core.company.model import Company
from dataops_core.company.people import CONTACTS
from dataops_core.generation.seeding import I64, Draws, coprime, digest64

_FIRST_INCIDENT, _BETWEEN_INCIDENTS = 4, 11


class Numbers:
    """The numbers of a company's tickets."""

    def __init__(self, company: Company) -> None:
        count = company.ticket_count
        about = [
            (incident.index, incident.first_ticket + place, customer)
            for incident in company.incidents
            for place, customer in enumerate(incident.customers)
        ]
        shift = digest64("ticket numbers", company.client_id) % count
        spread = (np.arange(count, dtype=np.int64) * coprime(count) + shift) % count + 1
        special = {number for _, number, _ in about}
        numbers = [number for number in spread.tolist() if number not in special]
        self._incidents = np.full(count, -1, dtype=np.int64)
        self._customers = np.full(count, -1, dtype=np.int64)
        order = Draws("incident tickets", company.client_id).shuffled("order", len(about))
        # First the first ones of each project: those that small datasets of other types have too.
        nth = {each.index: place for mine in company.incidents_by_project for place, each in enumerate(mine)}
        order.sort(key=lambda chosen: nth[about[chosen][0]])
        for place, chosen in enumerate(order):
            row = _FIRST_INCIDENT + place * _BETWEEN_INCIDENTS
            incident, number, customer = about[chosen]
            numbers.insert(row, number)
            self._incidents[row], self._customers[row] = incident, customer
        self._numbers = np.array(numbers, dtype=np.int64)

    def of(self, rows: I64) -> tuple[I64, I64, I64]:
        """Number, the company's incident and the customer that it hit (-1: none) of each row."""
        known = rows < len(self._numbers)
        place = np.where(known, rows, 0)
        return (
            np.where(known, self._numbers[place], rows + 1),
            np.where(known, self._incidents[place], -1),
            np.where(known, self._customers[place], -1),
        )


class Ids:
    """The ids of a company's users, organizations, groups and brand in its help desk."""

    def __init__(self, company: Company) -> None:
        base = 360_000_000_000 + digest64("help desk", company.client_id) % 30_000_000_000 * 10
        self.brand = base + 1
        self._first_group, self._first_organization = base + 1_000, base + 10_000
        self._first_person, self._first_contact = base + 100_000, base + 200_000

    def groups(self, teams: I64) -> I64:
        """A group for each team."""
        return self._first_group + teams

    def organizations(self, customers: I64) -> I64:
        """An organization for each customer."""
        return self._first_organization + customers

    def people(self, people: I64) -> I64:
        """An agent for each of the company's people."""
        return self._first_person + people

    def contacts(self, customers: I64, contacts: "int | I64") -> I64:
        """An end user for each contact of a customer."""
        return self._first_contact + customers * CONTACTS + contacts
