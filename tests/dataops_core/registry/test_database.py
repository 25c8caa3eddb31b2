"""The connection to the registry: transactions for changing, autocommit for looking, and servers that go away."""

from collections.abc import Callable

import pytest
from psycopg2 import sql
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from dataops_core.errors import UnavailableError
from dataops_core.registry.database import Database

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
        sql.SQL("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {}").format(
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


def test_a_server_that_restarted_is_not_noticed_after_a_pause(
    things: Database, administer: Administer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with things.reading() as connection, things.transaction() as session:
        assert connection.scalar(COUNT) == session.scalar(COUNT)
    terminate_everybody(things, administer)
    monkeypatch.setattr("dataops_core.registry.database._REST_SECONDS", -1.0)
    with things.reading() as connection, things.transaction() as session:
        assert connection.scalar(COUNT) == session.scalar(COUNT)


def test_a_connection_lost_this_moment_is_one_sentence_and_the_next_one_works(
    things: Database, administer: Administer
) -> None:
    with things.reading() as connection:
        connection.scalar(COUNT)
    terminate_everybody(things, administer)
    with pytest.raises(UnavailableError, match="The database does not answer"), things.reading() as connection:
        connection.scalar(COUNT)
    with things.reading() as connection:
        assert connection.scalar(COUNT) == 0


def test_a_server_that_is_not_there_is_one_sentence() -> None:
    database = Database("postgresql+psycopg2://nobody@127.0.0.1:1/nothing")
    for ask in (database.reading, database.transaction):
        with pytest.raises(UnavailableError, match="The database does not answer"), ask() as asked:
            asked.execute(text("SELECT 1"))
