"""Traces: one id from a request over its operation and run to the connector. Off unless an address is set.

Everything calls these functions; only :func:`start` with an address loads OpenTelemetry (``spans.py``). Off, a span is
nothing, and nothing is loaded. The id travels as a ``traceparent`` (W3C Trace Context): in the header of requests, on
the operation's row and as a tag of its run.
"""

import re
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from dataops_core.settings import Settings

#: The name of the header, and of what it is kept as.
TRACEPARENT = "traceparent"
_WELL_FORMED = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

Attribute = str | int | float | bool


class Span(Protocol):
    """A piece of work under way."""

    def rename(self, name: str) -> None:
        """Gives it a better name."""
        ...

    def set(self, **attributes: Attribute) -> None:
        """Says more of it; ``__`` in a name stands for the dot that Python has none for."""
        ...

    def fail(self, message: str) -> None:
        """Marks it as failed."""
        ...


class Tracer(Protocol):
    """Whoever makes spans."""

    def span(
        self, name: str, kind: str, parent: str | None, attributes: dict[str, Attribute]
    ) -> AbstractContextManager[Span]:
        """A span for as long as the block runs."""
        ...

    def traceparent(self) -> str | None:
        """The present span, as a header says it."""
        ...

    def trace_id(self) -> str | None:
        """The present trace's id."""
        ...

    def flush(self) -> None:
        """Sends what is still here."""
        ...


class _NoSpan:
    def rename(self, name: str) -> None:
        pass

    def set(self, **attributes: Attribute) -> None:
        pass

    def fail(self, message: str) -> None:
        pass


_NOWHERE: AbstractContextManager[Span] = nullcontext(_NoSpan())
_tracer: Tracer | None = None


def start(settings: Settings, *, service: str) -> None:
    """Begins to send this process's traces, where the settings name an address; once per process."""
    global _tracer  # noqa: PLW0603  one per process, as OpenTelemetry's own
    if _tracer is None and settings.traces_endpoint is not None:
        from dataops_core.spans import OpenTelemetryTracer  # noqa: PLC0415  not loaded where nothing is traced

        _tracer = OpenTelemetryTracer(settings.traces_endpoint, service=service)


def is_on() -> bool:
    """Whether traces are sent."""
    return _tracer is not None


def span(
    name: str,
    *,
    kind: str = "internal",
    parent: str | None = None,
    wanted: bool = True,
    **attributes: Attribute | None,
) -> AbstractContextManager[Span]:
    """A piece of work, below ``parent`` (a ``traceparent``) or whatever is under way. An error ends it as failed.

    Attributes are named as in :meth:`Span.set`. What is not ``wanted`` is no span.
    """
    if _tracer is None or not wanted:
        return _NOWHERE
    given = {key: value for key, value in attributes.items() if value is not None}
    return _tracer.span(name, kind, parent, given)


def traceparent() -> str | None:
    """The present span as a ``traceparent``; None where nothing is traced."""
    return _tracer.traceparent() if _tracer is not None else None


def trace_id() -> str | None:
    """The present trace's id; None where nothing is traced."""
    return _tracer.trace_id() if _tracer is not None else None


def flush() -> None:
    """Sends what has not been sent yet, as far as the receiver takes it within a few seconds."""
    if _tracer is not None:
        _tracer.flush()


def usable(given: str | None) -> str | None:
    """A ``traceparent`` that somebody sent, None where it is none."""
    return given if given is not None and _WELL_FORMED.fullmatch(given) else None
