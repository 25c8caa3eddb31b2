"""Text by gathering fragments, held against the plain way of doing it."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from dataops_core.generation.fragments import Fragments, Library
from dataops_core.generation.seeding import STRIDE, key, mix, pick

TOPICS = (["ledger ", "batch "], ["ward ", "bed ", "patient "])


@pytest.fixture(scope="module")
def fragments() -> Fragments:
    library = Library({"topic": [3, 1]})
    library.pool("verb", ["holds ", "keeps ", "loses ", "fïnds "])
    library.pool_by("topic", "noun", TOPICS)
    library.pool("digit", [str(digit) for digit in range(10)])
    library.alias("chosen", "digit")
    library.view_by("topic", "low", "digit", [(0, 5), (5, 5)])
    library.wrapped("cell", "noun", "<", ">")
    library.block(*library.parse("<p>{noun}{verb}{noun*}</p>"))
    library.block(*library.parse("[{chosen}{low}]"))
    library.block(*library.parse("{cell}"))
    return library.freeze()


def compose(fragments: Fragments, topics: np.ndarray, blocks: np.ndarray, keys: np.ndarray) -> list[str]:
    ranges = fragments.ranges(len(topics), {"topic": topics})
    fragments.only(ranges, "chosen", fragments.base("digit") + topics + 7)
    return fragments.compose(ranges, blocks, keys).to_pylist()


def plainly(fragments: Fragments, topics: np.ndarray, blocks: np.ndarray, keys: np.ndarray) -> list[str]:
    """One fragment after another, each by its own draw."""
    texts = []
    for topic, row, row_key in zip(topics.tolist(), blocks.tolist(), keys, strict=True):
        pools = [
            int(pool)
            for block in row
            if block >= 0
            for pool in fragments.program[fragments.block_start[block] :][: fragments.block_length[block]]
        ]
        text = ""
        for position, pool in enumerate(pools):
            place = fragments.offsets[pool] + (topic if fragments.pool_context[pool] else 0)
            base, count = int(fragments.bases[place]), int(fragments.counts[place])
            if pool == fragments.names["chosen"]:
                base, count = fragments.base("digit") + topic + 7, 1
            drawn = mix(np.array([row_key], dtype=np.uint64) + np.array([position], dtype=np.uint64) * STRIDE)
            text += fragments.arena[base + int(pick(drawn, count)[0])].as_py()
        texts.append(text)
    return texts


@pytest.fixture(scope="module")
def rows() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(5)
    return (
        generator.integers(0, 2, 150),
        generator.integers(-1, 3, (150, 9)),
        key("rows") + mix(np.arange(150, dtype=np.uint64)),
    )


def test_gathering_says_what_drawing_one_by_one_says(fragments, rows):
    assert compose(fragments, *rows) == plainly(fragments, *rows)


def test_a_row_is_the_same_alone(fragments, rows):
    together = compose(fragments, *rows)
    for row in (0, 31, 32, 149):
        assert compose(fragments, *(part[row : row + 1] for part in rows)) == [together[row]]


def test_a_row_without_blocks_is_empty(fragments):
    assert compose(fragments, np.array([0, 1]), np.full((2, 3), -1), np.array([1, 2], dtype=np.uint64)) == ["", ""]


def test_threads_do_not_disturb_each_other(fragments, rows):
    expected = compose(fragments, *rows)
    with ThreadPoolExecutor(4) as threads:
        assert all(texts == expected for texts in threads.map(lambda _: compose(fragments, *rows), range(40)))


def test_a_pool_by_context_draws_from_its_row_s_part(fragments):
    texts = compose(
        fragments, np.array([0] * 50 + [1] * 50), np.full((100, 1), 2), mix(np.arange(100, dtype=np.uint64))
    )
    assert set(texts[:50]) == {"<ledger >", "<batch >"}
    assert set(texts[50:]) == {"<ward >", "<bed >", "<patient >"}


def test_a_narrowed_pool_has_one_choice_per_row(fragments):
    texts = compose(fragments, np.array([0, 1] * 20), np.full((40, 1), 1), mix(np.arange(40, dtype=np.uint64)))
    assert {text[1] for text in texts[::2]} == {"7"}
    assert {text[1] for text in texts[1::2]} == {"8"}
    assert {text[2] for text in texts[::2]} <= set("01234")
    assert {text[2] for text in texts[1::2]} <= set("56789")


def test_expected_bytes_weigh_contexts_by_their_share(fragments):
    ledger, ward = (len("ledger ") + len("batch ")) / 2, (len("ward ") + len("bed ") + len("patient ")) / 3
    assert fragments.block_bytes[2] == pytest.approx(2 + (3 * ledger + ward) / 4)


def test_an_unknown_pool_is_named():
    with pytest.raises(ValueError, match="nothing"):
        Library({}).parse("{nothing}")


def test_a_pool_s_name_is_taken_once():
    library = Library({})
    library.pool("one", ["a"])
    with pytest.raises(ValueError, match="one"):
        library.pool("one", ["b"])
    with pytest.raises(ValueError, match="one fragment"):
        library.pool("two", [])
