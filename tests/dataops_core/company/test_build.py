"""The fictional company of a client."""

import re
from uuid import UUID

import pytest

from dataops_core.company import names
from dataops_core.company.build import (
    build_company,
    company_hosts,
    company_name,
    first_page_id,
    known_locales,
    repository_url,
    space_home_url,
)
from dataops_core.company.firms import ascii_text
from dataops_core.errors import InvalidRequestError

CLIENTS = [UUID(int=number * 7919) for number in range(1, 41)]
#: Companies that everybody knows, and whose names ours must not take.
WELL_KNOWN = {
    "acme", "adobe", "alphabet", "amazon", "apple", "atlassian", "boeing", "cisco", "confluent", "contoso", "dell",
    "disney",
    "ebay", "github", "glean", "google", "ibm", "ikea", "intel", "meta", "microsoft", "netflix", "nike", "northwind",
    "nvidia",
    "oracle", "paypal", "pfizer", "salesforce", "samsung", "shell", "siemens", "slack", "sony", "spotify", "stripe",
    "tesla",
    "toyota", "uber", "visa", "walmart", "zendesk", "zoom",
}  # fmt: skip


def test_a_client_has_one_company():
    build_company.cache_clear()
    first = build_company(CLIENTS[0])
    build_company.cache_clear()
    assert build_company(CLIENTS[0]) == first


def test_clients_have_companies_of_their_own():
    companies = [build_company(client) for client in CLIENTS]
    assert len({company.people[0].account_id for company in companies}) == len(CLIENTS)
    assert len({company.name for company in companies}) > len(CLIENTS) - 3


@pytest.mark.parametrize("locale", ["en_GB", "de_DE", "fr_FR", "ja_JP"])
def test_c40_the_locale_changes_who_is_called_how_and_nothing_that_they_do(locale):
    american, other = build_company(CLIENTS[0], "en_US"), build_company(CLIENTS[0], locale)
    assert not {person.name for person in american.people} & {person.name for person in other.people}
    assert not {american.name, *american.customers} & {other.name, *other.customers}
    for part in ("teams", "projects", "services", "ticket_count"):
        assert getattr(american, part) == getattr(other, part)
    assert len(american.customers) == len(other.customers)


def test_c34_the_company_gives_a_dataset_its_name():
    assert company_name(CLIENTS[0]) == build_company(CLIENTS[0]).name
    assert company_name(CLIENTS[0], "fr_FR") == build_company(CLIENTS[0], "fr_FR").name


@pytest.mark.parametrize("locale", ["en_US", "de_DE", "ja_JP"])
def test_where_a_companys_systems_are_is_known_without_all_of_it(locale):
    whole, hosts = build_company(CLIENTS[0], locale), company_hosts(CLIENTS[0], locale)
    for part in ("domain", "org", "wiki_url", "github_url", "jira_url", "support_url", "crm_url"):
        assert getattr(hosts, part) == getattr(whole, part)


def test_nobody_has_systems_in_a_locale_that_is_not_known():
    with pytest.raises(InvalidRequestError, match="Unknown locale"):
        company_hosts(CLIENTS[0], "xx_XX")


def test_c40_an_unknown_locale_is_refused_by_name():
    with pytest.raises(InvalidRequestError, match="xx_XX") as caught:
        build_company(CLIENTS[0], "xx_XX")
    assert "en_US" in caught.value.details["generation.locale"]


@pytest.mark.parametrize("locale", known_locales())
def test_people_are_reachable_and_told_apart(locale):
    company = build_company(CLIENTS[1], locale)
    people = company.people
    for attribute in ("name", "email", "account_id", "login"):
        assert len({getattr(person, attribute) for person in people}) == len(people)
    for person in people:
        assert re.fullmatch(r"[a-z]+\.[a-z]+@[a-z-]+\.example", person.email)
        assert person.email.endswith(f"@{company.domain}")
        assert re.fullmatch(r"[0-9a-zA-Z:-]{24,60}", person.account_id)
        assert re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,38})", person.login)
        assert not any(word in ascii_text(person.name) for word in names.MACHINE_WORDS)
        assert person.name not in names.KNOWN_PEOPLE


@pytest.mark.parametrize("client", CLIENTS[:10])
def test_teams_hold_everybody_and_have_managers(client):
    company = build_company(client)
    assert [person.team for person in company.people] == [
        team.index for team in company.teams for _ in range(team.size)
    ]
    for team in company.teams:
        members = company.people[team.first_person : team.first_person + team.size]
        assert all(member.manager == members[0].index for member in members[1:])
        assert members[0].manager == (None if team.index == 0 else 0)


@pytest.mark.parametrize("client", CLIENTS)
def test_projects_and_services_fit_every_dataset(client):
    company = build_company(client)
    keys = [project.key for project in company.projects]
    assert 8 <= len(keys) <= 16
    assert len(set(keys)) == len(keys)
    assert all(re.fullmatch(r"[A-Z]{3,4}", key) for key in keys)
    assert len({project.space_id for project in company.projects}) == len(keys)
    services = [service.name for service in company.services]
    assert len(set(services)) == len(services)
    # The smallest dataset has 20 records: every service's repository and every space's home page is among them.
    assert len(keys) <= len(services) <= 20
    assert {service.project for service in company.services} == set(range(len(keys)))
    assert all(service.team == company.projects[service.project].team for service in company.services)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("locale", ["en_US", "fr_FR"])
def test_no_name_is_a_real_company_s(client, locale):
    company = build_company(client, locale)
    assert len(set(company.customers)) == len(company.customers)
    for name in (company.name, *company.customers):
        assert name.split()[0].lower() not in WELL_KNOWN | names.KNOWN_NAMES
        assert name.replace(" ", "").lower() not in WELL_KNOWN | names.KNOWN_NAMES


def test_every_address_is_under_example():
    company = build_company(CLIENTS[2])
    assert company.domain.endswith(".example")
    assert re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})", company.org)
    for url in (space_home_url(company, company.projects[0]), repository_url(company, company.services[0])):
        assert re.match(r"https://(wiki|github)\.[a-z-]+\.example/", url)
    assert str(first_page_id(company)) in space_home_url(company, company.projects[0])


@pytest.mark.parametrize(
    ("text", "locale", "spelled"),
    [
        ("Müller", "de_DE", "mueller"),
        ("Ångström", "sv_SE", "angstrom"),
        ("Łukasz", "pl_PL", "lukasz"),
        ("Gauß", "de_AT", "gauss"),
    ],
)
def test_names_are_spelled_as_their_language_does(text, locale, spelled):
    assert ascii_text(text, locale) == spelled
