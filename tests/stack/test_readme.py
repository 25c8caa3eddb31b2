"""The README's first requests, run as printed on the real stack: in the shell and in Python."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from a_domain_sdk import DataOpsClient

if TYPE_CHECKING:
    from tests.conftest import Stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
FIRST, AFTERWARDS = re.findall(r"```bash\n(.*?)```", README, re.DOTALL)
(PYTHON,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
HOME = "~/.local/share/dataops"


def run(command: list[str], script: str, stack: "Stack") -> str:
    """What the script prints, on the stack's home and for a customer of its own, every warning of Python an error."""
    assert HOME in script
    script = re.sub(r"123e4567-e89b-12d3-a456-42661417400\d", lambda _: str(uuid4()), script)
    done = subprocess.run(
        [*command, script.replace(HOME, str(stack.home))],
        env={name: value for name, value in os.environ.items() if not name.startswith("DATAOPS_")},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_first_request_and_those_after_it_in_the_shell(stack: "Stack") -> None:
    accepted = json.loads(run(["bash", "-ec"], FIRST, stack))
    with DataOpsClient(**stack.credentials) as client:
        client.operations.wait(accepted["operation_id"], timeout=60)

        obtain = FIRST.partition("# Provision")[0]
        ids = {"operation_id": accepted["operation_id"], "dataset_id": accepted["datasets"][0]["dataset_id"]}
        filled = re.sub(r"\{(operation_id|dataset_id)\}", lambda found: str(ids[found[1]]), AFTERWARDS)
        said = run(["bash", "-ec"], obtain + filled.replace("\ncurl", "\necho\ncurl"), stack)

        operation, quality, teardown = (json.loads(line) for line in said.splitlines())
        assert operation["status"] == "completed"
        assert quality["overall_score"] >= 95
        assert teardown["status"] == "tearing_down"
        client.operations.wait(teardown["operation_id"], timeout=60)


def test_the_first_request_in_python(stack: "Stack") -> None:
    said = run([sys.executable, "-W", "error", "-c"], PYTHON, stack)
    assert float(said) >= 95
