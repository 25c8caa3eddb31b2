"""A collector of traces: a real HTTP server that takes OTLP and keeps every span with its service's name."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Collector(ThreadingHTTPServer):
    """What came, by the service that sent it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Taking)
        self.spans: list[tuple[str, Any]] = []
        self.arrived = threading.Condition()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def wait_for(self, enough: Callable[[list[tuple[str, Any]]], bool], seconds: float = 60) -> list[tuple[str, Any]]:
        """All spans, as soon as they are enough."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: enough(self.spans), timeout=seconds), sorted(
                span.name for _, span in self.spans
            )
            return list(self.spans)


class _Taking(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert (self.path, self.headers["Content-Type"]) == ("/v1/traces", "application/x-protobuf")
        taken = ExportTraceServiceRequest.FromString(body)
        with self.server.arrived:
            for part in taken.resource_spans:
                named = {one.key: one.value.string_value for one in part.resource.attributes}
                for scope in part.scope_spans:
                    self.server.spans += [(named["service.name"], span) for span in scope.spans]
            self.server.arrived.notify_all()
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector that takes spans until the block ends."""
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
