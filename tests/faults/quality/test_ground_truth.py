"""The embedded connector beside the ground truth (C-57): what it finds of each kind, over HTTP."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from dataops_core.dataset_types.base import Document
from dataops_core.ground_truth.closed_form import ClosedForm
from dataops_core.ground_truth.drawing import draw_questions

KNOWN_ITEMS = ("title", "phrase", "entity", "conjunction")


@pytest.fixture(scope="module")
def sound(material: Any, load: Callable[..., Any]) -> Any:
    """An index without a fault."""
    return load(material)


def assert_found(indexed: Any) -> None:
    """Known items first, a filter's answer whole, and most of what is asked in a sentence."""
    material = indexed.material

    def read(_: Sequence[int]) -> Iterator[list[Document]]:
        yield material.documents

    truth = draw_questions(
        read,
        material.dataset_type,
        ClosedForm(material.spec.company),
        material.queries,
        blocks=1,
        records=len(material.documents),
        seed=material.spec.seed,
    )
    hits: dict[str, list[float]] = defaultdict(list)
    for question in truth:
        answer = indexed.adapter.search(indexed.spec, question.text, filters=question.filters, page_size=10)
        assert answer.status_code == 200
        found = [hit.url for hit in answer.hits]
        expected = {one.url for one in question.expected}
        kind = question.kind.value
        if kind in KNOWN_ITEMS:
            hits[kind].append(float(set(found[: len(expected)]) == expected))
        elif kind == "filter":
            hits[kind].append(float(set(found) == expected))
        elif kind == "unanswerable":
            # Words of a question that nothing answers may stand somewhere; what there is not stands nowhere.
            hits[kind].append(float(not (question.in_quality_check and found)))
        else:
            hits[kind].append(float(bool(expected.intersection(found))))
    rates = {kind: sum(found) / len(found) for kind, found in hits.items()}
    assert {kind: rates[kind] for kind in (*KNOWN_ITEMS, "filter", "unanswerable")} == dict.fromkeys(
        (*KNOWN_ITEMS, "filter", "unanswerable"), 1.0
    )
    # Words of a question in natural language may all stand in others' documents: those come first then, and alone.
    in_words = [hit for kind in ("people", "fact", "multi_hop") for hit in hits[kind]]
    assert sum(in_words) / len(in_words) >= 0.8, rates


def test_the_embedded_connector_finds_what_is_known_and_nothing_that_is_not(sound: Any) -> None:
    """C-57."""
    assert_found(sound)


@pytest.mark.parametrize("locale", ["de_DE", "ja_JP"])
def test_so_it_does_in_other_countries(
    make_material: Callable[..., Any], load: Callable[..., Any], locale: str
) -> None:
    assert_found(load(make_material("zendesk_tickets", locale=locale)))
