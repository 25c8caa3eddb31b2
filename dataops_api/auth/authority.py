"""Access tokens: issuing them, and telling who a token's bearer is (``docs/contract.md`` C-4, C-11, C-15).

Tokens are JWTs by RFC 9068. Keys and clients are read from the registry and kept for half a minute, so that a revoked
client's tokens and a rotated key are noticed within one. Does not belong here: HTTP's form of it (``auth/routes.py``).
"""

from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any
from uuid import UUID

import jwt
from jwt.algorithms import RSAAlgorithm
from starlette.concurrency import run_in_threadpool

from dataops_api.errors import ForbiddenError, UnauthorizedError
from dataops_core.clock import utcnow
from dataops_core.ids import new_id
from dataops_core.registry import api_clients, signing_keys
from dataops_core.registry.api_clients import KnownApiClient
from dataops_core.registry.database import Database
from dataops_core.registry.signing_keys import TOKEN_LIFETIME, CurrentKey
from dataops_core.scopes import Scope
from dataops_core.security import Keyring
from dataops_core.settings import API_PREFIX, Settings

_KEPT_SECONDS = 30.0
#: A token with an unknown key id makes us look again, but not more often than this.
_LOOK_AGAIN_SECONDS = 2.0
_MOST_TOKENS = 4096
_CLAIMS = ["iss", "aud", "sub", "client_id", "iat", "exp", "jti", "scope"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. ``customers`` None: bound to none; else the only customers that exist for this caller (C-8)."""

    api_client_id: UUID
    scopes: frozenset[Scope]
    customers: tuple[UUID, ...] | None

    def may(self, any_of: Collection[Scope]) -> bool:
        """Whether one of these scopes is held; the administrator's is as good as any (C-24)."""
        return Scope.ADMIN in self.scopes or not self.scopes.isdisjoint(any_of)

    def reaches(self, customer: UUID) -> bool:
        """Whether this customer exists for the caller."""
        return self.customers is None or customer in self.customers

    def must_reach(self, customer: UUID) -> None:
        """Raises ForbiddenError where this customer does not exist for the caller (C-8)."""
        if not self.reaches(customer):
            raise ForbiddenError("The API client does not act for this customer", details={"client_id": str(customer)})


@dataclass(frozen=True, slots=True)
class _Keys:
    current: CurrentKey
    published: Sequence[dict[str, Any]]
    by_kid: dict[str, Any]
    read_at: float


@dataclass(frozen=True, slots=True)
class _Verified:
    """A token that was found good, with the state of its client when the caller was made of both."""

    expires_at: float
    scopes: frozenset[str]
    api_client_id: UUID
    client: KnownApiClient
    caller: Caller


class Authority:
    """Issues and reads the access tokens of one installation."""

    def __init__(self, settings: Settings, database: Database, keyring: Keyring) -> None:
        self.issuer = settings.public_base
        self.audience = f"{settings.public_base}{API_PREFIX}"
        self._database = database
        self._keyring = keyring
        self._keys: _Keys | None = None
        self._clients: dict[UUID, tuple[float, KnownApiClient | None]] = {}
        self._verified: OrderedDict[str, _Verified] = OrderedDict()

    def verify_client(self, client_id: str, secret: str) -> KnownApiClient | None:
        """The API client of these credentials, or None. Blocks on the database."""
        try:
            api_client_id = UUID(client_id)
        except ValueError:
            return None
        with self._database.transaction() as session:
            return api_clients.verify(session, self._keyring, api_client_id=api_client_id, secret=secret)

    def issue(self, client: KnownApiClient, scopes: Sequence[Scope]) -> str:
        """A signed access token for these scopes. Blocks on the database at first use."""
        key = self._read_keys(_KEPT_SECONDS).current
        now = utcnow()
        claims = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": str(client.api_client_id),
            "client_id": str(client.api_client_id),
            "iat": now,
            "exp": now + TOKEN_LIFETIME,
            "jti": str(new_id()),
            "scope": " ".join(scopes),
        }
        return jwt.encode(claims, key.private_key, algorithm="RS256", headers={"typ": "at+jwt", "kid": key.kid})

    def public_keys(self) -> Sequence[dict[str, Any]]:
        """The keys (JWK) by which tokens can be verified. Blocks on the database."""
        return self._read_keys(_KEPT_SECONDS).published

    def knows(self, token: str) -> bool:
        """Whether the token was found good lately; it may have ended since."""
        return token in self._verified

    async def caller_of(self, token: str) -> Caller:
        """Who the bearer of the token is. Raises UnauthorizedError; UnavailableError where the database is away."""
        verified = self._verified.get(token)
        if verified is None:
            api_client_id, scopes, expires_at = await self._read(token)
        else:
            api_client_id, scopes, expires_at = verified.api_client_id, verified.scopes, verified.expires_at
        if expires_at <= utcnow().timestamp():
            raise UnauthorizedError("The access token has expired", token_sent=True)
        client = await self._client(api_client_id)
        if client is None:
            raise UnauthorizedError("The API client was revoked", token_sent=True)
        if verified is not None and verified.client is client:
            return verified.caller
        # What was taken from the client since is gone from its tokens too.
        held = frozenset(scope for scope in client.scopes if scope.value in scopes)
        caller = Caller(api_client_id, held, client.customers)
        self._verified[token] = _Verified(expires_at, scopes, api_client_id, client, caller)
        if len(self._verified) > _MOST_TOKENS:
            self._verified.popitem(last=False)
        return caller

    async def _read(self, token: str) -> tuple[UUID, frozenset[str], float]:
        try:
            header = jwt.get_unverified_header(token)
            if header.get("typ", "").lower() not in {"at+jwt", "application/at+jwt"}:
                raise UnauthorizedError("This is no access token", token_sent=True)
            claims = jwt.decode(
                token,
                await self._public_key(header.get("kid")),
                algorithms=["RS256"],
                audience=self.audience,
                issuer=self.issuer,
                # Times are the product's clock's to judge.
                options={"require": _CLAIMS, "verify_exp": False, "verify_iat": False},
            )
            return UUID(claims["client_id"]), frozenset(claims["scope"].split()), float(claims["exp"])
        except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError):
            raise UnauthorizedError("The access token is not valid", token_sent=True) from None

    async def _public_key(self, kid: object) -> Any:
        keys = self._keys
        if keys is None or kid not in keys.by_kid or monotonic() - keys.read_at > _KEPT_SECONDS:
            keys = await run_in_threadpool(self._read_keys, _LOOK_AGAIN_SECONDS)
        if not isinstance(kid, str) or kid not in keys.by_kid:
            raise UnauthorizedError("The access token is not valid", token_sent=True)
        return keys.by_kid[kid]

    async def _client(self, api_client_id: UUID) -> KnownApiClient | None:
        kept = self._clients.get(api_client_id)
        if kept is not None and monotonic() - kept[0] < _KEPT_SECONDS:
            return kept[1]
        return await run_in_threadpool(self._read_client, api_client_id)

    def _read_client(self, api_client_id: UUID) -> KnownApiClient | None:
        read_at = monotonic()
        with self._database.transaction() as session:
            client = api_clients.find(session, api_client_id)
        kept = self._clients.get(api_client_id)
        if kept is not None and kept[1] == client:
            client = kept[1]  # the same object: callers made of it stay good
        self._clients[api_client_id] = (read_at, client)
        return client

    def _read_keys(self, kept_seconds: float) -> _Keys:
        keys = self._keys
        if keys is not None and monotonic() - keys.read_at < kept_seconds:
            return keys
        read_at, now = monotonic(), utcnow()
        with self._database.transaction() as session:
            current = signing_keys.current(session, self._keyring, now=now)
            published = signing_keys.published(session, now=now)
        by_kid = {jwk["kid"]: RSAAlgorithm.from_jwk(jwk) for jwk in published}
        self._keys = _Keys(current, published, by_kid, read_at)
        return self._keys
