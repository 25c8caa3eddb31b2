"""Entity tags, and the conditions that requests set by them (``docs/contract.md`` C-7, RFC 9110 §8.8.3 and §13.1).

A tag is strong: two answers with one tag are the same, byte for byte.
"""

import hashlib
import re
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from dataops_api.errors import invalid_request
from dataops_core.errors import PreconditionFailedError

_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_TAGS = re.compile(_TAG)
#: A list may have empty members (RFC 9110 §5.6.1).
_LIST = re.compile(rf"[\s,]*{_TAG}(?:\s*,[\s,]*{_TAG})*[\s,]*")

ETAG = {"ETag": {"description": "The tag of this answer, to set conditions by.", "schema": {"type": "string"}}}


def _condition(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "description": description, "schema": {"type": "string"}}


IF_MATCH = _condition("If-Match", "Change it only where it is still as one of these entity tags, or `*`, says.")
IF_NONE_MATCH = _condition("If-None-Match", "Answer 304 where it is still as one of these entity tags, or `*`, says.")


def tag_of(body: bytes) -> str:
    """The entity tag of an answer with this body."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def tagged(answer: Response) -> str:
    """Gives the answer the entity tag of its body, and says it."""
    tag = tag_of(bytes(answer.body))
    answer.raw_headers.append((b"etag", tag.encode()))
    return tag


def unchanged(request: Request, tag: str) -> bool:
    """Whether ``If-None-Match`` names the tag (weak comparison). A condition that is none is met by nothing."""
    condition = _sent(request, "If-None-Match")
    if condition is None:
        return False
    return condition.strip() == "*" or tag in [one.removeprefix("W/") for one in _TAGS.findall(condition)]


def require_match(request: Request, tag: str) -> None:
    """Raises PreconditionFailedError where ``If-Match`` names other tags (strong comparison: a weak one never matches).

    Raises InvalidRequestError for a condition that is none: the client would believe itself safe.
    """
    condition = _sent(request, "If-Match")
    if condition is None or condition.strip() == "*":
        return
    if not _LIST.fullmatch(condition):
        raise invalid_request({"If-Match": 'Must be * or entity tags in double quotes, such as "5d41402abc4b2a76"'})
    if tag not in _TAGS.findall(condition):
        raise PreconditionFailedError("The dataset has changed since", details={"etag": tag})


def _sent(request: Request, name: str) -> str | None:
    """The header's value; several lines of it are one list."""
    lines = request.headers.getlist(name)
    return ", ".join(lines) if lines else None
