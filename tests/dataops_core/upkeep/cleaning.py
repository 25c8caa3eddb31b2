"""A clean-up without Dagster's runs, and what it removed: for the tests of what is kept for how long."""

from datetime import timedelta

from sqlalchemy import update

from dataops_core.upkeep.retention import clean_up

DAY = timedelta(days=1)


class NoRuns:
    """A Dagster without runs; tests/dataops_pipeline has those with."""

    def ended_before(self, moment, *, after, limit):  # noqa: ARG002
        return []

    def remove(self, run_id):
        raise AssertionError(run_id)

    def forget_checks(self, moment, *, limit):  # noqa: ARG002
        return 0

    def forget_events(self, moment, *, limit):  # noqa: ARG002
        return 0

    def forget_logs(self, moment):  # noqa: ARG002
        return 0


def cleaned(services, **keep):
    """What a clean-up with these settings removes."""
    object.__setattr__(services, "settings", services.settings.model_copy(update=keep))
    return {kind: count for kind, count in clean_up(services, NoRuns()).items() if count}


def change(services, table, condition, **values) -> None:
    with services.database.transaction() as session:
        session.execute(update(table).where(condition).values(values))
