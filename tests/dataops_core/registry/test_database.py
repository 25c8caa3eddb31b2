"""The connection to the registry: transactions for changing, autocommit for looking, and servers that go away."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, nullcontext

import pytest
from psycopg2 import sql
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from dataops_core.errors import UnavailableError
from dataops_core.registry.database import Database, waiting_for_server
from tests.database_gate import Gate, gate_to
from tests.waiting import wait_for

Administer = Callable[[sql.Composable], None]
COUNT = text("SELECT count(*) FROM things")


@pytest.fixture
def things(database: Database) -> Database:
    with database.transaction() as session:
        session.execute(text("CREATE TABLE things (name text)"))
    return database


def terminate_everybody(database: Database, administer: Administer) -> None:
    """What a restart of the server does to the connections that rest in the pools."""
    administer(
        sql.SQL("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = {}").format(
            sql.Literal(database.engine.url.database)
        )
    )


def test_an_error_takes_everything_of_its_transaction_back(things: Database) -> None:
    with pytest.raises(ProgrammingError), things.transaction() as session:
        session.execute(text("INSERT INTO things VALUES ('half'); SELECT nonsense"))
    with things.reading() as connection:
        assert connection.scalar(COUNT) == 0


def test_who_looks_sees_what_is_committed_at_that_moment(things: Database) -> None:
    with things.reading() as connection:
        assert connection.scalar(COUNT) == 0
        with things.transaction() as session:
            session.execute(text("INSERT INTO things VALUES ('one')"))
            assert connection.scalar(COUNT) == 0
        assert connection.scalar(COUNT) == 1


@pytest.fixture(params=["reading", "transaction"])
def used(request: pytest.FixtureRequest, things: Database) -> Callable[[], object]:
    """Uses a connection that rests in a pool: one for looking, or one for changing."""

    def use() -> object:
        with getattr(things, request.param)() as asked:
            return asked.scalar(COUNT)

    use()
    return use


@pytest.fixture
def asked(things: Database, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The connections whose server was asked whether it is there."""
    asked: list[object] = []
    for engine in (things.engine, things._reader):
        monkeypatch.setattr(
            engine.dialect,
            "do_ping",
            lambda connection, ping=engine.dialect.do_ping: asked.append(connection) or ping(connection),
        )
    return asked


def test_a_server_that_restarted_a_moment_ago_is_not_noticed(
    things: Database, used: Callable[[], object], administer: Administer
) -> None:
    for _ in range(2):
        terminate_everybody(things, administer)
        assert used() == 0


def test_a_server_is_asked_whether_it_is_there_after_a_pause_only(
    used: Callable[[], object], asked: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    used()
    assert asked == []
    monkeypatch.setattr("dataops_core.pooling.REST_SECONDS", -1.0)
    used()
    assert len(asked) == 1


def test_a_server_that_went_without_a_word_is_noticed_after_a_pause(
    things: Database,
    used: Callable[[], object],
    asked: list[object],
    administer: Administer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminate_everybody(things, administer)
    monkeypatch.setattr("dataops_core.pooling._has_something_to_read", lambda _: False)
    with pytest.raises(UnavailableError, match="The database does not answer"):
        used()
    terminate_everybody(things, administer)
    used()
    terminate_everybody(things, administer)
    monkeypatch.setattr("dataops_core.pooling.REST_SECONDS", -1.0)
    assert used() == 0
    assert asked


def test_of_many_dead_connections_one_tells_of_all(
    things: Database, asked: list[object], administer: Administer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each question to a server that went without a word waits until TCP gives up."""

    def use_three() -> None:
        with ExitStack() as sessions:
            for _ in range(3):
                sessions.enter_context(things.transaction()).scalar(COUNT)

    use_three()
    terminate_everybody(things, administer)
    monkeypatch.setattr("dataops_core.pooling.REST_SECONDS", -1.0)
    use_three()
    assert len(asked) == 1


def test_a_connection_lost_in_use_is_one_sentence_and_the_next_one_works(
    things: Database, administer: Administer
) -> None:
    def lose() -> None:
        with things.reading() as connection:
            terminate_everybody(things, administer)
            connection.scalar(COUNT)

    with pytest.raises(UnavailableError, match="The database does not answer"):
        lose()
    with things.reading() as connection:
        assert connection.scalar(COUNT) == 0


def test_a_server_that_is_not_there_is_one_sentence() -> None:
    database = Database("postgresql+psycopg2://nobody@127.0.0.1:1/nothing")
    for ask in (database.reading, database.transaction):
        with pytest.raises(UnavailableError, match="The database does not answer"), ask() as asked:
            asked.execute(text("SELECT 1"))


@pytest.fixture
def gate(database_url: str) -> Iterator[Gate]:
    with gate_to(database_url) as gate:
        yield gate


@pytest.fixture
def behind(gate: Gate) -> Iterator[Database]:
    """A client of a server that a test takes away and brings back."""
    database = Database(gate.url)
    yield database
    database.close()


def one(database: Database, *, patience: float | None = None) -> int:
    with waiting_for_server(patience) if patience is not None else nullcontext(), database.transaction() as session:
        return session.execute(text("SELECT 1")).scalar_one()


def test_who_has_patience_waits_for_a_server_that_comes_back(behind: Database, gate: Gate) -> None:
    """C-86: with connections of before, and with none."""
    for _ in ("no connection yet", "a pooled one, dead"):
        gate.close()
        refused = gate.refused
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(one, behind, patience=60)
            wait_for(lambda refused=refused: gate.refused >= refused + 3, "it has tried again and again")
            assert not asked.done()
            gate.open()
            assert asked.result() == 1


def test_patience_has_an_end_and_is_nobody_elses(behind: Database, gate: Gate) -> None:
    gate.close()
    with pytest.raises(UnavailableError, match="The database does not answer"):
        one(behind, patience=0.6)
    assert gate.refused >= 2
    before = gate.refused
    with pytest.raises(UnavailableError), waiting_for_server(60), ThreadPoolExecutor(1) as pool:
        pool.submit(one, behind).result()
    with pytest.raises(UnavailableError):
        one(behind)
    assert gate.refused == before + 2


def test_a_transaction_that_loses_the_server_in_the_middle_is_not_done_again(behind: Database, gate: Gate) -> None:
    """Whether its commit came through could not be told."""

    def work() -> None:
        with waiting_for_server(60), behind.transaction() as session:
            session.execute(text("SELECT 1"))
            gate.close()
            session.execute(text("SELECT 1"))

    with pytest.raises(UnavailableError, match="The database does not answer"):
        work()
    assert gate.refused == 0
