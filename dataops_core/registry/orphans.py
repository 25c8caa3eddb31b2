"""What the search for orphans asks the registry: rows that nobody works on, and whose what lies around is.

Questions and locks, and a note of what a search found; what is done about an answer is ``upkeep/orphans``. Functions
take a session and never commit. Whoever walks through a whole table does it in pages by the key: ``after`` is the last
one seen.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, func, or_, select, text, true, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from dataops_core.lifecycle import (
    ConnectorStatus,
    DatasetStatus,
    Environment,
    OperationStatus,
    OperationType,
    Stage,
)
from dataops_core.registry.operations import OPEN
from dataops_core.registry.tables import (
    Connector,
    ConnectorToken,
    Dataset,
    Operation,
    OperationDataset,
    OrphanSearch,
)

#: Rows of one page.
PAGE = 500
#: The one row that tells of the newest search.
_NOTED = 1

#: Whether an operation works on the dataset.
HAS_ACTIVE = (
    select(OperationDataset.operation_id)
    .where(OperationDataset.dataset_id == Dataset.dataset_id, OperationDataset.active)
    .exists()
)


def note_search(session: Session, *, searched_at: datetime, findings: Mapping[str, Mapping[str, int]]) -> None:
    """Notes what a search found (kind → verdict → how many), in place of what an earlier one did.

    Of two at once the one that began later counts.
    """
    noted = insert(OrphanSearch).values(id=_NOTED, searched_at=searched_at, findings=findings)
    session.execute(
        noted.on_conflict_do_update(
            index_elements=[OrphanSearch.id],
            set_={"searched_at": noted.excluded.searched_at, "findings": noted.excluded.findings},
            where=OrphanSearch.searched_at <= noted.excluded.searched_at,
        )
    )


@dataclass(frozen=True, slots=True)
class Owner:
    """A dataset as far as its files go; ``active``: an operation works on it."""

    status: DatasetStatus
    archive_path: str | None
    active: bool


def owners(session: Session, dataset_ids: Collection[UUID]) -> Mapping[UUID, Owner]:
    """Those of the datasets that there are."""
    rows = session.execute(
        select(Dataset.dataset_id, Dataset.status, Dataset.archive_path, HAS_ACTIVE).where(
            Dataset.dataset_id.in_(dataset_ids)
        )
    )
    return {row[0]: Owner(row[1], row[2], row[3]) for row in rows}


def folders_in_use(session: Session, dataset_ids: Collection[UUID]) -> set[str]:
    """The folders of records that these datasets serve, or that an operation of theirs can still go on with."""
    served = select(Dataset.records_path).where(Dataset.dataset_id.in_(dataset_ids))
    resumable = (
        select(OperationDataset.records_path)
        .join(Operation, Operation.operation_id == OperationDataset.operation_id)
        .where(OperationDataset.dataset_id.in_(dataset_ids), Operation.status != OperationStatus.COMPLETED)
    )
    return {path for path in session.scalars(served.union(resumable)) if path is not None}


def hold_idle(session: Session, dataset_id: UUID) -> Dataset | None:
    """The dataset, locked until the transaction ends, where no operation works on it: none can begin meanwhile."""
    dataset = session.scalars(
        select(Dataset)
        .where(Dataset.dataset_id == dataset_id)
        # No key: a search that counts its use of the dataset goes on meanwhile.
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if dataset is None or session.scalar(select(HAS_ACTIVE).where(Dataset.dataset_id == dataset_id)):
        return None
    return dataset


def stuck_datasets(session: Session) -> Sequence[Dataset]:
    """Datasets on their way (provisioning, validating) on which no operation works."""
    on_their_way = (DatasetStatus.PROVISIONING, DatasetStatus.VALIDATING)
    return session.scalars(
        select(Dataset).where(Dataset.status.in_(on_their_way), ~HAS_ACTIVE).order_by(Dataset.updated_at).limit(PAGE)
    ).all()


def failed_teardowns(session: Session) -> Sequence[tuple[UUID, Operation | None]]:
    """Datasets in teardown on which no operation works, each with its newest teardown."""
    newest = (
        select(Operation.operation_id)
        .join(OperationDataset, OperationDataset.operation_id == Operation.operation_id)
        .where(OperationDataset.dataset_id == Dataset.dataset_id, Operation.operation_type == OperationType.TEARDOWN)
        .order_by(Operation.created_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Dataset.dataset_id, Operation)
        .outerjoin(Operation, Operation.operation_id == newest)
        .where(Dataset.status == DatasetStatus.TEARDOWN, ~HAS_ACTIVE)
        .order_by(Dataset.updated_at)
        .limit(PAGE)
    ).all()
    return [(dataset_id, operation) for dataset_id, operation in rows]


def never_launched(session: Session, *, before: datetime) -> Sequence[Operation]:
    """Operations that have waited for a run since before then."""
    return session.scalars(
        select(Operation)
        .where(Operation.status == OperationStatus.PENDING, Operation.run_id.is_(None), Operation.beat_at < before)
        .order_by(Operation.beat_at)
        .limit(PAGE)
    ).all()


def resting_datasets(session: Session, *, after: UUID | None = None, one: UUID | None = None) -> Sequence[Row[Any]]:
    """A page of datasets whose files must be there, or ``one``: id, status, ``records_path`` and ``archive_path``."""
    statement = (
        select(Dataset.dataset_id, Dataset.status, Dataset.records_path, Dataset.archive_path)
        .where(
            or_(
                Dataset.status == DatasetStatus.READY,
                (Dataset.status == DatasetStatus.ARCHIVED) & Dataset.archive_path.is_not(None),
            ),
            ~HAS_ACTIVE,
            _from(Dataset.dataset_id, after, one),
        )
        .order_by(Dataset.dataset_id)
        .limit(PAGE)
    )
    return session.execute(statement).all()


def _from(key: Any, after: UUID | None, one: UUID | None) -> ColumnElement[bool]:
    return and_(key > after if after is not None else true(), key == one if one is not None else true())


# --- connectors -------------------------------------------------------------------------------------------------------


def connectors_without_dataset(session: Session) -> Sequence[tuple[Connector, datetime]]:
    """Connectors that are not disconnected though their dataset is gone or archived, and since when at the earliest."""
    rows = session.execute(
        select(Connector, func.coalesce(Dataset.archived_at, Connector.created_at))
        .outerjoin(Dataset, Dataset.dataset_id == Connector.dataset_id)
        .where(
            Connector.status != ConnectorStatus.DISCONNECTED,
            or_(Dataset.dataset_id.is_(None), (Dataset.status == DatasetStatus.ARCHIVED) & ~HAS_ACTIVE),
        )
        .order_by(Connector.created_at)
        .limit(PAGE)
    ).all()
    return [(connector, since) for connector, since in rows]


def open_uploads(session: Session) -> Sequence[Connector]:
    """Connectors with an upload under way whose dataset is in no operation's hands."""
    busy = (
        select(OperationDataset.operation_id)
        .where(OperationDataset.dataset_id == Connector.dataset_id, OperationDataset.active)
        .exists()
    )
    return session.scalars(
        select(Connector)
        .where(Connector.status != ConnectorStatus.DISCONNECTED, Connector.upload != text("'null'::jsonb"), ~busy)
        .order_by(Connector.connector_id)
        .limit(PAGE)
    ).all()


def serving(session: Session, *, after: UUID | None = None, one: UUID | None = None) -> Sequence[Row[Any]]:
    """A page of connectors, or ``one``, that serve a ready dataset in nobody's hands: their ids and the generation."""
    statement = (
        select(Connector.connector_id, Connector.generation)
        .join(Dataset, Dataset.dataset_id == Connector.dataset_id)
        .where(
            Connector.status != ConnectorStatus.DISCONNECTED,
            Connector.generation.is_not(None),
            Dataset.status == DatasetStatus.READY,
            ~HAS_ACTIVE,
            _from(Connector.connector_id, after, one),
        )
        .order_by(Connector.connector_id)
        .limit(PAGE)
    )
    return session.execute(statement).all()


def known_connectors(session: Session, connector_ids: Collection[UUID]) -> Mapping[UUID, Connector]:
    """Those of the connectors that there are and that are not disconnected."""
    rows = session.scalars(
        select(Connector)
        .where(Connector.connector_id.in_(connector_ids), Connector.status != ConnectorStatus.DISCONNECTED)
        .execution_options(populate_existing=True)
    )
    return {row.connector_id: row for row in rows}


def _useless() -> tuple[ColumnElement[bool], ...]:
    disconnected = select(Connector.connector_id).where(Connector.status == ConnectorStatus.DISCONNECTED)
    return ConnectorToken.revoked_at.is_(None), ConnectorToken.connector_id.in_(disconnected)


def useless_tokens(session: Session) -> Sequence[tuple[UUID, int]]:
    """Connectors that are disconnected and have tokens that nobody revoked, and how many."""
    rows = session.execute(
        select(ConnectorToken.connector_id, func.count())
        .where(*_useless())
        .group_by(ConnectorToken.connector_id)
        .order_by(ConnectorToken.connector_id)
        .limit(PAGE)
    ).all()
    return [(connector_id, count) for connector_id, count in rows]


def revoke_useless_tokens(session: Session, connector_id: UUID, *, now: datetime) -> int:
    """Revokes them. Says how many."""
    revoked = session.execute(
        update(ConnectorToken)
        .where(ConnectorToken.connector_id == connector_id, *_useless())
        .values(revoked_at=now)
        .returning(ConnectorToken.token_id)
        .execution_options(synchronize_session=False)
    )
    return len(revoked.all())


# --- environments -----------------------------------------------------------------------------------------------------


def environments_in_use(session: Session) -> set[str]:
    """The keys of the environments with a dataset that is not archived, or with an open operation."""
    of_datasets = select(Dataset.stage, Dataset.client_id).where(Dataset.status != DatasetStatus.ARCHIVED)
    of_operations = select(Operation.stage, Operation.client_id).where(Operation.status.in_(OPEN))
    return {
        Environment(Stage(stage), client).partition_key
        for stage, client in session.execute(of_datasets.union(of_operations))
    }


def environment_in_use(session: Session, environment: Environment) -> bool:
    """The same of one."""
    dataset = (
        select(Dataset.dataset_id)
        .where(
            Dataset.client_id == environment.client_id,
            Dataset.stage == environment.stage,
            Dataset.status != DatasetStatus.ARCHIVED,
        )
        .exists()
    )
    operation = (
        select(Operation.operation_id)
        .where(
            Operation.client_id == environment.client_id,
            Operation.stage == environment.stage,
            Operation.status.in_(OPEN),
        )
        .exists()
    )
    return bool(session.scalar(select(or_(dataset, operation))))


def environments_left_since(session: Session, environments: Collection[Environment]) -> dict[str, datetime]:
    """When the last operation in each of these environments ended; absent where there was none."""
    rows = session.execute(
        select(Operation.stage, Operation.client_id, func.max(Operation.completed_at))
        .where(
            tuple_(Operation.client_id, Operation.stage).in_([(one.client_id, one.stage) for one in environments]),
            Operation.completed_at.is_not(None),
        )
        .group_by(Operation.stage, Operation.client_id)
    )
    return {Environment(Stage(stage), client).partition_key: ended for stage, client, ended in rows}
