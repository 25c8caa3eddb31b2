"""The audit log: written by the database itself, with who acted; nothing secret, no noise, never taken back (C-24)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, InternalError
from sqlalchemy.orm import Session

from dataops_core import acting
from dataops_core.acting import Acting, ActorKind
from dataops_core.clock import utcnow
from dataops_core.ids import new_id
from dataops_core.lifecycle import (
    DatasetStatus,
    Environment,
    Finding,
    OperationType,
    Stage,
    TeardownReason,
    TokenKind,
)
from dataops_core.provisioning import fencing
from dataops_core.provisioning.asking import ProvisioningRequest
from dataops_core.provisioning.fencing import RunIdentity
from dataops_core.provisioning.requests import accept_provisioning, accept_teardown
from dataops_core.provisioning.settlement import RunEnding, settle
from dataops_core.provisioning.steering import retry
from dataops_core.registry import (
    api_clients,
    audit,
    connectors,
    datasets,
    heartbeats,
    installation,
    launches,
    operations,
    signing_keys,
    usage,
)
from dataops_core.registry.database import Database
from dataops_core.registry.tables import ApiClient, AuditEntry, Base, Dataset
from dataops_core.scopes import Scope
from dataops_core.security import Keyring
from dataops_core.templates.loader import load_catalog

CLIENT = Acting(ActorKind.API_CLIENT, str(new_id()), "req-1")


@pytest.fixture
def keyring() -> Keyring:
    return Keyring("a secret for tests, long enough for anybody")


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.transaction() as opened:
        yield opened


def log_of(database: Database, **filters: Any) -> list[Any]:
    """The entries that these filters choose, oldest first."""
    with database.reading() as connection:
        return list(reversed(audit.entries(connection, filters, after=None, limit=1000)))


def accept(session: Session, *, client_id: UUID | None = None) -> UUID:
    request = ProvisioningRequest(
        journey_id=new_id(),
        client_id=client_id or new_id(),
        stage=Stage.SANDBOX,
        dataset_types=["confluence_pages"],
        manual=False,
        template_overrides={},
        metadata={"tags": ["one"], "custom_fields": {}},
        record_count=None,
        seed=None,
        locale=None,
        api_client_id=UUID(CLIENT.actor_id),
        request_id=CLIENT.request_id,
    )
    return accept_provisioning(session, load_catalog(None), request, max_record_count=1000).operation_id


def the_dataset(session: Session, operation_id: UUID) -> UUID:
    return operations.parts_of(session, operation_id)[0].dataset_id


def test_tables_and_migrations_make_the_same_schema(database: Database) -> None:
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_what_a_request_makes_is_noted_with_who_asked_and_for_which_operation(database: Database) -> None:
    with acting.acting(CLIENT), database.transaction() as session:
        operation_id = accept(session)
        dataset_id = the_dataset(session, operation_id)
    made = log_of(database)
    assert [(one.action, one.resource_type) for one in made] == [
        ("created", "customer"),
        ("created", "dataset"),
        ("created", "operation"),
    ]
    assert {(one.actor_kind, one.actor_id, one.request_id) for one in made} == {
        ("api_client", CLIENT.actor_id, "req-1")
    }
    customer, dataset, operation = made
    assert (dataset.resource_id, operation.resource_id) == (str(dataset_id), str(operation_id))
    assert dataset.operation_id == operation.operation_id == operation_id
    assert {one.client_id for one in made} == {UUID(customer.resource_id)}
    assert dataset.before is None
    assert dataset.after["status"] == "provisioning"
    assert abs(dataset.occurred_at - utcnow()) < timedelta(minutes=1)


def test_a_change_has_the_columns_that_differ_before_and_after(database: Database) -> None:
    with database.transaction() as session:
        dataset_id = the_dataset(session, accept(session))
    with acting.acting(CLIENT), database.transaction() as session:
        session.get_one(Dataset, dataset_id).name = "Another"
    entry = log_of(database, action="changed")[-1]
    assert (entry.resource_type, entry.resource_id) == ("dataset", str(dataset_id))
    assert set(entry.before) == set(entry.after) == {"name"}
    assert entry.after == {"name": "Another"}
    # Nothing of an operation: somebody changed it by hand, so to speak.
    assert entry.operation_id is None


def test_a_whole_life_is_noted_for_its_operations_also_where_the_system_ends_one(database: Database) -> None:
    with database.transaction() as session:
        operation_id = accept(session)
        dataset_id = the_dataset(session, operation_id)
        launches.record_launch(session, operation_id, "run-1", attempt=1)
    with database.transaction() as session:
        assert settle(session, operation_id, RunEnding.LOST, run_id="run-1")
    ended = log_of(database, operation_id=operation_id, action="changed")
    assert [(one.resource_type, one.after.get("status") or one.after.get("outcome")) for one in ended] == [
        ("operation", None),  # its run
        ("dataset", "failed"),
        ("operation_dataset", "failed"),
        ("operation", "failed"),
    ]
    assert {one.actor_kind for one in ended} == {"system"}
    assert ended[1].before["status"] == "provisioning"
    assert ended[2].resource_id == str(dataset_id)
    assert len({one.client_id for one in ended}) == 1
    with acting.acting(CLIENT), database.transaction() as session:
        teardown = accept_teardown(
            session,
            dataset_id,
            reason=TeardownReason.MANUAL,
            archive=False,
            customers=None,
            api_client_id=None,
            request_id="req-1",
        )
        teardown_id = teardown.operation_id
    moved = log_of(database, operation_id=teardown_id, resource_type="dataset")
    assert [one.after for one in moved] == [{"status": "teardown"}]
    with database.transaction() as session:
        session.delete(session.get_one(Dataset, dataset_id))
    gone = log_of(database, resource_id=str(dataset_id))[-1]
    assert (gone.action, gone.before["status"], gone.after) == ("deleted", "teardown", None)


def test_what_a_run_and_whoever_settles_it_do_is_noted_on_the_request_that_it_comes_from(database: Database) -> None:
    """C-3: a request with an id of its own keeps that."""
    with acting.acting(CLIENT), database.transaction() as session:
        operation_id = accept(session)
        dataset = session.get_one(Dataset, the_dataset(session, operation_id))
        environment = Environment(dataset.stage, dataset.client_id)
    run = RunIdentity("run-1", operation_id)
    with acting.acting(Acting(ActorKind.RUN, "run-1")), database.transaction() as session:
        claim = fencing.claim(
            session,
            run,
            environment=environment,
            dataset_type="confluence_pages",
            kinds=(OperationType.PROVISIONING,),
            step=1,
        )
    assert claim.request_id == "req-1"
    with database.transaction() as session:
        settle(session, operation_id, RunEnding.LOST, run_id="run-1")
    noted = log_of(database, request_id="req-1", action="changed")
    assert {(one.actor_kind, one.resource_type) for one in noted} == {
        ("run", "operation"),
        ("system", "dataset"),
        ("system", "operation_dataset"),
        ("system", "operation"),
    }
    with acting.acting(replace(CLIENT, request_id="req-2")), database.transaction() as session:
        retry(session, operation_id)
    assert log_of(database, operation_id=operation_id)[-1].request_id == "req-2"


def test_a_retry_and_a_replacement_are_noted_for_the_operation_that_they_belong_to(database: Database) -> None:
    """C-84, C-44."""
    with database.transaction() as session:
        operation_id = accept(session)
        dataset_id = the_dataset(session, operation_id)
        client_id = session.get_one(Dataset, dataset_id).client_id
        launches.record_launch(session, operation_id, "run-1", attempt=1)
        settle(session, operation_id, RunEnding.LOST, run_id="run-1")
    with acting.acting(CLIENT), database.transaction() as session:
        retry(session, operation_id)
    again = log_of(database, resource_id=str(dataset_id), resource_type="dataset")[-1]
    assert (again.before["status"], again.after["status"]) == ("failed", "provisioning")
    assert (again.operation_id, again.actor_kind) == (operation_id, "api_client")
    with database.transaction() as session:
        launches.record_launch(session, operation_id, "run-2", attempt=2)
        settle(session, operation_id, RunEnding.LOST, run_id="run-2")
    with database.transaction() as session:
        next_id = accept(session, client_id=client_id)
    replaced = log_of(database, resource_id=str(dataset_id), resource_type="dataset")[-1]
    assert (replaced.before["status"], replaced.after["status"]) == ("failed", "archived")
    assert replaced.operation_id == next_id


def test_heartbeats_progress_leases_and_usage_are_no_change(database: Database) -> None:
    with database.transaction() as session:
        operation_id = accept(session)
        dataset_id = the_dataset(session, operation_id)
        connector_id = connectors.create_connector(
            session, connector_id=new_id(), dataset_id=dataset_id, now=utcnow()
        ).connector_id
    before = len(log_of(database))
    with database.transaction() as session:
        launches.lease_launch(session, operation_id)
        launches.release_launch(session, operation_id)
        operations.get(session, operation_id).beat_at = utcnow()
        operations.parts_of(session, operation_id)[0].steps_done = 1
        heartbeats.show_progress(session, operation_id)
        usage.record(session, dataset_id, documents=3, now=utcnow())
        connectors.set_upload(session, connector_id, {"upload_id": "x", "pages": 1})
        session.get_one(Dataset, dataset_id).updated_at = utcnow()
    assert len(log_of(database)) == before


def test_a_secret_changed_is_noted_and_neither_its_hash_nor_its_key(database: Database, keyring: Keyring) -> None:
    """C-15."""
    with database.transaction() as session:
        installation.ensure(session, keyring)
        made = api_clients.create(session, keyring, name="n", scopes=[Scope.ADMIN], now=utcnow())
        signing_keys.current(session, keyring, now=utcnow())
        dataset_id = the_dataset(session, accept(session))
        connector_id = connectors.create_connector(
            session, connector_id=new_id(), dataset_id=dataset_id, now=utcnow()
        ).connector_id
        connectors.issue_token(
            session,
            keyring,
            connector_id=connector_id,
            kind=TokenKind.SEARCH,
            lifetime=timedelta(days=1),
            now=utcnow(),
        )
    with database.transaction() as session:
        session.get_one(ApiClient, made.api_client_id).secret_hash = keyring.hash_token("another")
        signing_keys.rotate(session, keyring, now=utcnow())
    rotated = log_of(database, resource_type="api_client", action="changed")[-1]
    assert rotated.before == rotated.after == {"secret_hash": "(secret)"}
    assert [(one.action, "retired_at" in one.after) for one in log_of(database, resource_type="signing_key")] == [
        ("created", True),
        ("changed", True),
        ("created", True),
    ]
    assert log_of(database, resource_type="connector_token")[0].client_id is not None
    with database.reading() as connection:
        kept = "\n".join(connection.scalars(text("SELECT audit_log::text FROM audit_log")))
        secrets = connection.scalars(
            text(
                "SELECT secret_hash FROM api_clients UNION SELECT private_key FROM signing_keys "
                "UNION SELECT token_hash FROM connector_tokens UNION SELECT secret_fingerprint FROM installation"
            )
        ).all()
    assert len(secrets) == 5
    assert not any(secret in kept for secret in secrets)


def test_every_table_is_audited_or_named_here_as_no_change_of_the_product(database: Database) -> None:
    unaudited = {"alembic_version", "audit_log", "quality_results", "usage_days", "idempotency_keys", "run_stops"}
    unaudited |= {"journey_event_datasets", "dataset_counts", "notifications", "usage_before", "operation_counts"}
    unaudited |= {"orphan_search"}
    with database.reading() as connection:
        tables = set(connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")))
        audited = set(connection.scalars(text("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'audit'")))
    assert tables - audited - unaudited == set()
    assert audited & unaudited == set()


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_log SET actor_id = 'me'", "DELETE FROM audit_log", "TRUNCATE audit_log"]
)
def test_nobody_changes_what_was_noted(database: Database, statement: str) -> None:
    with database.transaction() as session:
        accept(session)
    noted = log_of(database)
    with pytest.raises(InternalError, match="append-only"), database.transaction() as session:
        session.execute(text(statement))
    assert log_of(database) == noted


def test_who_acts_is_told_once_per_transaction_and_not_where_nothing_changes(database: Database) -> None:
    with database.transaction() as session:
        operation_id = accept(session)
    with acting.acting(CLIENT), database.transaction() as session:
        operations.get(session, operation_id)
        assert session.scalar(text("SELECT current_setting('dataops.acting', true)")) in {None, ""}
        launches.record_launch(session, operation_id, "run-1", attempt=1)
        assert session.scalar(text("SELECT current_setting('dataops.acting', true)")) == CLIENT.as_json()
    # A connection that is used again acts for nobody before it is told.
    with database.transaction() as session:
        session.get_one(Dataset, the_dataset(session, operation_id)).name = "By nobody"
    assert log_of(database)[-1].actor_kind == "system"


def test_who_acts_is_told_however_the_first_change_gives_its_values(database: Database) -> None:
    """By name they go with it; anything else is told before it."""
    with database.transaction() as session:
        dataset_id = the_dataset(session, accept(session))
    changes: list[tuple[str, Any]] = [
        ("UPDATE datasets SET name = 'By %% none'", ()),
        ("UPDATE datasets SET name = %s WHERE dataset_id = %s", ("By place", str(dataset_id))),
        (
            "UPDATE datasets SET name = %s WHERE dataset_id = %s",
            [("By many", str(dataset_id)), ("Twice", str(dataset_id))],
        ),
        ("UPDATE datasets SET name = %(name)s", {"name": "By % name"}),
    ]
    for statement, values in changes:
        noted = len(log_of(database))
        with acting.acting(CLIENT), database.transaction() as session:
            session.connection().exec_driver_sql(statement, values)
        assert {entry.actor_kind for entry in log_of(database)[noted:]} == {CLIENT.kind}


def test_who_acts_is_told_again_where_the_driver_refused_the_first_change(database: Database) -> None:
    """Nothing was sent then, and the transaction goes on."""
    with database.transaction() as session:
        dataset_id = the_dataset(session, accept(session))
    rename = text("UPDATE datasets SET name = :name WHERE dataset_id = :dataset_id")
    with acting.acting(CLIENT), database.transaction() as session:
        with pytest.raises(ValueError, match="NUL"):
            session.execute(rename, {"name": "\0", "dataset_id": dataset_id})
        session.execute(rename, {"name": "Fine", "dataset_id": dataset_id})
    assert log_of(database)[-1].actor_kind == CLIENT.kind


def test_a_savepoint_taken_back_does_not_take_back_who_acts(database: Database) -> None:
    with database.transaction() as session:
        dataset_id = the_dataset(session, accept(session))
    with acting.acting(CLIENT), database.transaction() as session:
        with pytest.raises(IntegrityError), session.begin_nested():
            session.execute(text("UPDATE datasets SET client_id = gen_random_uuid()"))
        datasets.move(session, dataset_id, DatasetStatus.FAILED)
    entry = log_of(database)[-1]
    assert (entry.actor_kind, entry.request_id) == ("api_client", "req-1")


def test_what_is_taken_back_is_not_noted(database: Database) -> None:
    def fail() -> None:
        with database.transaction() as session:
            accept(session)
            raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        fail()
    assert log_of(database) == []


def test_the_page_after_an_entry_goes_on_where_it_stands(database: Database) -> None:
    with database.transaction() as session:
        for _ in range(3):
            accept(session)
    with database.reading() as connection:
        every = audit.entries(connection, {}, after=None, limit=100)
        again: list[Any] = []
        after = None
        for _ in range(5):
            page = audit.entries(connection, {}, after=after, limit=2)
            again += page
            after = (page[-1].occurred_at, page[-1].audit_id)
    assert len(every) == 9
    assert again == list(every)
    assert AuditEntry.__tablename__ == "audit_log"


def test_a_connector_that_is_disconnected_is_noted(database: Database) -> None:
    with database.transaction() as session:
        dataset_id = the_dataset(session, accept(session))
        connector_id = connectors.create_connector(
            session, connector_id=new_id(), dataset_id=dataset_id, now=utcnow()
        ).connector_id
        connectors.observe(session, connector_id, Finding.CLEAN, None, explicit=False, now=utcnow())
        connectors.observe(session, connector_id, Finding.CLEAN, None, explicit=False, now=utcnow())
        connectors.disconnect(session, connector_id, utcnow())
    noted = log_of(database, resource_type="connector")
    assert [one.after["status"] for one in noted] == ["connecting", "healthy", "disconnected"]
