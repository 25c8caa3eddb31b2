"""Which of many values stand more than once, in memory that does not grow with their number.

Each value is a number of 64 bits here, in a temporary file; those that may be equal are looked at together. Two of a
million different values have one number in one of thirty million datasets, and would be called equal.
"""

import tempfile
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from dataops_core.storage import storage_errors

#: So many numbers are sorted at once, about; so many are read at once.
_AT_ONCE = 1 << 21
_READ = 1 << 18
_BYTES = 8


class Repeats:
    """Numbers of rows in order, whose repetitions are sought. Close it, or use it as a context."""

    def __init__(self, *, at_once: int = _AT_ONCE) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  closed by close
        self._count = 0
        self._at_once = at_once

    def close(self) -> None:
        """Gives the file's space back. Idempotent."""
        self._file.close()

    def add(self, numbers: npt.NDArray[np.uint64]) -> None:
        """The numbers of the next rows. Raises StorageError where the disk does not take them."""
        with storage_errors("Comparing values"):
            self._file.write(np.ascontiguousarray(numbers, dtype=np.uint64).tobytes())
        self._count += len(numbers)

    def rows(self) -> npt.NDArray[np.bool_]:
        """Whether the number of each row is that of another row, too."""
        repeated = np.zeros(self._count, dtype=np.bool_)
        parts = -(-self._count // self._at_once)
        for part in range(parts):
            found = [self._of_part(start, numbers, part, parts) for start, numbers in self._read()]
            rows = np.concatenate([rows for rows, _ in found])
            numbers = np.concatenate([numbers for _, numbers in found])
            order = np.argsort(numbers, kind="stable")
            same = numbers[order][1:] == numbers[order][:-1]
            repeated[rows[order[1:][same]]] = True
            repeated[rows[order[:-1][same]]] = True
        return repeated

    def _read(self) -> Iterator[tuple[int, npt.NDArray[np.uint64]]]:
        with storage_errors("Comparing values"):
            self._file.seek(0)
            start = 0
            while content := self._file.read(_READ * _BYTES):
                numbers = np.frombuffer(content, dtype=np.uint64)
                yield start, numbers
                start += len(numbers)

    @staticmethod
    def _of_part(
        start: int, numbers: npt.NDArray[np.uint64], part: int, parts: int
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint64]]:
        """The rows whose numbers belong to one part of the range of all numbers, and these."""
        mine = np.flatnonzero((numbers >> np.uint64(32)) * np.uint64(parts) >> np.uint64(32) == part)
        return mine + start, numbers[mine]
