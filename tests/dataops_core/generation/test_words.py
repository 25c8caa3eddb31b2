"""English enough for templates."""

import pytest

from dataops_core.generation.words import article, base_form, plural, telling, unique, with_article


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("settlement batch", "a"), ("idempotent retry", "an"), ("hourly report", "an"), ("user journey", "a"),
        ("unique key", "a"), ("unmatched entry", "an"), ("unidentified item", "an"), ("one-click order", "a"),
        ("SLA breach", "an"), ("SKU list", "a"), ("FHIR resource", "a"), ("HL7 message", "an"), ("API key", "an"),
        ("PCI scope", "a"), ("8-hour shift", "an"), ("11-day window", "an"), ("12-day window", "a"),
        ("European rule", "a"),
        ("X-ray order", "an"), ("urgent case", "an"), ("utility bill", "a"), ("e-mail alert", "an"),
    ],
)  # fmt: skip
def test_articles_follow_the_sound(phrase, expected):
    assert article(phrase) == expected


@pytest.mark.parametrize(
    ("singular", "expected"),
    [
        ("settlement batch", "settlement batches"), ("retry policy", "retry policies"),
        ("proof of delivery", "proofs of delivery"),
        ("delay", "delays"), ("time series", "time series"), ("analysis", "analyses"),
        ("root cause analysis", "root cause analyses"),
        ("API", "APIs"), ("price index", "price indexes"), ("shelf", "shelves"), ("sales person", "sales people"),
        ("service level objective", "service level objectives"),
        ("purchase-to-pay process", "purchase-to-pay processes"),
        ("foreman", "foremen"), ("障害報告", "障害報告"), ("café", "cafés"),
    ],
)  # fmt: skip
def test_plurals_change_the_head(singular, expected):
    assert plural(singular) == expected


@pytest.mark.parametrize(
    ("verb", "expected"),
    [
        ("reconciles", "reconcile"), ("applies", "apply"), ("matches", "match"), ("processes", "process"),
        ("caches", "cache"),
        ("rolls back", "roll back"), ("releases", "release"), ("fixes", "fix"), ("pushes", "push"),
        ("alerts on", "alert on"),
        ("re-runs", "re-run"), ("authorizes", "authorize"), ("closes", "close"), ("goes through", "go through"),
    ],
)  # fmt: skip
def test_base_forms(verb, expected):
    assert base_form(verb) == expected


def test_a_phrase_with_an_article_keeps_it():
    assert with_article("the ledger") == "the ledger"
    assert with_article("audit trail") == "an audit trail"


def test_words_lose_their_own_articles_and_repetitions():
    assert unique(["the ledger", "a batch", "ledger"]) == ("ledger", "batch")


def test_an_adjective_that_a_noun_begins_with_is_left_out():
    nouns = ("shared mailbox", "look-alike label", "search page")
    assert telling(("shared", "look-alike", "look", "page", "slow"), nouns) == ("page", "slow")
    assert telling(("shared",), nouns) == ("shared",)
