"""The command line as a program, run again and again without loading other packages each time.

A process that holds what other packages bring, and nothing of ours, is forked for each command: the command loads the
product itself, has an environment, arguments and pipes of its own, and ends as a program does. As a script this module
is that process.
"""

import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_MODULE = "dataops_cli.main"
#: What commands need of other packages, at the least a hundredth of a second.
_LOADED = (
    "alembic.command",
    "cryptography.hazmat.primitives.asymmetric.rsa",
    "faker",
    "fsspec.implementations.local",
    "httpx",
    "jwt",
    "numpy",
    "psutil",
    "psycopg2.extras",
    "pyarrow.compute",
    "pyarrow.fs",
    "pyarrow.parquet",
    "pydantic_settings",
    "rich.progress",
    "rich.table",
    "sqlalchemy.dialects.postgresql.psycopg2",
    "sqlalchemy.orm",
    "typer",
    "yaml",
)
#: With these, what is native of it starts no thread, which a fork would not copy.
_SINGLE = {"OPENBLAS_NUM_THREADS": "1", "JE_ARROW_MALLOC_CONF": "background_thread:false"}
_LENGTH = 8


class Program:
    """Runs ``dataops``; close it at the end."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair()
        with theirs:
            number = theirs.fileno()
            command = [sys.executable, str(Path(__file__)), str(number)]
            self._process = subprocess.Popen(
                command, env=os.environ | _SINGLE, pass_fds=[number], stdin=subprocess.DEVNULL
            )

    def run(
        self, arguments: Sequence[str], environment: Mapping[str, str], seconds: int
    ) -> "subprocess.CompletedProcess[str]":
        """Runs one command until it has ended and nobody can write what it says any more.

        One that takes longer than it may is killed by an alarm: its status is -14.
        """
        asked = json.dumps({"arguments": arguments, "environment": dict(environment), "seconds": seconds}).encode()
        pipes = [os.pipe(), os.pipe()]
        with ThreadPoolExecutor(len(pipes)) as threads:
            socket.send_fds(self._socket, [len(asked).to_bytes(_LENGTH, "big")], [writing for _, writing in pipes])
            self._socket.sendall(asked)
            for _, writing in pipes:
                os.close(writing)
            said = threads.map(_read, [reading for reading, _ in pipes])
            status = int.from_bytes(_receive(self._socket, _LENGTH), "big", signed=True)
            return subprocess.CompletedProcess(["dataops", *arguments], status, *said)

    def close(self) -> None:
        self._socket.close()
        self._process.wait(10)


def _read(pipe: int) -> str:
    with open(pipe, encoding="utf-8") as stream:
        return stream.read()


def _receive(connection: socket.socket, count: int) -> bytes:
    received = b""
    while len(received) < count:
        if not (more := connection.recv(count - len(received))):
            raise EOFError("The other side is gone.")
        received += more
    return received


def _serve(connection: socket.socket) -> None:
    """Forks for each command; returns in the process that is to run it, and ends when nobody asks any more."""
    while True:
        length, pipes, _, _ = socket.recv_fds(connection, _LENGTH, 2)
        if not length:
            sys.exit()
        asked = json.loads(_receive(connection, int.from_bytes(length, "big")))
        if (child := os.fork()) == 0:
            connection.close()
            for pipe, place in zip(pipes, (1, 2), strict=True):
                os.dup2(pipe, place)
                os.close(pipe)
            # Python's own were opened on something else.
            sys.stdout = os.fdopen(1, "w", closefd=False)
            sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace", closefd=False)
            os.environ.clear()
            os.environ.update(asked["environment"])
            sys.argv = ["dataops", *asked["arguments"]]
            signal.alarm(asked["seconds"])
            return
        for pipe in pipes:
            os.close(pipe)
        _, status = os.waitpid(child, 0)
        connection.sendall(os.waitstatus_to_exitcode(status).to_bytes(_LENGTH, "big", signed=True))


if __name__ == "__main__":
    for module in _LOADED:
        importlib.import_module(module)
    sys.path[0] = os.getcwd()  # as `python -m` has it  # noqa: PTH109
    _serve(socket.socket(fileno=int(sys.argv[1])))
    runpy.run_module(_MODULE, run_name="__main__", alter_sys=True)
