"""The frame of every step: claim the dataset, show that the step lives, and leave the registry right if it fails."""

import logging
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

from dataops_core import fault_points, tracing
from dataops_core.acting import Acting, ActorKind, acting, known
from dataops_core.errors import DataOpsError, StaleRunError
from dataops_core.lifecycle import OperationType
from dataops_core.provisioning import fencing
from dataops_core.provisioning.fencing import Claim
from dataops_core.provisioning.services import StepContext
from dataops_core.provisioning.settlement import fail_dataset, settle_cancelled
from dataops_core.registry.database import Database, waiting_for_server

_log = logging.getLogger(__name__)

#: What a step waits for a database that is away: a restart of the server is over by then.
DATABASE_PATIENCE_SECONDS = 30.0


@contextmanager
def step(context: StepContext, kinds: Collection[OperationType], number: int | None) -> Iterator[Claim]:
    """Runs its block as one step of the run's operation.

    An error ends the dataset's part of the operation at once, with the error's own code and sentence, and is raised
    again. A run that is stopped from outside (an interrupt) is settled by whoever stopped it; an interrupt that came to
    light as an error of a library's is told as what it is. A database that is away as a transaction begins is waited
    for.
    """
    database = context.services.database
    run = context.run
    fault_points.reached("launched")
    with (
        waiting_for_server(DATABASE_PATIENCE_SECONDS),
        acting(Acting(ActorKind.RUN, run.run_id, operation_id=run.operation_id)),
        tracing.span(
            context.name,
            parent=run.traceparent,
            dataops__run_id=run.run_id,
            dataops__dataset_type=context.dataset_type,
        ) as span,
    ):
        with database.transaction() as session:
            claim = fencing.claim(
                session,
                run,
                environment=context.environment,
                dataset_type=context.dataset_type,
                kinds=kinds,
                step=number,
            )
        known(operation_id=claim.operation_id, request_id=claim.request_id)
        span.set(dataops__operation_id=str(claim.operation_id), dataops__dataset_id=str(claim.dataset_id))
        with _told(context), failing(database, claim, context.stopping), fencing.beating(database, claim):
            yield claim


@contextmanager
def _told(context: StepContext) -> Iterator[None]:
    """Writes a line when the step has ended, however it did."""
    started = time.monotonic()
    told = {"step": context.name, "dataset_type": context.dataset_type}
    try:
        yield
    except Exception as error:
        reason = error.message if isinstance(error, DataOpsError) else type(error).__name__
        _log.warning("step failed: %s", reason, extra=told | {"duration_ms": _since(started)})
        raise
    _log.info("step done", extra=told | {"duration_ms": _since(started)})


def _since(started: float) -> float:
    return round((time.monotonic() - started) * 1000, 1)


@contextmanager
def failing(database: Database, claim: Claim, stopping: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """Ends the claim's part of its operation where the block raises an error."""
    try:
        yield
    except StaleRunError:
        raise
    except DataOpsError as error:
        _fail(database, claim, stopping, code=error.code, message=error.message, details=error.details)
        raise
    except Exception:
        _fail(
            database,
            claim,
            stopping,
            code="INTERNAL_ERROR",
            message=f"A step failed by an unexpected error; run {claim.run_id} tells more in Dagster.",
        )
        raise


def _fail(
    database: Database,
    claim: Claim,
    stopping: Callable[[], bool],
    *,
    code: str,
    message: str,
    details: dict[str, Any] | None = None,
) -> None:
    try:
        stopped = stopping()
        with database.transaction() as session:
            held = fencing.hold(session, claim)
            if stopped:
                settle_cancelled(session, held.operation)
            else:
                fail_dataset(session, held.operation, held.part, code=code, message=message, details=details)
    except DataOpsError:
        # The step's own error matters more; the sensors settle what could not be written now.
        _log.warning("operation %s could not be settled by its run", claim.operation_id, exc_info=True)
