"""The client: where everything begins."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING

import httpx
from pydantic import SecretStr

from a_domain_sdk._async.session import AsyncSession
from a_domain_sdk._configuration import resolve
from a_domain_sdk._retry import RetryPolicy

if TYPE_CHECKING:
    from a_domain_sdk._async.resources.audit import AsyncAuditLog
    from a_domain_sdk._async.resources.datasets import AsyncDatasets
    from a_domain_sdk._async.resources.journeys import AsyncJourneys
    from a_domain_sdk._async.resources.operations import AsyncOperations
    from a_domain_sdk._async.resources.quality import AsyncQualityScores
    from a_domain_sdk._async.resources.service import AsyncService
    from a_domain_sdk._async.resources.templates import AsyncTemplates

_DEFAULT_TIMEOUT = 30.0
_DEFAULT_RETRIES = 3


class AsyncDataOpsClient:
    """A client of the DataOps API.

    What is not given comes from ``DATAOPS_CLIENT_ID``, ``DATAOPS_CLIENT_SECRET``, ``DATAOPS_BASE_URL`` (with
    ``/v1/dataops``) and ``DATAOPS_TOKEN_URL`` (unless set: ``/token`` at the API's host). ``scope`` narrows what the
    token may do, by default all that the API client may have. ``timeout`` in seconds, for each of connecting, sending
    and reading. ``max_retries`` of what may be repeated without harm. ``transport`` replaces httpx's own.

    ``client_id`` here is the *API client*; ``client_id`` of a dataset is the *customer*.

    It may be shared by all that runs at the same time, and be used as a context manager. Raises ConfigurationError.
    """

    def __init__(
        self,
        client_id: str | None = None,
        client_secret: str | SecretStr | None = None,
        *,
        base_url: str | None = None,
        token_url: str | None = None,
        scope: str | Sequence[str] | None = None,
        timeout: float | httpx.Timeout = _DEFAULT_TIMEOUT,
        max_retries: int = _DEFAULT_RETRIES,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        # From here on no traceback with local variables shows it.
        client_secret = SecretStr(client_secret) if isinstance(client_secret, str) else client_secret
        configuration = resolve(
            client_id=client_id,
            client_secret=client_secret,
            base_url=base_url,
            token_url=token_url,
            scope=scope if scope is None or isinstance(scope, str) else " ".join(scope),
        )
        self.base_url = configuration.base_url
        self._session = AsyncSession(
            configuration, timeout=timeout, policy=RetryPolicy(max_retries=max_retries), transport=transport
        )

    @cached_property
    def datasets(self) -> AsyncDatasets:
        """Datasets: create, list, read and tear down, and what belongs to one."""
        from a_domain_sdk._async.resources.datasets import AsyncDatasets  # noqa: PLC0415  loaded where it is used

        return AsyncDatasets(self._session)

    @cached_property
    def operations(self) -> AsyncOperations:
        """Operations: what goes on at the server."""
        from a_domain_sdk._async.resources.operations import AsyncOperations  # noqa: PLC0415  loaded where it is used

        return AsyncOperations(self._session)

    @cached_property
    def quality(self) -> AsyncQualityScores:
        """How good datasets are, and were."""
        from a_domain_sdk._async.resources.quality import AsyncQualityScores  # noqa: PLC0415  loaded where it is used

        return AsyncQualityScores(self._session)

    @cached_property
    def templates(self) -> AsyncTemplates:
        """The catalog that datasets are made from."""
        from a_domain_sdk._async.resources.templates import AsyncTemplates  # noqa: PLC0415  loaded where it is used

        return AsyncTemplates(self._session)

    @cached_property
    def journeys(self) -> AsyncJourneys:
        """Where customers' journeys stand, and what happens in them."""
        from a_domain_sdk._async.resources.journeys import AsyncJourneys  # noqa: PLC0415  loaded where it is used

        return AsyncJourneys(self._session)

    @cached_property
    def audit(self) -> AsyncAuditLog:
        """Every change that was made, and by whom."""
        from a_domain_sdk._async.resources.audit import AsyncAuditLog  # noqa: PLC0415  loaded where it is used

        return AsyncAuditLog(self._session)

    @cached_property
    def service(self) -> AsyncService:
        """The service itself: whether it lives and is ready, its keys."""
        from a_domain_sdk._async.resources.service import AsyncService  # noqa: PLC0415  loaded where it is used

        return AsyncService(self._session)

    async def access_token(self) -> str:
        """A valid access token, for a request that this SDK does not make. It is a secret: keep it out of logs."""
        return (await self._session.access_token()).get_secret_value()

    async def close(self) -> None:
        """Closes all connections. The client cannot be used afterwards."""
        await self._session.close()

    async def __aenter__(self) -> AsyncDataOpsClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {getattr(self, 'base_url', 'without an address')}>"
