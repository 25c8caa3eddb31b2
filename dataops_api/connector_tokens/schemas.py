"""What managing a dataset's connector looks like (``docs/contract.md`` C-90). A token is shown once, a hash never."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, StrictInt

from dataops_api.fields import AnswerModel, RequestModel, Whole
from dataops_core.lifecycle import ConnectorStatus, TokenKind

#: Seconds that a token lives unless asked otherwise, and at most.
DEFAULT_SECONDS = 30 * 24 * 3600
MOST_SECONDS = 366 * 24 * 3600


class NewToken(RequestModel):
    """A token that is asked for."""

    kind: TokenKind
    expires_in: Annotated[StrictInt, Field(ge=60, le=MOST_SECONDS), Whole] = Field(
        default=DEFAULT_SECONDS, description="Seconds."
    )


class TokenState(StrEnum):
    """Whether a token still opens its connector."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


class IssuedToken(AnswerModel):
    """A token, shown this once."""

    token_id: UUID
    token: str
    kind: TokenKind
    expires_at: datetime


class Token(AnswerModel):
    """A token that was issued."""

    token_id: UUID
    kind: TokenKind
    state: TokenState
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


class ConnectorLinks(AnswerModel):
    """What belongs to a connector."""

    self_: str = Field(alias="self")
    dataset: str


class Connector(AnswerModel):
    """A dataset's connector, to be managed."""

    connector_id: UUID
    dataset_id: UUID
    kind: str
    name: str
    status: ConnectorStatus
    status_reason: str | None
    status_since: datetime | None
    consecutive_failures: int
    endpoint_url: str
    generation: str | None
    document_count: int
    index_bytes: int
    created_at: datetime
    last_checked_at: datetime | None
    disconnected_at: datetime | None
    tokens: list[Token]
    links: ConnectorLinks = Field(alias="_links")


DATASET_ID = "550e8400-e29b-41d4-a716-446655440000"
CONNECTOR_EXAMPLE: dict[str, Any] = {
    "connector_id": "660e8400-e29b-41d4-a716-446655440001",
    "dataset_id": DATASET_ID,
    "kind": "embedded",
    "name": "ACME-Sandbox-Confluence",
    "status": "healthy",
    "status_reason": None,
    "status_since": "2026-01-28T10:31:00Z",
    "consecutive_failures": 0,
    "endpoint_url": "https://api.a-domain.com/connectors/660e8400-e29b-41d4-a716-446655440001",
    "generation": "990e8400-1",
    "document_count": 500,
    "index_bytes": 20971520,
    "created_at": "2026-01-28T10:31:00Z",
    "last_checked_at": "2026-01-28T11:12:00Z",
    "disconnected_at": None,
    "tokens": [
        {
            "token_id": "330e8400-e29b-41d4-a716-446655440012",
            "kind": "search",
            "state": "active",
            "created_at": "2026-01-28T11:20:00Z",
            "expires_at": "2026-02-27T11:20:00Z",
            "revoked_at": None,
        }
    ],
    "_links": {
        "self": f"/v1/dataops/datasets/{DATASET_ID}/connector",
        "dataset": f"/v1/dataops/datasets/{DATASET_ID}",
    },
}
TOKEN_EXAMPLE: dict[str, Any] = {
    "token_id": "330e8400-e29b-41d4-a716-446655440012",
    "token": "dol_s_…",
    "kind": "search",
    "expires_at": "2026-02-27T11:20:00Z",
}
