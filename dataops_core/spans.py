"""Traces by OpenTelemetry, sent as OTLP over HTTP. Loaded only where they are wanted: see ``tracing.py``.

Spans are made by hand at the few places that join a request with its consequences; of other libraries none is patched.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from dataops_core.tracing import TRACEPARENT, Attribute

_EXPORT_SECONDS = 3.0
_EVERY_MILLIS = 1000
_KINDS = {"internal": SpanKind.INTERNAL, "server": SpanKind.SERVER, "client": SpanKind.CLIENT}
_PROPAGATOR = TraceContextTextMapPropagator()


class _Made:
    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def rename(self, name: str) -> None:
        self._span.update_name(name)

    def set(self, **attributes: Attribute) -> None:
        self._span.set_attributes(_dotted(attributes))

    def fail(self, message: str) -> None:
        self._span.set_status(Status(StatusCode.ERROR, message))


class OpenTelemetryTracer:
    """Sends spans in the background, a second after they ended; at the process's end whatever is left."""

    def __init__(self, endpoint: str, *, service: str) -> None:
        resource = Resource.create({"service.name": service, "service.version": version("dataops-lifecycle")})
        self._provider = TracerProvider(resource=resource)
        exporter = OTLPSpanExporter(endpoint=endpoint, timeout=_EXPORT_SECONDS)
        self._provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=_EVERY_MILLIS))
        self._tracer = self._provider.get_tracer("dataops")

    @contextmanager
    def span(self, name: str, kind: str, parent: str | None, attributes: dict[str, Attribute]) -> Iterator[_Made]:
        """A span for as long as the block runs."""
        above = _PROPAGATOR.extract({TRACEPARENT: parent}, context=Context()) if parent is not None else None
        with self._tracer.start_as_current_span(
            name, context=above, kind=_KINDS[kind], attributes=_dotted(attributes)
        ) as made:
            yield _Made(made)

    def traceparent(self) -> str | None:
        """The present span, as a header says it."""
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier)
        return carrier.get(TRACEPARENT)

    def trace_id(self) -> str | None:
        """The present trace's id."""
        present = trace.get_current_span().get_span_context()
        return trace.format_trace_id(present.trace_id) if present.is_valid else None

    def flush(self) -> None:
        """Sends what is still here."""
        self._provider.force_flush(round(_EXPORT_SECONDS * 1000))


def _dotted(attributes: dict[str, Attribute]) -> dict[str, Attribute]:
    """Names as OpenTelemetry spells them: Python's have no dots."""
    return {name.replace("__", "."): value for name, value in attributes.items()}
