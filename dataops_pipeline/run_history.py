"""Dagster's runs, as what removes old ones sees them (``dataops_core.upkeep.retention.RunHistory``).

Through the instance alone, so that any storage of Dagster's will do. What Dagster itself ages (ticks of sensors and
schedules) is set in ``dagster.yaml``; evaluations of asset checks it keeps for ever.
"""

from collections.abc import Sequence
from datetime import datetime

from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

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
