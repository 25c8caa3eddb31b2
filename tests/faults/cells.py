"""One cell of the fault table: one process killed with SIGKILL at one point of one kind of work, and what comes of it.

The work is held at the point, the process is killed, the work goes on with whatever is left. Within two minutes the
operation must have ended and say truly how: what it made is whole, or it failed and the same request succeeds. Then
nothing may be left over. Source: ``docs/contract.md`` C-35, C-42, C-44, C-52, C-53, C-86, C-92.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import select

from dataops_core.clock import utcnow
from dataops_core.lifecycle import JourneyEventStatus, OperationStatus
from dataops_core.registry import operations
from dataops_core.registry.tables import JourneyEvent, Operation
from tests.faults.installation import PROCESSES, RUN, RUN_AND_HOST, SUPERVISOR, Installation, wait_for

#: Everything must be over so many seconds after the kill.
LIMIT = 120.0

TYPE = "confluence_pages"
#: Few, so that a cell is soon over, but more than one page where it is about uploads.
_RECORDS = {"pushing": 1100, "indexing": 1100}
_FEW_RECORDS = 60

PROVISIONING, TEARDOWN, TRANSITION = "provisioning", "teardown", "transition"
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
    TRANSITION: (
        "moving",  # the next stage is asked for in a transaction that is not committed
        "publishing",  # the next stage's dataset is ready in a transaction that is not committed
        "leaving",  # the old stage's teardown is asked for in a transaction that is not committed
        "archiving",  # the old stage's archive is written beside its place
    ),
}
#: Points at which no run is under way.
_WITHOUT_RUN = {"accepted", "moving", "leaving"}


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


@dataclass(frozen=True)
class _Case:
    """What was asked for and begun; ``dataset_id`` is the one that was ready before, where the work needs one."""

    installation: Installation
    api: httpx.Client
    asked: dict[str, Any]
    dataset_id: str
    begun: dict[str, Any]


class NotRightError(AssertionError):
    """The installation is not as it must be."""


def cells() -> Iterator[Cell]:
    """All cells; where no run is under way there is none to kill."""
    for work, phases in PHASES.items():
        for phase in phases:
            for process in PROCESSES:
                if phase not in _WITHOUT_RUN or process not in {RUN, RUN_AND_HOST}:
                    yield Cell(work, phase, process)


def run(cell: Cell, installation: Installation) -> Result:
    """Does it. Raises AssertionError that says what is wrong."""
    asked = _request(cell)
    with installation.client() as api:
        before = installation.leftovers()
        _must(not before, f"before the fault: {before}")
        dataset_id = _provisioned(installation, api, asked) if cell.work != PROVISIONING else ""
        installation.arm(cell.phase)
        begun = _BEGIN[cell.work](api, asked, dataset_id)
        try:
            held = installation.held_at(cell.phase, LIMIT)
            installation.kill(cell.process, held=held)
            killed = time.monotonic()
        finally:
            installation.release(cell.phase)
    if cell.process == SUPERVISOR:
        installation.start_again()
    ended = (_event_ended if cell.work == TRANSITION else _ended)(installation, begun)
    settled_after = time.monotonic() - killed
    with installation.client() as api:
        whole_after = time.monotonic() - killed
        _must(whole_after < LIMIT, f"not everything was up within {LIMIT:g} s, but after {whole_after:.0f} s")
        made = _PROVE[cell.work](_Case(installation, api, asked, dataset_id, begun), ended)
        _nothing_left(installation)
        for one in made:
            _remove(installation, api, one)
        _nothing_left(installation)
        for one in made:
            _must(api.get(f"/datasets/{one}").status_code == 404, "a dataset's row is still there")
    return Result(_outcome(ended), settled_after, whole_after)


def _request(cell: Cell) -> dict[str, Any]:
    return {
        "journey_id": str(uuid4()),
        "client_id": str(uuid4()),
        "stage": "sandbox",
        "dataset_types": [TYPE],
        "generation": {"record_count": _RECORDS.get(cell.phase, _FEW_RECORDS)},
    }


def _ask_for_it(api: httpx.Client, asked: dict[str, Any], _: str) -> dict[str, Any]:
    return _accepted(api.post("/datasets", json=asked))


def _ask_for_teardown(api: httpx.Client, _: dict[str, Any], dataset_id: str) -> dict[str, Any]:
    return _accepted(api.delete(f"/datasets/{dataset_id}", params={"reason": "manual", "archive": "true"}))


def _tell_of_transition(api: httpx.Client, asked: dict[str, Any], _: str) -> dict[str, Any]:
    event = {
        "event_id": str(uuid4()),
        "event": "stage_transition",
        "client_id": asked["client_id"],
        "to_stage": "pilot",
        "occurred_at": utcnow().isoformat(),
    }
    return _accepted(api.post(f"/journeys/{asked['journey_id']}/events", json=event))


def _accepted(answer: httpx.Response) -> dict[str, Any]:
    _must(answer.status_code == 202, f"{answer.request.method} was answered with {answer.status_code}: {answer.text}")
    accepted: dict[str, Any] = answer.json()
    return accepted


def _provisioned(installation: Installation, api: httpx.Client, asked: dict[str, Any]) -> str:
    """Has the request carried out without a fault; the dataset."""
    accepted = _accepted(api.post("/datasets", json=asked))
    operation = _ended(installation, accepted)
    _must(operation.status is OperationStatus.COMPLETED, f"the same request does not succeed: {operation.error}")
    return _ready(api, accepted, asked)


def _ready(api: httpx.Client, accepted: dict[str, Any], asked: dict[str, Any]) -> str:
    (made,) = accepted["datasets"]
    dataset = api.get(f"/datasets/{made['dataset_id']}").json()
    found = (dataset["status"], dataset["record_count"], dataset["error"])
    _must(found == ("ready", asked["generation"]["record_count"], None), f"the dataset is {found}")
    _must(dataset["quality_score"] is not None, "the dataset has no score")
    return str(dataset["dataset_id"])


def _ended(installation: Installation, accepted: dict[str, Any]) -> Operation:
    """The operation once it has ended, as the registry has it: the API may be what was killed."""

    def look() -> Operation | None:
        with installation.registry.transaction() as session:
            row = operations.get(session, UUID(accepted["operation_id"]))
            session.expunge(row)
        return row if row.status.is_terminal else None

    return wait_for(look, f"operation {accepted['operation_id']} has ended", LIMIT)


def _event_ended(installation: Installation, told: dict[str, Any]) -> JourneyEvent:
    """The same of an event."""

    def look() -> JourneyEvent | None:
        with installation.registry.transaction() as session:
            row = session.scalars(select(JourneyEvent).where(JourneyEvent.event_id == UUID(told["event_id"]))).one()
            session.expunge(row)
        return row if row.completed_at is not None else None

    return wait_for(look, f"event {told['event_id']} has ended", LIMIT)


def _provisioning_is_true(case: _Case, operation: Operation) -> list[str]:
    """What the operation says is so, and the same request has the dataset, one way or the other."""
    api = case.api
    if operation.status is OperationStatus.COMPLETED:
        dataset_id = _ready(api, case.begun, case.asked)
        again = api.post("/datasets", json=case.asked)
        _must(again.status_code == 409, f"the same request was answered with {again.status_code}")
        _must(again.json()["error"]["details"]["existing_dataset_id"] == dataset_id, "another dataset is there")
        return [dataset_id]
    _failed_by_itself(operation)
    (made,) = case.begun["datasets"]
    dataset = api.get(f"/datasets/{made['dataset_id']}").json()
    _must(dataset["status"] == "failed", f"the operation failed and the dataset is {dataset['status']}")
    shown = api.get(f"/operations/{operation.operation_id}").json()["error"]
    _must(dataset["error"]["code"] == shown["code"], f"{dataset['error']} is not {shown}")
    return [_provisioned(case.installation, api, case.asked)]


def _failed_by_itself(operation: Operation) -> None:
    _must(operation.status is OperationStatus.FAILED, f"nobody cancelled the operation, but it is {operation.status}")


def _teardown_is_true(case: _Case, operation: Operation) -> list[str]:
    """What the operation says is so; a failed one is gone on with by the same request (C-52)."""
    if operation.status is not OperationStatus.COMPLETED:
        _failed_by_itself(operation)
        dataset = case.api.get(f"/datasets/{case.dataset_id}").json()
        _must(dataset["status"] == "teardown", f"the teardown failed and the dataset is {dataset['status']}")
        again = _ask_for_teardown(case.api, case.asked, case.dataset_id)
        _must(again["operation_id"] == case.begun["operation_id"], "the same request began another teardown")
        ended = _ended(case.installation, again)
        _must(ended.status is OperationStatus.COMPLETED, f"the same request does not succeed: {ended.error}")
    _is_archived(case)
    return [case.dataset_id]


def _is_archived(case: _Case) -> None:
    dataset = case.api.get(f"/datasets/{case.dataset_id}").json()
    _must(dataset["status"] == "archived", f"the teardown is done and the dataset is {dataset['status']}")
    _must(dataset["connector"]["status"] == "disconnected", "the connector is not disconnected")


def _transition_is_true(case: _Case, event: JourneyEvent) -> list[str]:
    """What the event says is so; where it failed, the old stage is up, and the same told anew succeeds (C-92)."""
    if event.status is not JourneyEventStatus.COMPLETED:
        _must(event.status is JourneyEventStatus.FAILED, f"no newer event was told, but it is {event.status}")
        old = case.api.get(f"/datasets/{case.dataset_id}").json()["status"]
        expected = "teardown" if _outcome(event) == "TEARDOWN_FAILED" else "ready"
        _must(old == expected, f"the transition failed ({_outcome(event)}) and the old stage is {old}")
        again = _event_ended(case.installation, _tell_of_transition(case.api, case.asked, case.dataset_id))
        _must(again.status is JourneyEventStatus.COMPLETED, f"told anew it does not succeed: {again.error}")
    _is_archived(case)
    of_next = {"journey_id": case.asked["journey_id"], "stage": "pilot"}
    listed = case.api.get("/datasets", params=of_next).json()["datasets"]
    ready = [one["dataset_id"] for one in listed if one["status"] == "ready"]
    _must(len(ready) == 1, f"the next stage has {len(ready)} ready datasets")
    return [*ready, case.dataset_id]


def _remove(installation: Installation, api: httpx.Client, dataset_id: str) -> None:
    """Takes the dataset away for good, its archive too."""
    ended = _ended(installation, _accepted(api.delete(f"/datasets/{dataset_id}", params={"archive": "false"})))
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


def _outcome(ended: Operation | JourneyEvent) -> str:
    return str(ended.error["code"]) if ended.error else "completed"


def _must(condition: bool, otherwise: str) -> None:
    if not condition:
        raise NotRightError(otherwise)


_BEGIN = {PROVISIONING: _ask_for_it, TEARDOWN: _ask_for_teardown, TRANSITION: _tell_of_transition}
_PROVE: dict[str, Callable[..., list[str]]] = {
    PROVISIONING: _provisioning_is_true,
    TEARDOWN: _teardown_is_true,
    TRANSITION: _transition_is_true,
}
