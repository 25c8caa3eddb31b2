"""Reads an answer: the value of a good one, the error of any other. Pure."""

from __future__ import annotations

from typing import TypeVar

import httpx
from pydantic import ValidationError

from a_domain_sdk._call import Call
from a_domain_sdk._retry import seconds_of
from a_domain_sdk.errors import APIConnectionError, APIStatusError, APITimeoutError, UnexpectedAnswerError, status_error

T = TypeVar("T")

REQUEST_ID = "X-Request-ID"


def value_of(call: Call[T], response: httpx.Response) -> T:
    """What the answer says. Raises APIStatusError for an error, UnexpectedAnswerError for what is none of the API's."""
    if response.status_code == 304 and call.unchanged is not None:
        return call.unchanged
    if response.is_error:
        raise error_of(response)
    if not response.is_success:
        raise unexpected(response, f"it redirects or only informs (HTTP {response.status_code})")
    if not response.content:
        body = None
    elif not _is_json(response):
        raise unexpected(response, f"its content type is {response.headers.get('Content-Type') or 'missing'}")
    else:
        try:
            body = response.json()
        except ValueError:
            raise unexpected(response, "its JSON is broken") from None
    if call.tagged and isinstance(body, dict):
        body = {**body, "etag": response.headers.get("ETag")}
    try:
        return call.parse(body)
    except ValidationError as error:
        fields = ", ".join(".".join(str(part) for part in problem["loc"]) or "body" for problem in error.errors()[:5])
        raise unexpected(response, f"these fields do not fit: {fields}") from error


def require_stream(response: httpx.Response, media_type: str) -> None:
    """Holds that an answer, whose body is yet to come, is a stream of this kind. Raises UnexpectedAnswerError."""
    kind = _kind(response)
    if response.status_code != 200 or kind != media_type:
        raise unexpected(response, f"its content type is {kind or 'missing'}, not {media_type}")


def not_json(path: str) -> UnexpectedAnswerError:
    """The error of a line that should have been a record."""
    return UnexpectedAnswerError(f"The answer of {path} is not one of this API: a line is no JSON.", status=200)


def error_of(response: httpx.Response) -> APIStatusError:
    """The error of an answer with an error status."""
    body: object = None
    if _is_json(response):
        try:
            body = response.json()
        except ValueError:
            body = None
    return status_error(
        response.status_code,
        body,
        request_id=_request_id(response),
        retry_after=seconds_of(response.headers.get("Retry-After")),
    )


def _request_id(response: httpx.Response) -> str | None:
    """What was sent, where the answer (of a gateway, say) has none."""
    told: str | None = response.headers.get(REQUEST_ID) or response.request.headers.get(REQUEST_ID)
    return told


def connection_error(error: httpx.RequestError, *, url: httpx.URL, request_id: str | None) -> APIConnectionError:
    """The error of a request that got no whole answer."""
    place = f"{url.scheme}://{url.netloc.decode('ascii', 'replace')}"
    if isinstance(error, httpx.TimeoutException):
        return APITimeoutError(f"{place} did not answer in time.", request_id=request_id)
    if isinstance(error, httpx.ConnectError):
        return APIConnectionError(f"{place} cannot be reached: {error}", request_id=request_id)
    reason = str(error) or type(error).__name__
    return APIConnectionError(f"The connection to {place} broke: {reason}", request_id=request_id)


def _is_json(response: httpx.Response) -> bool:
    kind = _kind(response)
    return kind == "application/json" or kind.endswith("+json")


def _kind(response: httpx.Response) -> str:
    header: str = response.headers.get("Content-Type", "")
    return header.partition(";")[0].strip().lower()


def unexpected(response: httpx.Response, why: str) -> UnexpectedAnswerError:
    """The error of an answer that is none of this API's."""
    return UnexpectedAnswerError(
        f"The answer of {response.url.copy_with(query=None)} is not one of this API: {why}. "
        "Does the base URL point to it?",
        status=response.status_code,
        request_id=_request_id(response),
    )
