"""``client.operations``: what goes on at the server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from a_domain_sdk._async.operation import AsyncOperation, look_at, steer, watch
from a_domain_sdk._async.pages import AsyncPage
from a_domain_sdk._async.session import AsyncSession
from a_domain_sdk._call import Call, Id
from a_domain_sdk.models import OperationState, OperationStatus, OperationType
from a_domain_sdk.models.operations import OperationList


class AsyncOperations:
    """Operations."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def list(
        self,
        *,
        status: OperationStatus | None = None,
        operation_type: OperationType | None = None,
        client_id: Id | None = None,
        dataset_id: Id | None = None,
        page: int | None = None,
        per_page: int | None = None,
    ) -> AsyncPage[OperationState]:
        """The operations that match and that the API client may read, newest first.

        Returns one page (20 rows, at most 100 by ``per_page``); iterating over it goes through all pages after it.
        """
        parameters = {
            "status": status,
            "operation_type": operation_type,
            "client_id": client_id,
            "dataset_id": dataset_id,
            "page": page,
            "per_page": per_page,
        }
        call = Call("GET", "/operations", OperationList.model_validate, parameters=parameters)
        return await AsyncPage.of(self._session, call)

    async def get(self, operation_id: Id, *, wait: int = 0) -> AsyncOperation:
        """The operation as it stands now, or when it has ended within ``wait`` (at most 30) seconds.

        Raises NotFoundError.
        """
        return AsyncOperation(self._session, await self._session.run(look_at(operation_id, wait=wait)))

    async def wait(
        self,
        operation_id: Id,
        timeout: float | None = None,
        on_progress: Callable[[AsyncOperation], None] | None = None,
        *,
        poll_interval: float | None = None,
    ) -> AsyncOperation:
        """Waits for the operation as :meth:`AsyncOperation.wait` does, and returns it."""
        return await (await self.get(operation_id)).wait(timeout, on_progress, poll_interval=poll_interval)

    async def watch(self, operation_id: Id) -> AsyncIterator[AsyncOperation]:
        """The operation, now and at each change, told by the API as it happens; ends when it has ended."""
        async for state in watch(self._session, operation_id):
            yield AsyncOperation(self._session, state)

    async def cancel(self, operation_id: Id, *, idempotency_key: str | None = None) -> AsyncOperation:
        """Ends it: its run changes nothing more. Raises ConflictError where it has ended, or is a teardown."""
        await self._session.run(steer(operation_id, "cancel", idempotency_key))
        return await self.get(operation_id)

    async def retry(self, operation_id: Id, *, idempotency_key: str | None = None) -> AsyncOperation:
        """Does again what failed or was cancelled, as its next attempt. Raises ConflictError where it did neither."""
        await self._session.run(steer(operation_id, "retry", idempotency_key))
        return await self.get(operation_id)
