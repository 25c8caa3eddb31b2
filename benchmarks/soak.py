"""Lives of datasets from request to nothing, one after the other at full speed: what is left over, and what grows?

    .venv/bin/python -m benchmarks.soak [--minutes 30] [--lives 4]

Several lives go on at once, each with a customer of its own: datasets are provisioned, validated again, moved to the
next stage by an event of their journey (every other life), torn down, with an archive or without, and purged. Prints
what was done how often and how long it took, memory and database connections in the first and the last third of the
time, and all that is not as it must be at the end (``tests/faults/leftovers.py``). Whatever does not end well is an
error, and so is a leftover: the command ends with status 1.
"""

import argparse
import json
import os
import statistics
import sys
import threading
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
from rich.console import Console
from rich.table import Table

from a_domain_sdk import DataOpsClient
from benchmarks.load import Sampler, report_samples
from benchmarks.running import resolved_settings, running, settings_of, temporary_home, wait_for_runs_to_end
from dataops_cli.background import Stack
from dataops_core.registry.database import Database
from dataops_core.settings import API_PREFIX, Settings
from tests.faults.leftovers import leftovers

#: Whatever is waited for ends within this; four lives share two cores.
_LIMIT_SECONDS = 180.0
_POLL_SECONDS = 0.5
#: What is under way when the time is up ends by itself, sensors and schedules included.
_ENDING_SECONDS = 120.0
_RECORDS = 60


class Lives:
    """Datasets that come and go until the time is up. Safe to use from many threads."""

    def __init__(self, base_url: str, token: Callable[[], str], until: float) -> None:
        self.took: dict[str, list[float]] = defaultdict(list)
        self.errors: list[str] = []
        self._token = token
        self._until = until
        self._lock = threading.Lock()
        self._api = httpx.Client(base_url=base_url, timeout=60, trust_env=False)

    def close(self) -> None:
        """Closes the connections."""
        self._api.close()

    def go_on(self, first: int) -> None:
        """One life after the other, of every kind in turn."""
        number = first
        while time.monotonic() < self._until:
            try:
                with self._timed("a whole life"):
                    self._life(number)
            except Exception as error:
                with self._lock:
                    self.errors.append(f"life {number}: {error}\n{traceback.format_exc(limit=-3)}")
            number += 1

    def _life(self, number: int) -> None:
        moves, archives = bool(number % 2), bool(number // 2 % 2)
        journey_id, client_id = str(uuid4()), str(uuid4())
        types = ["github_repos"] if moves else ["confluence_pages", "github_repos"]
        with self._timed("provision"):
            made = self._ends(
                self._ask(
                    "POST",
                    "/datasets",
                    {
                        "journey_id": journey_id,
                        "client_id": client_id,
                        "stage": "sandbox",
                        "dataset_types": types,
                        "generation": {"record_count": _RECORDS},
                    },
                )
            )
        datasets = [part["dataset_id"] for part in made["result"]["datasets"]]
        with self._timed("validate"):
            for dataset_id in datasets:
                self._ends(self._ask("POST", f"/datasets/{dataset_id}/quality/validate", {"force_revalidation": True}))
        if moves:
            with self._timed("transition"):
                self._told(journey_id, client_id, event="stage_transition", to_stage="pilot")
            with self._timed("complete the journey"):
                self._told(journey_id, client_id, event="journey_completed")
        else:
            with self._timed("tear down"):
                for dataset_id in datasets:
                    self._ends(self._ask("DELETE", f"/datasets/{dataset_id}?archive={str(archives).lower()}"))
        with self._timed("purge"):
            for dataset in self._ask("GET", f"/datasets?client_id={client_id}&per_page=100")["datasets"]:
                _must(dataset["status"] == "archived", f"dataset {dataset['dataset_id']} is {dataset['status']}")
                self._ends(self._ask("DELETE", f"/datasets/{dataset['dataset_id']}?archive=false"))

    def _told(self, journey_id: str, client_id: str, **event: str) -> None:
        """The event, acted on to its end."""
        body = {
            "event_id": str(uuid4()),
            "client_id": client_id,
            "occurred_at": datetime.now(UTC).isoformat(),
            **event,
        }
        self._ask("POST", f"/journeys/{journey_id}/events", body)
        for _ in self._in_time(f"the {event['event']} of journey {journey_id}"):
            events = self._ask("GET", f"/journeys/{journey_id}?client_id={client_id}")["events"]
            told = next(one for one in events if one["event_id"] == body["event_id"])
            if told["status"] not in {"pending", "in_progress"}:
                _must(told["status"] == "completed", f"event {told}")
                return

    def _ends(self, accepted: dict[str, Any]) -> dict[str, Any]:
        """The operation, completed."""
        path = f"/operations/{accepted['operation_id']}?wait=20"
        operation: dict[str, Any] = {}
        for _ in self._in_time(f"operation {accepted['operation_id']}"):
            operation = self._ask("GET", path)
            if operation["status"] not in {"pending", "in_progress"}:
                break
        _must(operation["status"] == "completed", f"operation {operation}")
        return operation

    def _ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        answer = self._api.request(method, path, json=body, headers={"Authorization": f"Bearer {self._token()}"})
        _must(answer.is_success, f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        content: dict[str, Any] = answer.json() if answer.content else {}
        return content

    @staticmethod
    def _in_time(what: str) -> Iterator[None]:
        deadline = time.monotonic() + _LIMIT_SECONDS
        while time.monotonic() < deadline:
            yield
            time.sleep(_POLL_SECONDS)
        raise RuntimeError(f"{what} does not end within {_LIMIT_SECONDS:.0f} s")

    @contextmanager
    def _timed(self, what: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        with self._lock:
            self.took[what].append(time.monotonic() - started)


def _must(condition: bool, otherwise: str) -> None:
    if not condition:
        raise RuntimeError(otherwise)


def left_over(stack: Stack, settings: Settings) -> list[str]:
    """What is not as it must be, once what was under way has had its time to end."""
    wait_for_runs_to_end(stack)
    known = json.loads((stack.home / "runtime.json").read_text(encoding="utf-8"))
    with closing(Database.from_settings(settings, pool_size=1)) as registry:
        deadline = time.monotonic() + _ENDING_SECONDS
        while True:
            found = leftovers(
                registry,
                settings.data_path,
                dagster_url=stack.dagster_url,
                dagster_database_url=known["dagster_database_url"],
            )
            if not found or time.monotonic() > deadline:
                return found
            time.sleep(_POLL_SECONDS)


def report(lives: Lives, minutes: float, at_once: int) -> Table:
    table = Table(title=f"{minutes:g} minutes of {at_once} lives at once")
    for heading in ("", "times", "median s", "longest s"):
        table.add_column(heading, justify="left" if not heading else "right")
    for what, took in lives.took.items():
        table.add_row(what, str(len(took)), f"{statistics.median(took):.1f}", f"{max(took):.1f}")
    table.caption = f"{len(lives.errors)} errors. Load of the machine: {os.getloadavg()[0]:.1f}."
    return table


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--lives", type=int, default=4, help="at once")
    arguments = parser.parse_args()
    console = Console(width=110)
    with temporary_home() as home:
        settings = settings_of(home)
        with running(settings) as stack:
            resolved = resolved_settings(settings)
            known = json.loads(stack.credentials_file.read_text(encoding="utf-8"))
            with DataOpsClient(**known, transport=httpx.HTTPTransport()) as client, Sampler(stack, resolved) as sampler:
                base_url = f"{settings.public_base}{API_PREFIX}"
                with (
                    closing(Lives(base_url, client.access_token, time.monotonic() + arguments.minutes * 60)) as lives,
                    ThreadPoolExecutor(arguments.lives) as threads,
                ):
                    for _ in threads.map(lives.go_on, range(arguments.lives)):
                        pass
            left = left_over(stack, resolved)
    console.print(report(lives, arguments.minutes, arguments.lives))
    console.print(report_samples(sampler.samples))
    console.print("Nothing is left over." if not left else f"{len(left)} things are left over.")
    for line in [*lives.errors[:20], *left[:50]]:
        console.print(line, markup=False)
    return 1 if lives.errors or left else 0


if __name__ == "__main__":
    sys.exit(main())
