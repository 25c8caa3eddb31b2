"""Connectors, their tokens and their usage in the registry (C-33, C-53, C-55, C-90)."""

import threading
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from dataops_core.clock import utcnow
from dataops_core.errors import GoneError, NotFoundError
from dataops_core.lifecycle import ConnectorStatus, DatasetStatus, Finding, Stage, TokenKind
from dataops_core.registry import connectors, usage
from dataops_core.registry.tables import Customer, Dataset
from dataops_core.security import Keyring

NOW = datetime(2026, 1, 28, 10, 30, tzinfo=UTC)
KEYRING = Keyring("a secret for these tests")


@pytest.fixture
def dataset_id(database):
    """A dataset's row, for usage belongs to one."""
    client_id, dataset_id = uuid4(), uuid4()
    with database.transaction() as session:
        session.add(Customer(client_id=client_id, locale="en_US", company_name="ACME", created_at=NOW))
        session.flush()
        session.add(
            Dataset(
                dataset_id=dataset_id,
                name="ACME-Sandbox-Confluence",
                dataset_type="confluence_pages",
                stage=Stage.SANDBOX,
                client_id=client_id,
                journey_id=uuid4(),
                status=DatasetStatus.READY,
                created_at=NOW,
                updated_at=NOW,
                template_id=uuid4(),
                template_version=1,
                template_name="A template",
                seed=1,
                requested_count=20,
                meta={},
                operation_id=uuid4(),
            )
        )
    return dataset_id


@pytest.fixture
def connector_id(database, dataset_id):
    connector_id = uuid4()
    with database.transaction() as session:
        connectors.create_connector(session, connector_id=connector_id, dataset_id=dataset_id, now=NOW)
    return connector_id


def serve(database, connector_id, generation="g1"):
    with database.transaction() as session:
        connectors.publish(
            session,
            connector_id,
            generation=generation,
            document_count=7,
            id_digest="d" * 64,
            index_bytes=1000,
            ends_upload=True,
        )


def issue(database, connector_id, kind=TokenKind.SEARCH):
    with database.transaction() as session:
        return connectors.issue_token(
            session, KEYRING, connector_id=connector_id, kind=kind, lifetime=timedelta(days=1), now=NOW
        )


def stored(database, connector_id):
    with database.transaction() as session:
        return connectors.require(session, connector_id)


def test_a_connector_is_made_once_and_keeps_what_it_became(database, dataset_id, connector_id):
    serve(database, connector_id)
    with database.transaction() as session:
        again = connectors.create_connector(
            session, connector_id=connector_id, dataset_id=dataset_id, now=NOW + timedelta(days=1)
        )
    assert (again.created_at, again.generation, again.status) == (NOW, "g1", ConnectorStatus.CONNECTING)


def test_a_datasets_connector_is_its_newest(database, dataset_id, connector_id):
    newer = uuid4()
    with database.transaction() as session:
        connectors.create_connector(session, connector_id=newer, dataset_id=dataset_id, now=NOW + timedelta(seconds=1))
        assert connectors.of_dataset(session, dataset_id).connector_id == newer
        assert {k: c.connector_id for k, c in connectors.of_datasets(session, [dataset_id, uuid4()]).items()} == {
            dataset_id: newer
        }
        assert connectors.of_dataset(session, uuid4()) is None
        assert connectors.ids(session) == {connector_id, newer}


def test_publishing_moves_the_pointer_and_ends_the_upload(database, connector_id):
    with database.transaction() as session:
        connectors.set_upload(session, connector_id, {"upload_id": "g1", "pages": 1})
    serve(database, connector_id)
    row = stored(database, connector_id)
    assert (row.generation, row.document_count, row.index_bytes, row.upload) == ("g1", 7, 1000, None)


def test_disconnecting_is_for_good(database, connector_id):
    serve(database, connector_id)
    issued = issue(database, connector_id)
    for moment in (NOW, NOW + timedelta(hours=1)):
        with database.transaction() as session:
            connectors.disconnect(session, connector_id, moment)
    row = stored(database, connector_id)
    assert (row.status, row.disconnected_at, row.generation) == (ConnectorStatus.DISCONNECTED, NOW, None)
    assert (row.document_count, row.index_bytes) == (0, 0)
    with database.transaction() as session:
        assert [token.revoked_at for token in connectors.tokens(session, connector_id, now=NOW)] == [NOW]
        assert connectors.observe(session, connector_id, Finding.CLEAN, None, explicit=True, now=NOW) is None
        found, token = connectors.find(session, connector_id, KEYRING.hash_token(issued.token))
        assert token is not None, "the endpoint must know whom it once let in"
        assert connectors.ids(session) == set()
    assert found.status is ConnectorStatus.DISCONNECTED
    with pytest.raises(GoneError):
        serve(database, connector_id, "g2")
    with pytest.raises(GoneError):
        issue(database, connector_id)


def test_a_check_sets_the_status_with_its_reason(database, connector_id):
    with database.transaction() as session:
        connectors.observe(session, connector_id, Finding.FAILED, "doc_parity", explicit=False, now=NOW)
    row = stored(database, connector_id)
    assert (row.status, row.status_reason, row.last_checked_at) == (ConnectorStatus.UNHEALTHY, "doc_parity", NOW)


def test_a_token_says_its_kind_and_is_stored_as_a_hash(database, connector_id):
    search, index = issue(database, connector_id), issue(database, connector_id, TokenKind.INDEX)
    assert (search.token[:6], index.token[:6]) == ("dol_s_", "dol_i_")
    assert search.expires_at == NOW + timedelta(days=1)
    with database.transaction() as session:
        rows = connectors.tokens(session, connector_id, now=NOW)
        assert {row.token_hash for row in rows} == {KEYRING.hash_token(t.token) for t in (search, index)}
        assert connectors.find(session, connector_id, KEYRING.hash_token(search.token))[1].kind is TokenKind.SEARCH
        assert connectors.find(session, uuid4(), KEYRING.hash_token(search.token)) == (None, None)
        assert connectors.find(session, connector_id, None)[1] is None


def test_no_connector_no_token(database):
    with pytest.raises(NotFoundError):
        issue(database, uuid4())


def test_revoking_again_keeps_the_first_time(database, connector_id):
    issued = issue(database, connector_id)
    for moment in (NOW, NOW + timedelta(hours=1)):
        with database.transaction() as session:
            assert connectors.revoke_token(session, connector_id, issued.token_id, moment)
    with database.transaction() as session:
        assert connectors.tokens(session, connector_id, now=NOW)[0].revoked_at == NOW
        assert not connectors.revoke_token(session, uuid4(), issued.token_id, NOW)
        assert not connectors.revoke_token(session, connector_id, uuid4(), NOW)


def test_one_writer_at_a_time_and_readers_never_wait(database, connector_id):
    with database.transaction() as session:
        connectors.lock(session, connector_id)
        with database.transaction() as other:
            assert not connectors.try_lock(other, connector_id)
            assert connectors.try_lock(other, uuid4())
            connectors.observe(other, connector_id, Finding.CLEAN, None, explicit=True, now=NOW)
        issue(database, connector_id)
    with database.transaction() as session:
        assert connectors.try_lock(session, connector_id)


def test_usage_is_counted_by_day_and_never_lost_to_a_race(database, dataset_id):
    def ask():
        for _ in range(10):
            with database.transaction() as session:
                usage.record(session, dataset_id, documents=3, now=NOW)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    later = NOW + timedelta(days=1)
    with database.transaction() as session:
        usage.record(session, dataset_id, documents=1, now=later)
        usage.record(session, dataset_id, documents=0, now=NOW - timedelta(hours=1))
    with database.transaction() as session:
        days = usage.days(session, dataset_id)
        assert [(d.day, d.queries, d.documents, d.last_accessed_at) for d in days] == [
            (date(2026, 1, 28), 41, 120, NOW),
            (date(2026, 1, 29), 1, 1, later),
        ]
        assert [d.day.day for d in usage.days(session, dataset_id, first=date(2026, 1, 29))] == [29]
        assert [d.day.day for d in usage.days(session, dataset_id, last=date(2026, 1, 28))] == [28]


def test_usage_of_a_dataset_that_is_gone_is_not_counted(database):
    gone = uuid4()
    with database.transaction() as session:
        usage.record(session, gone, documents=3, now=utcnow())
        assert usage.days(session, gone) == []


def test_a_connector_outlives_its_datasets_row(database, dataset_id, connector_id):
    issued = issue(database, connector_id)
    with database.transaction() as session:
        session.delete(session.get_one(Dataset, dataset_id))
    with database.transaction() as session:
        connector, token = connectors.find(session, connector_id, KEYRING.hash_token(issued.token))
    assert connector is not None
    assert token is not None
