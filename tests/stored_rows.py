"""All rows of a database, kept and put back: how a database that was used becomes what it was.

Belongs here: rows and sequences of the schema ``public``. Does not belong here: whether the schema is still the same.
"""

import io
from dataclasses import dataclass

import psycopg2
from psycopg2 import sql

_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
_SEQUENCES = """
SELECT sequencename, coalesce(last_value, start_value), last_value IS NOT NULL
FROM pg_sequences WHERE schemaname = 'public'
"""
#: Neither triggers nor references look at what is written so: all of it was true when it was read.
_UNWATCHED = "SET LOCAL session_replication_role = replica"


@dataclass(frozen=True)
class Rows:
    """What tables held, and how far sequences were."""

    tables: tuple[str, ...]
    content: dict[str, bytes]
    sequences: tuple[tuple[str, int, bool], ...]

    @classmethod
    def of(cls, connection: psycopg2.extensions.connection) -> "Rows":
        """All that a database holds now."""
        with connection.cursor() as cursor:
            cursor.execute(_TABLES)
            tables = tuple(name for (name,) in cursor)
            content = {}
            for name in tables:
                held = io.BytesIO()
                cursor.copy_expert(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(name)), held)
                if held.tell():
                    content[name] = held.getvalue()
            cursor.execute(_SEQUENCES)
            return cls(tables, content, tuple(cursor.fetchall()))

    def replace_all(self, connection: psycopg2.extensions.connection) -> None:
        """Puts these rows in the place of all that the database holds, in one transaction."""
        emptied = [sql.SQL("DELETE FROM {}").format(sql.Identifier(name)) for name in self.tables]
        counted = [
            sql.SQL("SELECT setval({}::regclass, {}, {})").format(*map(sql.Literal, one)) for one in self.sequences
        ]
        with connection, connection.cursor() as cursor:
            cursor.execute(sql.SQL("; ").join([sql.SQL(_UNWATCHED), *emptied, *counted]))
            for name, rows in self.content.items():
                cursor.copy_expert(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(name)), io.BytesIO(rows))
