"""What the run host and its runs ask the kernel (threads, ended children, memory), and how processes are ended.

A run's process leads a session, so a session's id is that process' id, and what a run starts belongs to its session.
"""

import logging
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Never

import psutil

from dataops_core import tracing
from dataops_core.errors import ConfigurationError

_VMSTAT = Path("/proc/vmstat")


def threads() -> int:
    """How many threads this process has, those of libraries included."""
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.is_dir() else psutil.Process().num_threads()


def check_single() -> None:
    """Raises ConfigurationError where there is a second thread: what it does would be torn apart by a fork."""
    if (found := threads()) > 1:
        raise ConfigurationError(
            f"The run host has {found} threads and cannot fork: some code that it loads starts them. "
            "Set DATAOPS_RUN_LAUNCHER=default."
        )


def next_dead() -> Any:
    """A child that has ended and was not waited for, or None."""
    try:
        return os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None


def how_ended(found: Any, oom_kills_before: int) -> str:
    """How a process of a run ended, in a sentence or two.

    ``oom_kills_before``: what :func:`oom_kills` said a moment before.
    """
    if found.si_code == os.CLD_EXITED:
        return f"The run process {found.si_pid} ended with exit status {found.si_status}; the run had not ended."
    try:
        name = f" ({signal.Signals(found.si_status).name})"
    except ValueError:
        name = ""
    said = f"The run process {found.si_pid} ended with signal {found.si_status}{name}."
    if found.si_status == signal.SIGKILL and oom_kills() > oom_kills_before:
        said += " The kernel had no memory left and has killed a process at that moment."
    return said


def oom_kills() -> int:
    """How many processes the kernel has killed for want of memory since the machine began; 0 where it does not say."""
    try:
        lines = _VMSTAT.read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)


def leave(status: int) -> Never:
    """Ends a forked process. Nothing of its parent's is run: neither its handlers nor what its frames would do next."""
    with suppress(Exception):
        tracing.flush()
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)


def kill_session(session: int) -> None:
    """Kills a run's process and all that it has started."""
    with suppress(ProcessLookupError):
        os.killpg(session, signal.SIGKILL)


def memory_of(session: int) -> int:
    """What the processes of a session have resident, in MiB: pages that its first one has, too, count once."""
    total = 0
    for pid in psutil.pids():
        try:
            if pid == session:
                total += psutil.Process(pid).memory_info().rss
            elif os.getsid(pid) == session:
                total += psutil.Process(pid).memory_full_info().uss
        except (ProcessLookupError, PermissionError, psutil.Error):
            continue
    return total >> 20
