"""Arrow arrays from Python's lists and NumPy's arrays, and back.

``pa.array`` and ``to_numpy`` do the same and look for pandas first, which loads it: 0.3 s of a fresh process, before a
run has written its first record. What is made through these functions leaves pandas to whoever needs a frame. Source:
the "Buffers" chapter of Arrow's columnar format. Does not belong here: what the arrays say.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

#: Where a form of ``numbered`` has a number: a letter that no text has, and that no markup escapes.
NUMBER = "\ue000"


def texts(values: Sequence[str | None]) -> pa.StringArray:
    """The texts, null where there is None. At most 2 GiB of UTF-8."""
    validity = _validity(np.array([value is not None for value in values])) if None in values else None
    said = [value or "" for value in values]
    whole = "".join(said)
    # In ASCII a character is a byte, so that nothing has to be encoded apart.
    lengths = map(len, said) if whole.isascii() else (len(value.encode()) for value in said)
    return pa.StringArray.from_buffers(
        len(said), pa.py_buffer(_offsets(lengths)), pa.py_buffer(whole.encode()), validity
    )


def cut(whole: bytes | NDArray[np.uint8], places: NDArray[np.int32] | NDArray[np.int64]) -> pa.StringArray:
    """The pieces between one place and the next, without a copy. ``whole`` is ASCII, at most 2 GiB."""
    return pa.StringArray.from_buffers(len(places) - 1, pa.py_buffer(places.astype(np.int32)), pa.py_buffer(whole))


def joined(*parts: str | pa.StringArray) -> pa.StringArray:
    """Each text of the arrays with its counterparts in the others, plain parts the same for all. All are as long."""
    values = [texts([part])[0] if isinstance(part, str) else part for part in parts]
    return pc.binary_join_element_wise(*values, texts([""])[0])


def numbered(form: str, count: int) -> pa.StringArray:
    """The form with each number from 1 to ``count``, wherever it has ``NUMBER``."""
    numbers = _numbers(1 << count.bit_length())[:count]
    before, *others = form.split(NUMBER)
    return joined(before, *(part for other in others for part in (numbers, other)))


@lru_cache(maxsize=4)
def _numbers(count: int) -> pa.StringArray:
    return texts([str(number) for number in range(1, count + 1)])


def replaced(
    texts_: pa.StringArray, *others: "tuple[NDArray[np.bool_], Sequence[str] | pa.StringArray]"
) -> pa.StringArray:
    """The texts, but for others: in the places of each mask its values, in their order."""
    said = [(there, of_type(values, pa.string())) for there, values in others if len(values)]
    if not said:
        return texts_
    chosen, end = np.arange(len(texts_)), len(texts_)
    for there, values in said:
        chosen[there] = np.arange(end, end + len(values))
        end += len(values)
    return pa.concat_arrays([texts_, *(values for _, values in said)]).take(integers(chosen))


def byte_lengths(texts_: pa.StringArray) -> NDArray[np.int64]:
    """Bytes of each text."""
    return np.diff(places(texts_)).astype(np.int64)


def places(texts_: pa.StringArray) -> NDArray[np.int32]:
    """Where each text begins among the bytes of all, and where the last one ends."""
    return np.frombuffer(texts_.buffers()[1], dtype=np.int32, count=len(texts_) + texts_.offset + 1)[texts_.offset :]


def integers(values: Sequence[int] | NDArray[Any], *, present: NDArray[np.bool_] | None = None) -> pa.Int64Array:
    """The numbers as 64-bit integers, null where they are not ``present``."""
    data = np.ascontiguousarray(values, dtype=np.int64)
    validity = None if present is None or present.all() else _validity(present)
    return pa.Array.from_buffers(pa.int64(), len(data), [validity, pa.py_buffer(data)])


def floats(values: NDArray[Any], *, present: NDArray[np.bool_] | None = None) -> pa.DoubleArray:
    """The numbers as 64-bit floats, null where they are not ``present``."""
    data = np.ascontiguousarray(values, dtype=np.float64)
    validity = None if present is None or present.all() else _validity(present)
    return pa.Array.from_buffers(pa.float64(), len(data), [validity, pa.py_buffer(data)])


def booleans(values: Sequence[bool] | NDArray[np.bool_]) -> pa.BooleanArray:
    """The truth values."""
    data = np.asarray(values, dtype=np.bool_)
    return pa.Array.from_buffers(pa.bool_(), len(data), [None, _validity(data)])


def lists(values: pa.Array, lengths: Iterable[int]) -> pa.ListArray:
    """Lists of so many of the values each, in order."""
    offsets = _offsets(lengths)
    return pa.ListArray.from_arrays(
        pa.Array.from_buffers(pa.int32(), len(offsets), [None, pa.py_buffer(offsets)]), values
    )


def of_type(values: Any, kind: pa.DataType) -> pa.Array:
    """The values as an array of a column's type; an Arrow array stays as it is."""
    if isinstance(values, pa.Array):
        return values
    if pa.types.is_string(kind):
        return texts(values)
    if pa.types.is_boolean(kind):
        return booleans(values)
    if pa.types.is_int64(kind):
        return integers(values)
    raise TypeError(f"no column of {kind} is made from plain values")


def content(array: pa.Array) -> memoryview:
    """The bytes of an array of fixed width without nulls, as NumPy has them: a truth value is one byte."""
    if pa.types.is_boolean(array.type):
        array = array.cast(pa.uint8())
    width = array.type.bit_width // 8
    return memoryview(array.buffers()[1] or b"")[array.offset * width : (array.offset + len(array)) * width]


def _offsets(lengths: Iterable[int]) -> NDArray[np.int32]:
    ends = np.cumsum(np.fromiter(lengths, dtype=np.int64))
    return np.concatenate((np.zeros(1, dtype=np.int64), ends)).astype(np.int32)


def _validity(present: NDArray[np.bool_]) -> pa.Buffer:
    """One bit each, the first one lowest."""
    return pa.py_buffer(np.packbits(present, bitorder="little"))
