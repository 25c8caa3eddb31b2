"""What the run host has the registry's part of a run rehearsed for: its runs write next to no statement out."""

from collections import Counter
from dataclasses import replace

import pytest
from sqlalchemy import event, func, select

from dataops_core.provisioning.rehearsal import rehearse_registry
from dataops_core.registry.database import Database
from dataops_core.registry.tables import Base


@pytest.fixture
def own(services, database_url):
    """Services with a database of the steps' own: what the connector service asks is not its affair."""
    mine = replace(services, database=Database(database_url))
    yield mine
    mine.database.close()


def test_the_rehearsal_leaves_no_row_and_no_connection(own, database):
    def rows() -> dict[str, int | None]:
        with database.transaction() as session:
            tables = Base.metadata.sorted_tables
            return {table.name: session.scalar(select(func.count()).select_from(table)) for table in tables}

    before = rows()
    rehearse_registry(own)
    assert rows() == before
    assert own.database.connections() == {name: {"in_use": 0, "idle": 0} for name in ("changing", "looking")}


def test_a_run_after_the_rehearsal_writes_no_statement_out(accept, own):
    case = replace(accept(), services=own)
    rehearse_registry(own)
    seen: Counter[str] = Counter()

    def note(_connection, _cursor, statement, _parameters, context, _many):
        hit = context.cache_hit.name
        seen[hit if hit == "CACHE_HIT" else statement] += 1

    event.listen(own.database.engine, "before_cursor_execute", note)
    case.provision()
    hits = seen.pop("CACHE_HIT")
    # PostgreSQL's ON CONFLICT is never kept.
    assert [statement for statement in seen if "ON CONFLICT" not in statement] == []
    assert hits > 70


def test_a_registry_that_is_away_is_no_hindrance(services, caplog):
    away = Database("postgresql+psycopg2://nobody@127.0.0.1:1/nowhere")
    rehearse_registry(replace(services, database=away))
    assert "The registry's statements are not prepared" in caplog.text
