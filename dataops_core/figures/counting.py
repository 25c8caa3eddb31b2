"""What the pictures of a dataset show, counted batch by batch: memory does not grow with the number of records.

Belongs here: the numbers, by Arrow's kernels alone (pandas stays unloaded). Does not belong here: how they are drawn
(``drawing.py``), what is good enough (``quality/``).
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dataops_core.dataset_types.base import DatasetType
from dataops_core.generation import arrays

#: Bins of sizes for each doubling: narrow enough to be added up for any range.
_PER_DOUBLING = 8
_BINS = 32 * _PER_DOUBLING
_Lengths = npt.NDArray[np.int64]


class Figures:
    """Counts of the records of one dataset: by month, author, size and field with a value."""

    def __init__(self, dataset_type: DatasetType) -> None:
        self._type = dataset_type
        #: How many records were counted.
        self.count = 0
        self._months: Counter[str] = Counter()
        self._authors: Counter[str] = Counter()
        self._sizes = np.zeros(_BINS, dtype=np.int64)
        self._bytes = 0
        self._filled = np.zeros(len(dataset_type.completeness), dtype=np.int64)

    @classmethod
    def of(cls, dataset_type: DatasetType, batches: Iterable[pa.RecordBatch]) -> Self:
        """The figures of all these records."""
        figures = cls(dataset_type)
        for batch in batches:
            figures.add(batch)
        return figures

    def add(self, batch: pa.RecordBatch) -> None:
        """Counts the records of a batch of the stored table."""
        self.count += batch.num_rows
        _count(self._months, pc.utf8_slice_codeunits(batch.column(self._type.created_column), 0, 7))
        _count(self._authors, _named(batch, self._type.author_column))
        sizes = np.zeros(batch.num_rows, dtype=np.int64)
        for column in batch.columns:
            sizes += text_bytes(column)
        self._bytes += int(sizes.sum())
        bins = np.floor(np.log2(np.maximum(sizes, 1)) * _PER_DOUBLING).astype(np.int64)
        self._sizes += np.bincount(np.minimum(bins, _BINS - 1), minlength=_BINS)
        for number, rule in enumerate(self._type.completeness):
            self._filled[number] += filled(batch.column(rule.column))

    @property
    def mean_bytes(self) -> int:
        """Mean size of a record's text, in bytes."""
        return round(self._bytes / self.count) if self.count else 0

    def months(self) -> list[tuple[date, int]]:
        """Records created in each month, those without any between the first and the last too."""
        found = {date.fromisoformat(f"{month}-01"): count for month, count in self._months.items()}
        if not found:
            return []
        month, last, counts = min(found), max(found), []
        while month <= last:
            counts.append((month, found.get(month, 0)))
            month = date(month.year + month.month // 12, month.month % 12 + 1, 1)
        return counts

    def authors(self, most: int = 10) -> list[tuple[str, int]]:
        """Who wrote most, with how many records; among equals by name."""
        return sorted(self._authors.items(), key=lambda entry: (-entry[1], entry[0]))[:most]

    @property
    def author_count(self) -> int:
        """How many wrote at all."""
        return len(self._authors)

    def sizes(self, most: int = 24) -> list[tuple[int, int]]:
        """Records by size: where each of at most so many steps of one ratio begins, in bytes, and how many it has."""
        used = np.flatnonzero(self._sizes)
        if not len(used):
            return []
        first, last = int(used[0]), int(used[-1])
        width = -(-(last - first + 1) // most)
        return [
            (round(2 ** (start / _PER_DOUBLING)), int(self._sizes[start : start + width].sum()))
            for start in range(first, last + 1, width)
        ]

    def fields(self) -> list[tuple[str, int, bool]]:
        """The fields that completeness counts: name, records with a value, and whether every record must have one."""
        return [
            (rule.column, count, rule.applies is None)
            for rule, count in zip(self._type.completeness, self._filled.tolist(), strict=True)
        ]


def text_bytes(array: pa.Array) -> _Lengths:
    """How many bytes of text each row holds, in lists and objects too."""
    kind = array.type
    if pa.types.is_string(kind):
        return np.diff(_offsets(array))
    if pa.types.is_list(kind):
        offsets = _offsets(array)
        before = np.concatenate(([0], np.cumsum(text_bytes(array.values))))
        lengths: _Lengths = before[offsets[1:]] - before[offsets[:-1]]
        return lengths
    total = np.zeros(len(array), dtype=np.int64)
    if pa.types.is_struct(kind):
        for part in array.flatten():
            total += text_bytes(part)
    return total


def filled(array: pa.Array) -> int:
    """How many rows have a value: one that is not null and no empty text or list."""
    if pa.types.is_string(array.type) or pa.types.is_list(array.type):
        return int(np.count_nonzero(np.diff(_offsets(array))))
    return len(array) - int(array.null_count)


def _named(batch: pa.RecordBatch, path: str) -> pa.Array:
    """The column, or that field of the entries that a column lists."""
    if path in batch.schema.names:
        return batch.column(path)
    name, _, field = path.rpartition(".")
    return batch.column(name).flatten().field(field)


def _offsets(array: pa.Array) -> _Lengths:
    """Where the rows of a text or list column begin and the last one ends."""
    offsets = np.frombuffer(array.buffers()[1], np.int32, len(array) + 1 + array.offset)
    return offsets[array.offset :].astype(np.int64)


def _count(counter: Counter[str], values: pa.Array) -> None:
    found = values.drop_null().value_counts()
    numbers = np.frombuffer(arrays.content(found.field("counts")), dtype=np.int64)
    for value, number in zip(found.field("values").to_pylist(), numbers.tolist(), strict=True):
        counter[value] += number
