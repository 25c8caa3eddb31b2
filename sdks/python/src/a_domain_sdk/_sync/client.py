# Made by `make sdk` from _async/client.py: change that.
"""The client: where everything begins."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType

import httpx
from pydantic import SecretStr

from a_domain_sdk._configuration import resolve
from a_domain_sdk._retry import RetryPolicy
from a_domain_sdk._sync.resources.audit import AuditLog
from a_domain_sdk._sync.resources.datasets import Datasets
from a_domain_sdk._sync.resources.journeys import Journeys
from a_domain_sdk._sync.resources.operations import Operations
from a_domain_sdk._sync.resources.quality import QualityScores
from a_domain_sdk._sync.resources.service import Service
from a_domain_sdk._sync.resources.templates import Templates
from a_domain_sdk._sync.session import Session

_DEFAULT_TIMEOUT = 30.0
_DEFAULT_RETRIES = 3


class DataOpsClient:
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
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        configuration = resolve(
            client_id=client_id,
            client_secret=SecretStr(client_secret) if isinstance(client_secret, str) else client_secret,
            base_url=base_url,
            token_url=token_url,
            scope=scope if scope is None or isinstance(scope, str) else " ".join(scope),
        )
        self.base_url = configuration.base_url
        self._session = Session(
            configuration, timeout=timeout, policy=RetryPolicy(max_retries=max_retries), transport=transport
        )
        self.datasets = Datasets(self._session)
        self.operations = Operations(self._session)
        self.quality = QualityScores(self._session)
        self.templates = Templates(self._session)
        self.journeys = Journeys(self._session)
        self.audit = AuditLog(self._session)
        self.service = Service(self._session)

    def access_token(self) -> str:
        """A valid access token, for a request that this SDK does not make. It is a secret: keep it out of logs."""
        return (self._session.access_token()).get_secret_value()

    def close(self) -> None:
        """Closes all connections. The client cannot be used afterwards."""
        self._session.close()

    def __enter__(self) -> DataOpsClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.base_url}>"
