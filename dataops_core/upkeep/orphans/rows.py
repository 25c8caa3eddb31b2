"""Rows of the registry that nobody works on: datasets on their way, failed teardowns, operations without a run.

None of them should be: runs, sensors and the API settle what they began. What is safe is repaired, by the moves that
there are (C-35); the rest is told of.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import UUID

from dataops_core.lifecycle import DatasetStatus, TeardownReason
from dataops_core.provisioning.requests import accept_teardown
from dataops_core.provisioning.settlement import abandon_dataset
from dataops_core.registry import orphans
from dataops_core.registry.tables import Operation
from dataops_core.upkeep.orphans import files
from dataops_core.upkeep.orphans.model import Finding, Kind, Scene

#: So long an operation may wait for its run before it is told of.
PATIENCE = timedelta(minutes=10)
#: A teardown that failed so often is told of and not tried again.
MOST_ATTEMPTS = 5


def find(scene: Scene) -> Iterator[Finding]:
    """All of them."""
    yield from _stuck(scene)
    yield from _failed_teardowns(scene)
    yield from _never_launched(scene)
    yield from files.missing(scene)


def _stuck(scene: Scene) -> Iterator[Finding]:
    with scene.services.database.transaction() as session:
        found = orphans.stuck_datasets(session)
    for dataset in found:

        def mend(dataset_id: UUID = dataset.dataset_id) -> bool:
            with scene.services.database.transaction() as session:
                held = orphans.hold_idle(session, dataset_id)
                if held is None or held.status not in {DatasetStatus.PROVISIONING, DatasetStatus.VALIDATING}:
                    return False
                abandon_dataset(session, held)
                return True

        yield Finding(
            Kind.DATASET_STUCK,
            str(dataset.dataset_id),
            f"Dataset {dataset.dataset_id} is {dataset.status}, and no operation works on it.",
            "Call it failed (a restored one: archived), so that its place is free.",
            dataset.updated_at,
            mend,
        )


def _failed_teardowns(scene: Scene) -> Iterator[Finding]:
    with scene.services.database.transaction() as session:
        found = orphans.failed_teardowns(session)
    for dataset_id, teardown in found:
        attempts = teardown.attempt if teardown is not None else 0
        says = f"The teardown of dataset {dataset_id} failed {attempts} time(s), and nobody goes on with it."
        if attempts >= MOST_ATTEMPTS:
            yield Finding(Kind.TEARDOWN_FAILED, str(dataset_id), f"{says} {_error_of(teardown)}")
            continue
        yield Finding(
            Kind.TEARDOWN_FAILED,
            str(dataset_id),
            says,
            "Go on with it.",
            teardown.completed_at if teardown is not None else None,
            _go_on(scene, dataset_id, archive=bool(teardown.request["archive"]) if teardown is not None else True),
        )


def _error_of(teardown: Operation | None) -> str:
    error = teardown.error if teardown is not None else None
    return f"The last time: {error['message']}" if error else ""


def _go_on(scene: Scene, dataset_id: UUID, *, archive: bool) -> Callable[[], bool]:
    def mend() -> bool:
        with scene.services.database.transaction() as session:
            if dataset_id not in {one for one, _ in orphans.failed_teardowns(session)}:
                return False
            # Of two at once the second finds the operation of the first.
            accept_teardown(session, dataset_id, reason=TeardownReason.ORPHAN_CLEANUP, archive=archive)
            return True

    return mend


def _never_launched(scene: Scene) -> Iterator[Finding]:
    with scene.services.database.transaction() as session:
        found = orphans.never_launched(session, before=scene.now - PATIENCE)
    for operation in found:
        yield Finding(
            Kind.OPERATION_WITHOUT_RUN,
            str(operation.operation_id),
            f"Operation {operation.operation_id} has waited for a run since {operation.beat_at:%Y-%m-%d %H:%M} UTC: "
            "see that Dagster's daemon and code location are up and its sensor launch_pending_operations is on.",
        )
