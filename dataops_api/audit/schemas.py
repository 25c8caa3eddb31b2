"""What a request for the audit log looks like, and its answer (``docs/contract.md``, Audit log)."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from dataops_api.fields import AnswerModel, Given, Moment
from dataops_api.pagination import without_default
from dataops_core.acting import ActorKind


class AuditAction(StrEnum):
    """What happened to the resource."""

    CREATED = "created"
    CHANGED = "changed"
    DELETED = "deleted"


class AuditResourceType(StrEnum):
    """What an entry is about."""

    DATASET = "dataset"
    OPERATION = "operation"
    #: The outcome of an operation for one dataset, whose id it has.
    OPERATION_DATASET = "operation_dataset"
    CONNECTOR = "connector"
    CONNECTOR_TOKEN = "connector_token"  # noqa: S105  a type
    JOURNEY = "journey"
    JOURNEY_EVENT = "journey_event"
    CUSTOMER = "customer"
    API_CLIENT = "api_client"
    SIGNING_KEY = "signing_key"
    INSTALLATION = "installation"
    #: Entries that were removed for their age.
    AUDIT_LOG = "audit_log"


class AuditQuery(BaseModel):
    """Filters and page of the audit log."""

    resource_type: Given[AuditResourceType] = None
    resource_id: Given[str] = Field(default=None, max_length=128, description="The resource's id.")
    api_client_id: Given[UUID] = Field(default=None, description="Changes that this API client asked for itself.")
    action: Given[AuditAction] = None
    operation_id: Given[UUID] = Field(default=None, description="All that was done for this operation.")
    request_id: Given[str] = Field(default=None, max_length=128, description="All that this request changed.")
    from_: Given[Moment] = Field(default=None, alias="from", description="At this moment or later.")
    to: Given[Moment] = Field(default=None, description="Before this moment.")
    limit: int = Field(default=50, ge=1, le=200, description="Most entries of a page.")
    cursor: Given[str] = Field(
        default=None, max_length=128, description="Where the page begins: as `_links.next` has it."
    )


class Actor(AnswerModel):
    """Who did it: an API client by its id, a run by Dagster's id, a command by its name."""

    kind: ActorKind
    id: str | None


class Resource(AnswerModel):
    """What it was done to."""

    type: AuditResourceType
    id: str


class Entry(AnswerModel):
    """One change. `before` and `after` are columns of the registry: all that a new or removed resource has, of a change
    those that differ. Of a secret only that it changed is shown."""

    audit_id: UUID
    occurred_at: datetime
    actor: Actor
    request_id: str | None
    operation_id: UUID | None
    action: AuditAction
    resource: Resource
    client_id: UUID | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class AuditLinks(AnswerModel):
    """`next` only where there are older entries."""

    self_: str = Field(alias="self")
    next: str = Field(default="", json_schema_extra=without_default)


class AuditPage(AnswerModel):
    """A page of the audit log, newest first."""

    entries: list[Entry]
    links: AuditLinks = Field(alias="_links")
