"""What an operation looks like (``docs/contract.md`` C-80 … C-85): one schema for all of its states."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from dataops_api.fields import AnswerModel
from dataops_api.pagination import without_default
from dataops_core.lifecycle import OperationStatus, OperationType, Outcome


class Progress(AnswerModel):
    """How far an operation is; step 0: not yet running."""

    current_step: int
    total_steps: int
    step_description: str | None
    percent_complete: int = Field(ge=0, le=100)


class DatasetResult(AnswerModel):
    """How one dataset of an operation ended."""

    dataset_id: UUID
    dataset_type: str
    status: Outcome
    quality_score: float | None


class Result(AnswerModel):
    """How an operation ended."""

    datasets: list[DatasetResult]


class OperationError(AnswerModel):
    """Why an operation did not succeed; ``details`` has the error of each dataset that failed."""

    code: str
    message: str
    details: dict[str, Any]


class OperationLinks(AnswerModel):
    """``datasets`` once the operation has ended."""

    self_: str = Field(alias="self")
    datasets: str = Field(default="", json_schema_extra=without_default)


class Operation(AnswerModel):
    """An asynchronous piece of work; a key that does not apply is null."""

    operation_id: UUID
    operation_type: OperationType
    status: OperationStatus
    progress: Progress
    started_at: datetime | None
    estimated_completion: datetime | None
    completed_at: datetime | None
    duration_minutes: float | None
    duration_seconds: float | None
    result: Result | None
    error: OperationError | None
    attempt: int
    rerun_of: UUID | None
    run_id: str | None
    run_url: str | None
    links: OperationLinks = Field(alias="_links")
