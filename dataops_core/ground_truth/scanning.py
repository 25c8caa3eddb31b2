"""What a reading of all documents must find for a question to be admitted: no engine takes part. Pure.

The documents come in blocks (all at once, where there are not too many), each read once. What a word finds is never too
small (``quality/corpus.py``); where it must be exact, each document found holds the words as they are, in one piece.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from dataops_core.connectors.protocol import SearchFilter
from dataops_core.dataset_types.base import Document
from dataops_core.quality.corpus import Corpus, words

Words = tuple[str, ...]


class Block:
    """Documents that are read together: the words that they hold, and which of them a filter lets through."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.documents = documents
        self.corpus = Corpus(documents)
        self._members: dict[tuple[str, str], set[int]] = {}
        self._titles: dict[Words, list[int]] = {}
        for index, document in enumerate(documents):
            for place in _places(document):
                self._members.setdefault(place, set()).add(index)
            self._titles.setdefault(tuple(words(document.title)), []).append(index)

    def close(self) -> None:
        """Frees what the corpus needed."""
        self.corpus.close()

    def titled(self, title: Words) -> list[int]:
        """The documents whose title has these words in this order, and no others."""
        return self._titles.get(title, [])

    def members(self, condition: SearchFilter) -> set[int]:
        """The documents that satisfy the filter: any of its values, in whatever case."""
        return set().union(*(self._members.get((condition.field, one.casefold()), ()) for one in condition.values))


@dataclass(frozen=True, slots=True)
class NearScan:
    """Looks for documents that have all these words close together, whatever their order: a fact, in whichever form."""

    wanted: Words

    def found(self, block: Block, most: int) -> list[int] | None:
        """See :class:`Scan`."""
        found = [index for index in block.corpus.matching(self.wanted) if self._is_near(block, index)]
        return found if len(found) <= most else None

    def _is_near(self, block: Block, index: int) -> bool:
        document = block.documents[index]
        said = words(f"{document.title}\n{block.corpus.plain(index)}")
        wanted, span = set(self.wanted), 2 * len(self.wanted)
        rarest = min(wanted, key=block.corpus.frequency)
        return any(
            wanted.issubset(said[max(0, place - span) : place + span])
            for place, word in enumerate(said)
            if word == rarest
        )


@dataclass(frozen=True, slots=True)
class NamingScan:
    """Looks for documents that name something of two parts, such as a service's version, in one of some forms."""

    parts: tuple[Words, ...]
    forms: tuple[Words, ...]

    def found(self, block: Block, most: int) -> list[int] | None:
        """See :class:`Scan`: nobody can tell where a document has both parts and no form of them together."""
        corpus = block.corpus
        holding = corpus.matching([word for part in self.parts for word in part])
        for part in self.parts:
            holding = corpus.phrased(part, holding)
        named = {index for form in self.forms for index in corpus.phrased(form, holding)}
        return holding if len(holding) <= most and named.issuperset(holding) else None


def _places(document: Document) -> list[tuple[str, str]]:
    """Every filter field of the document with a value that it has there."""
    people = {
        "author": document.author_email or document.author_name,
        "owner": document.owner_email or document.owner_name,
    }
    held = [(field, value) for field, value in people.items() if value]
    for field, values in document.properties.items():
        held += [(field, value) for value in ((values,) if isinstance(values, str) else values)]
    return [(field, value.casefold()) for field, value in held]


class Scan(Protocol):
    """What documents have to have to answer a question."""

    def found(self, block: Block, most: int) -> list[int] | None:
        """The documents of the block that have it; None where there are more than ``most``, or nobody can tell."""
        ...


@dataclass(frozen=True, slots=True)
class TitleScan:
    """Looks for documents with this title: it names them, whatever others say."""

    title: Words

    def found(self, block: Block, most: int) -> list[int] | None:
        """See :class:`Scan`."""
        found = block.titled(self.title)
        return found if len(found) <= most else None


@dataclass(frozen=True, slots=True)
class WordScan:
    """Looks for documents that hold all the pieces, each a run of words, and satisfy the condition."""

    pieces: tuple[Words, ...]
    condition: SearchFilter | None = None
    #: Whether each document found must hold each piece as it is.
    exact: bool = False

    def found(self, block: Block, most: int) -> list[int] | None:
        """See :class:`Scan`: nobody can tell where one is not exact."""
        corpus = block.corpus
        among = None if self.condition is None else block.members(self.condition)
        found = corpus.matching([word for piece in self.pieces for word in piece], among)
        if len(found) > most:
            return None
        if self.exact and found and not all(self._is_exact(corpus, piece, found) for piece in self.pieces):
            return None
        return found

    @staticmethod
    def _is_exact(corpus: Corpus, piece: Words, found: list[int]) -> bool:
        # What stands in markup alone is no part of the text.
        return corpus.adjacent(piece, found) == found and all(corpus.says(index, piece) for index in found)
