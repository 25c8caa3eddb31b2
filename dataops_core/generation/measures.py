"""Metrics with values that they can have: a rate is a percentage, a delay a time, a count a number.

Belongs here: which unit a metric has, by the noun that it is called by. Does not belong here: what a text says of it.
"""

import re
from collections.abc import Callable, Iterator, Sequence

from dataops_core.generation.library import Library
from dataops_core.generation.seeding import Draws
from dataops_core.generation.words import head

#: A table has so many rows at most that begin with a metric, each with another one.
ROWS = 5
#: Values of each metric.
_VALUES = 24
_RANGES = {"percent": (31, 98), "ms": (35, 980)}

_SHARES = frozenset(
    (
        "rate", "share", "coverage", "accuracy", "completion", "growth", "utilization", "uptime", "attendance", "use",
        "usage", "availability", "margin", "conversion", "abandonment", "uplift", "adoption", "compliance", "reuse",
        "progress", "retention", "yield", "turnover", "completeness", "variance", "occupancy", "attainment", "ratio",
        "headroom", "participation", "adherence", "enrollment", "noise", "resolution", "readiness", "effectiveness",
        "delivery", "precision", "success", "burn", "loss", "drift", "error", "recall", "churn", "attrition",
        "acceptance", "reach", "quality", "freshness", "shrinkage",
    )
)  # fmt: skip
_TIMES = frozenset(("time", "delay", "duration", "lag", "wait", "downtime", "runtime", "lateness"))
_DAYS = frozenset(("age", "turnaround", "cycle", "length", "lifetime", "period", "stay", "slippage"))
_SCORES = frozenset(("score", "rating"))
#: Shares of what goes wrong: a few in a hundred, or nobody would work there.
_WRONG = re.compile(
    r"error|fail|timeout|loss|lost|reject|defect|fraud|churn|false|wrong|abandon|drop|dispute|chargeback|declin|denial"
    r"|escap|duplicate|slippage|shrink|turnover|attrition|break|miss|default|no-show|drift|variance|infect|fall|scrap"
)


def unit(metric: str) -> str:
    """What a metric is counted in: ``percent``, ``minutes``, ``days``, ``ms``, ``points``, or nothing: a number."""
    called = head(metric).rpartition(" ")[2].lower()
    for names, said in ((_SHARES, "percent"), (_TIMES, "minutes"), (_DAYS, "days"), ({"latency"}, "ms")):
        if called in names:
            return said
    return "points" if called in _SCORES else ""


def values(metric: str) -> Iterator[str]:
    """Values that a metric can have. The same ones, always."""
    draws, said = Draws("measures", metric), unit(metric)
    for _ in range(_VALUES):
        if said == "points":
            yield f"{draws.between('points', 31, 97) / 10:.1f}"
        elif said:
            least, most = (1, 14) if said == "percent" and _WRONG.search(metric) else _RANGES.get(said, (2, 75))
            yield f"{draws.between('value', least, most)} {said}"
        else:
            yield f"{draws.between('number', 103, 9800):,}"


def add_measures(
    library: Library, context: str, metrics: Sequence[Sequence[str]], escape: Callable[[str], str], between: str
) -> None:
    """Adds the pool ``measured``, a metric of each topic with one of its values, such text between them; and
    ``measured0``, ``measured1`` … of a part of its metrics each, so that what is drawn of two is not the same metric.
    """
    said = [[f"{escape(metric)}{between}{value}" for metric in own for value in values(metric)] for own in metrics]
    library.pool_by(context, "measured", said)
    starts = [sum(map(len, said[:place])) for place in range(len(said))]
    for part in range(ROWS):
        ranges = []
        for start, own in zip(starts, metrics, strict=True):
            first, last = (len(own) * place // ROWS for place in (part, part + 1))
            if len(own) < ROWS:
                first, last = 0, len(own)
            ranges.append((start + first * _VALUES, (last - first) * _VALUES))
        library.view_by(context, f"measured{part}", "measured*", ranges)
