"""Rows that nobody works on, keys of nothing: repaired or told of."""

import threading
from uuid import uuid4

import pytest
from sqlalchemy import delete, text

from dataops_core.clock import utcnow
from dataops_core.lifecycle import (
    DatasetStatus,
    Environment,
    OperationStatus,
    Stage,
)
from dataops_core.provisioning import teardown
from dataops_core.provisioning.settlement import RunEnding, settle
from dataops_core.registry import environments
from dataops_core.registry.tables import Dataset, Operation, OperationDataset
from dataops_core.upkeep.orphans import rows
from dataops_core.upkeep.orphans.model import Kind, Verdict
from tests.dataops_core.upkeep.cleaning import DAY, change

#: Whether somebody waits for an advisory lock of this database.
_WAITING = text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
V = Verdict
S = DatasetStatus


# --- rows -------------------------------------------------------------------------------------------------------------


def test_a_dataset_on_its_way_with_nobody_at_work_is_called_failed_so_that_its_place_is_free(journey, search):
    """C-35."""
    lost, busy = journey(), journey()
    row = lost.dataset()
    with search.services.database.transaction() as session:
        session.execute(delete(OperationDataset).where(OperationDataset.dataset_id == row.dataset_id))
    assert search() == {Kind.DATASET_STUCK: [(V.WAITING, str(row.dataset_id))]}
    for one in (row.dataset_id, busy.dataset().dataset_id):
        change(search.services, Dataset, Dataset.dataset_id == one, updated_at=utcnow() - 2 * DAY)
    assert search(dry_run=True) == {Kind.DATASET_STUCK: [(V.DUE, str(row.dataset_id))]}
    assert search() == {Kind.DATASET_STUCK: [(V.DONE, str(row.dataset_id))]}
    with search.services.database.transaction() as session:
        after = session.get_one(Dataset, row.dataset_id)
        assert (after.status, after.error_code) == (S.FAILED, "RUN_LOST")
    assert busy.dataset().status is S.PROVISIONING
    assert search() == {}


def test_a_restore_with_nobody_at_work_leaves_the_dataset_archived_since_when_it_was(ready, search):
    """C-54."""
    ready.tear_down().run_teardown()
    before = ready.dataset()
    back = ready.restore()
    with search.services.database.transaction() as session:
        session.execute(delete(OperationDataset).where(OperationDataset.operation_id == back.operation.operation_id))
    change(search.services, Dataset, Dataset.dataset_id == before.dataset_id, updated_at=utcnow() - 2 * DAY)
    assert search() == {Kind.DATASET_STUCK: [(V.DONE, str(before.dataset_id))]}
    after = ready.dataset()
    assert (after.status, after.archived_at, after.archive_path) == (
        S.ARCHIVED,
        before.archived_at,
        before.archive_path,
    )
    ready.restore().run_restore()


def fail_teardown(case, *, archive=True):
    down = case.tear_down(archive=archive)
    teardown.disconnect_connector(down.context("run-down"))
    with case.services.database.transaction() as session:
        settle(session, down.operation.operation_id, RunEnding.LOST, run_id="run-down")
    return down


@pytest.mark.parametrize("archive", [True, False])
def test_a_failed_teardown_is_gone_on_with_as_the_same_operation(ready, search, archive):
    """C-52."""
    down = fail_teardown(ready, archive=archive)
    operation_id, subject = down.operation.operation_id, str(ready.dataset().dataset_id)
    assert search() == {Kind.TEARDOWN_FAILED: [(V.WAITING, subject)]}
    change(search.services, Operation, Operation.operation_id == operation_id, completed_at=utcnow() - 2 * DAY)
    assert search() == {Kind.TEARDOWN_FAILED: [(V.DONE, subject)]}
    again = down.now()
    assert (again.status, again.attempt, again.request["archive"]) == (OperationStatus.PENDING, 2, archive)
    assert search() == {}
    down.run_teardown("run-down-2")
    assert down.now().status is OperationStatus.COMPLETED


def test_a_teardown_that_fails_again_and_again_is_only_told_of(ready, search):
    down = fail_teardown(ready)
    operation_id = down.operation.operation_id
    change(
        search.services,
        Operation,
        Operation.operation_id == operation_id,
        completed_at=utcnow() - 2 * DAY,
        attempt=rows.MOST_ATTEMPTS,
    )
    assert search() == {Kind.TEARDOWN_FAILED: [(V.REPORTED, str(ready.dataset().dataset_id))]}
    assert down.now().status is OperationStatus.FAILED


def test_an_operation_that_nobody_launches_is_told_of(journey, search):
    """C-86."""
    waiting = journey()
    assert search() == {}
    change(search.services, Operation, Operation.operation_id == waiting.operation_id, beat_at=utcnow() - DAY / 24)
    assert search() == {Kind.OPERATION_WITHOUT_RUN: [(V.REPORTED, str(waiting.operation_id))]}
    assert waiting.operation().status is OperationStatus.PENDING


# --- environments -----------------------------------------------------------------------------------------------------


def test_the_key_of_an_environment_goes_some_time_after_its_last_dataset(ready, search):
    environment = Environment(Stage.SANDBOX, ready.request.client_id)
    assert search() == {}
    assert search.keys.keys == {environment.partition_key}, "a key that was missing is added"
    down = ready.tear_down()
    assert search() == {}
    down.run_teardown()
    assert search() == {Kind.PARTITION: [(V.WAITING, environment.partition_key)]}
    change(search.services, Operation, Operation.client_id == environment.client_id, completed_at=utcnow() - 2 * DAY)
    search.keys.used = {environment.partition_key}
    assert search() == {}, "a run in flight uses it"
    search.keys.used = set()
    assert search(dry_run=True) == {Kind.PARTITION: [(V.DUE, environment.partition_key)]}
    assert search.keys.keys == {environment.partition_key}
    assert search() == {Kind.PARTITION: [(V.DONE, environment.partition_key)]}
    assert search.keys.keys == set()


def test_keys_that_somebody_added_by_hand_go_and_those_in_use_stay(journey, accept, search):
    """A dataset that failed, and an operation on an archived one, use their environment."""
    failed, restored = journey(), accept()
    failed.move(S.FAILED)
    restored.provision()
    restored.tear_down().run_teardown()
    change(search.services, Operation, Operation.operation_id == restored.operation.operation_id, completed_at=None)
    restored.restore()
    in_use = {failed.environment.partition_key, f"sandbox:{restored.request.client_id}"}
    by_hand = {"mine", f"pilot:{uuid4()}", f"sandbox:{str(failed.client_id).upper()}"}
    search.keys.keys = in_use | by_hand
    assert {subject for _, subject in search()[Kind.PARTITION]} == by_hand
    assert search.keys.keys == in_use


def test_a_key_stays_where_an_operation_is_accepted_at_that_moment(accept, search, services):
    """Accepted and not yet committed: it adds no key that is there, and its run would fail without it."""
    key = f"sandbox:{uuid4()}"
    environment = Environment.parse(key)
    search.keys.keys = {key}
    with services.database.transaction() as session:
        environments.share(session, environment)
        assert search() == {Kind.PARTITION: [(V.LEFT, key)]}
    case = accept(client_id=environment.client_id)
    assert search() == {}
    assert search.keys.keys == {key}
    assert case.now().status is OperationStatus.PENDING


def test_an_operation_waits_while_the_key_of_its_environment_goes_and_adds_it_anew(accept, search, monkeypatch):
    """Of the two orders there are, this is the other."""
    key = f"sandbox:{uuid4()}"
    search.keys.keys = {key}
    accepted = threading.Event()

    def begin() -> None:
        accept(client_id=Environment.parse(key).client_id)
        accepted.set()

    beginning = threading.Thread(target=begin)
    real = search.keys.remove

    def remove(wanted: str) -> None:
        beginning.start()
        with search.services.database.reading() as connection:
            while not connection.scalar(_WAITING):
                assert not accepted.is_set(), "accepted although its environment was being called empty"
        real(wanted)

    monkeypatch.setattr(search.keys, "remove", remove)
    assert search() == {Kind.PARTITION: [(V.DONE, key)]}
    beginning.join()
    assert accepted.is_set()
    assert search() == {}
    assert search.keys.keys == {key}
