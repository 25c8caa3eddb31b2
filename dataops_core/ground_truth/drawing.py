"""Finds the questions of a dataset: proposed from a part of its documents, admitted by a reading of all. Pure.

A dataset of up to ``SAMPLE_BLOCKS`` row groups is read once; of a larger one some row groups, evenly spread, propose,
and then each row group is read and has its say, so that memory does not grow with the dataset. The same records and
seed give the same questions.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain, islice
from math import isqrt

from dataops_core.dataset_types.base import DatasetType, Document
from dataops_core.ground_truth.asking import Asking, Proposal, conflicting, drawn
from dataops_core.ground_truth.closed_form import ClosedForm
from dataops_core.ground_truth.model import Expected, GroundTruth, Question, QuestionKind
from dataops_core.ground_truth.scanning import Block
from dataops_core.quality.planted_defects import PlantedDefect
from dataops_core.quality.query_set import QueryKind, QuerySet, SampleQuery

#: Row groups from which questions are proposed.
SAMPLE_BLOCKS = 4
#: Questions of the larger set: eleven times the root of the number of records, within these bounds.
_FEWEST, _MOST = 40, 1000
#: How the larger set is shared out among the kinds.
_SHARES = {
    QuestionKind.TITLE: 14,
    QuestionKind.PHRASE: 20,
    QuestionKind.ENTITY: 12,
    QuestionKind.CONJUNCTION: 12,
    QuestionKind.FILTER: 12,
    QuestionKind.PEOPLE: 12,
    QuestionKind.FACT: 10,
    QuestionKind.MULTI_HOP: 16,
    QuestionKind.UNANSWERABLE: 8,
}
#: Conflicting facts are asked for beyond these, so many at most.
_MOST_CONFLICTS = 100
#: Kinds that make up for what others lack, in this order.
_FILLING = (QuestionKind.PHRASE, QuestionKind.CONJUNCTION, QuestionKind.TITLE, QuestionKind.FACT)
#: Proposals for four questions that are wanted; for kinds that fill up; and where a part of the documents proposes,
#: most of whose words stand elsewhere, too.
_SPARE, _SPARE_TO_FILL, _SPARE_OF_A_PART = 5, 8, 16

#: The row groups with these numbers, one after the other.
Reading = Callable[[Sequence[int]], Iterator[list[Document]]]


def size(records: int) -> int:
    """How many questions the larger set is to have: 49 for 20 records, 242 for 500, 1,000 from 8,300 on."""
    return min(_MOST, max(_FEWEST, 11 * isqrt(records)))


@dataclass(slots=True)
class _Trial:
    """A proposal, and what was found for it so far. ``refused``: more than may be, or nobody can tell."""

    proposal: Proposal
    found: list[Expected] = field(default_factory=list)
    refused: bool = False

    def read(self, block: Block) -> None:
        """Looks for the proposal in a block."""
        if self.refused:
            return
        found = self.proposal.scan.found(block, self.proposal.most - len(self.found))
        if found is None:
            self.refused = True
        else:
            self.found += (_expected(block.documents[index]) for index in found)

    @property
    def is_proven(self) -> bool:
        """Whether all documents were read, and enough were found."""
        return not self.refused and len(self.found) >= self.proposal.least


def draw_questions(
    read: Reading,
    dataset_type: DatasetType,
    closed: ClosedForm,
    ten: QuerySet,
    defects: Sequence[PlantedDefect] = (),
    *,
    blocks: int,
    records: int,
    seed: int,
) -> GroundTruth:
    """The questions of a dataset of so many row groups and records: ``ten``, the quality check's, and the others.

    ``defects`` are those that the records have on purpose: of their conflicting facts there are questions, too.

    About 2 s for 500 records of 30 KB, 0.4 s where they have 2 KB. Of a kind that they do not give, there are none.
    """
    sample = _spread(blocks)
    whole = len(sample) == blocks
    wanted = _wanted(records)
    with closing(Block(list(chain.from_iterable(read(sample))))) as block:
        asking = Asking(block, dataset_type, closed, key=str(seed))
        trials = [
            _Trial(proposal)
            for kind, number in wanted.items()
            for proposal in islice(asking.proposals(kind), _proposed(kind, number, whole=whole))
        ]
        trials += [_Trial(one) for one in islice(conflicting(defects), _MOST_CONFLICTS)]
        checked = [_Trial(drawn(query)) for query in ten]
        there = _Looked({url for query in ten for url in query.qrels} | _pointed_at(trials))
        for one in chain([block] if whole else [], _blocks(read, range(blocks) if not whole else ())):
            with closing(one):
                there.read(one)
                for trial in (*checked, *trials):
                    trial.read(one)
    questions = [_of_check(query, there) for query in ten]
    return GroundTruth((*questions, *_admitted(trials, wanted, questions, there)))


class _Looked:
    """Which of some addresses are documents of the dataset."""

    def __init__(self, urls: set[str]) -> None:
        self._urls = urls
        self.ids: dict[str, str] = {}

    def read(self, block: Block) -> None:
        """Looks for the addresses in a block."""
        self.ids |= {one.view_url: one.id for one in block.documents if one.view_url in self._urls}


def _blocks(read: Reading, numbers: Iterable[int]) -> Iterator[Block]:
    for number in numbers:
        for documents in read([number]):
            yield Block(documents)


def _spread(blocks: int) -> list[int]:
    """Row groups, evenly spread over all."""
    count = min(blocks, SAMPLE_BLOCKS)
    return [number * blocks // count for number in range(count)]


def _wanted(records: int) -> dict[QuestionKind, int]:
    whole, shares = size(records), sum(_SHARES.values())
    return {kind: -(-whole * share // shares) for kind, share in _SHARES.items()}


def _proposed(kind: QuestionKind, number: int, *, whole: bool) -> int:
    """How many proposals are made for so many questions."""
    spare = _SPARE_OF_A_PART if not whole else _SPARE_TO_FILL if kind in _FILLING else _SPARE
    return -(-number * spare // 4)


def _pointed_at(trials: Iterable[_Trial]) -> set[str]:
    return {one.url for trial in trials for one in trial.proposal.elsewhere}


def _of_check(query: SampleQuery, there: _Looked) -> Question:
    """A query of the quality check: of a filter's, the whole answer is expected."""
    urls = query.allowed or () if query.kind is QueryKind.FILTER else query.expected
    return Question(
        query_id=query.query_id,
        kind=drawn(query).kind,
        text=query.text,
        filters=query.filters,
        expected=tuple(Expected(there.ids[url], url) for url in urls),
        in_quality_check=True,
    )


def _admitted(
    trials: Sequence[_Trial], wanted: dict[QuestionKind, int], ten: Sequence[Question], there: _Looked
) -> Iterator[Question]:
    """The proven ones, as many of each kind as are wanted and those that make up for others, kind by kind."""
    seen = {(question.text, question.filters) for question in ten}
    proven: dict[QuestionKind, list[_Trial]] = {kind: [] for kind in (*wanted, QuestionKind.CONFLICTING)}
    for trial in trials:
        asked = (trial.proposal.text, trial.proposal.filters)
        if trial.is_proven and asked not in seen:
            seen.add(asked)
            proven[trial.proposal.kind].append(trial)
    taken = {kind: min(number, len(proven[kind])) for kind, number in wanted.items()}
    lacking = sum(wanted.values()) - sum(taken.values())
    for kind in _FILLING:
        more = min(lacking, len(proven[kind]) - taken[kind])
        taken[kind] += more
        lacking -= more
    taken[QuestionKind.CONFLICTING] = len(proven[QuestionKind.CONFLICTING])
    for kind, number in taken.items():
        for place, trial in enumerate(proven[kind][:number], start=1):
            yield _question(f"{kind.value.replace('_', '-')}-{place:03d}", trial, there)


def _question(query_id: str, trial: _Trial, there: _Looked) -> Question:
    """The question: what it points at is expected where the dataset has it, and else named as another's."""
    proposal = trial.proposal
    pointed_at = [Expected(there.ids[one.url], one.url) for one in proposal.elsewhere if one.url in there.ids]
    expected = {one.url: one for one in (*trial.found, *pointed_at)}
    return Question(
        query_id=query_id,
        kind=proposal.kind,
        text=proposal.text,
        filters=proposal.filters,
        expected=tuple(expected[url] for url in sorted(expected)),
        elsewhere=tuple(one for one in proposal.elsewhere if one.url not in there.ids),
        answer=proposal.answer,
    )


def _expected(document: Document) -> Expected:
    return Expected(document.id, document.view_url)
