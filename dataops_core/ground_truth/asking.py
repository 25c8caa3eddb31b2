"""Proposes questions, each with the scan that has to prove it. Pure.

Words of a document are drawn as for the quality check (``quality/query_drawing.py``); sentences are made here, of what
records and the company's closed form say. Does not belong here: which proposals are admitted (``drawing.py``).
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, zip_longest

from dataops_core.company import names
from dataops_core.connectors.protocol import SearchFilter
from dataops_core.dataset_types.base import DatasetType, Document
from dataops_core.dataset_types.defects import Defect
from dataops_core.ground_truth.closed_form import ClosedForm, Target
from dataops_core.ground_truth.model import Elsewhere, QuestionKind
from dataops_core.ground_truth.scanning import Block, NamingScan, NearScan, Scan, TitleScan, WordScan
from dataops_core.quality.corpus import words
from dataops_core.quality.planted_defects import PlantedDefect
from dataops_core.quality.query_drawing import draw_many
from dataops_core.quality.query_set import PAGE_SIZE, TOP, QueryKind, SampleQuery

#: Pointers of one document that are tried.
_TRIED_TARGETS = 8
#: How far beyond the last issue a number is looked for that stands nowhere.
_FAR = 900


@dataclass(frozen=True, slots=True)
class Proposal:
    """A question that is admitted if its scan finds ``least`` to ``most`` documents: these are the answer."""

    kind: QuestionKind
    text: str
    scan: Scan
    least: int = 1
    most: int = 1
    filters: tuple[SearchFilter, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()
    answer: str | None = None


def conflicting(defects: Iterable[PlantedDefect]) -> Iterator[Proposal]:
    """What is a fact of which two documents state two values? Both are the answer."""
    for defect in defects:
        if defect.kind == Defect.CONFLICTING_FACT:
            fact, *values = (defect.detail[name] for name in ("fact", "related_value", "value"))
            # Prepositions change with the form in which it is said.
            scan = NearScan(tuple(dict.fromkeys(word for word in words(fact) if len(word) > 2)))
            yield Proposal(
                QuestionKind.CONFLICTING, f"What is the {fact}?", scan, least=2, most=2, answer="; ".join(values)
            )


class Asking:
    """Proposals of each kind from a block of documents, in an order that follows from ``key`` alone."""

    def __init__(self, block: Block, dataset_type: DatasetType, closed: ClosedForm, *, key: str) -> None:
        self._block = block
        self._type = dataset_type
        self._closed = closed
        self._key = key
        self._noun = dataset_type.object_type.lower()

    def proposals(self, kind: QuestionKind) -> Iterator[Proposal]:
        """Proposals of one kind, the first ones first to be admitted; of most kinds one for a document at most."""
        found: dict[QuestionKind, Callable[[], Iterator[Proposal]]] = {
            QuestionKind.FACT: self._facts,
            QuestionKind.PEOPLE: lambda: _in_turn(self._drawn(QueryKind.PEOPLE), self._authors()),
            QuestionKind.MULTI_HOP: lambda: _in_turn(self._pointers(), self._outages(), self._releases()),
            QuestionKind.UNANSWERABLE: lambda: _in_turn(self._no_issues(), self._no_customers()),
        }
        if kind in found:
            return found[kind]()
        return self._drawn(QueryKind(kind.value)) if kind.value in set(QueryKind) else iter(())

    def _drawn(self, kind: QueryKind) -> Iterator[Proposal]:
        for query in draw_many(self._block.corpus, self._type, kind, key=f"{self._key}/truth"):
            yield drawn(query)

    def _ordered(self, what: str) -> list[Document]:
        """The documents in an order of this purpose's own."""
        return sorted(self._block.documents, key=lambda document: self._hash(what, document.id))

    def _hash(self, *what: object) -> bytes:
        return hashlib.blake2b("/".join([self._key, *map(str, what)]).encode(), digest_size=8).digest()

    def _titled(self, what: str) -> Iterator[tuple[Document, TitleScan]]:
        """Documents with a title, and the scan for it."""
        for document in self._ordered(what):
            wanted = words(document.title)
            if wanted:
                yield document, TitleScan(tuple(wanted))

    def _authors(self) -> Iterator[Proposal]:
        for document, scan in self._titled("author"):
            if name := _author(document):
                yield Proposal(QuestionKind.PEOPLE, f"Who is the author of “{document.title}”?", scan, answer=name)

    def _facts(self) -> Iterator[Proposal]:
        facet = self._type.filter_facet
        for number, (document, scan) in enumerate(self._titled("fact")):
            value = document.properties.get(facet)
            if number % 2 and isinstance(value, str) and value:
                yield Proposal(QuestionKind.FACT, f"What is the {facet} of “{document.title}”?", scan, answer=value)
            else:
                day = datetime.fromtimestamp(document.created_at, UTC).date().isoformat()
                yield Proposal(QuestionKind.FACT, f"When was “{document.title}” created?", scan, answer=day)

    def _pointers(self) -> Iterator[Proposal]:
        """Who wrote the one document that names an issue (or a ticket) of another system, and when was that opened?"""
        for document in self._ordered("pointer"):
            name = _author(document)
            found = sorted(
                self._closed.targets(document.body),
                key=lambda one: (one.noun == "issue", self._hash("target", one.name)),
            )
            for target in found[:_TRIED_TARGETS] if name else ():
                scan = _naming(target)
                # Most are named by others as well: what is proposed is proven here, at least.
                if target.document.document_id != document.id and scan.found(self._block, 1):
                    yield Proposal(
                        QuestionKind.MULTI_HOP,
                        f"Who is the author of the {self._noun} that names {_called(target)}, "
                        f"and when was that {target.noun} opened?",
                        scan,
                        elsewhere=(target.document,),
                        answer=f"{name}; {self._closed.day(target)}",
                    )
                    break

    def _outages(self) -> Iterator[Proposal]:
        """Whose tickets does an outage explain that documents here name by its issue?"""
        for incident in sorted(self._closed.incidents(), key=lambda one: self._hash("outage", one.index)):
            issue = self._closed.issue(incident.project, incident.issue)
            yield Proposal(
                QuestionKind.MULTI_HOP,
                f"Which customers opened support tickets about the outage that is tracked as {issue.name}?",
                _naming(issue),
                most=PAGE_SIZE,
                elsewhere=(issue.document, *(ticket.document for ticket in self._closed.tickets_of(incident))),
                answer=self._closed.customers_of(incident),
            )

    def _releases(self) -> Iterator[Proposal]:
        """Which issues went out with a release that documents here name, as its tracker knows?"""
        releases = sorted(self._closed.releases(), key=lambda one: self._hash("release", *one[:2]))
        for service, version, issues, day in releases:
            parts = tuple(words(service)), tuple(words(version))
            name, number = parts
            scan = NamingScan(parts, ((*name, *number), (*name, "version", *number), ("version", *number, *name)))
            # Of most no document here tells.
            if not scan.found(self._block, PAGE_SIZE):
                continue
            yield Proposal(
                QuestionKind.MULTI_HOP,
                f"Which issues went out with {service} {version}, and on which day?",
                scan,
                most=PAGE_SIZE,
                elsewhere=tuple(issue.document for issue in issues),
                answer=f"{', '.join(issue.name for issue in issues)}; {day}",
            )

    def _no_issues(self) -> Iterator[Proposal]:
        for number in range(_FAR):
            drawn_ = int.from_bytes(self._hash("no issue", number), "little")
            key = self._closed.no_issue(drawn_ >> 32, 1 + drawn_ % _FAR)
            yield Proposal(
                QuestionKind.UNANSWERABLE,
                f"Who is the author of the {self._noun} that names {key}, and when was that issue opened?",
                WordScan((tuple(words(key)),)),
                least=0,
                most=0,
            )

    def _no_customers(self) -> Iterator[Proposal]:
        known = self._closed.firms
        for word in sorted(known.words, key=lambda one: self._hash("no customer", one)):
            name = known.customer(word, self._hash("form", word)[0] % len(names.CUSTOMER_FORMS))
            # A word of several spellings is none that a scan can look for.
            if wanted := tuple(words(word)):
                yield Proposal(
                    QuestionKind.UNANSWERABLE,
                    f"Which {self._noun} says what was agreed with {name}?",
                    WordScan((wanted,)),
                    least=0,
                    most=0,
                )


def drawn(query: SampleQuery) -> Proposal:
    """What a query of the quality check's kinds has to find, all of it."""
    kind = QuestionKind.UNANSWERABLE if query.kind is QueryKind.NEGATIVE else QuestionKind(query.kind.value)
    condition = query.filters[0] if query.filters else None
    if query.kind is QueryKind.ENTITY:
        scan, most = WordScan(tuple(tuple(words(name)) for name in query.text.split()), exact=True), TOP
    elif query.kind is QueryKind.FILTER:
        scan, most = WordScan(tuple((word,) for word in words(query.text)), condition, exact=True), PAGE_SIZE
    else:
        scan, most = WordScan((tuple(words(query.text)),), condition), 1
    least = 0 if kind is QuestionKind.UNANSWERABLE else 1
    return Proposal(kind, query.text, scan, least=least, most=most * least, filters=query.filters)


def _naming(target: Target) -> WordScan:
    """Documents that name an issue or a ticket: of a ticket's number, none holds it as anything else."""
    return WordScan((tuple(words(target.name)),), exact=True)


def _called(target: Target) -> str:
    return target.name if target.noun == "issue" else f"{target.noun} {target.name}"


def _author(document: Document) -> str | None:
    return document.author_name or document.owner_name


def _in_turn(*kinds: Iterator[Proposal]) -> Iterator[Proposal]:
    """One of each after the other, as long as there are any."""
    return (one for one in chain.from_iterable(zip_longest(*kinds)) if one is not None)
