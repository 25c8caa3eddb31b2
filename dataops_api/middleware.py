"""What surrounds every request: its id (``docs/contract.md`` C-3), the last catch for bugs, and one line of access log.

Plain ASGI, since it stands before every route. Does not belong here: who asks and what is asked (``routing.py``).
"""

import logging
import re
from time import perf_counter
from typing import Any

from fastapi.telemetry import TelemetryConfig
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dataops_api.errors import TOKEN_PATH, internal_error, invalid_request, on_domain_error
from dataops_api.metering import Meter
from dataops_api.security_headers import protecting
from dataops_api.unreadable import ABANDONED, UNREADABLE, keep_encoded_slashes
from dataops_core import tracing
from dataops_core.acting import Acting, acting
from dataops_core.ids import new_id
from dataops_core.settings import CONNECTORS_PREFIX

REQUEST_ID_HEADER = "X-Request-ID"
_ID = REQUEST_ID_HEADER.lower().encode()
_PARENT = tracing.TRACEPARENT.encode()
#: What is asked every few seconds by machines and leads nowhere.
_UNTRACED = frozenset({"/healthz", "/readyz", "/metrics"})
_USABLE_ID = re.compile(r"[\x21-\x7e]{1,128}")

#: FastAPI's own traces, metrics and logs: none. What there is to see is told here, once, and costs nothing when off.
TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "operation_spans": False}

_access = logging.getLogger("dataops.access")
_log = logging.getLogger("dataops.api")


class RequestContext:
    """Gives the request its id, answers a bug with INTERNAL_ERROR, and counts, traces and logs how it went."""

    def __init__(self, app: ASGIApp, meter: Meter, *, https: bool) -> None:
        self.app = app
        self._https = https
        self._meter = meter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        keep_encoded_slashes(scope)
        sent = dict(reversed(scope["headers"]))  # the first line of each
        given = sent.get(_ID, b"").decode("latin-1")
        request_id = given if _USABLE_ID.fullmatch(given) else str(new_id())
        state: dict[str, Any] = scope.setdefault("state", {})
        state["request_id"] = request_id
        # What the answer carries whatever it says: the checks of a route add to it.
        extra: list[tuple[bytes, bytes]] = [(_ID, request_id.encode())]
        state["answer_headers"] = extra
        started = perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                said = [*(header for header in message.get("headers", ()) if header[0] != _ID), *extra]
                message["headers"] = said + protecting(said, private="caller" in state, https=self._https)
            await send(message)

        parent = tracing.usable(sent.get(_PARENT, b"").decode("latin-1"))
        state["traced"] = traced = scope["path"] not in _UNTRACED
        with (
            acting(Acting(request_id=request_id)),
            tracing.span(scope["method"], kind="server", parent=parent, wanted=traced) as span,
        ):
            try:
                await self._serve(scope, receive, send_with_id)
            except ClientDisconnect:
                # The request never came whole, which is the caller's doing; nobody is there to be answered.
                status = status or 400
            except Exception:
                _log.exception("unexpected error")
                if status == 0:
                    await internal_error(Request(scope))(scope, receive, send_with_id)
                else:
                    raise  # the answer is under way: the server must break the connection
            finally:
                if ABANDONED not in state:
                    self._note(scope, status, perf_counter() - started, span)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        reason = scope["state"].get(UNREADABLE)
        if reason is None or scope["path"].startswith(f"{CONNECTORS_PREFIX}/"):
            await self.app(scope, receive, send)
            return
        refusal = await on_domain_error(Request(scope), invalid_request(reason))
        await refusal(scope, receive, send)

    def _note(self, scope: Scope, status: int, seconds: float, span: tracing.Span) -> None:
        """Counts the request, names its span, and writes its line."""
        method, path, state = scope["method"], scope["path"], scope["state"]
        route = self._count(scope, status, seconds)
        span.rename(f"{method} {route}")
        span.set(
            http__request__method=method,
            http__route=route,
            http__response__status_code=status,
            dataops__request_id=state["request_id"],
        )
        if status >= 500:
            span.fail(f"answered with {status}")
        extra = {"method": method, "path": path, "status": status, "duration_ms": round(seconds * 1000, 1)}
        known = {name: state.get(name) for name in ("api_client_id", "operation_id")}
        # The product's own looks at connectors are thousands a day, and no news where they go well.
        level = logging.DEBUG if state.get("is_look") and status < 400 else logging.INFO
        _access.log(level, "%s %s %s", method, path, status, extra=extra | known)

    def _count(self, scope: Scope, status: int, seconds: float) -> str:
        # A route that was found is left in the scope; its path is a template, which holds no id.
        route = getattr(scope.get("route"), "path", None)
        connector = scope["path"].startswith(f"{CONNECTORS_PREFIX}/")
        template = "unknown" if route is None else f"{CONNECTORS_PREFIX}{route}" if connector else route
        self._meter.request(method=scope["method"], route=template, status=status, seconds=seconds, connector=connector)
        if status == 429 and not connector and scope["path"] != TOKEN_PATH:
            self._meter.rate_limited("api_client" if "caller" in scope["state"] else "address")
        return template
