"""Looking at the registry from an event loop: what is committed, servers that go away, and questions given up."""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any
from unittest import mock

import asyncpg
import pytest
from psycopg2 import sql
from sqlalchemy import Float, Select, Text, bindparam, cast, column, func, make_url, select, text
from sqlalchemy.dialects.postgresql import JSONB

from dataops_core.errors import UnavailableError
from dataops_core.registry import looking as looking_module
from dataops_core.registry.database import Database
from dataops_core.registry.looking import Looking, _address
from tests.database_gate import gate_to
from tests.waiting import wait_for

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
                sql.SQL("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = {}").format(
                    sql.Literal(database.engine.url.database)
                )
            )
            after = {one.process for one in await asyncio.gather(*(looking.one(PROCESS, {}) for _ in range(5)))}
            assert before.isdisjoint(after)

    asyncio.run(look())


def test_a_server_that_has_said_farewell_and_not_yet_hung_up_is_not_noticed(database_url: str) -> None:
    farewell = b"SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0"

    async def look() -> None:
        async with looking_at(database_url) as looking:
            first = await looking.one(PROCESS, {})
            looking._idle[0]._protocol.data_received(b"E" + struct.pack("!i", len(farewell) + 4) + farewell)
            assert not looking._idle[0].is_closed()
            assert (await looking.one(PROCESS, {})).process != first.process
            assert looking.connections() == {"in_use": 0, "idle": 1}

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


def test_a_question_that_was_given_up_ends_at_the_server_too(database_url: str, database: Database) -> None:
    def asleep() -> int:
        with database.transaction() as session:
            found = text(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'"
            )
            return int(session.scalar(found) or 0) - 1

    async def look() -> None:
        async with looking_at(database_url) as looking:
            asked = asyncio.create_task(looking.all(SLEEP, {"seconds": 30}))
            await asyncio.to_thread(wait_for, asleep, "the statement is under way")
            asked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asked
            assert not asleep()

    asyncio.run(look())


def test_a_question_that_takes_too_long_is_ended_and_not_asked_again(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def look() -> None:
        async with looking_at(database_url, statement_seconds=1) as looking:
            await looking.all(PROCESS, {})
            asked = mock.AsyncMock(wraps=looking._asked)
            monkeypatch.setattr(looking, "_asked", asked)
            with pytest.raises(UnavailableError) as refused:
                await looking.all(SLEEP, {"seconds": 30})
            assert isinstance(refused.value.__cause__, asyncpg.QueryCanceledError)
            assert asked.await_count == 1

    asyncio.run(look())


def test_a_server_that_says_nothing_is_waited_for_once(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking_module, "_WAIT_SECONDS", -29)

    async def look() -> None:
        async with looking_at(database_url, statement_seconds=30) as looking:
            first = await looking.one(PROCESS, {})
            asked = mock.AsyncMock(wraps=looking._asked)
            monkeypatch.setattr(looking, "_asked", asked)
            with pytest.raises(UnavailableError):
                await looking.all(SLEEP, {"seconds": 30})
            assert asked.await_count == 1
            assert looking.connections() == {"in_use": 0, "idle": 0}
            assert (await looking.one(PROCESS, {})).process != first.process

    asyncio.run(look())


def test_who_finds_no_place_waits_no_longer_than_for_an_answer(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking_module, "_WAIT_SECONDS", -29)

    async def look() -> None:
        async with looking_at(database_url, pool_size=1, statement_seconds=30) as looking:
            await looking._take_place()
            with pytest.raises(UnavailableError):
                await looking.one(PROCESS, {})
            looking._give_place()
            assert await looking.one(PROCESS, {})
            assert looking.connections() == {"in_use": 0, "idle": 1}

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


def test_a_server_that_says_nothing_holds_up_the_end_once(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def look() -> None:
        looking = Looking(gate.url)
        await asyncio.gather(*(looking.one(SLEEP, {"seconds": 0.2}) for _ in range(8)))
        assert looking.connections()["idle"] == 8
        gate.say_nothing()
        monkeypatch.setattr(looking_module, "_CONNECT_SECONDS", 1)
        started = asyncio.get_running_loop().time()
        await looking.close()
        assert 0.9 < asyncio.get_running_loop().time() - started < 5
        assert looking.connections() == {"in_use": 0, "idle": 0}

    with gate_to(database_url) as gate:
        asyncio.run(look())


def test_a_statement_is_asked_on_when_the_schema_has_changed(things: Database, database_url: str) -> None:
    """A migration may run beside an API that has statements prepared."""
    both: Select[Any] = select(column("one"), column("two")).select_from(text("things_to_see"))

    def show(columns: str) -> None:
        with things.transaction() as session:
            session.execute(text(f"DROP VIEW IF EXISTS things_to_see; CREATE VIEW things_to_see AS SELECT {columns}"))

    async def look() -> None:
        async with looking_at(database_url) as looking:
            show("1 AS one, 2 AS two")
            assert tuple(await looking.one(both, {})) == (1, 2)
            show("'1'::text AS one, 2.5 AS two")
            assert tuple(await looking.one(both, {})) == ("1", Decimal("2.5"))

    asyncio.run(look())


def test_whole_numbers_in_json_are_whole_however_long(database_url: str) -> None:
    long = 2**100 + 1
    found: Select[Any] = select(cast(bindparam("given", type_=Text), JSONB).label("found"))

    async def look() -> None:
        async with looking_at(database_url) as looking:
            row = await looking.one(found, {"given": f'{{"long": {long}, "short": [1.5, "é"]}}'})
            assert row.found == {"long": long, "short": [1.5, "é"]}

    asyncio.run(look())


def test_of_a_url_that_libpq_understands_what_is_the_servers_goes_to_the_server(database_url: str) -> None:
    """The rest is of libpq's own doing, and no setting of the server."""
    separator = "&" if "?" in database_url else "?"
    given = "application_name=ours&connect_timeout=3&keepalives=1&gssencmode=disable&channel_binding=prefer"
    name: Select[Any] = select(
        func.current_setting("application_name").label("name"), func.current_setting("timezone").label("zone")
    )

    async def look() -> None:
        async with looking_at(f"{database_url}{separator}{given}") as looking:
            assert tuple(await looking.one(name, {})) == ("ours", "UTC")

    asyncio.run(look())


def test_of_several_hosts_the_first_that_is_there_is_asked(database_url: str) -> None:
    """In the form that SQLAlchemy has for it, as changing does: not of whichever stands last."""
    url = make_url(database_url)
    host, port = url.query.get("host", url.host), url.query.get("port", url.port)
    both = url.difference_update_query(["port"]).update_query_dict({"host": [f"{host}:{port}", "/nowhere:1"]})

    async def look() -> None:
        async with looking_at(both.render_as_string(hide_password=False)) as looking:
            assert await looking.one(PROCESS, {})

    asyncio.run(look())


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("me@db.example/name", ["db.example"], None),
        ("me@[::1]:5433/name", ["::1"], [5433]),
        ("me@ignored/name?host=/var/run/pg&port=5999", ["/var/run/pg"], [5999]),
        ("me@/name?host=one&host=two", ["one", "two"], [5432, 5432]),
        ("me@/name?host=one:1&host=two", ["one", "two"], [1, 5432]),
        ("me@/name?host=one,two&port=1,2", ["one", "two"], [1, 2]),
        ("me@/name?hostaddr=192.0.2.1", ["192.0.2.1"], None),
        ("me@/name", None, None),
    ],
)
def test_the_server_is_that_of_psycopg2(url: str, host: list[str] | None, port: list[int] | None) -> None:
    address = _address(f"postgresql+psycopg2://{url}")
    assert (address.get("host"), address.get("port"), address["database"]) == (host, port, "name")


def test_the_authorities_that_the_machine_trusts_are_asked_for_by_libpqs_word() -> None:
    address = _address("postgresql+psycopg2://me:p%40ss@db.example/name?sslmode=verify-full&sslrootcert=system")
    assert (address["user"], address["password"]) == ("me", "p@ss")
    assert address["dsn"] == "postgresql://?sslmode=verify-full"
    assert address["ssl"] is True  # asyncpg's word for the same: names are checked, too


def test_one_row_is_one_row(database_url: str) -> None:
    several: Select[Any] = select(column("number")).select_from(text("generate_series(1, :most) AS number"))

    async def look() -> None:
        async with looking_at(database_url) as looking:
            assert await looking.one(several, {"most": 0}) is None
            assert (await looking.one(several, {"most": 1})).number == 1
            with pytest.raises(RuntimeError):
                await looking.one(several, {"most": 2})

    asyncio.run(look())
