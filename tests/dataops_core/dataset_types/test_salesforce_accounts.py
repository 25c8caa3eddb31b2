"""Salesforce accounts."""

import re
from datetime import datetime

import numpy as np
import pytest

from dataops_core.company.build import known_locales
from dataops_core.dataset_types.salesforce.addresses import Addresses, land_of
from dataops_core.dataset_types.salesforce.layout import INDUSTRIES, LAYOUTS
from dataops_core.dataset_types.salesforce.names import ACCOUNT, Accounts, ids
from dataops_core.generation import calendar
from dataops_core.generation.seeding import mix
from dataops_core.generation.sentences import spoken_day

NAME = "FinTech Sales Enablement - Salesforce"


@pytest.fixture(scope="module")
def accounts(dataset_of):
    return dataset_of(NAME, records=300)


def test_the_first_accounts_are_the_company_s_customers(accounts):
    customers = accounts.spec.company.customers
    for row, customer in zip(accounts.rows, customers, strict=False):
        assert row["Name"] == customer
        assert row["Type"].startswith("Customer")
        assert not isinstance(row["ParentId"], str)
        # Everything that speaks of them is younger.
        assert row["CreatedDate"][:10] <= "2023-07-03"
    assert not {row["Name"] for row in accounts.rows[len(customers) :]} & set(customers)


def test_ids_follow_from_the_row_whatever_the_dataset(accounts, dataset_of):
    other = dataset_of("Retail Sales Enablement - Salesforce", records=120)
    assert other.frame["Id"].tolist() == accounts.frame["Id"][:120].tolist()
    copies = {row for pair in (*other.twins, *accounts.twins) for row in pair}
    rows = [row for row in range(120) if row not in copies]
    assert other.frame["Name"][rows].tolist() == accounts.frame["Name"][rows].tolist()
    assert accounts.frame["Id"].is_unique


def test_an_id_ends_with_what_keeps_its_case(accounts):
    """Of each five letters, which are capitals: as Salesforce says it."""
    for id_ in accounts.frame["Id"]:
        for place, check in enumerate(id_[15:]):
            bits = [letter.isupper() for letter in id_[place * 5 : place * 5 + 5]]
            assert "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345".index(check) == sum(2**n for n, bit in enumerate(bits) if bit)


def test_names_stay_unique_when_the_words_are_used_up(accounts):
    names = Accounts(accounts.spec.company)
    many = [names.name(account) for account in range(60_000)]
    assert len(set(many)) == len(many)
    assert all(any(word in INDUSTRIES for word in name.split()[1:]) for name in many)


def test_a_part_of_a_customer_has_it_as_its_parent(accounts):
    company = accounts.spec.company
    known = dict(zip(ids(ACCOUNT, company, range(len(company.customers))), company.customers, strict=True))
    contacts = dict(zip(company.customers, company.contacts, strict=True))
    children = [row for row in accounts.rows if isinstance(row["ParentId"], str)]
    assert children
    for row in children:
        assert row["_archetype"] == "customer"
        told = {contact.name for contact in contacts[known[row["ParentId"]]]}
        everybody = {contact.name for theirs in company.contacts for contact in theirs}
        assert {name for name in everybody if name in row["Description"]} <= told


def test_a_description_begins_with_the_account(accounts):
    for row in accounts.rows:
        assert row["Description"].startswith(f"{row['Name']} ")
        assert row["Type"] in LAYOUTS[row["_archetype"]].types
    assert set(accounts.frame["_archetype"]) == set(LAYOUTS)


def test_customers_remember_the_outages_that_hit_them(accounts):
    company = accounts.spec.company
    told = 0
    for number, row in enumerate(accounts.rows):
        if "The outage of" not in row["Description"]:
            continue
        told += 1
        theirs = [incident for incident in company.incidents if number in incident.customers]
        tickets = {f"/{i.first_ticket + i.customers.index(number)}." for i in theirs}
        assert any(ticket in row["Description"] for ticket in tickets)
        changed = datetime.fromisoformat(row["LastModifiedDate"]).timestamp() - 1_688_342_400
        assert min(incident.started for incident in theirs) < changed
    assert told > 5


def test_nothing_is_told_of_the_days_before_an_account_was_there(accounts):
    known, seen = {spoken_day(day): day for day in range(calendar.WINDOW_DAYS)}, 0
    copies = {number for twins in accounts.twins for number in twins}
    for number, row in enumerate(accounts.rows):
        made = datetime.fromisoformat(row["CreatedDate"]).timestamp() - 1_688_342_400
        # Of a release the day on which it went out is told, of an outage its own.
        text = row["Description"].partition("The outage of")[0]
        for day in re.findall(r"(?<!\.\d of )(?<!\.\d\d of )\b[A-Z][a-z]+ \d{1,2}, \d{4}", text):
            assert known[day] >= int(made) // calendar.DAY or number in copies
            seen += 1
    assert seen > 50


def test_a_record_has_its_addresses_whole(accounts):
    for row in accounts.rows:
        record = accounts.type.record(row)
        assert record["BillingAddress"]["city"] == record["BillingCity"]
        shipping = record["ShippingAddress"]
        assert shipping is None or shipping["street"] == record["ShippingStreet"] == record["BillingStreet"]
        assert record["MasterRecordId"] is None
        assert "Jigsaw" in record
    assert 0 < accounts.frame["ShippingCity"].isna().sum() < len(accounts.rows)


def test_an_account_is_a_document_of_the_crm(accounts):
    kind, row = accounts.type, accounts.rows[60]
    document = kind.document(row)
    assert (kind.object_type, kind.category) == ("Account", "CRM")
    assert document.id == row["Id"]
    assert document.title == row["Name"]
    assert document.body.startswith(row["Description"])
    assert document.container == document.properties["Industry"] == row["Industry"]


def test_documents_are_made_of_stored_rows_too(accounts):
    for place in range(0, 300, 29):
        stored = accounts.table.slice(place, 1).to_pylist()[0]
        assert accounts.type.document(stored) == accounts.type.document(accounts.rows[place])
        assert accounts.type.record(stored) == accounts.type.record(accounts.rows[place])


def test_the_text_of_accounts_is_there_when_it_is_asked_for(accounts):
    frame = accounts.type.frame(accounts.table.slice(0, 3), text=True)
    accounts.type.schema.validate(frame)
    assert frame["_text"][0] == accounts.type.document(accounts.rows[0]).body


@pytest.mark.parametrize("locale", known_locales())
def test_most_accounts_sit_in_the_company_s_country(locale):
    drawn = mix(np.arange(2000, dtype=np.uint64))
    home = land_of(locale)
    addresses = Addresses(locale).of(drawn, mix(drawn))
    own = [address for address in addresses if address.country == home.name]
    assert 0.7 < len(own) / len(addresses) < 0.8
    assert {address.city for address in own} == {city.name for city in home.cities}
    assert {address.dialling for address in own} == {home.dialling}
    for address in addresses:
        assert not re.search(r"[{}#@]", address.street + address.postal_code)
        assert re.search(r"\d", address.street)


@pytest.mark.parametrize(
    ("locale", "street", "code"),
    [
        ("en_US", r"\d+ [A-Z][a-z]+ [A-Z][a-z]+", r"\d{5}"),
        ("en_GB", r"\d+ [A-Z][a-z]+ [A-Z][a-z]+", r"[A-Z]{1,2}\d{1,2} \d[ABD-HJLNP-UW-Z]{2}"),
        ("de_DE", r"[\w ]+ \d+", r"\d{5}"),
        ("fr_FR", r"\d+ [a-zé]+ .+", r"\d{5}"),
        ("fr_CA", r"\d+ [a-zé]+ .+", r"[HJ]\d[BH] \d[ABCEGHJ-NPRSTV-Z]\d"),
        ("en_CA", r"\d+ [A-Z][a-z]+ [A-Z][a-z]+", r"[A-Z]\d[A-Z] \d[ABCEGHJ-NPRSTV-Z]\d"),
        ("en_IE", r"\d+ [A-Z][a-z]+ [A-Z][a-z]+", r"(T12|H91) ([ACDEFHKNPRTV-Y]\d){2}"),
        ("nl_NL", r"[A-Z][a-z]+ \d+", r"\d{4} [A-EGHJ-NPR-TV-XZ]{2}"),
        ("ja_JP", r"\w+\d-\d+", r"\d{3}-\d{4}"),
    ],
)
def test_an_address_is_written_as_at_home(locale, street, code):
    drawn = mix(np.arange(300, dtype=np.uint64))
    home = land_of(locale).name
    own = [each for each in Addresses(locale).of(drawn, mix(drawn)) if each.country == home]
    assert all(re.fullmatch(street, each.street) for each in own)
    assert all(re.fullmatch(code, each.postal_code) for each in own)
    assert len({(each.street, each.city) for each in own}) > 100
