"""What is proposed as a test query of a large dataset, and what a reading of all its documents finds for it. Pure.

A proposal asks for more and more: words one after another, then filters. The reading tells of each length what it
finds, so that the query asks for no more than it needs, however many documents there are. Does not belong here: what
is proposed (``proposals.py``), and how often all documents are read (``large_drawing.py``).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from dataops_core.connectors.protocol import SearchFilter
from dataops_core.dataset_types.base import Document
from dataops_core.quality.corpus import Corpus, words
from dataops_core.quality.query_set import PAGE_SIZE, TOP, QueryKind, SampleQuery

#: What a query may find at most, before the first hit that is not wanted: one document, but for these.
_MOST = {QueryKind.FILTER: PAGE_SIZE, QueryKind.TITLE: TOP, QueryKind.ENTITY: TOP}
#: Of a query for a person's document, so many are listed as theirs at most; of those who have more, others are asked.
_MOST_LISTED = 20_000
#: Of documents read together that may have the words but not what the filter asks for, so many are looked at closely.
_LOOKED_AT = 8


@dataclass(frozen=True, slots=True)
class Step:
    """What a query asks for more than without it: a text, which is a run of words, or a filter of one value."""

    text: str = ""
    condition: SearchFilter | None = None

    @property
    def run(self) -> tuple[str, ...]:
        """The text's words."""
        return tuple(words(self.text))


@dataclass(slots=True)
class _Length:
    """What was found so far by a proposal's first steps. ``listed``: all that the filters let through, of a person's.

    ``outside``: whether some have the words as they are, but are not let through. ``is_there``: whether the documents
    that were read last may have anything for a longer query, too.
    """

    query: SampleQuery
    runs: tuple[tuple[str, ...], ...]
    found: list[str] = field(default_factory=list)
    listed: list[str] = field(default_factory=list)
    outside: bool = False
    is_there: bool = True

    def read(self, block: "Block") -> bool:
        """Looks for the query in some documents. False where it finds what it must not: then it is no query."""
        kind, corpus = self.query.kind, block.corpus
        if kind is QueryKind.NEGATIVE:
            return not corpus.holds(self.query.text)
        among = block.let_through(self.query.filters)
        wanted = [word for run in self.runs for word in run]
        found = corpus.matching(wanted, among)
        self.found += block.urls(found)
        self.is_there = bool(found) or kind is QueryKind.PEOPLE
        if len(self.found) > _MOST.get(kind, 1):
            return False
        if kind is QueryKind.PEOPLE:
            self.listed += block.urls(sorted(among or ()))
            return len(self.listed) <= _MOST_LISTED
        if kind is QueryKind.FILTER:
            others = sorted(set(corpus.matching(wanted)).difference(found))
            # The oracle takes words of one stem for one: an engine without a stemmer would find nothing outside.
            self.outside |= any(corpus.says(index, wanted) for index in others[:_LOOKED_AT])
            self.is_there = bool(found or others)
            return all(corpus.says(index, wanted) for index in found)
        if kind is QueryKind.ENTITY:
            return all(corpus.adjacent(run, found) == found for run in self.runs)
        return True


class Trial:
    """A proposal for the document at ``url``: its first ``least`` steps or more. ``preferred``: before all others."""

    def __init__(
        self, kind: QueryKind, steps: Sequence[Step], *, url: str = "", least: int = 1, preferred: bool = False
    ) -> None:
        self.kind = kind
        self.preferred = preferred
        self._url = url
        self._lengths = [_length(kind, steps[:stop]) for stop in range(least, len(steps) + 1)]

    def words(self) -> Iterator[str]:
        """The words that it asks for."""
        if self._lengths and self.kind is not QueryKind.NEGATIVE:
            yield from (word for run in self._lengths[-1].runs for word in run)

    def read(self, block: "Block") -> None:
        """Looks for it in some documents."""
        kept: list[_Length] = []
        for place, length in enumerate(self._lengths):
            if length.read(block):
                kept.append(length)
            if not length.is_there:
                kept += self._lengths[place + 1 :]
                break
        self._lengths = kept

    def admitted(self) -> SampleQuery | None:
        """The shortest query that finds in all documents what it is to find, and that; None where none does."""
        for length in self._lengths:
            query, found = length.query, tuple(sorted(length.found))
            if self.kind is QueryKind.NEGATIVE:
                return query
            if self._url not in found or (self.kind is QueryKind.FILTER and not length.outside):
                continue
            if self.kind is QueryKind.FILTER:
                return _with(query, allowed=found)
            if self.kind is QueryKind.ENTITY:
                return _with(query, expected=found)
            listed = tuple(sorted(length.listed)) if self.kind is QueryKind.PEOPLE else None
            return _with(query, expected=(self._url,), allowed=listed)
        return None


def _length(kind: QueryKind, steps: Sequence[Step]) -> _Length:
    """The query of some steps. A phrase does not end with what parts it from the next word."""
    text = " ".join(step.text for step in steps if step.text).rstrip(",;:" if kind is QueryKind.PHRASE else "")
    conditions = tuple(step.condition for step in steps if step.condition is not None)
    return _Length(SampleQuery("", kind, text, conditions), tuple(step.run for step in steps if step.text))


def _with(query: SampleQuery, *, expected: tuple[str, ...] = (), allowed: tuple[str, ...] | None = None) -> SampleQuery:
    return SampleQuery(query.query_id, query.kind, query.text, query.filters, expected, allowed)


class Block:
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

    def let_through(self, conditions: Sequence[SearchFilter]) -> set[int] | None:
        """The documents that have each filter's one value; None, for all of them, without a filter."""
        return set.intersection(*map(self._having, conditions)) if conditions else None

    def _having(self, condition: SearchFilter) -> set[int]:
        if condition.field not in self._members:
            members: dict[str, set[int]] = {}
            for index, document in enumerate(self.documents):
                for value in values(document, condition.field):
                    members.setdefault(value.casefold(), set()).add(index)
            self._members[condition.field] = members
        return self._members[condition.field].get(condition.values[0].casefold(), set())


def values(document: Document, name: str) -> tuple[str, ...]:
    """What the document has in a filter's field."""
    people = {
        "author": document.author_email or document.author_name,
        "owner": document.owner_email or document.owner_name,
    }
    held = people[name] if name in people else document.properties.get(name, ())
    return tuple(value for value in ((held,) if isinstance(held, str) else held or ()) if value)
