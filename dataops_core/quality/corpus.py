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
import pyarrow.compute as pc
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
#: Texts whose words are found together, and their bytes, about: their table of words and texts stays small, and what is
#: made of them in the processor's cache.
_TEXTS_AT_ONCE, _BYTES_AT_ONCE = 128, 1 << 19
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
    if text.isascii():
        # A third of the time of a regular expression.
        return text.encode().translate(_FOLDED).decode().split()
    lowered = text.lower()
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
    """Of each word, the texts that hold it: one of each document.

    One run of numbers for each word and the words in order, so that what holds any word with one beginning is one run.
    """

    def __init__(self, documents: Sequence[Document]) -> None:
        size = sum(len(document.body) for document in documents)
        at_once = min(_TEXTS_AT_ONCE, max(1, _BYTES_AT_ONCE * len(documents) // max(1, size)))
        starts = range(0, max(1, len(documents)), at_once)
        # In this thread alone: the other core is the connector's, which indexes the same texts meanwhile.
        parts = [_holding(documents[start : start + at_once]) for start in starts]
        self._words, numbers = _in_order([said for said, _, _ in parts])
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
        self._all_words = b" ".join(self._words)

    def has(self, needle: str) -> bool:
        """Whether the letters and digits stand in any word."""
        return needle.encode() in self._all_words

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


def _spelled(text: str) -> bytes:
    """The text's words, and then those of its other spellings."""
    if text.isascii():
        return text.encode()
    said, others = folded_with_others(text)
    return f"{said}{_BOUND if others else ''}{others}".encode()


def _folded(text: str) -> bytes:
    """The same words between blanks."""
    return b" %s " % _spelled(text).translate(_FOLDED)


def _holding(documents: Sequence[Document]) -> tuple[pa.StringArray, NDArray[np.int64], NDArray[np.int32]]:
    """The words of some documents, each behind a blank; how many of them hold each; and which these are, word by word.

    By kernels of Arrow's and NumPy's, which let other threads run: each blank begins a word, which is empty where
    another follows, as at the very beginning.
    """
    texts = [_spelled(text) for document in documents for text in (document.title, document.body)]
    whole = b" ".join((b"", b"", *texts, b"")).translate(_FOLDED)
    blanks = np.flatnonzero(np.frombuffer(whole, dtype=np.uint8) == _BLANK)
    said = arrays.cut(whole, blanks).dictionary_encode()
    # As NumPy's own kind of index: any other is slower by far.
    numbers = np.frombuffer(arrays.content(said.indices), dtype=np.int32).astype(np.intp)
    held = np.zeros((len(documents), len(said.dictionary)), dtype=np.bool_)
    ends = np.cumsum([len(text) + 1 for text in texts])[1::2]
    bounds = np.searchsorted(blanks, [1, *(ends + 1)]).tolist()
    for row, (first, stop) in zip(held, pairwise(bounds), strict=True):
        row[numbers[first:stop]] = True
    # Without the empty word, which comes first.
    by_word = np.ascontiguousarray(held[:, 1:].T)
    # Where all of the table is looked at in one row, NumPy is five times as fast.
    words_held, texts_holding = np.divmod(np.flatnonzero(by_word), max(1, len(documents)))
    return said.dictionary[1:], np.bincount(words_held, minlength=len(by_word)), texts_holding.astype(np.int32)


def _in_order(parts: Sequence[pa.StringArray]) -> tuple[list[bytes], list[NDArray[np.int64]]]:
    """All words of the parts once, without the blank before them; and of each part which of them its words are."""
    said = pa.concat_arrays(parts).dictionary_encode()
    order = pc.array_sort_indices(said.dictionary)
    places = np.empty(len(order), dtype=np.int64)
    places[np.frombuffer(arrays.content(order), dtype=np.uint64)] = np.arange(len(order))
    numbers = places[np.frombuffer(arrays.content(said.indices), dtype=np.int32)]
    in_order = said.dictionary.take(order).view(pa.binary()).to_pylist()
    return [word[1:] for word in in_order], np.split(numbers, np.cumsum([len(part) for part in parts])[:-1])


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
        self._holders = _Holders(documents)
        #: Of each word that was asked for the documents that may hold it, one bit each: so many words are one AND each.
        self._found: dict[str, int] = {}
        self._plain: dict[int, str] = {}
        #: Of each document that was looked at its folded title and body, and the same as it is read.
        self._folded: dict[int, tuple[bytes, bytes]] = {}
        self._folded_plain: dict[int, bytes] = {}
        self._written: dict[str, frozenset[int]] = {}
        #: Of each document that was looked at its words, in ASCII as they stand: a few are soon found among them.
        self._said: dict[int, bytes | frozenset[str]] = {}

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
        return frozenset(words(self._text(index)))

    def says(self, index: int, wanted: Iterable[str]) -> bool:
        """Whether all the words are among these."""
        said = self._said.get(index)
        if said is None:
            text = self._text(index)
            said = self._said[index] = _folded(text) if text.isascii() else self.said(index)
        if isinstance(said, bytes):
            return all(f" {word} ".encode() in said for word in wanted)
        return said.issuperset(wanted)

    def _text(self, index: int) -> str:
        return f"{self.documents[index].title}\n{self.plain(index)}"

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
        return [index for index in among if run.search(b"".join(self._title_and_body(index)))]

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
            is_marked_up = document.mime_type == HTML
            self._folded_plain[index] = _single(
                _folded(self._text(index)) if is_marked_up else b"".join(self._title_and_body(index))
            )
        return self._folded_plain[index]

    def body_matches(self, index: int, wanted: Iterable[str]) -> bool:
        """Whether the document's body alone may hold all the words."""
        _, body = self._title_and_body(index)
        return all(
            any(b" " + start.encode() in body for form in each.split("|") for start in self._stemmer.beginnings(form))
            for each in wanted
        )

    def holds(self, needle: str) -> bool:
        """Whether the letters and digits stand anywhere at all, be it inside a word."""
        return self._holders.has(needle.lower())

    def _title_and_body(self, index: int) -> tuple[bytes, bytes]:
        if index not in self._folded:
            document = self.documents[index]
            self._folded[index] = _folded(document.title), _folded(document.body)
        return self._folded[index]

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
