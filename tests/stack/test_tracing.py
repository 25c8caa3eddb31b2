"""One trace from a request over its operation and its run to the connector, as a real receiver gets it (C-85, C-90)."""

import json
from typing import Any
from uuid import uuid4

import pytest

from tests.stack.conftest import TellingStack
from tests.waiting import ended

pytestmark = [pytest.mark.stack, pytest.mark.long]

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = "00f067aa0ba902b7"


STEPS = {
    f"confluence_pages__{name}"
    for name in (
        *("template", "connector", "records", "index", "dataset"),
        *(f"index_{check}" for check in ("schema_validation", "data_completeness", "connector_health")),
        "index_sample_query_success",
    )
}


def of_the_trace(spans: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    return [(service, span) for service, span in spans if span.trace_id.hex() == TRACE_ID]


def named(spans: list[tuple[str, Any]]) -> set[tuple[str, str]]:
    return {(service, span.name) for service, span in spans}


def test_a_provisioning_is_one_trace_through_every_process_and_its_lines_carry_its_id(
    telling_stack: TellingStack,
) -> None:
    stack = telling_stack.stack
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
    spans = telling_stack.collector.wait_for(lambda found: named(of_the_trace(found)) >= wanted)
    of_trace = of_the_trace(spans)
    by_id = {span.span_id.hex(): span for _, span in of_trace}

    # Every step is in the trace that the caller began, and so is every request that it led to.
    assert wanted <= named(of_trace)
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
    of_request = [line for line in lines if line.get("request_id") == "req-traced"]
    assert {line["trace_id"] for line in of_request} == {TRACE_ID}
    # What the run asks of the connector is asked for the same request.
    (access,) = (line for line in of_request if line.get("path") == "/v1/dataops/datasets")
    assert any(line.get("path", "").startswith("/connectors/") for line in of_request)
    assert access["operation_id"] == operation["operation_id"]
    written = [
        json.loads(line)
        for path in (stack.home / "dagster").rglob("*.err")
        for line in path.read_text().splitlines()
        if line.startswith('{"time"')
    ]
    done = [line for line in written if (line["message"], line["trace_id"]) == ("step done", TRACE_ID)]
    assert {line["step"] for line in done} == STEPS
    assert {(line["operation_id"], line["run_id"]) for line in done} == {
        (operation["operation_id"], operation["run_id"])
    }
    said = [json.loads(line) for line in (stack.home / "logs/supervisor.log").read_text().splitlines()]
    assert any(line["message"].startswith("Ready in") for line in said)
