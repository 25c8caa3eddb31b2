"""Text by gathering fragments, held against the plain way of doing it."""

import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from dataops_core.generation.fragments import Fragments
from dataops_core.generation.library import Library
from dataops_core.generation.seeding import STRIDE, key, mix, pick

TOPICS = (["ledger ", "batch "], ["ward ", "bed ", "patient "])


DIGITS = [str(digit) for digit in range(10)]
VERBS = ["holds ", "keeps ", "loses ", "fïnds "]
#: Too many to stand in the arena a second time.
WORDS = [f"word{number} " for number in range(2000)]
BLOCKS = (
    "<p>{noun}{verb}{noun*}</p>",
    "[{chosen}{low}]",
    "{cell}",
    "one, {digit}, {word}, {word}, {digit}; {noun}",
    "literal",
)


@pytest.fixture(scope="module")
def fragments() -> Fragments:
    library = Library({"topic": [3, 1]})
    library.pool("verb", VERBS)
    library.pool_by("topic", "noun", TOPICS)
    library.pool("digit", DIGITS)
    library.pool("word", WORDS)
    library.alias("chosen", "digit")
    library.view_by("topic", "low", "digit", [(0, 5), (5, 5)])
    library.wrapped("cell", "noun", "<", ">")
    for block in BLOCKS:
        library.block(*library.parse(block))
    return library.freeze()


def compose(
    fragments: Fragments, topics: np.ndarray, blocks: np.ndarray, keys: np.ndarray, edits: np.ndarray | None = None
) -> list[str]:
    ranges = fragments.ranges(len(topics), {"topic": topics})
    fragments.only(ranges, "chosen", fragments.base("digit") + topics + 7)
    return fragments.compose(ranges, blocks, keys, edits).to_pylist()


def plainly(topics: np.ndarray, blocks: np.ndarray, keys: np.ndarray, edits: np.ndarray | None = None) -> list[str]:
    """One fragment after another, each by its own draw, and edited as :func:`edited` says."""
    edits = np.zeros_like(keys) if edits is None else edits
    texts = []
    for topic, row, row_key, edit in zip(topics.tolist(), blocks.tolist(), keys, edits, strict=True):
        pools = {
            "verb": VERBS, "noun": TOPICS[topic], "noun*": [*TOPICS[0], *TOPICS[1]], "digit": DIGITS, "word": WORDS,
            "chosen": [DIGITS[topic + 7]], "low": (DIGITS[:5], DIGITS[5:])[topic],
            "cell": [f"<{noun}>" for noun in TOPICS[topic]],
        }  # fmt: skip
        blocks_parts = [[part for part in re.split(r"(\{.*?\})", BLOCKS[block]) if part] for block in row if block >= 0]
        choices = [pools[part[1:-1]] if part[0] == "{" else [part] for parts in blocks_parts for part in parts]
        counts = np.array([len(choice) for choice in choices], dtype=np.uint64)
        # The n-th block's key times an odd number of each of its parts.
        keys_ = mix(row_key + np.arange(len(blocks_parts), dtype=np.uint64) * STRIDE)
        products = [
            key_ * (mix(np.arange(len(parts), dtype=np.uint64) * STRIDE) | np.uint64(1))
            for key_, parts in zip(keys_, blocks_parts, strict=True)
        ]
        drawn = np.concatenate([np.zeros(0, dtype=np.uint64), *products])
        chosen = pick(drawn, counts)
        if edit:
            chosen = edited(chosen, counts.astype(np.int64), mix(drawn + edit))
        texts.append("".join(choice[place] for choice, place in zip(choices, chosen.tolist(), strict=True)))
    return texts


def edited(chosen: np.ndarray, counts: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Each 24th fragment is another one, and the last that can be where none was."""
    changed = chosen.copy()
    free = [place for place in range(len(chosen)) if counts[place] > 1]
    for place in [place for place in free if int(drawn[place]) % 24 == 0] or free[-1:]:
        others = int(pick(drawn[place : place + 1], int(counts[place]) - 1)[0])
        changed[place] = (chosen[place] + 1 + others) % counts[place]
    return changed


@pytest.fixture(scope="module")
def rows() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(5)
    return (
        generator.integers(0, 2, 150),
        generator.integers(-1, len(BLOCKS), (150, 9)),
        key("rows") + mix(np.arange(150, dtype=np.uint64)),
    )


def test_gathering_says_what_drawing_one_by_one_says(fragments, rows):
    assert compose(fragments, *rows) == plainly(*rows)


def test_a_copy_says_a_few_fragments_otherwise(fragments, rows):
    edits = np.where(np.arange(150) % 3 == 1, mix(np.arange(150, dtype=np.uint64)), np.uint64(0))
    assert compose(fragments, *rows, edits) == plainly(*rows, edits)


def test_literals_and_short_pools_beside_them_are_one_fragment(fragments):
    lengths = dict(zip(BLOCKS, fragments.program.length.tolist(), strict=True))
    assert lengths == {
        "<p>{noun}{verb}{noun*}</p>": 3,
        "[{chosen}{low}]": 2,
        "{cell}": 1,
        # Neither the words nor what lies between two of them.
        "one, {digit}, {word}, {word}, {digit}; {noun}": 6,
        "literal": 1,
    }
    assert "[7" in fragments.arena.to_pylist()


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
