"""The SDK as a user with a strict pyright sees it (C-95)."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

PROGRAM = """
import asyncio
from datetime import datetime
from typing import assert_type

from a_domain_sdk import (
    AsyncDataOpsClient, AsyncOperation, ConflictError, DataOpsClient, Dataset, LinkedPage, Operation, PastCheck,
)


def told(operation: Operation) -> None:
    print(operation.progress.percent_complete, operation.error.message if operation.error else "")


def blocking() -> None:
    with DataOpsClient(client_id="id", client_secret="secret", timeout=10) as client:
        operation = client.datasets.create(
            journey_id="j", client_id="c", stage="sandbox", dataset_types=["confluence_pages"],
            metadata={"requested_by": "me", "custom_fields": {"client_name": "ACME"}}, generation={"record_count": 20},
        )
        assert_type(operation, Operation)
        operation.wait(timeout=60, on_progress=told)
        assert_type(operation.result.datasets[0].quality_score, float | None)
        page = client.datasets.list(stage="pilot", sort="-created_at")
        for dataset in page:
            assert_type(dataset, Dataset)
            assert_type(dataset.created_at, datetime)
            client.datasets.update(dataset.dataset_id, metadata={"tags": ["new"]}, if_match=dataset.etag)
        assert_type(client.quality.history("d", check_type="connector_health"), LinkedPage[PastCheck])
        for record in client.datasets.records("d"):
            print(record["title"])
        try:
            client.datasets.delete("d", reason="manual")
        except ConflictError as error:
            print(error.code, error.details["operation_id"], error.request_id)
        for seen in client.operations.watch("o"):
            assert_type(seen, Operation)


async def awaited() -> None:
    async with AsyncDataOpsClient(client_id="id", client_secret="secret") as client:
        async for dataset in await client.datasets.list():
            assert_type(dataset, Dataset)
        operation = await client.datasets.restore("d")
        assert_type(await operation.wait(), AsyncOperation)
        journey = await client.journeys.get("j")
        print([event.to_stage for event in journey.events])
        async for record in client.datasets.records("d"):
            print(record["title"])


blocking()
asyncio.run(awaited())
"""
WRONG = """
from a_domain_sdk import DataOpsClient

client = DataOpsClient()
client.datasets.list(stage="sandpit")
client.datasets.create(journey_id="j", client_id="c", stage="sandbox")
print(client.datasets.get("d").qualty_score)
from a_domain_sdk import DataSet
"""


def complaints(place: Path, program: str) -> list[tuple[int, str]]:
    """Line and rule of what pyright, in strict mode, says about the program."""
    (place / "pyrightconfig.json").write_text(json.dumps({"typeCheckingMode": "strict", "include": ["program.py"]}))
    (place / "program.py").write_text(program)
    done = subprocess.run(
        [Path(sys.executable).with_name("basedpyright"), "--outputjson", "--pythonpath", sys.executable],
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
    )
    said: dict[str, Any] = json.loads(done.stdout)
    assert said["summary"]["filesAnalyzed"] == 1
    return [(one["range"]["start"]["line"] + 1, one.get("rule", one["message"])) for one in said["generalDiagnostics"]]


def test_a_program_of_a_strict_user_is_without_complaint(tmp_path: Path) -> None:
    assert complaints(tmp_path, PROGRAM) == []


def test_what_a_user_gets_wrong_is_seen(tmp_path: Path) -> None:
    found = complaints(tmp_path, WRONG)
    assert {line for line, _ in found} == {5, 6, 7, 8}
    assert {
        (5, "reportArgumentType"),
        (6, "reportCallIssue"),
        (7, "reportAttributeAccessIssue"),
        (8, "reportAttributeAccessIssue"),
    } <= set(found)
