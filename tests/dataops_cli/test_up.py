"""``dataops up`` from start to end, on the real thing: what it writes, what it mends, and that nothing of it stays.

The tests live through the starts of one installation in the order of this file: a start takes seconds. The first start
is the one that the tests of faults have shared before.
"""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest

from dataops_cli.home import Home
from dataops_cli.processes import ProcessMark, instance_members

if TYPE_CHECKING:
    from tests.conftest import Stack

pytestmark = [pytest.mark.stack, pytest.mark.last, pytest.mark.timeout(300)]

#: What ``up`` promises.
END_SECONDS = 20.0
READY_SECONDS = 60.0


Command = Callable[..., "subprocess.CompletedProcess[str]"]


def wait_for(condition: Callable[[], bool], what: str, seconds: float) -> float:
    """Waits until it is true; returns the seconds that it took."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            pytest.fail(f"not within {seconds:g} s: {what}")
        time.sleep(0.05)
    return time.monotonic() - began


@pytest.fixture
def command(dataops: Callable[..., "subprocess.CompletedProcess[str]"]) -> Command:
    """Runs a command with a stack's settings."""

    def run(stack: "Stack", *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        settings = {name: value for name, value in stack.environment.items() if name.startswith("DATAOPS_")}
        return dataops(stack.home, *arguments, **(settings | variables))

    return run


def whole(stack: "Stack") -> bool:
    """Whether every component is up."""
    try:
        answer = httpx.get(f"{stack.settings.public_base}/readyz", timeout=5, trust_env=False)
    except httpx.HTTPError:
        return False
    components = answer.json().get("components", {})
    return bool(components) and all(component["state"] == "up" for component in components.values())


def processes(stack: "Stack") -> list[ProcessMark]:
    """The supervisor, its watchdog and every process of the children, PostgreSQL's included."""
    supervisor = psutil.Process(stack.process.pid)
    pids = [supervisor.pid, *(child.pid for child in supervisor.children(recursive=True))]
    return [mark for pid in pids if (mark := ProcessMark.of(pid)) is not None]


def children(stack: "Stack") -> Mapping[str, ProcessMark]:
    record = Home(stack.home).read_record()
    assert record is not None
    return record.children


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_secrets_are_the_owners_alone_and_the_credentials_work_where_they_say(mending_stack: "Stack") -> None:
    home = mending_stack.home
    private = ("credentials.json", "runtime.json", "secret_key", "processes.json")
    for name in (*private, "postgres_password") if mending_stack.embedded else private:
        assert mode(home / name) == 0o600, name
    for name in ("data", "dagster", "logs", "run"):
        assert mode(home / name) == 0o700, name
    assert set(mending_stack.credentials) == {"client_id", "client_secret", "token_url", "base_url"}
    assert mending_stack.base_url == f"{mending_stack.settings.public_base}/v1/dataops"
    with mending_stack.client() as client:
        assert client.get("/datasets").status_code == 200


def test_nothing_but_the_api_and_the_dagster_ui_listens_and_both_on_the_loopback(mending_stack: "Stack") -> None:
    listening = set()
    for mark in processes(mending_stack):
        with suppress(psutil.NoSuchProcess):  # a run, or who served one, may end meanwhile
            listening |= {
                connection.laddr
                for connection in psutil.Process(mark.pid).net_connections(kind="inet")
                if connection.status == psutil.CONN_LISTEN
            }
    settings = mending_stack.settings
    assert listening == {("127.0.0.1", settings.api_port), ("127.0.0.1", settings.dagster_port)}


def test_a_second_up_on_the_same_home_is_refused_and_the_first_goes_on(
    command: Command, mending_stack: "Stack"
) -> None:
    second = command(mending_stack, "up")
    assert second.returncode == 2
    assert second.stderr == (
        f"dataops: Another `dataops up` (process {mending_stack.process.pid}) runs on the home {mending_stack.home}: "
        "stop it with `dataops down` (in a checkout: `make down`), or set DATAOPS_HOME to another directory.\n"
    )
    assert whole(mending_stack)


@pytest.mark.long
def test_children_that_are_killed_are_back_and_all_is_whole_again(mending_stack: "Stack") -> None:
    before = children(mending_stack)
    assert len(before) == 4 + mending_stack.embedded + mending_stack.warm  # PostgreSQL, the run host
    for mark in before.values():
        mark.signal(signal.SIGKILL)

    def all_anew() -> bool:
        now = children(mending_stack)
        return now.keys() == before.keys() and all(now[name] != before[name] for name in before)

    wait_for(all_anew, "every child is started again", READY_SECONDS)
    wait_for(lambda: whole(mending_stack), "all is whole again", READY_SECONDS)
    with mending_stack.client() as client:
        assert client.get("/datasets").status_code == 200


def test_lost_credentials_are_replaced_by_credentials_create(command: Command, mending_stack: "Stack") -> None:
    file = mending_stack.home / "credentials.json"
    file.unlink()
    made = command(mending_stack, "credentials", "create")
    assert made.returncode == 0, made.stderr
    assert mode(file) == 0o600
    with mending_stack.client() as client:
        assert client.get("/datasets").status_code == 200


def test_credentials_cannot_be_made_where_nothing_runs(home: Path, dataops: Command) -> None:
    result = dataops(home, "credentials", "create", DATAOPS_SECRET_KEY="a secret of the tests, long enough")
    assert result.returncode == 2
    assert result.stderr == (
        f"dataops: No database is known: start `dataops up` on {home}, or set DATAOPS_DATABASE_URL.\n"
    )


# From here on the tests end the stack that those above share. Each works alone, too.


def test_a_killed_supervisor_leaves_no_process(mending_stack: "Stack") -> None:
    marks = processes(mending_stack)
    assert len(marks) >= 6
    mending_stack.process.kill()
    wait_for(lambda: not any(mark.lives() for mark in marks), "its processes are gone", END_SECONDS)


def test_the_next_start_finds_everything_and_down_ends_it_in_time_leaving_no_process_and_no_address(
    command: Command, mending_stack: "Stack", own_stack: Callable[..., "Stack"]
) -> None:
    mending_stack.stop()
    known = mending_stack.credentials
    again = own_stack(mending_stack.home)
    assert {name: again.credentials[name] for name in ("client_id", "client_secret")} == {
        name: known[name] for name in ("client_id", "client_secret")
    }
    with again.client() as client:
        assert client.get("/datasets").status_code == 200
    marks = processes(again)
    began = time.monotonic()
    first = command(again, "down")
    assert (first.returncode, first.stdout) == (0, f"Stopped what ran on {again.home}.\n")
    assert time.monotonic() - began < END_SECONDS
    assert again.process.wait(5) == 0
    assert [mark for mark in marks if mark.lives()] == []
    assert not (again.home / "runtime.json").exists()
    second = command(again, "down")
    assert (second.returncode, second.stdout) == (0, f"Nothing runs on {again.home}.\n")


@pytest.mark.long
def test_another_secret_than_the_one_it_began_with_refuses_the_start(command: Command, mending_stack: "Stack") -> None:
    mending_stack.stop()
    result = command(mending_stack, "up", DATAOPS_SECRET_KEY="another secret, long enough")
    assert result.returncode == 2
    assert result.stderr.startswith("dataops: The secret key does not fit the database: ")
    assert Home(mending_stack.home).read_record() is None


@pytest.mark.long
def test_it_ends_when_its_terminal_and_shell_go_away(mending_stack: "Stack") -> None:
    mending_stack.stop()
    master, slave = os.openpty()
    shell = subprocess.Popen(
        ["setsid", "--ctty", "sh", "-c", '"$0" -m dataops_cli.main up; true', sys.executable],
        env=mending_stack.environment,
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    said = b""
    while b"Ready" not in said:
        said += os.read(master, 4096)
    record = Home(mending_stack.home).read_record()
    assert record is not None
    marks = [record.supervisor, *record.children.values()]
    os.close(master)
    shell.wait(END_SECONDS)
    wait_for(lambda: not any(mark.lives() for mark in marks), "nothing is left", END_SECONDS)
    assert instance_members([record.instance]) == []
