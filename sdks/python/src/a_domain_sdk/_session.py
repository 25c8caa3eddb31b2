"""Carries calls out: one HTTP connection pool, the token, repetitions. All of the SDK's input and output is here."""

from __future__ import annotations

import threading
import time
from typing import TypeVar

import httpx
from pydantic import SecretStr, ValidationError

from a_domain_sdk._answer import REQUEST_ID, connection_error, error_of, value_of
from a_domain_sdk._call import Call
from a_domain_sdk._configuration import Configuration
from a_domain_sdk._retry import RetryPolicy, seconds_of
from a_domain_sdk._token import TokenAnswer, TokenCache, token_request
from a_domain_sdk._version import __version__
from a_domain_sdk.errors import APIConnectionError, UnexpectedAnswerError

T = TypeVar("T")

# Servers drop idle connections after about five seconds. One that is dropped just as a request goes out fails a
# request that may not be repeated, so idle connections are given up earlier than that.
_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=2.0)


class Session:
    """What all resources of one client share. Safe to use from several threads."""

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

    def run(self, call: Call[T]) -> T:
        """The value of this call's answer.

        Raises APIStatusError, APIConnectionError or UnexpectedAnswerError.
        """
        token = self.access_token()
        response = self._exchange(call, token)
        if response.status_code == 401:
            # Expired or revoked before its time: one new token, one more try.
            self._tokens.drop(token)
            response = self._exchange(call, self.access_token())
        return value_of(call, response)

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

    def close(self) -> None:
        """Closes all connections."""
        self._http.close()

    def _exchange(self, call: Call[T], token: SecretStr) -> httpx.Response:
        return self._send(self._request(call, token), reads=call.method == "GET", request_id=call.request_id)

    def _request(self, call: Call[T], token: SecretStr) -> httpx.Request:
        # Built here, whose frame is gone when it is sent: no traceback can hold the token in plain text.
        headers = {"Authorization": f"Bearer {token.get_secret_value()}", REQUEST_ID: call.request_id}
        if call.idempotency_key is not None:
            headers["Idempotency-Key"] = call.idempotency_key
        return self._http.build_request(
            call.method,
            f"{self._configuration.base_url}{call.path}",
            params=call.query or None,
            json=call.body,
            headers=headers,
        )

    def _send(self, request: httpx.Request, *, reads: bool, request_id: str | None = None) -> httpx.Response:
        attempt = 0
        while True:
            try:
                response = self._http.send(request)
            except httpx.RequestError as error:
                delay = self._policy.after_error(error, attempt=attempt, reads=reads)
                if delay is None:
                    raise connection_error(error, url=request.url, request_id=request_id) from error
            else:
                retry_after = seconds_of(response.headers.get("Retry-After"))
                delay = self._policy.after_status(response.status_code, retry_after, attempt=attempt, reads=reads)
                if delay is None:
                    return response
            self.pause(delay)
            attempt += 1

    def _fetch_token(self) -> SecretStr:
        request = token_request(self._configuration, self._http)
        try:
            # Asking for a token twice does no harm: it may be repeated like a read.
            response = self._send(request, reads=True)
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
