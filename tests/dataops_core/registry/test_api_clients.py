"""API clients in the registry (C-8, C-12, C-15, C-24)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from dataops_core.clock import utcnow
from dataops_core.errors import NotFoundError
from dataops_core.registry import api_clients
from dataops_core.registry.database import Database
from dataops_core.registry.tables import ApiClient
from dataops_core.scopes import Scope, implied
from dataops_core.security import Keyring

KEYRING = Keyring("a secret for tests, long enough")


def test_a_client_is_known_by_its_secret_alone(database: Database) -> None:
    """C-15."""
    with database.transaction() as session:
        made = api_clients.create(
            session, KEYRING, name="ci", scopes=[Scope.QUALITY_READ, Scope.DATASETS_READ], now=utcnow()
        )
    with database.transaction() as session:
        known = api_clients.verify(session, KEYRING, api_client_id=made.api_client_id, secret=made.client_secret)
        assert known is not None
        assert known.scopes == (Scope.DATASETS_READ, Scope.QUALITY_READ)
        assert known.customers is None
        for client_id, secret in (
            (made.api_client_id, made.client_secret + "x"),
            (made.api_client_id, ""),
            (uuid4(), made.client_secret),
        ):
            assert api_clients.verify(session, KEYRING, api_client_id=client_id, secret=secret) is None
        other = Keyring("another secret, long enough too")
        assert api_clients.verify(session, other, api_client_id=made.api_client_id, secret=made.client_secret) is None


def test_a_secret_has_256_random_bits_and_is_stored_as_a_hash(database: Database) -> None:
    """C-15."""
    with database.transaction() as session:
        one, two = (api_clients.create(session, KEYRING, name="x", scopes=[], now=utcnow()) for _ in range(2))
        assert one.client_secret != two.client_secret
        assert len(one.client_secret.removeprefix(api_clients.SECRET_PREFIX)) == 43
        assert one.client_secret not in str(session.scalars(select(ApiClient.secret_hash)).all())


def test_a_revoked_client_is_unknown(database: Database) -> None:
    """C-15."""
    with database.transaction() as session:
        made = api_clients.create(session, KEYRING, name="x", scopes=[Scope.ADMIN], now=utcnow())
        first = utcnow()
        api_clients.revoke(session, made.api_client_id, now=first)
        api_clients.revoke(session, made.api_client_id, now=utcnow())
        assert api_clients.find(session, made.api_client_id) is None
        assert api_clients.verify(session, KEYRING, api_client_id=made.api_client_id, secret=made.client_secret) is None
        (row,) = api_clients.list_all(session)
        assert row.revoked_at == first
        with pytest.raises(NotFoundError):
            api_clients.revoke(session, uuid4(), now=utcnow())


def test_customers_bind_a_client(database: Database) -> None:
    """C-8: bound to none at all is bound, too."""
    customer = uuid4()
    with database.transaction() as session:
        bound = api_clients.create(session, KEYRING, name="x", scopes=[Scope.ADMIN], customers=[customer], now=utcnow())
        nobody = api_clients.create(session, KEYRING, name="x", scopes=[Scope.ADMIN], customers=[], now=utcnow())
        found = [api_clients.find(session, made.api_client_id) for made in (bound, nobody)]
        assert [known.customers if known is not None else "?" for known in found] == [(customer,), ()]


def test_an_administrator_is_made_where_none_is_left(database: Database) -> None:
    """C-24."""
    with database.transaction() as session:
        api_clients.create(session, KEYRING, name="reader", scopes=[Scope.DATASETS_READ], now=utcnow())
        first = api_clients.ensure_admin(session, KEYRING)
        assert first is not None
        assert api_clients.ensure_admin(session, KEYRING) is None
        api_clients.revoke(session, first.api_client_id, now=utcnow())
        second = api_clients.ensure_admin(session, KEYRING)
        assert second is not None
        assert second.api_client_id != first.api_client_id


def test_of_many_starts_at_once_one_makes_the_administrator(database: Database) -> None:
    """C-24."""

    def start(_: int) -> bool:
        with database.transaction() as session:
            return api_clients.ensure_admin(session, KEYRING) is not None

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(start, range(8))) == [False] * 7 + [True]


def test_admin_implies_every_scope_and_write_does_not_imply_read() -> None:
    """C-21, C-24."""
    assert implied([Scope.ADMIN]) == tuple(Scope)
    assert implied([Scope.DATASETS_WRITE]) == (Scope.DATASETS_WRITE,)
    assert implied([]) == ()


def test_a_second_rotation_ends_the_secret_before_the_last_and_one_without_grace_ends_both(database: Database) -> None:
    """C-15."""
    with database.transaction() as session:
        made = [api_clients.create(session, KEYRING, name="x", scopes=[Scope.ADMIN], now=utcnow())]
        client_id = made[0].api_client_id
        for hours in (24, 24, 0):
            grace = timedelta(hours=hours)
            made.append(api_clients.rotate_secret(session, KEYRING, client_id, grace=grace, now=utcnow()))
            good = [
                api_clients.verify(session, KEYRING, api_client_id=client_id, secret=one.client_secret) is not None
                for one in made
            ]
            assert good == [number >= len(made) - (2 if hours else 1) for number in range(len(made))]
        api_clients.revoke(session, client_id, now=utcnow())
        with pytest.raises(NotFoundError):
            api_clients.rotate_secret(session, KEYRING, client_id, grace=timedelta(0), now=utcnow())


def test_the_last_administrator_is_known_as_such(database: Database) -> None:
    """C-24."""
    with database.transaction() as session:
        first, second, reader = (
            api_clients.create(session, KEYRING, name="x", scopes=[scope], now=utcnow()).api_client_id
            for scope in (Scope.ADMIN, Scope.ADMIN, Scope.DATASETS_READ)
        )
        assert not any(api_clients.is_last_admin(session, one) for one in (first, second, reader))
        api_clients.revoke(session, first, now=utcnow())
        assert [api_clients.is_last_admin(session, one) for one in (first, second, reader)] == [False, True, False]
        bound = api_clients.create(
            session, KEYRING, name="x", scopes=[Scope.ADMIN], customers=[uuid4()], now=utcnow()
        ).api_client_id
        assert [api_clients.is_last_admin(session, one) for one in (second, bound)] == [True, False]
        api_clients.revoke(session, second, now=utcnow())
        assert api_clients.is_last_admin(session, bound)
