"""What the JavaScript SDK does in a way of its own: signals, secrets, the environment (C-4, C-90, C-95)."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.sdks.conformance.server import FaultServer, Reply
from tests.sdks.conformance.suite import ACCEPTED, DATASET, DATASET_BODY, IN_PROGRESS, OPERATION

LIBRARY = Path(__file__).parents[3] / "sdks/javascript/lib"
SECRET = "s3cret-of-the-api-client"
TOKEN = {"token_id": "t-1", "token": "dol_s_secret", "kind": "search", "expires_at": "2026-02-27T11:20:00Z"}
GET = f"GET /operations/{OPERATION}"


def program(node: str, server: FaultServer, text: str, **environment: str) -> Any:
    """What the program, inside an async function with a ``client`` of the server, gives to ``tell``."""
    script = f"""
        const {{ inspect }} = require("node:util");
        const sdk = require({json.dumps(str(LIBRARY))});
        const tell = (value) => console.log(JSON.stringify(value));
        const make = (options) => new sdk.DataOpsClient({{
            clientId: "id", clientSecret: "{SECRET}", baseUrl: "{server.base_url}", ...options }});
        (async () => {{ const client = make(); {text} }})();
    """
    done = subprocess.run(
        [node, "-e", script], capture_output=True, text=True, timeout=60, check=False, env=os.environ | environment
    )
    # Node 18 says by itself that its fetch is experimental.
    said = re.sub(
        r"\(node:\d+\) ExperimentalWarning: The Fetch API is .*\n\(Use `node --trace-warnings .*\n", "", done.stderr
    )
    assert (done.returncode, said) == (0, "")
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "call",
    [
        f'client.operations.get("{OPERATION}", {{ signal }})',
        f'client.operations.wait("{OPERATION}", {{ signal }})',
        f'client.datasets.delete("{DATASET}", {{ signal }})',
        f'(async () => {{ for await (const one of client.datasets.records("{DATASET}", {{ signal }})) one; }})()',
    ],
    ids=["an answer", "an operation", "a pause before a repetition", "a stream"],
)
def test_a_signal_ends_a_call_with_its_reason(node: str, server: FaultServer, call: str) -> None:
    held = Reply(hang=True) if call.startswith("client.operations.get") else Reply(body=IN_PROGRESS)
    server.tell(GET, held)
    server.tell(f"DELETE /datasets/{DATASET}", Reply(503, "busy", {"Retry-After": "60"}))
    lines = Reply(text='{"id":"1"}\n' * 3, content_type="application/x-ndjson", stall=True)
    server.tell(f"GET /datasets/{DATASET}/records", lines)

    reason = program(
        node,
        server,
        f"""
            const signal = AbortSignal.timeout(300);
            {call}.catch((error) => tell([error.name, error === signal.reason]));
        """,
    )

    assert reason == ["TimeoutError", True]


def test_a_signal_that_was_aborted_before_sends_nothing(node: str, server: FaultServer) -> None:
    text = f'client.operations.get("{OPERATION}", {{ signal: AbortSignal.abort("no") }}).catch((error) => tell(error));'

    assert program(node, server, text) == "no"
    assert server.requests == []


def test_no_secret_is_shown_of_what_holds_it(node: str, server: FaultServer) -> None:
    server.tell(f"POST /datasets/{DATASET}/connector/tokens", Reply(201, TOKEN))
    text = f"""
        const issued = await client.datasets.createConnectorToken("{DATASET}");
        const shown = [client, client.datasets, issued].map((one) => inspect(one, {{ depth: 20, showProxy: true }}));
        tell([issued.token, await client.accessToken(), shown.join() + JSON.stringify([client, issued])]);
    """

    token, access_token, shown = program(node, server, text)

    assert (token, access_token) == ("dol_s_secret", "token-1")
    assert [secret for secret in (SECRET, token, access_token) if secret in shown] == []
    assert server.requests[0].body == {"kind": "search"}


def test_one_token_serves_all_who_ask_at_once(node: str, server: FaultServer) -> None:
    server.tell(GET, Reply(body=IN_PROGRESS))
    text = f'tell((await Promise.all([1, 2, 3].map(() => client.operations.get("{OPERATION}")))).length);'

    assert program(node, server, text) == 3
    assert len(server.token_requests) == 1


def test_what_is_yours_keeps_its_names_and_what_is_the_apis_gets_javascripts(node: str, server: FaultServer) -> None:
    metadata = {"use_case": "x", "my_key": {"of_mine": 1}, "custom_fields": {"client_name": "ACME"}}
    server.tell(
        f"GET /datasets/{DATASET}", Reply(body={**DATASET_BODY, "metadata": metadata, "_links": {"self": "/x"}})
    )
    text = f"""
        const {{ datasetType, metadata, links }} = await client.datasets.get("{DATASET}");
        tell([datasetType, metadata, links]);
    """

    assert program(node, server, text) == [
        "confluence_pages",
        {"useCase": "x", "my_key": {"of_mine": 1}, "customFields": {"client_name": "ACME"}},
        {"self": "/x"},
    ]


def test_questions_come_page_by_page_and_as_an_archive(node: str, server: FaultServer) -> None:
    path = f"GET /datasets/{DATASET}/ground-truth"
    page = {"page": 1, "per_page": 1, "total_pages": 2, "total_count": 2}
    question = {"text": "Who?", "kind": "people", "in_quality_check": True, "expected": [{"document_id": "1"}]}
    server.tell(
        path,
        Reply(body={"queries": [{"query_id": "a", **question}], "pagination": page}),
        Reply(body={"queries": [{"query_id": "b", **question}], "pagination": {**page, "page": 2}}),
        Reply(text="PK, says the archive", content_type="application/zip"),
        Reply(body={"queries": [], "defects": [{"record_id": "1", "kind": "misfiled"}], "pagination": page}),
    )
    text = f"""
        const truth = client.datasets.groundTruth("{DATASET}", {{ kind: "people" }});
        const found = [];
        for await (const one of truth) found.push(one.queryId, one.inQualityCheck, one.expected[0].documentId);
        const pieces = [];
        for await (const piece of client.datasets.groundTruth("{DATASET}").beir()) pieces.push(Buffer.from(piece));
        const [defect] = await client.datasets.groundTruth("{DATASET}").defects();
        tell([found, Buffer.concat(pieces).toString(), defect.recordId]);
    """

    assert program(node, server, text) == [["a", True, "1", "b", True, "1"], "PK, says the archive", "1"]
    asked = [request.query for request in server.requests]
    assert asked == [
        "format=json&kind=people&page=1&per_page=100",
        "format=json&kind=people&page=2&per_page=100",
        "format=beir",
        "format=json&per_page=1",
    ]


def test_an_operation_is_waited_for_with_its_progress(node: str, server: FaultServer) -> None:
    server.tell(f"DELETE /datasets/{DATASET}", Reply(202, ACCEPTED))
    done = {"datasets": [{"dataset_id": DATASET, "dataset_type": "confluence_pages", "status": "archived"}]}
    server.tell(
        GET,
        Reply(body={**IN_PROGRESS, "progress": {"current_step": 1}}),
        Reply(body={**IN_PROGRESS, "progress": {"current_step": 1}}),
        Reply(body={**IN_PROGRESS, "status": "completed", "progress": {"current_step": 4}, "result": done}),
    )
    text = f"""
        const operation = await client.datasets.delete("{DATASET}");
        const steps = [operation.status];
        try {{ operation.result }} catch (error) {{ steps.push(error.name) }}
        await operation.wait({{ pollInterval: 10, onProgress: (seen) => steps.push(seen.progress.currentStep) }});
        tell([...steps, operation.result.datasets[0].status]);
    """

    assert program(node, server, text) == ["pending", "OperationError", 1, 4, "archived"]


def test_waiting_ends_at_its_timeout_and_can_go_on(node: str, server: FaultServer) -> None:
    server.tell(GET, Reply(body=IN_PROGRESS))
    text = f"""
        const operation = await client.operations.get("{OPERATION}");
        operation.wait({{ timeout: 50, pollInterval: 10 }}).catch((error) => tell([error.name, error.operationId]));
    """

    assert program(node, server, text) == ["OperationTimeoutError", OPERATION]


def test_what_failed_rejects_with_its_reason(node: str, server: FaultServer) -> None:
    reason = {"code": "QUALITY_CHECK_FAILED", "message": "Checks failed", "details": {DATASET: "schema_validation"}}
    server.tell(GET, Reply(body={**IN_PROGRESS, "status": "failed", "error": reason}))
    text = f"""
        const told = ({{ name, message, code, details }}) => tell([name, message, code, details]);
        client.operations.wait("{OPERATION}").catch(told);
    """

    assert program(node, server, text) == [
        "OperationFailedError",
        f"Operation {OPERATION} failed: Checks failed",
        "QUALITY_CHECK_FAILED",
        {DATASET: "schema_validation"},
    ]


def test_what_is_not_given_comes_from_the_environment(node: str, server: FaultServer) -> None:
    server.tell(GET, Reply(body=IN_PROGRESS))
    text = f'const other = new sdk.DataOpsClient(); tell((await other.operations.get("{OPERATION}")).status);'
    known = {"DATAOPS_BASE_URL": f"{server.base_url}/", "DATAOPS_CLIENT_ID": "from-there", "DATAOPS_CLIENT_SECRET": "s"}

    assert program(node, server, text, **known) == "in_progress"
    assert server.token_requests[0].body["client_id"] == "from-there"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("{ clientId: '' }", "No clientId: give it as an option or set DATAOPS_CLIENT_ID."),
        ("{ baseUrl: 'api.example' }", "baseUrl must be an http:// or https:// address."),
        ("{ baseUrl: 'https://api.example/' }", "baseUrl must have the API's path: https://api.example/v1/dataops."),
        (
            "{ clientID: 'a', timeOut: 1 }",
            "No such option: clientID, timeOut. There are clientId, clientSecret, baseUrl, tokenUrl, scope, timeout, "
            "maxRetries, fetch.",
        ),
        (
            "{ baseUrl: 'https://me:pw@api.example' }",
            "baseUrl must be a plain address, without user, query or fragment.",
        ),
    ],
)
def test_what_is_missing_or_wrong_is_named(node: str, server: FaultServer, options: str, message: str) -> None:
    text = f"try {{ make({options}) }} catch (error) {{ tell([error.name, error.message]) }}"

    assert program(node, server, text, DATAOPS_CLIENT_ID="") == ["ConfigurationError", message]
