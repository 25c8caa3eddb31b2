"""The keys that sign access tokens: RSA 2048, made at first use, the private part encrypted at rest.

One key is current; rotated ones stay published until the last token that they signed has expired (C-15). Does not
belong here: what a token says (``dataops_api/auth``).
"""

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.fernet import InvalidToken
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import RSAAlgorithm
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from dataops_core.errors import ConfigurationError
from dataops_core.registry.tables import SigningKey
from dataops_core.security import Keyring

#: How long a token lives (C-11).
TOKEN_LIFETIME = timedelta(hours=1)
#: A process may sign with a key for a while after another one has rotated it: half an hour is ample.
_PUBLISHED_AFTER_ROTATION = TOKEN_LIFETIME + timedelta(minutes=30)
#: Advisory lock of making a key: any number that no other lock of this database uses.
_LOCK = 7_340_116


@dataclass(frozen=True, slots=True)
class CurrentKey:
    """The key that signs now."""

    kid: str
    private_key: rsa.RSAPrivateKey


def current(session: Session, keyring: Keyring, *, now: datetime) -> CurrentKey:
    """The key that signs now, made where there is none; of callers at once, one makes it.

    Raises ConfigurationError where the stored key was encrypted by another secret.
    """
    row = _newest(session)
    if row is None:
        session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        row = _newest(session) or _make(session, keyring, now)
    return _opened(row, keyring)


def rotate(session: Session, keyring: Keyring, *, now: datetime) -> CurrentKey:
    """Makes a new key and retires the one before, whose tokens stay valid until they expire."""
    session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    retired = _newest(session)
    if retired is not None:
        retired.retired_at = now
        session.flush()
    return _opened(_make(session, keyring, now), keyring)


def published(session: Session, *, now: datetime) -> list[dict[str, Any]]:
    """The public keys (JWK) by which tokens may be verified at this time, newest first."""
    return list(
        session.scalars(
            select(SigningKey.public_jwk)
            .where(or_(SigningKey.retired_at.is_(None), SigningKey.retired_at > now - _PUBLISHED_AFTER_ROTATION))
            .order_by(SigningKey.created_at.desc())
        )
    )


def _newest(session: Session) -> SigningKey | None:
    return session.scalars(
        select(SigningKey).where(SigningKey.retired_at.is_(None)).order_by(SigningKey.created_at.desc()).limit(1)
    ).one_or_none()


def _make(session: Session, keyring: Keyring, now: datetime) -> SigningKey:
    private_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    jwk = RSAAlgorithm.to_jwk(private_key.public_key(), as_dict=True)
    members = {name: jwk[name] for name in ("e", "kty", "n")}
    kid = _thumbprint(members)
    pem = private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    row = SigningKey(
        kid=kid,
        private_key=keyring.fernet.encrypt(pem).decode(),
        public_jwk=members | {"kid": kid, "use": "sig", "alg": "RS256"},
        created_at=now,
        retired_at=None,
    )
    session.add(row)
    session.flush()
    return row


def _opened(row: SigningKey, keyring: Keyring) -> CurrentKey:
    try:
        pem = keyring.fernet.decrypt(row.private_key)
    except InvalidToken:
        raise ConfigurationError(
            "The secret key does not fit the database: the signing key in it was encrypted by another one."
        ) from None
    key = load_pem_private_key(pem, password=None)
    assert isinstance(key, rsa.RSAPrivateKey)  # noqa: S101  only RSA keys are ever stored
    return CurrentKey(row.kid, key)


def _thumbprint(members: dict[str, Any]) -> str:
    """RFC 7638: SHA-256 of the key's required members in lexical order, base64url without padding."""
    canonical = json.dumps(members, sort_keys=True, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(hashlib.sha256(canonical).digest()).rstrip(b"=").decode()
