"""Which records of a dataset are wrong on purpose: the ground truth of its defects, beside its records.

Belongs here: the list by the ids of records, and its file (one JSON object a line, ``defects.jsonl``). Does not belong
here: planting (``dataset_types/defects.py``), and what a check measures: that never looks here.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import orjson
import pyarrow as pa

from dataops_core.dataset_types.base import DatasetType, GenerationSpec
from dataops_core.generation import arrays
from dataops_core.generation.pieces import Records, in_pieces
from dataops_core.generation.seeding import I64


@dataclass(frozen=True, slots=True)
class PlantedDefect:
    """What is wrong with a record on purpose. ``kind`` is one of ``dataset_types.defects.Defect``.

    ``related_record_id`` is the source of a near duplicate, the version that replaced a stale one, the record that
    states the other value of a fact. ``detail`` is what ``dataset_types.base.Planted`` says.
    """

    record_id: str
    kind: str
    related_record_id: str | None
    detail: Mapping[str, str]


def planted_defects(
    spec: GenerationSpec, dataset_type: DatasetType, records: pa.Table | Records
) -> list[PlantedDefect]:
    """All defects that the specification's records have on purpose, by the ids that the stored ``records`` have."""
    planted = list(dataset_type.builder(spec).planted())
    rows = {row for each in planted for row in (each.row, each.related) if row is not None}
    ids = _ids(records, dataset_type.id_column, np.array(sorted(rows), dtype=np.int64))
    return [
        PlantedDefect(ids[each.row], each.kind, None if each.related is None else ids[each.related], each.detail)
        for each in planted
    ]


def _ids(records: pa.Table | Records, column: str, rows: I64) -> dict[int, str]:
    """The ids of these rows, which are in order."""
    found: dict[int, str] = {}
    start = 0
    for piece in in_pieces(records).pieces([column]):
        here = rows[slice(*np.searchsorted(rows, [start, start + piece.num_rows]))]
        ids = piece.column(column).take(arrays.integers(here - start)).to_pylist()
        found.update(zip(here.tolist(), map(str, ids), strict=True))
        start += piece.num_rows
    return found


def counts(defects: Iterable[PlantedDefect]) -> dict[str, int]:
    """How many records have each kind of defect, of those kinds that there are."""
    return dict(Counter(defect.kind for defect in defects))


def to_jsonl(defects: Sequence[PlantedDefect]) -> bytes:
    """The list as its file has it."""
    return b"".join(orjson.dumps(defect) + b"\n" for defect in defects)


def from_jsonl(content: bytes) -> list[PlantedDefect]:
    """What :func:`to_jsonl` wrote."""
    return [PlantedDefect(**orjson.loads(line)) for line in content.splitlines()]
