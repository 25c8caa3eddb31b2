"""The kept counts of datasets and operations: what counting would say, at every moment, and nobody waits (C-31)."""

import asyncio
import itertools
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.orm.exc import StaleDataError

from dataops_core.clock import utcnow
from dataops_core.errors import NotFoundError
from dataops_core.lifecycle import DatasetStatus, OperationStatus, OperationType, Stage
from dataops_core.registry import customers, operations, reading
from dataops_core.registry.database import Database
from dataops_core.registry.looking import Looking
from dataops_core.registry.tables import Dataset, Operation

#: One statement sees one moment.
BOTH = text(
    "SELECT counted.* FROM (SELECT stage, status, dataset_type, count(*) AS n FROM datasets GROUP BY 1, 2, 3) counted"
    " FULL JOIN (SELECT stage, status, dataset_type, sum(datasets) AS n FROM dataset_counts GROUP BY 1, 2, 3) kept"
    " USING (stage, status, dataset_type) WHERE coalesce(counted.n, 0) <> coalesce(kept.n, 0)"
)


def a_dataset(client_id: UUID, **values: Any) -> Dataset:
    now = utcnow()
    usual = {
        "dataset_id": uuid4(),
        "name": "ACME-Sandbox-Confluence",
        "dataset_type": "confluence_pages",
        "stage": Stage.SANDBOX,
        "client_id": client_id,
        "journey_id": uuid4(),
        "status": DatasetStatus.ARCHIVED,
        "created_at": now,
        "updated_at": now,
        "template_id": uuid4(),
        "template_version": 1,
        "template_name": "A template",
        "seed": 1,
        "requested_count": 20,
        "meta": {},
        "operation_id": uuid4(),
    }
    return Dataset(**usual | values)


@pytest.fixture
def client_id(database: Database) -> UUID:
    found = uuid4()
    with database.transaction() as session:
        customers.ensure(session, client_id=found, locale="en_US", company_name="ACME", now=utcnow())
    return found


class UndoneError(Exception):
    """Takes a transaction back."""


def change_things(database: Database, client_id: UUID, seed: int) -> None:
    """Makes, moves and removes datasets of its own, several in a transaction; one transaction in four is taken back."""
    chance, made = random.Random(seed), []
    for number in range(40):
        before = list(made)
        try:
            with database.transaction() as session:
                for _ in range(chance.randint(1, 3)):
                    if made and chance.random() < 0.6:
                        one = chance.choice(made)
                        if chance.random() < 0.3:
                            session.execute(delete(Dataset).where(Dataset.dataset_id == one))
                            made.remove(one)
                        else:
                            values = {
                                "status": chance.choice([DatasetStatus.ARCHIVED, DatasetStatus.FAILED]),
                                "stage": chance.choice(list(Stage)),
                                "record_count": number,
                            }
                            session.execute(update(Dataset).where(Dataset.dataset_id == one).values(values))
                    else:
                        new = a_dataset(client_id)
                        session.add(new)
                        session.flush()
                        made.append(new.dataset_id)
                if chance.random() < 0.25:
                    raise UndoneError  # noqa: TRY301
        except UndoneError:
            made = before


@pytest.fixture
def watched(database: Database) -> Iterator[list[Any]]:
    """Compares all the time, until the test ends; what differed."""
    differed: list[Any] = []
    compared = threading.Event()
    ended = threading.Event()

    def watch() -> None:
        while not ended.is_set():
            with database.reading() as connection:
                differed.extend(connection.execute(BOTH).all())
            compared.set()

    thread = threading.Thread(target=watch)
    thread.start()
    assert compared.wait(20)
    yield differed
    ended.set()
    thread.join()


def test_the_counts_are_right_at_every_moment_whoever_changes_what(
    database: Database, client_id: UUID, watched: list[Any]
) -> None:
    """C-31."""
    with ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(change_things, database, client_id, seed) for seed in range(6)]:
            done.result()
    with database.reading() as connection:
        assert connection.scalar(text("SELECT count(*) FROM datasets")) > 0
        assert connection.execute(BOTH).all() == []
        most = "SELECT max(n) FROM (SELECT count(*) AS n FROM dataset_counts GROUP BY stage, status) AS each"
        rows = connection.scalar(text(most))
    assert watched == []
    # Rows are as many as changed one count at once (with those that did not see each other's yet), not as the changes.
    assert rows <= 12


def test_who_makes_a_dataset_waits_for_nobody_who_is_making_one(database: Database, client_id: UUID) -> None:
    """C-42."""
    with database.transaction() as session:
        session.add(a_dataset(client_id))
    with database.transaction() as slow:
        slow.add(a_dataset(client_id))
        slow.flush()
        with database.transaction() as quick:
            quick.execute(text("SET LOCAL lock_timeout = '100ms'"))
            quick.add(a_dataset(client_id))
        with database.reading() as connection:
            assert connection.scalar(text("SELECT sum(datasets) FROM dataset_counts")) == 2
    with database.reading() as connection:
        assert connection.scalar(text("SELECT sum(datasets) FROM dataset_counts")) == 3


def test_every_combination_of_filters_has_the_total_that_counting_gives(
    database: Database, database_url: str, client_id: UUID
) -> None:
    """C-30, C-31: those that are looked up, and those that are counted."""
    kinds = itertools.product(list(Stage)[:2], (DatasetStatus.ARCHIVED, DatasetStatus.FAILED), ("one", "two"))
    all_: list[tuple[Stage, DatasetStatus, str]] = [
        kind for number, kind in enumerate(kinds, start=1) for _ in range(number)
    ]
    with database.transaction() as session:
        for stage, status, dataset_type in all_:
            session.add(a_dataset(client_id, stage=stage, status=status, dataset_type=dataset_type))
    names = ("stage", "status", "dataset_type")

    async def totals() -> None:
        looking = Looking(database_url)
        try:
            for given in itertools.product((*Stage, None), (*DatasetStatus, None), ("one", "two", "three", None)):
                fits = [one for one in all_ if all(asked in {None, had} for asked, had in zip(given, one, strict=True))]
                for more in ({}, {"client_id": client_id}, {"created_to": utcnow() + timedelta(days=1)}):
                    for offset in (0, 30):
                        _, total = await reading.list_datasets(
                            looking,
                            dict(zip(names, given, strict=True)) | more,
                            sort=reading.DatasetSort.NEWEST,
                            offset=offset,
                            limit=7,
                        )
                        assert total == len(fits), (given, more, offset)
        finally:
            await looking.close()

    asyncio.run(totals())


def test_a_table_that_is_emptied_counts_nothing(database: Database, client_id: UUID) -> None:
    with database.transaction() as session:
        session.add(a_dataset(client_id))
    with database.transaction() as session:
        session.execute(text("TRUNCATE datasets CASCADE"))
    with database.reading() as connection:
        assert connection.execute(BOTH).all() == []
        assert connection.scalar(text("SELECT coalesce(sum(datasets), 0) FROM dataset_counts")) == 0


OPERATIONS = text(
    "SELECT counted.* FROM (SELECT status, operation_type, count(*) AS n FROM operations GROUP BY 1, 2) counted"
    " FULL JOIN (SELECT status, operation_type, sum(operations) AS n FROM operation_counts GROUP BY 1, 2) kept"
    " USING (status, operation_type) WHERE coalesce(counted.n, 0) <> coalesce(kept.n, 0)"
)


def work(database: Database, seed: int) -> None:
    """Makes operations, ends, retries and removes them; one transaction in four is taken back."""
    chance, made = random.Random(seed), []
    for _ in range(30):
        with suppress(UndoneError), database.transaction() as session:
            if made and chance.random() < 0.6:
                one = operations.get(session, chance.choice(made), lock=True)
                if chance.random() < 0.2:
                    session.delete(one)
                one.status = chance.choice(list(OperationStatus))
                one.attempt += 1
            else:
                one = operations.create(
                    session,
                    operation_type=chance.choice(list(OperationType)),
                    client_id=uuid4(),
                    stage=Stage.SANDBOX,
                    datasets=[],
                )
            if chance.random() < 0.25:
                raise UndoneError
        with database.transaction() as session:
            made = list(session.scalars(select(Operation.operation_id).where(Operation.request_id.is_(None))))


def test_the_counts_of_operations_are_right_and_every_list_has_the_total_that_counting_gives(
    database: Database, database_url: str
) -> None:
    """C-84."""
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work, database, seed) for seed in range(4)]:
            with suppress(NotFoundError, StaleDataError):  # another has removed it
                done.result()
    with database.transaction() as session:
        rows = session.execute(select(Operation.status, Operation.operation_type)).all()
        assert len(rows) > 20
        assert session.execute(OPERATIONS).all() == []

    async def totals() -> None:
        looking = Looking(database_url)
        kinds = [None, [OperationType.PROVISIONING.value, OperationType.VALIDATION.value], []]
        try:
            for status, kind, some in itertools.product((*OperationStatus, None), (*OperationType, None), kinds):
                fits = [
                    one
                    for one in rows
                    if status in {None, one.status}
                    and kind in {None, one.operation_type}
                    and (some is None or one.operation_type in some)
                ]
                given = {"status": status, "operation_type": kind, "kinds": some}
                for offset in (0, 1000):
                    _, total = await reading.list_operations(looking, given, offset=offset, limit=3)
                    assert total == len(fits), given
        finally:
            await looking.close()

    asyncio.run(totals())
    with database.transaction() as session:
        session.execute(text("TRUNCATE operations CASCADE"))
        assert session.execute(OPERATIONS).all() == []
