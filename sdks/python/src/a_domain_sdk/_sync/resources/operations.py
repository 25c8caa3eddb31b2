# Made by `make sdk` from _async/resources/operations.py: change that.
"""``client.operations``: what goes on at the server."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from a_domain_sdk._call import Call, Id
from a_domain_sdk._sync.operation import Operation, look_at, steer, watch
from a_domain_sdk._sync.pages import Page
from a_domain_sdk._sync.session import Session
from a_domain_sdk.models import OperationState, OperationStatus, OperationType
from a_domain_sdk.models.operations import OperationList


class Operations:
    """Operations."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def list(
        self,
        *,
        status: OperationStatus | None = None,
        operation_type: OperationType | None = None,
        client_id: Id | None = None,
        dataset_id: Id | None = None,
        page: int | None = None,
        per_page: int | None = None,
    ) -> Page[OperationState]:
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
        return Page.of(self._session, call)

    def get(self, operation_id: Id, *, wait: int = 0) -> Operation:
        """The operation as it stands now, or when it has ended within ``wait`` (at most 30) seconds.

        Raises NotFoundError.
        """
        return Operation(self._session, self._session.run(look_at(operation_id, wait=wait)))

    def wait(
        self,
        operation_id: Id,
        timeout: float | None = None,
        on_progress: Callable[[Operation], None] | None = None,
        *,
        poll_interval: float | None = None,
    ) -> Operation:
        """Waits for the operation as :meth:`Operation.wait` does, and returns it."""
        return (self.get(operation_id)).wait(timeout, on_progress, poll_interval=poll_interval)

    def watch(self, operation_id: Id) -> Iterator[Operation]:
        """The operation, now and at each change, told by the API as it happens; ends when it has ended."""
        for state in watch(self._session, operation_id):
            yield Operation(self._session, state)

    def cancel(self, operation_id: Id, *, idempotency_key: str | None = None) -> Operation:
        """Ends it: its run changes nothing more. Raises ConflictError where it has ended, or is a teardown."""
        self._session.run(steer(operation_id, "cancel", idempotency_key))
        return self.get(operation_id)

    def retry(self, operation_id: Id, *, idempotency_key: str | None = None) -> Operation:
        """Does again what failed or was cancelled, as its next attempt. Raises ConflictError where it did neither."""
        self._session.run(steer(operation_id, "retry", idempotency_key))
        return self.get(operation_id)
