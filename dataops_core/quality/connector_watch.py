"""A connector's status from one look after another, so that it follows what lasts and does not flicker. Pure.

Belongs here: the rules by which a finding moves the status. Does not belong here: looking (``connectors/probes.py``),
what one look found (``connector_health.py``), and storing it (``registry/connectors.py``). Source:
``docs/contract.md`` C-90.
"""

from dataclasses import dataclass

from dataops_core.lifecycle import ConnectorStatus, Finding

#: So many looks in a row that could not tell are a fault all the same.
UNCLEAR_LOOKS = 3
#: So many clean looks in a row make well again what was not; one, where somebody asked for the look.
CLEAN_LOOKS = 2


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a connector stands, with what is remembered of the looks at it.

    ``failures`` are looks in a row that failed or could not tell, ``passes`` those in which all that is required held,
    ``clean`` those of which nothing was to be said.
    """

    status: ConnectorStatus
    reason: str | None = None
    finding: Finding | None = None
    failures: int = 0
    passes: int = 0
    clean: int = 0


def observe(before: Standing, finding: Finding, reason: str | None, *, explicit: bool = False) -> Standing:
    """Where the connector stands after one more look; ``explicit``: somebody asked for this one.

    A definite failure makes it unhealthy at once. One that could not tell makes it degraded, the third in a row
    unhealthy. Back from unhealthy takes two looks in a row in which all that is required held, healthy again two clean
    ones, or one of either that is explicit.
    """
    wanted = 1 if explicit else CLEAN_LOOKS
    holds = finding in {Finding.CLEAN, Finding.STRAINED}
    failures = 0 if holds else before.failures + 1
    passes = before.passes + 1 if holds else 0
    clean = before.clean + 1 if finding is Finding.CLEAN else 0
    was_unhealthy = before.status is ConnectorStatus.UNHEALTHY
    if finding is Finding.FAILED:
        status = ConnectorStatus.UNHEALTHY
    elif finding is Finding.UNCLEAR:
        lasts = was_unhealthy or failures >= UNCLEAR_LOOKS
        status = ConnectorStatus.UNHEALTHY if lasts else ConnectorStatus.DEGRADED
    elif was_unhealthy and passes < wanted:
        status = ConnectorStatus.UNHEALTHY
    elif finding is Finding.STRAINED:
        status = ConnectorStatus.DEGRADED
    elif before.status is ConnectorStatus.DEGRADED or was_unhealthy:
        status = ConnectorStatus.HEALTHY if clean >= wanted else ConnectorStatus.DEGRADED
    else:
        status = ConnectorStatus.HEALTHY
    if status is ConnectorStatus.HEALTHY:
        said = None
    elif status is before.status and before.reason is not None and not _is_news(before.reason, finding, reason):
        said = before.reason
    else:
        said = reason or before.reason
    return Standing(status, said, finding, failures, passes, clean)


def _is_news(known: str, finding: Finding, reason: str | None) -> bool:
    """Whether another fault has come: a number that differs from look to look is none, and neither is a doubt."""
    if reason is None or finding is Finding.UNCLEAR:
        return False
    return reason.partition(":")[0] != known.partition(":")[0]
