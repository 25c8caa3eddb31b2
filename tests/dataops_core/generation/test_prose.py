"""Clauses of a topic."""

import re

import pytest

from dataops_core.generation import grammar
from dataops_core.generation.filling import Words
from dataops_core.generation.prose import POOLS, WHOLE, prose
from dataops_core.generation.words import Lexicon, article
from dataops_core.templates.loader import load_catalog

CATALOG = load_catalog()
LEXICONS = [
    pytest.param(Lexicon.of(topic, CATALOG.vocabulary(template.industry)), id=f"{template.name}: {topic.key}")
    for template in CATALOG.templates
    for topic in template.topics[:2]
]


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    template = CATALOG.templates[0]
    return Lexicon.of(template.topics[0], CATALOG.vocabulary(template.industry))


def topic_prose(lexicon: Lexicon, *path: object) -> dict[str, list[str]]:
    return {name: texts.to_pylist() for name, texts in prose(Words.of(lexicon, str), path).items()}


def test_the_same_path_says_the_same(lexicon):
    assert topic_prose(lexicon, "path") == topic_prose(lexicon, "path")
    assert topic_prose(lexicon, "path")["tail"] != topic_prose(lexicon, "other")["tail"]


@pytest.mark.parametrize("lexicon", LEXICONS)
def test_every_catalog_s_words_make_clean_clauses(lexicon):
    pools = topic_prose(lexicon, "catalog")
    for name, pool in POOLS.items():
        assert len(pools[name]) == pool.count
        assert all(text.endswith(pool.end) for text in pools[name])
        assert not pool.capital or not any(text[0].islower() for text in pools[name])
    for text in (text for texts in pools.values() for text in texts):
        assert "{" not in text
        assert "  " not in text
        for said, following in re.findall(r"\b([Aa]n?) ([A-Za-z][\w-]*)", text):
            assert said.lower() == article(following), text


def test_whole_sentences_are_made_of_clauses(lexicon):
    pools = topic_prose(lexicon, "path")
    for name, first, last in WHOLE:
        assert len(pools[name]) == min(len(pools[first]), len(pools[last]))
        assert len(set(pools[name])) > 0.95 * len(pools[name])
        assert all(sentence[0].isupper() or sentence[0].isdigit() for sentence in pools[name])
        assert all(sentence.endswith(". ") for sentence in pools[name])
        assert any(text.startswith(clause) for text in pools[name][:5] for clause in pools[first])


def test_there_are_many_ways_to_say_something():
    sentences = (
        len(grammar.MAINS) * (1 + len(grammar.OPENERS) + len(grammar.TIMELESS_OPENERS)) * (1 + len(grammar.TAILS))
    )
    assert sentences > 50_000
    for forms in (grammar.OPENERS, grammar.MAINS, grammar.PAST_MAINS, grammar.TAILS, grammar.ITEMS, grammar.STEPS):
        assert len(set(forms)) == len(forms)


def test_clauses_join_into_sentences():
    assert all(opener.endswith(", ") for opener in grammar.OPENERS + grammar.TIMELESS_OPENERS)
    assert all(
        tail[0] in " ," and tail.endswith(". ") for tail in grammar.TAILS + grammar.TIMELESS_TAILS + grammar.PAST_TAILS
    )
    assert not any(main[0].isupper() or main.endswith(".") for main in grammar.MAINS + grammar.PAST_MAINS)


@pytest.mark.parametrize("lexicon", LEXICONS[:8])
def test_clauses_beside_a_main_one_have_their_own_favorite_words(lexicon):
    pools = topic_prose(lexicon, "path")
    for slot in ("role", "p"):
        most = []
        for name in ("main_first", "tail"):
            text = " ".join(pools[name]).lower()
            most.append(max(lexicon.slots[slot], key=lambda word, text=text: text.count(word.lower())))
        assert most[0] != most[1], slot
