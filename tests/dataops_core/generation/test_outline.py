"""How long documents are."""

import numpy as np
import pytest

from dataops_core.generation.outline import Outline, Parts, Sizes, blocks_of, compile_outline
from dataops_core.generation.seeding import mix

BLOCK_BYTES = np.array([100.0, 150.0, 400.0, 500.0, 60.0, 80.0, 900.0, 40.0])
PARTS = Parts(intros=(0, 1), sections=(((2,), {(4, 5): 3, (6,): 1}), ((3,), {(4,): 1})), outros=(7,))
KEYS = mix(np.arange(400, dtype=np.uint64))


def of_one(outline: Outline, wanted: np.ndarray, keys: np.ndarray) -> np.ndarray:
    return blocks_of([outline], np.zeros(len(keys), dtype=np.int64), wanted, keys)


@pytest.mark.parametrize("count", [20, 33, 60, 128, 500, 1001])
def test_sizes_have_their_mean_exactly(count):
    sizes = Sizes(count, 30_000, "seed")(np.arange(count))
    assert sizes.mean() == pytest.approx(30_000)
    assert sizes.max() > 1.9 * sizes.mean()
    assert sizes.min() < 0.5 * sizes.mean()


def test_a_document_comes_near_to_its_size():
    outline = compile_outline(PARTS, BLOCK_BYTES, 8000, "outline")
    wanted = np.linspace(3000, 14_000, 400)
    blocks = of_one(outline, wanted, KEYS)
    sizes = np.where(blocks >= 0, BLOCK_BYTES[blocks], 0).sum(axis=1)
    # Here and there chance gives a long document small blocks until the outline has no more.
    room = (blocks >= 0).sum(axis=1) < len(outline.rank)
    assert room.mean() > 0.99
    assert np.abs(sizes - wanted)[room].max() <= 450
    assert abs((sizes - wanted).mean()) < 30


def test_a_document_begins_with_its_introduction_and_has_all_sections_in_order():
    outline = compile_outline(PARTS, BLOCK_BYTES, 8000, "outline")
    for row in of_one(outline, np.full(50, 6000.0), KEYS[:50]):
        present = row[row >= 0].tolist()
        assert present[0] in {0, 1}
        assert present[-1] == 7
        assert present.index(2) < present.index(3)
        assert 6 not in present[present.index(3) :]


def test_the_shortest_document_is_an_introduction():
    outline = compile_outline(PARTS, BLOCK_BYTES, 200, "outline")
    blocks = of_one(outline, np.full(20, 1.0), KEYS[:20])
    assert ((blocks >= 0).sum(axis=1) == 1).all()
    assert set(blocks[blocks >= 0].tolist()) <= {0, 1}


def test_a_section_has_a_table_once_at_most_and_text_between_lists():
    text, lists, table = (2,), (3,), (4,)
    parts = Parts(
        (0,), (((1,), {text: 2, lists: 5, table: 1}),), (7,), apart=frozenset({lists, table}), once=frozenset({table})
    )
    outline = compile_outline(parts, np.full(8, 100.0), 1200, "outline")
    said = of_one(outline, np.full(400, 1500.0), KEYS)
    counts = (said == 4).sum(axis=1)
    assert set(counts.tolist()) == {0, 1}
    assert (said == 3).any()
    structured = (said == 3) | (said == 4)
    assert not (structured[:, 1:] & structured[:, :-1]).any()


def test_a_section_of_lists_alone_has_lists():
    lists = (3,)
    parts = Parts((0,), (((1,), {lists: 1}),), (7,), apart=frozenset({lists}), once=frozenset({lists}))
    said = of_one(compile_outline(parts, np.full(8, 100.0), 1200, "outline"), np.full(400, 1500.0), KEYS)
    assert ((said == 3).sum(axis=1) > 5).all()


def test_documents_of_several_outlines_are_as_each_by_itself():
    outlines = [compile_outline(PARTS, BLOCK_BYTES, mean, "outline", mean) for mean in (8000, 200, 3000)]
    wanted, chosen = np.linspace(100, 14_000, 400), np.arange(400) % 3
    together = blocks_of(outlines, chosen, wanted, KEYS)
    for number, outline in enumerate(outlines):
        mine = chosen == number
        alone = of_one(outline, wanted[mine], KEYS[mine])
        assert (together[mine, : alone.shape[1]] == alone).all()
        assert (together[mine, alone.shape[1] :] == -1).all()
