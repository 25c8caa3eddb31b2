"""Tells Dagster, after its database was restored from a backup, that the runs that were under way then are over.

``dataops restore`` runs ``python -m dataops_pipeline.restored`` before anything else of Dagster's is started: no
launcher could find out by itself, and a run would be shown as running for ever. Their operations are settled by then.
"""

import sys

from dagster import DagsterInstance, RunsFilter
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from dataops_core.errors import DataOpsError
from dataops_core.provisioning.interrupted import SENTENCE
from dataops_core.settings import Settings
from dataops_pipeline.prepare import prepare


def end_runs(instance: DagsterInstance) -> int:
    """Reports every run that has not ended as failed. Returns how many there were."""
    unfinished = instance.get_runs(RunsFilter(statuses=list(NOT_FINISHED_STATUSES)))
    for run in unfinished:
        instance.report_run_failed(run, SENTENCE)
    return len(unfinished)


def main() -> int:
    """Brings Dagster's tables to this release's schema, and ends the runs. Exit status 2 with a sentence where not."""
    try:
        settings = Settings.load()
        prepare(settings.dagster_storage_url, registry_url=settings.registry_url)
    except DataOpsError as error:
        sys.stderr.write(f"{error.message}\n")
        return 2
    with DagsterInstance.get() as instance:
        end_runs(instance)
    return 0


if __name__ == "__main__":
    sys.exit(main())
