"""``dataops doctor``: what is wrong with this installation, and how to mend it.

Looks from the outside in, as somebody would who was called: settings, home, processes, credentials, the API, each of
its parts, a token, the datasets. Changes nothing.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from dataops_cli.asking.asking import writing
from dataops_cli.asking.connection import connect, credentials, home
from dataops_cli.asking.output import Form, FormOption, Output
from dataops_core.errors import ConfigurationError

if TYPE_CHECKING:
    from a_domain_sdk import DataOpsClient, Dataset
    from dataops_core.settings import Settings

_LEAST_FREE = 1 << 30
_MOST_DATASETS = 200
_HEALTHY = "healthy"
_UNHEALTHY = "unhealthy"
#: What to do about a part of the API that is down.
FIXES = {
    "database": "look at {logs}/postgres.log, or at the server that DATAOPS_DATABASE_URL names",
    "migrations": "stop everything on this database and start `dataops up` of the newest release",
    "keys": "give DATAOPS_SECRET_KEY, or the file secret_key in the home, that the database was made with",
    "dagster": "look at {logs}/webserver.log; operations wait until it is back",
    "code_location": "look at {logs}/code-location.log; operations stay pending until it is back",
    "daemon": "look at {logs}/daemon.log; sensors and schedules wait until it is back",
    "connector": "look at {logs}/api.log; datasets cannot be searched until it is back",
    "storage": "make room on the disk, or look after the bucket; provisionings fail until it is up",
}


class State(StrEnum):
    """How a thing is."""

    FINE = "fine"
    ODD = "odd"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``fix``: what to do, where there is something to do."""

    state: State
    what: str
    fix: str = ""


def doctor(output: FormOption = Form.TABLE) -> None:
    """Say what is wrong with this installation, and the fix. Exit status 1 where something is wrong."""
    findings = list(look())
    with writing():
        if output is Form.TABLE:
            rows = [[one.state.value, one.what, one.fix or "-"] for one in findings]
            Output().table(["STATE", "WHAT", "FIX"], rows)
        elif output is Form.JSON:
            typer.echo(json.dumps([asdict(one) for one in findings], indent=2))
        else:
            for one in findings:
                typer.echo(json.dumps(asdict(one)))
    if any(one.state is State.WRONG for one in findings):
        raise typer.Exit(1)


def look() -> Iterator[Finding]:
    """Everything that is looked at, in order; what rests on something that is wrong is left out."""
    yield from _settings()
    yield from _home(home())
    try:
        known = credentials()
    except ConfigurationError as error:
        what, _, fix = error.message.partition(": ")
        yield Finding(State.WRONG, f"{what}.", fix)
        return
    yield Finding(State.FINE, f"The API is at {known['base_url']}, asked as {known['client_id']}.")
    yield from _api(known)


def _settings() -> Iterator[Finding]:
    from dataops_core.settings import Settings  # noqa: PLC0415  a command starts only what it needs

    try:
        settings = Settings.load()
    except ConfigurationError as error:
        yield Finding(State.WRONG, "The settings cannot be used.", error.message)
        return
    yield Finding(State.FINE, "The settings can be used.")
    if settings.bucket_url is not None:
        yield _bucket(settings.bucket_url)
    if settings.dask_scheduler is not None:
        yield _cluster(settings, settings.dask_scheduler)


def _bucket(url: str) -> Finding:
    from dataops_core.storage import Storage  # noqa: PLC0415

    try:
        Storage(url).check(owner=None)
    except ConfigurationError as error:
        return Finding(State.WRONG, f"The storage {url} cannot be used.", error.message)
    return Finding(State.FINE, f"The storage {url} can be read.")


def _cluster(settings: "Settings", address: str) -> Finding:
    from dataops_core.errors import UnavailableError  # noqa: PLC0415
    from dataops_core.generation.blocks import blocks_of  # noqa: PLC0415

    try:
        blocks_of(settings)
    except ConfigurationError as error:
        return Finding(State.WRONG, f"The Dask scheduler {address} cannot be used.", error.message)
    from dataops_core.generation.on_dask import OnDask  # noqa: PLC0415  not to be had without the extra

    try:
        workers = OnDask(address).workers()
    except UnavailableError as error:
        return Finding(State.WRONG, error.message, "start scheduler and workers, or mend DATAOPS_DASK_SCHEDULER")
    return Finding(State.FINE, f"The Dask scheduler {address} has {workers} worker{'' if workers == 1 else 's'}.")


def _home(path: Path) -> Iterator[Finding]:
    from dataops_cli.background import runs_on  # noqa: PLC0415
    from dataops_cli.home import Home  # noqa: PLC0415

    if not path.is_dir():
        yield Finding(
            State.ODD, f"There is no installation at {path}.", "start one with `dataops up`, or set DATAOPS_HOME"
        )
        return
    try:
        running = runs_on(Home(path))
    except (OSError, ConfigurationError) as error:
        yield Finding(State.WRONG, f"The home {path} cannot be read ({error}).", "run this as the user of the home")
        return
    free = shutil.disk_usage(path).free
    if free < _LEAST_FREE:
        yield Finding(State.WRONG, f"The disk of {path} has {free >> 20} MiB left.", "make room, or move the home")
    if running:
        yield Finding(State.FINE, f"`dataops up` runs on {path}.")
    else:
        yield Finding(State.ODD, f"Nothing runs on {path}.", "start it with `dataops up`, unless it runs elsewhere")


def _api(known: Mapping[str, str]) -> Iterator[Finding]:
    from a_domain_sdk import DataOpsError  # noqa: PLC0415

    try:
        with connect(known) as client:
            client.service.health()
            yield Finding(State.FINE, "The API answers.")
            yield from _parts(client)
            token = _token(client)
            yield token
            if token.state is State.FINE:
                yield from _datasets(client)
    except DataOpsError as error:
        yield Finding(
            State.WRONG, f"The API does not answer: {error}", "start it with `dataops up`, or mend its address"
        )


def _parts(client: "DataOpsClient") -> Iterator[Finding]:
    from a_domain_sdk import ServiceUnavailableError  # noqa: PLC0415

    try:
        parts = {name: part.model_dump() for name, part in client.service.readiness().components.items()}
        needed = State.ODD
    except ServiceUnavailableError as error:
        parts, needed = error.details.get("components", {}), State.WRONG
    yield from (_part(name, part, needed) for name, part in parts.items())


def _part(name: str, part: Mapping[str, Any], otherwise: State) -> Finding:
    if part["state"] == "up":
        return Finding(State.FINE, f"{name} is up.")
    return Finding(
        otherwise,
        f"{name} is {part['state']}: {part['reason'] or 'no reason is given'}",
        FIXES.get(name, "").format(logs=_logs()),
    )


def _token(client: "DataOpsClient") -> Finding:
    from a_domain_sdk import APIStatusError  # noqa: PLC0415

    try:
        client.access_token()
    except APIStatusError as error:
        return Finding(
            State.WRONG,
            f"The API gives no token: {error}",
            "make an API client with `dataops credentials create`, then `dataops login`",
        )
    return Finding(State.FINE, "The API gives a token.")


def _datasets(client: "DataOpsClient") -> Iterator[Finding]:
    from a_domain_sdk import APIStatusError, ForbiddenError  # noqa: PLC0415

    try:
        failed = client.datasets.list(status="failed", per_page=1).total_count
        ready = client.datasets.list(status="ready", sort="quality_score", per_page=100)
        looked_at = list(islice(ready, _MOST_DATASETS))
        found = [finding for dataset in looked_at for finding in _dataset(client, dataset)]
    except APIStatusError as error:
        allowed = not isinstance(error, ForbiddenError)
        yield Finding(
            State.WRONG if allowed else State.ODD,
            f"The datasets cannot be looked at: {error}",
            f"look at {_logs()}/api.log" if allowed else "log in with dataops:datasets:read and dataops:quality:read",
        )
        return
    if failed:
        yield Finding(
            State.ODD, f"{_counted(failed)} failed.", "`dataops datasets list --status failed`, then retry or delete"
        )
    yield from found
    if not found:
        of = f" of {ready.total_count}, those with the lowest scores" if ready.total_count > len(looked_at) else ""
        yield Finding(State.FINE, f"{_counted(len(looked_at))}{of}: ready, above the threshold, connectors healthy.")


def _dataset(client: "DataOpsClient", dataset: "Dataset") -> Iterator[Finding]:
    from a_domain_sdk import NotFoundError  # noqa: PLC0415

    name, show = f"{dataset.name} ({dataset.dataset_id})", f"`dataops quality show {dataset.dataset_id}`"
    again = f"`dataops quality validate {dataset.dataset_id} --force`"
    try:
        quality = client.quality.get(dataset.dataset_id)
        connector = client.datasets.get_connector(dataset.dataset_id)
    except NotFoundError:  # torn down meanwhile
        return
    if not quality.meets_threshold:
        bad = [
            f"{check} {told['status']}"
            for check, told in quality.checks.model_dump().items()
            if told["status"] != "passed"
        ]
        yield Finding(
            State.WRONG,
            f"{name} is below its threshold: {quality.overall_score} of {quality.threshold:g}; {', '.join(bad)}.",
            f"{show} says why; {again} checks again; else delete it and provision it anew",
        )
    if connector.status != _HEALTHY:
        yield Finding(
            State.WRONG if connector.status == _UNHEALTHY else State.ODD,
            f"The connector of {name} is {connector.status}: {connector.status_reason or 'no reason is given'}",
            f"{again} looks at it again; {_logs()}/api.log",
        )


def _logs() -> str:
    """Where the logs are: in the home, which is another machine's where there is none here."""
    return f"{home()}/logs" if home().is_dir() else "$DATAOPS_HOME/logs of its machine"


def _counted(number: int) -> str:
    return f"{number} dataset" if number == 1 else f"{number} datasets"
