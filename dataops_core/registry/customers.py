"""Customers (``client_id`` in the API): the locale of their fictional company, fixed by their first dataset (C-40)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from dataops_core.registry.tables import Customer


def ensure(session: Session, *, client_id: UUID, locale: str, company_name: str, now: datetime) -> Customer:
    """The customer's row, made at its first dataset. Its locale may differ from the one given: the caller decides."""
    session.execute(
        insert(Customer)
        .values(client_id=client_id, locale=locale, company_name=company_name, created_at=now)
        .on_conflict_do_nothing()
    )
    return session.get_one(Customer, client_id)


def find(session: Session, client_id: UUID) -> Customer | None:
    """The customer's row, or None before its first dataset."""
    return session.get(Customer, client_id)
