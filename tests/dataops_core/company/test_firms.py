"""What the companies of a country are called, and what follows from a name alone."""

import re
from uuid import UUID

import pytest

from dataops_core.company import names
from dataops_core.company.build import build_company, known_locales
from dataops_core.company.countries import COUNTRIES
from dataops_core.company.firms import firms
from dataops_core.company.people import customer_domain

CLIENT = UUID(int=11 * 7919)
by_locale = pytest.mark.parametrize("locale", known_locales())


@by_locale
def test_a_company_has_its_country_s_legal_form(locale):
    legal = COUNTRIES[locale].legal_forms
    company = build_company(CLIENT, locale)
    for name in (company.name, *company.customers):
        assert not legal or name.startswith(legal) or name.endswith(legal)
    # All of them are in use.
    assert {form for form in legal for name in company.customers if form in name} == set(legal)


@by_locale
def test_a_host_is_ascii_and_of_one_customer(locale):
    company = build_company(CLIENT, locale)
    hosts = [customer_domain(name, locale) for name in (company.name, *company.customers)]
    assert hosts[0] == company.domain
    assert len(set(hosts)) == len(hosts)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)+\.example", host) for host in hosts)
    everybody = [contact for theirs in company.contacts for contact in theirs]
    assert len({contact.name for contact in everybody}) == len(everybody)
    assert not {contact.name for contact in everybody} & {person.name for person in company.people}
    assert all(re.fullmatch(r"[a-z]+\.[a-z]+@[a-z-]+\.example", contact.email) for contact in everybody)


@by_locale
def test_a_name_says_what_its_company_trades_in(locale):
    known = firms(locale)
    word = known.words[5]
    for trade in range(len(names.CUSTOMER_FORMS)):
        name = known.customer(word, trade)
        assert (
            known.trade(name) == known.trade(known.otherwise(name)) == known.trade(known.part(name, "North")) == trade
        )
        assert known.otherwise(name) != name


@pytest.mark.parametrize(
    ("locale", "name", "host"),
    [
        ("en_US", "Alderbrook Foods", "alderbrook-foods"),
        ("en_GB", "Alderbrook Foods Ltd", "alderbrook-foods"),
        ("de_DE", "Mühlsiek Söhne GmbH", "muehlsiek-soehne"),
        ("de_DE", "Weißaue Energie AG", "weissaue-energie"),
        ("fr_FR", "Érablegué Énergie SARL", "erablegue-energie"),
        ("ja_JP", "株式会社霧浜物流", "kirihama-logistics"),
        ("ja_JP", "凪丘ホールディングス合同会社", "nagioka-holdings"),
    ],
)
def test_a_host_spells_the_name_without_its_legal_form(locale, name, host):
    assert firms(locale).host(name) == host


@pytest.mark.parametrize(
    ("locale", "name", "part"),
    [
        ("en_US", "Alderbrook Foods", "Alderbrook Foods North"),
        ("de_DE", "Mühlsiek Söhne GmbH", "Mühlsiek Söhne North GmbH"),
        ("ja_JP", "株式会社霧浜物流", "株式会社霧浜物流 North"),
    ],
)
def test_a_part_is_named_before_the_legal_form(locale, name, part):
    assert firms(locale).part(name, "North") == part


def test_in_japan_the_family_is_named_first_and_addresses_begin_with_the_given_name():
    people = build_company(CLIENT, "ja_JP").people
    for person in people:
        assert re.fullmatch(r"[\u3005\u4e00-\u9fff]+ [\u3041-\u30ff\u4e00-\u9fff]+", person.name)
    families = {person.name.split()[0]: person.email.partition("@")[0].split(".")[1] for person in people}
    assert families["佐藤"] == "sato"
    assert "Asia/Tokyo" in {person.timezone for person in people}


def test_titles_and_cities_are_those_of_the_country():
    people = build_company(CLIENT, "ja_JP").people
    managers = {person.title for person in people if person.manager in {None, people[0].index} and person.index}
    assert "部長" in managers
    assert "プロダクトマネージャー" in {person.title for person in people}
    # But for teams abroad.
    assert {"東京", "大阪"} <= {person.city for person in people}
    assert all(
        (person.city in {"東京", "大阪", "名古屋", "福岡"}) == (person.timezone == "Asia/Tokyo") for person in people
    )
    assert "Programme Manager" in {person.title for person in build_company(CLIENT, "en_GB").people}


@pytest.mark.parametrize("locale", ["fr_CA", "pl_PL"])
def test_a_team_abroad_is_not_in_a_city_of_the_company_s_own_country(locale):
    home = set(COUNTRIES[locale].offices)
    people = [person for number in range(8) for person in build_company(UUID(int=number), locale).people]
    offices = {(person.city, person.timezone) for person in people}
    assert home < offices
    assert not {zone for _, zone in offices - home} & {office.zone for office in home}


@by_locale
def test_as_many_titles_are_known_everywhere(locale):
    titles = COUNTRIES[locale].titles
    assert (len(titles.managers), len(titles.others)) == (len(names.MANAGER_TITLES), len(names.TITLES))
    assert len({*titles.managers, *titles.others}) == len(names.MANAGER_TITLES) + len(names.TITLES)
