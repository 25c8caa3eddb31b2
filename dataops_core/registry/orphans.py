"""What the search for orphans asks the registry: rows that nobody works on, and whose what lies around is.

Questions and locks alone; what is done about an answer is ``upkeep/orphans``. Functions take a session and never
commit. Whoever walks through a whole table does it in pages by the key: ``after`` is the last one seen.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Text, and_, cast, func, or_, select, text, true, tuple_, update
from sqlalchemy.orm import Session

from dataops_core.acting import ActorKind
from dataops_core.lifecycle import (
    ConnectorStatus,
    DatasetStatus,
    Environment,
    JourneyEventStatus,
    OperationStatus,
    OperationType,
    Stage,
)
from dataops_core.registry.operations import OPEN
from dataops_core.registry.tables import (
    AuditEntry,
    Connector,
    ConnectorToken,
    Dataset,
    Journey,
    JourneyEvent,
    Operation,
    OperationDataset,
    UsageBefore,
    UsageDay,
)

#: Rows of one page.
PAGE = 500

#: Statuses of datasets that no journey has any more.
_GONE = (DatasetStatus.ARCHIVED, DatasetStatus.TEARDOWN)
_OPEN_EVENTS = (JourneyEventStatus.PENDING, JourneyEventStatus.IN_PROGRESS)

_HAS_ACTIVE = (
    select(OperationDataset.operation_id)
    .where(OperationDataset.dataset_id == Dataset.dataset_id, OperationDataset.active)
    .exists()
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
        select(Dataset.dataset_id, Dataset.status, Dataset.archive_path, _HAS_ACTIVE).where(
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
    if dataset is None or session.scalar(select(_HAS_ACTIVE).where(Dataset.dataset_id == dataset_id)):
        return None
    return dataset


def stuck_datasets(session: Session) -> Sequence[Dataset]:
    """Datasets on their way (provisioning, validating) on which no operation works."""
    on_their_way = (DatasetStatus.PROVISIONING, DatasetStatus.VALIDATING)
    return session.scalars(
        select(Dataset).where(Dataset.status.in_(on_their_way), ~_HAS_ACTIVE).order_by(Dataset.updated_at).limit(PAGE)
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
        .where(Dataset.status == DatasetStatus.TEARDOWN, ~_HAS_ACTIVE)
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


def resting_datasets(session: Session, *, after: UUID | None) -> Sequence[Row[Any]]:
    """A page of datasets whose files must be there: id, status, ``records_path`` and ``archive_path``."""
    statement = (
        select(Dataset.dataset_id, Dataset.status, Dataset.records_path, Dataset.archive_path)
        .where(
            or_(
                Dataset.status == DatasetStatus.READY,
                (Dataset.status == DatasetStatus.ARCHIVED) & Dataset.archive_path.is_not(None),
            ),
            ~_HAS_ACTIVE,
        )
        .order_by(Dataset.dataset_id)
        .limit(PAGE)
    )
    return session.execute(statement if after is None else statement.where(Dataset.dataset_id > after)).all()


# --- connectors -------------------------------------------------------------------------------------------------------


def connectors_without_dataset(session: Session) -> Sequence[tuple[Connector, datetime]]:
    """Connectors that are not disconnected though their dataset is gone or archived, and since when at the earliest."""
    rows = session.execute(
        select(Connector, func.coalesce(Dataset.archived_at, Connector.created_at))
        .outerjoin(Dataset, Dataset.dataset_id == Connector.dataset_id)
        .where(
            Connector.status != ConnectorStatus.DISCONNECTED,
            or_(Dataset.dataset_id.is_(None), (Dataset.status == DatasetStatus.ARCHIVED) & ~_HAS_ACTIVE),
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


def serving(session: Session, *, after: UUID | None) -> Sequence[Row[Any]]:
    """A page of connectors that serve a generation: their ids and its name."""
    statement = (
        select(Connector.connector_id, Connector.generation)
        .where(Connector.status != ConnectorStatus.DISCONNECTED, Connector.generation.is_not(None))
        .order_by(Connector.connector_id)
        .limit(PAGE)
    )
    return session.execute(statement if after is None else statement.where(Connector.connector_id > after)).all()


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


# --- journeys ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FoundJourney:
    """A customer's journey with datasets that nobody follows any more, and since when."""

    journey_id: UUID
    client_id: UUID
    since: datetime


def _of_one(client_id: Any, journey_id: Any, one: FoundJourney | None) -> ColumnElement[bool]:
    return and_(client_id == one.client_id, journey_id == one.journey_id) if one is not None else true()


def ended_journeys(session: Session, *, one: FoundJourney | None = None) -> Sequence[FoundJourney]:
    """Journeys that have ended and of whose events none is being acted on, with datasets in nobody's hands."""
    events = select(JourneyEvent.event_id).where(
        JourneyEvent.journey_id == Journey.journey_id, JourneyEvent.client_id == Journey.client_id
    )
    last = events.with_only_columns(func.max(JourneyEvent.completed_at)).scalar_subquery()
    left = (
        select(func.max(func.coalesce(Dataset.ready_at, Dataset.created_at)))
        .where(
            Dataset.journey_id == Journey.journey_id,
            Dataset.client_id == Journey.client_id,
            Dataset.status.not_in(_GONE),
            ~_HAS_ACTIVE,
        )
        .scalar_subquery()
    )
    rows = session.execute(
        select(Journey.journey_id, Journey.client_id, func.greatest(Journey.ended_at, last, left))
        .where(
            Journey.ended_at.is_not(None),
            ~events.where(JourneyEvent.status.in_(_OPEN_EVENTS)).exists(),
            left.is_not(None),
            _of_one(Journey.client_id, Journey.journey_id, one),
        )
        .order_by(Journey.ended_at)
        .limit(PAGE)
    )
    return [FoundJourney(*row) for row in rows]


def silent_journeys(session: Session, *, before: datetime, one: FoundJourney | None = None) -> Sequence[FoundJourney]:
    """Journeys with datasets that are not archived, of which nobody has asked anything since before then.

    What counts is what an API client began or changed of one of its datasets, a token made for one, an event and a
    search, never what the product does by itself, nor that somebody looked. A journey with an operation or an event
    under way is not silent, and one that has ended is no journey any more.
    """
    events = select(JourneyEvent.event_id).where(
        JourneyEvent.journey_id == Dataset.journey_id, JourneyEvent.client_id == Dataset.client_id
    )
    told = events.with_only_columns(func.max(JourneyEvent.received_at)).scalar_subquery()
    ended = (
        select(Journey.journey_id)
        .where(
            Journey.journey_id == Dataset.journey_id,
            Journey.client_id == Dataset.client_id,
            Journey.ended_at.is_not(None),
        )
        .exists()
    )
    asked = (
        select(func.max(Operation.created_at))
        .join(OperationDataset, OperationDataset.operation_id == Operation.operation_id)
        .where(OperationDataset.dataset_id == Dataset.dataset_id, Operation.api_client_id.is_not(None))
        .scalar_subquery()
    )
    changed = (
        select(func.max(AuditEntry.occurred_at))
        .where(AuditEntry.resource_id == cast(Dataset.dataset_id, Text), AuditEntry.actor_kind == ActorKind.API_CLIENT)
        .scalar_subquery()
    )
    # The product's own runs have none of these.
    let_in = (
        select(func.max(ConnectorToken.created_at))
        .join(Connector, Connector.connector_id == ConnectorToken.connector_id)
        .where(Connector.dataset_id == Dataset.dataset_id)
        .scalar_subquery()
    )
    searched = [
        select(func.max(table.last_accessed_at)).where(table.dataset_id == Dataset.dataset_id).scalar_subquery()
        for table in (UsageDay, UsageBefore)
    ]
    signs = (asked, changed, let_in, *searched, told)
    heard = func.max(func.greatest(Dataset.created_at, Dataset.ready_at, *signs))
    under_way = or_(_HAS_ACTIVE, events.where(JourneyEvent.status.in_(_OPEN_EVENTS)).exists())
    rows = session.execute(
        select(Dataset.journey_id, Dataset.client_id, heard)
        .where(Dataset.status.not_in(_GONE), ~ended, _of_one(Dataset.client_id, Dataset.journey_id, one))
        .group_by(Dataset.journey_id, Dataset.client_id)
        .having(heard < before, ~func.bool_or(under_way))
        .order_by(heard)
        .limit(PAGE)
    )
    return [FoundJourney(*row) for row in rows]


def live_datasets_of(session: Session, journey: FoundJourney) -> Sequence[UUID]:
    """The journey's datasets that are neither archived nor being torn down."""
    return session.scalars(
        select(Dataset.dataset_id)
        .where(_of_one(Dataset.client_id, Dataset.journey_id, journey), Dataset.status.not_in(_GONE))
        .order_by(Dataset.created_at, Dataset.dataset_id)
    ).all()
