"""Ends what an ``up`` left behind that could not end it itself: killed, or its machine's memory exhausted.

Called by the watchdog the moment that happens, else by the next ``up`` or ``dataops down`` on that home. A process is
ours when it is the one that was written down (its id and its start), shares the session of such a one, or carries the
instance's name in its environment. Nothing else is touched.
"""

import os
import signal

from dataops_cli.home import Home, ProcessRecord
from dataops_cli.processes import instance_members, kill_all, session_members, wait_gone
from dataops_core.process_marks import ProcessMark

#: Its own processes must not be asked one by one: the server ends them in order.
POSTGRES = "postgres"

_GRACE = 5.0
_POSTGRES_GRACE = 6.0


def end_left_over(home: Home) -> bool:
    """Ends what is left of the ``up`` that the home's record names. Returns whether there was anything.

    The caller holds the home's lock.
    """
    record = home.read_record()
    if record is None:
        return False
    database = record.children.get(POSTGRES)
    spared = set(session_members(database.pid)) if database is not None and database.lives() else set()
    others = [mark for pid in _members(record) - spared if (mark := ProcessMark.of(pid)) is not None]
    for mark in others:
        mark.signal(signal.SIGTERM)
    if not wait_gone(others, timeout=_GRACE):
        # Some may have started more meanwhile.
        kill_all([mark.pid for mark in others if mark.lives()])
        kill_all(_members(record) - spared)
    if database is not None and database.lives():
        database.signal(signal.SIGINT)
        if not wait_gone([database], timeout=_POSTGRES_GRACE):
            kill_all(session_members(database.pid))
    home.forget_processes()
    return bool(others or spared)


def _members(record: ProcessRecord) -> set[int]:
    found = set(instance_members([record.instance]))
    for mark in record.children.values():
        if mark.lives():
            found.update(session_members(mark.pid))
    return found - {os.getpid()}
