"""Datasets of companies of several countries pass all checks, and their people are found by name."""

import functools
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest

from dataops_core.dataset_types.known import DATASET_TYPES

#: Of each locale the types that are always tried: every script and every sort of letter, and every type once.
ALWAYS = {
    "en_GB": {"salesforce_accounts"},
    "de_DE": {"confluence_pages", "zendesk_tickets"},
    "fr_FR": {"jira_issues", "sharepoint_documents"},
    "ja_JP": {"confluence_pages", "github_repos", "slack_messages", "google_drive_documents", "salesforce_accounts"},
}


@pytest.mark.parametrize(
    ("locale", "type_name"),
    [
        pytest.param(locale, name, marks=[] if name in always else [pytest.mark.long])
        for locale, always in ALWAYS.items()
        for name in sorted(DATASET_TYPES)
    ],
)
def test_all_checks_pass(
    make_material: Callable[..., Any], load: Callable[..., Any], locale: str, type_name: str
) -> None:
    judgement = load(make_material(type_name, locale=locale)).judge()
    assert judgement.unpassed == {}


@pytest.mark.parametrize("locale", ["de_DE", "ja_JP"])
def test_the_smallest_dataset_passes_all_checks(
    make_material: Callable[..., Any], load: Callable[..., Any], locale: str
) -> None:
    assert load(make_material("zendesk_tickets", locale=locale, count=20)).judge().unpassed == {}


@pytest.fixture(scope="module")
def pages_of(make_material: Callable[..., Any], load: Callable[..., Any]) -> Callable[[str], Any]:
    """Pages of a company of a locale, indexed."""
    return functools.cache(lambda locale: load(make_material("confluence_pages", locale=locale)))


def as_it_is(name: str) -> str:
    return name


def without_blanks(name: str) -> str:
    return name.replace(" ", "")


def without_accents(name: str) -> str:
    return "".join(each for each in unicodedata.normalize("NFKD", name) if not unicodedata.combining(each))


def spelled_out(name: str) -> str:
    return name.translate(str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"}))


@pytest.mark.parametrize(
    ("locale", "letters", "written"),
    [
        ("de_DE", "äöüß", as_it_is),
        ("de_DE", "äöü", without_accents),
        ("de_DE", "äöüß", spelled_out),
        ("fr_FR", "éèêôç", as_it_is),
        ("fr_FR", "éèêôç", without_accents),
        ("fr_FR", "éèêôç", str.upper),
        ("ja_JP", "藤田本", as_it_is),
        ("ja_JP", "藤田本", without_blanks),
        ("ja_JP", "フスリ", as_it_is),
    ],
)
def test_who_and_whom_texts_speak_of_are_found_however_they_are_written(
    pages_of: Callable[[str], Any], locale: str, letters: str, written: Callable[[str], str]
) -> None:
    """People and customers whose names have these letters: every page that has the name is found by it."""
    indexed = pages_of(locale)
    company, documents = indexed.material.spec.company, indexed.material.documents
    names = [*(person.name for person in company.people), *company.customers]
    asked = 0
    for name in names:
        holding = {one.view_url for one in documents if name in f"{one.title}\n{one.body}"}
        if set(letters).isdisjoint(name) or not holding:
            continue
        answer = indexed.adapter.search(indexed.spec, written(name), page_size=len(documents))
        assert holding <= {hit.url for hit in answer.hits}, written(name)
        # A word without blanks stands only where it stands as a whole.
        assert " " in name or {hit.url for hit in answer.hits} == holding
        asked += 1
    assert asked > 5
