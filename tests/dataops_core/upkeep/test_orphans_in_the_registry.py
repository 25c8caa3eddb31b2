"""Rows that nobody works on, journeys that nobody follows, keys of nothing: repaired, torn down or told of."""

import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import delete, text, update

from dataops_core.acting import Acting, ActorKind, acting
from dataops_core.clock import utcnow
from dataops_core.journeys.accepting import ToldEvent, accept_event
from dataops_core.journeys.advancing import advance_events
from dataops_core.lifecycle import (
    ConnectorStatus,
    DatasetStatus,
    Environment,
    JourneyEventStatus,
    JourneyEventType,
    OperationStatus,
    OperationType,
    Stage,
    TokenKind,
)
from dataops_core.provisioning import steps, teardown
from dataops_core.provisioning.settlement import RunEnding, settle
from dataops_core.registry import connectors, datasets, environments, journeys, operations, usage
from dataops_core.registry.tables import Dataset, JourneyEvent, Operation, OperationDataset
from dataops_core.registry.tables import Journey as JourneyRow
from dataops_core.upkeep.orphans import rows
from dataops_core.upkeep.orphans.model import Kind, Verdict
from tests.dataops_core.provisioning.conftest import Case

#: Whether somebody waits for an advisory lock of this database.
_WAITING = text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
V = Verdict
S = DatasetStatus
DAY = timedelta(days=1)


def change(services, table, condition, **values) -> None:
    with services.database.transaction() as session:
        session.execute(update(table).where(condition).values(values))


def age(case, days: float, dataset_type: str = "confluence_pages") -> None:
    """A dataset of which nobody has asked anything for so long."""
    moment = utcnow() - days * DAY
    dataset_id = case.dataset(dataset_type).dataset_id
    change(
        case.services,
        Dataset,
        Dataset.dataset_id == dataset_id,
        created_at=moment,
        updated_at=moment,
        ready_at=moment,
    )


def teardowns_of(case) -> list[Operation]:
    with case.services.database.transaction() as session:
        found = operations.newest_teardown_of(session, case.dataset().dataset_id)
        return [found] if found is not None else []


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


# --- journeys ---------------------------------------------------------------------------------------------------------


def complete(case) -> None:
    """The case's journey is completed: its datasets are torn down."""
    told = ToldEvent(
        journey_id=case.request.journey_id,
        client_id=case.request.client_id,
        event_id=uuid4(),
        event=JourneyEventType.JOURNEY_COMPLETED,
        occurred_at=utcnow(),
    )
    database, catalog = case.services.database, case.services.catalog
    with database.transaction() as session:
        accept_event(session, told)
    advance_events(database, catalog, max_record_count=1000)


def test_what_is_left_of_a_journey_that_has_ended_is_torn_down(ready, search):
    """C-92: here somebody has restored it since."""
    subject = str(ready.request.journey_id)
    complete(ready)
    assert search() == {}, "its teardown is under way"
    (down,) = teardowns_of(ready)
    assert down.request["reason"] == "journey_completed"
    Case(ready.services, ready.request, down).run_teardown()
    assert search().keys() <= {Kind.PARTITION}, "its event is open"
    advance_events(search.services.database, search.services.catalog, max_record_count=1000)
    assert search().keys() <= {Kind.PARTITION}, "nothing is left"
    ready.restore().run_restore()
    assert search() == {Kind.JOURNEY_ENDED: [(V.WAITING, subject)]}
    age(ready, 2)
    change(search.services, JourneyRow, JourneyRow.journey_id == ready.request.journey_id, ended_at=utcnow() - 2 * DAY)
    change(
        search.services,
        JourneyEvent,
        JourneyEvent.journey_id == ready.request.journey_id,
        completed_at=utcnow() - 2 * DAY,
    )
    assert search(dry_run=True) == {Kind.JOURNEY_ENDED: [(V.DUE, subject)]}
    with search.services.database.transaction() as session:
        journeys.lock_if_free(session, client_id=ready.request.client_id, journey_id=ready.request.journey_id)
        assert search() == {Kind.JOURNEY_ENDED: [(V.LEFT, subject)]}, "an event is being acted on"
    assert search() == {Kind.JOURNEY_ENDED: [(V.DONE, subject)]}
    (down,) = teardowns_of(ready)
    assert (down.request["reason"], down.request["archive"]) == ("orphan_cleanup", True)
    assert search() == {}
    Case(ready.services, ready.request, down).run_teardown("run-orphan")
    assert ready.dataset().status is S.ARCHIVED


def test_journeys_that_must_wait_take_no_turn_from_those_that_are_due(ready, accept, search, monkeypatch):
    """So many journeys are torn down by one search, and no more."""
    monkeypatch.setattr("dataops_core.upkeep.orphans.journeys.MOST_JOURNEYS", 1)
    others = [accept(), accept()]
    for number, case in enumerate(others):
        case.provision(f"run-{number}")
    with search.services.database.transaction() as session:
        for case, days in ((ready, 30), (others[0], 20), (others[1], 10)):
            ids = {"client_id": case.request.client_id, "journey_id": case.request.journey_id}
            journeys.lock_or_make(session, **ids, now=utcnow()).ended_at = utcnow() - days * DAY
    for case in others:
        age(case, 2)
    waits, first, second = (str(case.request.journey_id) for case in (ready, *others))
    assert search() == {Kind.JOURNEY_ENDED: [(V.WAITING, waits), (V.DONE, first)]}
    assert search() == {Kind.JOURNEY_ENDED: [(V.WAITING, waits), (V.DONE, second)]}


def test_an_event_is_a_sign_of_life_and_what_waits_for_one_is_not_silent(ready, search):
    """C-91."""
    age(ready, 99)
    search.setting(silent_journey_teardown_days=30)
    told = ToldEvent(
        journey_id=ready.request.journey_id,
        client_id=ready.request.client_id,
        event_id=uuid4(),
        event=JourneyEventType.STAGE_TRANSITION,
        to_stage=Stage.PILOT,
        occurred_at=utcnow(),
    )
    with search.services.database.transaction() as session:
        accept_event(session, told)
    mine = JourneyEvent.event_id == told.event_id
    change(search.services, JourneyEvent, mine, received_at=utcnow() - 99 * DAY)
    assert search() == {}, "it waits to be acted on"
    done = {"status": JourneyEventStatus.COMPLETED, "completed_at": utcnow()}
    change(search.services, JourneyEvent, mine, received_at=utcnow(), **done)
    assert search() == {}
    change(search.services, JourneyEvent, mine, received_at=utcnow() - 99 * DAY)
    assert search() == {Kind.JOURNEY_SILENT: [(V.DONE, str(ready.request.journey_id))]}


def test_a_journey_of_another_customer_with_the_same_id_is_another_journey(ready, accept, search):
    """C-8."""
    other = accept()
    other.provision("run-0002")
    change(
        search.services, Dataset, Dataset.dataset_id == other.dataset().dataset_id, journey_id=ready.request.journey_id
    )
    age(ready, 99)
    search.setting(silent_journey_teardown_days=30)
    assert search() == {Kind.JOURNEY_SILENT: [(V.DONE, str(ready.request.journey_id))]}
    assert (ready.dataset().status, other.dataset().status) == (S.TEARDOWN, S.READY)


def test_a_silent_journey_is_told_of_and_left_up_unless_a_setting_says_otherwise(ready, search):
    subject = str(ready.request.journey_id)
    age(ready, 29)
    assert search() == {}
    age(ready, 31)
    assert search() == {Kind.JOURNEY_SILENT: [(V.REPORTED, subject)]}
    search.setting(silent_journey_teardown_days=60)
    assert search() == {Kind.JOURNEY_SILENT: [(V.REPORTED, subject)]}
    age(ready, 61)
    assert search(dry_run=True) == {Kind.JOURNEY_SILENT: [(V.DUE, subject)]}
    assert ready.dataset().status is S.READY
    assert search() == {Kind.JOURNEY_SILENT: [(V.DONE, subject)]}
    assert ready.dataset().status is S.TEARDOWN
    (down,) = teardowns_of(ready)
    assert (down.request["reason"], down.request["archive"]) == ("orphan_cleanup", True)
    assert search() == {}


def test_what_somebody_asks_for_is_a_sign_of_life_and_what_the_product_does_by_itself_is_none(accept, search):
    """An operation, a change of metadata, a new token, a search."""
    asked, changed, let_in, searched, looked_after = cases = [accept() for _ in range(5)]
    for number, case in enumerate(cases):
        case.provision(f"run-000{number}")
        age(case, 99)
    with search.services.database.transaction() as session:
        for case, client in ((asked, uuid4()), (looked_after, None)):
            row = case.dataset()
            made = operations.create(
                session,
                operation_type=OperationType.VALIDATION,
                client_id=row.client_id,
                stage=row.stage,
                datasets=[(row.dataset_id, row.dataset_type)],
                api_client_id=client,
                run_id=str(uuid4()),
            )
            settle(session, made.operation_id, RunEnding.FAILURE, run_id=made.run_id)
        usage.record(session, searched.dataset().dataset_id, documents=1, now=utcnow())
        connectors.issue_token(
            session,
            search.services.keyring,
            connector_id=connectors.of_dataset(session, let_in.dataset().dataset_id).connector_id,
            kind=TokenKind.SEARCH,
            lifetime=DAY,
            now=utcnow(),
        )
    for case, who in ((changed, Acting(ActorKind.API_CLIENT, str(uuid4()))), (looked_after, Acting(ActorKind.RUN))):
        with acting(who), search.services.database.transaction() as session:
            datasets.say(session, case.dataset().dataset_id, {"tags": ["mine"]})
    search.setting(silent_journey_teardown_days=30)
    assert search() == {Kind.JOURNEY_SILENT: [(V.DONE, str(looked_after.request.journey_id))]}
    assert [case.dataset().status for case in cases] == [S.READY, S.READY, S.READY, S.READY, S.TEARDOWN]


def test_a_journey_with_an_operation_under_way_is_not_silent(ready, accept, search):
    repos = "github_repos"
    busy = accept(repos, client_id=ready.request.client_id)
    other = busy.dataset(repos).dataset_id
    change(search.services, Dataset, Dataset.dataset_id == other, journey_id=ready.request.journey_id)
    age(busy, 99, repos)
    age(ready, 99)
    assert search.setting(silent_journey_teardown_days=30)() == {}
    for step in (steps.resolve_template, steps.create_connector):
        step(busy.context("run-0002", dataset_type=repos))


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


def test_two_searches_at_once_tear_down_once(ready, search):
    age(ready, 99)
    search.setting(silent_journey_teardown_days=30)
    found, at_once = [], threading.Barrier(2)

    def run() -> None:
        at_once.wait()
        found.append(search())

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    with search.services.database.transaction() as session:
        begun = session.query(Operation).where(Operation.operation_type == OperationType.TEARDOWN).count()
    assert begun == 1
    assert ready.dataset().status is S.TEARDOWN
    with search.services.database.transaction() as session:
        connector = connectors.of_dataset(session, ready.dataset().dataset_id)
    assert connector.status is ConnectorStatus.HEALTHY
