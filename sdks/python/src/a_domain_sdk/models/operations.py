"""Operations: what goes on at the server."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from a_domain_sdk._lists import Answer, Pagination
from a_domain_sdk.models.base import Linked, Model
from a_domain_sdk.models.words import DatasetStatus, DatasetType, OperationStatus, OperationType, Outcome


class OperationDataset(Model):
    """One dataset of an operation. Status ``deleted``: torn down without an archive."""

    dataset_id: str
    dataset_type: DatasetType | str
    status: Outcome | DatasetStatus | str
    quality_score: float | None = None


class OperationResult(Model):
    """What an operation led to."""

    datasets: list[OperationDataset] = Field(default_factory=list)


class OperationProblem(Model):
    """Why an operation failed."""

    code: str
    message: str
    details: dict[str, Any] = Field(default_factory=dict)


class Progress(Model):
    """How far an operation is. ``percent_complete`` is 0 to 100, at most 99 before it is completed."""

    current_step: int = 0
    total_steps: int = 0
    step_description: str | None = None
    percent_complete: int = 0


class OperationState(Linked):
    """An operation as the API described it at one moment."""

    operation_id: str
    operation_type: OperationType | str | None = None
    status: OperationStatus | str
    progress: Progress = Field(default_factory=Progress)
    started_at: datetime | None = None
    estimated_completion: datetime | None = None
    completed_at: datetime | None = None
    duration_minutes: float | None = None
    duration_seconds: float | None = None
    attempt: int | None = None
    run_id: str | None = None
    run_url: str | None = None
    rerun_of: str | None = None
    result: OperationResult | None = None
    error: OperationProblem | None = None


class AcceptedOperation(Linked):
    """The answer that starts, cancels or repeats an operation (202)."""

    operation_id: str
    status: OperationStatus | str
    message: str | None = None
    datasets: list[OperationDataset] = Field(default_factory=list)
    estimated_completion: datetime | None = None


class OperationList(Answer):
    """Of operations."""

    items: list[OperationState] = Field(alias="operations")
    pagination: Pagination
