"""A run whose steps several processes share: which executes what, and how they end."""

import os
import signal
import subprocess
import sys

import psutil
import pytest
from dagster import DagsterEventType

from dataops_core.provisioning.settlement import RunEnding
from dataops_core.runs import TAG_FAILURE, TAG_LOST, RunState
from dataops_pipeline.warm.processes import memory_of
from tests.dataops_pipeline.warm.conftest import Launched, Warm, wait_for

STEPS = ("a_1", "a_2", "b_1", "b_2")


@pytest.fixture(autouse=True)
def idle(warm: Warm) -> None:
    """Nothing of an earlier test is on the host."""
    wait_for(warm.idle, "the host is idle")


def shared(warm: Warm) -> tuple[Launched, int, int]:
    """A run whose first two steps are under way, the run's process, and the one that shares it."""
    launched = warm.launch("shared", *STEPS)
    pids = {launched.at(name).told()["pid"] for name in ("a_1", "b_1")}
    own = warm.status()["runs"][launched.run_id]
    (other,) = pids - {own}
    return launched, own, other


def executed_by(launched: Launched, pid: int) -> Launched:
    """The step under way that a process executes."""
    (found,) = (step for step in map(launched.at, ("a_1", "b_1")) if step.told()["pid"] == pid)
    return found


def ended_steps(launched: Launched) -> dict[str, str]:
    """How each step ended that has."""
    stats = launched.instance.get_run_step_stats(launched.run_id)
    return {step.step_key: step.status.value for step in stats if step.end_time is not None and step.status is not None}


def are_gone(*pids: int) -> None:
    wait_for(lambda: not any(map(psutil.pid_exists, pids)), "the processes are gone")


def test_chains_of_steps_are_shared_and_each_stays_in_its_process(warm: Warm) -> None:
    launched, own, other = shared(warm)
    for name in STEPS:
        launched.at(name).go()
    said = launched.ended("SUCCESS")
    assert f"Steps are shared with other processes (pids: {other})" in said
    pids = [launched.at(name).told()["pid"] for name in STEPS]
    assert pids[0] == pids[1] != pids[2] == pids[3]
    assert {*pids} == {own, other}
    assert ended_steps(launched) == dict.fromkeys(STEPS, "SUCCESS")
    wait_for(warm.idle, "the host is idle")
    are_gone(own, other)


def test_a_step_that_fails_in_another_process_holds_up_its_own_chain_alone(warm: Warm) -> None:
    launched, _, other = shared(warm)
    failing = executed_by(launched, other)
    (failing.place / "fail").touch()
    for name in STEPS:
        launched.at(name).go()
    launched.ended("FAILURE")
    (failure,) = (
        each.dagster_event.step_failure_data.error_display_string
        for each in launched.instance.all_logs(launched.run_id, of_type=DagsterEventType.STEP_FAILURE)
        if each.dagster_event is not None
    )
    assert "on purpose" in failure
    chain = failing.place.name[0]
    assert not (launched.place / f"{chain}_2" / "told.json").exists()
    assert ended_steps(launched) == {name: "SUCCESS" for name in STEPS if name[0] != chain} | {f"{chain}_1": "FAILURE"}
    assert TAG_LOST not in launched.run.tags


def test_a_run_that_is_terminated_is_interrupted_in_every_process(own_warm: Warm) -> None:
    """C-84."""
    launched, own, other = shared(own_warm)
    assert own_warm.launcher.terminate(launched.run_id)
    launched.ended("CANCELED")
    assert all((launched.place / name / "finally").exists() for name in ("a_1", "b_1"))
    assert ended_steps(launched) == {"a_1": "FAILURE", "b_1": "FAILURE"}
    are_gone(own, other)


def test_a_run_of_which_another_process_is_killed_fails_with_that_reason(warm: Warm) -> None:
    """C-86: as one whose own process is killed. Its other steps are interrupted."""
    launched, own, other = shared(warm)
    kept = executed_by(launched, own)
    os.kill(other, signal.SIGKILL)
    said = launched.ended("FAILURE")
    because = f"The run process {other} ended with signal 9 (SIGKILL)."
    assert because in said
    run = launched.run
    told = RunState(
        run.run_id, run.status.value, failure_reason=run.tags.get(TAG_FAILURE), lost_because=run.tags.get(TAG_LOST)
    )
    assert (told.ending, told.why) == (RunEnding.LOST, because)
    assert (kept.place / "finally").exists()
    are_gone(own, other)


def test_a_process_that_has_nothing_more_to_do_may_die(warm: Warm) -> None:
    launched, own, other = shared(warm)
    done = executed_by(launched, other)
    done.go()
    after = launched.at(f"{done.place.name[0]}_2")
    after.go()
    wait_for(lambda: len(ended_steps(launched)) == 2, "the chain is done")
    wait_for(lambda: psutil.Process(other).num_threads() == 1, "and the run's process was told")
    os.kill(other, signal.SIGKILL)
    for name in STEPS:
        launched.at(name).go()
    launched.ended("SUCCESS")
    are_gone(own, other)


_BEGIN_IN_A_DEAD_PROCESS = """
import os, signal, types
from dataops_pipeline.step_processes import StepProcessLostError, fork_processes

(process,) = fork_processes(None, None, print, 1)
os.kill(process.pid, signal.SIGKILL)
process.join(10)
try:
    process.begin(types.SimpleNamespace(key="a_step"), None)
except StepProcessLostError as error:
    assert str(error) == f"The run process {process.pid} ended with signal 9 (SIGKILL).", error
else:
    raise SystemExit("begun in a process that is dead")
process.end(10)
"""


def test_no_step_is_begun_in_a_process_that_has_died() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _BEGIN_IN_A_DEAD_PROCESS],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        start_new_session=True,
    )
    assert done.returncode == 0, done.stderr


def test_no_process_outlives_the_runs_own(own_warm: Warm) -> None:
    """With no run host that would end them."""
    launched, own, other = shared(own_warm)
    children = [launched.at(name).told()["child"] for name in ("a_1", "b_1")]
    own_warm.kill()
    os.kill(own, signal.SIGKILL)
    are_gone(own, other)
    assert not any((launched.place / name / "finally").exists() for name in ("a_1", "b_1"))
    for child in children:
        os.kill(child, signal.SIGKILL)


def test_what_processes_of_a_run_have_in_common_counts_once(warm: Warm) -> None:
    """DATAOPS_RUN_MEMORY_LIMIT_MIB bounds a run, whoever executes its steps."""
    launched, own, other = shared(warm)
    children = sum(psutil.Process(launched.at(name).told()["child"]).memory_full_info().uss for name in ("a_1", "b_1"))
    resident = [psutil.Process(pid).memory_info().rss for pid in (own, other)]
    measured = (memory_of(own) << 20) - children
    assert resident[0] <= measured + (1 << 20)
    assert measured < resident[0] + resident[1] / 2
    for name in STEPS:
        launched.at(name).go()
    launched.ended("SUCCESS")
