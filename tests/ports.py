"""Ports for what a test starts, that stay free while it is down.

A port that the kernel gives may be given to somebody else, or serve a connection, while the process that had it is
killed and not back yet. These lie below those that the kernel gives, each process of the test run has its own.
"""

import os
import socket
from itertools import cycle

_FIRST, _BLOCK, _BLOCKS = 10_000, 100, 227
#: gw0, gw1 and so on: the processes of one run have one parent, so that their blocks lie side by side.
_worker = os.environ.get("PYTEST_XDIST_WORKER")
_number = os.getppid() + int(_worker.removeprefix("gw")) if _worker else os.getpid()
_block = _FIRST + _number % _BLOCKS * _BLOCK
_ports = cycle(range(_block, _block + _BLOCK))


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on; the same comes again after a hundred others at the earliest."""
    for _ in range(_BLOCK):
        port = next(_ports)
        with socket.socket() as probe:
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise RuntimeError(f"all ports from {_block} to {_block + _BLOCK - 1} are taken")
