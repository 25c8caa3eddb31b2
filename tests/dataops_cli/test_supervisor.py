"""The supervisor with small programs as its children: each runs in a process of its own, as ``dataops up`` would."""

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from dataops_cli.cleanup import end_left_over
from dataops_cli.home import Home, ProcessRecord
from dataops_cli.processes import Child, ChildSpec, instance_members, wait_gone
from dataops_core.process_marks import ProcessMark
from tests.waiting import wait_for

#: Supervises the children that CHILDREN lists until it is told to stop.
PROGRAM = """
import os, sys
from pathlib import Path
from dataops_cli.home import Home
from dataops_cli.processes import ChildSpec
from dataops_cli.supervisor import StopRequestedError, Supervisor, Unit
from dataops_cli.terminal import Terminal
from dataops_core.errors import ConfigurationError

home = Home(Path(sys.argv[1]))
home.open()
terminal = Terminal()
supervisor = Supervisor(home, terminal)
with home.locked(), supervisor.running():
    try:
        for number, (name, code) in enumerate(zip(sys.argv[2::2], sys.argv[3::2])):
            spec = ChildSpec(name, (sys.executable, "-c", code), dict(os.environ), home.path, ask_all=True, grace=1.0)
            noted = lambda name=name: (home.path / f"before_{name}").open("a").write("start\\n")
            supervisor.start(Unit(spec, stage=number, before=noted))
        terminal.line("started")
        if "FIRST_START" not in os.environ:
            supervisor.first_start_done()
        supervisor.supervise()
    except StopRequestedError:
        pass
    except ConfigurationError as error:
        terminal.line(error.message)
terminal.line("stopped")
"""

SLEEP = "import time; time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
)
#: Starts another program in its session and yet another in a session of that one's own.
PARENT = (
    "import subprocess, sys, time; sleep = [sys.executable, '-c', 'import time; time.sleep(600)'];"
    "subprocess.Popen(sleep); subprocess.Popen(sleep, start_new_session=True); print('born', flush=True);"
    "time.sleep(600)"
)


class Supervised:
    """A supervisor in a process of its own."""

    def __init__(self, home: Path, children: dict[str, str]) -> None:
        self.home = Home(home)
        arguments = [part for child in children.items() for part in child]
        self.process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(PROGRAM), str(home), *arguments],
            stdout=subprocess.PIPE,
            bufsize=0,  # What a buffer took beyond the first line would be lost to communicate().
            start_new_session=True,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"started\n"
        self.instance = self.record().instance

    def record(self) -> ProcessRecord:
        record = self.home.read_record()
        assert record is not None
        return record

    def mark(self, name: str) -> ProcessMark:
        return self.record().children[name]

    def log(self, name: str) -> str:
        return (self.home.logs / f"{name}.log").read_text()

    def members(self) -> list[int]:
        return instance_members([self.instance])

    def end(self) -> str:
        """Waits for its end and returns what it said."""
        said, _ = self.process.communicate(timeout=25)
        return said.decode()


@pytest.fixture
def supervise(home: Path) -> Iterator[Callable[..., Supervised]]:
    running: list[Supervised] = []

    def start(**children: str) -> Supervised:
        running.append(Supervised(home, children))
        return running[-1]

    yield start
    for one in running:
        if one.process.poll() is None:
            one.process.terminate()
        one.process.wait(25)
        assert one.process.stdout is not None
        one.process.stdout.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_signal_to_stop_ends_all_children_and_is_no_failure(
    supervise: Callable[..., Supervised], number: signal.Signals
) -> None:
    one = supervise(a=SLEEP, b=SLEEP)
    one.process.send_signal(number)
    assert one.end() == "stopped\n"
    assert one.process.returncode == 0
    assert one.members() == []
    assert one.home.read_record() is None


def test_the_highest_stage_ends_first(supervise: Callable[..., Supervised]) -> None:
    farewell = (
        "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(print(time.monotonic())));"
        "print('ready', flush=True); time.sleep(600)"
    )
    one = supervise(first=farewell, second=farewell, third=farewell)
    names = ("first", "second", "third")
    wait_for(lambda: all("ready" in one.log(name) for name in names), "all children listen")
    one.process.terminate()
    one.end()
    ended = {name: float(one.log(name).split()[-1]) for name in names}
    assert ended["third"] < ended["second"] < ended["first"]


def test_a_killed_child_is_started_again_and_said_so(supervise: Callable[..., Supervised]) -> None:
    one = supervise(worker=SLEEP)
    before = one.mark("worker")
    before.signal(signal.SIGKILL)
    wait_for(lambda: "worker" in one.record().children and one.mark("worker") != before, "a new worker")
    assert one.mark("worker").lives()
    assert (one.home.path / "before_worker").read_text() == "start\n" * 2
    one.process.terminate()
    log = one.home.logs / "worker.log"
    assert one.end() == f"worker was killed (SIGKILL); starting it again in 0.5 s (see {log})\nstopped\n"


def test_a_child_that_dies_again_and_again_is_started_ever_more_slowly(supervise: Callable[..., Supervised]) -> None:
    one = supervise(broken="import time; print(time.monotonic(), flush=True); raise SystemExit(3)")
    wait_for(lambda: len(one.log("broken").split()) >= 4, "the fourth start")
    first, second, third, fourth = [float(moment) for moment in one.log("broken").split()[:4]]
    assert second - first >= 0.5
    assert third - second >= 1.0
    assert fourth - third >= 2.0
    one.process.terminate()
    assert "broken ended with status 3; starting it again in 2 s" in one.end()


def test_a_child_that_dies_at_each_try_of_the_first_start_ends_it_with_the_childs_last_words(
    supervise: Callable[..., Supervised], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRST_START", "1")
    one = supervise(worker=SLEEP, broken="""print('{"message": "There is no such thing"}'); raise SystemExit(3)""")
    log = one.home.logs / "broken.log"
    *tries, sentence, stopped = one.end().splitlines()
    assert [line.partition(" (see")[0] for line in tries] == [
        f"broken ended with status 3; starting it again in {delay} s" for delay in ("0.5", "1", "2")
    ]
    assert sentence == (f"broken does not start: it ended with status 3, There is no such thing (the whole log: {log})")
    assert stopped == "stopped"
    assert one.members() == []


def test_a_child_that_does_not_listen_is_killed_when_its_time_is_over(supervise: Callable[..., Supervised]) -> None:
    one = supervise(deaf=STUBBORN)
    wait_for(lambda: "deaf" in one.log("deaf"), "the child ignores the signal")
    one.process.terminate()
    assert one.end() == "deaf did not end in time and was killed\nstopped\n"
    assert one.members() == []


def test_what_a_child_started_ends_too_also_in_a_session_of_its_own(supervise: Callable[..., Supervised]) -> None:
    one = supervise(parent=PARENT)
    wait_for(lambda: "born" in one.log("parent") and len(one.members()) == 3, "a child and two of its own")
    one.process.terminate()
    one.end()
    assert one.members() == []


def test_a_killed_supervisor_leaves_no_process(supervise: Callable[..., Supervised]) -> None:
    one = supervise(parent=PARENT, deaf=STUBBORN)
    wait_for(lambda: "deaf" in one.log("deaf") and len(one.members()) == 4, "all processes")
    one.process.kill()
    wait_for(lambda: one.members() == [], "the watchdog ended them")
    wait_for(lambda: one.home.read_record() is None, "and forgot them")


def watchdogs(one: Supervised) -> list[psutil.Process]:
    found = []
    for child in psutil.Process(one.process.pid).children():
        with contextlib.suppress(psutil.NoSuchProcess):
            if "dataops_cli.watchdog" in child.cmdline():
                found.append(child)
    return found


def test_the_watchdog_is_watched_as_well(supervise: Callable[..., Supervised]) -> None:
    one = supervise(worker=SLEEP)
    wait_for(lambda: len(watchdogs(one)) == 1, "the watchdog")
    [before] = watchdogs(one)
    before.kill()
    wait_for(lambda: [child.pid for child in watchdogs(one)] not in ([], [before.pid]), "another watchdog")


def test_a_killed_supervisor_and_watchdog_leave_it_to_the_next_start(
    supervise: Callable[..., Supervised], home: Path
) -> None:
    one = supervise(worker=PARENT)
    wait_for(lambda: len(one.members()) == 3, "all processes")
    worker = one.mark("worker")
    wait_for(lambda: len(watchdogs(one)) == 1, "the watchdog")
    [watchdog] = watchdogs(one)
    one.process.send_signal(signal.SIGSTOP)  # it would start another one
    watchdog.kill()
    one.process.kill()
    one.process.communicate()
    assert worker.lives()
    with Home(home).locked():
        assert end_left_over(Home(home))
    assert one.members() == []


def test_a_start_outlasts_the_last_moment_of_the_watchdog_before_it(home: Path) -> None:
    """It has removed the record of the killed one and still holds the home."""
    held, leave = threading.Event(), threading.Event()

    def watchdog() -> None:
        with Home(home).locked():
            held.set()
            leave.wait(10)

    thread = threading.Thread(target=watchdog)
    thread.start()
    assert held.wait(10)
    threading.Timer(0.3, leave.set).start()
    with Home(home).locked():
        assert leave.is_set()
    thread.join(10)


def test_a_process_that_got_a_recorded_number_later_is_not_touched(home: Path) -> None:
    environment = {"PATH": os.defpath}
    other = Child.start(ChildSpec("other", (sys.executable, "-c", SLEEP), environment, home), home / "other.log")
    reused = ProcessMark(other.mark.pid, "another boot:1")
    Home(home).write_record(ProcessRecord("an instance that is gone", reused, {"worker": reused}))
    assert not end_left_over(Home(home))
    assert other.returncode() is None
    other.stop()


def test_a_terminal_that_went_away_does_not_end_the_supervisor_midway(supervise: Callable[..., Supervised]) -> None:
    one = supervise(a=SLEEP, deaf=STUBBORN)
    wait_for(lambda: "deaf" in one.log("deaf"), "the child ignores the signal")
    assert one.process.stdout is not None
    one.process.stdout.close()
    one.process.send_signal(signal.SIGHUP)
    assert one.process.wait(25) == 0
    assert one.members() == []


def test_the_log_of_the_start_before_is_kept_beside_the_new_one(supervise: Callable[..., Supervised]) -> None:
    def run(word: str) -> Supervised:
        one = supervise(worker=f"print({word!r}, flush=True); {SLEEP}")
        wait_for(lambda: word in one.log("worker"), "the child's word")
        one.process.terminate()
        one.end()
        return one

    run("one")
    supervised = run("two")
    assert supervised.log("worker") == "two\n"
    assert (supervised.home.logs / "worker.log.1").read_text() == "one\n"


def test_waiting_for_the_end_of_a_living_process_says_that_it_was_in_vain() -> None:
    own = ProcessMark.of(os.getpid())
    assert own is not None
    assert not wait_gone([own], timeout=0.05)
