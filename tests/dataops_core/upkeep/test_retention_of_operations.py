"""Operations and runs that are too old go where nothing rests on them."""

from uuid import uuid4

from sqlalchemy import select

from dataops_core.clock import utcnow
from dataops_core.lifecycle import OperationStatus, OperationType
from dataops_core.provisioning import steering
from dataops_core.provisioning.settlement import RunEnding, settle
from dataops_core.registry import launches, operations, retention, stops
from dataops_core.registry.tables import Operation
from tests.dataops_core.upkeep.cleaning import DAY, change, cleaned


def age(services, operation_id, days=400) -> None:
    moment = utcnow() - days * DAY
    with services.database.transaction() as session:
        row = operations.get(session, operation_id)
        row.created_at, row.beat_at = moment, moment
        if row.completed_at is not None:
            row.completed_at = moment


def kept(services) -> set:
    with services.database.transaction() as session:
        return set(session.scalars(select(Operation.operation_id)))


def validation(services, dataset) -> Operation:
    with services.database.transaction() as session:
        operation = operations.create(
            session,
            operation_type=OperationType.VALIDATION,
            client_id=dataset.client_id,
            stage=dataset.stage,
            datasets=[(dataset.dataset_id, dataset.dataset_type)],
            run_id=f"run-{uuid4()}"[:36],
        )
        settle(session, operation.operation_id, RunEnding.FAILURE, run_id=operation.run_id)
        return operation


def test_an_operation_goes_when_nothing_rests_on_it(ready, services):
    """C-84, C-87: what made a dataset what it is can still be retried and rerun, however old."""
    first, second = (validation(services, ready.dataset()).operation_id for _ in range(2))
    made = ready.operation.operation_id
    for one in (made, first, second):
        age(services, one)
    assert cleaned(services, keep_operations_days=0) == {}
    assert cleaned(services, keep_operations_days=365) == {"operations": 1}
    # The newest one is the dataset's own link, the provisioning what a rerun goes on with.
    assert kept(services) == {made, second}

    down = ready.tear_down()
    down.run_teardown()
    age(services, down.operation.operation_id)
    change(services, Operation, Operation.operation_id == made, created_at=utcnow() - 401 * DAY)
    assert cleaned(services) == {"operations": 2}
    assert kept(services) == {down.operation.operation_id}
    with services.database.transaction() as session:
        purge = operations.get(session, down.operation.operation_id)
        assert purge.status is OperationStatus.COMPLETED


def test_of_a_dataset_that_is_gone_no_operation_is_kept_for_ever(ready, services):
    down = ready.tear_down(archive=False)
    down.run_teardown()
    assert cleaned(services) == {}
    age(services, ready.operation.operation_id)
    age(services, down.operation.operation_id, days=364)
    assert cleaned(services) == {"operations": 1}
    age(services, down.operation.operation_id)
    assert cleaned(services) == {"operations": 1}
    assert kept(services) == set()


def test_an_open_operation_is_left_alone_however_old_and_so_is_a_failed_one_that_can_be_retried(journey, services):
    """C-84."""
    waiting, failed = journey(), journey()
    with services.database.transaction() as session:
        launches.record_launch(session, failed.operation_id, "run-1", attempt=1)
        settle(session, failed.operation_id, RunEnding.LOST, run_id="run-1")
    for one in (waiting, failed):
        age(services, one.operation_id, days=9999)
    assert cleaned(services, keep_audit_days=0) == {}
    with services.database.transaction() as session:
        steering.retry(session, failed.operation_id)


def test_the_runs_that_something_rests_on_are_told_apart(accept, services):
    """C-87."""
    live, gone = accept(), accept()
    for number, case in enumerate((live, gone)):
        case.provision(f"made-{number}")
    checked = validation(services, live.dataset())
    gone.tear_down().run_teardown("down")
    with services.database.transaction() as session:
        stops.ask_to_stop(session, "to be stopped", uuid4())
    asked = {"made-0", "made-1", "down", "to be stopped", "by hand", checked.run_id}
    with services.database.transaction() as session:
        assert retention.runs_needed(session, asked) == {"made-0", "to be stopped", checked.run_id}
    validation(services, live.dataset())
    with services.database.transaction() as session:
        assert retention.runs_needed(session, asked) == {"made-0", "to be stopped"}
