"""The registry's tables. PostgreSQL only; ``migrations/`` makes them and a test holds the two against each other.

Two partial unique indexes carry the two promises that no code can keep alone: one live dataset per client, stage and
type (C-44), and one active operation per dataset (C-37).
"""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from dataops_core.acting import ActorKind
from dataops_core.lifecycle import (
    LIVE_STATUSES,
    CheckStatus,
    CheckType,
    ConnectorStatus,
    DatasetStatus,
    EventRole,
    Finding,
    JourneyEventPhase,
    JourneyEventStatus,
    JourneyEventType,
    OperationStatus,
    OperationType,
    Outcome,
    Stage,
    TokenKind,
)


def _one_of(column: str, values: type[StrEnum]) -> CheckConstraint:
    listed = ", ".join(f"'{member}'" for member in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


def _enum(values: type[StrEnum]) -> Enum:
    """Stored as text, read back as the enumeration."""
    return Enum(
        values,
        native_enum=False,
        create_constraint=False,
        length=32,
        values_callable=lambda members: [m.value for m in members],
    )


class Base(DeclarativeBase):
    """Base of all tables; names every constraint by one convention, so that migrations can."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012  SQLAlchemy's own declaration
        UUID: Uuid(as_uuid=True),
        datetime: DateTime(timezone=True),
        date: Date(),
        dict[str, Any]: JSONB,
        list[str]: ARRAY(Text),
    }


class Installation(Base):
    """One row: what this database belongs to."""

    __tablename__ = "installation"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    secret_fingerprint: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]

    __table_args__ = (CheckConstraint("id = 1", name="single_row"),)


class Customer(Base):
    """A customer (``client_id`` in the API): the locale and the name of its fictional company."""

    __tablename__ = "customers"

    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    locale: Mapped[str] = mapped_column(String(16))
    company_name: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]


class ApiClient(Base):
    """An API client (``client_id`` of the token endpoint), which is no customer."""

    __tablename__ = "api_clients"

    api_client_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    secret_hash: Mapped[str] = mapped_column(String(64))
    #: The secret before the newest rotation, valid until then.
    previous_secret_hash: Mapped[str | None] = mapped_column(String(64))
    previous_secret_until: Mapped[datetime | None]
    scopes: Mapped[list[str]]
    customers: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid(as_uuid=True)))
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class SigningKey(Base):
    """A key that signs access tokens; the private part is encrypted by the installation's secret."""

    __tablename__ = "signing_keys"

    kid: Mapped[str] = mapped_column(String(64), primary_key=True)
    private_key: Mapped[str] = mapped_column(Text)
    public_jwk: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]


class Dataset(Base):
    """A dataset: one type of content for one client's stage."""

    __tablename__ = "datasets"

    dataset_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    dataset_type: Mapped[str] = mapped_column(String(64))
    stage: Mapped[Stage] = mapped_column(_enum(Stage))
    client_id: Mapped[UUID] = mapped_column(ForeignKey("customers.client_id"), index=True)
    journey_id: Mapped[UUID] = mapped_column(index=True)
    status: Mapped[DatasetStatus] = mapped_column(_enum(DatasetStatus))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    ready_at: Mapped[datetime | None]
    archived_at: Mapped[datetime | None]
    template_id: Mapped[UUID]
    template_version: Mapped[int]
    template_name: Mapped[str] = mapped_column(Text)
    seed: Mapped[int] = mapped_column(BigInteger)
    requested_count: Mapped[int]
    record_count: Mapped[int | None]
    size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    quality_score: Mapped[Decimal | None] = mapped_column(Numeric(4, 1))
    #: The user's metadata as the API shows it: industry, use_case, tags, requested_by, reason, custom_fields, …
    meta: Mapped[dict[str, Any]] = mapped_column("metadata")
    error_code: Mapped[str | None] = mapped_column(String(64))
    error_message: Mapped[str | None] = mapped_column(Text)
    #: The newest operation, ended or not.
    operation_id: Mapped[UUID]
    #: Folder under the storage root with the records now served; null before the first publication, after removal.
    records_path: Mapped[str | None] = mapped_column(Text)
    records_sha256: Mapped[str | None] = mapped_column(String(64))
    #: The upload that the index must be showing: what ``last_upload`` compares the connector with.
    upload_id: Mapped[str | None] = mapped_column(Text)
    #: Since when the ready dataset is not as good as it must be; null while it is (``watching/standing.py``).
    below_since: Mapped[datetime | None]
    #: Folder of the archive, null where none is kept.
    archive_path: Mapped[str | None] = mapped_column(Text)
    #: When its archive was removed for its age.
    archive_removed_at: Mapped[datetime | None]
    #: True while files or an index of this dataset may still exist outside its archive.
    has_remains: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (
        _one_of("stage", Stage),
        _one_of("status", DatasetStatus),
        Index(
            "uq_datasets_live_place",
            "client_id",
            "stage",
            "dataset_type",
            unique=True,
            postgresql_where=text(f"status IN ({', '.join(repr(str(s)) for s in sorted(LIVE_STATUSES))})"),
        ),
        # The orders of the list: a page far back is found in the index alone (C-30).
        Index("ix_datasets_newest", text("created_at DESC"), "dataset_id"),
        Index("ix_datasets_status_newest", "status", text("created_at DESC"), "dataset_id"),
    )


class DatasetCount(Base):
    """A part of how many datasets there are; the sum of all that fit is the count. Kept by a trigger (migration 0012).

    Several may speak of the same stage, status and type: each transaction changes one that no other is changing.
    """

    __tablename__ = "dataset_counts"

    count_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    stage: Mapped[Stage] = mapped_column(_enum(Stage))
    status: Mapped[DatasetStatus] = mapped_column(_enum(DatasetStatus))
    dataset_type: Mapped[str] = mapped_column(String(64))
    datasets: Mapped[int] = mapped_column(BigInteger)


class Operation(Base):
    """An asynchronous piece of work on one or more datasets, carried out by one Dagster run at a time."""

    __tablename__ = "operations"

    operation_id: Mapped[UUID] = mapped_column(primary_key=True)
    operation_type: Mapped[OperationType] = mapped_column(_enum(OperationType))
    status: Mapped[OperationStatus] = mapped_column(_enum(OperationStatus))
    client_id: Mapped[UUID] = mapped_column(index=True)
    stage: Mapped[Stage] = mapped_column(_enum(Stage))
    #: What was asked for beyond the datasets: checks, archive, reason.
    request: Mapped[dict[str, Any]]
    attempt: Mapped[int] = mapped_column(default=1)
    current_step: Mapped[int] = mapped_column(SmallInteger, default=0)
    total_steps: Mapped[int] = mapped_column(SmallInteger)
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    #: The last sign of life of the run, or the last change.
    beat_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    estimated_completion: Mapped[datetime]
    error: Mapped[dict[str, Any] | None]
    #: The Dagster run that carries the operation: the first one to claim it (fencing).
    run_id: Mapped[str | None] = mapped_column(String(36), index=True)
    #: Until then, whoever took the lease may launch the run and nobody else.
    launch_lease_until: Mapped[datetime | None]
    launch_attempts: Mapped[int] = mapped_column(default=0)
    rerun_of: Mapped[UUID | None]
    api_client_id: Mapped[UUID | None]
    request_id: Mapped[str | None] = mapped_column(String(128))
    #: The trace (W3C Trace Context) of the request that asked for it, where traces are on.
    traceparent: Mapped[str | None] = mapped_column(String(55))

    __table_args__ = (
        _one_of("operation_type", OperationType),
        _one_of("status", OperationStatus),
        Index(
            "ix_operations_open",
            "beat_at",
            postgresql_where=text("status IN ('pending', 'in_progress')"),
        ),
        Index("ix_operations_created_at_operation_id", "created_at", "operation_id"),
        # Those by which the end of a new one is estimated.
        Index(
            "ix_operations_newest_completed",
            "operation_type",
            text("completed_at DESC"),
            postgresql_where=text("status = 'completed' AND run_id IS NOT NULL"),
        ),
    )


class RunStop(Base):
    """A run of a cancelled operation that must end; the row goes when Dagster says that it has."""

    __tablename__ = "run_stops"

    run_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    operation_id: Mapped[UUID]
    asked_at: Mapped[datetime]


class OperationDataset(Base):
    """One dataset's part of an operation. Outlives the dataset's row: no foreign key to it."""

    __tablename__ = "operation_datasets"

    operation_id: Mapped[UUID] = mapped_column(
        ForeignKey("operations.operation_id", ondelete="CASCADE"), primary_key=True
    )
    dataset_id: Mapped[UUID] = mapped_column(primary_key=True)
    dataset_type: Mapped[str] = mapped_column(String(64))
    position: Mapped[int] = mapped_column(SmallInteger)
    #: True until the dataset's part has an outcome.
    active: Mapped[bool] = mapped_column(default=True)
    steps_done: Mapped[int] = mapped_column(SmallInteger, default=0)
    outcome: Mapped[Outcome | None] = mapped_column(_enum(Outcome))
    quality_score: Mapped[Decimal | None] = mapped_column(Numeric(4, 1))
    error: Mapped[dict[str, Any] | None]
    #: Where this operation wrote records and what it indexed, until it publishes them.
    records_path: Mapped[str | None] = mapped_column(Text)
    upload_id: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        _one_of("outcome", Outcome),
        Index("uq_operation_datasets_active", "dataset_id", unique=True, postgresql_where=text("active")),
        Index("ix_operation_datasets_dataset_id", "dataset_id"),
    )


class Journey(Base):
    """A customer's journey that an event was told of: the row that its events take turns by."""

    __tablename__ = "journeys"

    #: Two customers may use one id: these are two journeys.
    journey_id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]
    #: When its completion was begun: from then on it gets no datasets any more.
    ended_at: Mapped[datetime | None]


class JourneyEvent(Base):
    """Something that happened in a journey, and how far it has been acted on."""

    __tablename__ = "journey_events"

    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    journey_id: Mapped[UUID]
    event: Mapped[JourneyEventType] = mapped_column(_enum(JourneyEventType))
    to_stage: Mapped[Stage | None] = mapped_column(_enum(Stage))
    dataset_types: Mapped[list[str] | None]
    occurred_at: Mapped[datetime]
    received_at: Mapped[datetime]
    status: Mapped[JourneyEventStatus] = mapped_column(_enum(JourneyEventStatus))
    phase: Mapped[JourneyEventPhase | None] = mapped_column(_enum(JourneyEventPhase))
    superseded_by: Mapped[UUID | None]
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    error: Mapped[dict[str, Any] | None]
    api_client_id: Mapped[UUID | None]
    request_id: Mapped[str | None] = mapped_column(String(128))

    __table_args__ = (
        ForeignKeyConstraint(["journey_id", "client_id"], ["journeys.journey_id", "journeys.client_id"]),
        _one_of("event", JourneyEventType),
        _one_of("to_stage", Stage),
        _one_of("status", JourneyEventStatus),
        _one_of("phase", JourneyEventPhase),
        Index("ix_journey_events_newest", "journey_id", "client_id", "occurred_at", "received_at"),
        Index("ix_journey_events_open", "received_at", postgresql_where=text("status IN ('pending', 'in_progress')")),
        # Of a journey's events one waits and one is acted on, at most.
        Index(
            "uq_journey_events_pending",
            "journey_id",
            "client_id",
            unique=True,
            postgresql_where=text("status = 'pending'"),
        ),
        Index(
            "uq_journey_events_in_progress",
            "journey_id",
            "client_id",
            unique=True,
            postgresql_where=text("status = 'in_progress'"),
        ),
    )


class JourneyEventDataset(Base):
    """What a dataset is to an event, and the operation that the event has begun on it."""

    __tablename__ = "journey_event_datasets"

    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    #: Outlives the dataset's row: no foreign key to it.
    dataset_id: Mapped[UUID] = mapped_column(primary_key=True)
    role: Mapped[EventRole] = mapped_column(_enum(EventRole))
    operation_id: Mapped[UUID | None]

    __table_args__ = (
        ForeignKeyConstraint(
            ["client_id", "event_id"], ["journey_events.client_id", "journey_events.event_id"], ondelete="CASCADE"
        ),
        _one_of("role", EventRole),
    )


class QualityResult(Base):
    """One evaluation of one check. The newest of each check is never removed."""

    __tablename__ = "quality_results"

    check_id: Mapped[UUID] = mapped_column(primary_key=True)
    dataset_id: Mapped[UUID] = mapped_column(ForeignKey("datasets.dataset_id", ondelete="CASCADE"))
    operation_id: Mapped[UUID]
    attempt: Mapped[int]
    check_type: Mapped[CheckType] = mapped_column(_enum(CheckType))
    status: Mapped[CheckStatus] = mapped_column(_enum(CheckStatus))
    #: Null where the check could not tell (status ``error``).
    score: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    details: Mapped[str] = mapped_column(Text)
    metrics: Mapped[dict[str, Any]]
    executed_at: Mapped[datetime]
    duration_ms: Mapped[int]

    __table_args__ = (
        _one_of("check_type", CheckType),
        _one_of("status", CheckStatus),
        Index("ix_quality_results_executed_at", "executed_at"),
        Index("ix_quality_results_newest", "dataset_id", "check_type", "executed_at"),
        Index("ix_quality_results_history", "dataset_id", "executed_at", "check_id"),
    )


class Connector(Base):
    """A dataset's search connector, as the registry and the connector service know it."""

    __tablename__ = "connectors"

    connector_id: Mapped[UUID] = mapped_column(primary_key=True)
    #: Outlives the dataset's row (no foreign key): the endpoint of a deleted dataset still answers 410 (C-53).
    dataset_id: Mapped[UUID] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(String(32))
    status: Mapped[ConnectorStatus] = mapped_column(_enum(ConnectorStatus))
    status_reason: Mapped[str | None] = mapped_column(Text)
    #: Since when the status is what it is; null before the first look.
    status_since: Mapped[datetime | None]
    created_at: Mapped[datetime]
    last_checked_at: Mapped[datetime | None]
    #: What the last look found, and how many in a row went how (``quality/connector_watch.py``).
    finding: Mapped[Finding | None] = mapped_column(_enum(Finding))
    consecutive_failures: Mapped[int] = mapped_column(default=0, server_default="0")
    consecutive_passes: Mapped[int] = mapped_column(default=0, server_default="0")
    consecutive_clean: Mapped[int] = mapped_column(default=0, server_default="0")
    disconnected_at: Mapped[datetime | None]
    #: The data source's configuration as it was registered (Glean's CustomDatasourceConfig), null before.
    datasource: Mapped[dict[str, Any] | None]
    #: The generation that is served: the upload id and the index file's name, null before the first upload.
    generation: Mapped[str | None] = mapped_column(Text)
    document_count: Mapped[int] = mapped_column(default=0)
    #: SHA-256 of the sorted document ids, joined by newlines.
    id_digest: Mapped[str | None] = mapped_column(String(64))
    index_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    #: The upload under way: upload_id, pages and documents so far.
    upload: Mapped[dict[str, Any] | None]

    __table_args__ = (_one_of("status", ConnectorStatus), _one_of("finding", Finding))


class ConnectorToken(Base):
    """A token for one connector; only its keyed hash is stored."""

    __tablename__ = "connector_tokens"

    token_id: Mapped[UUID] = mapped_column(primary_key=True)
    connector_id: Mapped[UUID] = mapped_column(ForeignKey("connectors.connector_id", ondelete="CASCADE"), index=True)
    kind: Mapped[TokenKind] = mapped_column(_enum(TokenKind))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]

    __table_args__ = (_one_of("kind", TokenKind),)


class IdempotencyKey(Base):
    """A request that carried an idempotency key, and what was answered (C-45)."""

    __tablename__ = "idempotency_keys"

    api_client_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    #: SHA-256 of method, path, query and canonical body.
    fingerprint: Mapped[str] = mapped_column(String(64))
    customer: Mapped[UUID]
    status: Mapped[int] = mapped_column(SmallInteger)
    headers: Mapped[dict[str, Any]]
    #: Encrypted: an answer may hold a connector's token, of which nothing else stores more than a hash.
    body: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class Notification(Base):
    """Something that the operator's webhook is to be told: written with the change that it tells of."""

    __tablename__ = "notifications"

    notification_id: Mapped[UUID] = mapped_column(primary_key=True)
    #: The order in which they were made.
    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), unique=True)
    event: Mapped[str] = mapped_column(String(64))
    dataset_id: Mapped[UUID]
    client_id: Mapped[UUID]
    #: The message as it is sent, each time the same bytes.
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    #: When the next try is due; of one under way, when it counts as lost.
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    delivered_at: Mapped[datetime | None]
    given_up_at: Mapped[datetime | None]
    #: Why the last try came to nothing.
    last_error: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        Index(
            "ix_notifications_waiting",
            "dataset_id",
            "number",
            postgresql_where=text("delivered_at IS NULL AND given_up_at IS NULL"),
        ),
        Index("ix_notifications_created_at", "created_at"),
    )


class UsageDay(Base):
    """What a dataset's connector served on one day (UTC), the product's own probes left out."""

    __tablename__ = "usage_days"

    dataset_id: Mapped[UUID] = mapped_column(ForeignKey("datasets.dataset_id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    queries: Mapped[int] = mapped_column(BigInteger, default=0)
    documents: Mapped[int] = mapped_column(BigInteger, default=0)
    last_accessed_at: Mapped[datetime]


class AuditEntry(Base):
    """One change of the product, written by triggers alone (migration 0002), which also refuse to alter it."""

    __tablename__ = "audit_log"

    audit_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    occurred_at: Mapped[datetime]
    actor_kind: Mapped[ActorKind] = mapped_column(_enum(ActorKind))
    actor_id: Mapped[str | None] = mapped_column(Text)
    request_id: Mapped[str | None] = mapped_column(Text)
    operation_id: Mapped[UUID | None]
    action: Mapped[str] = mapped_column(String(16))
    resource_type: Mapped[str] = mapped_column(String(32))
    resource_id: Mapped[str] = mapped_column(Text)
    #: The customer whose resource it is, where it is one's.
    client_id: Mapped[UUID | None]
    #: Of a change the columns that differ; of a new or a removed row all that are neither noise nor secret.
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]

    __table_args__ = (
        _one_of("actor_kind", ActorKind),
        Index("ix_audit_log_newest", "occurred_at", "audit_id"),
        Index("ix_audit_log_resource", "resource_id", "occurred_at", "audit_id"),
        Index("ix_audit_log_actor", "actor_id", "occurred_at", "audit_id"),
        Index("ix_audit_log_operation", "operation_id", "occurred_at", "audit_id"),
        Index("ix_audit_log_request", "request_id", "occurred_at", "audit_id"),
    )
