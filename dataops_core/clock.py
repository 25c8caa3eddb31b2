"""The product's one clock. Every time of the registry, the API and the pipeline comes from here.

Times are timezone-aware and in UTC. The API prints them by :func:`rfc3339` (contract C-1).
"""

from datetime import UTC, datetime


def utcnow() -> datetime:
    """The current time, aware, in UTC."""
    return datetime.now(UTC)


def rfc3339(moment: datetime) -> str:
    """``2026-01-28T10:30:00Z``: RFC 3339, UTC, whole seconds (contract C-1)."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
