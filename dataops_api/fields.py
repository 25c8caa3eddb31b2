"""Types of fields that requests share (``docs/contract.md`` C-1), and the base of request and answer models.

Answers are built as plain objects by the routes; answer models describe them in OpenAPI, and the tests hold every
answer against them.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, GetJsonSchemaHandler, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

_T = TypeVar("_T")


class RequestModel(BaseModel):
    """A body or a part of one: what is not named is refused (C-5)."""

    model_config = ConfigDict(extra="forbid")


class AnswerModel(BaseModel):
    """An answer or a part of one: every field is always there, and no other."""

    model_config = ConfigDict(extra="forbid")


def parse_moment(value: Any) -> datetime:
    """The moment that an ISO 8601 date or date-time names; without a zone it is UTC (C-1). Raises ValueError."""
    sentence = "Must be an ISO 8601 date or date-time, such as 2026-01-28 or 2026-01-28T10:30:00Z"
    if not isinstance(value, str):
        raise ValueError(sentence)  # noqa: TRY004  pydantic turns ValueError into a reason
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(sentence) from None
    try:
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        # Its zone puts it before the year 1 or after 9999: before or after everything.
        return datetime.min.replace(tzinfo=UTC) if moment.year == 1 else datetime.max.replace(tzinfo=UTC)


Moment = Annotated[
    datetime,
    BeforeValidator(parse_moment),
    WithJsonSchema({"type": "string", "format": "date-time", "description": "ISO 8601; without a zone it is UTC."}),
]


def _whole(value: Any) -> Any:
    """A number without a fraction is an integer however it is written, as JSON Schema has it: 20.0 is 20."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


#: Behind the limits of a ``StrictInt`` in a body: ``Annotated[StrictInt, Field(ge=1), Whole]``.
Whole = BeforeValidator(_whole)


class _NotNull:
    """Describes what a parameter may hold when it is given: null it never holds."""

    def __get_pydantic_json_schema__(self, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core_schema)
        given = [one for one in schema.pop("anyOf", []) if one != {"type": "null"}]
        return schema | given[0] if given else schema


#: A query parameter that may be absent.
Given = Annotated[_T | None, _NotNull()]
