"""Clauses, steps, list entries, phrases and names of a topic, as pools of text that pages draw from.

Belongs here: what is filled into which forms. Does not belong here: how forms are filled (``filling.py``), markup,
pages, and anything that names a person, an issue or a date: such live parts are drawn while a page is composed
(``fragments.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dataops_core.generation import grammar
from dataops_core.generation.filling import Filling, Words, fill
from dataops_core.generation.fragments import gather
from dataops_core.generation.seeding import Affine


@dataclass(frozen=True, slots=True)
class Pool:
    """What a pool is filled from, how many texts a topic has of it, and how each begins and ends."""

    forms: tuple[str, ...]
    count: int
    capital: bool = False
    end: str = ""


#: All pools of a topic. A clause that ends its sentence carries the full stop: fewer fragments make faster pages.
POOLS: dict[str, Pool] = {
    "opener": Pool(grammar.OPENERS + grammar.TIMELESS_OPENERS, 900, capital=True),
    "timeless_opener": Pool(grammar.TIMELESS_OPENERS, 300, capital=True),
    "main_alone": Pool(grammar.MAINS, 900, capital=True, end=". "),
    "main_first": Pool(grammar.MAINS, 1200, capital=True),
    "main_last": Pool(grammar.MAINS, 1200, end=". "),
    "main_between": Pool(grammar.MAINS, 600),
    "past_alone": Pool(grammar.PAST_MAINS, 500, capital=True, end=". "),
    "past_first": Pool(grammar.PAST_MAINS, 600, capital=True),
    "past_last": Pool(grammar.PAST_MAINS, 600, end=". "),
    "tail": Pool(grammar.TAILS + grammar.TIMELESS_TAILS, 1200),
    "past_tail": Pool(grammar.PAST_TAILS + grammar.TIMELESS_TAILS, 600),
    "item": Pool(grammar.ITEMS, 500, capital=True),
    "step": Pool(grammar.STEPS, 500, capital=True),
    "phrase": Pool(grammar.PHRASES, 300, capital=True),
    "summary": Pool(grammar.SUMMARIES, 400, capital=True),
    # What the topic's things are called: plurals, since texts count them.
    "things": Pool(("{j} {ns}", "{ns}", "{j} {ns} and {ns}"), 400),
    "a_thing": Pool(("{a_j} {n}", "{a_n}"), 300),
    "practice": Pool(("{p}",), 40),
}


#: Clauses beside a main one: what they say most of these slots is not what main clauses do, or each second engineer
#: would do something under the eyes of the engineer.
_BESIDE = frozenset({"opener", "timeless_opener", "tail", "past_tail"})
_NOT_TWICE = ("role", "p")


#: Pools of whole sentences: name, and the pools of their two parts.
WHOLE = (
    ("sentence_with_tail", "main_first", "tail"),
    ("sentence_with_opener", "opener", "main_last"),
    ("past_sentence", "past_first", "past_tail"),
)


def prose(words: Words, path: Sequence[object]) -> dict[str, pa.StringArray]:
    """All pools of a topic: of its words, with the path that names its randomness."""
    beside = words.turned(_NOT_TWICE)
    filled = fill(
        [
            Filling(
                *(pool.forms, beside if name in _BESIDE else words, pool.count, (*path, name)),
                capital=pool.capital,
                end=pool.end,
            )
            for name, pool in POOLS.items()
        ]
    )
    pools = dict(zip(POOLS, filled, strict=True))
    # Whole sentences are one fragment where clauses are two or three; a sixth of what is said comes from these.
    for name, first, last in WHOLE:
        pairs = [(pools[part], Affine(len(pools[part]), *path, name, part)) for part in (first, last)]
        pools[name] = _joined(*pairs)
    return pools


def _joined(first: tuple[pa.StringArray, Affine], last: tuple[pa.StringArray, Affine]) -> pa.StringArray:
    """Each of the first texts with one of the last, as far as both go, in the orders that go with them."""
    rows = np.arange(min(len(first[0]), len(last[0])))
    pairs = np.stack((first[1](rows), len(first[0]) + last[1](rows)), axis=1)
    return gather(pa.concat_arrays([first[0], last[0]]), pairs.ravel(), np.arange(0, pairs.size + 1, 2))
