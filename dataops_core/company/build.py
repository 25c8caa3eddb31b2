"""Builds the fictional company of a client, from its id and locale alone.

Belongs here: the one construction of :class:`Company`, and the closed forms by which records of different dataset types
point at each other (a page's id, a space's home page, a repository's address). Does not belong here: anything that
depends on a template, a stage or a seed, since every dataset of the client shares this company.
Source: ``docs/contract.md`` C-34 (the company's name), C-40 (the locale).
"""

from uuid import UUID

from dataops_core.company import names
from dataops_core.company.countries import COUNTRIES
from dataops_core.company.firms import Firms, firms
from dataops_core.company.incidents import incidents_of
from dataops_core.company.model import DEFAULT_LOCALE, Company, Hosts, Project, Service
from dataops_core.company.people import Names, contacts_of, people_of
from dataops_core.company.releases import releases_of
from dataops_core.errors import InvalidRequestError
from dataops_core.generation.seeding import Draws, digest64
from dataops_core.once import made_once

#: Confluence page ``i`` has the id ``first_page_id + i * PAGE_ID_STEP``, in whichever dataset it is made.
PAGE_ID_STEP = 7


def known_locales() -> tuple[str, ...]:
    """The locales that a company may have."""
    return tuple(COUNTRIES)


def company_name(client_id: UUID, locale: str = DEFAULT_LOCALE) -> str:
    """The name of the client's fictional company. Raises InvalidRequestError for an unknown locale."""
    _check_locale(locale)
    return firms(locale).company(_draws(client_id))


def company_hosts(client_id: UUID, locale: str = DEFAULT_LOCALE) -> Hosts:
    """Where the client's company has its systems, without making all of it. Raises InvalidRequestError as the name."""
    return _hosts(company_name(client_id, locale), locale)


@made_once(keep=256)
def build_company(client_id: UUID, locale: str = DEFAULT_LOCALE) -> Company:
    """The company of the client: 16 teams at most, some 110 to 190 people, 8 to 16 projects, 16 to 20 services.

    Raises InvalidRequestError for an unknown locale.
    """
    draws = _draws(client_id)
    name = company_name(client_id, locale)
    hosts = _hosts(name, locale)
    called = Names(client_id, locale)
    teams, people = people_of(Draws("people", client_id, locale), draws, called, hosts.domain)
    projects = _projects(draws, len(teams))
    customers = _customers(draws, name, firms(locale))
    services = _services(draws, len(teams), projects)
    ticket_count = draws.between("support tickets", 5000, 12_000)
    incidents = incidents_of(client_id, teams, people, projects, customers=len(customers), tickets=ticket_count)
    return Company(
        client_id=client_id,
        locale=locale,
        name=name,
        domain=hosts.domain,
        org=hosts.org,
        people=people,
        teams=teams,
        projects=projects,
        services=services,
        customers=customers,
        contacts=contacts_of(Draws("contacts", client_id, locale), called, customers),
        ticket_count=ticket_count,
        incidents=incidents,
        releases=releases_of(client_id, teams, people, projects, incidents),
    )


def first_page_id(company: Company) -> int:
    """The id of the company's Confluence page 0: nine digits."""
    return 110_000_000 + digest64("pages", company.client_id) % 700_000_000


def space_home_url(company: Company, project: Project) -> str:
    """The home page of a project's space: Confluence page number ``project.index``, so every dataset has it, older than
    its window.
    """
    return f"{company.wiki_url}/spaces/{project.key}/pages/{first_page_id(company) + project.index * PAGE_ID_STEP}"


def repository_url(company: Company, service: Service) -> str:
    """The repository of a service: repository number ``service.index``, so every dataset has it."""
    return f"{company.github_url}/{company.org}/{service.name}"


def pull_request_url(company: Company, service: Service, number: int | str) -> str:
    """A pull request of a service's repository: there are those from 1 to ``service.pull_request_count``."""
    return f"{repository_url(company, service)}/pull/{number}"


def issue_key(company: Company, project: int, number: int) -> str:
    """``KEY-n`` of a project by its index."""
    return f"{company.projects[project].key}-{number}"


def ticket_url(company: Company, number: int | str) -> str:
    """A support ticket, as an agent opens it: there are those from 1 to ``company.ticket_count``."""
    return f"{company.support_url}/agent/tickets/{number}"


def _check_locale(locale: str) -> None:
    if locale not in COUNTRIES:
        raise InvalidRequestError(
            f"Unknown locale {locale!r}", details={"generation.locale": f"must be one of {', '.join(COUNTRIES)}"}
        )


def _draws(client_id: UUID) -> Draws:
    # Of the locale are people and what companies are called; what the company does stays as it is.
    return Draws("company", client_id)


def _hosts(name: str, locale: str) -> Hosts:
    slug = firms(locale).host(name)
    return Hosts(domain=f"{slug}.example", org=slug)


def _customers(draws: Draws, own_name: str, known: Firms) -> tuple[str, ...]:
    words = (word for word in known.drawn(draws, "customers") if word not in own_name)
    return tuple(
        known.customer(next(words), draws.below("customer form", len(names.CUSTOMER_FORMS)))
        for _ in range(draws.between("customer count", 36, 56))
    )


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
