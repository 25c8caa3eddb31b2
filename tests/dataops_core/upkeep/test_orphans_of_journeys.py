"""Journeys that nobody follows: ended ones are torn down, silent ones told of."""

from uuid import uuid4

from dataops_core.acting import Acting, ActorKind, acting
from dataops_core.clock import utcnow
from dataops_core.journeys.accepting import ToldEvent, accept_event
from dataops_core.journeys.advancing import advance_events
from dataops_core.lifecycle import (
    ConnectorStatus,
    DatasetStatus,
    JourneyEventStatus,
    JourneyEventType,
    OperationType,
    Stage,
    TokenKind,
)
from dataops_core.provisioning import steps
from dataops_core.provisioning.settlement import RunEnding, settle
from dataops_core.registry import connectors, datasets, journeys, operations, usage
from dataops_core.registry.tables import Dataset, JourneyEvent, Operation
from dataops_core.registry.tables import Journey as JourneyRow
from dataops_core.upkeep.orphans.model import Kind, Verdict
from tests.dataops_core.provisioning.conftest import Case
from tests.dataops_core.upkeep.cleaning import DAY, change

V = Verdict
S = DatasetStatus


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


def test_two_searches_at_once_tear_down_once(ready, search):
    age(ready, 99)
    search.setting(silent_journey_teardown_days=30)
    search.twice_at_once()
    with search.services.database.transaction() as session:
        begun = session.query(Operation).where(Operation.operation_type == OperationType.TEARDOWN).count()
    assert begun == 1
    assert ready.dataset().status is S.TEARDOWN
    with search.services.database.transaction() as session:
        connector = connectors.of_dataset(session, ready.dataset().dataset_id)
    assert connector.status is ConnectorStatus.HEALTHY
