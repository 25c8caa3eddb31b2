"""Proposes test queries of a large dataset from a sample of its documents. Pure.

Most words of a sample stand in many other documents, too. So a proposal (``trials.py``) asks for as many more words as
may be needed, the rarest first by how often the sample has them. Where documents are long and many, no words of a title
or a sentence are rare enough: then filters for what the document has (who wrote it, its space, …) narrow the question.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from math import prod

from dataops_core.connectors.protocol import SearchFilter
from dataops_core.dataset_types.base import DatasetType
from dataops_core.quality.corpus import words
from dataops_core.quality.phrases import PHRASE_WORDS, windows
from dataops_core.quality.query_drawing import ENTITIES, OWN_WORDS, draw_many, is_telling, own_words
from dataops_core.quality.query_set import QueryKind
from dataops_core.quality.trials import Block, Step, Trial, values

#: Words of a phrase at most, and documents whose phrases or titles are compared.
_LONGEST_PHRASE, _COMPARED = 12, 512
#: Of proposals of words together, so many at first are of words beyond ASCII, where texts have any.
_OWN = 12
#: Words or names asked for together: of a conjunction at least, and at most.
_FEWEST, _TOGETHER = 3, 10
#: The rarest words of a text, of which those are sought that stand together in the fewest.
_RARE = 64
#: A filter's words each stand in no more than this share of the documents.
_COMMON = 0.25
#: So many documents are let through by the filters of a query for words of a body, by the sample: were they a few, an
#: index without bodies would find the one that is sought among them by any word of its title.
_ROOM = 100


class Proposals:
    """Proposals from the sample, for a dataset of ``count`` documents, in an order that follows from ``key``."""

    def __init__(self, sample: Block, dataset_type: DatasetType, count: int, key: str) -> None:
        self._sample = sample
        self._corpus = sample.corpus
        self._documents = sample.documents
        self._type = dataset_type
        self._count = count
        self._key = key
        self._shares: dict[str, float] = {}

    def of(self, kind: QueryKind) -> Iterator[Trial]:
        """Proposals of a kind, those first that promise most."""
        found: dict[QueryKind, Callable[[], Iterator[Trial]]] = {
            QueryKind.TITLE: self._titles,
            QueryKind.PHRASE: self._phrases,
            QueryKind.ENTITY: self._entities,
            QueryKind.CONJUNCTION: lambda: chain(islice(self._own_conjunctions(), _OWN), self._conjunctions()),
            QueryKind.FILTER: self._filters,
            QueryKind.PEOPLE: self._people,
            QueryKind.NEGATIVE: self._negatives,
        }
        return found[kind]()

    def _order(self, what: str) -> list[int]:
        return sorted(range(len(self._documents)), key=lambda index: self._hash(what, str(index)))

    def _hash(self, *what: str) -> bytes:
        return hashlib.blake2b("/".join((self._key, *what)).encode(), digest_size=8).digest()

    def _share(self, word: str) -> float:
        """Which share of the documents has the word: one more than the sample shows, of one more.

        Kept, as a sample's phrases have a million words, most of them again and again.
        """
        share = self._shares.get(word)
        if share is None:
            share = self._shares[word] = (len(self._corpus.matching([word])) + 1) / (len(self._documents) + 1)
        return share

    def _share_of(self, text: str) -> float:
        """The same of a text's words, were they independent."""
        return prod(map(self._share, words(text)))

    def _narrowed(self, index: int, *, room: int = 0, without: Sequence[str] = ()) -> list[Step]:
        """Filters for what the document has, one for each field, the most selective first.

        With ``room``, only as many as let so many documents through.
        """
        document, found = self._documents[index], list[tuple[float, Step]]()
        for field in ("author", "owner", *self._type.facets):
            steps = [Step(condition=SearchFilter(field, (value,))) for value in values(document, field)]
            if steps and field not in without:
                found.append(min(((self._let_through(step), step) for step in steps), key=lambda one: one[0]))
        chosen: list[Step] = []
        left = float(self._count)
        for share, step in sorted(found, key=lambda one: one[0]):
            if left * share >= room:
                left *= share
                chosen.append(step)
        return chosen

    def _let_through(self, step: Step) -> float:
        """Which share of the documents a filter lets through, as :meth:`_share`."""
        among = self._sample.let_through([step.condition] if step.condition is not None else [])
        return (len(among or ()) + 1) / (len(self._documents) + 1)

    def _titled(self, what: str) -> list[tuple[int, int, int]]:
        """Documents with a title: how many have its words, how many of these its body has, and the document."""
        found: list[tuple[int, int, int]] = []
        for index in self._order(what)[:_COMPARED]:
            wanted = words(self._documents[index].title)
            if wanted:
                # Where titles are lost, what the body has of them still leads there.
                said = sum(self._corpus.body_matches(index, [word]) for word in wanted)
                found.append((len(self._corpus.matching(wanted)), said - len(wanted), index))
        return found

    def _titles(self) -> Iterator[Trial]:
        """Full titles, those first whose words stand together in the fewest documents."""
        for _, _, index in sorted(self._titled("title"), key=lambda one: one[:2]):
            document = self._documents[index]
            yield Trial(QueryKind.TITLE, [Step(document.title), *self._narrowed(index)], url=document.view_url)

    def _people(self) -> Iterator[Trial]:
        """A title and who wrote it (owns it, where nobody did); rather one that others could answer as well."""
        for _, _, index in sorted(self._titled("people"), key=lambda one: (one[0] == 1, *one[:2])):
            document = self._documents[index]
            for field in [name for name in ("author", "owner") if values(document, name)][:1]:
                person = Step(condition=SearchFilter(field, values(document, field)))
                steps = [Step(document.title), person, *self._narrowed(index, without=[field])]
                yield Trial(QueryKind.PEOPLE, steps, url=document.view_url, least=2)

    def _phrases(self) -> Iterator[Trial]:
        """Six words in a row and more of the last third of a body, those first that seldom stand together."""
        found: list[tuple[float, int, str, int]] = []
        for index in self._order("phrase")[:_COMPARED]:
            document, text = self._documents[index], self._corpus.plain(index)
            cut = len(text) * 2 // 3
            before = set(words(f"{document.title}\n{text[:cut]}"))
            held = ((window, words(window)) for window in windows(text[cut:], _LONGEST_PHRASE))
            new = [(prod(map(self._share, said)), window) for window, said in held if not before.issuperset(said)]
            if new:
                share, window = min(new)
                pieces = window.split()
                # With a word that stands only there.
                fresh = next(stop for stop, piece in enumerate(pieces, 1) if not before.issuperset(words(piece)))
                found.append((share, index, window, max(fresh, PHRASE_WORDS)))
        for _, index, window, least in sorted(found):
            pieces = window.split()
            steps = [Step(" ".join(pieces[:least])), *map(Step, pieces[least:]), *self._narrowed(index, room=_ROOM)]
            yield Trial(QueryKind.PHRASE, steps, url=self._documents[index].view_url)

    def _entities(self) -> Iterator[Trial]:
        """Names that single out a few documents: one, else several, else some with words that stand beside them."""
        for number, index in enumerate(self._order("entity")):
            text = self._corpus.plain(index)
            names = dict.fromkeys(name for pattern in ENTITIES for name in pattern.findall(text))
            rare = sorted(names, key=lambda name: (self._share_of(name), self._hash("entity", name)))[:3]
            if rare:
                beside = self._together(self._telling(index, f"entity/{number}"), rare)
                steps = [*map(Step, [*rare, *beside]), *self._narrowed(index, room=_ROOM)]
                yield Trial(QueryKind.ENTITY, steps, url=self._documents[index].view_url)

    def _conjunctions(self) -> Iterator[Trial]:
        """Three words of a body or more, none of its title, that only together single a document out: rare ones."""
        for number, index in enumerate(self._order("conjunction")):
            title = set(words(self._documents[index].title))
            telling = [word for word in self._telling(index, f"conjunction/{number}") if word not in title]
            chosen = self._together(telling)
            if len(chosen) >= _FEWEST:
                steps = [*map(Step, chosen), *self._narrowed(index, room=_ROOM)]
                yield Trial(QueryKind.CONJUNCTION, steps, url=self._documents[index].view_url, least=_FEWEST)

    def _own_conjunctions(self) -> Iterator[Trial]:
        """The same beginning with words with letters beyond ASCII: an index that lost those finds none of them.

        Most are names, which stand together in many texts: what else is asked for may be any rare word.
        """
        for number, index in enumerate(self._order("own")):
            own = sorted(own_words(self._corpus, index), key=self._share_of)
            # Most documents have none: then their other words would be sorted in vain.
            if not own:
                continue
            title = set(words(self._documents[index].title))
            others = [word for word in self._telling(index, f"own/{number}") if word not in title]
            chosen = [*own[:OWN_WORDS], *self._together([*own[OWN_WORDS:], *others], own[:OWN_WORDS])]
            steps = [*map(Step, chosen), *self._narrowed(index, room=_ROOM)]
            yield Trial(
                QueryKind.CONJUNCTION, steps, url=self._documents[index].view_url, least=OWN_WORDS, preferred=True
            )

    def _filters(self) -> Iterator[Trial]:
        """Words of a document with a value of its facet: more documents than one have them, not all inside."""
        facet = self._type.filter_facet
        for number, index in enumerate(self._order("filter")):
            held = values(self._documents[index], facet)
            telling = [word for word in self._telling(index, f"filter/{number}") if self._share(word) <= _COMMON]
            if held and telling:
                value = min(held, key=lambda value: self._hash("filter", str(index), value))
                inside = Step(condition=SearchFilter(facet, (value,)))
                steps = [inside, *map(Step, telling[:_TOGETHER]), *self._narrowed(index, without=[facet])]
                yield Trial(QueryKind.FILTER, steps, url=self._documents[index].view_url, least=2)

    def _negatives(self) -> Iterator[Trial]:
        """Words that stand nowhere."""
        for query in draw_many(self._corpus, self._type, QueryKind.NEGATIVE, key=self._key):
            yield Trial(QueryKind.NEGATIVE, [Step(query.text)])

    def _telling(self, index: int, what: str) -> list[str]:
        """The document's words that a person may ask for, in an order of the query's own."""
        said = sorted(filter(is_telling, self._corpus.said(index)), key=lambda word: self._hash(what, word))
        self._corpus.learn(said)
        return said

    def _together(self, texts: Sequence[str], beside: Sequence[str] = ()) -> list[str]:
        """Of the rarest texts those that, one after another, leave the fewest documents; ``beside`` are asked for, too.

        Soon the sample has no other document left, where the whole has: then those come first that do not go with any
        chosen one. The rarest of a text are names of one team, which stand together in many.
        """
        left = dict.fromkeys(sorted(texts, key=self._share_of)[:_RARE], 0.0)
        chosen: list[str] = []
        wanted: list[str] = []
        for text in beside:
            wanted += words(text)
            self._go_with(text, left)
        while left and len(beside) + len(chosen) < _TOGETHER:
            best = min(left, key=lambda text: (len(self._corpus.matching([*wanted, *words(text)])), left[text]))
            del left[best]
            chosen.append(best)
            wanted += words(best)
            self._go_with(best, left)
        return chosen

    def _go_with(self, chosen: str, left: dict[str, float]) -> None:
        """Notes of each text left in which share of the documents with a chosen one it stands, where that is more."""
        having = self._corpus.matching(words(chosen))
        for text, share in left.items():
            both = len(self._corpus.matching(words(text), having))
            left[text] = max(share, (both + 1) / (len(having) + 1))
