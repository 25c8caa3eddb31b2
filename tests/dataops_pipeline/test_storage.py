"""Dagster's storage: pooled, safe in forked children, and as shipped where the setting says so."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from dagster import DagsterInstance, RunsFilter
from dagster._core.test_utils import create_run_for_test
from dagster_postgres import DagsterPostgresStorage, PostgresRunStorage
from sqlalchemy import create_engine, event, text

from dataops_core.errors import ConfigurationError
from dataops_pipeline.storage import (
    POOL_SIZE,
    PooledEventLogStorage,
    PooledPostgresStorage,
    PooledRunStorage,
    close_pools,
)

OpenInstance = Callable[[], DagsterInstance]


def scalar(url: str, statement: str) -> object:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            return connection.scalar(text(statement))
    finally:
        engine.dispose()


def connections(url: str) -> int:
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    count = scalar(url, others)
    assert isinstance(count, int)
    return count


def test_the_checkouts_dagster_yaml_puts_dagster_on_the_pooled_storage(instance: DagsterInstance) -> None:
    run = create_run_for_test(instance, job_name="a_job", tags={"dataops/operation_id": "one"})

    assert isinstance(instance.run_storage, PooledRunStorage)
    assert isinstance(instance.event_log_storage, PooledEventLogStorage)
    assert [found.run_id for found in instance.get_runs(RunsFilter(tags={"dataops/operation_id": "one"}))] == [
        run.run_id
    ]


def test_an_instance_made_again_in_another_process_finds_the_same_storage(instance: DagsterInstance) -> None:
    with DagsterInstance.from_ref(instance.get_ref()) as again:
        assert isinstance(again.run_storage, PooledRunStorage)


def test_all_instances_of_a_process_share_one_small_pool(dagster_url: str, open_instance: OpenInstance) -> None:
    close_pools()
    for _ in range(5):
        with open_instance() as one:
            create_run_for_test(one, job_name="a_job")
            one.add_dynamic_partitions("somewhere", ["key"])
            assert one.has_dynamic_partition("somewhere", "key")
    assert 1 <= connections(dagster_url) <= POOL_SIZE


def test_a_lost_connection_is_replaced_before_it_is_used(dagster_url: str, instance: DagsterInstance) -> None:
    instance.get_runs(limit=1)
    scalar(
        dagster_url,
        "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    run = create_run_for_test(instance, job_name="a_job")
    assert instance.get_run_by_id(run.run_id) is not None


def test_the_schema_is_asked_about_once_and_a_missing_table_again(dagster_url: str, instance: DagsterInstance) -> None:
    storage = instance.event_log_storage
    assert isinstance(storage, PooledEventLogStorage)
    assert storage.has_table("dynamic_partitions")
    assert storage.has_asset_key_col("cached_status_data")
    asked: list[str] = []

    @event.listens_for(storage._engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    try:
        assert storage.has_table("dynamic_partitions")
        assert storage.has_asset_key_col("cached_status_data")
        assert asked == []
        assert not storage.has_table("made_later")
        scalar(dagster_url, "CREATE TABLE made_later (); SELECT 1")
        assert storage.has_table("made_later")
    finally:
        event.remove(storage._engine, "before_cursor_execute", note)


def test_the_webservers_limit_on_statements_holds_on_every_connection(dagster_url: str) -> None:
    script = """
import sys
from dataops_pipeline.storage import PooledPostgresStorage
from sqlalchemy import text
storage = PooledPostgresStorage(sys.argv[1])
storage.run_storage.get_runs(limit=1)
for part in (storage.run_storage, storage.event_log_storage, storage.schedule_storage):
    part.optimize_for_webserver(statement_timeout=4321, pool_recycle=3600, max_overflow=20)
with storage.run_storage.connect() as connection:
    print(connection.scalar(text("SHOW statement_timeout")))
"""
    assert run_script(script, dagster_url) == "4321ms"


def test_a_forked_child_opens_connections_of_its_own(dagster_url: str) -> None:
    script = """
import json, os, sys
from sqlalchemy import text
from dataops_pipeline.storage import PooledPostgresStorage
storage = PooledPostgresStorage(sys.argv[1])
def backend():
    with storage.run_storage.connect() as connection:
        return connection.scalar(text("SELECT pg_backend_pid()"))
before = backend()
read, write = os.pipe()
if os.fork() == 0:
    os.write(write, str(backend()).encode())
    os._exit(0)
os.wait()
print(json.dumps({"before": before, "child": int(os.read(read, 20)), "after": backend()}))
"""
    seen = json.loads(run_script(script, dagster_url))
    assert seen["child"] != seen["before"]
    assert seen["after"] == seen["before"]


def test_one_setting_falls_back_to_dagsters_own_storage(
    open_instance: OpenInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATAOPS_DAGSTER_STORAGE", "stock")
    with open_instance() as stock:
        assert type(stock.run_storage) is PostgresRunStorage
        run = create_run_for_test(stock, job_name="a_job")
        assert stock.get_run_by_id(run.run_id) is not None
        with DagsterInstance.from_ref(stock.get_ref()) as again:
            assert again.get_run_by_id(run.run_id) is not None


def test_a_url_in_the_config_wins_over_the_settings(dagster_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATAOPS_DAGSTER_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    storage = PooledPostgresStorage.from_config_value(None, {"postgres_url": dagster_url})
    assert not isinstance(storage, DagsterPostgresStorage)
    assert list(storage.run_storage.get_runs(RunsFilter(run_ids=["none"]))) == []


def test_without_any_database_the_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATAOPS_HOME", str(tmp_path))
    for name in ("DATAOPS_DATABASE_URL", "DATAOPS_DAGSTER_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigurationError, match="start `dataops up`"):
        PooledPostgresStorage.from_config_value(None, {})


def run_script(script: str, *args: str) -> str:
    finished = subprocess.run(
        [sys.executable, "-c", script, *args],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.strip()
