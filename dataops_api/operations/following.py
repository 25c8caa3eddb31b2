"""Following operations as they change, for any number of requests at once (C-84).

The database calls out each operation that has changed. One task of the process reads those that somebody follows, in
one question, and wakes their followers; now and then it reads all that are followed, should a call have been missed.
While nobody follows there is no such task, and calls are passed over. Who waits holds neither a thread nor a database
connection, and what it held here is gone when its block ends. Does not belong here: what an answer looks like.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from operator import attrgetter
from time import monotonic
from uuid import UUID

from starlette.concurrency import run_in_threadpool

from dataops_api.watching import RunWatcher
from dataops_core.errors import DataOpsError, UnavailableError
from dataops_core.lifecycle import OperationStatus
from dataops_core.registry import reading
from dataops_core.registry.calls import OPERATIONS, Calls
from dataops_core.registry.looking import Looking, Row

_log = logging.getLogger("dataops.api")

#: Seconds between two looks at all operations that are followed, called out or not.
LOOK_SECONDS = 0.5
#: Between any two looks, however much is called out.
_LEAST_SECONDS = 0.02
#: What of an operation a client can see to change. But for its parts these are columns, whose changes are called out.
VISIBLE = (
    "status",
    "attempt",
    "current_step",
    "total_steps",
    "started_at",
    "estimated_completion",
    "completed_at",
    "error",
    "run_id",
    "parts",
)
#: More than so many at once would be somebody's mistake.
MOST_FOLLOWERS = 5000

_visible = attrgetter(*VISIBLE)


class Followed:
    """One operation, as it was read last."""

    def __init__(self, row: Row) -> None:
        self.row = row
        self.followers = 0
        self._changed = asyncio.Event()

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will come (a retry apart)."""
        return OperationStatus(self.row.status).is_terminal

    def show(self, row: Row) -> None:
        """Takes over what was read, and wakes the followers where a client can see the difference."""
        changed = _visible(row) != _visible(self.row)
        self.row = row
        if changed:
            self._changed.set()
            self._changed = asyncio.Event()

    async def change(self, seconds: float) -> bool:
        """Waits for the next change, for so long. Whether there was one."""
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return False
        return True


class Follower:
    """The operations that are followed in this process. For one event loop."""

    def __init__(self, registry: Looking, watcher: RunWatcher) -> None:
        self._registry = registry
        self._watcher = watcher
        self._calls = Calls(registry, OPERATIONS, self._hear)
        self._followed: dict[UUID, Followed] = {}
        #: Those to be read next.
        self._called: set[UUID] = set()
        self._any_called = asyncio.Event()
        #: When all that are followed are read next.
        self._all_due = 0.0
        self._listening: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._asking: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        """How many operations are followed now."""
        return len(self._followed)

    async def close(self) -> None:
        """Looks no more."""
        tasks = [task for task in (self._looking, self._listening) if task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await self._calls.close()

    @contextmanager
    def following(self, operation_id: UUID, row: Row) -> Iterator[Followed]:
        """The operation, kept up to date until the block ends. ``row`` is what the caller has just read of it."""
        if sum(one.followers for one in self._followed.values()) >= MOST_FOLLOWERS:
            raise UnavailableError("Too many requests wait for operations.")
        followed = self._followed.setdefault(operation_id, Followed(row))
        followed.followers += 1
        # It may have changed since it was read.
        self._call(operation_id)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            yield followed
        finally:
            followed.followers -= 1
            if followed.followers == 0:
                del self._followed[operation_id]

    async def until_ended(self, operation_id: UUID, row: Row, *, seconds: float) -> Row:
        """The operation when it has ended, or as it is after so many seconds."""
        deadline = monotonic() + seconds
        with self.following(operation_id, row) as followed:
            while not followed.has_ended and (left := deadline - monotonic()) > 0:
                await followed.change(left)
            return followed.row

    async def changes(self, operation_id: UUID, row: Row, *, seconds: float) -> AsyncGenerator[Row | None, None]:
        """The operation now and after each change, until it has ended; None each time nothing came for ``seconds``."""
        with self.following(operation_id, row) as followed:
            shown = followed.row
            yield shown
            while not OperationStatus(shown.status).is_terminal:
                # What has changed while the last one was being sent is shown at once.
                if _visible(followed.row) == _visible(shown) and not await followed.change(seconds):
                    yield None
                    continue
                shown = followed.row
                yield shown

    def _hear(self, call: str) -> None:
        try:
            operation_id = UUID(call)
        except ValueError:
            return  # whoever may use the database may call anything
        if operation_id in self._followed:
            self._call(operation_id)

    def _call(self, operation_id: UUID) -> None:
        self._called.add(operation_id)
        self._any_called.set()

    async def _look(self) -> None:
        self._all_due = 0.0
        while self._followed:
            called, self._called = self._called, set()
            self._any_called.clear()
            if monotonic() >= self._all_due:
                self._see_to_listening()
                called, self._all_due = set(self._followed), monotonic() + LOOK_SECONDS
            await self._look_at(called & self._followed.keys())
            await asyncio.sleep(_LEAST_SECONDS)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._all_due - monotonic()):
                    await self._any_called.wait()

    def _see_to_listening(self) -> None:
        """Looking does not wait for it: a server that takes no new connection may answer on those that there are."""
        if not self._calls.are_heard and (self._listening is None or self._listening.done()):
            self._listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        try:
            await self._calls.listen()
        except Exception:
            _log.exception("changes of operations are not heard: they are looked for")
            return
        if self._calls.are_heard:
            # What changed before nobody has heard.
            self._all_due = 0.0
            self._any_called.set()

    async def _look_at(self, operation_ids: Collection[UUID]) -> None:
        try:
            rows = await reading.find_operations(self._registry, list(operation_ids))
        except DataOpsError as error:
            _log.warning("operations could not be followed for a moment: %s", error.message)
            return
        except Exception:
            # Who waits is answered at its time-out; the next look may succeed.
            _log.exception("operations could not be followed")
            return
        for row in rows:
            followed = self._followed.get(UUID(row.operation_id))
            if followed is not None:
                followed.show(row)
        self._ask_about_quiet_ones(rows)

    def _ask_about_quiet_ones(self, rows: Sequence[Row]) -> None:
        """Dagster may take seconds to answer: it is asked beside the looking, one round at a time."""
        quiet = [
            row
            for row in rows
            if not OperationStatus(row.status).is_terminal and self._watcher.is_quiet(row.run_id, row.beat_at)
        ]
        if quiet and (self._asking is None or self._asking.done()):
            self._asking = asyncio.create_task(run_in_threadpool(self._ask, quiet))

    def _ask(self, quiet: list[Row]) -> None:
        for row in quiet:
            try:
                self._watcher.settle_if_quiet(UUID(row.operation_id), row.run_id, row.beat_at)
            except Exception:
                _log.exception("an operation was not settled", extra={"operation_id": row.operation_id})
