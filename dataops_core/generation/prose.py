"""Clauses, steps, list entries and phrases of a topic, as pools of text that pages draw from.

Belongs here: filling forms with a lexicon, deterministically. Does not belong here: markup, pages, and anything that
names a person, an issue or a date: such live parts are drawn while a page is composed (``fragments.py``).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dataops_core.generation import grammar
from dataops_core.generation.seeding import I64, STRIDE, Affine, key, mix, pick
from dataops_core.generation.words import Lexicon, capitalized

_SLOT = re.compile(r"\{(\w+)\}")
#: Slots of one form that must not say the same word twice: "the journal links to a journal".
_FAMILIES = {
    "n": "n", "ns": "n", "a_n": "n", "j": "j", "a_j": "j", "prod": "prod", "prods": "prod", "a_prod": "prod", "vb": "v",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pool:
    """What a pool is filled from, how many texts a topic has of it, and how each begins and ends."""

    forms: tuple[str, ...]
    count: int
    capital: bool = False
    end: str = ""


#: All pools of a topic. A clause that ends its sentence carries the full stop: fewer fragments make faster pages.
POOLS: dict[str, Pool] = {
    "opener": Pool(grammar.OPENERS + grammar.TIMELESS_OPENERS, 600, capital=True),
    "timeless_opener": Pool(grammar.TIMELESS_OPENERS, 300, capital=True),
    "main_alone": Pool(grammar.MAINS, 1100, capital=True, end=". "),
    "main_first": Pool(grammar.MAINS, 900, capital=True),
    "main_last": Pool(grammar.MAINS, 800, end=". "),
    "main_between": Pool(grammar.MAINS, 400),
    "past_alone": Pool(grammar.PAST_MAINS, 600, capital=True, end=". "),
    "past_first": Pool(grammar.PAST_MAINS, 400, capital=True),
    "past_last": Pool(grammar.PAST_MAINS, 400, end=". "),
    "tail": Pool(grammar.TAILS + grammar.TIMELESS_TAILS, 800),
    "past_tail": Pool(grammar.PAST_TAILS + grammar.TIMELESS_TAILS, 400),
    "item": Pool(grammar.ITEMS, 500, capital=True),
    "step": Pool(grammar.STEPS, 500, capital=True),
    "phrase": Pool(grammar.PHRASES, 300, capital=True),
    "summary": Pool(grammar.SUMMARIES, 400, capital=True),
}


#: Pools of whole sentences: name, and the pools of their two parts.
WHOLE = (
    ("sentence_with_tail", "main_first", "tail"),
    ("sentence_with_opener", "opener", "main_last"),
    ("past_sentence", "past_first", "past_tail"),
)


def topic_prose(lexicon: Lexicon, *path: object, escape: Callable[[str], str]) -> dict[str, list[str]]:
    """All pools of a topic, escaped as the markup asks. ``path`` names the randomness."""
    pools = {
        name: fill(pool.forms, lexicon, pool.count, *path, name, escape=escape, capital=pool.capital, end=pool.end)
        for name, pool in POOLS.items()
    }
    # Whole sentences are one fragment where clauses are two or three; half of what is said comes from these.
    for name, first, last in WHOLE:
        joints = zip(
            _shuffled(pools[first], *path, name, first), _shuffled(pools[last], *path, name, last), strict=False
        )
        pools[name] = [before + after for before, after in joints]
    return pools


def _shuffled(texts: list[str], *path: object) -> list[str]:
    return [texts[place] for place in Affine(len(texts), *path)(np.arange(len(texts))).tolist()]


def fill(
    forms: Sequence[str],
    lexicon: Lexicon,
    count: int,
    *path: object,
    escape: Callable[[str], str] = str,
    capital: bool = False,
    end: str = "",
) -> list[str]:
    """``count`` fillings of the forms, every form as often as any other. The same for the same path, always."""
    slots = {slot: tuple(map(escape, words)) for slot, words in lexicon.slots.items()}
    compiled = [_compile(escape(form) + end, slots, capital=capital) for form in forms]
    width = max(len(families) for _, families, _ in compiled) or 1
    places = np.arange(count * width, dtype=np.uint64) * STRIDE
    drawn = pick(mix(places + key(*path)), 1 << 20).reshape(count, width)
    texts = [""] * count
    for number, (pattern, families, options) in enumerate(compiled):
        turns = drawn[number :: len(compiled)]
        chosen = _choose(turns, families, list(map(len, options)))
        said = [[words[index] for index in column.tolist()] for words, column in zip(options, chosen, strict=True)]
        filled = [pattern % words for words in zip(*said, strict=True)] if said else [pattern % ()] * len(turns)
        texts[number :: len(compiled)] = filled
    return texts


def _choose(drawn: I64, families: Sequence[str], sizes: Sequence[int]) -> list[I64]:
    """Of each slot, which word each filling says: the one drawn, or the next that its family has not said before."""
    chosen: list[I64] = []
    for slot, (family, size) in enumerate(zip(families, sizes, strict=True)):
        index = drawn[:, slot] % size
        relatives = [before for before, other in zip(chosen, families, strict=False) if other == family]
        while size > slot and relatives:
            said = np.logical_or.reduce([index == before for before in relatives])
            if not said.any():
                break
            index = np.where(said, (index + 1) % size, index)
        chosen.append(index)
    return chosen


def _compile(
    form: str, words: Mapping[str, tuple[str, ...]], *, capital: bool
) -> tuple[str, list[str], list[tuple[str, ...]]]:
    """The form as a %-pattern, and of each slot its family and what can stand there."""
    slots = _SLOT.findall(form)
    pattern = _SLOT.sub("%s", form.replace("%", "%%"))
    options = [words[slot] for slot in slots]
    if capital and pattern.startswith("%s"):
        options[0] = tuple(map(capitalized, options[0]))
    elif capital:
        pattern = capitalized(pattern)
    return pattern, [_FAMILIES.get(slot, slot) for slot in slots], options
