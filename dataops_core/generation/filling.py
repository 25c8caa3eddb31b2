"""Forms filled with words: "the {j} {n}" as hundreds of texts, all of a template in one go.

Every filling of every form is a row of numbers: which piece of text stands where, literal or word. One ``gather`` over
all rows makes the texts. Belongs here: which words a filling says, deterministically. Does not belong here: the forms
(``grammar.py``), the words (``words.py``) and what they are filled for (``prose.py``).
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dataops_core.generation import arrays
from dataops_core.generation.fragments import gather
from dataops_core.generation.seeding import I64, STRIDE, U64, key, mix, pick
from dataops_core.generation.words import Lexicon, capitalized

I32: TypeAlias = NDArray[np.int32]

#: What chooses a word is a number of so many bits.
_BITS = 20

_SLOT = re.compile(r"\{(\w+)\}")
#: Slots of one form that must not say the same word twice: "the journal links to a journal".
_FAMILIES = {
    "n": "n", "ns": "n", "a_n": "n", "j": "j", "a_j": "j", "prod": "prod", "prods": "prod", "a_prod": "prod", "vb": "v",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a lexicon, escaped as the markup asks: those of each slot, and the same with a capital."""

    escape: Callable[[str], str]
    slots: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, lexicon: Lexicon, escape: Callable[[str], str]) -> "Words":
        """The words of a lexicon."""
        return cls(escape, {slot: tuple(map(escape, words)) for slot, words in lexicon.slots.items()})

    def turned(self, slots: Sequence[str]) -> "Words":
        """The same words, but that of some slots the second half comes first, which is said most."""
        halves = {slot: len(self.slots[slot]) // 2 for slot in slots if slot in self.slots}
        turned = {slot: (*self.slots[slot][half:], *self.slots[slot][:half]) for slot, half in halves.items()}
        return Words(self.escape, {**self.slots, **turned})


@dataclass(frozen=True, slots=True)
class Filling:
    """``count`` fillings of the forms, every form as often as any other. The same for the same path, always."""

    forms: tuple[str, ...]
    words: Words
    count: int
    path: tuple[object, ...]
    capital: bool = False
    end: str = ""


def fill(fillings: Sequence[Filling]) -> list[pa.StringArray]:
    """The texts of each filling. All of them draw on words of the same slots."""
    names = tuple(fillings[0].words.slots)
    forms = [_read(each.forms, each.words.escape, names, capital=each.capital, end=each.end) for each in fillings]
    table = _Table.of(forms, [each.words for each in fillings])
    counts = [each.count for each in fillings]
    # Row t of a filling has form t modulo their number, and draws at its path's key + place * STRIDE.
    turn = np.concatenate([np.arange(count, dtype=np.int32) for count in counts])
    words: I32 = np.repeat(table.words, counts)
    keys = np.repeat(np.array([key(*each.path) for each in fillings], dtype=np.uint64), counts)
    first, many, width = (
        _of_each_row(column, counts)
        for column in (table.first_form, [len(each.slots) for each in forms], [each.slots.shape[1] for each in forms])
    )
    form: I32 = np.add(first, turn % many)
    chosen = _choose(table, form, words, (turn * width).astype(np.uint64), keys)
    pieces = table.pieces[form]
    for slot, index in enumerate(chosen):
        rows = np.flatnonzero(table.slots[form, slot] >= 0)
        of = form[rows]
        pieces[rows, table.places[of, slot]] = table.base[words[rows], table.slots[of, slot]] + index[rows]
    filled = pieces >= 0
    bounds = np.concatenate(([0], np.cumsum(filled.sum(axis=1))))
    texts = gather(table.arena, pieces[filled].astype(np.int64), bounds)
    stops = np.cumsum(counts)
    return [texts[stop - count : stop] for stop, count in zip(stops.tolist(), counts, strict=True)]


def _of_each_row(column: Sequence[int] | I32, counts: Sequence[int]) -> I32:
    return np.repeat(np.asarray(column, dtype=np.int32), counts)


@dataclass(frozen=True, slots=True)
class _Forms:
    """Forms as numbers. ``pieces`` (forms, pieces) are literals, -1 where a slot's word comes or nothing more;
    ``places`` (forms, slots) is the piece that a slot fills, ``slots`` the slot's number (-1 for none; those after the
    last are the same with a capital), ``families`` what it must not say twice.
    """

    literals: tuple[str, ...]
    pieces: I32
    places: I32
    slots: I32
    families: I32


@lru_cache(maxsize=64)
def _read(
    forms: tuple[str, ...], escape: Callable[[str], str], names: tuple[str, ...], *, capital: bool, end: str
) -> _Forms:
    literals: dict[str, int] = {}
    known = {name: number for number, name in enumerate(names)}
    families = {family: number for number, family in enumerate(dict.fromkeys(_FAMILIES.get(n, n) for n in names))}
    read = [_SLOT.split(escape(form) + end) for form in forms]
    width = max(len(parts) // 2 for parts in read) or 1
    pieces = np.full((len(forms), 2 * width + 1), -1, dtype=np.int32)
    places, slots, kinds = (np.full((len(forms), width), -1, dtype=np.int32) for _ in range(3))
    for number, parts in enumerate(read):
        begins = not parts[0]
        if capital and not begins:
            parts[0] = capitalized(parts[0])
        for place, part in enumerate(parts):
            slot, is_slot = divmod(place, 2)
            if is_slot:
                places[number, slot] = place
                slots[number, slot] = known[part] + (len(names) if capital and begins and slot == 0 else 0)
                kinds[number, slot] = families[_FAMILIES.get(part, part)]
            elif part:
                pieces[number, place] = literals.setdefault(part, len(literals))
    return _Forms(tuple(literals), pieces, places, slots, kinds)


@dataclass(frozen=True, slots=True)
class _Table:
    """Several fillings' forms below one another, and all pieces of text that they name in one arena.

    ``first_form`` and ``words`` are per filling: where its forms begin, and its row of ``base`` and ``size``, which say
    where each slot's words begin in the arena and how many there are.
    """

    arena: pa.StringArray
    first_form: I32
    words: I32
    pieces: I32
    places: I32
    slots: I32
    families: I32
    base: I32
    size: I32

    @classmethod
    def of(cls, forms: Sequence[_Forms], words: Sequence[Words]) -> "_Table":
        """The table of these forms, each filled with the words at its side."""
        texts: list[str] = []
        first_form: dict[int, int] = {}
        distinct = list({id(each): each for each in forms}.values())
        stacked, form_count = [], 0
        for each in distinct:
            first_form[id(each)] = form_count
            form_count += len(each.slots)
            stacked.append(np.where(each.pieces >= 0, each.pieces + np.int32(len(texts)), np.int32(-1)))
            texts += each.literals
        row: dict[int, int] = {}
        base, size = [], []
        for some in {id(each): each for each in words}.values():
            row[id(some)] = len(row)
            spoken = list(some.slots.values())
            spoken += [tuple(map(capitalized, said)) for said in spoken]
            size.append(list(map(len, spoken)))
            base.append(np.cumsum([len(texts), *size[-1][:-1]], dtype=np.int32))
            texts += [word for said in spoken for word in said]
        return cls(
            arena=arrays.texts(texts),
            first_form=np.array([first_form[id(each)] for each in forms], dtype=np.int32),
            words=np.array([row[id(each)] for each in words], dtype=np.int32),
            pieces=_below(stacked),
            places=_below([each.places for each in distinct]),
            slots=_below([each.slots for each in distinct]),
            families=_below([each.families for each in distinct]),
            base=np.array(base),
            size=np.array(size, dtype=np.int32),
        )


def _below(tables: Sequence[I32]) -> I32:
    """The tables below one another, those with fewer columns filled up with -1."""
    width = max(table.shape[1] for table in tables)
    return np.concatenate(
        [np.pad(table, ((0, 0), (0, width - table.shape[1])), constant_values=-1) for table in tables]
    )


def _choose(table: _Table, form: I32, words: I32, first: U64, keys: U64) -> list[I32]:
    """Of each slot, which word each row says: the one drawn, or the next that its family has not said before."""
    chosen: list[I32] = []
    families = table.families[form].T
    for slot, family in enumerate(families):
        drawn = pick(mix((first + np.uint64(slot)) * STRIDE + keys), 1 << _BITS)
        size = np.where(family >= 0, table.size[words, table.slots[form, slot]], np.int32(1))
        index = (_first_ones_more_often(drawn) * size >> _BITS).astype(np.int32)
        relatives = [
            (before, (other == family) & (size > slot)) for before, other in zip(chosen, families, strict=False)
        ]
        while relatives:
            said = np.logical_or.reduce([related & (index == before) for before, related in relatives])
            if not said.any():
                break
            index = np.where(said, (index + 1) % size, index)
        chosen.append(index)
    return chosen


def _first_ones_more_often(drawn: I64) -> I64:
    """Even numbers of ``_BITS`` bits, drawn towards zero: as in any text, a few words are said often and most seldom.

    A mean of square and cube brings the frequencies of words nearest to real text's (``benchmarks.realism``).
    """
    square = drawn * drawn >> _BITS
    return (square + 3 * (square * drawn >> _BITS)) >> 2
