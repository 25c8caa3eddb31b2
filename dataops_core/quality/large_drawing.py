"""Draws the ten test queries of a dataset of any size, in memory that does not grow with it. Pure.

Small records are looked at all together (``query_drawing.py``). Of large ones some row groups propose queries, more
than are needed; then all documents are read, block by block, and a proposal is admitted only where that reading finds
what it is meant to find: ground truth is what all records say, as for small ones. Does not belong here: what words hold
(``corpus.py``), and what a query is (``query_set.py``).

Most words of a sample stand in many other documents, too. So an entity or a filter asks for so many words together as
are few enough by how often the sample has each of them.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from math import prod

import pyarrow as pa

from dataops_core.connectors.protocol import SearchFilter
from dataops_core.dataset_types.base import DatasetType, Document
from dataops_core.errors import PermanentError
from dataops_core.generation.pieces import KeptRecords, Records
from dataops_core.quality.corpus import Corpus, words
from dataops_core.quality.phrases import windows
from dataops_core.quality.query_drawing import (
    ENTITIES,
    OWN_WORDS,
    draw_many,
    is_telling,
    make_queries,
    own_words,
)
from dataops_core.quality.query_set import KINDS, PAGE_SIZE, TOP, QueryKind, QuerySet, SampleQuery

#: What proposes: about so many documents, of at most so many bytes, from all over the file.
_SAMPLE_ROWS, _SAMPLE_BYTES = 2048, 16 * 2**20
#: Documents that are read together.
_BLOCK_ROWS = 2048
#: Proposals of each kind for one query of the ten, and how often others are drawn where all were refused.
_PROPOSALS = 24
_ROUNDS = 3
#: Of those of words together, so many at first are of words beyond ASCII, where texts have any.
_OWN = _PROPOSALS // 2
#: Words or names asked for together, at most.
_TOGETHER = 6
#: Words of a phrase, at most, and documents whose phrases are compared.
_PHRASE_WORDS, _PHRASE_ROWS = 12, 512
#: How many documents are to have all words of a query: proposals of one after another aim at these.
_ENTITY_AIM = (0.5, 0.05, 0.005)
_CONJUNCTION_AIM = (0.1, 0.01, 0.001)
_FILTER_AIM = (20.0, 8.0, 3.0, 1.0, 0.3, 0.1)


def draw_queries(
    records: Records,
    dataset_type: DatasetType,
    *,
    seed: int,
    rotation: int = 0,
    documents: Sequence[Document] | None = None,
) -> QuerySet:
    """Draws the ten queries from the stored records. Raises PermanentError where they give none of a kind.

    ``documents`` are all that the records are, where they were made already.
    """
    if isinstance(records, KeptRecords):
        try:
            return make_queries(documents or records.table, dataset_type, seed=seed, rotation=rotation)
        except PermanentError:
            # Among thousands of short ones no name may be rare: then some together are.
            if records.count <= _SAMPLE_ROWS:
                raise
    return _Large(records, dataset_type, f"{seed}/{rotation}").queries()


@dataclass(slots=True)
class _Trial:
    """A proposal, and what the reading has found so far. ``pieces``: runs of words that stand as they are, each."""

    query: SampleQuery
    pieces: tuple[tuple[str, ...], ...]
    found: list[str] = field(default_factory=list)
    #: All that the filter lets through (of a query for a person's document), and what has the words but is outside.
    members: list[str] = field(default_factory=list)
    outside: int = 0
    refused: bool = False

    def read(self, block: "_Block") -> None:
        """Looks for the query in some documents. A query that finds too much is not looked for any more."""
        if self.refused:
            return
        kind, corpus = self.query.kind, block.corpus
        if kind is QueryKind.NEGATIVE:
            self.refused = corpus.holds(self.query.text)
            return
        among = block.members(self.query.filters[0]) if self.query.filters else None
        wanted = [word for piece in self.pieces for word in piece]
        found = corpus.matching(wanted, among)
        self.found += block.urls(found)
        most = PAGE_SIZE if kind is QueryKind.FILTER else TOP if kind in _SOME else 1
        self.refused = len(self.found) > most
        if kind is QueryKind.PEOPLE and among is not None:
            self.members += block.urls(sorted(among))
        elif kind is QueryKind.FILTER and not self.refused:
            self.outside += len(corpus.matching(wanted)) - len(found)
            self.refused = not all(corpus.said(index).issuperset(wanted) for index in found)
        elif kind is QueryKind.ENTITY and not self.refused:
            self.refused = any(corpus.adjacent(piece, found) != found for piece in self.pieces)

    def admitted(self) -> SampleQuery | None:
        """The query with what the reading of all documents has found; None where that is not what it is to find."""
        kind, query = self.query.kind, self.query
        if self.refused or (kind is not QueryKind.NEGATIVE and not self.found):
            return None
        if kind is QueryKind.FILTER:
            return replace(query, allowed=tuple(sorted(self.found))) if self.outside else None
        if kind is QueryKind.ENTITY:
            return replace(query, expected=tuple(sorted(self.found)))
        if kind is QueryKind.PEOPLE:
            query = replace(query, allowed=tuple(sorted(self.members)))
        return query if set(query.expected) <= set(self.found) else None


#: Kinds of which a few documents may be found.
_SOME = frozenset({QueryKind.TITLE, QueryKind.ENTITY})


class _Block:
    """Documents that are read together: their words, and which of them a filter lets through."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.documents = documents
        self.corpus = Corpus(documents)
        self._members: dict[str, dict[str, set[int]]] = {}

    def close(self) -> None:
        """Frees what the corpus needed."""
        self.corpus.close()

    def urls(self, indexes: Sequence[int]) -> list[str]:
        """The addresses of some of the documents."""
        return [self.documents[index].view_url for index in indexes]

    def members(self, condition: SearchFilter) -> set[int]:
        """The documents that have the filter's one value."""
        if condition.field not in self._members:
            members: dict[str, set[int]] = {}
            for index, document in enumerate(self.documents):
                for value in _values(document, condition.field):
                    members.setdefault(value.casefold(), set()).add(index)
            self._members[condition.field] = members
        return self._members[condition.field].get(condition.values[0].casefold(), set())


def _values(document: Document, name: str) -> tuple[str, ...]:
    """What the document has in a filter's field."""
    people = {
        "author": document.author_email or document.author_name,
        "owner": document.owner_email or document.owner_name,
    }
    held = people[name] if name in people else document.properties.get(name, ())
    return (held,) if isinstance(held, str) else tuple(held or ())


class _Large:
    """One drawing of the ten from records that are read piece by piece."""

    def __init__(self, records: Records, dataset_type: DatasetType, key: str) -> None:
        self._records = records
        self._type = dataset_type
        self._key = key

    def queries(self) -> QuerySet:
        """The ten, in the order of KINDS."""
        admitted: dict[QueryKind, list[SampleQuery]] = {kind: [] for kind in KINDS}
        for turn in range(_ROUNDS):
            lacking = [kind for kind in admitted if len(_apart(admitted)[kind]) < KINDS.count(kind)]
            if not lacking:
                break
            trials = self._proposed(lacking, turn)
            self._read(trials)
            for trial in trials:
                query = trial.admitted()
                if query is not None:
                    admitted[trial.query.kind].append(query)
        drawn = {kind: iter(queries) for kind, queries in _apart(admitted).items()}
        chosen: list[SampleQuery] = []
        for number, kind in enumerate(KINDS, start=1):
            query = next(drawn[kind], None)
            if query is None:
                raise PermanentError(f"No {kind} query can be drawn from the {self._records.count} records.")
            chosen.append(replace(query, query_id=f"q{number:02d}-{kind}"))
        return QuerySet(tuple(chosen))

    def _proposed(self, kinds: Sequence[QueryKind], turn: int) -> list[_Trial]:
        key = f"{self._key}/{turn}"
        shift = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=4).digest(), "little")
        sample = self._records.spread(rows=_SAMPLE_ROWS, size=_SAMPLE_BYTES, turn=shift)
        documents = _documents(sample, self._type)
        trials: list[_Trial] = []
        with closing(Corpus(documents)) as corpus:
            together = _Together(corpus, self._type, self._records.count, key)
            for kind in kinds:
                trials += islice(together.proposals(kind), _PROPOSALS * KINDS.count(kind))
        return trials

    def _read(self, trials: Sequence[_Trial]) -> None:
        for piece in self._records.pieces():
            for start in range(0, piece.num_rows, _BLOCK_ROWS):
                with closing(_Block(_documents(piece.slice(start, _BLOCK_ROWS), self._type))) as block:
                    for trial in trials:
                        trial.read(block)


def _documents(table: pa.Table, dataset_type: DatasetType) -> list[Document]:
    return [dataset_type.document(row) for row in table.to_pylist()]


def _apart(admitted: dict[QueryKind, list[SampleQuery]]) -> dict[QueryKind, list[SampleQuery]]:
    """Of each kind so many as are needed, no two of which expect one document."""
    used: set[str] = set()
    chosen: dict[QueryKind, list[SampleQuery]] = {}
    for kind, queries in admitted.items():
        chosen[kind] = []
        for query in queries:
            if len(chosen[kind]) < KINDS.count(kind) and not used.intersection(query.expected):
                used.update(query.expected)
                chosen[kind].append(query)
    return chosen


class _Together:
    """Proposals of several words, few enough together: by how often a sample of ``count`` documents has each."""

    def __init__(self, corpus: Corpus, dataset_type: DatasetType, count: int, key: str) -> None:
        self._corpus = corpus
        self._type = dataset_type
        self._count = count
        self._key = key
        self._shares: dict[str, float] = {}

    def proposals(self, kind: QueryKind) -> Iterator[_Trial]:
        """Queries of a kind that may be admitted, those first that promise most."""
        own = {
            QueryKind.PHRASE: self._phrases,
            QueryKind.ENTITY: self._entities,
            QueryKind.CONJUNCTION: lambda: chain(islice(self._own_conjunctions(), _OWN), self._conjunctions()),
            QueryKind.FILTER: self._filters,
        }
        if kind in own:
            return own[kind]()
        drawn = draw_many(self._corpus, self._type, kind, key=self._key)
        return (_Trial(query, (tuple(words(query.text)),)) for query in drawn)

    def _order(self, what: str) -> list[int]:
        return sorted(range(len(self._corpus.documents)), key=lambda index: self._hash(what, str(index)))

    def _hash(self, *what: str) -> bytes:
        return hashlib.blake2b("/".join((self._key, *what)).encode(), digest_size=8).digest()

    def _share(self, wanted: Sequence[str]) -> float:
        """Which share of the documents has these words: one more than the sample shows, of one more."""
        return (len(self._corpus.matching(wanted)) + 1) / (len(self._corpus.documents) + 1)

    def _share_of(self, word: str) -> float:
        """The share of one word: a sample's phrases have a million, most of them again and again."""
        share = self._shares.get(word)
        if share is None:
            share = self._shares[word] = self._share([word])
        return share

    def _phrases(self) -> Iterator[_Trial]:
        """Six words in a row and more of the last third of a body, those first that seldom stand together."""
        found: list[tuple[float, int, str]] = []
        for index in self._order("phrase")[:_PHRASE_ROWS]:
            document, text = self._corpus.documents[index], self._corpus.plain(index)
            cut = len(text) * 2 // 3
            before = set(words(f"{document.title}\n{text[:cut]}"))
            held = ((window, words(window)) for window in windows(text[cut:], _PHRASE_WORDS))
            new = [
                (prod(map(self._share_of, said)), index, window) for window, said in held if not before.issuperset(said)
            ]
            if new:
                found.append(min(new))
        for _, index, text in sorted(found):
            url = self._corpus.documents[index].view_url
            yield _Trial(SampleQuery("", QueryKind.PHRASE, text, expected=(url,)), (tuple(words(text)),))

    def _entities(self) -> Iterator[_Trial]:
        """Names that single out a few documents: one, else several, else one with words that stand beside it."""
        for number, index in enumerate(self._order("entity")):
            text = self._corpus.plain(index)
            names = dict.fromkeys(name for pattern in ENTITIES for name in pattern.findall(text))
            rare = sorted(names, key=lambda name: (self._share(words(name)), self._hash("entity", name)))
            beside = self._telling(index, f"entity/{number}")
            chosen = self._few([*rare[:3], *sorted(beside, key=self._corpus.frequency)], _aim(_ENTITY_AIM, number))
            if rare and chosen:
                query = SampleQuery("", QueryKind.ENTITY, " ".join(chosen))
                yield _Trial(query, tuple(tuple(words(each)) for each in chosen))

    def _conjunctions(self) -> Iterator[_Trial]:
        """Three words of a body or more, none of its title, that only together single a document out: rare ones."""
        for number, index in enumerate(self._order("conjunction")):
            document = self._corpus.documents[index]
            title = set(words(document.title))
            rare = sorted(self._telling(index, f"conjunction/{number}"), key=self._corpus.frequency)
            chosen = self._few([word for word in rare if word not in title], _aim(_CONJUNCTION_AIM, number), 3)
            if chosen:
                query = SampleQuery("", QueryKind.CONJUNCTION, " ".join(chosen), expected=(document.view_url,))
                yield _Trial(query, (tuple(chosen),))

    def _own_conjunctions(self) -> Iterator[_Trial]:
        """The same beginning with words with letters beyond ASCII: an index that lost those finds none of them.

        Most are names, which stand together in many texts: what else is asked for may be any rare word.
        """
        for number, index in enumerate(self._order("own")):
            own = sorted(own_words(self._corpus, index), key=lambda word: self._share(words(word)))
            # Most documents have none: then their other words would be sorted in vain.
            if not own:
                continue
            title = set(words(self._corpus.documents[index].title))
            others = [word for word in self._telling(index, f"own/{number}") if word not in title]
            rare = sorted([*own[OWN_WORDS:], *others], key=lambda word: self._share(words(word)))
            chosen = self._few([*own[:OWN_WORDS], *rare], _aim(_CONJUNCTION_AIM, number), OWN_WORDS)
            if chosen:
                url = self._corpus.documents[index].view_url
                query = SampleQuery("", QueryKind.CONJUNCTION, " ".join(chosen), expected=(url,))
                yield _Trial(query, tuple(tuple(words(each)) for each in chosen))

    def _filters(self) -> Iterator[_Trial]:
        """Words of a document with a value of its facet: more documents than one have them, not all inside."""
        facet = self._type.filter_facet
        for number, index in enumerate(self._order("filter")):
            values = _values(self._corpus.documents[index], facet)
            chosen = self._few(self._telling(index, f"filter/{number}"), _aim(_FILTER_AIM, number))
            if values and chosen:
                value = min(values, key=lambda value: self._hash("filter", str(index), value))
                query = SampleQuery("", QueryKind.FILTER, " ".join(chosen), (SearchFilter(facet, (value,)),))
                yield _Trial(query, tuple((word,) for word in chosen))

    def _telling(self, index: int, what: str) -> list[str]:
        """The document's words that a person may ask for, in an order of the query's own."""
        said = self._corpus.said(index)
        return sorted(filter(is_telling, said), key=lambda word: self._hash(what, word))

    def _few(self, texts: Sequence[str], aim: float, least: int = 1) -> list[str]:
        """The first texts, at least so many, that ``aim`` documents have together, were they independent.

        None where they are too many.
        """
        expected = float(self._count)
        for number, text in enumerate(texts[:_TOGETHER], start=1):
            expected *= self._share(words(text))
            if expected <= aim and number >= least:
                return list(texts[:number])
        return []


def _aim(aims: Sequence[float], number: int) -> float:
    return aims[number % len(aims)]
