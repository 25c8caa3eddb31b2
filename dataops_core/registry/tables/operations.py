"""Operations, how many there are, their part in each dataset, and runs that must end."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, Numeric, SmallInteger, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from dataops_core.lifecycle import OperationStatus, OperationType, Outcome, Stage
from dataops_core.registry.tables.base import Base, one_of, stored_as_text


class Operation(Base):
    """An asynchronous piece of work on one or more datasets, carried out by one Dagster run at a time."""

    __tablename__ = "operations"

    operation_id: Mapped[UUID] = mapped_column(primary_key=True)
    operation_type: Mapped[OperationType] = mapped_column(stored_as_text(OperationType))
    status: Mapped[OperationStatus] = mapped_column(stored_as_text(OperationStatus))
    client_id: Mapped[UUID] = mapped_column(index=True)
    stage: Mapped[Stage] = mapped_column(stored_as_text(Stage))
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
        one_of("operation_type", OperationType),
        one_of("status", OperationStatus),
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


class OperationCount(Base):
    """A part of how many operations there are, as ``DatasetCount`` is of datasets; by a trigger of migration 0016."""

    __tablename__ = "operation_counts"

    count_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    status: Mapped[OperationStatus] = mapped_column(stored_as_text(OperationStatus))
    operation_type: Mapped[OperationType] = mapped_column(stored_as_text(OperationType))
    operations: Mapped[int] = mapped_column(BigInteger)


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
    outcome: Mapped[Outcome | None] = mapped_column(stored_as_text(Outcome))
    quality_score: Mapped[Decimal | None] = mapped_column(Numeric(4, 1))
    error: Mapped[dict[str, Any] | None]
    #: Where this operation wrote records and what it indexed, until it publishes them.
    records_path: Mapped[str | None] = mapped_column(Text)
    upload_id: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        one_of("outcome", Outcome),
        Index("uq_operation_datasets_active", "dataset_id", unique=True, postgresql_where=text("active")),
        Index("ix_operation_datasets_dataset_id", "dataset_id"),
    )
