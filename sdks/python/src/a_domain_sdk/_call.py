"""One request to the API as a value, without any input or output: what to send, and how to read the answer.

The methods of a resource make these; a session carries them out. So a client of another kind needs no second copy of
paths, parameters and models.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import quote
from uuid import UUID, uuid4

T = TypeVar("T")

Id = str | UUID
Parameter = str | int | float | bool | datetime | UUID | None


@dataclass(frozen=True)
class Call(Generic[T]):
    """A request, and what makes its answer a ``T``. ``parse`` raises ``pydantic.ValidationError`` where it cannot."""

    method: Literal["GET", "POST", "DELETE"]
    path: str
    parse: Callable[[Any], T]
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    idempotency_key: str | None = None
    request_id: str = field(default_factory=lambda: str(uuid4()))

    @property
    def query(self) -> dict[str, str]:
        """The query parameters that have a value, as text."""
        return {name: _text(value) for name, value in self.parameters.items() if value is not None}


def changing_key(given: str | None) -> str:
    """The idempotency key of a request that changes something: the given one, else a new one."""
    return given or str(uuid4())


def path_of(*segments: Id) -> str:
    """``/datasets/550e8400-…``: each segment escaped, so that no id can lead to another path.

    Raises ValueError for an empty segment, which would name the collection instead of its member.
    """
    texts = [str(segment) for segment in segments]
    if not all(text.strip(".") for text in texts):
        raise ValueError("an id must not be empty")
    return "".join(f"/{quote(text, safe='')}" for text in texts)


def without_nothing(**fields: Any) -> dict[str, Any]:
    """The fields that were given."""
    return {name: _plain(value) for name, value in fields.items() if value is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value


def _text(value: Parameter) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, datetime) else str(value)
