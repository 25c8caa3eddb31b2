"""The frame of every step: claim the dataset, show that the step lives, and leave the registry right if it fails."""

import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from dataops_core.acting import Acting, ActorKind, acting, known
from dataops_core.errors import DataOpsError, StaleRunError
from dataops_core.lifecycle import OperationType
from dataops_core.provisioning import fencing
from dataops_core.provisioning.fencing import Claim
from dataops_core.provisioning.services import StepContext
from dataops_core.provisioning.settlement import fail_dataset
from dataops_core.registry.database import Database

_log = logging.getLogger(__name__)


@contextmanager
def step(context: StepContext, kinds: Collection[OperationType], number: int | None) -> Iterator[Claim]:
    """Runs its block as one step of the run's operation.

    An error ends the dataset's part of the operation at once, with the error's own code and sentence, and is raised
    again. A run that is stopped from outside (an interrupt) is settled by whoever stopped it.
    """
    database = context.services.database
    run = context.run
    with acting(Acting(ActorKind.RUN, run.run_id, operation_id=run.operation_id)):
        with database.transaction() as session:
            claim = fencing.claim(
                session,
                run,
                environment=context.environment,
                dataset_type=context.dataset_type,
                kinds=kinds,
                step=number,
            )
        known(operation_id=claim.operation_id)
        with failing(database, claim), fencing.beating(database, claim):
            yield claim


@contextmanager
def failing(database: Database, claim: Claim) -> Iterator[None]:
    """Ends the claim's part of its operation where the block raises an error."""
    try:
        yield
    except StaleRunError:
        raise
    except DataOpsError as error:
        _fail(database, claim, code=error.code, message=error.message, details=error.details)
        raise
    except Exception:
        _fail(
            database,
            claim,
            code="INTERNAL_ERROR",
            message=f"A step failed by an unexpected error; run {claim.run_id} tells more in Dagster.",
        )
        raise


def _fail(database: Database, claim: Claim, *, code: str, message: str, details: dict[str, Any] | None = None) -> None:
    try:
        with database.transaction() as session:
            held = fencing.hold(session, claim)
            fail_dataset(session, held.operation, held.part, code=code, message=message, details=details)
    except DataOpsError:
        # The step's own error matters more; the sensors settle what could not be written now.
        _log.warning("operation %s could not be settled by its run", claim.operation_id, exc_info=True)
