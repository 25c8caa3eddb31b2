"""The oracle of the sample queries: which documents could a search for these words find? By a scan, without an engine.

Belongs here: words as search engines see them, and a brute-force scan of all documents. Does not belong here: choosing
queries (``sample_queries.py``).

The answer is never too small. A word is looked for by a beginning short enough to be shared by every word that a
Porter stemmer would call the same; words with a digit, and words of up to two letters, are looked for as they are. So
where the scan finds exactly one document, an engine that wants all words can find no other, with a stemmer or without.

All documents lie in one byte string: scanning 15 MB for a rare word takes milliseconds.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence

from dataops_core.connectors.embedded.text import plain_text
from dataops_core.dataset_types.base import Document

#: A word as the tokenizer sees it (letters and digits of any script); the scan knows those in ASCII.
_WORD = re.compile(r"[^\W_]+")
_SEPARATOR = b"\x00"
_WORD_BYTES = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789")
_SUFFIXES = (
    "ational", "tional", "ization", "iveness", "fulness", "ousness", "ement", "ation", "alism", "aliti", "iviti",
    "biliti", "ility", "icate", "ative", "alize", "iciti", "ality", "ivity", "icity", "ator", "izer", "enci", "anci",
    "abli", "alli", "entli", "eli", "ousli", "logi", "ical", "ness", "ance", "ence", "able", "ible", "ment", "ance",
    "ful", "ant", "ent", "ion", "ism", "ate", "iti", "ity", "ous", "ive", "ize", "ies", "ied", "ing", "sses", "al",
    "er", "ic", "ou", "es", "ed", "ly", "li", "bl", "s", "e", "y", "i", "l",
)  # fmt: skip
_MIN_STEM = 3


def words(text: str) -> list[str]:
    """The ASCII words of the text in lower case, in order."""
    return [word for word in _WORD.findall(text.lower()) if word.isascii()]


def is_exact(word: str) -> bool:
    """Whether no stemmer touches the word."""
    return len(word) <= 2 or not word.isalpha()


def beginning(word: str) -> str:
    """A beginning that every word of the same Porter stem shares; the word itself where :func:`is_exact`."""
    if is_exact(word):
        return word
    stem = word
    while True:
        cut = next((s for s in _SUFFIXES if stem.endswith(s) and len(stem) - len(s) >= _MIN_STEM), None)
        if cut is not None:
            stem = stem[: -len(cut)]
        elif len(stem) > _MIN_STEM and stem[-1] == stem[-2]:
            stem = stem[:-1]
        else:
            # What is left may still differ in its last letter: "hoping" and "hope", "happy" and "happier".
            return stem[:_MIN_STEM] if len(stem) <= _MIN_STEM + 1 else stem[:-1]


class Corpus:
    """The documents, ready to be scanned."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.documents = documents
        parts = [f"{document.title}\n{document.body}".encode() for document in documents]
        # bytes.lower changes ASCII alone, which is what the scan looks for, and keeps every position.
        self._text = _SEPARATOR.join(parts).lower()
        self._starts: list[int] = []
        position = 0
        for part in parts:
            self._starts.append(position)
            position += len(part) + 1
        self._ends = [start + len(part) for start, part in zip(self._starts, parts, strict=True)]
        self._plain: dict[int, str] = {}

    def plain(self, index: int) -> str:
        """The document's body as text."""
        if index not in self._plain:
            document = self.documents[index]
            self._plain[index] = plain_text(document.body, document.mime_type)
        return self._plain[index]

    def matching(self, wanted: Iterable[str], among: Sequence[int] | None = None) -> list[int]:
        """Documents (of ``among``, or of all) that may hold all the ``wanted`` words, in order."""
        # Long words and numbers first: they leave little to do for the rest.
        ordered = sorted(set(wanted), key=lambda word: (-len(word) - 4 * is_exact(word), word))
        left = among
        for word in ordered:
            left = self.holding(beginning(word).encode(), exact=is_exact(word), among=left)
            if not left:
                return []
        return list(range(len(self.documents))) if left is None else list(left)

    def holding(self, needle: bytes, *, exact: bool, among: Sequence[int] | None = None) -> list[int]:
        """Documents that hold ``needle`` (in lower case) where a word begins and, with ``exact``, where one ends."""
        if among is not None:
            return [
                index for index in among if self._find(needle, self._starts[index], self._ends[index], exact=exact) >= 0
            ]
        found: list[int] = []
        position = self._find(needle, 0, len(self._text), exact=exact)
        while position >= 0:
            index = bisect_right(self._starts, position) - 1
            found.append(index)
            position = self._find(needle, self._ends[index], len(self._text), exact=exact)
        return found

    def holds_literally(self, needle: str) -> bool:
        """Whether the text stands anywhere at all, be it inside a word."""
        return needle.lower().encode() in self._text

    def _find(self, needle: bytes, start: int, stop: int, *, exact: bool) -> int:
        text = self._text
        position = text.find(needle, start, stop)
        while position >= 0:
            after = position + len(needle)
            begins = position == start or text[position - 1] not in _WORD_BYTES
            if begins and not (exact and after < stop and text[after] in _WORD_BYTES):
                return position
            position = text.find(needle, position + 1, stop)
        return -1
