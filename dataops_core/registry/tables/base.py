"""What all tables have in common: how constraints are named and how enumerations are stored."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, DateTime, Enum, MetaData, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase


def one_of(column: str, values: type[StrEnum]) -> CheckConstraint:
    """Holds a column to the values of an enumeration."""
    listed = ", ".join(f"'{member}'" for member in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


def stored_as_text(values: type[StrEnum]) -> Enum:
    """The column's type: written as text, read back as the enumeration."""
    return Enum(
        values,
        native_enum=False,
        create_constraint=False,
        length=32,
        values_callable=lambda members: [m.value for m in members],
    )


class Base(DeclarativeBase):
    """Base of all tables; names every constraint by one convention, so that migrations can."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012  SQLAlchemy's own declaration
        UUID: Uuid(as_uuid=True),
        datetime: DateTime(timezone=True),
        date: Date(),
        dict[str, Any]: JSONB,
        list[str]: ARRAY(Text),
    }
