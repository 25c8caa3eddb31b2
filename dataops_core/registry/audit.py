"""Looking into the audit log. Writing it is the triggers' affair (migration 0002); nobody else does.

Newest first, page by page from the last entry of the page before: a page costs the same however far back it is.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select, tuple_

from dataops_core.registry.tables import AuditEntry


def entries(
    connection: Connection, filters: Mapping[str, Any], *, after: tuple[datetime, int] | None, limit: int
) -> Sequence[Row[Any]]:
    """The newest entries, or those ``after`` one (its time and id). ``filters`` by name; None does not restrict.

    Filters are columns, and ``from``, ``to`` (moments) and ``customers`` (the only ones whose entries are shown).
    """
    statement = (
        select(AuditEntry.__table__)
        .where(*(_condition(name, value) for name, value in filters.items() if value is not None))
        .order_by(AuditEntry.occurred_at.desc(), AuditEntry.audit_id.desc())
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(tuple_(AuditEntry.occurred_at, AuditEntry.audit_id) < after)
    return connection.execute(statement).all()


def _condition(name: str, value: Any) -> ColumnElement[bool]:
    columns = AuditEntry.__table__.c
    condition: ColumnElement[bool]
    match name:
        case "from":
            condition = columns.occurred_at >= value
        case "to":
            condition = columns.occurred_at < value
        case "customers":
            condition = columns.client_id.in_(value)
        case _:
            condition = columns[name] == value
    return condition
