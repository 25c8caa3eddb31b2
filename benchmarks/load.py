"""Ten minutes of mixed load on a running stack: reads, polls, requests for datasets and teardowns, and some mistakes.

    .venv/bin/python -m benchmarks.load [--minutes 10]

Prints two tables: what was asked, how often, and how it was answered; and memory and database connections of the stack
in the first and in the last third of the time, which should be alike. Every answer has the statuses that it may have:
another one is counted as an error, and the command ends with status 1. All traffic stays on the loopback.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from uuid import uuid4

import httpx
import psycopg2
from rich.console import Console
from rich.table import Table
from sqlalchemy import make_url

from a_domain_sdk import DataOpsClient
from benchmarks.http_load import Answer, Tally, at_rate, request
from benchmarks.running import resolved_settings, running, settings_of, temporary_home
from benchmarks.stack import usage
from dataops_cli.background import Stack
from dataops_core.settings import API_PREFIX, Settings

PER_SECOND = 15.0
#: Out of a hundred requests. Eight in ten read; what makes datasets is as much as two cores can carry out.
SHARES = {
    "list": 25,
    "get": 25,
    "quality": 12,
    "usage": 8,
    "templates": 5,
    "records": 5,
    "poll": 12,
    "post": 1,
    "teardown": 1,
    "mistake": 6,
}
_SAMPLE_SECONDS = 5.0
_RECORDS = 20


@dataclass(slots=True)
class Asked:
    """One request, and the statuses that are no error."""

    kind: str
    fine: frozenset[int]
    prepared: bytes


@dataclass(slots=True)
class Story:
    """What is asked next, by what the answers so far have told."""

    token: str
    chance: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311  repeatable, not secret
    asked: list[Asked] = field(default_factory=list)
    operations: list[str] = field(default_factory=list)
    ready: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    answers: dict[str, Counter[int]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def requests(self, count: int) -> Iterator[bytes]:
        """So many requests, each made when it is due."""
        kinds, weights = list(SHARES), list(SHARES.values())
        for _ in range(count):
            (kind,) = self.chance.choices(kinds, weights)
            asked = self._make(kind)
            self.asked.append(asked)
            yield asked.prepared

    def heard(self, number: int, answer: Answer) -> None:
        """Learns from an answer."""
        asked = self.asked[number]
        self.answers.setdefault(asked.kind, Counter())[answer.status] += 1
        if answer.status not in asked.fine:
            self.errors.append(f"{asked.kind}: {answer.status} {answer.body[:300]!r}")
        if asked.kind == "post" and answer.status == 202:
            body = json.loads(answer.body)
            self.operations.append(body["operation_id"])
            self.known += [made["dataset_id"] for made in body["datasets"]]
        if asked.kind == "poll" and answer.status == 200:
            body = json.loads(answer.body)
            done = body["status"] == "completed" and body["operation_type"] == "dataset_provisioning"
            if done and body["operation_id"] in self.operations:
                self.operations.remove(body["operation_id"])
                self.ready += [one["dataset_id"] for one in body["result"]["datasets"] if one["status"] == "ready"]
            elif body["status"] == "failed":
                self.errors.append(f"operation {body['operation_id']}: {body['error']}")

    def _make(self, kind: str) -> Asked:
        dataset = self.chance.choice(self.known) if self.known else str(uuid4())
        there = {200} if self.known else {404}
        match kind:
            case "list":
                query = self.chance.choice(("", "?status=ready", "?stage=sandbox&page=2", "?sort=name&per_page=50"))
                return self._get(kind, f"/datasets{query}", {200})
            case "get":
                return self._get(kind, f"/datasets/{dataset}", there)
            case "quality" | "usage":
                return self._get(kind, f"/datasets/{dataset}/{kind}", there)
            case "records":
                return self._get(kind, f"/datasets/{dataset}/records?per_page=10", {200, 404, 409, 410})
            case "templates":
                return self._get(kind, "/templates?industry=fintech", {200})
            case "poll" if self.operations:
                return self._get(kind, f"/operations/{self.chance.choice(self.operations)}", {200})
            case "post":
                return Asked(kind, frozenset({202}), self._post("/datasets", new_dataset()))
            case "teardown" if self.ready:
                gone = self.ready.pop(0)
                return Asked(kind, frozenset({202}), self._send("DELETE", f"/datasets/{gone}"))
            case "mistake":
                return self._mistake()
            case _:
                return self._get("list", "/datasets", {200})

    def _mistake(self) -> Asked:
        kind = "mistake"
        match self.chance.randrange(4):
            case 0:
                return self._get(kind, f"/datasets/{uuid4()}", {404})
            case 1:
                return Asked(kind, frozenset({400}), self._post("/datasets", {"stage": "moon"}))
            case 2:
                return Asked(kind, frozenset({405}), self._send("PUT", "/datasets"))
            case _:
                bad = request("GET", f"{API_PREFIX}/datasets", {"Authorization": "Bearer no.token.atall"})
                return Asked(kind, frozenset({401}), bad)

    def _get(self, kind: str, path: str, fine: set[int]) -> Asked:
        return Asked(kind, frozenset(fine), self._send("GET", path))

    def _post(self, path: str, body: object) -> bytes:
        return self._send("POST", path, json.dumps(body).encode())

    def _send(self, method: str, path: str, body: bytes = b"") -> bytes:
        return request(method, f"{API_PREFIX}{path}", {"Authorization": f"Bearer {self.token}"}, body)


def new_dataset() -> dict[str, object]:
    """A small dataset of a new customer."""
    return {
        "journey_id": str(uuid4()),
        "client_id": str(uuid4()),
        "stage": "sandbox",
        "dataset_types": ["confluence_pages"],
        "generation": {"record_count": _RECORDS},
    }


@dataclass(slots=True)
class Sample:
    """The stack at one moment: MiB of memory by child, and connections to its PostgreSQL server."""

    memory: dict[str, float]
    connections: int


class Sampler:
    """Looks at the stack every few seconds, in a thread, until it is stopped."""

    def __init__(self, stack: Stack, settings: Settings) -> None:
        self.samples: list[Sample] = []
        self._stack = stack
        self._dsn = make_url(settings.registry_url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler")

    def __enter__(self) -> "Sampler":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        with closing(psycopg2.connect(self._dsn)) as connection:
            connection.autocommit = True
            while not self._stop.wait(_SAMPLE_SECONDS):
                memory = {name: each.pss or each.rss for name, each in usage(self._stack).items()}
                with connection.cursor() as cursor:
                    cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")
                    (count,) = cursor.fetchone() or (0,)
                self.samples.append(Sample(memory, count))


def report_answers(story: Story, tally: Tally, minutes: float) -> Table:
    table = Table(title=f"{minutes:g} minutes at {PER_SECOND:.0f} requests a second")
    for heading in ("", "asked", "answers"):
        table.add_column(heading, justify="right" if heading == "asked" else "left")
    for kind, statuses in story.answers.items():
        said = ", ".join(f"{status}: {count}" for status, count in sorted(statuses.items()))
        table.add_row(kind, str(statuses.total()), said)
    table.caption = (
        f"{len(story.errors)} errors. p50 {tally.quantile(0.5):.0f} ms, p99 {tally.quantile(0.99):.0f} ms. "
        f"Load of the machine: {os.getloadavg()[0]:.1f}."
    )
    return table


def report_samples(samples: list[Sample]) -> Table:
    third = max(1, len(samples) // 3)
    first, last = samples[:third], samples[-third:]
    table = Table(title="Medians of the first and the last third")
    for heading in ("", "first", "last", "last / first"):
        table.add_column(heading, justify="left" if not heading else "right")

    def add(name: str, before: float, after: float) -> None:
        table.add_row(name, f"{before:.0f}", f"{after:.0f}", f"{after / before:.2f}" if before else "")

    for name in samples[0].memory:
        add(f"{name}, MiB", *(statistics.median(one.memory.get(name, 0) for one in part) for part in (first, last)))
    add("connections to PostgreSQL", *(statistics.median(one.connections for one in part) for part in (first, last)))
    return table


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    minutes: float = parser.parse_args().minutes
    console = Console(width=110)
    with temporary_home() as home:
        settings = settings_of(home)
        with running(settings) as stack:
            known = json.loads(stack.credentials_file.read_text(encoding="utf-8"))
            with DataOpsClient(**known, transport=httpx.HTTPTransport()) as client:
                story = Story(client.access_token())
            with Sampler(stack, resolved_settings(settings)) as sampler:
                load = at_rate(
                    settings.api_port,
                    story.requests(round(minutes * 60 * PER_SECOND)),
                    per_second=PER_SECOND,
                    connections=16,
                    heard=story.heard,
                )
                tally = asyncio.run(load)
    console.print(report_answers(story, tally, minutes))
    console.print(report_samples(sampler.samples))
    for error in story.errors[:20]:
        console.print(error, markup=False)
    return 1 if story.errors else 0


if __name__ == "__main__":
    sys.exit(main())
