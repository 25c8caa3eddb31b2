"""``dataops demo`` as a user runs it: on a stack of its own, watched by nobody, and gone afterwards."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from a_domain_sdk import DataOpsClient
from dataops_cli import demo_story
from dataops_core.lifecycle import PROVISIONING_STEPS, TEARDOWN_STEPS

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

_COMMAND = [sys.executable, "-m", "dataops_cli.main"]


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """One home for the demos of this module, one after the other; nothing may be left running on it."""
    with tempfile.TemporaryDirectory(prefix="dol-", dir="/tmp") as directory:
        Path(directory).chmod(0o711)
        home = Path(directory) / "demo"
        yield home
        assert processes_of(home) == []


def environment(home: Path, **variables: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("DATAOPS_", "KEEP"))}
    return inherited | {"DATAOPS_HOME": str(home)} | variables


def processes_of(home: Path) -> list[str]:
    """The commands of all processes that work on this home."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("DATAOPS_HOME") == str(home) or str(home) in " ".join(process.cmdline()):
                found.append(" ".join(process.cmdline()))
        except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
            continue
    return found


def dataops(home: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*_COMMAND, *arguments],
        env=environment(home, **variables),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def steps_in(lines: list[str]) -> list[str]:
    return [match[1] for line in lines if (match := re.match(r"  step \d of \d: (.*) \([\d.]+ s\)$", line))]


@pytest.mark.long
def test_the_demo_shows_everything_and_leaves_nothing_running_whatever_the_environment_says(home: Path) -> None:
    # A database of somebody's own and a proxy are no business of the demo's.
    done = dataops(
        home,
        "demo",
        DATAOPS_DATABASE_URL="postgresql://nobody@nowhere.invalid/production",
        DATAOPS_API_PORT="1",
        HTTP_PROXY="http://nowhere.invalid:3128",
        http_proxy="http://nowhere.invalid:3128",
    )

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "\x1b" not in done.stdout
    lines = done.stdout.splitlines()
    assert steps_in(lines) == [*PROVISIONING_STEPS, *TEARDOWN_STEPS, *TEARDOWN_STEPS]
    ready = [line for line in lines if line.startswith("  ready: ")]
    assert re.search(r"ACME-Sandbox-Confluence, 500 records, 1\d\.\d MiB, from 'FinTech Developer Prod", ready[0])
    assert re.search(r"ACME-Sandbox-GitHub, \d+ records", ready[1])
    assert len(re.findall(r"^  ACME-Sandbox-\w+ +\d+\.\d +meets 95 ", done.stdout, re.MULTILINE)) == 2
    assert done.stdout.count("10/10 test queries successful") == 2
    assert len(re.findall(r"^  \? ", done.stdout, re.MULTILINE)) >= 4
    assert "https://wiki." in done.stdout
    assert "https://github." in done.stdout
    assert re.search(r"^  API docs +http://127\.0\.0\.1:\d+/docs$", done.stdout, re.MULTILINE)
    assert re.search(r"^  Dagster run +http://127\.0\.0\.1:\d+/runs/[0-9a-f-]{36}$", done.stdout, re.MULTILINE)
    assert done.stdout.count("its connector answers 410 Gone") == 2
    assert lines[-1].startswith("Stopped")
    assert processes_of(home) == []


@pytest.mark.long
def test_keep_leaves_the_stack_with_ready_datasets_until_down(home: Path) -> None:
    try:
        kept = dataops(home, "demo", KEEP="1")
        assert kept.returncode == 0, kept.stderr
        assert f"DATAOPS_HOME={home}" in kept.stdout

        credentials = json.loads((home / "credentials.json").read_text(encoding="utf-8"))
        assert credentials["base_url"] in kept.stdout
        origin = credentials["base_url"].removesuffix("/v1/dataops")
        assert httpx.get(f"{origin}/readyz", trust_env=False).json()["components"]["dagster"]["state"] == "up"
        with DataOpsClient(
            credentials["client_id"],
            credentials["client_secret"],
            base_url=credentials["base_url"],
            transport=httpx.HTTPTransport(),
        ) as client:
            ready = list(client.datasets.list(client_id=demo_story.CUSTOMER, status="ready"))
        assert sorted(dataset.dataset_type for dataset in ready) == sorted(demo_story.DATASET_TYPES)
        for dataset in ready:
            assert dataset.connector is not None
            assert dataset.connector.endpoint_url in kept.stdout

        second = dataops(home, "demo")
        assert second.returncode == 2
        assert second.stderr.startswith("dataops: Another `dataops up`")
        assert second.stderr.count("\n") == 1
        assert httpx.get(f"{origin}/healthz", trust_env=False).status_code == 200
    finally:
        stopped = dataops(home, "down")
    assert stopped.stdout == f"Stopped what ran on {home}.\n"
    assert processes_of(home) == []


@pytest.mark.long
def test_an_interrupted_demo_stops_what_it_started(home: Path) -> None:
    with subprocess.Popen(
        [*_COMMAND, "demo"],
        env=environment(home, PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as demo:
        assert demo.stdout is not None
        assert any("202 Accepted" in line for line in demo.stdout)
        demo.send_signal(signal.SIGINT)
        _, said = demo.communicate(timeout=60)

    assert demo.returncode == 128 + signal.SIGINT
    assert said == "The demo was interrupted.\n"
    assert processes_of(home) == []


@pytest.mark.long
def test_a_demo_that_fails_says_why_in_a_sentence_and_stops_what_it_started(home: Path) -> None:
    script = (
        "import sys; from dataops_cli import demo, demo_story; demo_story.DATASET_TYPES = ('love_letters',); "
        "sys.exit(demo.run_demo(keep=True))"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], env=environment(home), capture_output=True, text=True, timeout=120, check=False
    )

    assert done.returncode == 1
    assert done.stderr.startswith("The demo failed: Request validation failed; dataset_types")
    assert done.stderr.endswith(f"Logs are in {home / 'logs'}\n")
    assert processes_of(home) == []


def test_a_home_that_cannot_be_used_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory", encoding="utf-8")

    done = dataops(tmp_path / "file", "demo")

    assert done.returncode == 2
    assert re.fullmatch(r"dataops: The home .* cannot be written .*\n", done.stderr)
