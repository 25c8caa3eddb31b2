"""Datasets of journeys that nobody follows any more: they are torn down, with the reason ``orphan_cleanup``.

A journey that has ended tears its datasets down itself; what it could not is found here. One that is only silent may be
somebody's holiday: it is told of, and acted on only where a setting says after how long. What is in the hands of an
operation or of an event is left alone. Datasets go by the teardown that a request would start; its run is launched like
any other.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta

from sqlalchemy.orm import Session

from dataops_core.lifecycle import TeardownReason
from dataops_core.provisioning.requests import accept_teardown
from dataops_core.registry import journeys, orphaned_journeys, orphans
from dataops_core.registry.orphaned_journeys import FoundJourney
from dataops_core.registry.tables import Journey
from dataops_core.upkeep.orphans.model import Finding, Kind, Scene

#: Journeys torn down by one search: each dataset is a run.
MOST_JOURNEYS = 20

_REMEDY = "Tear its datasets down."


def find(scene: Scene) -> Iterator[Finding]:
    """Those that have ended, and those that are silent."""
    yield from _ended(scene)
    yield from _silent(scene)


def _ended(scene: Scene) -> Iterator[Finding]:
    with scene.services.database.transaction() as session:
        found = orphaned_journeys.ended_journeys(session)
    due = 0
    for journey in found:
        due += scene.now - journey.since >= scene.grace
        if due > MOST_JOURNEYS:
            return

        def has_ended(session: Session, journey: FoundJourney = journey) -> bool:
            return bool(orphaned_journeys.ended_journeys(session, one=journey))

        yield Finding(
            Kind.JOURNEY_ENDED,
            str(journey.journey_id),
            f"Journey {journey.journey_id} of customer {journey.client_id} has ended, and datasets of it are left.",
            _REMEDY,
            journey.since,
            _tear_down(scene, journey, has_ended),
        )


def _silent(scene: Scene) -> Iterator[Finding]:
    settings = scene.services.settings
    told_after = timedelta(days=settings.silent_journey_report_days)
    ended_after = timedelta(days=settings.silent_journey_teardown_days)
    with scene.services.database.transaction() as session:
        found = orphaned_journeys.silent_journeys(
            session, before=scene.now - min(told_after, ended_after or told_after)
        )
    due = 0
    for journey in found:
        is_due = bool(ended_after) and scene.now - journey.since >= ended_after and due < MOST_JOURNEYS
        due += is_due

        def is_silent(session: Session, journey: FoundJourney = journey) -> bool:
            return bool(orphaned_journeys.silent_journeys(session, before=scene.now - ended_after, one=journey))

        yield Finding(
            Kind.JOURNEY_SILENT,
            str(journey.journey_id),
            f"Nobody has asked anything of journey {journey.journey_id} of customer {journey.client_id} or of its "
            f"datasets since {journey.since:%Y-%m-%d}.",
            _REMEDY if is_due else None,
            journey.since,
            _tear_down(scene, journey, is_silent) if is_due else None,
        )


def _tear_down(scene: Scene, journey: FoundJourney, still: Callable[[Session], bool]) -> Callable[[], bool]:
    """Starts the teardown of each of the journey's datasets that no operation works on."""

    def mend() -> bool:
        begun = False
        with scene.services.database.transaction() as session:
            ids = {"client_id": journey.client_id, "journey_id": journey.journey_id}
            # Locks go journey first, operation second, dataset third; one without an event has no row.
            told_of = session.get(Journey, (journey.journey_id, journey.client_id)) is not None
            if told_of and journeys.lock_if_free(session, **ids) is None:
                return False
            if not still(session):
                return False
            for dataset_id in orphaned_journeys.live_datasets_of(session, journey):
                if orphans.hold_idle(session, dataset_id) is None:
                    continue
                accept_teardown(session, dataset_id, reason=TeardownReason.ORPHAN_CLEANUP, archive=True)
                begun = True
        return begun

    return mend
