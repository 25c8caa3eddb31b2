"""One trace from a request over its operation and its run to the connector, as a real receiver gets it (C-85, C-90)."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.waiting import ended

pytestmark = pytest.mark.stack

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = "00f067aa0ba902b7"


class Receiver(ThreadingHTTPServer):
    """Takes OTLP over HTTP and keeps every span with its service's name."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Taking)
        self.spans: list[tuple[str, Any]] = []
        self.arrived = threading.Condition()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def wait_for(self, enough: Callable[[list[tuple[str, Any]]], bool], seconds: float = 60) -> list[tuple[str, Any]]:
        with self.arrived:
            assert self.arrived.wait_for(lambda: enough(self.spans), timeout=seconds), sorted(
                span.name for _, span in self.spans
            )
            return list(self.spans)


class _Taking(BaseHTTPRequestHandler):
    server: Receiver

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


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


STEPS = {
    f"confluence_pages__{name}"
    for name in (
        *("template", "connector", "records", "index", "dataset"),
        *(f"index_{check}" for check in ("schema_validation", "data_completeness", "connector_health")),
        "index_sample_query_success",
    )
}


def test_a_provisioning_is_one_trace_through_every_process_and_its_lines_carry_its_id(
    own_stack: Callable[..., Any], receiver: Receiver
) -> None:
    stack = own_stack(DATAOPS_OTLP_ENDPOINT=receiver.address)
    body = {
        "journey_id": str(uuid4()),
        "client_id": str(uuid4()),
        "stage": "sandbox",
        "dataset_types": ["confluence_pages"],
        "generation": {"record_count": 20},
    }
    with stack.client() as api:
        accepted = api.post(
            "/datasets",
            json=body,
            headers={"traceparent": f"00-{TRACE_ID}-{CALLER}-01", "X-Request-ID": "req-traced"},
        ).raise_for_status()
        operation = ended(api, accepted.json()["operation_id"])
        assert operation["status"] == "completed", operation["error"]
    wanted = {("dataops-pipeline", step) for step in STEPS} | {
        ("dataops-api", "POST /v1/dataops/datasets"),
        ("dataops-api", "launch run"),
        ("dataops-pipeline", "POST connector"),
        ("dataops-api", "POST /connectors/{connector_id}/api/search"),
        ("dataops-api", "POST /connectors/{connector_id}/api/index/v1/bulkindexdocuments"),
    }
    # Each process sends its spans in its own time.
    spans = receiver.wait_for(lambda found: {(service, span.name) for service, span in found} >= wanted)
    of_trace = [(service, span) for service, span in spans if span.trace_id.hex() == TRACE_ID]
    by_id = {span.span_id.hex(): span for _, span in of_trace}

    # Every step is in the trace that the caller began, and so is every request that it led to.
    assert wanted <= {(service, span.name) for service, span in of_trace}
    assert not any(span.name.endswith(("/healthz", "/readyz")) for _, span in spans)

    # And each hangs where it belongs: the request below the caller, steps below it, the connector's work below a step.
    (asked,) = (span for _, span in of_trace if span.name == "POST /v1/dataops/datasets")
    assert asked.parent_span_id.hex() == CALLER
    assert {span.parent_span_id for _, span in of_trace if span.name in STEPS | {"launch run"}} == {asked.span_id}
    for _, span in of_trace:
        if span.name.startswith("POST /connectors/"):
            called = by_id[span.parent_span_id.hex()]
            assert called.name == "POST connector"
            assert by_id[called.parent_span_id.hex()].name in STEPS
    known = {one.key: one.value for one in asked.attributes}
    assert known["http.response.status_code"].int_value == 202
    assert known["dataops.request_id"].string_value == "req-traced"

    # The lines of the log can be found by the trace, the request and the operation.
    lines = [json.loads(line) for line in (stack.home / "logs/api.log").read_text().splitlines() if line[:1] == "{"]
    (access,) = (line for line in lines if line.get("request_id") == "req-traced")
    assert access["trace_id"] == TRACE_ID
    assert access["operation_id"] == operation["operation_id"]
    written = [
        json.loads(line)
        for path in (stack.home / "dagster").rglob("*.err")
        for line in path.read_text().splitlines()
        if line.startswith('{"time"')
    ]
    done = [line for line in written if line["message"] == "step done"]
    assert {line["step"] for line in done} == STEPS
    assert {(line["operation_id"], line["run_id"], line["trace_id"]) for line in done} == {
        (operation["operation_id"], operation["run_id"], TRACE_ID)
    }
    said = [json.loads(line) for line in (stack.home / "logs/supervisor.log").read_text().splitlines()]
    assert any(line["message"].startswith("Ready in") for line in said)
    secret = stack.credentials["client_secret"]
    everything = list(stack.home.rglob("*.log")) + list((stack.home / "dagster").rglob("*.err"))
    assert not any(secret in path.read_text(errors="replace") for path in everything)
