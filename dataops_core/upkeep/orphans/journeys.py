"""Journeys that nobody follows any more: their datasets are torn down, with the reason ``orphan_cleanup``.

A journey that is only silent may be somebody's holiday: it is told of, and acted on only where a setting says after how
long. What is in an operation's hands is left alone. Datasets go by the teardown that a request would start; its run is
launched like any other.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from dataops_core.lifecycle import DatasetStatus, TeardownReason
from dataops_core.provisioning.requests import accept_teardown
from dataops_core.registry import orphans
from dataops_core.upkeep.orphans.model import Finding, Kind, Scene

#: Journeys torn down by one search: each dataset is a run.
MOST_JOURNEYS = 20


def find(scene: Scene) -> Iterator[Finding]:
    """All of them."""
    yield from _silent(scene)


def _silent(scene: Scene) -> Iterator[Finding]:
    settings = scene.services.settings
    told_after = timedelta(days=settings.silent_journey_report_days)
    ended_after = timedelta(days=settings.silent_journey_teardown_days)
    after = min(one for one in (told_after, ended_after or told_after))
    with scene.services.database.transaction() as session:
        found = orphans.silent_journeys(session, before=scene.now - after)
    due = 0
    for journey_id, heard_at in found:
        mend = None
        if ended_after and scene.now - heard_at >= ended_after and due < MOST_JOURNEYS:
            due += 1

            def is_silent(session: Session, journey_id: UUID = journey_id) -> bool:
                return bool(orphans.silent_journeys(session, before=scene.now - ended_after, journey_id=journey_id))

            mend = _tear_down(scene, journey_id, is_silent)
        yield Finding(
            Kind.JOURNEY_SILENT,
            str(journey_id),
            f"Nobody has asked anything of journey {journey_id} or its datasets since {heard_at:%Y-%m-%d}.",
            "Tear its datasets down." if mend is not None else None,
            heard_at,
            mend,
        )


def _tear_down(scene: Scene, journey_id: UUID, still: Callable[[Session], bool]) -> Callable[[], bool]:
    """Starts the teardown of each of the journey's datasets that no operation works on."""

    def mend() -> bool:
        begun = False
        with scene.services.database.transaction() as session:
            if not still(session):
                return False
            for dataset_id in orphans.live_datasets_of(session, journey_id):
                held = orphans.hold_idle(session, dataset_id)
                if held is None or held.status in {DatasetStatus.ARCHIVED, DatasetStatus.TEARDOWN}:
                    continue
                accept_teardown(session, dataset_id, reason=TeardownReason.ORPHAN_CLEANUP, archive=True)
                begun = True
        return begun

    return mend
