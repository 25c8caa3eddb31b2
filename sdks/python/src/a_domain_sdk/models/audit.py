"""The audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from a_domain_sdk._lists import LinkedAnswer
from a_domain_sdk.models.base import Model
from a_domain_sdk.models.words import ActorKind, AuditAction, AuditResourceType


class Actor(Model):
    """Who did it: an API client by its id, a run by Dagster's id, a command by its name."""

    kind: ActorKind | str
    id: str | None = None


class AuditResource(Model):
    """What it was done to."""

    type: AuditResourceType | str
    id: str


class AuditEntry(Model):
    """One change. ``before`` and ``after`` are columns of the registry; of a secret only that it changed."""

    audit_id: str
    occurred_at: datetime
    actor: Actor
    request_id: str | None = None
    operation_id: str | None = None
    action: AuditAction | str
    resource: AuditResource
    client_id: str | None = None
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


class AuditList(LinkedAnswer):
    """Of the audit log."""

    items: list[AuditEntry] = Field(alias="entries")
