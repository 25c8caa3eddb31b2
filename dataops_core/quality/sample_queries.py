"""The fourth check: do ten test queries find what they must? (``docs/contract.md`` C-60 … C-62)

Belongs here: one query's pass rule, the retries, and the check's result. Does not belong here: the queries with their
ground truth (``query_set.py``, ``query_drawing.py``), and HTTP (``connectors/``).

An answer passes when it is HTTP 200 within 5 s, has the Platform's shape, names no document twice and keeps the rule
of its kind. No answer within 5 s is a fault; a lost connection, a 5xx or a 429 is tried twice more, then nobody knows.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from dataops_core.connectors.protocol import ConnectorAdapter, ConnectorSpec, ProbeOutcome, SearchAnswer
from dataops_core.errors import ConnectorError
from dataops_core.lifecycle import CheckStatus, CheckType
from dataops_core.quality.model import CheckResult, percentage
from dataops_core.quality.query_set import PAGE_SIZE, TOP, QueryKind, SampleQuery

#: An answer must come within this time.
MAX_SECONDS = 5.0
#: Pauses before the two retries, in seconds.
RETRY_PAUSES = (0.2, 0.5)
#: What asks by a whole title must be answered with it: a body may say its words, too.
_BY_TITLE = frozenset({QueryKind.TITLE, QueryKind.PEOPLE})


@dataclass(frozen=True, slots=True)
class QueryOutcome:
    """What became of one query. ``rank``: of the first expected hit, from 1; ``reason``: why it did not pass."""

    query_id: str
    kind: QueryKind
    outcome: ProbeOutcome
    rank: int | None
    hits: int
    latency_ms: float
    reason: str


def run_queries(
    adapter: ConnectorAdapter,
    spec: ConnectorSpec,
    queries: Iterable[SampleQuery],
    *,
    pause: Callable[[float], None] = time.sleep,
) -> tuple[QueryOutcome, ...]:
    """Asks every query and judges its answer. Never raises for what the connector does.

    Queries without a definite answer are asked again together, so that trouble costs two pauses and not two for each.
    """
    outcomes: dict[str, QueryOutcome] = {}
    left = list(queries)
    for wait in (*RETRY_PAUSES, None):
        outcomes |= {query.query_id: _ask(adapter, spec, query) for query in left}
        left = [query for query in left if outcomes[query.query_id].outcome is ProbeOutcome.INDETERMINATE]
        if not left:
            break
        if wait is not None:
            pause(wait)
    return tuple(outcomes.values())


def _ask(adapter: ConnectorAdapter, spec: ConnectorSpec, query: SampleQuery) -> QueryOutcome:
    try:
        answer = adapter.search(spec, query.text, filters=query.filters, page_size=PAGE_SIZE)
    except ConnectorError as error:
        if error.details.get("kind") == "timeout":
            return _unanswered(query, ProbeOutcome.FAILED, f"no answer within {MAX_SECONDS:g} s")
        return _unanswered(query, ProbeOutcome.INDETERMINATE, "no connection")
    if answer.status_code >= 500 or answer.status_code == 429:
        return _unanswered(query, ProbeOutcome.INDETERMINATE, f"HTTP {answer.status_code}")
    return judge(query, answer)


def judge(query: SampleQuery, answer: SearchAnswer) -> QueryOutcome:
    """Whether a definite answer keeps the query's rule."""
    urls = [hit.url for hit in answer.hits]
    rank = next((rank for rank, url in enumerate(urls, start=1) if url in query.expected), None)
    reason = _fault(query, answer, urls, rank)
    return QueryOutcome(
        query_id=query.query_id,
        kind=query.kind,
        outcome=ProbeOutcome.FAILED if reason else ProbeOutcome.PASSED,
        rank=rank,
        hits=len(urls),
        latency_ms=round(answer.elapsed_seconds * 1000, 1),
        reason=reason,
    )


def _fault(query: SampleQuery, answer: SearchAnswer, urls: Sequence[str], rank: int | None) -> str:
    """The first rule that the answer breaks, empty for none."""
    if answer.status_code != 200:
        return f"HTTP {answer.status_code}"
    if answer.elapsed_seconds > MAX_SECONDS:
        return f"no answer within {MAX_SECONDS:g} s"
    if not answer.valid:
        return "not the shape of a search answer"
    if len(set(urls)) < len(urls):
        return "a document came twice"
    if query.kind is QueryKind.NEGATIVE:
        return f"{len(urls)} hits for a word that stands nowhere" if urls else ""
    if query.allowed is not None and not set(urls).issubset(query.allowed):
        return "a hit does not satisfy the filter"
    if query.kind is QueryKind.FILTER:
        due = min(PAGE_SIZE, len(query.allowed or ()))
        return "" if len(urls) == due else f"{len(urls)} hits, not {due}"
    if rank is None or rank > TOP:
        return f"expected document not in the first {TOP}"
    if query.kind in _BY_TITLE and answer.hits[rank - 1].title.split() != query.text.split():
        return "the expected document came under another title"
    return ""


def _unanswered(query: SampleQuery, outcome: ProbeOutcome, reason: str) -> QueryOutcome:
    """An outcome without an answer."""
    return QueryOutcome(query.query_id, query.kind, outcome, rank=None, hits=0, latency_ms=0.0, reason=reason)


def check_queries(outcomes: Sequence[QueryOutcome]) -> CheckResult:
    """Passes only if every query passed; score: share of queries that passed.

    With a definite failure: failed. With none, but a query that nobody could tell of: error, no score. ``metrics``:
    ``queries``, ``passed``, ``slowest_ms`` and ``outcomes`` (query_id, kind, outcome, rank, hits, latency_ms, reason;
    no query texts). ``outcomes`` must not be empty.
    """
    if not outcomes:
        raise ValueError("no query was run")
    count = {
        kind: sum(outcome.outcome is kind for outcome in outcomes)
        for kind in (ProbeOutcome.PASSED, ProbeOutcome.FAILED, ProbeOutcome.INDETERMINATE)
    }
    passed, untold = count[ProbeOutcome.PASSED], count[ProbeOutcome.INDETERMINATE]
    details = f"{passed}/{len(outcomes)} test queries successful"
    score: Decimal | None = percentage(passed, len(outcomes))
    if count[ProbeOutcome.FAILED]:
        status = CheckStatus.FAILED
    elif untold:
        status, score, details = CheckStatus.ERROR, None, f"{details}, {untold} could not be asked"
    else:
        status = CheckStatus.PASSED
    metrics = {
        "queries": len(outcomes),
        "passed": passed,
        "slowest_ms": max(outcome.latency_ms for outcome in outcomes),
        "outcomes": [
            {
                "query_id": outcome.query_id,
                "kind": outcome.kind.value,
                "outcome": outcome.outcome.value,
                "rank": outcome.rank,
                "hits": outcome.hits,
                "latency_ms": outcome.latency_ms,
                "reason": outcome.reason,
            }
            for outcome in outcomes
        ],
    }
    return CheckResult(CheckType.SAMPLE_QUERY_SUCCESS, status, score, details, metrics)
