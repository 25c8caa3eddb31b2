"""Whom the installation belongs to and who may ask it: its secret, customers, API clients, keys."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, SmallInteger, String, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from dataops_core.registry.tables.base import Base


class Installation(Base):
    """One row: what this database belongs to."""

    __tablename__ = "installation"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    secret_fingerprint: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]

    __table_args__ = (CheckConstraint("id = 1", name="single_row"),)


class Customer(Base):
    """A customer (``client_id`` in the API): the locale and the name of its fictional company."""

    __tablename__ = "customers"

    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    locale: Mapped[str] = mapped_column(String(16))
    company_name: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]


class ApiClient(Base):
    """An API client (``client_id`` of the token endpoint), which is no customer."""

    __tablename__ = "api_clients"

    api_client_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    secret_hash: Mapped[str] = mapped_column(String(64))
    #: The secret before the newest rotation, valid until then.
    previous_secret_hash: Mapped[str | None] = mapped_column(String(64))
    previous_secret_until: Mapped[datetime | None]
    scopes: Mapped[list[str]]
    customers: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid(as_uuid=True)))
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class SigningKey(Base):
    """A key that signs access tokens; the private part is encrypted by the installation's secret."""

    __tablename__ = "signing_keys"

    kid: Mapped[str] = mapped_column(String(64), primary_key=True)
    private_key: Mapped[str] = mapped_column(Text)
    public_jwk: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
