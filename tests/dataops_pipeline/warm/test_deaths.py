"""The run host killed, stopped and ended: its runs go on, and each of them has an end."""

import os
import signal
import subprocess
import sys

import psutil
import pytest
from dagster._core.errors import DagsterLaunchFailedError
from dagster._core.launcher import WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG

from dataops_pipeline.warm import launcher as launching
from tests.dataops_pipeline.warm.conftest import HERE, Warm, wait_for

pytestmark = pytest.mark.long


def test_a_run_outlives_its_host_and_the_next_host_takes_it_over(own_warm: Warm) -> None:
    """C-86: adopted, terminated by the next host as by its own, and it counts among those at once."""
    launched = own_warm.launch("stay")
    pid = launched.told()["pid"]
    own_warm.kill()
    assert psutil.pid_exists(pid)
    assert own_warm.launcher.check_run_worker_health(launched.run).status is WorkerStatus.RUNNING
    own_warm.start(most=1)
    assert own_warm.status()["runs"] == {launched.run_id: pid}
    waiting = own_warm.launch("describe")
    assert own_warm.status()["waiting"] == [waiting.run_id]
    launched.go()
    launched.ended("SUCCESS")
    waiting.ended("SUCCESS")
    wait_for(own_warm.idle, "the host is idle")
    assert own_warm.written() == []
    # It ended as it should: nobody calls that a loss.
    assert "is gone" not in launched.said()


def test_a_run_that_died_with_its_host_is_reported_by_the_next_one(own_warm: Warm) -> None:
    """C-86."""
    launched = own_warm.launch("stay")
    pid = launched.told()["pid"]
    own_warm.kill()
    os.kill(pid, signal.SIGKILL)
    wait_for(
        lambda: own_warm.launcher.check_run_worker_health(launched.run).status is WorkerStatus.FAILED,
        "the health check sees it without a host, too",
    )
    own_warm.start()
    said = launched.ended("FAILURE")
    assert f"The run process {pid} is gone. It ended while no run host was there to see how." in said
    wait_for(own_warm.idle, "the host is idle")
    assert own_warm.written() == []


def test_a_run_that_waited_when_the_host_died_is_started_by_the_next_one(own_warm: Warm) -> None:
    """C-81."""
    first, waiting = own_warm.launch("stay"), own_warm.launch("describe")
    pid = first.told()["pid"]
    own_warm.kill()
    os.kill(pid, signal.SIGKILL)
    own_warm.start()
    waiting.ended("SUCCESS")
    first.ended("FAILURE")


def test_a_run_can_be_terminated_while_there_is_no_host(own_warm: Warm) -> None:
    """C-84."""
    launched, waiting = own_warm.launch("stay"), own_warm.launch("stay")
    launched.told()
    own_warm.kill()
    assert own_warm.launcher.terminate(launched.run_id)
    launched.ended("CANCELED")
    assert own_warm.launcher.terminate(waiting.run_id)
    waiting.ended("CANCELED")


def test_a_run_of_whose_process_nothing_is_written_down_is_cancelled_when_asked_for(own_warm: Warm) -> None:
    """C-84: nobody waits for what cannot end any more."""
    launched = own_warm.launch("stay")
    pid = launched.told()["pid"]
    own_warm.kill()
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not psutil.pid_exists(pid), "the process is gone")
    assert own_warm.launcher.terminate(launched.run_id)
    assert "The run was cancelled; it had no process." in launched.ended("CANCELED")


def test_a_host_that_is_asked_to_end_ends_its_runs_first(own_warm: Warm) -> None:
    launched, waiting = own_warm.launch("stay"), own_warm.launch("describe")
    pid = launched.told()["pid"]
    assert own_warm.host is not None
    own_warm.host.terminate()
    assert own_warm.host.wait(30) == 0
    assert not psutil.pid_exists(pid)
    assert (launched.place / "finally").exists()
    assert launched.run.is_finished
    assert not own_warm.socket.exists()
    own_warm.start()
    waiting.ended("SUCCESS")


def test_a_host_that_hangs_fails_the_launch_in_one_sentence_and_starts_nothing_later(
    own_warm: Warm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C-81: the operation is launched again, and no run has two processes."""
    monkeypatch.setattr(launching, "_ANSWER_SECONDS", 0.3)
    own_warm.process().suspend()
    with pytest.raises(DagsterLaunchFailedError, match=r"The run host did not answer within 0\.3 s"):
        own_warm.launch("describe")
    (launched,) = own_warm.runs
    assert launched.status == "FAILURE"
    own_warm.process().resume()
    wait_for(own_warm.idle, "the host is idle")
    assert not (launched.place / "told.json").exists()


def test_only_one_host_serves_a_place(own_warm: Warm) -> None:
    arguments = [sys.executable, HERE / "host_for_tests.py", own_warm.socket, own_warm.records, "1", "0", "30"]
    other = subprocess.run(arguments, env=own_warm.environment, capture_output=True, text=True, timeout=60, check=False)
    assert other.returncode == 1
    assert other.stderr.strip() == f"Another run host serves {own_warm.socket}."
    own_warm.launch("describe").ended("SUCCESS")


def test_the_end_of_a_run_is_reported_once_dagsters_database_answers_again(own_warm: Warm) -> None:
    """C-86: reported again and again, by this host or the next."""
    launched = own_warm.launch("stay")
    pid = launched.told()["pid"]
    own_warm.kill()
    os.kill(pid, signal.SIGKILL)
    reachable = own_warm.environment["DATAOPS_DAGSTER_DATABASE_URL"]
    own_warm.environment["DATAOPS_DAGSTER_DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/nothing"
    own_warm.start()
    wait_for(lambda: "a forked process failed" in own_warm.log(), "the report was tried")
    assert own_warm.status()["unreported"] == [launched.run_id]
    assert launched.status == "STARTED"
    own_warm.kill()
    own_warm.environment["DATAOPS_DAGSTER_DATABASE_URL"] = reachable
    own_warm.start()
    launched.ended("FAILURE")


def test_runs_of_other_launchers_are_none_of_its_business(own_warm: Warm) -> None:
    """``dagster dev`` beside a running ``up`` starts runs its own way."""
    launched = own_warm.launch("stay")
    launched.told()
    own_warm.instance.add_run_tags(launched.run_id, {GRPC_INFO_TAG: '{"host": "localhost", "socket": "/gone"}'})
    own_warm.kill()
    (own_warm.records / f"{launched.run_id}.json").unlink()
    assert own_warm.launcher.check_run_worker_health(launched.run).status is WorkerStatus.RUNNING
