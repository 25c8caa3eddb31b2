"""Who acts, and for what: noted once where something begins, known to all that it calls.

The API notes the request and its API client, a run's step the run and its operation, a command its name. The registry
hands it to the transaction (``registry/database.py``), where triggers write it into the audit log. A thread that is
started by hand knows nothing of it and acts as the system.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any
from uuid import UUID


class ActorKind(StrEnum):
    """What kind of actor changes something."""

    API_CLIENT = "api_client"
    RUN = "run"
    COMMAND_LINE = "command_line"
    #: Somebody with a token of a connector's, at its endpoint.
    CONNECTOR_TOKEN = "connector_token"  # noqa: S105  a kind
    #: The product of itself: sensors, the launcher, what is done at a start.
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Acting:
    """Who acts, on which request and for which operation, as far as that is known."""

    kind: ActorKind = ActorKind.SYSTEM
    actor_id: str | None = None
    request_id: str | None = None
    operation_id: UUID | None = None

    def as_json(self) -> str:
        """The form in which the database's triggers read it."""
        known = {
            "kind": self.kind.value,
            "id": self.actor_id,
            "request_id": self.request_id,
            "operation_id": str(self.operation_id) if self.operation_id is not None else None,
        }
        return json.dumps({name: value for name, value in known.items() if value is not None})


SYSTEM = Acting()
_current: ContextVar[Acting] = ContextVar("acting", default=SYSTEM)


def current() -> Acting:
    """Who acts now."""
    return _current.get()


class acting:  # noqa: N801  reads as a verb
    """Notes who acts, for as long as the block runs. Each request is in one: no generator, which is slower."""

    __slots__ = ("_token", "_who")

    def __init__(self, who: Acting) -> None:
        self._who = who

    def __enter__(self) -> None:
        self._token = _current.set(self._who)

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)


@contextmanager
def for_operation(operation_id: UUID, *, request_id: str | None = None) -> Iterator[None]:
    """The same actor, but for this operation, for as long as the block runs.

    ``request_id``: the request that the operation comes from, on which an actor with no request of its own acts.
    """
    who = _current.get()
    with acting(replace(who, operation_id=operation_id, request_id=who.request_id or request_id)):
        yield


def recognized(kind: ActorKind, actor_id: str | None, operation_id: UUID | None = None) -> None:
    """Says who it is that makes the request under way, until the surrounding :class:`acting` ends."""
    _current.set(Acting(kind, actor_id, _current.get().request_id, operation_id))


def known(**more: Any) -> None:
    """Adds what was learned about who acts, until the surrounding :class:`acting` ends."""
    _current.set(replace(_current.get(), **more))
