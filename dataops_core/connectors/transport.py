"""HTTP to a connector: one request at a time, bounded in time, failures told apart.

A failure is a ConnectorError whose ``details`` say ``kind`` (``connection``, ``timeout`` or ``http``), ``transient``
(trying again may help) and ``status`` (of the HTTP answer, else null). Redirects are never followed: an endpoint that
sends its callers elsewhere is not the connector.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

from dataops_core import acting, tracing
from dataops_core.connectors.bounded import BoundedTransport, within
from dataops_core.errors import ConnectorError

#: Pauses between tries of a request that failed for a passing reason, in seconds: outlast a restart of the service,
#: on a busy machine too.
RETRY_PAUSES: tuple[float, ...] = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
_MAX_RETRY_AFTER = 5.0
_REQUEST_ID = "X-Request-ID"
_TRANSIENT_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer and the seconds it took, from the first byte sent to the last one received."""

    response: httpx.Response
    elapsed_seconds: float

    @property
    def status_code(self) -> int:
        """The HTTP status."""
        return self.response.status_code

    def json(self) -> Any:
        """The body, None where it is no JSON."""
        try:
            return self.response.json()
        except ValueError:
            return None


def is_transient(status: int) -> bool:
    """Whether an answer of this status may be another one soon."""
    return status in _TRANSIENT_STATUSES


class Transport:
    """Requests to the endpoints of one connector service.

    ``timeout`` bounds every request that brings no other, as a whole, in seconds; ``pause`` waits between tries. A
    request that fails once ``patience`` seconds have gone by since its first try is not tried again: whoever waits is
    told why.
    """

    def __init__(
        self,
        base_url: str,
        *,
        timeout: float,
        patience: float = 30.0,
        transport: httpx.BaseTransport | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._timeout = timeout
        self._patience = patience
        self._pause = pause
        bounded = transport or BoundedTransport(plain=base_url.startswith("http://"))
        # trust_env off: a proxy of the environment must neither see nor break what stays inside the installation.
        self._client = httpx.Client(transport=bounded, timeout=timeout, follow_redirects=False, trust_env=False)

    def close(self) -> None:
        """Closes every connection."""
        self._client.close()

    def send(
        self,
        method: str,
        connector_id: UUID,
        path: str,
        *,
        token: str | None,
        content: bytes | None = None,
        timeout: float | None = None,
    ) -> Reply:
        """One request, no retry. Raises ConnectorError (``connection`` or ``timeout``) where no answer came."""
        headers: dict[str, str] = {"Accept": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if content is not None:
            headers["Content-Type"] = "application/json"
        started = time.monotonic()
        try:
            response = self._request(
                method, connector_id, path, content=content, headers=headers, timeout=timeout or self._timeout
            )
        except httpx.TimeoutException as error:
            raise ConnectorError(
                f"The connector did not answer within {timeout or self._timeout:g} s.",
                details={"kind": "timeout", "transient": True, "status": None},
            ) from error
        except httpx.HTTPError as error:
            raise ConnectorError(
                f"The connector cannot be reached: {str(error) or type(error).__name__}.",
                details={"kind": "connection", "transient": True, "status": None},
            ) from error
        return Reply(response, time.monotonic() - started)

    def _request(
        self,
        method: str,
        connector_id: UUID,
        path: str,
        *,
        content: bytes | None,
        headers: dict[str, str],
        timeout: float,
    ) -> httpx.Response:
        """The request, as a piece of the present trace and on the request that all of it comes from."""
        address = f"{self._base_url}/{connector_id}{path}"
        with tracing.span(
            f"{method} connector", kind="client", http__request__method=method, dataops__connector_id=str(connector_id)
        ) as span:
            carried = tracing.traceparent()
            if carried is not None:
                headers[tracing.TRACEPARENT] = carried
            asked = acting.current().request_id
            if asked is not None:
                headers[_REQUEST_ID] = asked
            with within(timeout):
                response = self._client.request(method, address, content=content, headers=headers, timeout=timeout)
            span.set(http__response__status_code=response.status_code)
            return response

    def call(
        self,
        method: str,
        connector_id: UUID,
        path: str,
        *,
        token: Callable[[], str],
        content: bytes | None = None,
        timeout: float | None = None,
        accept: Sequence[int] = (200,),
    ) -> Reply:
        """A request, tried again while the failure is a passing one and it is not long since the first try.

        Raises ConnectorError with the last reason.
        """
        started = time.monotonic()
        for pause in (*RETRY_PAUSES, None):
            try:
                reply = self.send(method, connector_id, path, token=token(), content=content, timeout=timeout)
            except ConnectorError:
                if pause is None or time.monotonic() - started >= self._patience:
                    raise
                self._pause(pause)
                continue
            if reply.status_code in accept:
                return reply
            late = time.monotonic() - started >= self._patience
            if pause is None or late or not is_transient(reply.status_code):
                raise refusal(reply)
            self._pause(max(pause, _retry_after(reply.response.headers)))
        raise AssertionError("unreachable")


def _retry_after(headers: Mapping[str, str]) -> float:
    value = headers.get("retry-after", "")
    return min(float(value), _MAX_RETRY_AFTER) if value.isdecimal() else 0.0


def refusal(reply: Reply) -> ConnectorError:
    """The error that an HTTP answer stands for, with the connector's own words."""
    body = reply.json()
    reason = body.get("detail") if isinstance(body, dict) else None
    if isinstance(body, dict) and isinstance(body.get("errors"), list):
        problems = [f"{e.get('pointer')}: {e.get('detail')}" for e in body["errors"] if isinstance(e, dict)][:3]
        reason = f"{reason} {'; '.join(problems)}".strip()
    return ConnectorError(
        f"The connector answered {reply.status_code}: {reason or reply.response.reason_phrase or 'no reason given'}",
        details={"kind": "http", "transient": is_transient(reply.status_code), "status": reply.status_code},
    )
