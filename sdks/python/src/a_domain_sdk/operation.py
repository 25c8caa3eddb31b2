"""An operation that goes on at the server: provisioning, teardown, validation."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from a_domain_sdk import _calls
from a_domain_sdk._session import Session
from a_domain_sdk.errors import OperationCancelledError, OperationError, OperationFailedError, OperationTimeoutError
from a_domain_sdk.models import (
    AcceptedOperation,
    OperationDataset,
    OperationProblem,
    OperationResult,
    OperationState,
    Progress,
)

_TERMINAL = frozenset({"completed", "failed", "cancelled"})
_FIRST_INTERVAL = 0.25
_LONGEST_INTERVAL = 2.0
_GROWTH = 1.25


class Operation:
    """One operation, as last seen. ``refresh()`` looks again; ``wait()`` looks until it has ended."""

    def __init__(self, session: Session, state: OperationState, accepted: list[OperationDataset] | None = None) -> None:
        self._session = session
        self._accepted = accepted or []
        self.state = state

    @classmethod
    def accepted(cls, session: Session, answer: AcceptedOperation, operation_type: str) -> Operation:
        """The operation that the API just accepted: pending, until it is looked at."""
        state = OperationState(
            operation_id=answer.operation_id,
            operation_type=operation_type,
            status="pending",
            estimated_completion=answer.estimated_completion,
        )
        return cls(session, state, answer.datasets)

    def is_complete(self) -> bool:
        """Whether it had ended when last seen: completed, failed or cancelled."""
        return self.state.status in _TERMINAL

    def refresh(self) -> Operation:
        """Asks the API how it stands now. Returns itself."""
        self.state = self._session.run(_calls.get_operation(self.operation_id))
        return self

    def wait(
        self,
        timeout: float | None = None,
        on_progress: Callable[[Operation], None] | None = None,
        *,
        poll_interval: float | None = None,
    ) -> Operation:
        """Waits until it has completed, and returns itself.

        ``timeout`` in seconds, None for as long as it takes. ``on_progress`` is called with the operation at the first
        look and at each change of status or progress. ``poll_interval`` in seconds; else 0.25, growing to 2.

        Raises OperationFailedError, OperationCancelledError, or OperationTimeoutError, after which the operation goes
        on at the server and may be waited for again.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        interval = poll_interval or _FIRST_INTERVAL
        seen: tuple[str, Progress] | None = None
        while True:
            if not self.is_complete() or seen is None:
                self.refresh()
            if (self.state.status, self.state.progress) != seen:
                seen = (self.state.status, self.state.progress)
                if on_progress is not None:
                    on_progress(self)
            if self.is_complete():
                self.raise_for_status()
                return self
            left = interval if deadline is None else deadline - time.monotonic()
            if left <= 0:
                raise OperationTimeoutError(
                    f"Operation {self.operation_id} is still {self.status} after {timeout:g} s; it goes on.",
                    operation_id=self.operation_id,
                )
            self._session.pause(min(interval, left))
            if poll_interval is None:
                interval = min(_LONGEST_INTERVAL, interval * _GROWTH)

    def raise_for_status(self) -> None:
        """Raises OperationFailedError or OperationCancelledError where it ended that way; else does nothing."""
        if self.state.status == "cancelled":
            raise OperationCancelledError(
                f"Operation {self.operation_id} was cancelled.", operation_id=self.operation_id
            )
        if self.state.status == "failed":
            error = self.state.error
            raise OperationFailedError(
                f"Operation {self.operation_id} failed: {error.message if error else 'no reason is given'}",
                operation_id=self.operation_id,
                code=error.code if error else None,
                details=error.details if error else None,
            )

    @property
    def operation_id(self) -> str:
        """Its id."""
        return self.state.operation_id

    @property
    def operation_type(self) -> str | None:
        """``dataset_provisioning``, ``dataset_teardown``, ``quality_validation`` or ``dataset_restore``."""
        return self.state.operation_type

    @property
    def status(self) -> str:
        """``pending``, ``in_progress``, ``completed``, ``failed`` or ``cancelled``."""
        return self.state.status

    @property
    def progress(self) -> Progress:
        """The step it is at."""
        return self.state.progress

    @property
    def result(self) -> OperationResult:
        """What it led to, each dataset with status and score. Raises OperationError where there is no result yet."""
        if self.state.result is None:
            self.raise_for_status()
            raise OperationError(
                f"Operation {self.operation_id} is {self.status}: it has no result yet.", operation_id=self.operation_id
            )
        return self.state.result

    @property
    def datasets(self) -> list[OperationDataset]:
        """The datasets it is about: as in the result where there is one, else as accepted."""
        return self.state.result.datasets if self.state.result is not None else self._accepted

    @property
    def error(self) -> OperationProblem | None:
        """Why it failed."""
        return self.state.error

    @property
    def started_at(self) -> datetime | None:
        """When its run began."""
        return self.state.started_at

    @property
    def completed_at(self) -> datetime | None:
        """When it ended."""
        return self.state.completed_at

    @property
    def estimated_completion(self) -> datetime | None:
        """When it may end."""
        return self.state.estimated_completion

    @property
    def duration_minutes(self) -> float | None:
        """How long it took."""
        return self.state.duration_minutes

    @property
    def run_id(self) -> str | None:
        """Its newest Dagster run."""
        return self.state.run_id

    @property
    def run_url(self) -> str | None:
        """That run in the Dagster UI; shown to admins only."""
        return self.state.run_url

    def __repr__(self) -> str:
        progress = self.state.progress
        return f"<Operation {self.operation_id} {self.status} {progress.current_step}/{progress.total_steps}>"
