"""What an answer must be, who is asked again, and what ten outcomes amount to (C-61, C-62)."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

import pytest

from dataops_core.connectors.protocol import (
    ConnectorSpec,
    LoadReport,
    Manifest,
    ProbeOutcome,
    ProbeResult,
    SearchAnswer,
    SearchFilter,
    SearchHit,
)
from dataops_core.dataset_types.base import Document
from dataops_core.errors import ConnectorError
from dataops_core.lifecycle import CheckStatus
from dataops_core.quality.query_set import QueryKind, SampleQuery
from dataops_core.quality.sample_queries import QueryOutcome, check_queries, judge, run_queries

SPEC = ConnectorSpec(UUID(int=1), "Toy", "Page", "KNOWLEDGE_HUB", ".*", ("space",))
IN_SPACE = (SearchFilter("space", ("OPS",)),)
TITLE = SampleQuery("q01-title", QueryKind.TITLE, "a title", expected=("u1",))
ENTITY = SampleQuery("q06-entity", QueryKind.ENTITY, "PAY-1", expected=("u1", "u2"))
FILTER = SampleQuery("q08-filter", QueryKind.FILTER, "ledger", IN_SPACE, allowed=("u1", "u2", "u3"))
PEOPLE = SampleQuery("q09-people", QueryKind.PEOPLE, "a title", IN_SPACE, expected=("u1",), allowed=("u1", "u2"))
NEGATIVE = SampleQuery("q10-negative", QueryKind.NEGATIVE, "qz1")


def answer(
    *urls: str, status: int = 200, valid: bool = True, seconds: float = 0.01, title: str = "a title"
) -> SearchAnswer:
    hits = tuple(SearchHit(url, title, (), None, None) for url in urls)
    return SearchAnswer(status, hits, valid=valid, elapsed_seconds=seconds)


def no_connection(kind: str = "connection") -> ConnectorError:
    return ConnectorError("The connector cannot be reached.", details={"kind": kind, "transient": True, "status": None})


@dataclass
class Scripted:
    """A connector that gives prepared answers, the last one for ever."""

    script: Sequence[SearchAnswer | ConnectorError]
    kind: str = "scripted"
    asked: list[tuple[str, tuple[SearchFilter, ...], int]] = field(default_factory=list)

    def search(
        self, spec: ConnectorSpec, query: str, *, filters: Sequence[SearchFilter] = (), page_size: int = 10
    ) -> SearchAnswer:
        assert spec is SPEC
        reply = self.script[min(len(self.asked), len(self.script) - 1)]
        self.asked.append((query, tuple(filters), page_size))
        if isinstance(reply, ConnectorError):
            raise reply
        return reply

    def provision(self, spec: ConnectorSpec) -> None:
        raise NotImplementedError

    def load(self, spec: ConnectorSpec, documents: Iterable[Document], *, upload_id: str) -> LoadReport:
        raise NotImplementedError

    def probe(
        self, spec: ConnectorSpec, manifest: Manifest, upload_id: str, canaries: Collection[str]
    ) -> list[ProbeResult]:
        raise NotImplementedError

    def teardown(self, spec: ConnectorSpec) -> list[str]:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("query", "given", "rank"),
    [
        (TITLE, answer("u1"), 1),
        (TITLE, answer("x", "y", "u1", "z"), 3),
        (ENTITY, answer("x", "u2"), 2),
        (FILTER, answer("u3", "u1", "u2"), None),
        (PEOPLE, answer("u2", "u1"), 2),
        (NEGATIVE, answer(), None),
        (TITLE, answer("u1", seconds=5.0), 1),
        (TITLE, answer("u1", title=" a  title"), 1),
        (ENTITY, answer("u1", title="another"), 1),
    ],
)
def test_a_right_answer_passes(query: SampleQuery, given: SearchAnswer, rank: int | None) -> None:
    """C-62."""
    outcome = judge(query, given)
    assert (outcome.outcome, outcome.reason, outcome.rank) == (ProbeOutcome.PASSED, "", rank)
    assert outcome.hits == len(given.hits)


@pytest.mark.parametrize(
    ("query", "given", "reason"),
    [
        (TITLE, answer(), "expected document not in the first 3"),
        (TITLE, answer("x", "y", "z", "u1"), "expected document not in the first 3"),
        (TITLE, answer("u1", "x", "x"), "a document came twice"),
        (TITLE, answer("u1", valid=False), "not the shape of a search answer"),
        (TITLE, answer("u1", seconds=5.01), "no answer within 5 s"),
        (TITLE, answer(status=401, valid=False), "HTTP 401"),
        (TITLE, answer(status=410, valid=False), "HTTP 410"),
        (FILTER, answer(), "0 hits, not 3"),
        (FILTER, answer("u1", "u2"), "2 hits, not 3"),
        (FILTER, answer("u1", "u2", "u3", "x"), "a hit does not satisfy the filter"),
        (PEOPLE, answer("u1", "x"), "a hit does not satisfy the filter"),
        (PEOPLE, answer("u2"), "expected document not in the first 3"),
        (TITLE, answer("u1", title=""), "the expected document came under another title"),
        (PEOPLE, answer("u1", title="title"), "the expected document came under another title"),
        (NEGATIVE, answer("u1"), "1 hits for a word that stands nowhere"),
    ],
)
def test_a_wrong_answer_fails_with_the_reason(query: SampleQuery, given: SearchAnswer, reason: str) -> None:
    """C-62."""
    outcome = judge(query, given)
    assert (outcome.outcome, outcome.reason) == (ProbeOutcome.FAILED, reason)


def test_a_filter_with_more_than_a_page_gets_a_full_page() -> None:
    many = SampleQuery("q", QueryKind.FILTER, "ledger", IN_SPACE, allowed=tuple(f"u{n}" for n in range(25)))
    assert judge(many, answer(*[f"u{n}" for n in range(10)])).outcome is ProbeOutcome.PASSED
    assert judge(many, answer(*[f"u{n}" for n in range(9)])).reason == "9 hits, not 10"


def test_queries_are_asked_as_they_are() -> None:
    connector = Scripted([answer("u1", "u2", "u3")])
    run_queries(connector, SPEC, [FILTER])
    assert connector.asked == [("ledger", IN_SPACE, 10)]


@pytest.mark.parametrize("trouble", [no_connection(), answer(status=503, valid=False), answer(status=429, valid=False)])
def test_passing_trouble_is_tried_twice_more(trouble: SearchAnswer | ConnectorError) -> None:
    """C-62."""
    pauses: list[float] = []
    connector = Scripted([trouble, trouble, answer("u1")])
    [outcome] = run_queries(connector, SPEC, [TITLE], pause=pauses.append)
    assert outcome.outcome is ProbeOutcome.PASSED
    assert len(pauses) == 2


@pytest.mark.parametrize(
    ("trouble", "reason"), [(no_connection(), "no connection"), (answer(status=500, valid=False), "HTTP 500")]
)
def test_lasting_trouble_says_nothing_about_the_query(trouble: SearchAnswer | ConnectorError, reason: str) -> None:
    """C-62: never called failed."""
    connector = Scripted([trouble])
    [outcome] = run_queries(connector, SPEC, [TITLE], pause=lambda _: None)
    assert (outcome.outcome, outcome.reason) == (ProbeOutcome.INDETERMINATE, reason)
    assert len(connector.asked) == 3


def test_no_answer_in_time_is_failed_and_not_tried_again() -> None:
    """C-62."""
    connector = Scripted([no_connection("timeout")])
    [outcome] = run_queries(connector, SPEC, [TITLE], pause=lambda _: None)
    assert (outcome.outcome, outcome.reason) == (ProbeOutcome.FAILED, "no answer within 5 s")
    assert len(connector.asked) == 1


def test_a_refusal_is_an_answer() -> None:
    connector = Scripted([answer(status=401, valid=False)])
    run_queries(connector, SPEC, [TITLE], pause=lambda _: None)
    assert len(connector.asked) == 1


def outcomes(passed: int, failed: int = 0, untold: int = 0) -> list[QueryOutcome]:
    kinds = [ProbeOutcome.PASSED] * passed + [ProbeOutcome.FAILED] * failed + [ProbeOutcome.INDETERMINATE] * untold
    return [QueryOutcome(f"q{n}", QueryKind.TITLE, kind, 1, 3, 10.0 + n, "") for n, kind in enumerate(kinds)]


@pytest.mark.parametrize(
    ("given", "status", "score", "details"),
    [
        (outcomes(10), CheckStatus.PASSED, Decimal("100.00"), "10/10 test queries successful"),
        (outcomes(9, failed=1), CheckStatus.FAILED, Decimal("90.00"), "9/10 test queries successful"),
        (outcomes(0, failed=10), CheckStatus.FAILED, Decimal("0.00"), "0/10 test queries successful"),
        (outcomes(8, untold=2), CheckStatus.ERROR, None, "8/10 test queries successful, 2 could not be asked"),
        (outcomes(8, failed=1, untold=1), CheckStatus.FAILED, Decimal("80.00"), "8/10 test queries successful"),
    ],
)
def test_ten_of_ten_pass(
    given: Sequence[QueryOutcome], status: CheckStatus, score: Decimal | None, details: str
) -> None:
    """C-61, C-62."""
    result = check_queries(given)
    assert (result.status, result.score, result.details) == (status, score, details)


def test_metrics_hold_numbers_and_no_texts() -> None:
    metrics = check_queries(outcomes(9, failed=1)).metrics
    assert (metrics["queries"], metrics["passed"], metrics["slowest_ms"]) == (10, 9, 19.0)
    assert set(metrics["outcomes"][0]) == {"query_id", "kind", "outcome", "rank", "hits", "latency_ms", "reason"}


def test_no_query_is_no_verdict() -> None:
    with pytest.raises(ValueError, match="no query"):
        check_queries([])
