"""What the API answers, as typed models.

Ids are plain strings and times are aware datetimes. A field that has no value yet is None. Fields and enum values
that a newer server adds do not break an older SDK: unknown fields are kept (``model_extra``), unknown values too.
Paths of related resources (``_links`` on the wire) are in ``links``.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Stage = Literal["sandbox", "pilot", "production"]
DatasetStatus = Literal["provisioning", "validating", "ready", "failed", "teardown", "archived"]
TeardownReason = Literal["stage_transition", "journey_completed", "orphan_cleanup", "manual"]
TemplateSelection = Literal["auto", "manual"]
OperationType = Literal["dataset_provisioning", "dataset_teardown", "quality_validation", "dataset_restore"]
OperationStatus = Literal["pending", "in_progress", "completed", "failed", "cancelled"]
CheckType = Literal["schema_validation", "data_completeness", "connector_health", "sample_query_success"]
CheckStatus = Literal["passed", "failed", "pending", "error"]
ConnectorStatus = Literal["connecting", "healthy", "degraded", "unhealthy", "disconnected"]
ConnectorTokenKind = Literal["search", "index"]
ConnectorTokenStatus = Literal["active", "expired", "revoked"]
Industry = Literal["fintech", "healthcare", "enterprise", "manufacturing", "retail"]


class Model(BaseModel):
    """Base of all models: immutable, and open for what a newer server adds."""

    model_config = ConfigDict(extra="allow", frozen=True, protected_namespaces=())


class Linked(Model):
    """A resource with paths of related ones, from the authority's root: ``/v1/dataops/...``; None: not there yet."""

    links: dict[str, str | None] = Field(default_factory=dict, alias="_links")


class Connector(Model):
    """The search connector that serves a dataset."""

    connector_id: str
    name: str
    status: ConnectorStatus | str
    endpoint_url: str


class DatasetTemplate(Model):
    """The template that a dataset was made from."""

    template_id: str
    name: str
    version: int | None = None


class DatasetMetadata(Model):
    """What is known about a dataset besides its data. Keys of your own are attributes too, and in ``model_extra``."""

    industry: Industry | str | None = None
    use_case: str | None = None
    tags: list[str] = Field(default_factory=list)
    requested_by: str | None = None
    reason: str | None = None
    custom_fields: dict[str, Any] = Field(default_factory=dict)


class DatasetError(Model):
    """Why a dataset failed."""

    code: str
    message: str


class Dataset(Linked):
    """One dataset of a customer's stage. ``client_id`` is the customer; ``size_bytes`` is uncompressed."""

    dataset_id: str
    name: str
    dataset_type: str
    stage: Stage | str
    client_id: str
    journey_id: str
    status: DatasetStatus | str
    created_at: datetime
    ready_at: datetime | None = None
    archived_at: datetime | None = None
    updated_at: datetime | None = None
    data_source: str
    record_count: int | None = None
    size_bytes: int | None = None
    quality_score: float | None = None
    connector: Connector | None = None
    template: DatasetTemplate | None = None
    metadata: DatasetMetadata = Field(default_factory=DatasetMetadata)
    seed: int | None = None
    operation_id: str | None = None
    active_operation_id: str | None = None
    error: DatasetError | None = None


class QualityCheck(Model):
    """One check's newest result. ``score`` is 0 to 100; None, with status ``pending``, before the first evaluation."""

    score: float | None = None
    weight: float
    status: CheckStatus | str
    details: str | None = None
    executed_at: datetime | None = None
    metrics: dict[str, Any] = Field(default_factory=dict)


class QualityChecks(Model):
    """The four checks."""

    schema_validation: QualityCheck
    data_completeness: QualityCheck
    connector_health: QualityCheck
    sample_query_success: QualityCheck


class Quality(Linked):
    """How good a dataset is, over the newest result of each check."""

    dataset_id: str
    overall_score: float | None = None
    meets_threshold: bool
    threshold: float
    calculated_at: datetime | None = None
    checks: QualityChecks


class DailyUsage(Model):
    """One day's use."""

    date: date
    queries: int
    documents: int


class Usage(Linked):
    """How much a dataset was used."""

    dataset_id: str
    queries_total: int
    documents_served: int
    last_accessed_at: datetime | None = None
    storage_bytes: int
    index_bytes: int
    daily: list[DailyUsage] = Field(default_factory=list)


class ConnectorTokenState(Model):
    """What is known about a token that was made; never the token."""

    token_id: str
    kind: ConnectorTokenKind | str
    state: ConnectorTokenStatus | str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None


class ConnectorDetails(Linked):
    """The connector of a dataset in detail."""

    connector_id: str
    dataset_id: str
    kind: str
    name: str
    status: ConnectorStatus | str
    status_reason: str | None = None
    status_since: datetime | None = None
    consecutive_failures: int = 0
    endpoint_url: str
    generation: str | None = None
    document_count: int
    index_bytes: int
    created_at: datetime
    last_checked_at: datetime | None = None
    disconnected_at: datetime | None = None
    tokens: list[ConnectorTokenState] = Field(default_factory=list)


class ConnectorToken(Linked):
    """A token that was just made. ``token`` is shown this once; it is kept out of ``repr``."""

    token_id: str
    token: str = Field(repr=False)
    kind: ConnectorTokenKind | str
    expires_at: datetime


class Template(Linked):
    """A template of the catalog."""

    template_id: str
    name: str
    dataset_type: str
    industry: Industry | str
    use_case: str
    description: str
    default_record_count: int
    estimated_size_mb: float


class TemplateTopic(Model):
    """A subject that the records speak of; a heavier one comes up more often."""

    key: str
    title: str
    weight: float


class RecordField(Model):
    """A field of a record, by its dotted path in the vendor's shape."""

    name: str
    type: str
    nullable: bool


class TemplateDetails(Template):
    """A template, whole. ``record_counts`` are per stage, unless a request says otherwise."""

    version: int
    record_counts: dict[str, int] = Field(default_factory=dict)
    topics: list[TemplateTopic] = Field(default_factory=list)
    record_schema: list[RecordField] = Field(default_factory=list)
    sample_records: list[dict[str, Any]] = Field(default_factory=list)


class OperationDataset(Model):
    """One dataset of an operation. Status ``deleted``: torn down without an archive."""

    dataset_id: str
    dataset_type: str
    status: str
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
    """The answer that starts an operation (202)."""

    operation_id: str
    status: str
    message: str | None = None
    datasets: list[OperationDataset] = Field(default_factory=list)
    estimated_completion: datetime | None = None
