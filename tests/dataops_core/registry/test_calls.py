"""Hearing what the registry calls out: what is called and what not, and connections that are lost."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg2 import sql
from sqlalchemy import text, update

from dataops_core.clock import utcnow
from dataops_core.lifecycle import OperationStatus, OperationType, Outcome, Stage
from dataops_core.registry import customers
from dataops_core.registry.calls import OPERATIONS, Calls
from dataops_core.registry.database import Database
from dataops_core.registry.looking import Looking
from dataops_core.registry.tables import Operation, OperationDataset
from tests.waiting import wait_for

Administer = Callable[[sql.Composable], None]
NOW = utcnow()


@pytest.fixture
def operation_id(database: Database) -> UUID:
    found, client_id = uuid4(), uuid4()
    with database.transaction() as session:
        customers.ensure(session, client_id=client_id, locale="en_US", company_name="ACME", now=NOW)
        session.add(
            Operation(
                operation_id=found,
                operation_type=OperationType.PROVISIONING,
                status=OperationStatus.PENDING,
                client_id=client_id,
                stage=Stage.SANDBOX,
                request={},
                total_steps=6,
                created_at=NOW,
                beat_at=NOW,
                estimated_completion=NOW,
            )
        )
        session.flush()
        session.add(
            OperationDataset(operation_id=found, dataset_id=uuid4(), dataset_type="confluence_pages", position=0)
        )
    return found


@asynccontextmanager
async def hearing(url: str) -> AsyncIterator[tuple[Calls, list[str], Looking]]:
    """Calls, what was heard, and where the connection is from."""
    heard: list[str] = []
    looking = Looking(url)
    calls = Calls(looking, OPERATIONS, heard.append)
    try:
        yield calls, heard, looking
    finally:
        await calls.close()
        assert looking.connections()["in_use"] == 0
        await looking.close()


def say(database: Database, word: str) -> None:
    with database.transaction() as session:
        session.execute(text("SELECT pg_notify('dataops_operations', :word)"), {"word": word})


async def heard_until(database: Database, heard: list[str], word: str) -> list[str]:
    """What was heard before this word, which is said now: calls come in the order of their transactions."""
    await asyncio.to_thread(say, database, word)
    await asyncio.to_thread(wait_for, lambda: word in heard, f"{word!r} is heard")
    before = heard[: heard.index(word)]
    heard.clear()
    return before


@pytest.mark.parametrize(
    "case",
    [
        (Operation, {"status": OperationStatus.IN_PROGRESS}, 1),
        (Operation, {"attempt": 2}, 1),
        (Operation, {"current_step": 1, "beat_at": NOW + timedelta(seconds=1)}, 1),
        (Operation, {"total_steps": 12}, 1),
        (Operation, {"started_at": NOW}, 1),
        (Operation, {"completed_at": NOW}, 1),
        (Operation, {"estimated_completion": NOW + timedelta(seconds=1)}, 1),
        (Operation, {"error": {"code": "RUN_LOST"}}, 1),
        (Operation, {"run_id": "run"}, 1),
        (OperationDataset, {"outcome": Outcome.CANCELLED}, 1),
        (OperationDataset, {"quality_score": Decimal("99.4")}, 1),
        # What nobody sees, and what stays the same.
        (Operation, {"beat_at": NOW + timedelta(seconds=1)}, 0),
        (Operation, {"launch_attempts": 2}, 0),
        (Operation, {"current_step": 0, "run_id": None}, 0),
        (OperationDataset, {"steps_done": 1, "records_path": "somewhere"}, 0),
    ],
)
def test_what_a_client_can_see_is_called_out(
    database: Database, database_url: str, operation_id: UUID, case: tuple[Any, dict[str, Any], int]
) -> None:
    entity, values, times = case

    async def hear() -> list[str]:
        async with hearing(database_url) as (calls, heard, _):
            await calls.listen()
            with database.transaction() as session:
                session.execute(update(entity).where(entity.operation_id == operation_id).values(**values))
            return await heard_until(database, heard, "the end")

    assert asyncio.run(hear()) == [str(operation_id)] * times


def test_a_transaction_is_heard_once_when_it_is_committed(
    database: Database, database_url: str, operation_id: UUID
) -> None:
    def change(step: int) -> Any:
        return update(Operation).where(Operation.operation_id == operation_id).values(current_step=step)

    async def hear() -> None:
        async with hearing(database_url) as (calls, heard, _):
            await calls.listen()
            with database.transaction() as session:
                for step in (1, 2, 3):
                    session.execute(change(step))
                assert await heard_until(database, heard, "not yet") == []
            assert await heard_until(database, heard, "once") == [str(operation_id)]
            with database.transaction() as session:
                session.execute(change(4))
                session.rollback()
            assert await heard_until(database, heard, "never") == []

    asyncio.run(hear())


def test_who_listens_again_hears_again_after_the_connection_was_lost(
    database: Database, database_url: str, administer: Administer
) -> None:
    async def hear() -> None:
        async with hearing(database_url) as (calls, heard, looking):
            await calls.listen()
            first = calls._connection
            assert first is not None
            administer(
                sql.SQL("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = {}").format(
                    sql.Literal(database.engine.url.database)
                )
            )
            await asyncio.to_thread(wait_for, first.is_closed, "the connection is lost")
            await calls.listen()
            assert calls._connection is not first
            assert looking.connections()["in_use"] == 1
            assert await heard_until(database, heard, "again") == []
            # While it holds, listening again changes nothing.
            second = calls._connection
            await calls.listen()
            assert calls._connection is second

    asyncio.run(hear())


def test_where_no_server_is_nothing_is_heard_and_nothing_raised() -> None:
    async def hear() -> None:
        async with hearing("postgresql://nobody@127.0.0.1:1/none") as (calls, heard, looking):
            await calls.listen()
            assert (calls._connection, heard, looking.connections()["in_use"]) == (None, [], 0)

    asyncio.run(hear())
