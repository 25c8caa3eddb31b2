# Made by `make sdk` from _async/session.py: change that.
"""Carries calls out: one HTTP connection pool, the token, repetitions. All of the SDK's input and output is here."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import httpx
from pydantic import SecretStr, ValidationError

from a_domain_sdk._answer import REQUEST_ID, connection_error, error_of, require_stream, value_of
from a_domain_sdk._call import Call, Repeat
from a_domain_sdk._configuration import Configuration
from a_domain_sdk._events import Lines
from a_domain_sdk._retry import RetryPolicy, seconds_of
from a_domain_sdk._token import TokenAnswer, TokenCache, token_request
from a_domain_sdk._version import __version__
from a_domain_sdk.errors import APIConnectionError, UnexpectedAnswerError

T = TypeVar("T")

# Servers drop idle connections after about five seconds. One that is dropped just as a request goes out fails a
# request that may not be repeated, so idle connections are given up earlier than that.
_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=2.0)


class Session:
    """What all resources of one client share. Safe to use from all that runs at the same time."""

    def __init__(
        self,
        configuration: Configuration,
        *,
        timeout: float | httpx.Timeout,
        policy: RetryPolicy,
        transport: httpx.BaseTransport | None,
    ) -> None:
        self._configuration = configuration
        self._policy = policy
        self._tokens = TokenCache()
        self._lock = threading.Lock()
        self._http = httpx.Client(
            timeout=timeout,
            transport=transport,
            limits=_LIMITS,
            headers={"Accept": "application/json", "User-Agent": f"a-domain-sdk-python/{__version__}"},
        )

    @property
    def patience(self) -> float:
        """Seconds for which an answer may be waited for."""
        seconds = self._http.timeout.read
        return float("inf") if seconds is None else seconds

    def run(self, call: Call[T]) -> T:
        """The value of this call's answer.

        Raises APIStatusError, APIConnectionError or UnexpectedAnswerError.
        """
        return value_of(call, self._answer_to(call, stream=False))

    def pieces(self, call: Call[None], media_type: str) -> Iterator[bytes]:
        """The answer's body as it comes in, in pieces of any size. The connection ends with the iteration.

        Raises what ``run`` does; APIConnectionError also where the body breaks off.
        """
        with self._stream(call) as response:
            require_stream(response, media_type)
            try:
                for piece in response.iter_bytes():
                    yield piece
            except httpx.RequestError as error:
                raise connection_error(error, url=response.url, request_id=call.request_id) from error

    def lines(self, call: Call[None], media_type: str) -> Iterator[list[bytes]]:
        """The same in lines, without their ends: those that each piece completes."""
        lines = Lines()
        for piece in self.pieces(call, media_type):
            yield lines.feed(piece)
        yield lines.end()

    def access_token(self) -> SecretStr:
        """A token that is valid by the clock, fetched where there is none."""
        token = self._tokens.current
        if token is not None:
            return token
        with self._lock:
            return self._tokens.current or self._fetch_token()

    def pause(self, seconds: float) -> None:
        """Waits."""
        time.sleep(seconds)

    def now(self) -> float:
        """Seconds on a clock that is never set."""
        return time.monotonic()

    def close(self) -> None:
        """Closes all connections."""
        self._http.close()

    @contextmanager
    def _stream(self, call: Call[None]) -> Iterator[httpx.Response]:
        response = self._answer_to(call, stream=True)
        try:
            if response.is_error:
                response.read()
                raise error_of(response)
            yield response
        finally:
            response.close()

    def _answer_to(self, call: Call[T], *, stream: bool) -> httpx.Response:
        if call.at_root:
            return self._exchange(call, None, stream=stream)
        token = self.access_token()
        response = self._exchange(call, token, stream=stream)
        if response.status_code == 401:
            # Expired or revoked before its time: one new token, one more try.
            response.close()
            self._tokens.drop(token)
            response = self._exchange(call, self.access_token(), stream=stream)
        return response

    def _exchange(self, call: Call[T], token: SecretStr | None, *, stream: bool) -> httpx.Response:
        request = self._request(call, token)
        return self._send(request, call.repeated, request_id=call.request_id, stream=stream)

    def _request(self, call: Call[T], token: SecretStr | None) -> httpx.Request:
        # Built here, whose frame is gone when it is sent: no traceback can hold the token in plain text.
        headers = {**call.headers, REQUEST_ID: call.request_id}
        if token is not None:
            headers["Authorization"] = f"Bearer {token.get_secret_value()}"
        if call.idempotency_key is not None:
            headers["Idempotency-Key"] = call.idempotency_key
        base = self._configuration.root_url if call.at_root else self._configuration.base_url
        timeout = self._http.timeout
        if call.silence is not None and timeout.read is not None and timeout.read < call.silence:
            timeout = httpx.Timeout(**{**timeout.as_dict(), "read": call.silence})
        return self._http.build_request(
            call.method, f"{base}{call.path}", params=call.query, json=call.body, headers=headers, timeout=timeout
        )

    def _send(
        self, request: httpx.Request, repeat: Repeat, *, request_id: str | None = None, stream: bool = False
    ) -> httpx.Response:
        attempt = 0
        while True:
            try:
                response = self._http.send(request, stream=stream)
            except httpx.RequestError as error:
                delay = self._policy.after_error(error, attempt=attempt, repeat=repeat)
                if delay is None:
                    raise connection_error(error, url=request.url, request_id=request_id) from error
            else:
                retry_after = seconds_of(response.headers.get("Retry-After"))
                delay = self._policy.after_status(response.status_code, retry_after, attempt=attempt, repeat=repeat)
                if delay is None:
                    return response
                response.close()
            self.pause(delay)
            attempt += 1

    def _fetch_token(self) -> SecretStr:
        request = token_request(self._configuration, self._http)
        try:
            response = self._send(request, "freely")
        except APIConnectionError as error:
            # The cause's frames hold the body with the secret, which a traceback with local variables would print.
            raise type(error)(error.message) from None
        if not response.is_success:
            raise error_of(response)
        try:
            answer = TokenAnswer.model_validate_json(response.content)
        except ValidationError:
            raise UnexpectedAnswerError(
                f"{self._configuration.token_url} gave no token: is it a token endpoint?", status=response.status_code
            ) from None
        return self._tokens.keep(answer)
