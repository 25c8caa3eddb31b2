"""Arrays made without ``pa.array`` are what it would have made."""

import numpy as np
import pyarrow as pa
import pytest

from dataops_core.generation import arrays


@pytest.mark.parametrize(
    "values", [[], [""], ["a", "bc", ""], ["ASCII", "Grüße", "日本"], [None, "a", None, "ü"], [None] * 9, ["x"] * 17]
)
def test_texts(values):
    made = arrays.texts(values)
    made.validate(full=True)
    assert made.equals(pa.array(values, pa.string()))
    assert made.null_count == values.count(None)


def test_pieces_between_places():
    made = arrays.cut(b"zero one  two", np.array([0, 4, 8, 9, 13]))
    made.validate(full=True)
    assert made.to_pylist() == ["zero", " one", " ", " two"]


def test_replaced_texts():
    made = arrays.texts(["one", "zwö", "", "three"])
    there = np.array([False, True, True, False])
    last, nowhere = np.array([False, False, False, True]), np.zeros(4, dtype=bool)
    assert arrays.replaced(made, (there, ["", "2 日本"])).to_pylist() == ["one", "", "2 日本", "three"]
    assert arrays.replaced(made, (there, ["2", "3"]), (nowhere, []), (last, ["4"])).to_pylist() == [
        "one",
        "2",
        "3",
        "4",
    ]
    assert arrays.replaced(made, (nowhere, [])).equals(made)


def test_bytes_of_texts_and_where_they_are():
    made = arrays.texts(["one", "zwö", "", "日本"])
    assert arrays.byte_lengths(made).tolist() == [3, 4, 0, 6]
    assert arrays.places(made).tolist() == [0, 3, 7, 7, 13]
    assert arrays.byte_lengths(made[1:3]).tolist() == [4, 0]


def test_integers():
    values = np.array([1, -2, 2**62, 0, 5, 6, 7, 8, 9], dtype=np.int64)
    present = np.array([True, False, True, True, True, True, True, True, False])
    assert arrays.integers(values).equals(pa.array(values))
    assert arrays.integers([3, 4]).equals(pa.array([3, 4]))
    made = arrays.integers(values, present=present)
    made.validate(full=True)
    assert made.equals(pa.array(values, mask=~present))
    assert arrays.integers(values, present=np.ones(9, dtype=bool)).null_count == 0


def test_booleans():
    values = [True, False, True] * 7
    assert arrays.booleans(values).equals(pa.array(values))
    assert arrays.booleans(np.array(values)).equals(pa.array(values))


def test_lists():
    made = arrays.lists(arrays.texts(["a", "b", "c"]), [2, 0, 1])
    made.validate(full=True)
    assert made.to_pylist() == [["a", "b"], [], ["c"]]


def test_values_become_what_their_column_is():
    assert arrays.of_type(["a", None], pa.string()).to_pylist() == ["a", None]
    assert arrays.of_type([True], pa.bool_()).to_pylist() == [True]
    assert arrays.of_type(np.array([7]), pa.int64()).to_pylist() == [7]
    there = pa.array([1.5])
    assert arrays.of_type(there, pa.float64()) is there
    with pytest.raises(TypeError, match="double"):
        arrays.of_type([1.5], pa.float64())


@pytest.mark.parametrize(
    "array",
    [pa.array([True, False] * 9), pa.array(range(20)), pa.array(range(20), pa.int32()), pa.array([], pa.int64())],
)
def test_the_content_of_a_part_is_the_part_s_own(array):
    for part in (array, array[3:], array[5:11]):
        assert bytes(arrays.content(part)) == part.to_numpy(zero_copy_only=False).tobytes()


def test_texts_are_joined_with_their_counterparts():
    first, last = arrays.texts(["ä", "b"]), arrays.texts(["c", ""])
    assert arrays.joined("<", first, last, ">").to_pylist() == ["<äc>", "<b>"]


@pytest.mark.parametrize("form", ["AB-{}", "{}", "<x/{}|é {}>"])
@pytest.mark.parametrize("count", [1, 7, 8, 300])
def test_a_form_is_numbered_wherever_it_has_a_number(form, count):
    numbered = arrays.numbered(form.replace("{}", arrays.NUMBER), count)
    assert numbered.to_pylist() == [form.replace("{}", str(number)) for number in range(1, count + 1)]
