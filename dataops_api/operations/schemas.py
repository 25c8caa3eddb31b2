"""What an operation looks like (``docs/contract.md`` C-80 … C-85), one schema for all of its states, and a list."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from dataops_api.fields import AnswerModel, Given
from dataops_api.pagination import LAST_PAGE, PageLinks, Pagination, without_default
from dataops_core.lifecycle import OperationStatus, OperationType, Outcome


class ListQuery(BaseModel):
    """Filters and page of a list of operations."""

    status: Given[OperationStatus] = None
    operation_type: Given[OperationType] = None
    client_id: Given[UUID] = Field(default=None, description="The customer.")
    dataset_id: Given[UUID] = Field(default=None, description="Operations that were about this dataset.")
    page: int = Field(default=1, ge=1, le=LAST_PAGE)
    per_page: int = Field(default=20, ge=1, le=100)


class WaitQuery(BaseModel):
    """How long an answer may wait for the operation's end."""

    wait: int = Field(default=0, ge=0, le=30, description="Seconds to wait for the operation to end, at most.")


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
    """``datasets`` once the operation has ended; ``cancel`` and ``retry`` by POST, null where there is none to do."""

    self_: str = Field(alias="self")
    datasets: str = Field(default="", json_schema_extra=without_default)
    events: str
    cancel: str | None
    retry: str | None


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


class OperationList(AnswerModel):
    """A page of operations."""

    operations: list[Operation]
    pagination: Pagination
    links: PageLinks = Field(alias="_links")


class StatusLink(AnswerModel):
    """Where to watch the operation."""

    status: str


class Steered(AnswerModel):
    """An operation was cancelled, or is tried again."""

    operation_id: UUID
    status: OperationStatus
    message: str
    estimated_completion: datetime | None
    links: StatusLink = Field(alias="_links")
