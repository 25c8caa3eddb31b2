"""``client.audit``: every change that was made, and by whom."""

from __future__ import annotations

from datetime import datetime

from a_domain_sdk._async.pages import AsyncLinkedPage
from a_domain_sdk._async.session import AsyncSession
from a_domain_sdk._call import Call, Id
from a_domain_sdk.models import AuditAction, AuditEntry, AuditResourceType
from a_domain_sdk.models.audit import AuditList


class AsyncAuditLog:
    """The audit log, for the scope ``dataops:admin`` alone."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def list(
        self,
        *,
        resource_type: AuditResourceType | None = None,
        resource_id: Id | None = None,
        api_client_id: Id | None = None,
        action: AuditAction | None = None,
        operation_id: Id | None = None,
        request_id: str | None = None,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> AsyncLinkedPage[AuditEntry]:
        """The changes that match, newest first, from ``since`` on and before ``until``.

        Returns one page (50 entries, at most 200 by ``limit``); iterating over it goes through all pages after it.
        """
        parameters = {
            "resource_type": resource_type,
            "resource_id": resource_id,
            "api_client_id": api_client_id,
            "action": action,
            "operation_id": operation_id,
            "request_id": request_id,
            "from": since,
            "to": until,
            "limit": limit,
            "cursor": cursor,
        }
        call = Call("GET", "/audit", AuditList.model_validate, parameters=parameters)
        return await AsyncLinkedPage.of(self._session, call)
