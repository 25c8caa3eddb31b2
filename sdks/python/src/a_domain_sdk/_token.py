"""The access token: how it is asked for, and how long it is used. Pure: the session asks."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx
from pydantic import BaseModel, ConfigDict, SecretStr

from a_domain_sdk._configuration import Configuration

_RENEW_BEFORE_SECONDS = 60.0
_MOST_OF_LIFE = 0.9


class TokenAnswer(BaseModel):
    """What the token endpoint answers (RFC 6749, section 5.1)."""

    model_config = ConfigDict(defer_build=True)

    access_token: SecretStr
    expires_in: float = 3600.0


@dataclass(frozen=True)
class AccessToken:
    """A token and the moment, on the monotonic clock, from which on it is not used any more."""

    value: SecretStr
    renew_at: float

    @classmethod
    def of(cls, answer: TokenAnswer, *, now: float) -> AccessToken:
        """The token of an answer: renewed a minute before it expires, or a tenth of its life where that is shorter."""
        life = max(answer.expires_in - _RENEW_BEFORE_SECONDS, answer.expires_in * _MOST_OF_LIFE)
        return cls(answer.access_token, now + life)


class TokenCache:
    """The token in use."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._token: AccessToken | None = None

    @property
    def current(self) -> SecretStr | None:
        """The token to use, None where a new one is needed."""
        token = self._token
        return token.value if token is not None and self._clock() < token.renew_at else None

    def keep(self, answer: TokenAnswer) -> SecretStr:
        """Keeps the token of this answer and returns it."""
        self._token = AccessToken.of(answer, now=self._clock())
        return self._token.value

    def drop(self, refused: SecretStr) -> None:
        """Forgets the token that was refused; one that another thread fetched since stays."""
        if self._token is not None and self._token.value == refused:
            self._token = None


def token_request(configuration: Configuration, http: httpx.Client | httpx.AsyncClient) -> httpx.Request:
    """The request for a token, with the API client's credentials in its JSON body as the reference prints it."""
    body = {
        "client_id": configuration.client_id,
        "client_secret": configuration.client_secret.get_secret_value(),
        "grant_type": "client_credentials",
    }
    if configuration.scope is not None:
        body["scope"] = configuration.scope
    return http.build_request("POST", configuration.token_url, json=body)
