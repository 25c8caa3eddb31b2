"""Databases of every schema there was, with data in all their tables, brought to the schema of this release.

What a release before has written is kept here as it lay in its tables, by the migration that made the tables. A new
migration that makes a table or fills a column has its rows here, too.
"""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg2
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg2 import sql
from sqlalchemy import create_engine, make_url
from sqlalchemy.exc import IntegrityError

from dataops_core.lifecycle import DatasetStatus, OperationStatus, OperationType, Stage, TeardownReason
from dataops_core.provisioning.requests import accept_teardown
from dataops_core.registry import api_clients, datasets, heartbeats, migrate, operations, quality
from dataops_core.registry.database import Database
from dataops_core.registry.tables import Base
from dataops_core.security import Keyring

KEYRING = Keyring("a secret of the tests, long enough")
CLIENT_SECRET = "dosec_kept-over-every-release"
ADMIN, CUSTOMER, JOURNEY = (str(UUID(int=number)) for number in (1, 2, 3))
READY, FAILED, ARCHIVED, BUSY = (str(UUID(int=number)) for number in (11, 12, 13, 14))
DONE, BROKEN, RUNNING = (str(UUID(int=number)) for number in (21, 22, 23))
CONNECTOR, TOKEN, CHECK, EVENT = (str(UUID(int=number)) for number in (31, 32, 41, 51))
THEN = "2026-03-01T09:30:00+00:00"
LATER = "2099-01-01T00:00:00+00:00"
SCHEMAS = [script.revision for script in ScriptDirectory.from_config(migrate._config()).walk_revisions()][::-1]


def dataset(dataset_id: str, dataset_type: str, status: str, operation_id: str, **more: Any) -> dict[str, Any]:
    return {
        "dataset_id": dataset_id,
        "name": f"ACME-Sandbox-{dataset_type}",
        "dataset_type": dataset_type,
        "stage": "sandbox",
        "client_id": CUSTOMER,
        "journey_id": JOURNEY,
        "status": status,
        "created_at": THEN,
        "updated_at": THEN,
        "template_id": CHECK,
        "template_version": 3,
        "template_name": "FinTech Developer Productivity - Confluence",
        "seed": 2**62,
        "requested_count": 500,
        "metadata": {"industry": "fintech", "tags": ["ünïcode", 'a"b'], "custom_fields": {"n": None}},
        "operation_id": operation_id,
        "has_remains": status == "failed",
    } | more


def operation(operation_id: str, status: str, **more: Any) -> dict[str, Any]:
    return {
        "operation_id": operation_id,
        "operation_type": "dataset_provisioning",
        "status": status,
        "client_id": CUSTOMER,
        "stage": "sandbox",
        "request": {"dataset_types": ["confluence_pages"]},
        "attempt": 1,
        "current_step": 6 if status == "completed" else 2,
        "total_steps": 6,
        "created_at": THEN,
        "started_at": THEN,
        "beat_at": THEN,
        "completed_at": None if status == "in_progress" else THEN,
        "estimated_completion": THEN,
        "run_id": f"run-of-{operation_id[-2:]}",
        "launch_attempts": 1,
        "api_client_id": ADMIN,
        "request_id": "a request",
    } | more


def part(operation_id: str, dataset_id: str, position: int, **more: Any) -> dict[str, Any]:
    return {
        "operation_id": operation_id,
        "dataset_id": dataset_id,
        "dataset_type": "confluence_pages",
        "position": position,
        "active": False,
        "steps_done": 6,
    } | more


#: What the migration with this number left place for: rows of a table.
ROWS: Mapping[str, Mapping[str, list[dict[str, Any]]]] = {
    "0001": {
        "installation": [{"id": 1, "secret_fingerprint": KEYRING.fingerprint, "created_at": THEN}],
        "customers": [{"client_id": CUSTOMER, "locale": "en_US", "company_name": "ACME", "created_at": THEN}],
        "api_clients": [
            {
                "api_client_id": ADMIN,
                "name": "the first",
                "secret_hash": KEYRING.hash_token(CLIENT_SECRET),
                "scopes": ["dataops:admin"],
                "customers": None,
                "created_at": THEN,
            },
            {
                "api_client_id": CHECK,
                "name": "bound and revoked",
                "secret_hash": "0" * 64,
                "scopes": ["dataops:datasets:read"],
                "customers": [CUSTOMER],
                "created_at": THEN,
                "revoked_at": THEN,
            },
        ],
        "signing_keys": [
            {"kid": "key-1", "private_key": "encrypted", "public_jwk": {"kty": "RSA"}, "created_at": THEN},
        ],
        "datasets": [
            dataset(
                READY,
                "confluence_pages",
                "ready",
                DONE,
                ready_at=THEN,
                record_count=500,
                size_bytes=15_728_640,
                quality_score="99.4",
                records_path=f"datasets/{READY}/run-1",
                records_sha256="1" * 64,
                upload_id="run-1",
            ),
            dataset(FAILED, "github_repos", "failed", BROKEN, error_code="RUN_LOST", error_message="It was killed."),
            dataset(
                ARCHIVED,
                "confluence_pages",
                "archived",
                DONE,
                stage="pilot",
                archived_at=THEN,
                archive_path=f"archives/{ARCHIVED}",
            ),
            dataset(BUSY, "confluence_pages", "provisioning", RUNNING, stage="production"),
        ],
        "operations": [
            operation(DONE, "completed"),
            operation(BROKEN, "failed", error={"code": "RUN_LOST", "message": "It was killed.", "details": {}}),
            operation(RUNNING, "in_progress", stage="production"),
        ],
        "operation_datasets": [
            part(DONE, READY, 0, outcome="ready", quality_score="99.4"),
            part(BROKEN, FAILED, 0, outcome="failed", error={"code": "RUN_LOST", "message": "It was killed."}),
            part(RUNNING, BUSY, 0, active=True, steps_done=2),
        ],
        "quality_results": [
            {
                "check_id": CHECK,
                "dataset_id": READY,
                "operation_id": DONE,
                "attempt": 1,
                "check_type": "data_completeness",
                "status": "passed",
                "score": "98.00",
                "details": "490/500 records fully populated (98%)",
                "metrics": {"complete": 490},
                "executed_at": THEN,
                "duration_ms": 12,
            }
        ],
        "connectors": [
            {
                "connector_id": CONNECTOR,
                "dataset_id": READY,
                "kind": "embedded",
                "status": "healthy",
                "created_at": THEN,
                "generation": "run-1",
                "document_count": 500,
                "id_digest": "2" * 64,
                "index_bytes": 4096,
            }
        ],
        "connector_tokens": [
            {
                "token_id": TOKEN,
                "connector_id": CONNECTOR,
                "kind": "search",
                "token_hash": "3" * 64,
                "created_at": THEN,
                "expires_at": LATER,
            }
        ],
        "usage_days": [
            {"dataset_id": READY, "day": "2026-03-01", "queries": 7, "documents": 21, "last_accessed_at": THEN}
        ],
    },
    "0003": {
        "idempotency_keys": [
            {
                "api_client_id": ADMIN,
                "key": "a key",
                "fingerprint": "4" * 64,
                "customer": CUSTOMER,
                "status": 202,
                "headers": {"location": "/somewhere"},
                "body": b"\x00\x01encrypted",
                "created_at": THEN,
                "expires_at": LATER,
            }
        ]
    },
    "0013": {
        "notifications": [
            {
                "notification_id": CHECK,
                "event": "dataset.below_threshold",
                "dataset_id": READY,
                "client_id": CUSTOMER,
                "body": '{"type": "dataset.below_threshold"}',
                "created_at": THEN,
                "due_at": THEN,
                "attempts": 2,
                "last_error": "the receiver answered 500",
            }
        ]
    },
    "0017": {"orphan_search": [{"id": 1, "searched_at": THEN, "findings": {"records_missing": {"reported": 2}}}]},
    "0015": {"usage_before": [{"dataset_id": READY, "queries": 9, "documents": 30, "last_accessed_at": THEN}]},
    "0005": {"run_stops": [{"run_id": "run-of-22", "operation_id": BROKEN, "asked_at": THEN}]},
    "0011": {
        "journeys": [{"journey_id": JOURNEY, "client_id": CUSTOMER, "created_at": THEN}],
        "journey_events": [
            {
                "client_id": CUSTOMER,
                "event_id": EVENT,
                "journey_id": JOURNEY,
                "event": "stage_transition",
                "to_stage": "pilot",
                "dataset_types": ["confluence_pages"],
                "occurred_at": THEN,
                "received_at": THEN,
                "status": "in_progress",
                "phase": "provisioning",
                "started_at": THEN,
            }
        ],
        "journey_event_datasets": [{"client_id": CUSTOMER, "event_id": EVENT, "dataset_id": READY, "role": "old"}],
    },
}
#: Columns that a migration has added to a table with rows: what the release with it wrote there.
CHANGES: Mapping[str, str] = {
    "0004": "UPDATE api_clients SET previous_secret_hash = repeat('5', 64), previous_secret_until = '2099-01-01'",
    "0006": "UPDATE operations SET traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'",
    "0010": "UPDATE connectors SET finding = 'clean', status_since = '2026-03-01', consecutive_passes = 3",
    "0013": "UPDATE datasets SET below_since = '2026-03-01' WHERE status = 'ready'",
}


def to_schema(url: str, revision: str) -> None:
    """What a release whose newest migration this is did at its start."""
    engine = create_engine(url)
    with engine.connect() as connection:
        config = migrate._config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()
    engine.dispose()


def plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def value_of(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict) else value


def fill(url: str, revision: str) -> None:
    """Writes the rows that a release with this schema has."""
    with closing(psycopg2.connect(plain(url))) as connection, connection, connection.cursor() as cursor:
        for number in sorted({*ROWS, *CHANGES}):
            if number > revision:
                break
            for table, rows in ROWS.get(number, {}).items():
                for row in rows:
                    cursor.execute(
                        sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                            sql.Identifier(table),
                            sql.SQL(", ").join(map(sql.Identifier, row)),
                            sql.SQL(", ").join(sql.SQL("%s::uuid[]" if name == "customers" else "%s") for name in row),
                        ),
                        [value_of(value) for value in row.values()],
                    )
            if number in CHANGES:
                cursor.execute(CHANGES[number])


def contents(url: str) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table of the registry, as JSON."""
    found = {}
    with closing(psycopg2.connect(plain(url))) as connection, connection, connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'")
        for (table,) in cursor.fetchall():
            cursor.execute(sql.SQL("SELECT to_jsonb(t) FROM {} t").format(sql.Identifier(table)))
            found[table] = [row for (row,) in cursor.fetchall()]
    return found


def unsound(url: str) -> list[str]:
    """Constraints that were not checked on the rows that there are, and indexes that are not whole."""
    with closing(psycopg2.connect(plain(url))) as connection, connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname FROM pg_constraint WHERE NOT convalidated UNION ALL "
            "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid OR NOT indisready"
        )
        return [name for (name,) in cursor.fetchall()]


# The first and the last of them stand for all in the usual tier.
@pytest.mark.parametrize(
    "revision", [pytest.param(each, marks=pytest.mark.long) if each in SCHEMAS[1:-1] else each for each in SCHEMAS]
)
def test_a_database_of_an_earlier_schema_keeps_all_its_data_and_is_as_sound_as_a_new_one(
    postgres_url: str, revision: str
) -> None:
    to_schema(postgres_url, revision)
    fill(postgres_url, revision)
    before = contents(postgres_url)
    assert [table for table, rows in before.items() if not rows] == [], "tables without a row here"

    migrate.upgrade(postgres_url)

    after = contents(postgres_url)
    for table, rows in before.items():
        kept = [{name: row[name] for name in rows[0] if name in row} for row in after[table]] if rows else []
        lost = [row for row in rows if row not in kept]
        assert lost == [], f"{table} lost these"
    assert unsound(postgres_url) == []
    assert sum(row["datasets"] for row in after["dataset_counts"]) == len(after["datasets"])
    assert sum(row["operations"] for row in after["operation_counts"]) == len(after["operations"])
    database = Database(postgres_url)
    try:
        with database.engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
        works_with_it(database)
    finally:
        database.close()
    # Once more changes nothing.
    settled = contents(postgres_url)
    migrate.upgrade(postgres_url)
    assert contents(postgres_url) == settled


def works_with_it(database: Database) -> None:
    """This release reads what the earlier one wrote, and goes on with it under the same rules."""
    with database.transaction() as session:
        assert migrate.is_current(session)
        assert api_clients.verify(session, KEYRING, api_client_id=UUID(ADMIN), secret=CLIENT_SECRET) is not None
        assert quality.current(session, UUID(READY)).calculated_at is not None
        view = operations.find_view(session, UUID(BROKEN))
        assert view is not None
        assert view.operation.status is OperationStatus.FAILED
        running = heartbeats.silent_for(session, timedelta(seconds=1))
        assert [str(one.operation_id) for one in running] == [RUNNING]
        kept = datasets.get(session, UUID(ARCHIVED))
        assert (kept.status, kept.archive_path) == (DatasetStatus.ARCHIVED, f"archives/{ARCHIVED}")
    with pytest.raises(IntegrityError, match="uq_operation_datasets_active"), database.transaction() as session:
        operations.create(
            session,
            operation_type=OperationType.VALIDATION,
            client_id=UUID(CUSTOMER),
            stage=Stage.PRODUCTION,
            datasets=[(UUID(BUSY), "confluence_pages")],
        )
    with database.transaction() as session:
        begun = accept_teardown(session, UUID(READY), reason=TeardownReason.MANUAL, archive=True)
        assert begun.status is OperationStatus.PENDING
        assert datasets.get(session, UUID(READY)).status is DatasetStatus.TEARDOWN


def test_of_several_processes_that_start_at_once_one_migrates_and_the_data_stay(postgres_url: str) -> None:
    to_schema(postgres_url, SCHEMAS[0])
    fill(postgres_url, SCHEMAS[0])
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate.upgrade, [postgres_url] * 4))
    after = contents(postgres_url)
    assert {table: len(after[table]) for table in ROWS["0001"]} == {
        table: len(rows) for table, rows in ROWS["0001"].items()
    }
