"""Forms filled with words: "the {j} {n}" as hundreds of texts, all of a topic in one go.

Every filling of every form is a row of numbers: which piece of text stands where, literal or word. One ``gather`` over
all rows makes the texts. Which rows there are, and what stands where but for the words, follows from the forms: it is
read once and kept, whatever the topic and the markup. Belongs here: which words a filling says, deterministically. Does
not belong here: the forms (``grammar.py``), the words (``words.py``) and what they are filled for (``prose.py``).
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dataops_core.generation import arrays
from dataops_core.generation.fragments import gather
from dataops_core.generation.seeding import I64, STRIDE, U64, key, mix
from dataops_core.generation.words import Lexicon, capitalized

#: What chooses a word is a number of so many bits.
_BITS = 20

_SLOT = re.compile(r"\{(\w+)\}")
#: Slots of one form that must not say the same word twice: "the journal links to a journal".
_FAMILIES = {
    "n": "n", "ns": "n", "a_n": "n", "j": "j", "a_j": "j", "prod": "prod", "prods": "prod", "a_prod": "prod", "vb": "v",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a lexicon, escaped letter by letter as the markup asks: those of each slot."""

    escape: Callable[[str], str]
    slots: dict[str, tuple[str, ...]]
    #: The same with a capital.
    capitals: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, lexicon: Lexicon, escape: Callable[[str], str]) -> "Words":
        """The words of a lexicon."""
        slots = {slot: tuple(map(escape, words)) for slot, words in lexicon.slots.items()}
        return cls(escape, slots, {slot: tuple(map(capitalized, words)) for slot, words in slots.items()})

    def turned(self, slots: Sequence[str]) -> "Words":
        """The same words, but that of some slots the second half comes first, which is said most."""
        plain, capitals = dict(self.slots), dict(self.capitals)
        for slot in slots:
            half = len(self.slots[slot]) // 2
            for words in (plain, capitals):
                words[slot] = (*words[slot][half:], *words[slot][:half])
        return Words(self.escape, plain, capitals)


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
    speakers = list({id(each.words): each.words for each in fillings}.values())
    number = {id(words): place for place, words in enumerate(speakers)}
    rows = _rows(
        tuple(_Forms(each.forms, number[id(each.words)], each.count, each.capital, each.end) for each in fillings),
        tuple(speakers[0].slots),
    )
    said = [words for each in speakers for slots in (each.slots, each.capitals) for words in slots.values()]
    arena = [speakers[speaker].escape(text) for speaker, text in rows.literals]
    size = np.array(list(map(len, said)), dtype=np.int64)
    base = len(arena) + np.cumsum(size) - size
    arena += [word for words in said for word in words]
    counts = [each.count for each in fillings]
    keys = np.repeat(np.array([key(*each.path) for each in fillings], dtype=np.uint64), counts)
    pieces, chosen = rows.pieces.copy(), list[I64]()
    for slot in rows.slots:
        chosen.append(_choose(slot, size[slot.words], keys[slot.rows], chosen))
        pieces[slot.places] = base[slot.words] + chosen[-1]
    texts = gather(arrays.texts(arena), pieces, rows.bounds)
    stops = np.cumsum(counts).tolist()
    return [texts[stop - count : stop] for stop, count in zip(stops, counts, strict=True)]


class _Forms(NamedTuple):
    """A filling without its words, of which it has the ``speaker``-th ones, and without its path."""

    forms: tuple[str, ...]
    speaker: int
    times: int
    capital: bool
    end: str


@dataclass(frozen=True, slots=True)
class _Slot:
    """The slots of one place among a form's, of all rows whose form has so many."""

    number: int
    rows: I64
    #: Of each row which words it says, by number: a speaker's slots, the same with a capital, the next one's. And where
    #: they stand among the pieces.
    words: I64
    places: I64
    #: What draws each row's word, but for its filling's key.
    address: U64
    #: Earlier slots that must not say the same: the slot's number, which of these rows, and which of the slot's.
    relatives: tuple[tuple[int, I64, I64], ...]


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of some fillings: row r has the pieces from ``bounds[r]`` on, literals by number, words to be put in."""

    #: With the speaker as whose markup asks they are escaped.
    literals: tuple[tuple[int, str], ...]
    pieces: I64
    bounds: I64
    slots: tuple[_Slot, ...]


@lru_cache(maxsize=32)
def _rows(fillings: tuple[_Forms, ...], names: tuple[str, ...]) -> _Rows:
    literals: dict[tuple[int, str], int] = {}
    tables = [_read(each, names, literals) for each in fillings]
    counts = [each.times for each in fillings]
    # Row t of a filling has form t modulo their number, and draws at its path's key + place * STRIDE.
    turn = np.concatenate([np.arange(count) for count in counts])
    many = [len(each.forms) for each in fillings]
    form = turn % np.repeat(many, counts) + np.repeat(np.cumsum(many) - many, counts)
    width = np.repeat([table.slots.shape[1] for table in tables], counts)
    pieces, places, slots, families = (
        _below([getattr(table, name) for table in tables])[form] for name in ("pieces", "places", "slots", "families")
    )
    filled = pieces >= 0
    place = np.cumsum(filled).reshape(filled.shape) - 1
    found: list[_Slot] = []
    for number in range(slots.shape[1]):
        rows = np.flatnonzero(slots[:, number] >= 0)
        alike = [(before, np.flatnonzero(families[rows, before] == families[rows, number])) for before in range(number)]
        found.append(
            _Slot(
                number=number,
                rows=rows,
                words=slots[rows, number],
                places=place[rows, places[rows, number]],
                address=(turn[rows] * width[rows] + number).astype(np.uint64) * STRIDE,
                relatives=tuple(
                    (before, mine, np.searchsorted(found[before].rows, rows[mine]))
                    for before, mine in alike
                    if len(mine)
                ),
            )
        )
    bounds = np.concatenate(([0], np.cumsum(np.count_nonzero(filled, axis=1))))
    return _Rows(tuple(literals), pieces[filled], bounds, tuple(found))


@dataclass(frozen=True, slots=True)
class _Table:
    """Forms as numbers. ``pieces`` (forms, pieces) are literals, 0 where a slot's word comes and -1 after the last;
    ``places`` (forms, slots) is the piece that a slot fills, ``slots`` which words fill it (-1 for no slot),
    ``families`` what it must not say twice.
    """

    pieces: I64
    places: I64
    slots: I64
    families: I64


def _read(each: _Forms, names: tuple[str, ...], literals: dict[tuple[int, str], int]) -> _Table:
    """The forms of a filling; literals that are not known yet are numbered."""
    known = {name: each.speaker * 2 * len(names) + number for number, name in enumerate(names)}
    families = {family: number for number, family in enumerate(dict.fromkeys(_FAMILIES.get(n, n) for n in names))}
    read = [_SLOT.split(form + each.end) for form in each.forms]
    width = max(len(parts) // 2 for parts in read) or 1
    pieces = np.full((len(read), 2 * width + 1), -1, dtype=np.int64)
    places, slots, kinds = (np.full((len(read), width), -1, dtype=np.int64) for _ in range(3))
    for number, parts in enumerate(read):
        begins = not parts[0]
        if each.capital and not begins:
            parts[0] = capitalized(parts[0])
        for place, part in enumerate(parts):
            slot, is_slot = divmod(place, 2)
            if is_slot:
                pieces[number, place] = 0
                places[number, slot] = place
                slots[number, slot] = known[part] + (len(names) if each.capital and begins and slot == 0 else 0)
                kinds[number, slot] = families[_FAMILIES.get(part, part)]
            elif part:
                pieces[number, place] = literals.setdefault((each.speaker, part), len(literals))
    return _Table(pieces, places, slots, kinds)


def _below(tables: Sequence[I64]) -> I64:
    """The tables below one another, those with fewer columns filled up with -1."""
    width = max(table.shape[1] for table in tables)
    return np.concatenate(
        [np.pad(table, ((0, 0), (0, width - table.shape[1])), constant_values=-1) for table in tables]
    )


def _choose(slot: _Slot, size: I64, keys: U64, chosen: Sequence[I64]) -> I64:
    """Which of so many words each row says: the one drawn, or the next that its family has not said before."""
    drawn = mix(slot.address + keys) >> np.uint64(64 - _BITS)
    index: I64 = _first_ones_more_often(drawn.view(np.int64)) * size >> _BITS
    relatives = [(mine, chosen[before][theirs]) for before, mine, theirs in slot.relatives]
    while relatives:
        again: NDArray[np.bool_] = np.zeros(len(index), dtype=np.bool_)
        for mine, before in relatives:
            again[mine] |= index[mine] == before
        again &= size > slot.number
        if not again.any():
            break
        index = np.where(again, (index + 1) % size, index)
    return index


def _first_ones_more_often(drawn: I64) -> I64:
    """Even numbers of ``_BITS`` bits, drawn towards zero: as in any text, a few words are said often and most seldom.

    A mean of square and cube brings the frequencies of words nearest to real text's (``benchmarks.realism``).
    """
    square = drawn * drawn >> _BITS
    return (square + 3 * (square * drawn >> _BITS)) >> 2
