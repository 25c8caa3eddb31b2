"""One request to the API as a value, without any input or output: what to send, and how to read the answer.

The methods of a resource make these; a session, of either kind, carries them out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import quote
from uuid import UUID, uuid4

T_co = TypeVar("T_co", covariant=True)

Id = str | UUID
Parameter = str | int | float | bool | datetime | UUID | None
#: ``freely``: it does no harm to make it again, whatever became of it. ``refused``: where it certainly did nothing.
Repeat = Literal["freely", "refused", "never"]


def new_id() -> str:
    """An id for a request."""
    return str(uuid4())


@dataclass(frozen=True)
class Call(Generic[T_co]):
    """A request, and how its answer is read: ``parse`` raises ``pydantic.ValidationError`` where it cannot.

    ``path`` is below the base URL, or, ``at_root``, of its host, where no token is asked for. ``tagged``: the answer's
    ``ETag`` becomes its field ``etag``. ``unchanged``: what an answer 304 means. ``silence``: the seconds that may pass
    between two pieces of the answer, where the client's own are fewer.
    """

    method: Literal["GET", "POST", "PATCH", "DELETE"]
    path: str
    parse: Callable[[Any], T_co]
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    idempotency_key: str | None = None
    repeat: Repeat | None = None
    at_root: bool = False
    tagged: bool = False
    unchanged: T_co | None = None
    silence: float | None = None
    request_id: str = field(default_factory=new_id)

    @property
    def query(self) -> dict[str, str]:
        """The query parameters that have a value, as text."""
        return {name: text_of(value) for name, value in self.parameters.items() if value is not None}

    @property
    def repeated(self) -> Repeat:
        """When it is made again. With an idempotency key the server does it once however often it is sent."""
        if self.repeat is not None:
            return self.repeat
        return "freely" if self.method == "GET" or self.idempotency_key is not None else "refused"


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
    return {name: plain(value) for name, value in fields.items() if value is not None}


def plain(value: Any) -> Any:
    """The value as JSON has it: ids and moments are text."""
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    return value


def text_of(value: str | int | float | bool | datetime | UUID) -> str:
    """The value as a query has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, datetime) else str(value)


def nothing(_: object) -> None:
    """Reads an answer without a body."""
    return
