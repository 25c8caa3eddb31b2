"""Draws the ten test queries of a dataset of any size, in memory that does not grow with it. Pure.

Small records are looked at all together (``query_drawing.py``). Of large ones some row groups propose queries
(``proposals.py``), more than are needed; then all documents are read, block by block, and a proposal is admitted only
where that reading finds what it is meant to find (``trials.py``): ground truth is what all records say, as for small
ones.
"""

import hashlib
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from itertools import islice

import pyarrow as pa

from dataops_core.dataset_types.base import DatasetType, Document
from dataops_core.errors import PermanentError
from dataops_core.generation.pieces import KeptRecords, Records
from dataops_core.quality.proposals import Proposals
from dataops_core.quality.query_drawing import make_queries
from dataops_core.quality.query_set import KINDS, QueryKind, QuerySet, SampleQuery
from dataops_core.quality.trials import Block, Trial

#: What proposes: about so many documents, of at most so many bytes, from all over the file.
_SAMPLE_ROWS, _SAMPLE_BYTES = 2048, 16 * 2**20
#: Documents that are read together.
_BLOCK_ROWS = 2048
#: Proposals of each kind for one query of the ten, and how often others are drawn where all were refused.
_PROPOSALS = 24
_ROUNDS = 3


def draw_queries(
    records: Records,
    dataset_type: DatasetType,
    *,
    seed: int,
    rotation: int = 0,
    documents: Sequence[Document] | None = None,
) -> QuerySet:
    """Draws the ten queries from the records. Raises PermanentError where they give none of a kind.

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


class _Large:
    """One drawing of the ten from records that are read piece by piece."""

    def __init__(self, records: Records, dataset_type: DatasetType, key: str) -> None:
        self._records = records
        self._type = dataset_type
        self._key = key

    def queries(self) -> QuerySet:
        """The ten, in the order of KINDS."""
        trials: list[Trial] = []
        admitted: dict[QueryKind, list[SampleQuery]] = {kind: [] for kind in KINDS}
        for turn in range(_ROUNDS):
            lacking = [kind for kind, queries in _apart(admitted).items() if len(queries) < KINDS.count(kind)]
            if not lacking:
                break
            proposed = self._proposed(lacking, turn)
            self._read(proposed)
            trials += proposed
            admitted = _admitted(trials)
        drawn = {kind: iter(queries) for kind, queries in _apart(admitted).items()}
        chosen: list[SampleQuery] = []
        for number, kind in enumerate(KINDS, start=1):
            query = next(drawn[kind], None)
            if query is None:
                raise PermanentError(f"No {kind} query can be drawn from the {self._records.count} records.")
            chosen.append(replace(query, query_id=f"q{number:02d}-{kind}"))
        return QuerySet(tuple(chosen))

    def _proposed(self, kinds: Sequence[QueryKind], turn: int) -> list[Trial]:
        key = f"{self._key}/{turn}"
        shift = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=4).digest(), "little")
        sample = self._records.spread(rows=_SAMPLE_ROWS, size=_SAMPLE_BYTES, turn=shift)
        trials: list[Trial] = []
        with closing(Block(_documents(sample, self._type))) as block:
            proposals = Proposals(block, self._type, self._records.count, key)
            for kind in kinds:
                trials += islice(proposals.of(kind), _PROPOSALS * KINDS.count(kind))
        return trials

    def _read(self, trials: Sequence[Trial]) -> None:
        asked = {word for trial in trials for word in trial.words()}
        for piece in self._records.pieces():
            for start in range(0, piece.num_rows, _BLOCK_ROWS):
                with closing(Block(_documents(piece.slice(start, _BLOCK_ROWS), self._type))) as block:
                    block.corpus.learn(asked)
                    for trial in trials:
                        trial.read(block)


def _documents(table: pa.Table, dataset_type: DatasetType) -> list[Document]:
    return [dataset_type.document(row) for row in table.to_pylist()]


def _admitted(trials: Sequence[Trial]) -> dict[QueryKind, list[SampleQuery]]:
    """The queries of each kind: rather those with few filters."""
    found = [(trial, query) for trial in trials if (query := trial.admitted()) is not None]
    found.sort(key=lambda one: (not one[0].preferred, len(one[1].filters)))
    return {kind: [query for trial, query in found if trial.kind is kind] for kind in KINDS}


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
