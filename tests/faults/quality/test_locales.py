"""Datasets of companies of several countries pass all checks, and their people are found by name."""

import functools
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.lifecycle import CheckStatus, CheckType
from dataops_core.quality.query_set import QueryKind
from dataops_core.templates.model import Template

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


def in_japanese(template: Template) -> Template:
    """The template with words of its own in Japanese, topic by topic."""
    words = {
        "nouns": "障害報告 監視設定 承認手順 運用手引 契約更新 顧客台帳 請求明細 在庫一覧 入荷予定 ログ収集",
        "verbs": "承認する 記録する 更新する 確認する 遅延する 修正する",
        "adjectives": "未処理の 定期的な 緊急の 重要な 古い 新しい",
        "metrics": "稼働率 応答時間 誤検知率 処理件数",
        "practices": "変更を記録すること 二人で確認すること 毎週見直すこと 手順を守ること",
    }
    topics = [
        topic.model_copy(
            update={part: tuple(f"{word}{number}" for word in said.split()) for part, said in words.items()}
        )
        for number, topic in enumerate(template.topics)
    ]
    return template.model_copy(update={"topics": tuple(topics)})


@pytest.mark.parametrize("type_name", ["confluence_pages", "jira_issues"])
def test_so_do_datasets_whose_words_are_in_another_script(
    make_material: Callable[..., Any], load: Callable[..., Any], type_name: str
) -> None:
    material = make_material(type_name, locale="ja_JP", change=in_japanese)
    assert sum("障害報告" in document.body for document in material.documents) > len(material.documents) / 2
    assert load(material).judge().unpassed == {}


@pytest.mark.parametrize("locale", ["de_DE", "ja_JP"])
def test_an_index_that_lost_what_is_not_in_ascii_is_noticed(
    make_material: Callable[..., Any], load: Callable[..., Any], locale: str
) -> None:
    """Nearly all words and every title are there: names in their own letters are what is asked for."""
    material = make_material("confluence_pages", locale=locale)
    asked = next(query.text for query in material.queries if query.kind is QueryKind.CONJUNCTION)
    assert not any(word.isascii() for word in asked.split())
    damaged = [replace(one, body=re.sub(r"[^\x00-\x7f]", "?", one.body)) for one in material.documents]
    judgement = load(material, documents=damaged).judge()
    assert judgement.unpassed == {CheckType.SAMPLE_QUERY_SUCCESS: CheckStatus.FAILED}


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
