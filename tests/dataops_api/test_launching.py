"""Launching behind the answers (C-42, C-86)."""

from concurrent.futures import Future
from typing import Any
from uuid import UUID, uuid4

from dataops_api.launching import Launcher
from dataops_core.lifecycle import OperationType, Stage
from dataops_core.registry import operations
from dataops_core.runs import LaunchRequest, RunState


class Broken:
    """A gateway with a bug, until it has none."""

    def __init__(self) -> None:
        self.tries = 0
        self.launched: Future[UUID] = Future()

    def launch(self, request: LaunchRequest) -> str:
        self.tries += 1
        if self.tries == 1:
            raise RuntimeError("a bug")
        self.launched.set_result(request.operation_id)
        return "run"

    def run_of(self, operation_id: UUID, *, attempt: int | None = None) -> RunState | None:
        raise AssertionError(operation_id, attempt)

    def run_state(self, run_id: str) -> RunState | None:
        raise AssertionError(run_id)

    def terminate(self, run_id: str) -> bool:
        raise AssertionError(run_id)


def pending(api: Any) -> UUID:
    """An operation that the API's own launcher knows nothing of."""
    with api.database.transaction() as session:
        return operations.create(
            session, operation_type=OperationType.PROVISIONING, client_id=uuid4(), stage=Stage.SANDBOX, datasets=[]
        ).operation_id


def test_one_operation_that_breaks_the_launcher_does_not_keep_the_next_from_its_run(api: Any) -> None:
    """C-86."""
    first, second = pending(api), pending(api)
    gateway = Broken()
    launcher = Launcher(api.database, gateway)
    launcher.start()
    launcher.submit(first)
    launcher.submit(second)
    assert gateway.launched.result(timeout=20) == second
    launcher.stop()
    with api.database.transaction() as session:
        assert operations.get(session, second).run_id == "run"
        assert operations.get(session, first).run_id is None


def test_an_operation_that_does_not_exist_is_no_launch(api: Any) -> None:
    """C-86."""
    gateway = Broken()
    launcher = Launcher(api.database, gateway)
    launcher.start()
    launcher.submit(uuid4())
    launcher.stop()
    assert gateway.tries == 0


def test_what_waits_when_the_service_stops_is_left_to_the_sensor(api: Any) -> None:
    """C-86."""
    operation_id = pending(api)
    launcher = Launcher(api.database, Broken())
    launcher.submit(operation_id)
    launcher.stop()
    with api.database.transaction() as session:
        assert operations.get(session, operation_id).run_id is None
