"""Phrases that a person would search a text by: runs of plain words within one sentence.

Belongs here: which phrases a text has. Does not belong here: which of them is asked for (``query_drawing.py``).
"""

import re
from collections.abc import Iterator, Sequence

from dataops_core.quality.corpus import is_number, words

#: Words of a phrase, at least.
PHRASE_WORDS = 6
_PLAIN_WORDS = re.compile(r"[A-Za-z0-9][A-Za-z0-9'-]*[,;:]?")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")


def windows(text: str, longest: int = PHRASE_WORDS) -> list[str]:
    """Runs of six plain words within one sentence; what the cut left of the first one does not count.

    With ``longest``, runs of so many words, or of all that a shorter sentence has.
    """
    found: list[str] = []
    for pieces in _sentences(text):
        length = max(PHRASE_WORDS, min(longest, len(pieces)))
        plain = 0
        for stop, piece in enumerate(pieces, start=1):
            plain = plain + 1 if _PLAIN_WORDS.fullmatch(piece) else 0
            if plain >= length:
                found.append(_window(pieces[stop - length : stop]))
    return found


def fresh_windows(text: str, before: frozenset[str]) -> tuple[list[str], set[str]]:
    """Those with a word that is not among the words ``before``, and which of them have a number.

    Each piece is looked at once, not with every window that it is part of.
    """
    kinds: dict[str, tuple[bool, bool, bool]] = {}
    found: list[str] = []
    numbered: set[str] = set()
    for pieces in _sentences(text):
        # How many of the latest pieces are plain; behind which piece the latest one that is fresh, or a number, stands.
        plain = fresh = number = 0
        for stop, piece in enumerate(pieces, start=1):
            kind = kinds.get(piece)
            if kind is None:
                said = words(piece)
                kind = (
                    _PLAIN_WORDS.fullmatch(piece) is not None,
                    not before.issuperset(said),
                    any(map(is_number, said)),
                )
                kinds[piece] = kind
            plain = plain + 1 if kind[0] else 0
            fresh = stop if kind[1] else fresh
            number = stop if kind[2] else number
            start = stop - PHRASE_WORDS
            if plain >= PHRASE_WORDS and fresh > start:
                found.append(_window(pieces[start:stop]))
                if number > start:
                    numbered.add(found[-1])
    return found, numbered


def _sentences(text: str) -> Iterator[list[str]]:
    """The pieces between the blanks of each sentence, but of the first."""
    for sentence in _SENTENCE_END.split(text)[1:]:
        yield sentence.rstrip(".!?").split()


def _window(pieces: Sequence[str]) -> str:
    return " ".join(pieces).rstrip(",;:")
