"""The digest of ids is the same whether they are sorted in memory or on disk."""

import hashlib
import random
from contextlib import closing

import pytest

from dataops_core.connectors.id_digest import IdDigest


def plainly(ids: list[str]) -> tuple[int, str]:
    """As its definition says."""
    return len(ids), hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()


@pytest.mark.parametrize("held", [1, 3, 100, 100_000])
@pytest.mark.parametrize("distinct", [False, True])
def test_ids_are_digested_as_their_definition_says(held: int, distinct: bool) -> None:
    ids = [*(f"page-{number}" for number in range(250)), "Ä", "z", "é", "日本", "\U0001f600", "page-7", "Page-7", ""]
    random.Random(1).shuffle(ids)
    with closing(IdDigest(distinct=distinct, held=held)) as digest:
        for id_ in ids:
            digest.add(id_)
        assert digest.result() == plainly(list(set(ids)) if distinct else ids)


def test_no_ids_have_a_digest() -> None:
    with closing(IdDigest()) as digest:
        assert digest.result() == plainly([])
