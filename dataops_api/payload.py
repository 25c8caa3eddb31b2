"""Reading a request's query and body to the contract's letter (C-5), before any model sees them.

JSON here is RFC 8259 and no more: no NaN, no name twice, valid Unicode without NUL. Bodies have a size limit. Does not
belong here: which fields a route takes (its models say so).
"""

import asyncio
import json
from collections import Counter
from collections.abc import Collection
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from starlette.requests import Request

from dataops_api.errors import PayloadTooLargeError, UnsupportedMediaTypeError, invalid_request
from dataops_core.errors import InvalidRequestError

BODY_LIMIT = 2**20
BODY_SECONDS = 60.0
_LONGEST_QUERY = 8192
#: Deeper than anything that a client means, shallow enough for every recursive reader after us.
_DEEPEST = 32
_MOST_DIGITS = 1000


class JsonRequest(Request):
    """A request whose JSON body has been read and judged already."""

    def __init__(self, request: Request, body: bytes, parsed: Any) -> None:
        super().__init__(request.scope, request.receive)
        self._raw = body
        self._parsed = parsed

    async def body(self) -> bytes:
        """The body as it came."""
        return self._raw

    async def json(self) -> Any:
        """The body's value."""
        return self._parsed

    def canonical(self) -> bytes:
        """The body's value in the one form that equal values share."""
        return json.dumps(_in_one_form(self._parsed), sort_keys=True, separators=(",", ":")).encode()


def _in_one_form(value: Any) -> Any:
    """The value with whole numbers as integers: 20.0 and 2e1 are 20 (C-5)."""
    if isinstance(value, dict):
        return {name: _in_one_form(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_in_one_form(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


async def read_body(request: Request) -> bytes:
    """The whole body. Raises PayloadTooLargeError beyond 1 MiB, as soon as that is known, or 400 where it is late."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > BODY_LIMIT:
        raise _too_large()
    chunks = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                chunks += chunk
                if len(chunks) > BODY_LIMIT:
                    raise _too_large()
    except TimeoutError:
        raise invalid_request({"body": f"Did not arrive within {BODY_SECONDS:g} s"}) from None
    return bytes(chunks)


async def read_json(request: Request) -> JsonRequest:
    """The request with its JSON body read; an empty body stays one. Raises what C-2 says: 400, 413, 415."""
    body = await read_body(request)
    if not body:
        return JsonRequest(request, body, None)
    if media_type(request) != "application/json":
        raise UnsupportedMediaTypeError("The body must be JSON, with Content-Type: application/json")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise UnsupportedMediaTypeError("The body must be sent as it is, without Content-Encoding")
    return JsonRequest(request, body, parse_json(body))


async def refuse_body(request: Request) -> None:
    """Raises InvalidRequestError where a request has a body that nobody would read (C-5)."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                if chunk:
                    raise invalid_request({"body": "This request takes none: it is its path and its query"})
    except TimeoutError:
        raise invalid_request({"body": "This request takes none"}) from None


def media_type(request: Request) -> str:
    """The body's media type without parameters, in lower case."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def parse_json(body: bytes) -> Any:
    """The value of a JSON text. Raises InvalidRequestError that says where the text is none, or which field is bad."""
    try:
        text = body.decode("utf-8")
        if text.startswith("\ufeff"):
            raise invalid_request({"body": "Not valid JSON: it begins with a byte order mark"})
        value = json.loads(
            text,
            parse_int=_integer,
            parse_constant=_no_constant,
            object_pairs_hook=_object,
        )
    except UnicodeDecodeError:
        raise invalid_request({"body": "Must be UTF-8"}) from None
    except json.JSONDecodeError as error:
        raise invalid_request({"body": f"Not valid JSON: {error.msg} at character {error.pos}"}) from None
    except RecursionError:
        raise invalid_request({"body": f"Nested deeper than {_DEEPEST} levels"}) from None
    except ValueError as error:
        raise invalid_request({"body": f"Not valid JSON: {error}"}) from None
    _judge(value, ())
    return value


def check_query(request: Request, known: Collection[str]) -> None:
    """Refuses query parameters that the route does not have, that come twice, or that are no clean text (C-5)."""
    raw = request.scope["query_string"]
    if not raw:
        return
    if len(raw) > _LONGEST_QUERY:
        raise invalid_request({"query": f"Longer than {_LONGEST_QUERY} bytes"})
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100)
    except (UnicodeDecodeError, ValueError):
        raise invalid_request({"query": "Must be percent-encoded UTF-8, with at most 100 parameters"}) from None
    reasons: dict[str, str] = {}
    seen: set[str] = set()
    for name, value in pairs:
        if name not in known:
            reasons[_printable(name)] = "There is no such query parameter"
        elif name in seen:
            reasons[name] = "Given more than once"
        elif "\0" in value:
            reasons[name] = "Must not contain NUL"
        seen.add(name)
    if reasons:
        raise invalid_request(reasons)


def _too_large() -> PayloadTooLargeError:
    return PayloadTooLargeError("The body is larger than 1 MiB", details={"limit_bytes": BODY_LIMIT})


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _integer(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"a number has more than {_MOST_DIGITS} digits")
    return int(digits)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        [(twice, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"an object has the name {_printable(twice)} twice")
    return value


def _judge(value: Any, path: tuple[str, ...]) -> None:
    """Refuses text that is not valid Unicode without NUL, numbers beyond a double, and nesting without end."""
    if len(path) > _DEEPEST:
        raise invalid_request({".".join(path[:3]) + "…": f"Nested deeper than {_DEEPEST} levels"})
    match value:
        case str():
            if reason := _bad_text(value):
                raise _bad(path, reason)
        case float():
            if value in {float("inf"), float("-inf")}:
                raise _bad(path, "The number is too large")
        case dict():
            for name, member in value.items():
                if reason := _bad_text(name):
                    raise _bad((*path, _printable(name)), reason)
                _judge(member, (*path, name))
        case list():
            for index, member in enumerate(value):
                _judge(member, (*path, str(index)))


def _bad_text(text: str) -> str | None:
    if "\0" in text:
        return "Must not contain NUL"
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        return "Must be valid Unicode"
    return None


def _bad(path: tuple[str, ...], reason: str) -> InvalidRequestError:
    return invalid_request({".".join(path) or "body": reason})


def _printable(name: str) -> str:
    return name.encode("ascii", "backslashreplace").decode().replace("\0", "\\0")[:100]
