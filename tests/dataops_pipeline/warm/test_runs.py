"""Runs in forked processes: what they inherit and what not, how they end, and what is said where they are ended."""

import os
import signal
import subprocess
from pathlib import Path

import psutil
import pytest
from dagster._core.launcher import WorkerStatus
from dagster._core.storage.dagster_run import DagsterRunStatsSnapshot

from dataops_pipeline.warm import processes
from dataops_pipeline.warm.messages import ask
from tests.dataops_pipeline.warm.conftest import Launched, Warm, wait_for


@pytest.fixture(autouse=True)
def idle(warm: Warm) -> None:
    """Nothing of an earlier test is on the host, and it is as single as ever."""
    wait_for(warm.idle, "the host is idle")
    assert warm.status()["threads"] == 1


def open_files(warm: Warm) -> set[str]:
    return {
        entry.readlink().as_posix() for entry in sorted(warm.files().iterdir()) if entry.name not in {"0", "1", "2"}
    }


def test_a_run_has_a_process_and_a_session_of_its_own_and_nothing_open_that_is_the_hosts(warm: Warm) -> None:
    hosts = open_files(warm)
    assert any(link.startswith("socket:") for link in hosts)
    launched = warm.launch("describe")
    told = launched.told()
    launched.ended("SUCCESS")
    assert told["pid"] != warm.process().pid
    assert told["session"] == told["pid"]
    assert not hosts & {link for number, link in told["open"].items() if number not in {"0", "1", "2"}}
    wait_for(warm.idle, "the process is gone, which says so after its run has ended")
    said = launched.said()
    assert f"Started process for run (pid: {told['pid']})." in said
    assert f"Process for run exited (pid: {told['pid']})." in said


def test_two_runs_share_no_connection(warm: Warm) -> None:
    stays = warm.launch("stay")
    stays.told()
    inherited = {
        entry.readlink().as_posix() for entry in warm.files(stays.told()["pid"]).iterdir() if int(entry.name) > 2
    }
    told = warm.launch("describe").told()
    sockets = {link for number, link in told["open"].items() if int(number) > 2 and link.startswith("socket:")}
    assert sockets
    assert not inherited & sockets
    stays.go()
    stays.ended("SUCCESS")


def test_what_a_step_prints_is_in_dagsters_logs_of_the_step(warm: Warm) -> None:
    launched = warm.launch("describe")
    launched.ended("SUCCESS")
    manager = warm.instance.compute_log_manager
    (key, *_) = manager.get_log_keys_for_log_key_prefix([launched.run_id, "compute_logs"], io_type=_out())
    captured = manager.get_log_data(key)
    assert captured.stdout is not None
    assert b"a word on standard output" in captured.stdout


def _out() -> object:
    from dagster._core.storage.compute_log_manager import ComputeIOType

    return ComputeIOType.STDOUT


def test_a_run_that_has_ended_leaves_neither_a_zombie_nor_a_record(warm: Warm) -> None:
    for launched in [warm.launch("describe") for _ in range(3)]:
        launched.ended("SUCCESS")
    wait_for(warm.idle, "the host is idle")
    assert warm.process().children() == []
    assert warm.written() == []


def test_a_run_that_is_terminated_is_interrupted_as_dagster_interrupts_runs(warm: Warm) -> None:
    """C-84: the step's ``finally`` runs, and the run is cancelled."""
    launched = warm.launch("stay")
    told = launched.told()
    assert warm.instance.run_launcher.terminate(launched.run_id)
    launched.ended("CANCELED")
    assert (launched.place / "finally").exists()
    wait_for(lambda: not psutil.pid_exists(told["pid"]), "the process is gone")
    assert not warm.instance.run_launcher.terminate(launched.run_id)


def test_a_run_that_does_not_end_when_asked_to_is_killed(warm: Warm) -> None:
    """C-84: what Dagster calls cancelled works on nothing any more."""
    launched = warm.launch("resist")
    pid = launched.told()["pid"]
    assert warm.launcher.terminate(launched.run_id)
    said = launched.ended("CANCELED")
    assert "The run did not end within 1.5 s after it was asked to: it was killed." in said
    assert not psutil.pid_exists(pid)


def test_a_run_whose_process_is_killed_fails_at_once_with_that_reason_and_all_that_it_started_is_gone(
    warm: Warm,
) -> None:
    """C-86."""
    launched = warm.launch("stay")
    told = launched.told()
    os.kill(told["pid"], signal.SIGKILL)
    said = launched.ended("FAILURE")
    assert f"The run process {told['pid']} ended with signal 9 (SIGKILL)." in said
    assert launched.run.tags["dataops/lost_because"] == f"The run process {told['pid']} ended with signal 9 (SIGKILL)."
    wait_for(lambda: not psutil.pid_exists(told["child"]), "the process that the run had started is gone")
    # Not one of Dagster's reasons: the run itself could not say, so its operation is lost.
    assert launched.run.tags.get("dagster/failure_reason") in {None, "UNKNOWN"}


def test_a_run_whose_process_leaves_without_a_word_fails_with_its_exit_status(warm: Warm) -> None:
    """C-86."""
    launched = warm.launch("leave")
    pid = launched.told()["pid"]
    assert f"The run process {pid} ended with exit status 7; the run had not ended." in launched.ended("FAILURE")


@pytest.mark.long
def test_a_process_per_step_works_and_ends_with_its_run(warm: Warm) -> None:
    """What a run's config selects for very large datasets."""
    launched = warm.launch("spread")
    launched.told()
    launched.go()
    launched.ended("SUCCESS")
    killed = warm.launch("spread")
    told = killed.told()
    run_process = warm.status()["runs"][killed.run_id]
    assert told["pid"] != run_process
    os.kill(run_process, signal.SIGKILL)
    killed.ended("FAILURE")
    wait_for(lambda: not psutil.pid_exists(told["pid"]), "the step's process is gone")


def test_a_run_that_takes_too_much_memory_is_killed_and_told_why(warm: Warm) -> None:
    said = warm.launch("eat").ended("FAILURE")
    assert "MiB of memory and may have 600 (DATAOPS_RUN_MEMORY_LIMIT_MIB): it was killed." in said


def launch_time(launched: Launched) -> float:
    found = launched.instance.get_run_stats(launched.run_id)
    assert isinstance(found, DagsterRunStatsSnapshot)
    assert found.launch_time is not None
    return found.launch_time


def test_more_runs_than_may_be_at_once_wait_for_their_turn_in_order(warm: Warm) -> None:
    first, second = warm.launch("stay"), warm.launch("stay")
    waiting = [warm.launch("stay") for _ in range(2)]
    for begun in (first, second):
        begun.told()
    assert warm.status()["waiting"] == [one.run_id for one in waiting]
    assert [one.status for one in waiting] == ["STARTING", "STARTING"]
    assert "Waits for its turn: 2 runs are in progress, 1 wait before it" in waiting[1].said()
    assert warm.launcher.check_run_worker_health(waiting[0].run).status is WorkerStatus.RUNNING
    # Dagster gives a run a minute to start, and counts from when it heard last that it is starting.
    asked = launch_time(waiting[1])
    wait_for(lambda: launch_time(waiting[1]) > asked, "Dagster is told that the run still waits")
    first.go()
    assert waiting[0].told()["pid"] != second.told()["pid"]
    assert not (waiting[1].place / "told.json").exists()
    for launched in (second, *waiting):
        launched.go()
    for launched in (first, second, *waiting):
        launched.ended("SUCCESS")


def test_a_run_that_is_terminated_while_it_waits_never_begins(warm: Warm) -> None:
    """C-84."""
    busy = [warm.launch("stay"), warm.launch("stay")]
    waiting = warm.launch("stay")
    assert warm.launcher.terminate(waiting.run_id)
    waiting.ended("CANCELED")
    assert waiting.run_id not in warm.written()
    for launched in busy:
        launched.go()
        launched.ended("SUCCESS")
    wait_for(warm.idle, "the host is idle")
    assert not (waiting.place / "told.json").exists()


def test_the_health_of_a_run_is_that_of_its_process(warm: Warm) -> None:
    launched = warm.launch("stay")
    pid = launched.told()["pid"]
    health = warm.launcher.check_run_worker_health(launched.run)
    assert (health.status, health.run_worker_id) == (WorkerStatus.RUNNING, str(pid))
    launched.go()
    launched.ended("SUCCESS")
    wait_for(warm.idle, "the host is idle")
    assert warm.launcher.check_run_worker_health(launched.run).status is WorkerStatus.NOT_FOUND


def test_a_run_that_was_launched_already_is_not_launched_again(warm: Warm) -> None:
    launched = warm.launch("stay")
    pid = launched.told()["pid"]
    question = {"do": "launch", "run_id": launched.run_id, "instance": ""}
    assert ask(str(warm.socket), question, seconds=10) == {"error": "The run has been launched already."}
    assert warm.status()["runs"] == {launched.run_id: pid}
    launched.go()
    launched.ended("SUCCESS")


@pytest.mark.parametrize("question", ['"words"', "[]", "no json", '{"do": "dance"}', '{"do": "launch"}'])
def test_what_is_no_question_does_the_host_no_harm(warm: Warm, question: str) -> None:
    answer = warm.send(question.encode() + b"\n")
    assert answer in {b"", b'{"error": "The run host does not know what this asks for."}\n'}
    done: Launched = warm.launch("describe")
    done.ended("SUCCESS")


def test_a_kill_for_want_of_memory_is_told_from_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """C-86: the kernel counts its own."""
    counted = tmp_path / "vmstat"
    counted.write_text("nr_free_pages 7\noom_kill 3\noom_kill_other 9\n")
    monkeypatch.setattr(processes, "_VMSTAT", counted)
    killed = subprocess.Popen(["sleep", "60"])
    killed.kill()
    found = os.waitid(os.P_PID, killed.pid, os.WEXITED | os.WNOWAIT)
    killed.wait()
    ended = f"The run process {killed.pid} ended with signal 9 (SIGKILL)."
    assert processes.how_ended(found, 3) == ended
    counted.write_text("oom_kill 4\n")
    for_memory = f"{ended} The kernel had no memory left and has killed a process at that moment."
    assert processes.how_ended(found, 3) == for_memory
    counted.unlink()
    assert processes.oom_kills() == 0
