"""Partition keys of an instance, as the search for orphans sees them (``upkeep.orphans.model.EnvironmentKeys``)."""

from collections.abc import Collection, Sequence

from dagster import DagsterInstance, RunsFilter
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from dataops_core.runs import PARTITIONS_NAME, TAG_PARTITION


class InstanceKeys:
    """The environments of one instance."""

    def __init__(self, instance: DagsterInstance) -> None:
        self._instance = instance

    def all(self) -> Sequence[str]:
        """Every key there is."""
        return list(self._instance.get_dynamic_partitions(PARTITIONS_NAME))

    def in_flight(self) -> Collection[str]:
        """The keys of all runs that have not ended, those that have not begun included."""
        runs = self._instance.get_runs(RunsFilter(statuses=list(NOT_FINISHED_STATUSES)))
        return {run.tags[TAG_PARTITION] for run in runs if TAG_PARTITION in run.tags}

    def add(self, keys: Sequence[str]) -> None:
        """Adds keys; those that are there already stay."""
        self._instance.add_dynamic_partitions(PARTITIONS_NAME, list(keys))

    def remove(self, key: str) -> None:
        """Removes a key; nothing there is fine."""
        self._instance.delete_dynamic_partition(PARTITIONS_NAME, key)
