"""The oracle of the sample queries: which documents could a search for these words find? By reading all of them.

Belongs here: words as search engines see them, and which documents hold them; no engine takes part. Does not belong
here: choosing queries (``query_drawing.py``).

The answer is never too small. A word is looked for by the beginnings of all words that share its stem, a number as it
is; accents count for nothing, and a text holds its words in every spelling (``connectors/embedded/spelling.py``, which
is the engine's rule, too). So where it finds exactly one document, an engine that wants all words can find no other,
with a stemmer or without.
"""

import re
import sqlite3
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from itertools import chain, pairwise
from operator import and_

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dataops_core.connectors.embedded.spelling import folded, folded_with_others, is_known, spellings
from dataops_core.connectors.embedded.text import HTML, plain_text
from dataops_core.dataset_types.base import Document
from dataops_core.generation import arrays

#: A word as the tokenizer sees it (letters and digits of any script), its accents apart or not.
_WORD = re.compile(r"(?:[^\W_]|[\u0300-\u0331])+")
#: Lower case, and a blank for everything in ASCII that is no letter or digit.
_FOLDED = bytes(ord(chr(byte).lower()) if chr(byte).isalnum() else 32 for byte in range(128)) + bytes(range(128, 256))
_BLANK = 32
#: A word of no text: nothing stands beside both what is before it and what is behind it.
_BOUND = " \u0080 "
#: Texts whose words are found together: their table of words and texts stays small.
_TEXTS_AT_ONCE = 128
#: So few places of bits are found one by one.
_FEW = 12
#: Of HTML, what may stand for a letter beyond ASCII: any reference but those that every text has.
_REFERENCE = re.compile(r"&(?!(?:amp|lt|gt|quot);)")
#: What may follow the part of a stem that all its words share: "policy" (polici), "coding" (code), "usability" (usabl).
_ENDINGS = {"i": "iy", "e": "ei", "l": "li"}


def words(text: str) -> list[str]:
    """The words of the text in lower case and without accents, in order.

    Letters of scripts without blanks are words, each. A word of several spellings has them all, as an engine may find
    any: ``muller|mueller``. Left out is what is in no script that the oracle knows.
    """
    lowered = text.lower()
    if lowered.isascii():
        return _WORD.findall(lowered)
    return [part for word in _WORD.findall(lowered) for part in ([word] if word.isascii() else _parts(word))]


def _parts(word: str) -> list[str]:
    if not is_known(word):
        return []
    forms = dict.fromkeys(" ".join(folded(each).split()) for each in (word, *spellings(word)))
    if len(forms) == 1:
        return next(iter(forms)).split()
    return ["|".join(forms)] if all(map(str.isalnum, forms)) else []


def is_number(word: str) -> bool:
    """Whether the word ends in a digit: a stemmer takes nothing from it, and only a plural's s can follow."""
    return word[-1].isdigit()


class _Holders:
    """Of each word, the texts that hold it.

    One run of numbers for each word and the words in order, so that what holds any word with one beginning is one run.
    """

    def __init__(self, folded_texts: Sequence[bytes]) -> None:
        starts = range(0, len(folded_texts), _TEXTS_AT_ONCE)
        # In this thread alone: the other core is the connector's, which indexes the same texts meanwhile.
        parts = [_holding(folded_texts[start : start + _TEXTS_AT_ONCE]) for start in starts]
        self._words = sorted(set().union(*(said for said, _, _ in parts)))
        places = {word: place for place, word in enumerate(self._words)}
        numbers = [np.fromiter((places[word] for word in said), np.int64, len(said)) for said, _, _ in parts]
        counts = np.zeros(len(self._words), dtype=np.int64)
        for number, (_, count, _) in zip(numbers, parts, strict=True):
            counts[number] += count
        stops = np.cumsum(counts)
        self._stops: list[int] = stops.tolist()
        self._texts = np.empty(int(counts.sum()), dtype=np.int32)
        free = stops - counts
        for start, number, (_, count, texts) in zip(starts, numbers, parts, strict=True):
            # The part has its texts word by word: each word's go to where the word has its next free places.
            self._texts[np.repeat(free[number] - np.cumsum(count) + count, count) + np.arange(len(texts))] = (
                texts + start
            )
            free[number] += count

    def of(self, word: str) -> NDArray[np.int32]:
        """The texts that hold the word as it is, in order."""
        sought = word.encode()
        place = bisect_left(self._words, sought)
        if place == len(self._words) or self._words[place] != sought:
            return self._texts[:0]
        return self._run(place, place + 1)

    def of_beginning(self, start: str) -> NDArray[np.int32]:
        """The texts that hold a word that begins so, once for each such word."""
        sought = start.encode()
        # No letter in UTF-8 has this byte.
        return self._run(bisect_left(self._words, sought), bisect_left(self._words, sought + b"\xff"))

    def _run(self, first: int, stop: int) -> NDArray[np.int32]:
        if first == stop:
            return self._texts[:0]
        return self._texts[self._stops[first - 1] if first else 0 : self._stops[stop - 1]]


def _folded(text: str) -> bytes:
    """The text's words between blanks, and then those of its other spellings."""
    if text.isascii():
        return f" {text} ".encode().translate(_FOLDED)
    said, others = folded_with_others(text)
    return f" {said}{_BOUND if others else ''}{others} ".encode().translate(_FOLDED)


def _holding(folded_texts: Sequence[bytes]) -> tuple[list[bytes], np.ndarray, np.ndarray]:
    """The words of some texts; how many of the texts hold each; and which these are (their numbers), word by word.

    By kernels of Arrow's and NumPy's, which let other threads run: each blank begins a word, which is empty where
    another follows.
    """
    whole = b"".join(folded_texts) + b" "
    blanks = np.flatnonzero(np.frombuffer(whole, dtype=np.uint8) == _BLANK)
    said = arrays.cut(whole, blanks).dictionary_encode()
    numbers = np.frombuffer(arrays.content(said.indices), dtype=np.int32)
    held = np.zeros((len(said.dictionary), len(folded_texts)), dtype=np.bool_)
    bounds = np.searchsorted(blanks, np.cumsum([0, *map(len, folded_texts)])).tolist()
    for text, (first, stop) in enumerate(pairwise(bounds)):
        held[numbers[first:stop], text] = True
    words_said = [word[1:] for word in said.dictionary.view(pa.binary()).to_pylist()]
    if b"" in words_said:
        held[words_said.index(b"")] = False
    # Where all of the table is looked at in one row, NumPy is five times as fast.
    words_held, texts_holding = np.divmod(np.flatnonzero(held), len(folded_texts))
    return words_said, np.bincount(words_held, minlength=len(words_said)), texts_holding.astype(np.int32)


def _single(text: bytes) -> bytes:
    """The text with single blanks between its words, and one at either end."""
    return b" %s " % b" ".join(text.split())


def _run(wanted: Iterable[str]) -> re.Pattern[bytes]:
    """The words in any of their spellings, one after another with blanks between them."""
    return re.compile(rb" +".join([b"", *(b"(?:%s)" % word.encode() for word in wanted), b""]))


class Stemmer:
    """The stems of English words by SQLite's own Porter stemmer, which is the embedded engine's."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect(":memory:", isolation_level=None)
        self._connection.execute("CREATE VIRTUAL TABLE t USING fts5(word, content='', tokenize='porter unicode61')")
        self._connection.execute("CREATE VIRTUAL TABLE v USING fts5vocab(t, instance)")
        self._beginnings: dict[str, tuple[str, ...]] = {}

    def close(self) -> None:
        """Ends its database."""
        self._connection.close()

    def beginnings(self, word: str) -> tuple[str, ...]:
        """What words of the same stem begin with, each of them with one of these."""
        if word not in self._beginnings:
            self.learn([word])
        return self._beginnings[word]

    def learn(self, words: Iterable[str]) -> None:
        """Takes note of the stems of many words at once: it costs little more than one."""
        unknown = [word for word in dict.fromkeys(words) if word not in self._beginnings]
        if not unknown:
            return
        self._connection.execute("INSERT INTO t(t) VALUES ('delete-all')")
        self._connection.execute("INSERT INTO t(rowid, word) VALUES (1, ?)", (" ".join(unknown),))
        for stem, place in self._connection.execute("SELECT term, offset FROM v"):
            endings = _ENDINGS.get(stem[-1], stem[-1])
            self._beginnings[unknown[place]] = tuple(stem[:-1] + ending for ending in endings)


class Corpus:
    """The documents and, of every word, which of them hold it: about 0.1 s for 15 MB."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.documents = documents
        self._stemmer = Stemmer()
        titles = [_folded(document.title) for document in documents]
        bodies = (_folded(document.body) for document in documents)
        self._titles = list(map(len, titles))
        self._folded = [title + body for title, body in zip(titles, bodies, strict=True)]
        self._holders = _Holders(self._folded)
        #: Of each word that was asked for the documents that may hold it, one bit each: so many words are one AND each.
        self._found: dict[str, int] = {}
        self._plain: dict[int, str] = {}
        self._folded_plain: dict[int, bytes] = {}
        self._written: dict[str, frozenset[int]] = {}
        self._said: dict[int, frozenset[str]] = {}

    def close(self) -> None:
        """Frees what the stems needed."""
        self._stemmer.close()

    def plain(self, index: int) -> str:
        """The document's body as text."""
        if index not in self._plain:
            document = self.documents[index]
            self._plain[index] = plain_text(document.body, document.mime_type)
        return self._plain[index]

    def is_ascii(self, index: int) -> bool:
        """Whether the document's text is in ASCII for sure: told by its body as it is, markup and all."""
        document = self.documents[index]
        return document.body.isascii() and not (document.mime_type == HTML and _REFERENCE.search(document.body))

    def said(self, index: int) -> frozenset[str]:
        """The words of the document's title and text."""
        if index not in self._said:
            self._said[index] = frozenset(words(f"{self.documents[index].title}\n{self.plain(index)}"))
        return self._said[index]

    def frequency(self, word: str) -> int:
        """How many documents hold the word as it is."""
        forms = word.split("|")
        return len(self._holders.of(word)) if len(forms) == 1 else self._bits(map(self._holders.of, forms)).bit_count()

    def learn(self, asked: Iterable[str]) -> None:
        """Takes note of the stems of words that will be asked for one by one."""
        self._stemmer.learn(form for word in asked for form in word.split("|") if not is_number(form))

    def matching(self, wanted: Iterable[str], among: Iterable[int] | None = None) -> list[int]:
        """Documents (of ``among``, or of all) that may hold all the ``wanted`` words, in order."""
        found = self._matching(list(wanted))
        if among is None or not found:
            return _places(found)
        members = among if isinstance(among, (set, frozenset)) else frozenset(among)
        return [place for place in _places(found) if place in members]

    def is_alone(self, index: int, wanted: Sequence[str]) -> bool:
        """Whether the document may hold all the words, and no other."""
        return self._matching(wanted) == 1 << index

    def _matching(self, sought: Sequence[str]) -> int:
        if not self._found.keys() >= set(sought):
            self.learn(sought)
        return reduce(and_, map(self._holding, sought), (1 << len(self.documents)) - 1)

    def adjacent(self, wanted: Sequence[str], among: Iterable[int]) -> list[int]:
        """Documents that hold the words as they are, one after another with nothing but punctuation between them."""
        run = _run(wanted)
        return [index for index in among if run.search(self._folded[index])]

    def phrased(self, wanted: Sequence[str], among: Iterable[int]) -> list[int]:
        """The same of documents as they are read: no markup parts the words."""
        if all(map(str.isalnum, wanted)):
            needle = " ".join(("", *wanted, "")).encode()
            return [index for index in among if needle in self._read(index)]
        run = _run(wanted)
        return [index for index in among if run.search(self._read(index))]

    def written(self, word: str) -> frozenset[int]:
        """Documents that hold a word as it is written: of a script without blanks, its letters in a row."""
        if word not in self._written:
            parts = words(word)
            found = self.matching(parts)
            self._written[word] = frozenset(found if len(parts) == 1 else self.phrased(parts, found))
        return self._written[word]

    def _read(self, index: int) -> bytes:
        """The folded text of a document without its markup, with one blank between two words."""
        if index not in self._folded_plain:
            document = self.documents[index]
            said = self._folded[index]
            if document.mime_type == HTML:
                said = _folded(f"{document.title}\n{self.plain(index)}")
            self._folded_plain[index] = _single(said)
        return self._folded_plain[index]

    def body_matches(self, index: int, wanted: Iterable[str]) -> bool:
        """Whether the document's body alone may hold all the words."""
        body = self._titles[index] - 1
        return all(
            any(
                self._folded[index].find(b" " + start.encode(), body) >= 0
                for form in each.split("|")
                for start in self._stemmer.beginnings(form)
            )
            for each in wanted
        )

    def holds(self, needle: str) -> bool:
        """Whether the letters and digits stand anywhere at all, be it inside a word."""
        return any(needle.lower().encode() in text for text in self._folded)

    def _holding(self, word: str) -> int:
        if word not in self._found:
            self._found[word] = self._bits(chain.from_iterable(map(self._holding_form, word.split("|"))))
        return self._found[word]

    def _holding_form(self, form: str) -> list[NDArray[np.int32]]:
        if is_number(form):
            return [self._holders.of(form), self._holders.of(f"{form}s")]
        return [self._holders.of_beginning(start) for start in self._stemmer.beginnings(form)]

    def _bits(self, held: Iterable[NDArray[np.int32]]) -> int:
        """One bit of each document that is in any of these."""
        bits = np.zeros(len(self.documents), dtype=np.bool_)
        for each in held:
            bits[each] = True
        return int.from_bytes(np.packbits(bits, bitorder="little").tobytes(), "little")


def _places(bits: int) -> list[int]:
    """Where the bits are that are set, in order."""
    if bits.bit_count() < _FEW:
        return list(_few(bits))
    content = np.frombuffer(bits.to_bytes(-(-bits.bit_length() // 8), "little"), dtype=np.uint8)
    places: list[int] = np.flatnonzero(np.unpackbits(content, bitorder="little")).tolist()
    return places


def _few(bits: int) -> Iterator[int]:
    while bits:
        yield (bits & -bits).bit_length() - 1
        bits &= bits - 1
