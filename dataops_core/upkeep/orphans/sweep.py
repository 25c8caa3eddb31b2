"""One search for orphans: called by the pipeline's schedule ``look_for_orphans`` and by ``dataops orphans``.

Everything that is found is younger than the grace and waits, or is mended, or is only reported. What mends something
looks at it again under a lock first, so that it is safe at any time, twice at once, and beside whatever is in flight.
One finding that cannot be mended now is told of and holds up no other; the next search finds it again.
"""

import logging
from collections.abc import Callable, Iterator

from dataops_core.errors import DataOpsError
from dataops_core.provisioning.services import Services
from dataops_core.registry import orphans
from dataops_core.upkeep.orphans import connectors, environments, files, journeys, rows
from dataops_core.upkeep.orphans.model import EnvironmentKeys, Finding, Report, Scene, Told, Verdict

_log = logging.getLogger(__name__)

#: Teardowns come first and are done by runs: what they leave behind is found by the next search.
_FINDERS: tuple[Callable[[Scene], Iterator[Finding]], ...] = (
    journeys.find,
    rows.find,
    connectors.find,
    files.find,
    environments.find,
)


def look_for_orphans(services: Services, keys: EnvironmentKeys, *, dry_run: bool) -> Report:
    """Finds what nobody owns and mends what is due; a dry run changes nothing and tells what it would do.

    What was found is noted for the figures (``registry/measuring.py``), unless it is a dry run.
    """
    scene = Scene(services, keys)
    report = Report(dry_run)
    for find in _FINDERS:
        for finding in find(scene):
            told = _deal_with(scene, finding, dry_run=dry_run)
            report.told.append(told)
            _log.log(
                logging.INFO if told.verdict in {Verdict.WAITING, Verdict.LEFT} else logging.WARNING,
                "orphan %s: %s",
                told.verdict.value,
                finding.says,
                extra={"kind": finding.kind.value, "subject": finding.subject},
            )
    if not dry_run:
        with services.database.transaction() as session:
            orphans.note_search(session, searched_at=scene.now, findings=report.by_kind())
    return report


def _deal_with(scene: Scene, finding: Finding, *, dry_run: bool) -> Told:
    if finding.mend is None:
        return Told(finding, Verdict.REPORTED)
    if finding.since is not None and scene.now - finding.since < scene.grace:
        return Told(finding, Verdict.WAITING)
    if dry_run:
        return Told(finding, Verdict.DUE)
    try:
        return Told(finding, Verdict.DONE if finding.mend() else Verdict.LEFT)
    except DataOpsError as error:
        return Told(finding, Verdict.FAILED, error.message)
