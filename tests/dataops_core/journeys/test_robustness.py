"""Carrying events on, whatever breaks: kills at any moment, two daemons at once, an event that cannot be carried on.

The registry is a real PostgreSQL; a kill is an exception that nothing of ours catches, at each statement in turn.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event as events
from sqlalchemy import insert, text

from dataops_core.clock import utcnow
from dataops_core.ids import new_id
from dataops_core.journeys import advancing
from dataops_core.lifecycle import JourneyEventStatus, JourneyEventType, OperationType, Stage
from dataops_core.registry import journeys
from dataops_core.registry.database import Database
from dataops_core.registry.tables import Journey, JourneyEvent

SANDBOX, PILOT, PRODUCTION = Stage.SANDBOX, Stage.PILOT, Stage.PRODUCTION
PAGES, REPOS = "confluence_pages", "github_repos"
Status = JourneyEventStatus


class KilledError(BaseException):
    """The process ends here."""


@contextmanager
def statements(database: Database, *, most: int | None = None) -> Iterator[list[tuple[str, Any]]]:
    """Notes the statements of the block; the process is killed at the one after so many."""
    said: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        if most is not None and len(said) == most:
            raise KilledError
        said.append((statement, parameters))

    events.listen(database.engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        events.remove(database.engine, "before_cursor_execute", note)


def killed_at_each_statement(trip, goal):
    """Ticks that are killed at their first statement, their second, …, each leaving what was there before."""
    before = trip.standing(), len(trip.operations())
    for most in range(200):
        try:
            with statements(trip.database, most=most):
                trip.advance()
        except KilledError:
            assert (trip.standing(), len(trip.operations())) == before
            continue
        goal()
        return most
    raise AssertionError("the tick has no end")


@pytest.mark.long
def test_a_kill_at_any_statement_leaves_what_the_next_tick_goes_on_from(trip):
    """C-92: a transition in each of its steps, and a completion."""
    trip.settled(SANDBOX, PAGES, REPOS)
    event_id = trip.to(PILOT)

    def begun(kind: OperationType, number: int) -> None:
        assert [one.operation_type for one in trip.operations()][-number:] == [kind] * number

    steps = killed_at_each_statement(trip, lambda: begun(OperationType.PROVISIONING, 2))
    assert steps > 10
    assert len(trip.operations()) == 2
    trip.succeed(trip.operations()[-1].operation_id)
    killed_at_each_statement(trip, lambda: begun(OperationType.TEARDOWN, 2))
    assert len(trip.operations()) == 4
    for teardown in trip.operations()[-2:]:
        trip.succeed(teardown.operation_id)
    killed_at_each_statement(trip, lambda: begun(OperationType.TEARDOWN, 2))
    assert trip.status(event_id) is Status.COMPLETED

    trip.complete()
    killed_at_each_statement(trip, lambda: begun(OperationType.TEARDOWN, 4))
    assert len(trip.operations()) == 6


def test_two_daemons_at_once_double_nothing(trip, another):
    """C-92: each event is carried on by one of them."""
    trips = [trip, *(another() for _ in range(9))]
    for one in trips:
        one.settled(SANDBOX, PAGES)
        one.to(PILOT)

    def both() -> int:
        gate, begun, errors = threading.Barrier(4), [], []

        def daemon() -> None:
            gate.wait(10)
            try:
                begun.extend(trip.advance())
            except Exception as error:
                errors.append(error)

        threads = [threading.Thread(target=daemon) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert errors == []
        return len(begun)

    # One that another daemon has at that moment is left to that one.
    assert both() == 10
    for one in trips:
        assert [row.operation_type for row in one.operations()] == [OperationType.PROVISIONING] * 2
        one.succeed(one.operations()[-1].operation_id)
    assert both() == 10
    for one in trips:
        assert [row.operation_type for row in one.operations()][2:] == [OperationType.TEARDOWN]


def test_an_event_that_is_being_told_of_at_this_moment_is_left_for_the_next_tick(trip):
    """C-92: the sensor waits for nobody."""
    trip.settled(SANDBOX)
    event_id = trip.to(PILOT)
    with trip.database.transaction() as session:
        journeys.lock_or_make(session, client_id=trip.client_id, journey_id=trip.journey_id, now=utcnow())
        assert trip.tick() == []
    assert trip.status(event_id) is Status.PENDING
    assert trip.tick_once().stage is PILOT


def test_an_event_that_cannot_be_carried_on_holds_up_no_other_and_is_raised(trip, another, monkeypatch):
    """C-92."""
    broken, whole = trip.settled(SANDBOX), another().settled(SANDBOX)
    event_id, other_id = broken.to(PILOT), whole.to(PILOT)
    plan = advancing.plan_transition

    def breaks(session: Any, event: JourneyEvent, to_stage: Stage) -> Any:
        if event.client_id == broken.client_id:
            raise RuntimeError("a bug")
        return plan(session, event, to_stage)

    monkeypatch.setattr(advancing, "plan_transition", breaks)
    with pytest.raises(RuntimeError, match="a bug"):
        trip.tick()
    assert (broken.status(event_id), whole.status(other_id)) == (Status.PENDING, Status.IN_PROGRESS)
    monkeypatch.undo()
    broken.tick()
    assert broken.status(event_id) is Status.IN_PROGRESS


def fill(database: Database, number: int) -> None:
    """So many journeys of the past."""
    now, client_id = utcnow(), new_id()
    ids = [new_id() for _ in range(number)]
    with database.transaction() as session:
        session.execute(
            insert(Journey), [{"client_id": client_id, "journey_id": one, "created_at": now} for one in ids]
        )
        session.execute(
            insert(JourneyEvent),
            [
                {
                    "client_id": client_id,
                    "journey_id": one,
                    "event_id": one,
                    "event": JourneyEventType.JOURNEY_COMPLETED,
                    "occurred_at": now,
                    "received_at": now,
                    "status": Status.COMPLETED,
                }
                for one in ids
            ],
        )
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


def test_a_tick_with_nothing_to_do_asks_one_question_of_an_index(trip):
    """C-92: however many events there were."""
    fill(trip.database, 3000)
    with statements(trip.database) as said:
        assert trip.advance() == []
    ((question, parameters),) = said
    with trip.database.transaction() as session:
        plan = session.connection().exec_driver_sql(f"EXPLAIN {question}", parameters).scalars().all()
    assert "ix_journey_events_open" in "\n".join(plan)
    assert not any("Seq Scan on journey_events" in line for line in plan)
