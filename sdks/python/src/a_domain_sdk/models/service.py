"""The service itself: how it is, and how it hands out tokens."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from a_domain_sdk.models.base import Model
from a_domain_sdk.models.words import ComponentState


class Health(Model):
    """The service's process lives."""

    status: str


class Component(Model):
    """A part of the service, and why it is not up."""

    state: ComponentState | str
    reason: str | None = None


class Readiness(Model):
    """The service can accept requests. ``components`` has each of its parts by name."""

    status: str
    components: dict[str, Component] = Field(default_factory=dict)


class AuthorizationServer(Model):
    """How tokens are had (RFC 8414)."""

    issuer: str
    token_endpoint: str
    jwks_uri: str
    scopes_supported: list[str] = Field(default_factory=list)
    response_types_supported: list[str] = Field(default_factory=list)
    grant_types_supported: list[str] = Field(default_factory=list)
    token_endpoint_auth_methods_supported: list[str] = Field(default_factory=list)
    service_documentation: str | None = None


class SigningKeys(Model):
    """The keys that verify access tokens, each a JWK (RFC 7517)."""

    keys: list[dict[str, Any]]
