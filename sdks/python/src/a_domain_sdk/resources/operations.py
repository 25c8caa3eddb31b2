"""``client.operations``: what goes on at the server."""

from __future__ import annotations

from collections.abc import Callable

from a_domain_sdk import _calls
from a_domain_sdk._call import Id
from a_domain_sdk._session import Session
from a_domain_sdk.operation import Operation


class Operations:
    """Operations."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, operation_id: Id) -> Operation:
        """The operation as it stands now. Raises NotFoundError."""
        return Operation(self._session, self._session.run(_calls.get_operation(operation_id)))

    def wait(
        self,
        operation_id: Id,
        timeout: float | None = None,
        on_progress: Callable[[Operation], None] | None = None,
        *,
        poll_interval: float | None = None,
    ) -> Operation:
        """Waits for the operation as :meth:`Operation.wait` does, and returns it."""
        return self.get(operation_id).wait(timeout, on_progress, poll_interval=poll_interval)
