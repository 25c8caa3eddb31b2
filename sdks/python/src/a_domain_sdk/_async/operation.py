"""An operation that goes on at the server: provisioning, teardown, validation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Literal

from a_domain_sdk._async.session import AsyncSession
from a_domain_sdk._call import Call, Id, changing_key, nothing, path_of
from a_domain_sdk._events import Events
from a_domain_sdk.errors import (
    APIConnectionError,
    OperationCancelledError,
    OperationError,
    OperationFailedError,
    OperationTimeoutError,
)
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
_LONGEST_HOLD = 10.0
_EVENTS = "text/event-stream"
_MOST_BREAKS = 5
#: The API gives a sign of life every 15 seconds.
_LONGEST_SILENCE = 45.0


def look_at(operation_id: Id, *, wait: int = 0) -> Call[OperationState]:
    """How it stands, told when it has ended or after ``wait`` seconds."""
    path = f"/operations{path_of(operation_id)}"
    return Call("GET", path, OperationState.model_validate, parameters={"wait": wait or None})


def steer(operation_id: Id, verb: Literal["cancel", "retry"], idempotency_key: str | None) -> Call[AcceptedOperation]:
    """To cancel it, or to do it again."""
    return Call(
        "POST",
        f"/operations{path_of(operation_id)}/{verb}",
        AcceptedOperation.model_validate,
        idempotency_key=changing_key(idempotency_key),
    )


async def watch(session: AsyncSession, operation_id: Id) -> AsyncIterator[OperationState]:
    """Each state as it is told, until it has ended."""
    path = f"/operations{path_of(operation_id)}/events"
    known: str | None = None
    breaks = 0
    while True:
        headers = {"Accept": _EVENTS, **({"Last-Event-ID": known} if known is not None else {})}
        call = Call("GET", path, nothing, headers=headers, silence=_LONGEST_SILENCE)
        events = Events()
        try:
            async for lines in session.lines(call, _EVENTS):
                for event in events.feed(lines):
                    state = OperationState.model_validate_json(event.data)
                    known, breaks = event.event_id, 0
                    yield state
                    if state.status in _TERMINAL:
                        return
            broken = APIConnectionError("The API told no more of the operation.", request_id=call.request_id)
        except APIConnectionError as error:
            broken = error
        breaks += 1
        if breaks > _MOST_BREAKS:
            raise broken
        await session.pause(_FIRST_INTERVAL * 2**breaks)


def _seconds_to_hold(left: float | None, patience: float) -> int:
    """How long the API may hold its answer back: well within the time for an answer, and the time left."""
    return int(max(0.0, min(_LONGEST_HOLD, patience / 2, _LONGEST_HOLD if left is None else left)))


class AsyncOperation:
    """One operation, as last seen. ``refresh()`` looks again; ``wait()`` looks until it has ended."""

    def __init__(
        self, session: AsyncSession, state: OperationState, accepted: list[OperationDataset] | None = None
    ) -> None:
        self._session = session
        self._accepted = accepted or []
        self.state = state

    @classmethod
    def accepted(cls, session: AsyncSession, answer: AcceptedOperation, operation_type: str) -> AsyncOperation:
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

    async def refresh(self) -> AsyncOperation:
        """Asks the API how it stands now. Returns itself."""
        self.state = await self._session.run(look_at(self.operation_id))
        return self

    async def wait(
        self,
        timeout: float | None = None,
        on_progress: Callable[[AsyncOperation], None] | None = None,
        *,
        poll_interval: float | None = None,
    ) -> AsyncOperation:
        """Waits until it has completed, and returns itself.

        ``timeout`` in seconds, None for as long as it takes. ``on_progress`` is called with the operation at the first
        look and at each change of status or progress. ``poll_interval`` in seconds; else 0.25, growing to 2, and where
        nobody asks for the progress the API answers when it has ended.

        Raises OperationFailedError, OperationCancelledError, or OperationTimeoutError, after which the operation goes
        on at the server and may be waited for again.
        """
        began = self._session.now()
        interval = poll_interval or _FIRST_INTERVAL
        held = on_progress is None and poll_interval is None
        seen: tuple[str, Progress] | None = None
        while True:
            looked = self._session.now()
            left = None if timeout is None else began + timeout - looked
            if not self.is_complete() or seen is None:
                wait = _seconds_to_hold(left, self._session.patience) if held else 0
                self.state = await self._session.run(look_at(self.operation_id, wait=wait))
            if (self.state.status, self.state.progress) != seen:
                seen = (self.state.status, self.state.progress)
                if on_progress is not None:
                    on_progress(self)
            if self.is_complete():
                self.raise_for_status()
                return self
            now = self._session.now()
            left = interval if timeout is None else began + timeout - now
            if left <= 0:
                raise OperationTimeoutError(
                    f"Operation {self.operation_id} is still {self.status} after {timeout:g} s; it goes on.",
                    operation_id=self.operation_id,
                )
            # An answer that was held back has waited already.
            await self._session.pause(max(0.0, min(interval - (now - looked if held else 0), left)))
            if poll_interval is None:
                interval = min(_LONGEST_INTERVAL, interval * _GROWTH)

    async def watch(self) -> AsyncIterator[AsyncOperation]:
        """Itself, now and at each change, told by the API as it happens; ends when it has ended.

        A connection that breaks is made anew, and nothing is told twice. Raises what a request does.
        """
        async for state in watch(self._session, self.operation_id):
            self.state = state
            yield self

    async def cancel(self, *, idempotency_key: str | None = None) -> AsyncOperation:
        """Ends it: its run changes nothing more. Returns itself, cancelled.

        Raises ConflictError where it has ended, or is a teardown.
        """
        await self._session.run(steer(self.operation_id, "cancel", idempotency_key))
        return await self.refresh()

    async def retry(self, *, idempotency_key: str | None = None) -> AsyncOperation:
        """Does again what failed or was cancelled, as its next attempt. Returns itself, pending or further on.

        Raises ConflictError where it neither failed nor was cancelled.
        """
        await self._session.run(steer(self.operation_id, "retry", idempotency_key))
        return await self.refresh()

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
    def attempt(self) -> int | None:
        """Which attempt this is; the first is 1."""
        return self.state.attempt

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
        return (
            f"<{type(self).__name__} {self.operation_id} {self.status} {progress.current_step}/{progress.total_steps}>"
        )
