"""The keys that sign access tokens (C-11, C-15)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import jwt
import pytest
from jwt.algorithms import RSAAlgorithm
from sqlalchemy import select

from dataops_core.clock import utcnow
from dataops_core.errors import ConfigurationError
from dataops_core.registry import signing_keys
from dataops_core.registry.database import Database
from dataops_core.registry.tables import SigningKey
from dataops_core.security import Keyring

KEYRING = Keyring("a secret for tests, long enough")


def test_the_key_is_made_once_however_many_want_it_at_once(database: Database) -> None:
    """C-11."""

    def use(_: int) -> str:
        with database.transaction() as session:
            return signing_keys.current(session, KEYRING, now=utcnow()).kid

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(use, range(8)))) == 1
    with database.transaction() as session:
        assert len(session.scalars(select(SigningKey)).all()) == 1


def test_what_is_published_verifies_what_the_key_signed(database: Database) -> None:
    """C-11."""
    with database.transaction() as session:
        key = signing_keys.current(session, KEYRING, now=utcnow())
        (published,) = signing_keys.published(session, now=utcnow())
    assert key.private_key.key_size == 2048
    assert published["kid"] == key.kid
    assert set(published) == {"kty", "kid", "use", "alg", "n", "e"}
    signed = jwt.encode({"sub": "x"}, key.private_key, algorithm="RS256")
    assert jwt.decode(signed, RSAAlgorithm.from_jwk(published), algorithms=["RS256"]) == {"sub": "x"}


def test_the_private_part_is_encrypted_by_the_installations_secret(database: Database) -> None:
    """C-15."""
    with database.transaction() as session:
        signing_keys.current(session, KEYRING, now=utcnow())
        (stored,) = session.scalars(select(SigningKey.private_key)).all()
        assert "PRIVATE KEY" not in stored
        with pytest.raises(ConfigurationError, match="does not fit the database"):
            signing_keys.current(session, Keyring("another secret, long enough too"), now=utcnow())


def test_a_rotated_key_is_published_until_its_last_token_has_expired(database: Database) -> None:
    """C-15."""
    now = utcnow()
    with database.transaction() as session:
        old = signing_keys.current(session, KEYRING, now=now - timedelta(days=1)).kid
        new = signing_keys.rotate(session, KEYRING, now=now).kid
        assert signing_keys.current(session, KEYRING, now=now).kid == new != old

        def published(after: timedelta) -> list[str]:
            return [key["kid"] for key in signing_keys.published(session, now=now + after)]

        assert published(timedelta()) == [new, old]
        assert published(signing_keys.TOKEN_LIFETIME) == [new, old]
        assert published(2 * signing_keys.TOKEN_LIFETIME) == [new]
