"""The connectors that make datasets searchable, and their tokens."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from a_domain_sdk.models.base import Linked, Model
from a_domain_sdk.models.words import ConnectorStatus, ConnectorTokenKind, ConnectorTokenStatus


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
