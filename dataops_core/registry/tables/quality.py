"""Evaluations of quality checks."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Numeric, Text
from sqlalchemy.orm import Mapped, mapped_column

from dataops_core.lifecycle import CheckStatus, CheckType
from dataops_core.registry.tables.base import Base, one_of, stored_as_text


class QualityResult(Base):
    """One evaluation of one check. The newest of each check is never removed."""

    __tablename__ = "quality_results"

    check_id: Mapped[UUID] = mapped_column(primary_key=True)
    dataset_id: Mapped[UUID] = mapped_column(ForeignKey("datasets.dataset_id", ondelete="CASCADE"))
    operation_id: Mapped[UUID]
    attempt: Mapped[int]
    check_type: Mapped[CheckType] = mapped_column(stored_as_text(CheckType))
    status: Mapped[CheckStatus] = mapped_column(stored_as_text(CheckStatus))
    #: Null where the check could not tell (status ``error``).
    score: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    details: Mapped[str] = mapped_column(Text)
    metrics: Mapped[dict[str, Any]]
    executed_at: Mapped[datetime]
    duration_ms: Mapped[int]

    __table_args__ = (
        one_of("check_type", CheckType),
        one_of("status", CheckStatus),
        Index("ix_quality_results_executed_at", "executed_at"),
        Index("ix_quality_results_newest", "dataset_id", "check_type", "executed_at"),
        Index("ix_quality_results_history", "dataset_id", "executed_at", "check_id"),
    )
