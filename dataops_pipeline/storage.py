"""Dagster's storage in PostgreSQL, pooled.

dagster-postgres opens a new connection for every statement, which is most of what a short run costs. These classes are
its own, with three changes: one pooled engine per process and database, shared by the three storages and by every
``DagsterInstance`` that the process makes; the pool thrown away in forked children, who must not share sockets; and
questions about the schema ("is there a table ...?") asked once, since the schema only ever grows.

They rest on private parts of dagster-postgres 0.29: ``pyproject.toml`` pins the minor version, and
``DATAOPS_DAGSTER_STORAGE=stock`` falls back to the classes as shipped. ``dagster.yaml`` names the class below; where
its config gives no URL, the settings do, so that ``dagster dev`` beside a running ``up`` needs none.

Does not belong here: making or migrating the tables (``prepare.py``).
"""

import os
import threading
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dagster import Field, StringSource
from dagster._config import UserConfigSchema
from dagster._core.storage.base_storage import DagsterStorage
from dagster._serdes import ConfigurableClass, ConfigurableClassData
from dagster_postgres import (
    DagsterPostgresStorage,
    PostgresEventLogStorage,
    PostgresRunStorage,
    PostgresScheduleStorage,
)
from dagster_postgres.utils import set_pg_statement_timeout
from sqlalchemy import Connection, Engine, create_engine, event

from dataops_core.pooling import try_before_use
from dataops_core.settings import Settings

#: Connections that a process keeps open while idle; runs use one or two, the webserver more for a moment.
POOL_SIZE = 4
_OVERFLOW = 40


@dataclass(eq=False)
class _Pool:
    """One database's engine in this process, and what is known of its schema."""

    engine: Engine
    statement_timeout_ms: int | None = None
    _true: set[Hashable] = field(default_factory=set)

    def once(self, question: Hashable, ask: Callable[..., bool], *args: Any) -> bool:
        """What ``ask(*args)`` says, asked until it is yes: what is there stays, the rest may come with a migration."""
        if question not in self._true and ask(*args):
            self._true.add(question)
        return question in self._true

    def limit_statements(self, milliseconds: int) -> None:
        """From now on no statement may take longer (the webserver's wish)."""
        if self.statement_timeout_ms == milliseconds:
            return
        self.statement_timeout_ms = milliseconds
        self.engine.dispose()


_pools: dict[str, _Pool] = {}
_lock = threading.Lock()


def _pool_of(url: str) -> _Pool:
    with _lock:
        if url not in _pools:
            _pools[url] = pool = _Pool(
                create_engine(
                    url,
                    isolation_level="AUTOCOMMIT",
                    pool_size=POOL_SIZE,
                    max_overflow=_OVERFLOW,
                    pool_use_lifo=True,
                    connect_args={"connect_timeout": 5},
                )
            )

            try_before_use(pool.engine)

            @event.listens_for(pool.engine, "connect")
            def _limit(connection: Any, _record: Any) -> None:
                if pool.statement_timeout_ms is not None:
                    set_pg_statement_timeout(connection, pool.statement_timeout_ms)

        return _pools[url]


def close_pools() -> None:
    """Closes every pooled connection of this process; a pool opens new ones when it is used again."""
    for pool in list(_pools.values()):
        pool.engine.dispose()


def _leave_to_parent() -> None:
    # A forked child must neither use nor close the sockets that it inherited.
    global _lock  # noqa: PLW0603  the parent's lock may be held by a thread that the child does not have
    _lock = threading.Lock()
    for pool in _pools.values():
        pool.engine.dispose(close=False)


os.register_at_fork(after_in_child=_leave_to_parent)


class PooledRunStorage(PostgresRunStorage):
    """dagster-postgres' run storage on the shared pool."""

    def __init__(self, url: str, pool: _Pool) -> None:
        super().__init__(url, should_autocreate_tables=False)
        self._engine, self._pool = pool.engine, pool

    def optimize_for_webserver(self, statement_timeout: int, pool_recycle: int, max_overflow: int) -> None:  # noqa: ARG002
        """The pool is long-lived already: only the limit on statements is taken over."""
        self._pool.limit_statements(statement_timeout)

    def has_built_index(self, migration_name: str) -> bool:
        """As the parent, asked once."""
        return self._pool.once(("run index", migration_name), super().has_built_index, migration_name)

    def has_run_stats_index_cols(self) -> bool:
        """As the parent, asked once."""
        return self._pool.once("run stats", super().has_run_stats_index_cols)

    def has_bulk_actions_selector_cols(self) -> bool:
        """As the parent, asked once."""
        return self._pool.once("bulk selector", super().has_bulk_actions_selector_cols)

    def has_backfill_id_column(self) -> bool:
        """As the parent, asked once."""
        return self._pool.once("backfill id", super().has_backfill_id_column)

    def has_bulk_action_job_name_column(self) -> bool:
        """As the parent, asked once."""
        return self._pool.once("bulk job name", super().has_bulk_action_job_name_column)

    def has_backfill_tags_table(self) -> bool:
        """As the parent, asked once."""
        return self._pool.once("backfill tags", super().has_backfill_tags_table)


class PooledEventLogStorage(PostgresEventLogStorage):
    """dagster-postgres' event log storage on the shared pool."""

    def __init__(self, url: str, pool: _Pool) -> None:
        super().__init__(url, should_autocreate_tables=False)
        self._engine, self._pool = pool.engine, pool

    def optimize_for_webserver(self, statement_timeout: int, pool_recycle: int, max_overflow: int) -> None:  # noqa: ARG002
        """The pool is long-lived already: only the limit on statements is taken over."""
        self._pool.limit_statements(statement_timeout)

    def has_table(self, table_name: str) -> bool:
        """As the parent, asked once."""
        return self._pool.once(("table", table_name), super().has_table, table_name)

    def has_secondary_index(self, name: str) -> bool:
        """As the parent, asked once."""
        return self._pool.once(("event index", name), super().has_secondary_index, name)

    def has_asset_key_col(self, column_name: str) -> bool:
        """As the parent, asked once."""
        return self._pool.once(("asset key", column_name), super().has_asset_key_col, column_name)

    def _has_asset_key_col_on_connection(self, conn: Connection, column_name: str) -> bool:
        ask = super()._has_asset_key_col_on_connection
        return self._pool.once(("asset key", column_name), ask, conn, column_name)


class PooledScheduleStorage(PostgresScheduleStorage):
    """dagster-postgres' storage of schedules and sensors on the shared pool."""

    def __init__(self, url: str, pool: _Pool) -> None:
        super().__init__(url, should_autocreate_tables=False)
        self._engine, self._pool = pool.engine, pool

    def optimize_for_webserver(self, statement_timeout: int, pool_recycle: int, max_overflow: int) -> None:  # noqa: ARG002
        """The pool is long-lived already: only the limit on statements is taken over."""
        self._pool.limit_statements(statement_timeout)

    def has_built_index(self, migration_name: str) -> bool:
        """As the parent, asked once."""
        return self._pool.once(("tick index", migration_name), super().has_built_index, migration_name)

    def has_secondary_index_table(self) -> bool:
        """As the parent, asked once."""
        return self._pool.once("secondary indexes", super().has_secondary_index_table)

    def has_instigators_table(self) -> bool:
        """As the parent, asked once."""
        return self._pool.once("instigators", super().has_instigators_table)

    def _has_instigators_table(self, conn: Connection) -> bool:
        return self._pool.once("instigators", super()._has_instigators_table, conn)

    def _has_asset_daemon_asset_evaluations_table(self, conn: Connection) -> bool:
        ask = super()._has_asset_daemon_asset_evaluations_table
        return self._pool.once("asset evaluations", ask, conn)


class PooledPostgresStorage(DagsterStorage, ConfigurableClass):
    """What ``dagster.yaml`` names under ``storage: custom:``. The tables are made by ``prepare.py`` before.

    Config: ``postgres_url``, optional; else ``Settings.dagster_storage_url``.
    """

    def __init__(self, postgres_url: str, *, inst_data: ConfigurableClassData | None = None) -> None:
        self._inst_data = inst_data
        pool = _pool_of(postgres_url)
        self._run_storage = PooledRunStorage(postgres_url, pool)
        self._event_log_storage = PooledEventLogStorage(postgres_url, pool)
        self._schedule_storage = PooledScheduleStorage(postgres_url, pool)
        super().__init__()  # type: ignore[no-untyped-call]

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        """How an instance of this class is made again in another process."""
        return self._inst_data

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """The shape of ``config`` in ``dagster.yaml``."""
        return {"postgres_url": Field(StringSource, is_required=False)}

    @classmethod
    def from_config_value(  # type: ignore[override]
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> DagsterStorage:
        """The storage of this process: pooled, or, where the setting says so, as shipped (then of the stock class)."""
        settings = Settings.load()
        url = config_value.get("postgres_url") or settings.dagster_storage_url
        if settings.dagster_storage == "stock":
            return DagsterPostgresStorage(url, should_autocreate_tables=False, inst_data=inst_data)
        return cls(url, inst_data=inst_data)

    @property
    def event_log_storage(self) -> PooledEventLogStorage:
        """Events, assets, checks, partitions."""
        return self._event_log_storage

    @property
    def run_storage(self) -> PooledRunStorage:
        """Runs, backfills, heartbeats."""
        return self._run_storage

    @property
    def schedule_storage(self) -> PooledScheduleStorage:
        """The state of sensors and schedules, and their ticks."""
        return self._schedule_storage
