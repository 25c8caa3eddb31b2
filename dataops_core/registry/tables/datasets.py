"""Datasets, how many there are, and what they have served."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, Numeric, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from dataops_core.lifecycle import LIVE_STATUSES, DatasetStatus, Stage
from dataops_core.registry.tables.base import Base, one_of, stored_as_text


class Dataset(Base):
    """A dataset: one type of content for one client's stage."""

    __tablename__ = "datasets"

    dataset_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    dataset_type: Mapped[str] = mapped_column(String(64))
    stage: Mapped[Stage] = mapped_column(stored_as_text(Stage))
    client_id: Mapped[UUID] = mapped_column(ForeignKey("customers.client_id"), index=True)
    journey_id: Mapped[UUID] = mapped_column(index=True)
    status: Mapped[DatasetStatus] = mapped_column(stored_as_text(DatasetStatus))
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
        one_of("stage", Stage),
        one_of("status", DatasetStatus),
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
    stage: Mapped[Stage] = mapped_column(stored_as_text(Stage))
    status: Mapped[DatasetStatus] = mapped_column(stored_as_text(DatasetStatus))
    dataset_type: Mapped[str] = mapped_column(String(64))
    datasets: Mapped[int] = mapped_column(BigInteger)


class UsageDay(Base):
    """What a dataset's connector served on one day (UTC), the product's own probes left out."""

    __tablename__ = "usage_days"

    dataset_id: Mapped[UUID] = mapped_column(ForeignKey("datasets.dataset_id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    queries: Mapped[int] = mapped_column(BigInteger, default=0)
    documents: Mapped[int] = mapped_column(BigInteger, default=0)
    last_accessed_at: Mapped[datetime]

    __table_args__ = (Index("ix_usage_days_day", "day"),)


class UsageBefore(Base):
    """What a dataset's connector served on all the days whose counts are kept no more (``registry/usage.py``)."""

    __tablename__ = "usage_before"

    dataset_id: Mapped[UUID] = mapped_column(ForeignKey("datasets.dataset_id", ondelete="CASCADE"), primary_key=True)
    queries: Mapped[int] = mapped_column(BigInteger)
    documents: Mapped[int] = mapped_column(BigInteger)
    last_accessed_at: Mapped[datetime]
