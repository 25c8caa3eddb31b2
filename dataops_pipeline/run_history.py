"""Dagster's runs, as what removes old ones sees them (``dataops_core.upkeep.retention.RunHistory``).

Runs go through the instance alone, so that any storage of Dagster's will do. What Dagster itself ages (ticks of sensors
and schedules) is set in ``dagster.yaml``. Evaluations of asset checks outlive their run in a table of their own, and
events of no run (what a sensor observed, what somebody reported or wiped in the UI) have none to go with. Dagster has
no call for either: they go by its SQL, where the storage is one of dagster-postgres'. Logs of ticks (a file for each
tick of a run-status sensor that found a run) outlive their ticks, and those of a run that somebody deletes outlive it:
they go by their age, where they lie on a disk.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from dagster import DagsterInstance, DagsterRunStatus, RunsFilter
from dagster._core.instance.utils import RUNLESS_RUN_ID
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    AssetEventTagsTable,
    DynamicPartitionsTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.runs.schema import RunsTable
from dagster_postgres import PostgresEventLogStorage
from sqlalchemy import and_, delete, exists, or_, select

from dataops_core.runs import PARTITIONS_NAME, REPOSITORY_NAME
from dataops_core.upkeep.orphans.model import batches

#: Runs that Dagster is asked about at once.
_RUNS_ASKED_FOR = 200

_ENDED = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]


class InstanceRuns:
    """The runs of one instance."""

    def __init__(self, instance: DagsterInstance) -> None:
        self._instance = instance

    def ended_before(self, moment: datetime, *, after: str | None, limit: int) -> Sequence[str]:
        """Ids of runs that have ended and have not changed since then, oldest first."""
        aged = RunsFilter(statuses=_ENDED, updated_before=moment)
        return [run.run_id for run in self._instance.get_runs(aged, cursor=after, limit=limit, ascending=True)]

    def remove(self, run_id: str) -> None:
        """The run goes last: killed before that, it is still there to be found."""
        self._instance.compute_log_manager.delete_logs(prefix=[run_id])
        self._instance.event_log_storage.delete_events(run_id)
        self._instance.delete_run(run_id)

    def forget_checks(self, moment: datetime, *, limit: int) -> int:
        """Those of runs that are gone, but of a check in an environment that there is never the newest."""
        storage = self._instance.event_log_storage
        if not isinstance(storage, PostgresEventLogStorage):
            return 0
        made, newer = AssetCheckExecutionsTable.c, AssetCheckExecutionsTable.alias().c
        is_newest = ~exists().where(
            newer.asset_key == made.asset_key,
            newer.check_name == made.check_name,
            newer.partition.is_not_distinct_from(made.partition),
            newer.id > made.id,
        )
        is_there = exists().where(
            DynamicPartitionsTable.c.partitions_def_name == PARTITIONS_NAME,
            DynamicPartitionsTable.c.partition == made.partition,
        )
        old = (
            select(made.id)
            .where(
                made.create_timestamp < _as_stored(moment),
                ~exists().where(RunsTable.c.run_id == made.run_id),
                ~and_(is_newest, or_(made.partition.is_(None), is_there)),
            )
            .order_by(made.id)
            .limit(limit)
        )
        with storage.index_connection() as connection:
            found = connection.execute(old).scalars().all()
            connection.execute(delete(AssetCheckExecutionsTable).where(made.id.in_(found)))
        return len(found)

    def forget_events(self, moment: datetime, *, limit: int) -> int:
        """Those of no run, with their tags."""
        storage = self._instance.event_log_storage
        if not isinstance(storage, PostgresEventLogStorage):
            return 0
        event = SqlEventLogStorageTable.c
        old = (
            select(event.id)
            .where(event.run_id == RUNLESS_RUN_ID, event.timestamp < _as_stored(moment))
            .order_by(event.id)
            .limit(limit)
        )
        with storage.index_connection() as connection:
            found = connection.execute(old).scalars().all()
            connection.execute(delete(AssetEventTagsTable).where(AssetEventTagsTable.c.event_id.in_(found)))
            connection.execute(delete(SqlEventLogStorageTable).where(event.id.in_(found)))
        return len(found)

    def forget_logs(self, moment: datetime) -> int:
        """Those on this machine's disk; of runs those that Dagster does not know any more."""
        manager = self._instance.compute_log_manager
        if not isinstance(manager, LocalComputeLogManager):
            return 0
        place = Path(manager.get_captured_local_path(["any"], "log")).parent
        of_ticks = [path for path in place.glob(f"{REPOSITORY_NAME}/*/*") if path.is_file() and _is_older(path, moment)]
        for path in of_ticks:
            path.unlink(missing_ok=True)
        of_runs = [path.name for path in place.glob("*-*-*-*-*") if _is_older(path, moment)]
        gone = [name for batch in batches(of_runs, _RUNS_ASKED_FOR) for name in self._unknown(batch)]
        for name in gone:
            with suppress(FileNotFoundError):  # somebody else is at it
                manager.delete_logs(prefix=[name])
        return len(of_ticks) + len(gone)

    def _unknown(self, run_ids: Sequence[str]) -> set[str]:
        known = self._instance.get_runs(RunsFilter(run_ids=list(run_ids)))
        return set(run_ids) - {run.run_id for run in known}


def _is_older(path: Path, moment: datetime) -> bool:
    try:
        return path.stat().st_mtime < moment.timestamp()
    except FileNotFoundError:
        return False


def _as_stored(moment: datetime) -> datetime:
    """The moment as Dagster's tables have it: in UTC, without saying so."""
    return moment.astimezone(UTC).replace(tzinfo=None)
