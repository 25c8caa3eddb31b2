"""Where the API is and who asks: arguments first, then the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
from pydantic import SecretStr

from a_domain_sdk.errors import ConfigurationError

BASE_URL_VARIABLE = "DATAOPS_BASE_URL"
TOKEN_URL_VARIABLE = "DATAOPS_TOKEN_URL"  # noqa: S105  the name of a variable
CLIENT_ID_VARIABLE = "DATAOPS_CLIENT_ID"
CLIENT_SECRET_VARIABLE = "DATAOPS_CLIENT_SECRET"  # noqa: S105  the name of a variable


@dataclass(frozen=True)
class Configuration:
    """What a client needs to know. URLs end without a slash."""

    base_url: str
    token_url: str
    client_id: str
    client_secret: SecretStr
    scope: str | None = None

    @property
    def root_url(self) -> str:
        """The host of the API, where what belongs to no version of it is."""
        return str(httpx.URL(self.base_url).copy_with(raw_path=b"")).rstrip("/")


class _Variables:
    """The environment, of which a traceback with local variables shows nothing."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self.get = known.get


def resolve(
    *,
    client_id: str | None,
    client_secret: SecretStr | None,
    base_url: str | None,
    token_url: str | None,
    scope: str | None,
    environment: Mapping[str, str] | None = None,
) -> Configuration:
    """The configuration of these arguments and the environment. Raises ConfigurationError for what is missing or wrong.

    There is no default address: a secret is never sent to a host that nobody named. The token endpoint lives at the
    root of the API's authority unless given.
    """
    variables = _Variables(os.environ if environment is None else environment)
    api = _url(_given(base_url, "base_url", BASE_URL_VARIABLE, variables), "base_url", BASE_URL_VARIABLE)
    if httpx.URL(api).path == "/":
        raise ConfigurationError(f"base_url ({BASE_URL_VARIABLE}) must have the API's path: {api}/v1/dataops.")
    token = token_url or variables.get(TOKEN_URL_VARIABLE) or str(httpx.URL(api).copy_with(raw_path=b"/token"))
    secret = SecretStr(
        _given(
            client_secret.get_secret_value() if client_secret is not None else None,
            "client_secret",
            CLIENT_SECRET_VARIABLE,
            variables,
        )
    )
    return Configuration(
        base_url=api,
        token_url=_url(token, "token_url", TOKEN_URL_VARIABLE),
        client_id=_given(client_id, "client_id", CLIENT_ID_VARIABLE, variables),
        client_secret=secret,
        scope=scope,
    )


def _given(value: str | None, argument: str, variable: str, variables: _Variables) -> str:
    found = value or variables.get(variable)
    if not found:
        raise ConfigurationError(f"No {argument}: give it as an argument or set {variable}.")
    return found


def _url(value: str, argument: str, variable: str) -> str:
    try:
        url = httpx.URL(value)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in {"http", "https"} or not url.host:
        raise ConfigurationError(f"{argument} ({variable}) must be an http:// or https:// address.")
    if url.userinfo or url.query or url.fragment:
        raise ConfigurationError(f"{argument} ({variable}) must be a plain address, without user, query or fragment.")
    return value.rstrip("/")
