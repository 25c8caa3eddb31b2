"""One cell of the fault table: one process killed with SIGKILL at one point of one kind of work, and what comes of it.

The work is held at the point, the process is killed, the work goes on with whatever is left. Within two minutes the
operation must have ended and say truly how: what it made is whole, or it failed and the same request succeeds. Then
nothing may be left over. Source: ``docs/contract.md`` C-35, C-42, C-44, C-52, C-53, C-86.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx

from dataops_core.lifecycle import OperationStatus
from dataops_core.registry import operations
from dataops_core.registry.tables import Operation
from tests.faults.installation import PROCESSES, RUN, RUN_AND_HOST, SUPERVISOR, Installation, wait_for

#: Everything must be over so many seconds after the kill.
LIMIT = 120.0

TYPE = "confluence_pages"
#: Few, so that a cell is soon over, but more than one page where it is about uploads.
_RECORDS = {"pushing": 1100, "indexing": 1100}
_FEW_RECORDS = 60

PROVISIONING, TEARDOWN = "provisioning", "teardown"
#: The points of each kind of work, in their order. Each is the name of a fault point.
PHASES = {
    PROVISIONING: (
        "accepted",  # the request is answered, nobody has launched its run
        "launched",  # the run's process lives, and has claimed nothing
        "generating",  # the first block of records is in a file that is not whole
        "pushing",  # the connector has taken the first page of the upload
        "indexing",  # the connector has the new index on disk, and does not serve it
        "checking",  # a quality check has its verdict, and nobody knows
        "publishing",  # all is written in a transaction that is not committed
    ),
    TEARDOWN: (
        "accepted",
        "launched",
        "disconnecting",  # the index is gone, the step does not know it
        "archiving",  # the archive is written beside its place
        "deleting",  # the records are gone, the registry does not know it
        "updating",  # all is written in a transaction that is not committed
    ),
}


@dataclass(frozen=True)
class Cell:
    """What is killed, and when."""

    work: str
    phase: str
    process: str

    @property
    def name(self) -> str:
        """As it is asked for and printed."""
        return f"{self.work}/{self.phase}/{self.process}"


@dataclass(frozen=True)
class Result:
    """What came of it: how the operation ended, how long after the kill it had, and when everything was up again."""

    outcome: str
    settled_after: float
    whole_after: float


class NotRightError(AssertionError):
    """The installation is not as it must be."""


def cells(processes: tuple[str, ...] = PROCESSES) -> Iterator[Cell]:
    """All cells; before the run is launched there is none to kill."""
    for work, phases in PHASES.items():
        for phase in phases:
            for process in processes:
                if phase != "accepted" or process not in {RUN, RUN_AND_HOST}:
                    yield Cell(work, phase, process)


def run(cell: Cell, installation: Installation) -> Result:
    """Does it. Raises AssertionError that says what is wrong."""
    asked = _request(cell)
    with installation.client() as api:
        before = installation.leftovers()
        _must(not before, f"before the fault: {before}")
        dataset_id = None
        if cell.work == TEARDOWN:
            dataset_id = _provisioned(installation, api, asked)
        installation.arm(cell.phase)
        accepted = _begin(api, cell.work, asked, dataset_id)
        try:
            held = installation.held_at(cell.phase)
            installation.kill(cell.process, held=held)
            killed = time.monotonic()
        finally:
            installation.release(cell.phase)
    if cell.process == SUPERVISOR:
        installation.start_again()
    operation = _ended(installation, accepted["operation_id"])
    settled_after = time.monotonic() - killed
    with installation.client() as api:
        whole_after = time.monotonic() - killed
        _must(whole_after < LIMIT, f"not everything was up within {LIMIT:g} s, but after {whole_after:.0f} s")
        if cell.work == PROVISIONING:
            dataset_id = _provisioning_is_true(installation, api, operation, accepted, asked)
        else:
            assert dataset_id is not None
            _teardown_is_true(installation, api, operation, accepted, dataset_id)
        _nothing_left(installation)
        _remove(installation, api, dataset_id)
        _nothing_left(installation)
        _must(api.get(f"/datasets/{dataset_id}").status_code == 404, "the dataset's row is still there")
    return Result(_outcome(operation), settled_after, whole_after)


def _request(cell: Cell) -> dict[str, Any]:
    return {
        "journey_id": str(uuid4()),
        "client_id": str(uuid4()),
        "stage": "sandbox",
        "dataset_types": [TYPE],
        "generation": {"record_count": _RECORDS.get(cell.phase, _FEW_RECORDS)},
    }


def _begin(api: httpx.Client, work: str, asked: dict[str, Any], dataset_id: str | None) -> dict[str, Any]:
    if work == PROVISIONING:
        answer = api.post("/datasets", json=asked)
    else:
        answer = api.delete(f"/datasets/{dataset_id}", params={"reason": "manual", "archive": "true"})
    return _accepted(answer)


def _accepted(answer: httpx.Response) -> dict[str, Any]:
    _must(answer.status_code == 202, f"{answer.request.method} was answered with {answer.status_code}: {answer.text}")
    accepted: dict[str, Any] = answer.json()
    return accepted


def _provisioned(installation: Installation, api: httpx.Client, asked: dict[str, Any]) -> str:
    """Has the request carried out without a fault; the dataset."""
    accepted = _accepted(api.post("/datasets", json=asked))
    operation = _ended(installation, accepted["operation_id"])
    _must(operation.status is OperationStatus.COMPLETED, f"the same request does not succeed: {operation.error}")
    return _ready(api, accepted, asked)


def _ready(api: httpx.Client, accepted: dict[str, Any], asked: dict[str, Any]) -> str:
    (made,) = accepted["datasets"]
    dataset = api.get(f"/datasets/{made['dataset_id']}").json()
    found = (dataset["status"], dataset["record_count"], dataset["error"])
    _must(found == ("ready", asked["generation"]["record_count"], None), f"the dataset is {found}")
    _must(dataset["quality_score"] is not None, "the dataset has no score")
    return str(dataset["dataset_id"])


def _ended(installation: Installation, operation_id: str) -> Operation:
    """The operation once it has ended, as the registry has it: the API may be what was killed."""

    def look() -> Operation | None:
        with installation.registry.transaction() as session:
            row = operations.get(session, UUID(operation_id))
            session.expunge(row)
        return row if row.status.is_terminal else None

    return wait_for(look, f"operation {operation_id} has ended", LIMIT)


def _provisioning_is_true(
    installation: Installation,
    api: httpx.Client,
    operation: Operation,
    accepted: dict[str, Any],
    asked: dict[str, Any],
) -> str:
    """What the operation says is so, and the same request has the dataset, one way or the other."""
    shown = api.get(f"/operations/{operation.operation_id}").json()
    if operation.status is OperationStatus.COMPLETED:
        dataset_id = _ready(api, accepted, asked)
        again = api.post("/datasets", json=asked)
        _must(again.status_code == 409, f"the same request was answered with {again.status_code}")
        _must(again.json()["error"]["details"]["existing_dataset_id"] == dataset_id, "another dataset is there")
        return dataset_id
    _must(operation.status is OperationStatus.FAILED, f"nobody cancelled the operation, but it is {operation.status}")
    (made,) = accepted["datasets"]
    dataset = api.get(f"/datasets/{made['dataset_id']}").json()
    _must(dataset["status"] == "failed", f"the operation failed and the dataset is {dataset['status']}")
    _must(dataset["error"]["code"] == shown["error"]["code"], f"{dataset['error']} is not {shown['error']}")
    return _provisioned(installation, api, asked)


def _teardown_is_true(
    installation: Installation, api: httpx.Client, operation: Operation, accepted: dict[str, Any], dataset_id: str
) -> None:
    """What the operation says is so; a failed one is gone on with by the same request (C-52)."""
    if operation.status is not OperationStatus.COMPLETED:
        _must(
            operation.status is OperationStatus.FAILED, f"nobody cancelled the operation, but it is {operation.status}"
        )
        dataset = api.get(f"/datasets/{dataset_id}").json()
        _must(dataset["status"] == "teardown", f"the teardown failed and the dataset is {dataset['status']}")
        again = _begin(api, TEARDOWN, {}, dataset_id)
        _must(again["operation_id"] == accepted["operation_id"], "the same request began another teardown")
        ended = _ended(installation, again["operation_id"])
        _must(ended.status is OperationStatus.COMPLETED, f"the same request does not succeed: {ended.error}")
    dataset = api.get(f"/datasets/{dataset_id}").json()
    _must(dataset["status"] == "archived", f"the teardown is done and the dataset is {dataset['status']}")
    _must(dataset["connector"]["status"] == "disconnected", "the connector is not disconnected")


def _remove(installation: Installation, api: httpx.Client, dataset_id: str) -> None:
    """Takes the dataset away for good, its archive too."""
    accepted = _accepted(api.delete(f"/datasets/{dataset_id}", params={"archive": "false"}))
    ended = _ended(installation, accepted["operation_id"])
    _must(ended.status is OperationStatus.COMPLETED, f"the dataset cannot be removed: {ended.error}")


def _nothing_left(installation: Installation) -> None:
    """Waits until nothing is left over: a run ends a moment after its operation."""
    found: list[str] = []

    def clean() -> bool:
        found[:] = installation.leftovers()
        return not found

    try:
        wait_for(clean, "nothing is left over", LIMIT)
    except AssertionError:
        raise NotRightError(f"left over: {'; '.join(found)}") from None


def _outcome(operation: Operation) -> str:
    if operation.status is OperationStatus.COMPLETED:
        return "completed"
    error = operation.error or {}
    return str(error.get("code"))


def _must(condition: bool, otherwise: str) -> None:
    if not condition:
        raise NotRightError(otherwise)
