"""Search connectors and the tokens for them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from dataops_core.lifecycle import ConnectorStatus, Finding, TokenKind
from dataops_core.registry.tables.base import Base, one_of, stored_as_text


class Connector(Base):
    """A dataset's search connector, as the registry and the connector service know it."""

    __tablename__ = "connectors"

    connector_id: Mapped[UUID] = mapped_column(primary_key=True)
    #: Outlives the dataset's row (no foreign key): the endpoint of a deleted dataset still answers 410 (C-53).
    dataset_id: Mapped[UUID] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(String(32))
    status: Mapped[ConnectorStatus] = mapped_column(stored_as_text(ConnectorStatus))
    status_reason: Mapped[str | None] = mapped_column(Text)
    #: Since when the status is what it is; null before the first look.
    status_since: Mapped[datetime | None]
    created_at: Mapped[datetime]
    last_checked_at: Mapped[datetime | None]
    #: What the last look found, and how many in a row went how (``quality/connector_watch.py``).
    finding: Mapped[Finding | None] = mapped_column(stored_as_text(Finding))
    consecutive_failures: Mapped[int] = mapped_column(default=0, server_default="0")
    consecutive_passes: Mapped[int] = mapped_column(default=0, server_default="0")
    consecutive_clean: Mapped[int] = mapped_column(default=0, server_default="0")
    disconnected_at: Mapped[datetime | None]
    #: The data source's configuration as it was registered (Glean's CustomDatasourceConfig), null before.
    datasource: Mapped[dict[str, Any] | None]
    #: The generation that is served: the upload id and the index file's name, null before the first upload.
    generation: Mapped[str | None] = mapped_column(Text)
    document_count: Mapped[int] = mapped_column(default=0)
    #: SHA-256 of the sorted document ids, joined by newlines.
    id_digest: Mapped[str | None] = mapped_column(String(64))
    index_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    #: The upload under way: upload_id, pages and documents so far.
    upload: Mapped[dict[str, Any] | None]

    __table_args__ = (one_of("status", ConnectorStatus), one_of("finding", Finding))


class ConnectorToken(Base):
    """A token for one connector; only its keyed hash is stored."""

    __tablename__ = "connector_tokens"

    token_id: Mapped[UUID] = mapped_column(primary_key=True)
    connector_id: Mapped[UUID] = mapped_column(ForeignKey("connectors.connector_id", ondelete="CASCADE"), index=True)
    kind: Mapped[TokenKind] = mapped_column(stored_as_text(TokenKind))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]

    __table_args__ = (one_of("kind", TokenKind),)
