"""The token endpoint and what is published about it (``docs/contract.md`` C-10 … C-14), in RFC 6749's form.

It lives at the root of the authority, so that one application serves as ``auth.`` and ``api.`` host.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote_plus
from uuid import UUID

from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dataops_api.auth.authority import Authority
from dataops_api.auth.limits import TokenLimits
from dataops_api.dependencies import Service, parts_of
from dataops_api.errors import TOKEN_PATH
from dataops_api.fields import AnswerModel
from dataops_api.payload import media_type, parse_json, read_body
from dataops_api.routing import PUBLIC, Routes
from dataops_core.errors import InvalidRequestError
from dataops_core.registry.api_clients import KnownApiClient
from dataops_core.registry.signing_keys import TOKEN_LIFETIME
from dataops_core.scopes import Scope

routes = Routes(tag="Authentication")

JWKS_PATH = "/.well-known/jwks.json"
_GRANT = "client_credentials"
_FORM = "application/x-www-form-urlencoded"
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="dataops", charset="UTF-8"'}
_PRIVATE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_PUBLISHED = {"Cache-Control": "public, max-age=300"}


class TokenRefused(Exception):  # noqa: N818  a refusal, named as RFC 6749 speaks of it
    """An error answer of RFC 6749, section 5.2."""

    def __init__(
        self, error: str, description: str, *, status: int = 400, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status
        self.headers = dict(headers or {})


@dataclass(frozen=True, slots=True)
class _TokenRequest:
    client_id: str
    client_secret: str
    grant_type: str | None
    scope: str | None


class Token(AnswerModel):
    """An access token."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str


class TokenError(AnswerModel):
    """A refusal in the form of RFC 6749."""

    error: str
    error_description: str


class Metadata(AnswerModel):
    """Metadata of the authorization server (RFC 8414)."""

    issuer: str
    token_endpoint: str
    jwks_uri: str
    scopes_supported: list[str]
    response_types_supported: list[str]
    grant_types_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]
    service_documentation: str


class Jwk(AnswerModel):
    """A public key."""

    kty: str
    kid: str
    use: str
    alg: str
    n: str
    e: str


class Jwks(AnswerModel):
    """The keys by which access tokens are verified."""

    keys: list[Jwk] = Field(min_length=1)


_REQUEST_SCHEMA = {
    "type": "object",
    "required": ["grant_type"],
    "properties": {
        "client_id": {"type": "string", "description": "Id of the API client, unless sent by HTTP Basic."},
        "client_secret": {"type": "string", "description": "Its secret, unless sent by HTTP Basic."},
        "grant_type": {"type": "string", "enum": [_GRANT]},
        "scope": {"type": "string", "description": "Scopes, separated by spaces; absent: all that the client has."},
    },
}
_PARAMETERS = frozenset({"client_id", "client_secret", "grant_type", "scope"})
_REQUEST_EXAMPLE = {
    "client_id": "your-client-id",
    "client_secret": "your-client-secret",
    "grant_type": _GRANT,
    "scope": "dataops:datasets:write dataops:datasets:read dataops:templates:read",
}
_TOKEN_EXAMPLE = {
    "access_token": "eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCJ9...",
    "token_type": "Bearer",
    "expires_in": 3600,
    "scope": "dataops:datasets:write dataops:datasets:read",
}


def _refusal(description: str, error: str) -> dict[str, Any]:
    example = {"error": error, "error_description": description}
    return {"description": description, "model": TokenError, "content": {"application/json": {"example": example}}}


@routes.add(
    "POST",
    TOKEN_PATH,
    access=PUBLIC,
    summary="Get an access token",
    model=Token,
    example=_TOKEN_EXAMPLE,
    responses={
        400: _refusal("The request is not valid", "invalid_request"),
        401: _refusal("The client is unknown or its secret is wrong", "invalid_client"),
        413: _refusal("The body is larger than 1 MiB", "invalid_request"),
        429: _refusal("Too many requests", "temporarily_unavailable"),
        500: _refusal("Something went wrong on our side", "server_error"),
        503: _refusal("A part of the service does not answer at the moment", "temporarily_unavailable"),
    },
    extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": _REQUEST_SCHEMA, "example": _REQUEST_EXAMPLE},
                _FORM: {"schema": _REQUEST_SCHEMA, "example": _REQUEST_EXAMPLE},
            },
        }
    },
)
async def create_token(request: Request) -> Response:
    """OAuth 2.0 client credentials (RFC 6749, section 4.4), as JSON or as a form, or with HTTP Basic."""
    meter = parts_of(request).meter
    try:
        granted = await _grant(request)
    except TokenRefused as refused:
        meter.token(refused.error)
        if refused.status == 429:
            meter.rate_limited("token")
        return JSONResponse(
            {"error": refused.error, "error_description": refused.description},
            status_code=refused.status,
            headers=_PRIVATE | refused.headers,
        )
    meter.token("issued")
    return JSONResponse(granted, headers=_PRIVATE)


@routes.add(
    "GET",
    "/.well-known/oauth-authorization-server",
    access=PUBLIC,
    summary="Metadata of the authorization server",
    model=Metadata,
)
async def authorization_server_metadata(parts: Service) -> Response:
    """RFC 8414."""
    issuer = parts.authority.issuer
    metadata = {
        "issuer": issuer,
        "token_endpoint": f"{issuer}{TOKEN_PATH}",
        "jwks_uri": f"{issuer}{JWKS_PATH}",
        "scopes_supported": list(Scope),
        "response_types_supported": [],
        "grant_types_supported": [_GRANT],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "service_documentation": f"{issuer}/docs",
    }
    return JSONResponse(metadata, headers=_PUBLISHED)


@routes.add("GET", JWKS_PATH, access=PUBLIC, summary="Keys that verify access tokens", model=Jwks)
def published_keys(parts: Service) -> Response:
    """RFC 7517."""
    return JSONResponse({"keys": list(parts.authority.public_keys())}, headers=_PUBLISHED)


async def _grant(request: Request) -> dict[str, Any]:
    """The token that the request asks for, within the limits (C-13)."""
    parts = parts_of(request)
    limits, authority = parts.token_limits, parts.authority
    address = request.client.host if request.client is not None else ""
    wanted = await _read(request)
    client_id = _canonical(wanted.client_id)
    try:
        return await _grant_within(limits, authority, wanted, client_id, address)
    finally:
        request.scope["state"]["answer_headers"] += (
            (b"ratelimit-policy", limits.policy.encode()),
            (b"ratelimit", limits.standing(client_id, address).encode()),
        )


async def _grant_within(
    limits: TokenLimits, authority: Authority, wanted: _TokenRequest, client_id: str, address: str
) -> dict[str, Any]:
    _hold_to(limits.wait(client_id, address))
    try:
        client, granted = await _authorize(authority, wanted)
    except TokenRefused:
        # Again, after what happened meanwhile: many guesses at once get no further than one after the other.
        _hold_to(limits.wait(client_id, address))
        limits.failed(client_id, address)
        raise
    _hold_to(limits.wait(client_id, address))
    limits.succeeded(client_id)
    return {
        "access_token": await run_in_threadpool(authority.issue, client, granted),
        "token_type": "Bearer",
        "expires_in": int(TOKEN_LIFETIME.total_seconds()),
        "scope": " ".join(granted),
    }


async def _authorize(authority: Authority, wanted: _TokenRequest) -> tuple[KnownApiClient, list[Scope]]:
    if wanted.grant_type is None:
        raise TokenRefused("invalid_request", "grant_type is missing")
    if wanted.grant_type != _GRANT:
        raise TokenRefused("unsupported_grant_type", f"Only {_GRANT} is supported")
    client = await run_in_threadpool(authority.verify_client, wanted.client_id, wanted.client_secret)
    if client is None:
        raise _invalid_client("The client is unknown or its secret is wrong")
    return client, _granted(client.scopes, wanted.scope)


def _canonical(client_id: str) -> str:
    """One spelling for all spellings of an id, so that none of them escapes the limits."""
    try:
        return str(UUID(client_id))
    except ValueError:
        return client_id[:64]


def _hold_to(seconds: int) -> None:
    if seconds:
        raise TokenRefused(
            "temporarily_unavailable",
            f"Too many requests: try again in {seconds} s",
            status=429,
            headers={"Retry-After": str(seconds)},
        )


def _granted(may: Sequence[Scope], asked: str | None) -> list[Scope]:
    """What the client may have of what it asked for, in the order asked (C-12)."""
    wanted = [scope.value for scope in may] if asked is None else dict.fromkeys(asked.split())
    granted = [Scope(name) for name in wanted if name in may]
    if not granted:
        raise TokenRefused("invalid_scope", "The client may have none of the scopes asked for")
    return granted


async def _read(request: Request) -> _TokenRequest:
    """The request's parameters, whichever way they came (C-10)."""
    sent = _parameters(media_type(request), await read_body(request))
    basic = _basic(request)
    client_id, client_secret = sent.get("client_id"), sent.get("client_secret")
    if basic is not None:
        if client_secret is not None or client_id not in {None, basic[0]}:
            raise TokenRefused("invalid_request", "Client credentials were sent in two ways at once")
        client_id, client_secret = basic
    if client_id is None or client_secret is None:
        raise _invalid_client("client_id and client_secret are required")
    return _TokenRequest(client_id, client_secret, sent.get("grant_type"), sent.get("scope"))


def _parameters(kind: str, body: bytes) -> dict[str, str]:
    """The parameters of a body; unknown ones are ignored and empty ones absent, as RFC 6749 says."""
    if not body:
        return {}
    if kind == "application/json":
        try:
            sent = parse_json(body)
        except InvalidRequestError as error:
            raise TokenRefused("invalid_request", "; ".join(error.details.values())) from None
        if not isinstance(sent, dict):
            raise TokenRefused("invalid_request", "The body must be a JSON object")
        pairs = list(sent.items())
    elif kind == _FORM:
        try:
            pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100)
        except (UnicodeDecodeError, ValueError):
            raise TokenRefused("invalid_request", "The body is no valid form") from None
    else:
        raise TokenRefused("invalid_request", f"The body must be application/json or {_FORM}")
    parameters: dict[str, str] = {}
    for name, value in pairs:
        if name not in _PARAMETERS or value is None or value == "":
            continue
        if not isinstance(value, str) or "\0" in value:
            raise TokenRefused("invalid_request", f"{name} must be text")
        if name in parameters:
            raise TokenRefused("invalid_request", f"{name} was sent twice")
        parameters[name] = value
    return parameters


def _basic(request: Request) -> tuple[str, str] | None:
    """Id and secret of the ``Authorization`` header, None where there is none."""
    headers = request.headers.getlist("authorization")
    if not headers:
        return None
    scheme, _, encoded = headers[0].partition(" ")
    if len(headers) > 1:
        raise TokenRefused("invalid_request", "Client credentials were sent in two ways at once")
    if scheme.lower() != "basic":
        raise _invalid_client("Only HTTP Basic can authenticate a client here")
    try:
        client_id, separator, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise _invalid_client("The Authorization header is not valid") from None
    if not separator or not client_id or "\0" in client_id + secret:
        raise _invalid_client("The Authorization header is not valid")
    return unquote_plus(client_id), unquote_plus(secret)


def _invalid_client(description: str) -> TokenRefused:
    return TokenRefused("invalid_client", description, status=401, headers=_CHALLENGE)
