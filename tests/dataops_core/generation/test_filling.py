"""Forms filled with words, held against the plain way of doing it."""

import html
import re
from collections.abc import Callable

import numpy as np
import pytest

from dataops_core.generation import grammar
from dataops_core.generation.filling import Filling, Words, fill
from dataops_core.generation.seeding import STRIDE, key, mix, pick
from dataops_core.generation.words import Lexicon, capitalized
from dataops_core.templates.loader import load_catalog

FAMILIES = {"ns": "n", "a_n": "n", "a_j": "j", "prods": "prod", "a_prod": "prod", "vb": "v", "n": "n", "j": "j"}


def escaped(text: str) -> str:
    return html.escape(text, quote=False)


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    catalog = load_catalog()
    return Lexicon.of(catalog.templates[0].topics[0], catalog.vocabulary(catalog.templates[0].industry))


def filled(lexicon: Lexicon, *forms: str, count: int, escape: Callable[[str], str] = str) -> list[str]:
    return fill([Filling(forms, Words.of(lexicon, escape), count, ("path",))])[0].to_pylist()


def plainly(each: Filling, lexicon: Lexicon) -> list[str]:
    """One text after another, one slot after another."""
    read = [re.split(r"\{(\w+)\}", each.words.escape(form) + each.end) for form in each.forms]
    width = max(len(parts) // 2 for parts in read) or 1
    texts = []
    for number in range(each.count):
        parts = list(read[number % len(read)])
        said: list[tuple[str, int]] = []
        for slot, name in enumerate(parts[1::2]):
            words = lexicon.slots[name]
            address = np.array([number * width + slot], dtype=np.uint64) * STRIDE
            drawn = int(pick(mix(address + key(*each.path)), 1 << 20)[0])
            square = drawn * drawn >> 20
            index = (square + 3 * (square * drawn >> 20)) // 4 * len(words) >> 20
            family = FAMILIES.get(name, name)
            while (family, index) in said and len(words) > slot:
                index = (index + 1) % len(words)
            said.append((family, index))
            parts[slot * 2 + 1] = each.words.escape(words[index])
        text = "".join(parts)
        texts.append(capitalized(text) if each.capital else text)
    return texts


def test_filling_all_at_once_says_what_filling_one_by_one_says(lexicon):
    words = Words.of(lexicon, escaped)
    fillings = [
        Filling(grammar.MAINS, words, 250, ("topic", "mains"), capital=True, end=". "),
        Filling(grammar.OPENERS, Words.of(lexicon, str), 120, ("topic", "openers")),
        Filling(("{n} & {j}", "nothing to fill", "100% of {num}"), words, 7, ("topic", "odd"), capital=True),
        Filling(("{v} {vb} {v} {vb} {v} {vb} {v} {vb} {v}",), words, 90, ("topic", "more than there are")),
    ]
    for each, texts in zip(fillings, fill(fillings), strict=True):
        assert texts.to_pylist() == plainly(each, lexicon)


def test_every_form_is_used_as_often_as_the_others(lexicon):
    texts = filled(lexicon, "one {n}", "two {ns}", "three", count=300)
    assert [sum(text.startswith(start) for text in texts) for start in ("one", "two", "three")] == [100, 100, 100]


def test_one_form_says_no_noun_twice(lexicon):
    nouns = lexicon.slots["n"]
    for text in filled(lexicon, "{n}|{n}|{n}", count=500):
        assert len(set(text.split("|"))) == 3
        assert set(text.split("|")) <= set(nouns)


def test_texts_are_escaped_once_as_the_markup_asks(lexicon):
    texts = filled(lexicon, "{n} & {n}", count=5, escape=escaped)
    assert all(text.count("&amp;") == 1 for text in texts)


def test_a_slot_that_no_lexicon_has_is_named(lexicon):
    with pytest.raises(KeyError, match="nonsense"):
        filled(lexicon, "{nonsense}", count=1)
