"""``dataops orphans``: the same search for what nobody owns that the schedule does every hour, now and by hand.

It needs the database and the home's files; to disconnect a connector, the running API. Dagster need not run: its
instance is opened here. Raises ConfigurationError where the home has none yet or the database is not this release's.
"""

import json
import os

from dataops_cli.home import Home
from dataops_core.errors import ConfigurationError
from dataops_core.provisioning.services import Services
from dataops_core.registry import installation, migrate
from dataops_core.settings import Settings
from dataops_core.upkeep.orphans.model import Report, Verdict
from dataops_core.upkeep.orphans.sweep import look_for_orphans

_WORDS = {
    Verdict.REPORTED: "look at",
    Verdict.WAITING: "waits",
    Verdict.DUE: "would",
    Verdict.DONE: "done",
    Verdict.LEFT: "left",
    Verdict.FAILED: "FAILED",
}


def search(settings: Settings, *, dry_run: bool) -> Report:
    """One search."""
    home = Home(settings.home)
    if not (home.dagster / "dagster.yaml").is_file():
        raise ConfigurationError(f"{settings.home} has never been started: start `dataops up`.")
    # Dagster's import takes seconds: for those alone who need it.
    from dagster import DagsterInstance  # noqa: PLC0415
    from dagster._core.instance.ref import InstanceRef  # noqa: PLC0415

    from dataops_pipeline.environment_keys import InstanceKeys  # noqa: PLC0415

    # The instance's storage reads the settings by itself.
    os.environ["DATAOPS_HOME"] = str(settings.home)
    services = Services.from_settings(settings)
    try:
        with services.database.transaction() as session:
            if not migrate.is_current(session):
                raise ConfigurationError("The database does not have this release's schema: start `dataops up`.")
            if not installation.fits(session, services.keyring):
                raise ConfigurationError(
                    "The secret key does not fit the database: give the one that it was made with."
                )
        with DagsterInstance.from_ref(InstanceRef.from_dir(str(home.dagster))) as instance:
            return look_for_orphans(services, InstanceKeys(instance), dry_run=dry_run)
    finally:
        services.close()


def as_json(report: Report) -> str:
    """For programs."""
    return json.dumps(
        {
            "dry_run": report.dry_run,
            "counts": report.counts(),
            "findings": [one.as_json() for one in report.told],
        },
        indent=2,
    )


def as_text(report: Report) -> str:
    """For people: a line for each finding, and how many had which verdict."""
    if not report.told:
        return "Everything is somebody's."
    lines = []
    for one in report.told:
        remedy = f" {one.finding.remedy}" if one.finding.remedy is not None else ""
        why = f" {one.why}" if one.why is not None else ""
        lines.append(f"{_WORDS[one.verdict]:<8} {one.finding.says}{remedy}{why}")
    counted = ", ".join(f"{count} {verdict}" for verdict, count in report.counts().items())
    lines.append(f"\n{len(report.told)} found: {counted}." + (" Nothing was changed." if report.dry_run else ""))
    return "\n".join(lines)
