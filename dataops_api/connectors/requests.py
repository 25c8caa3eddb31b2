"""What every request to the connector service has: an id, a bearer token, a body of bounded size.

Belongs here: reading these from HTTP. Does not belong here: what they mean.
"""

import asyncio
import json
import re

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dataops_api.security_headers import protecting
from dataops_api.unreadable import keep_encoded_slashes
from dataops_core import tracing
from dataops_core.acting import Acting, acting
from dataops_core.ids import new_id

_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]{1,128}")
_BODY_SECONDS = 60.0


def request_id(request: Request) -> str:
    """The request's id: the surrounding application's, the caller's ``X-Request-ID`` (C-3), or a new one."""
    known = getattr(request.state, "request_id", None)
    if isinstance(known, str):
        return known
    given = request.headers.get("x-request-id", "")
    chosen = given if _VISIBLE_ASCII.fullmatch(given) else f"req_{new_id().hex}"
    request.state.request_id = chosen
    return chosen


def bearer_token(request: Request) -> str | None:
    """The token of the Authorization header, None where there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


class BodyTooLargeError(Exception):
    """The body is larger than it may be."""


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body. Raises BodyTooLargeError beyond ``limit`` bytes, TimeoutError where it does not come in time,
    ClientDisconnect where the caller went away.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise BodyTooLargeError
    parts: list[bytes] = []
    size = 0
    async with asyncio.timeout(_BODY_SECONDS):
        async for part in request.stream():
            size += len(part)
            if size > limit:
                raise BodyTooLargeError
            parts.append(part)
    return b"".join(parts)


def holds_nul(body: bytes) -> bool:
    """Whether a text of this (valid) JSON body contains the character NUL, which is no text (C-5)."""
    if b"\\u0000" not in body:  # nothing else can stand for it in JSON
        return False
    pending: list[object] = [json.loads(body)]
    while pending:
        value = pending.pop()
        if isinstance(value, str) and "\0" in value:
            return True
        if isinstance(value, dict):
            pending += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            pending += value
    return False


class RequestIds:
    """ASGI middleware that puts the request's id on every answer, and traces it where nothing around it does."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one connection (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        keep_encoded_slashes(scope)
        identifier = request_id(Request(scope))

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-ID"] = identifier
                message["headers"] += protecting(message["headers"], private=True, https=False)
            await send(message)

        parent = tracing.usable(Headers(scope=scope).get(tracing.TRACEPARENT))
        inner = scope["state"].get("traced", False)
        with (
            acting(Acting(request_id=identifier)),
            tracing.span(f"{scope['method']} connector", kind="server", parent=parent, wanted=not inner),
        ):
            await self._app(scope, receive, send_named)
