"""The one function that moves a dataset's status (C-35)."""

import itertools
import threading
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from dataops_core.clock import utcnow
from dataops_core.errors import ConflictError, NotFoundError
from dataops_core.lifecycle import DatasetStatus, Stage
from dataops_core.registry import customers, datasets
from dataops_core.registry.database import Database
from dataops_core.registry.tables import Dataset

S = DatasetStatus
#: The contract's own list, written out.
MOVES = {
    (S.PROVISIONING, S.VALIDATING),
    (S.VALIDATING, S.READY),
    (S.PROVISIONING, S.FAILED),
    (S.VALIDATING, S.FAILED),
    (S.FAILED, S.PROVISIONING),
    (S.FAILED, S.ARCHIVED),
    *((status, S.TEARDOWN) for status in S if status not in {S.TEARDOWN, S.ARCHIVED}),
    (S.TEARDOWN, S.ARCHIVED),
    (S.ARCHIVED, S.PROVISIONING),
    # Where a restore fails or is cancelled: back.
    (S.PROVISIONING, S.ARCHIVED),
    (S.VALIDATING, S.ARCHIVED),
}


@pytest.fixture
def dataset_id(database: Database) -> UUID:
    """A dataset, provisioning."""
    client_id, dataset_id, now = uuid4(), uuid4(), utcnow()
    with database.transaction() as session:
        customers.ensure(session, client_id=client_id, locale="en_US", company_name="ACME", now=now)
        session.add(
            Dataset(
                dataset_id=dataset_id,
                name="ACME-Sandbox-Confluence",
                dataset_type="confluence_pages",
                stage=Stage.SANDBOX,
                client_id=client_id,
                journey_id=uuid4(),
                status=S.PROVISIONING,
                created_at=now,
                updated_at=now,
                template_id=uuid4(),
                template_version=1,
                template_name="A template",
                seed=1,
                requested_count=20,
                meta={},
                operation_id=uuid4(),
            )
        )
    return dataset_id


def put(database: Database, dataset_id: UUID, status: S) -> None:
    with database.transaction() as session:
        session.execute(update(Dataset).where(Dataset.dataset_id == dataset_id).values(status=status))


def status_of(database: Database, dataset_id: UUID) -> S:
    with database.transaction() as session:
        return datasets.get(session, dataset_id).status


def test_the_moves_of_the_contract_are_possible_and_no_others(database: Database, dataset_id: UUID) -> None:
    """C-35."""
    for source, target in itertools.product(S, S):
        put(database, dataset_id, source)
        if (source, target) in MOVES:
            with database.transaction() as session:
                assert datasets.move(session, dataset_id, target).status is target
        else:
            with pytest.raises(ConflictError) as refused, database.transaction() as session:
                datasets.move(session, dataset_id, target)
            assert refused.value.details == {"dataset_id": str(dataset_id), "status": source.value}
            assert status_of(database, dataset_id) is source


def test_of_many_who_move_it_at_once_one_does(database: Database, dataset_id: UUID) -> None:
    """C-35: by compare-and-set, without a lock taken before."""
    barrier, moved = threading.Barrier(8), []

    def move() -> None:
        barrier.wait()
        try:
            with database.transaction() as session:
                datasets.move(session, dataset_id, S.VALIDATING)
        except ConflictError:
            return
        moved.append(True)

    threads = [threading.Thread(target=move) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert moved == [True]


def test_what_is_not_there_is_not_moved(database: Database) -> None:
    """C-36."""
    with pytest.raises(NotFoundError), database.transaction() as session:
        datasets.move(session, uuid4(), S.FAILED)


def test_each_move_sets_its_times(database: Database, dataset_id: UUID) -> None:
    """C-33, C-35."""

    def moved(to: S) -> Dataset:
        with database.transaction() as session:
            return datasets.move(session, dataset_id, to)

    assert moved(S.VALIDATING).ready_at is None
    ready = moved(S.READY)
    assert ready.ready_at == ready.updated_at
    assert moved(S.TEARDOWN).archived_at is None
    archived = moved(S.ARCHIVED)
    assert (archived.archived_at, archived.ready_at) == (archived.updated_at, ready.ready_at)
    assert moved(S.PROVISIONING).archived_at is None
