"""Looking at the registry from an event loop: what is committed, servers that go away, and questions given up."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from psycopg2 import sql
from sqlalchemy import Float, Select, bindparam, cast, column, func, select, text

from dataops_core.errors import UnavailableError
from dataops_core.registry.database import Database
from dataops_core.registry.looking import Looking

Administer = Callable[[sql.Composable], None]
COUNT = select(func.count().label("total")).select_from(text("things"))
PROCESS = select(func.pg_backend_pid().label("process"))
SLEEP = select(func.pg_sleep(cast(bindparam("seconds"), Float)).label("slept"))


@pytest.fixture
def things(database: Database) -> Database:
    with database.transaction() as session:
        session.execute(text("CREATE TABLE things (name text)"))
    return database


@asynccontextmanager
async def looking_at(url: str, **options: Any) -> AsyncIterator[Looking]:
    looking = Looking(url, **options)
    try:
        yield looking
    finally:
        await looking.close()


def test_each_question_sees_what_is_committed_when_it_is_asked(things: Database, database_url: str) -> None:
    """However often it was asked before, and prepared by the server."""

    async def look() -> None:
        async with looking_at(database_url) as looking:
            for number in range(12):
                with things.transaction() as session:
                    session.execute(text("INSERT INTO things VALUES ('one')"))
                    session.flush()
                    assert (await looking.one(COUNT, {})).total == number
                assert (await looking.one(COUNT, {})).total == number + 1
            assert looking.connections() == {"in_use": 0, "idle": 1}

    asyncio.run(look())


def test_a_server_that_restarted_is_not_noticed(database_url: str, database: Database, administer: Administer) -> None:
    """Every connection at rest is lost at once; each question is answered all the same."""

    async def look() -> None:
        async with looking_at(database_url) as looking:
            before = {one.process for one in await asyncio.gather(*(looking.one(PROCESS, {}) for _ in range(5)))}
            administer(
                sql.SQL("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {}").format(
                    sql.Literal(database.engine.url.database)
                )
            )
            after = {one.process for one in await asyncio.gather(*(looking.one(PROCESS, {}) for _ in range(5)))}
            assert before.isdisjoint(after)

    asyncio.run(look())


def test_a_server_that_is_not_there_is_one_sentence() -> None:
    async def look() -> None:
        async with looking_at("postgresql+psycopg2://nobody@127.0.0.1:1/nothing") as looking:
            with pytest.raises(UnavailableError, match="The database does not answer"):
                await looking.all(PROCESS, {})
            assert looking.connections() == {"in_use": 0, "idle": 0}

    asyncio.run(look())


def test_no_more_connections_are_made_than_there_are_places(database_url: str) -> None:
    async def look() -> None:
        async with looking_at(database_url, pool_size=3) as looking:
            rows = await asyncio.gather(*(looking.one(PROCESS, {}) for _ in range(50)))
            assert len({row.process for row in rows}) <= 3
            assert looking.connections()["idle"] <= 3

    asyncio.run(look())


def test_a_question_that_was_given_up_leaves_no_answer_behind_for_the_next_one(database_url: str) -> None:
    async def look() -> None:
        async with looking_at(database_url, pool_size=1) as looking:
            first = await looking.one(PROCESS, {})
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(looking.all(SLEEP, {"seconds": 30}), timeout=0.5)
            assert looking.connections() == {"in_use": 0, "idle": 0}
            second = await looking.one(PROCESS, {})
            assert second.process != first.process

    asyncio.run(look())


def test_a_question_that_takes_too_long_is_ended_and_not_asked_again(database_url: str) -> None:
    async def look() -> None:
        async with looking_at(database_url, statement_seconds=1) as looking:
            await looking.all(PROCESS, {})
            started = asyncio.get_running_loop().time()
            with pytest.raises(UnavailableError):
                await looking.all(SLEEP, {"seconds": 30})
            assert asyncio.get_running_loop().time() - started < 1.9

    asyncio.run(look())


def test_a_question_that_is_asked_while_all_ends_leaves_no_connection(database_url: str) -> None:
    async def look() -> None:
        async with looking_at(database_url) as looking:
            asked = asyncio.create_task(looking.one(SLEEP, {"seconds": 0.3}))
            await asyncio.sleep(0)
            assert looking.connections() == {"in_use": 1, "idle": 0}
            await looking.close()
            assert (await asked) is not None
            assert looking.connections() == {"in_use": 0, "idle": 0}

    asyncio.run(look())


def test_one_row_is_one_row(database_url: str) -> None:
    several: Select[Any] = select(column("number")).select_from(text("generate_series(1, :most) AS number"))

    async def look() -> None:
        async with looking_at(database_url) as looking:
            assert await looking.one(several, {"most": 0}) is None
            assert (await looking.one(several, {"most": 1})).number == 1
            with pytest.raises(RuntimeError):
                await looking.one(several, {"most": 2})

    asyncio.run(look())
