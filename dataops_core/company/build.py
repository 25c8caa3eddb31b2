"""Builds the fictional company of a client, from its id and locale alone.

Belongs here: the one construction of :class:`Company`, and the closed forms by which records of different dataset types
point at each other (a page's id, a space's home page, a repository's address). Does not belong here: anything that
depends on a template, a stage or a seed, since every dataset of the client shares this company.
Source: ``docs/contract.md`` C-34 (the company's name), C-40 (the locale).
"""

import hashlib
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from uuid import UUID

from faker import Faker

from dataops_core.company import names
from dataops_core.company.incidents import incidents_of
from dataops_core.company.model import DEFAULT_LOCALE, Company, Contact, Person, Project, Service, Team
from dataops_core.errors import InvalidRequestError
from dataops_core.generation.seeding import Draws, digest64

#: Locales whose names are written in Latin letters: every one of them has an ASCII mail address.
_LOCALES = (
    "en_US", "en_GB", "en_AU", "en_CA", "en_IE", "en_NZ", "cs_CZ", "da_DK", "de_AT", "de_DE", "es_ES", "es_MX", "fi_FI",
    "fr_CA", "fr_FR", "it_IT", "nl_BE", "nl_NL", "no_NO", "pl_PL", "pt_BR", "pt_PT", "sv_SE",
)  # fmt: skip

#: Letters that Unicode does not decompose, or that a language spells out.
_SPELLED = str.maketrans({"ß": "ss", "æ": "ae", "ø": "o", "å": "a", "ł": "l", "đ": "d", "œ": "oe", "þ": "th", "ð": "d"})
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})

#: Confluence page ``i`` has the id ``first_page_id + i * PAGE_ID_STEP``, in whichever dataset it is made.
PAGE_ID_STEP = 7

#: Contacts of each customer.
CONTACTS = 4


def known_locales() -> tuple[str, ...]:
    """The locales that a company may have."""
    return _LOCALES


def company_name(client_id: UUID, locale: str = DEFAULT_LOCALE) -> str:
    """The name of the client's fictional company. Raises InvalidRequestError for an unknown locale."""
    _check_locale(locale)
    return _name(_draws(client_id))


@lru_cache(maxsize=256)
def build_company(client_id: UUID, locale: str = DEFAULT_LOCALE) -> Company:
    """The company of the client: 16 teams at most, some 110 to 190 people, 8 to 16 projects, 16 to 20 services.

    Raises InvalidRequestError for an unknown locale.
    """
    _check_locale(locale)
    draws = _draws(client_id)
    name = _name(draws)
    slug = name.lower().replace(" ", "-")
    domain = f"{slug}.example"
    teams, people = _people(Draws("people", client_id, locale), draws, client_id, locale, domain)
    projects = _projects(draws, len(teams))
    customers = _customers(draws, name)
    services = _services(draws, len(teams), projects)
    ticket_count = draws.between("support tickets", 5000, 12_000)
    return Company(
        client_id=client_id,
        locale=locale,
        name=name,
        domain=domain,
        org=slug,
        people=people,
        teams=teams,
        projects=projects,
        services=services,
        customers=customers,
        contacts=_contacts(Draws("contacts", client_id, locale), people, customers, locale),
        ticket_count=ticket_count,
        incidents=incidents_of(client_id, teams, people, projects, customers=len(customers), tickets=ticket_count),
    )


def first_page_id(company: Company) -> int:
    """The id of the company's Confluence page 0: nine digits."""
    return 110_000_000 + digest64("pages", company.client_id) % 700_000_000


def space_home_url(company: Company, project: Project) -> str:
    """The home page of a project's space: Confluence page number ``project.index``, so every dataset has it."""
    return f"{company.wiki_url}/spaces/{project.key}/pages/{first_page_id(company) + project.index * PAGE_ID_STEP}"


def repository_url(company: Company, service: Service) -> str:
    """The repository of a service: repository number ``service.index``, so every dataset has it."""
    return f"{company.github_url}/{company.org}/{service.name}"


def pull_request_url(company: Company, service: Service, number: int) -> str:
    """A pull request of a service's repository: there are those from 1 to ``service.pull_request_count``."""
    return f"{repository_url(company, service)}/pull/{number}"


def issue_key(company: Company, project: int, number: int) -> str:
    """``KEY-n`` of a project by its index."""
    return f"{company.projects[project].key}-{number}"


def ticket_url(company: Company, number: int) -> str:
    """A support ticket, as an agent opens it: there are those from 1 to ``company.ticket_count``."""
    return f"{company.support_url}/agent/tickets/{number}"


def customer_domain(name: str) -> str:
    """The domain of a customer: ``alderbrook-foods.example``."""
    return f"{name.lower().replace(' ', '-')}.example"


def ascii_text(text: str, locale: str = DEFAULT_LOCALE) -> str:
    """The text in lower case, its letters spelled in ASCII; what has no spelling is left out."""
    lowered = text.lower()
    if locale.startswith("de"):
        lowered = lowered.translate(_GERMAN)
    return unicodedata.normalize("NFKD", lowered.translate(_SPELLED)).encode("ascii", "ignore").decode()


def _check_locale(locale: str) -> None:
    if locale not in _LOCALES:
        raise InvalidRequestError(
            f"Unknown locale {locale!r}", details={"generation.locale": f"must be one of {', '.join(_LOCALES)}"}
        )


def _draws(client_id: UUID) -> Draws:
    # The locale changes people only: what the company is called and does stays, so that a name is known before it.
    return Draws("company", client_id)


def _name(draws: Draws) -> str:
    word = next(_company_words(draws, "company"))
    return f"{word} {names.COMPANY_FORMS[draws.below('form', len(names.COMPANY_FORMS))]}"


def _mailbox(text: str, locale: str) -> str:
    return "".join(letter for letter in ascii_text(text, locale) if letter.isalpha())


def _company_words(draws: Draws, purpose: str) -> Iterator[str]:
    """Invented names, no two alike."""
    size = len(names.STEMS_A) * len(names.STEMS_B)
    for place in draws.shuffled(purpose, size):
        first, second = divmod(place, len(names.STEMS_B))
        word = names.STEMS_A[first] + names.STEMS_B[second]
        if word.lower() not in names.KNOWN_NAMES:
            yield word


def _customers(draws: Draws, own_name: str) -> tuple[str, ...]:
    words = (word for word in _company_words(draws, "customers") if word not in own_name)
    forms = names.CUSTOMER_FORMS
    return tuple(
        f"{next(words)} {forms[draws.below('customer form', len(forms))]}"
        for _ in range(draws.between("customer count", 36, 56))
    )


def _people(
    draws: Draws, shape: Draws, client_id: UUID, locale: str, domain: str
) -> tuple[tuple[Team, ...], tuple[Person, ...]]:
    teams: list[Team] = []
    people: list[Person] = []
    identities = _identities(client_id, locale)
    order = shape.shuffled("teams", len(names.TEAMS))[: shape.between("team count", 11, len(names.TEAMS))]
    for index, place in enumerate(order):
        size = shape.between("team size", 8, 13)
        first = len(people)
        # Most teams sit where the company does; one in six in another country.
        offices = names.OTHER_ZONES if shape.below("away", 6) == 0 else names.ZONES[locale]
        zone, hours = offices[shape.below("office", 12) % len(offices)]
        for rank in range(size):
            name, mailbox = next(identities)
            titles = names.TITLES if rank else names.MANAGER_TITLES
            people.append(
                Person(
                    index=first + rank,
                    name=name,
                    email=f"{mailbox}@{domain}",
                    account_id=_account_id(client_id, first + rank),
                    login=f"{mailbox.replace('.', '-')[:34].rstrip('-')}-{draws.between('login', 1000, 9999)}",
                    title=titles[draws.below("title", len(titles))],
                    team=index,
                    # The first team's manager leads the others, who lead their teams.
                    manager=first if rank else (0 if index else None),
                    timezone=zone,
                    utc_offset=hours * 3600,
                )
            )
        teams.append(Team(index=index, name=names.TEAMS[place], first_person=first, size=size))
    return tuple(teams), tuple(people)


def _contacts(
    draws: Draws, people: tuple[Person, ...], customers: tuple[str, ...], locale: str
) -> tuple[tuple[Contact, ...], ...]:
    """Of each customer four people, named like the company's own and yet different ones."""
    seen = {person.name for person in people}
    all_contacts = []
    for customer in customers:
        theirs: list[Contact] = []
        while len(theirs) < CONTACTS:
            first = people[draws.below("first", len(people))].name.split(" ")[0]
            last = people[draws.below("last", len(people))].name.split(" ")[-1]
            name = f"{first} {last}"
            if name in seen or name in names.KNOWN_PEOPLE:
                continue
            seen.add(name)
            mailbox = f"{_mailbox(first, locale)}.{_mailbox(last, locale)}"
            theirs.append(Contact(name, f"{mailbox}@{customer_domain(customer)}"))
        all_contacts.append(tuple(theirs))
    return tuple(all_contacts)


def _identities(client_id: UUID, locale: str) -> Iterator[tuple[str, str]]:
    """Names with mailboxes, each unique."""
    # Names alone: the other providers take three times as long to load.
    faker = Faker(locale, providers=["faker.providers.person"], use_weighting=False)
    faker.seed_instance(digest64("faker", client_id, locale))
    seen_names: set[str] = set()
    seen_mailboxes: set[str] = set()
    while True:
        first, last = faker.first_name(), faker.last_name()
        name = f"{first} {last}"
        mailbox = f"{_mailbox(first, locale)}.{_mailbox(last, locale)}"
        machine = any(word in mailbox.replace(".", " ") for word in names.MACHINE_WORDS)
        if machine or name in names.KNOWN_PEOPLE or name in seen_names or mailbox in seen_mailboxes:
            continue
        seen_names.add(name)
        seen_mailboxes.add(mailbox)
        yield name, mailbox


def _account_id(client_id: UUID, index: int) -> str:
    """An id in the form of Atlassian's: ``712020:`` and a UUID's digits."""
    digits = hashlib.blake2b(f"{client_id}/account/{index}".encode(), digest_size=16).hexdigest()
    return f"712020:{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _projects(draws: Draws, team_count: int) -> tuple[Project, ...]:
    words = draws.shuffled("projects", len(names.PROJECT_WORDS))
    count = draws.between("project count", 8, 16)
    space_base = draws.between("space", 20_000_000, 80_000_000)
    # Teams own one project each before any owns a second.
    owners = draws.shuffled("project teams", team_count)
    return tuple(
        Project(
            index=index,
            key=names.PROJECT_WORDS[words[index]][: draws.between("key length", 3, 4)].upper(),
            name=f"{names.PROJECT_WORDS[words[index]]} "
            f"{names.PROJECT_FORMS[draws.below('project form', len(names.PROJECT_FORMS))]}",
            team=owners[index % team_count],
            space_id=str(space_base + index * 131),
            issue_count=draws.between("issues", 180, 1400),
        )
        for index in range(count)
    )


def _services(draws: Draws, team_count: int, projects: tuple[Project, ...]) -> tuple[Service, ...]:
    count = draws.between("service count", 16, 20)
    stems = draws.shuffled("services", len(names.SERVICE_STEMS))
    services = []
    for index in range(count):
        # Each project runs a service; its team owns it. Later ones belong to any project.
        project = projects[index] if index < len(projects) else projects[draws.below("service project", len(projects))]
        role = names.SERVICE_ROLES[draws.below("role", len(names.SERVICE_ROLES))]
        name = f"{names.SERVICE_STEMS[stems[index]]}-{role}"
        services.append(
            Service(
                index=index,
                name=name,
                team=project.team % team_count,
                project=project.index,
                pull_request_count=draws.between("pull requests", 120, 900),
            )
        )
    return tuple(services)
