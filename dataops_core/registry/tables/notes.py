"""What is noted beside the work: answers under idempotency keys, notifications, searches, the audit log."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, LargeBinary, SmallInteger, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from dataops_core.acting import ActorKind
from dataops_core.registry.tables.base import Base, one_of, stored_as_text


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


class OrphanSearch(Base):
    """One row: what the newest search for orphans found that changed what it could (no dry run)."""

    __tablename__ = "orphan_search"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    searched_at: Mapped[datetime]
    #: Kind → verdict → how many findings.
    findings: Mapped[dict[str, Any]]

    __table_args__ = (CheckConstraint("id = 1", name="single_row"),)


class AuditEntry(Base):
    """One change of the product, written by triggers alone (migration 0002), which also refuse to alter it."""

    __tablename__ = "audit_log"

    audit_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    occurred_at: Mapped[datetime]
    actor_kind: Mapped[ActorKind] = mapped_column(stored_as_text(ActorKind))
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
        one_of("actor_kind", ActorKind),
        Index("ix_audit_log_newest", "occurred_at", "audit_id"),
        Index("ix_audit_log_resource", "resource_id", "occurred_at", "audit_id"),
        Index("ix_audit_log_actor", "actor_id", "occurred_at", "audit_id"),
        Index("ix_audit_log_operation", "operation_id", "occurred_at", "audit_id"),
        Index("ix_audit_log_request", "request_id", "occurred_at", "audit_id"),
    )
