"""Keys derived from the installation's one secret, and what is done with them.

Belongs here: derivation (HKDF, RFC 5869), encryption at rest (Fernet), keyed hashes of tokens, and the short-lived
signed tokens by which the product's own runs reach a connector. Does not belong here: who may do what.
"""

import base64
import hashlib
import hmac
import os
import re
import secrets
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

import jwt
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from dataops_core import acting
from dataops_core.acting import Acting, ActorKind
from dataops_core.clock import utcnow
from dataops_core.errors import ConfigurationError
from dataops_core.lifecycle import TokenKind
from dataops_core.settings import Settings

SECRET_FILE = "secret_key"  # noqa: S105  the name of a file
_SHORTEST_SECRET = 16
_SERVICE_AUDIENCE = "connector"
#: Signed tokens (JWT), what :func:`new_secret` makes with the prefixes of API clients and connectors, whatever follows
#: ``Bearer``, and the password in an address.
_SECRETS = re.compile(
    r"eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*|\bdo(?:sec|l_[a-z])_[\w-]{43}|\bwhsec_[\w+/=-]+"
    r"|(?<=\bBearer )[\w.~+/-]+=*|(?P<user>://[^:/@\s\"]*:)[^@/\s\"]+(?=@)"
)
#: One of these is in whatever the pattern finds.
_SIGNS = ("eyJ", "dosec_", "dol_", "whsec_", "Bearer ", "://")


@dataclass(frozen=True, slots=True)
class ServiceToken:
    """What a valid service token says: the product itself asks, for this connector, with this power."""

    connector_id: UUID
    kind: TokenKind
    #: The run that asks and its operation, where one does.
    acting: Acting = acting.SYSTEM


class Keyring:
    """All keys of an installation, each derived for one purpose from the one secret."""

    def __init__(self, secret: str) -> None:
        if len(secret) < _SHORTEST_SECRET:
            raise ConfigurationError(
                f"DATAOPS_SECRET_KEY is too short: give at least {_SHORTEST_SECRET} characters, 43 random ones at best."
            )
        self._secret = secret.encode()

    @classmethod
    def load(cls, settings: Settings) -> "Keyring":
        """The keyring of DATAOPS_SECRET_KEY, else of the home's file. Raises ConfigurationError without either."""
        if settings.secret_key is not None:
            return cls(settings.secret_key.get_secret_value())
        path = settings.home / SECRET_FILE
        if not path.is_file():
            raise ConfigurationError(
                f"No secret key: start `dataops up` on {settings.home}, or set DATAOPS_SECRET_KEY."
            )
        secret = path.read_text(encoding="utf-8", errors="replace").strip()
        if len(secret) < _SHORTEST_SECRET:
            raise ConfigurationError(
                f"{path} does not hold the secret key that was written there: bring the file back, "
                "or set DATAOPS_SECRET_KEY to the key."
            )
        return cls(secret)

    def derive(self, purpose: str) -> bytes:
        """32 bytes for this purpose."""
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"dataops/{purpose}".encode()).derive(self._secret)

    @cached_property
    def fernet(self) -> Fernet:
        """Encryption at rest, for signing keys and kept answers."""
        return Fernet(base64.urlsafe_b64encode(self.derive("encryption-at-rest")))

    @cached_property
    def fingerprint(self) -> str:
        """A value kept in the database, by which a secret that does not fit it is recognized."""
        return hmac.new(self.derive("fingerprint"), b"dataops", hashlib.sha256).hexdigest()

    @cached_property
    def _pepper(self) -> bytes:
        return self.derive("token-hash")

    @cached_property
    def _service_key(self) -> bytes:
        return self.derive("service-token")

    def hash_token(self, token: str) -> str:
        """The keyed hash under which a random token or secret is stored (256 random bits need no slow hash)."""
        return hmac.new(self._pepper, token.encode(), hashlib.sha256).hexdigest()

    def service_token(self, connector_id: UUID, kind: TokenKind, *, seconds: int = 900) -> str:
        """A short-lived token by which the product's own runs reach one connector (C-90). Names the run that acts."""
        now = int(utcnow().timestamp())
        who = acting.current()
        claims: dict[str, Any] = {
            "aud": _SERVICE_AUDIENCE,
            "sub": str(connector_id),
            "kind": kind.value,
            "iat": now,
            "exp": now + seconds,
        }
        if who.kind is ActorKind.RUN:
            claims |= {"run_id": who.actor_id, "operation_id": str(who.operation_id) if who.operation_id else None}
        return jwt.encode(claims, self._service_key, algorithm="HS256")

    def read_service_token(self, token: str) -> ServiceToken | None:
        """What the token says, or None where it is none of ours, expired or altered."""
        try:
            claims = jwt.decode(
                token,
                self._service_key,
                algorithms=["HS256"],
                audience=_SERVICE_AUDIENCE,
                # Times are the product's clock's to judge, and it may have been set back since the token was made.
                options={"require": ["exp", "sub", "kind"], "verify_exp": False, "verify_iat": False},
            )
            if float(claims["exp"]) <= utcnow().timestamp():
                return None
            return ServiceToken(UUID(claims["sub"]), TokenKind(claims["kind"]), _run_of(claims))
        except (jwt.InvalidTokenError, ValueError, TypeError):
            return None


def _run_of(claims: dict[str, Any]) -> Acting:
    if claims.get("run_id") is None:
        return acting.SYSTEM
    operation_id = UUID(claims["operation_id"]) if claims.get("operation_id") is not None else None
    return Acting(ActorKind.RUN, claims["run_id"], operation_id=operation_id)


def new_secret(prefix: str = "") -> str:
    """256 random bits, URL-safe, with a prefix that says what it is."""
    return prefix + secrets.token_urlsafe(32)


def without_secrets(text: str) -> str:
    """The text with whatever has the form of a secret taken out: for what is written down.

    Nothing of ours writes one; a client may have put one where it does not belong, as into a path.
    """
    # Asked of every line of a log: looking for these words costs a hundredth of the pattern.
    for sign in _SIGNS:
        if sign in text:
            return _SECRETS.sub(lambda found: f"{found['user'] or ''}(secret)", text)
    return text


def ensure_secret_file(home: Path) -> bool:
    """Makes the home's secret file (0600) where there is none; whether it did. Never overwrites one."""
    path = home / SECRET_FILE
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(new_secret() + "\n")
    return True
