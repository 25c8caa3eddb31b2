"""Draws the ten test queries of a dataset from its records. Pure.

Belongs here: which documents and words make queries (``docs/contract.md`` C-62). Does not belong here: asking a
connector (``sample_queries.py``).

Ground truth comes from the records, never from an engine: a query is admitted only where a scan of all documents
(``corpus.py``) finds exactly what it is meant to find. Documents are picked by a hash of seed, rotation and kind, one
document per query, spread over containers; so the same records give the same queries, and another rotation others.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import cached_property
from itertools import combinations, count, product

import numpy as np
import pyarrow as pa

from dataops_core.connectors.embedded.spelling import is_beyond_ascii
from dataops_core.connectors.protocol import SearchFilter
from dataops_core.dataset_types.base import DatasetType, Document
from dataops_core.errors import PermanentError
from dataops_core.generation.seeding import digest64, mix
from dataops_core.quality.corpus import Corpus, words
from dataops_core.quality.phrases import fresh_windows
from dataops_core.quality.query_set import KINDS, PAGE_SIZE, TOP, QueryKind, QuerySet, SampleQuery

#: A word as the tokenizer sees it, and its length at most: beyond that it is a sentence without blanks.
_WORD, _WORD_LENGTH = re.compile(r"[^\W_]{2,}"), 24
#: What a person would call an entity: an issue key, a hyphenated name, a number of some length.
ENTITIES = (
    re.compile(r"(?<![\w-])[A-Z][A-Z0-9]{1,9}-\d+(?![\w-])"),
    re.compile(r"(?<![\w./-])[a-z][a-z0-9]+(?:-[a-z0-9]+)+(?![\w./-])"),
    re.compile(r"(?<![\w.,/-])\d{4,}(?![\w.,/-])"),
)
#: Words that engines may leave out of a question, of those long enough to be drawn.
_STOP_WORDS = frozenset(
    {
        "about", "above", "after", "again", "against", "because", "before", "being", "below", "between", "cannot",
        "could", "doing", "during", "further", "having", "herself", "himself", "itself", "myself", "other", "ought",
        "ourselves", "shall", "should", "since", "their", "theirs", "themselves", "there", "these", "those", "through",
        "under", "until", "where", "which", "while", "whose", "would", "yours", "yourself", "yourselves",
    }
)  # fmt: skip
#: How much is tried before a kind is given up: documents, and words or phrases of each.
_TRIED_DOCUMENTS = 60
#: Words beyond ASCII that a text has at least for them to be asked for.
OWN_WORDS = 3
_TRIED_WORDS = 24
_TRIED_MEMBERS = 8
_TRIED_TOGETHER = 12
#: Documents after which a title that will do is taken, though a better one might come.
_TRIED_TITLES = 24


def make_queries(
    records: pa.Table | Sequence[Document], dataset_type: DatasetType, *, seed: int, rotation: int = 0
) -> QuerySet:
    """Draws the ten queries from the records, or from the documents that they are.

    Needs records of which ten different ones can be told apart by search, which every healthy dataset from 20 records
    on has; else raises PermanentError. Linear in the size of the text: about 0.11 s for 15 MB. What is tried is
    bounded, so that no luck of the draw takes much longer.
    """
    if isinstance(records, Sequence):
        documents = records
    else:
        documents = [dataset_type.document(row) for row in records.to_pylist()]
    with closing(Corpus(documents)) as corpus:
        return _Draw(corpus, dataset_type, f"{seed}/{rotation}").queries()


def draw_many(corpus: Corpus, dataset_type: DatasetType, kind: QueryKind, *, key: str) -> Iterator[SampleQuery]:
    """Queries of one kind, each with a document of its own, as many as can be drawn (of ``negative``: without end).

    A query may find more than is meant, where none better was tried: who wants it proven scans for it.
    """
    draw = _Draw(corpus, dataset_type, key)
    for number in count(1):
        query = draw.draw(kind, f"{kind}-{number:03d}")
        if query is None:
            return
        yield query


class _Draw:
    """One drawing: the corpus, and which documents and containers were used so far."""

    def __init__(self, corpus: Corpus, dataset_type: DatasetType, key: str) -> None:
        self._corpus = corpus
        self._documents = corpus.documents
        self._type = dataset_type
        self._key = key
        self._free = np.ones(len(self._documents), dtype=np.bool_)
        numbers: dict[str, int] = {}
        #: Of each document its container's number, and of each container how many of its documents are used.
        self._container = np.array(
            [numbers.setdefault(one.container, len(numbers)) for one in self._documents], dtype=np.int64
        )
        self._taken = np.zeros(len(numbers), dtype=np.int64)
        #: Of each document that was tried for them its :func:`own_words`.
        self._own: dict[int, list[str]] = {}
        self._ids = np.array([digest64(one.id) for one in self._documents], dtype=np.uint64)

    def queries(self) -> QuerySet:
        """The ten, in the order of KINDS."""
        drawn: list[SampleQuery] = []
        for number, kind in enumerate(KINDS, start=1):
            query = self.draw(kind, f"q{number:02d}-{kind}")
            if query is None:
                raise PermanentError(f"No {kind} query can be drawn from the {len(self._documents)} records.")
            drawn.append(query)
        return QuerySet(tuple(drawn))

    def draw(self, kind: QueryKind, query_id: str) -> SampleQuery | None:
        """One query of this kind; None where none is left that can be told apart."""
        draws: dict[QueryKind, Callable[[str], SampleQuery | None]] = {
            QueryKind.TITLE: self._title,
            QueryKind.PHRASE: self._phrase,
            QueryKind.ENTITY: self._entity,
            QueryKind.CONJUNCTION: self._conjunction,
            QueryKind.FILTER: self._filter,
            QueryKind.PEOPLE: self._people,
            QueryKind.NEGATIVE: self._negative,
        }
        return draws[kind](query_id)

    def _hash(self, query_id: str, what: object) -> bytes:
        return hashlib.blake2b(f"{self._key}/{query_id}/{what}".encode(), digest_size=8).digest()

    def _order(self, query_id: str) -> list[int]:
        """Documents not yet used, those of fresh containers first."""
        free = np.flatnonzero(self._free)
        drawn = mix(self._ids[free] + np.uint64(digest64(self._key, query_id)))
        order: list[int] = free[np.lexsort((drawn, self._taken[self._container[free]]))].tolist()
        return order

    def _shuffled(self, query_id: str, values: Sequence[str]) -> list[str]:
        """The distinct values, in an order of the query's own."""
        return sorted(dict.fromkeys(values), key=lambda value: self._hash(query_id, value))

    def _take(self, index: int) -> str:
        """Marks the document as used; returns its URL."""
        self._free[index] = False
        self._taken[self._container[index]] += 1
        return self._documents[index].view_url

    def _urls(self, indexes: Sequence[int]) -> tuple[str, ...]:
        return tuple(sorted(self._documents[index].view_url for index in indexes))

    def _title(self, query_id: str) -> SampleQuery | None:
        """A full title that leads to one document; of those that are tried the one of which its body lacks most."""
        best: tuple[int, int] | None = None
        other: int | None = None
        order = self._order(query_id)
        self._learn_titles(order)
        for tried, index in enumerate(order):
            if tried >= _TRIED_TITLES and (best is not None or other is not None):
                break
            wanted = words(self._documents[index].title)
            found = self._corpus.matching(wanted) if wanted else []
            if found == [index]:
                # Where titles are lost, what the body has of them still leads there.
                lacking = sum(not self._corpus.body_matches(index, [word]) for word in wanted)
                if best is None or lacking > best[0]:
                    best = lacking, index
            elif index in found and len(found) <= TOP and other is None:
                other = index
        chosen = other if best is None else best[1]
        return None if chosen is None else self._known(query_id, QueryKind.TITLE, self._documents[chosen].title, chosen)

    def _learn_titles(self, order: Sequence[int]) -> None:
        self._corpus.learn(word for index in order[:_TRIED_TITLES] for word in words(self._documents[index].title))

    def _known(self, query_id: str, kind: QueryKind, text: str, index: int) -> SampleQuery:
        return SampleQuery(query_id, kind, text, expected=(self._take(index),))

    def _phrase(self, query_id: str) -> SampleQuery | None:
        """Six consecutive words of the last third of a body, with one at least that stands only there."""
        for index in self._order(query_id)[:_TRIED_DOCUMENTS]:
            text = self._corpus.plain(index)
            cut = len(text) * 2 // 3
            before = frozenset(words(f"{self._documents[index].title}\n{text[:cut]}"))
            found, numbered = fresh_windows(text[cut:], before)
            # Those with a number first: most of the others stand in other documents too.
            ordered = self._shuffled(query_id, [window for window in found if window in numbered])
            if len(ordered) < _TRIED_WORDS:
                ordered += self._shuffled(query_id, [window for window in found if window not in numbered])
            tried = {window: words(window) for window in ordered[:_TRIED_WORDS]}
            self._corpus.learn(word for held in tried.values() for word in held)
            for window, held in tried.items():
                if self._corpus.is_alone(index, held):
                    return self._known(query_id, QueryKind.PHRASE, window, index)
        return None

    def _entity(self, query_id: str) -> SampleQuery | None:
        """An issue key or another name that at most three documents hold, each as one piece; else two such names."""
        order = self._order(query_id)[:_TRIED_DOCUMENTS]
        for pattern in ENTITIES:
            for index in order:
                names = self._shuffled(query_id, pattern.findall(self._corpus.plain(index)))[:_TRIED_WORDS]
                self._corpus.learn(word for name in names for word in words(name))
                for name in names:
                    found = self._corpus.matching(words(name))
                    if index in found and len(found) <= TOP and self._corpus.adjacent(words(name), found) == found:
                        self._take(index)
                        return SampleQuery(query_id, QueryKind.ENTITY, name, expected=self._urls(found))
        return self._two_entities(query_id, order)

    def _two_entities(self, query_id: str, order: Sequence[int]) -> SampleQuery | None:
        """Two names that at most three documents hold together: among thousands every single one may be in many."""
        for index in order:
            text = self._corpus.plain(index)
            names = self._shuffled(query_id, [name for pattern in ENTITIES for name in pattern.findall(text)])
            found_by = {name: self._corpus.matching(words(name)) for name in names[:_TRIED_WORDS]}
            for first, second in combinations(sorted(found_by, key=lambda name: len(found_by[name])), 2):
                found = self._corpus.matching(words(second), found_by[first])
                # Few first: whether thousands hold each name in one piece takes long to see.
                few = index in found and len(found) <= TOP
                if few and all(self._corpus.adjacent(words(name), found) == found for name in (first, second)):
                    self._take(index)
                    return SampleQuery(query_id, QueryKind.ENTITY, f"{first} {second}", expected=self._urls(found))
        return None

    def _conjunction(self, query_id: str) -> SampleQuery | None:
        """Three words of a body, none of its title, that only together single the document out.

        Rather words with letters beyond ASCII: an index that lost those finds none of the three.
        """
        order = self._order(query_id)[:_TRIED_DOCUMENTS]
        for index in order:
            if index not in self._own:
                self._own[index] = own_words(self._corpus, index)
            own = self._own[index]
            chosen = self._three(index, self._shuffled(query_id, own)) if own else None
            if chosen is not None:
                return self._known(query_id, QueryKind.CONJUNCTION, chosen, index)
        for index in order:
            text, title = self._corpus.plain(index), set(words(self._documents[index].title))
            # Of the first word the cut may have left a part.
            body = set(filter(is_telling, set(words(text[len(text) // 3 :])[1:]) - title))
            # The rarest of its words; equally rare ones in an order of the query's own.
            ordered = sorted(self._shuffled(query_id, sorted(body)), key=self._corpus.frequency)
            chosen = self._three(index, ordered)
            if chosen is not None:
                return self._known(query_id, QueryKind.CONJUNCTION, chosen, index)
        return None

    def _three(self, index: int, ordered: Sequence[str]) -> str | None:
        """Of the first words three that only together single the document out."""
        candidates = list(ordered[:_TRIED_WORDS])
        chosen: list[str] = []
        left: list[int] | None = None
        self._corpus.learn(part for word in candidates for part in words(word))
        while len(chosen) < 3 and candidates:
            sets = {word: self._holding(word, left) for word in candidates}
            best = min(sets, key=lambda word: len(sets[word]))
            chosen.append(best)
            left = sets[best]
            candidates.remove(best)
        return " ".join(chosen) if len(chosen) == 3 and left == [index] else None

    def _holding(self, word: str, among: list[int] | None) -> list[int]:
        """Documents (of ``among``, or of all) that hold a word as it is written."""
        held = self._corpus.written(word)
        return sorted(held) if among is None else [index for index in among if index in held]

    def _filter(self, query_id: str) -> SampleQuery | None:
        """Words and a facet's value, whose whole answer fits on a page, with more to find outside; rather one word."""
        facet = self._type.filter_facet
        groups, names = self._groups
        most = len(self._documents) * 0.6
        values = sorted(groups, key=lambda v: (not 2 <= len(groups[v]) <= most, self._hash(query_id, v)))
        order = self._order(query_id)
        # Among many thousands every single word may be in too many: then two together, or three.
        for many, least, value in product((1, 2, 3), (2, 1), values):
            members = groups[value]
            for index in [index for index in order if index in members][:_TRIED_MEMBERS]:
                found = self._filter_words(query_id, index, members, least, many)
                if found is not None:
                    text, allowed = found
                    self._take(index)
                    condition = SearchFilter(facet, (names[value],))
                    return SampleQuery(query_id, QueryKind.FILTER, text, (condition,), allowed=self._urls(allowed))
        return None

    def _filter_words(
        self, query_id: str, index: int, members: frozenset[int], least: int, many: int
    ) -> tuple[str, list[int]] | None:
        """So many of its words that stand together, as they are, in ``least`` … 10 members, and outside too."""
        text = f"{self._documents[index].title}\n{self._corpus.plain(index)}"
        candidates = [word for word, count in Counter(words(text)).items() if count <= 2 and is_telling(word)]
        tried = self._shuffled(query_id, candidates)[: 2 * _TRIED_WORDS]
        if many > 1:
            tried = sorted(tried, key=self._corpus.frequency)[:_TRIED_TOGETHER]
        self._corpus.learn(tried)
        for together in combinations(tried, many):
            inside = self._corpus.matching(together, members)
            if not least <= len(inside) <= PAGE_SIZE or len(self._corpus.matching(together)) == len(inside):
                continue
            if all(self._corpus.says(i, together) for i in inside):
                return " ".join(together), inside
        return None

    def _people(self, query_id: str) -> SampleQuery | None:
        """A title and its author (owner, where there is none); rather one that others could answer as well."""
        fallback: tuple[int, str, str, list[int]] | None = None
        order = self._order(query_id)
        self._learn_titles(order)
        for tried, index in enumerate(order):
            if tried >= _TRIED_TITLES and fallback is not None:
                break
            wanted = words(self._documents[index].title)
            for field, person in _people_of(self._documents[index])[:1] if wanted else ():
                theirs = self._theirs[field, person]
                if self._corpus.matching(wanted, theirs) != [index]:
                    continue
                if self._corpus.matching(wanted) != [index]:
                    return self._people_query(query_id, index, field, person, theirs)
                fallback = (index, field, person, theirs) if fallback is None else fallback
        return None if fallback is None else self._people_query(query_id, *fallback)

    @cached_property
    def _groups(self) -> tuple[dict[str, frozenset[int]], dict[str, str]]:
        """Of each value of the facet, in whatever case, its documents; and how it is written."""
        groups: dict[str, list[int]] = {}
        names: dict[str, str] = {}
        for index, document in enumerate(self._documents):
            held = document.properties.get(self._type.filter_facet, ())
            for value in (held,) if isinstance(held, str) else held:
                groups.setdefault(value.casefold(), []).append(index)
                names[value.casefold()] = value
        return {value: frozenset(members) for value, members in groups.items()}, names

    @cached_property
    def _theirs(self) -> dict[tuple[str, str], list[int]]:
        """The documents of each person, by field and value of the filter for them."""
        theirs: dict[tuple[str, str], list[int]] = {}
        for index, document in enumerate(self._documents):
            for field, person in _people_of(document):
                theirs.setdefault((field, person), []).append(index)
        return theirs

    def _people_query(self, query_id: str, index: int, field: str, person: str, theirs: list[int]) -> SampleQuery:
        return SampleQuery(
            query_id,
            QueryKind.PEOPLE,
            self._documents[index].title,
            (SearchFilter(field, (person,)),),
            expected=(self._take(index),),
            allowed=self._urls(theirs),
        )

    def _negative(self, query_id: str) -> SampleQuery | None:
        """A word that stands nowhere."""
        for attempt in range(_TRIED_WORDS):
            nonce = f"qz{self._hash(query_id, attempt).hex()}"
            if not self._corpus.holds(nonce):
                return SampleQuery(query_id, QueryKind.NEGATIVE, nonce)
        return None


def own_words(corpus: Corpus, index: int) -> list[str]:
    """Words of a body with letters beyond ASCII; none where there are not enough to ask for.

    None is of its title, or stands there in ASCII, too, as in a mail address: so an index without such letters that
    takes muller or mueller for Müller does not lead there.
    """
    if corpus.is_ascii(index):
        return []
    text, title = corpus.plain(index), corpus.documents[index].title
    if not is_beyond_ascii(text):
        return []
    said, lowered = set(words(title)), text.lower()
    found = dict.fromkeys(word for word in _WORD.findall(text) if not word.isascii())
    plain = (word for word in found if word.isalpha() and len(word) <= _WORD_LENGTH)
    own = [word for word in plain if (parts := words(word)) and said.isdisjoint(parts)]
    own = [word for word in own if not any(form.isascii() and form in lowered for form in _forms(word))]
    return own if len(own) >= OWN_WORDS else []


def _forms(word: str) -> Iterator[str]:
    """How an engine may have folded the word."""
    return (form for part in words(word) for form in part.split("|"))


def is_telling(word: str) -> bool:
    """Whether an engine will search for the word, and a person may."""
    return len(word) >= 5 and word.isalpha() and word not in _STOP_WORDS


def _people_of(document: Document) -> list[tuple[str, str]]:
    """Filter field and value of the document's people: the mail address, else the name."""
    people = [
        ("author", document.author_email or document.author_name),
        ("owner", document.owner_email or document.owner_name),
    ]
    return [(field, person) for field, person in people if person]
