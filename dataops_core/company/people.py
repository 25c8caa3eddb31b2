"""Who works for a company, and whom it knows at its customers: names of its country, each with an address in ASCII.

Belongs here: people's names, teams, and who leads whom. Does not belong here: what they work on (``build.py``). Names
come from Faker's data for the locale, which are common ones in any combination.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from faker import Faker

from dataops_core.company import names
from dataops_core.company.countries import COUNTRIES, OTHER_OFFICES
from dataops_core.company.firms import ascii_text, firms
from dataops_core.company.model import Contact, Person, Team
from dataops_core.generation.seeding import Draws, digest64

#: Contacts of each customer.
CONTACTS = 4


@dataclass(frozen=True, slots=True)
class Part:
    """A given name or a family's, and how an address spells it."""

    said: str
    spelled: str


@dataclass(frozen=True, slots=True)
class Name:
    """What a person is called."""

    given: Part
    family: Part

    @property
    def mailbox(self) -> str:
        """``ken.sato``: the given name first, whatever the country."""
        return f"{self.given.spelled}.{self.family.spelled}"


class Names:
    """The names of a client's people, each unique: those of the company are drawn first."""

    def __init__(self, client_id: UUID, locale: str) -> None:
        self.client_id = client_id
        self.locale = locale
        self.drawn: list[Name] = []
        # Names alone: the other providers take three times as long to load.
        self._faker = Faker(locale, providers=["faker.providers.person"], use_weighting=False)
        self._faker.seed_instance(digest64("faker", client_id, locale))
        self._seen: set[str] = set()

    def said(self, name: Name) -> str:
        """The name as the country says it."""
        parts = (name.given.said, name.family.said)
        return " ".join(reversed(parts) if COUNTRIES[self.locale].family_first else parts)

    def draw(self) -> tuple[str, str]:
        """The next person's name and mailbox."""
        while True:
            name = self._next()
            mailbox = name.mailbox
            machine = any(word in mailbox for word in names.MACHINE_WORDS)
            if not machine and mailbox not in self._seen and self.take(self.said(name)):
                self._seen.add(mailbox)
                self.drawn.append(name)
                return self.said(name), mailbox

    def take(self, said: str) -> bool:
        """Whether nobody is called so until now; from now on somebody is."""
        if said in self._seen or said in names.KNOWN_PEOPLE:
            return False
        self._seen.add(said)
        return True

    def _next(self) -> Name:
        if self.locale == "ja_JP":
            pairs = self._faker.first_name_pair(), self._faker.last_name_pair()
            return Name(*(Part(written, self._mailbox(latin)) for written, _, latin in pairs))
        return Name(*(Part(one, self._mailbox(one)) for one in (self._faker.first_name(), self._faker.last_name())))

    def _mailbox(self, text: str) -> str:
        return "".join(letter for letter in ascii_text(text, self.locale) if letter.isalpha())


def people_of(draws: Draws, shape: Draws, called: Names, domain: str) -> tuple[tuple[Team, ...], tuple[Person, ...]]:
    """The company's teams and people, who follow each other team by team."""
    country = COUNTRIES[called.locale]
    at_home = {office.zone for office in country.offices}
    abroad = tuple(office for office in OTHER_OFFICES if office.zone not in at_home)
    teams: list[Team] = []
    people: list[Person] = []
    order = shape.shuffled("teams", len(names.TEAMS))[: shape.between("team count", 11, len(names.TEAMS))]
    for index, place in enumerate(order):
        size = shape.between("team size", 8, 13)
        first = len(people)
        # Most teams sit where the company does; one in six in another country.
        offices = abroad if shape.below("away", 6) == 0 else country.offices
        office = offices[shape.below("office", 12) % len(offices)]
        for rank in range(size):
            name, mailbox = called.draw()
            titles = country.titles.others if rank else country.titles.managers
            people.append(
                Person(
                    index=first + rank,
                    name=name,
                    email=f"{mailbox}@{domain}",
                    account_id=_account_id(called.client_id, first + rank),
                    login=f"{mailbox.replace('.', '-')[:34].rstrip('-')}-{draws.between('login', 1000, 9999)}",
                    title=titles[draws.below("title", len(titles))],
                    team=index,
                    # The first team's manager leads the others, who lead their teams.
                    manager=first if rank else (0 if index else None),
                    city=office.city,
                    timezone=office.zone,
                )
            )
        teams.append(Team(index=index, name=names.TEAMS[place], first_person=first, size=size))
    return tuple(teams), tuple(people)


def contacts_of(draws: Draws, called: Names, customers: tuple[str, ...]) -> tuple[tuple[Contact, ...], ...]:
    """Of each customer four people, named like the company's own (who are all drawn) and yet different ones."""
    return tuple(tuple(_contacts(draws, called, customer_domain(customer, called.locale))) for customer in customers)


def customer_domain(name: str, locale: str) -> str:
    """The domain of a customer: ``alderbrook-foods.example``."""
    return f"{firms(locale).host(name)}.example"


def _contacts(draws: Draws, called: Names, domain: str) -> Iterator[Contact]:
    known = called.drawn
    for _ in range(CONTACTS):
        said = None
        while said is None or not called.take(said):
            given, family = known[draws.below("first", len(known))], known[draws.below("last", len(known))]
            name = Name(given.given, family.family)
            said = called.said(name)
        yield Contact(said, f"{name.mailbox}@{domain}")


def _account_id(client_id: UUID, index: int) -> str:
    """An id in the form of Atlassian's: ``712020:`` and a UUID's digits."""
    digits = hashlib.blake2b(f"{client_id}/account/{index}".encode(), digest_size=16).hexdigest()
    return f"712020:{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
