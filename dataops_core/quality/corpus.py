"""The oracle of the sample queries: which documents could a search for these words find? By reading all of them.

Belongs here: words as search engines see them, and which documents hold them; no engine takes part. Does not belong
here: choosing queries (``query_drawing.py``).

The answer is never too small. A word is looked for by the beginnings of all words that share its stem, a number as it
is. So where it finds exactly one document, an engine that wants all words can find no other, with a stemmer or
without.
"""

import re
import sqlite3
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow.compute as pc

from dataops_core.connectors.embedded.text import plain_text
from dataops_core.dataset_types.base import Document
from dataops_core.generation import arrays

#: A word as the tokenizer sees it (letters and digits of any script); the oracle knows those in ASCII.
_WORD = re.compile(r"[^\W_]+")
#: Lower case, and a blank for everything that is no letter or digit in ASCII.
_FOLDED = bytes(ord(chr(byte).lower()) if byte < 128 and chr(byte).isalnum() else 32 for byte in range(256))
#: Texts whose words are found together: their table of words and texts stays small.
_TEXTS_AT_ONCE = 128
_THREADS = 2
#: What may follow the part of a stem that all its words share: "policy" (polici), "coding" (code), "usability" (usabl).
_ENDINGS = {"i": "iy", "e": "ei", "l": "li"}


def words(text: str) -> list[str]:
    """The ASCII words of the text in lower case, in order."""
    return [word for word in _WORD.findall(text.lower()) if word.isascii()]


def is_number(word: str) -> bool:
    """Whether the word ends in a digit: a stemmer takes nothing from it, and only a plural's s can follow."""
    return word[-1].isdigit()


def _holders(folded: Sequence[bytes]) -> dict[bytes, list[int]]:
    """Of each word, the texts that hold it, in order."""
    holders: dict[bytes, list[int]] = defaultdict(list)
    starts = range(0, len(folded), _TEXTS_AT_ONCE)
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="corpus") as threads:
        counted = threads.map(_holding, (folded[start : start + _TEXTS_AT_ONCE] for start in starts))
        for start, found in zip(starts, counted, strict=True):
            for word, holding in found:
                holders[word].extend(index + start for index in holding)
    return holders


def _holding(folded: Sequence[bytes]) -> list[tuple[bytes, list[int]]]:
    """Each word of some texts, and which of them hold it. By Arrow's kernels, which let other threads run."""
    split = pc.ascii_split_whitespace(arrays.texts([text.decode() for text in folded]))
    said = split.flatten().dictionary_encode()
    lengths = np.frombuffer(arrays.content(split.value_lengths()), dtype=np.int32)
    held = np.zeros((len(said.dictionary), len(folded)), dtype=np.bool_)
    held[np.frombuffer(arrays.content(said.indices), dtype=np.int32), np.repeat(np.arange(len(folded)), lengths)] = True
    holding = np.nonzero(held)[1].tolist()
    stops = np.cumsum(np.count_nonzero(held, axis=1)).tolist()
    found = zip(said.dictionary.to_pylist(), [0, *stops], stops, strict=False)
    # What stands before the first blank is no word.
    return [(word.encode(), holding[first:stop]) for word, first, stop in found if word]


class Stemmer:
    """The stems of English words by SQLite's own Porter stemmer, which is the embedded engine's."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect(":memory:", isolation_level=None)
        self._connection.execute("CREATE VIRTUAL TABLE t USING fts5(word, content='', tokenize='porter unicode61')")
        self._connection.execute("CREATE VIRTUAL TABLE v USING fts5vocab(t, row)")
        self._beginnings: dict[str, tuple[str, ...]] = {}

    def close(self) -> None:
        """Ends its database."""
        self._connection.close()

    def beginnings(self, word: str) -> tuple[str, ...]:
        """What words of the same stem begin with, each of them with one of these."""
        if word not in self._beginnings:
            self._connection.execute("INSERT INTO t(t) VALUES ('delete-all')")
            self._connection.execute("INSERT INTO t(rowid, word) VALUES (1, ?)", (word,))
            stem: str = self._connection.execute("SELECT term FROM v").fetchone()[0]
            endings = _ENDINGS.get(stem[-1], stem[-1])
            self._beginnings[word] = tuple(stem[:-1] + ending for ending in endings)
        return self._beginnings[word]


class Corpus:
    """The documents and, of every word, which of them hold it: about 0.1 s for 15 MB."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.documents = documents
        self._stemmer = Stemmer()
        self._folded = [f" {document.title}\n{document.body} ".encode().translate(_FOLDED) for document in documents]
        self._holders = _holders(self._folded)
        self._vocabulary = sorted(self._holders)
        self._found: dict[str, frozenset[int]] = {}
        self._plain: dict[int, str] = {}

    def close(self) -> None:
        """Frees what the stems needed."""
        self._stemmer.close()

    def plain(self, index: int) -> str:
        """The document's body as text."""
        if index not in self._plain:
            document = self.documents[index]
            self._plain[index] = plain_text(document.body, document.mime_type)
        return self._plain[index]

    def frequency(self, word: str) -> int:
        """How many documents hold the word as it is."""
        return len(self._holders.get(word.encode(), ()))

    def matching(self, wanted: Iterable[str], among: Iterable[int] | None = None) -> list[int]:
        """Documents (of ``among``, or of all) that may hold all the ``wanted`` words, in order."""
        holding = [self._holding(word) for word in wanted]
        left = frozenset(range(len(self.documents)) if among is None else among)
        return sorted(left.intersection(*holding))

    def adjacent(self, wanted: Sequence[str], among: Iterable[int]) -> list[int]:
        """Documents that hold the words as they are, one after another with nothing but punctuation between them."""
        run = re.compile(rb" +".join([b"", *(word.encode() for word in wanted), b""]))
        return [index for index in among if run.search(self._folded[index])]

    def body_matches(self, index: int, wanted: Iterable[str]) -> bool:
        """Whether the document's body alone may hold all the words."""
        held = set(words(self.plain(index)))
        return all(
            any(word.startswith(start) for start in self._stemmer.beginnings(each) for word in held) for each in wanted
        )

    def holds(self, needle: str) -> bool:
        """Whether the letters and digits stand anywhere at all, be it inside a word."""
        return any(needle.lower().encode() in text for text in self._folded)

    def _holding(self, word: str) -> frozenset[int]:
        if word not in self._found:
            forms = {word, f"{word}s"} if is_number(word) else set()
            held = [self._holders.get(form.encode(), []) for form in forms]
            if not forms:
                held = [index for start in self._stemmer.beginnings(word) for index in self._with_beginning(start)]
            self._found[word] = frozenset(index for indexes in held for index in indexes)
        return self._found[word]

    def _with_beginning(self, start: str) -> Iterator[list[int]]:
        """Of each word that begins so, the documents that hold it."""
        first = start.encode()
        position = bisect_left(self._vocabulary, first)
        while position < len(self._vocabulary) and self._vocabulary[position].startswith(first):
            yield self._holders[self._vocabulary[position]]
            position += 1
