"""Doing what a request asks for once, however often it is sent (``docs/contract.md`` C-45).

Every POST and DELETE that changes something goes through :func:`once`, and says so where it is declared
(``routing.Routes.add(once=True)``). The answer is kept by the transaction that makes the changes: after a crash at any
point there are both or neither. Does not belong here: SQL (``dataops_core/registry/idempotency.py``).
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qsl
from uuid import UUID

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from dataops_api.auth.authority import Caller
from dataops_api.dependencies import Parts
from dataops_api.errors import invalid_request
from dataops_api.payload import JsonRequest
from dataops_core.clock import utcnow
from dataops_core.errors import IdempotencyKeyReusedError, NotFoundError
from dataops_core.registry import idempotency
from dataops_core.registry.idempotency import KeptAnswer

KEY_HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotency-Replayed"

_KEY = re.compile(r"[!-~]{1,255}")


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a change answers (2xx: a refusal is raised), whose data it is about, and what Dagster is asked for then."""

    response: Response
    customer: UUID
    launch: UUID | None = None
    #: An operation whose run is to be stopped, and that run.
    stop: tuple[UUID, str] | None = None


def once(request: Request, caller: Caller, parts: Parts, work: Callable[[Session], Accepted]) -> Response:
    """Does the work in one transaction and answers; with a key that was used for this request, answers as then.

    ``work`` makes its changes in the session that it is given and raises where it refuses: then nothing is kept. What
    the caller may do is checked by the route, before; ``work`` refuses what does not exist for the caller (C-8).
    """
    key = _key_of(request)
    with parts.database.transaction() as session:
        if key is None:
            accepted = work(session)
        else:
            now, fingerprint = utcnow(), _fingerprint(request)
            kept = idempotency.claim(session, api_client_id=caller.api_client_id, key=key, now=now)
            if kept is not None:
                _must_be_the_same(kept, fingerprint)
                if not caller.reaches(kept.customer):
                    # The customer was taken from the client since. The route itself says what that means here.
                    work(session)
                    raise NotFoundError("There is no such resource")
                return _replayed(kept, parts)
            accepted = work(session)
            idempotency.keep(
                session,
                _kept(accepted, fingerprint, parts),
                api_client_id=caller.api_client_id,
                key=key,
                now=now,
                lifetime=timedelta(hours=parts.settings.idempotency_key_hours),
            )
    if accepted.launch is not None:
        request.scope["state"]["operation_id"] = str(accepted.launch)  # for the log's line
        parts.launcher.submit(accepted.launch)
    if accepted.stop is not None:
        parts.launcher.stop_run(*accepted.stop)
    return accepted.response


def _key_of(request: Request) -> str | None:
    given = request.headers.getlist(KEY_HEADER)
    if not given:
        return None
    if len(given) > 1:
        raise invalid_request({KEY_HEADER: "Given more than once"})
    if not _KEY.fullmatch(given[0]):
        raise invalid_request({KEY_HEADER: "Must be 1 to 255 visible ASCII characters, such as a UUID"})
    return given[0]


def _fingerprint(request: Request) -> str:
    query = sorted(parse_qsl(request.url.query, keep_blank_values=True))
    body = request.canonical() if isinstance(request, JsonRequest) else b""
    parts = (request.method.encode(), request.scope["path"].encode(), repr(query).encode(), body)
    return hashlib.sha256(b"\n".join(parts)).hexdigest()


def _must_be_the_same(kept: KeptAnswer, fingerprint: str) -> None:
    if kept.fingerprint != fingerprint:
        raise IdempotencyKeyReusedError(
            "This idempotency key was used for another request",
            details={KEY_HEADER: "Use a new key for a new request"},
        )


def _kept(accepted: Accepted, fingerprint: str, parts: Parts) -> KeptAnswer:
    response = accepted.response
    headers = {name: value for name, value in response.headers.items() if name != "content-length"}
    body = parts.keyring.fernet.encrypt(bytes(response.body))
    return KeptAnswer(fingerprint, accepted.customer, response.status_code, headers, body)


def _replayed(kept: KeptAnswer, parts: Parts) -> Response:
    body = parts.keyring.fernet.decrypt(kept.body)
    return Response(body, status_code=kept.status, headers={**kept.headers, REPLAYED_HEADER: "true"})
