"""Resources, models and errors of the SDK (C-2, C-31, C-33, C-60, C-90, C-95)."""

import importlib.metadata
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from pydantic import SecretStr, ValidationError

import a_domain_sdk
from a_domain_sdk import (
    APIConnectionError,
    APIStatusError,
    ConfigurationError,
    DataOpsClient,
    PreconditionFailedError,
)
from a_domain_sdk._configuration import resolve
from a_domain_sdk._retry import RetryPolicy, seconds_of
from tests.sdks.conformance.server import FaultServer, Reply, envelope

DATASET = "550e8400-e29b-41d4-a716-446655440000"
CONNECTOR: dict[str, Any] = {
    "connector_id": "660e8400-e29b-41d4-a716-446655440001",
    "name": "ACME-Sandbox-Confluence",
    "status": "healthy",
    "endpoint_url": "https://glean.acme.com/connectors/conf-001",
}
REFERENCE_DATASET: dict[str, Any] = {
    "dataset_id": DATASET,
    "name": "ACME-Sandbox-Confluence",
    "dataset_type": "confluence_pages",
    "stage": "sandbox",
    "client_id": "123e4567-e89b-12d3-a456-426614174000",
    "journey_id": "123e4567-e89b-12d3-a456-426614174001",
    "status": "ready",
    "created_at": "2026-01-28T10:30:00Z",
    "ready_at": "2026-01-28T11:15:00Z",
    "archived_at": None,
    "data_source": "mock_template",
    "record_count": 500,
    "size_bytes": 15728640,
    "quality_score": 98.5,
    "connector": CONNECTOR,
    "template": {
        "template_id": "770e8400-e29b-41d4-a716-446655440002",
        "name": "FinTech Developer Productivity - Confluence",
    },
    "metadata": {
        "industry": "fintech",
        "use_case": "developer_productivity",
        "tags": ["sandbox", "mock", "testing"],
    },
    "_links": {"self": f"/v1/dataops/datasets/{DATASET}", "quality": f"/v1/dataops/datasets/{DATASET}/quality"},
}
CHECK = {"score": 100.0, "weight": 0.30, "status": "passed", "details": "All 500 records match schema"}
PENDING = {"score": None, "weight": 0.15, "status": "pending", "details": None, "executed_at": None}


def a_page(number: int, *names: str) -> Reply:
    """A page of a list of three datasets, two on a page."""
    return Reply(
        body={
            "datasets": [{**REFERENCE_DATASET, "name": name} for name in names],
            "pagination": {"page": number, "per_page": 2, "total_pages": 2, "total_count": 3},
            "_links": {"self": "/v1/dataops/datasets"},
        }
    )


def test_the_dataset_of_the_reference_is_read_whole(server: FaultServer, client: DataOpsClient) -> None:
    server.tell(f"GET /datasets/{DATASET}", Reply(body=REFERENCE_DATASET))

    dataset = client.datasets.get(UUID(DATASET))

    assert dataset.dataset_id == DATASET
    assert dataset.ready_at == datetime(2026, 1, 28, 11, 15, tzinfo=UTC)
    assert (dataset.record_count, dataset.size_bytes, dataset.quality_score) == (500, 15728640, 98.5)
    assert dataset.connector is not None
    assert dataset.connector.endpoint_url == "https://glean.acme.com/connectors/conf-001"
    assert dataset.metadata.tags == ["sandbox", "mock", "testing"]
    assert dataset.links["self"] == f"/v1/dataops/datasets/{DATASET}"


def test_what_a_newer_server_adds_breaks_nothing_and_is_kept(server: FaultServer, client: DataOpsClient) -> None:
    newer = {
        **REFERENCE_DATASET,
        "status": "hibernating",
        "mood": "good",
        "connector": {**CONNECTOR, "status": "dreaming", "region": "north"},
    }
    server.tell(f"GET /datasets/{DATASET}", Reply(body=newer))

    dataset = client.datasets.get(DATASET)

    assert dataset.status == "hibernating"
    assert dataset.model_extra == {"mood": "good"}
    assert dataset.connector is not None
    assert dataset.connector.model_extra == {"region": "north"}


def test_a_model_cannot_be_changed(server: FaultServer, client: DataOpsClient) -> None:
    server.tell(f"GET /datasets/{DATASET}", Reply(body=REFERENCE_DATASET))

    with pytest.raises(ValidationError, match="frozen"):
        client.datasets.get(DATASET).status = "failed"


def test_a_dataset_that_has_not_changed_is_the_very_same(server: FaultServer, client: DataOpsClient) -> None:
    changed = {**REFERENCE_DATASET, "name": "Another"}
    server.tell(
        f"GET /datasets/{DATASET}",
        Reply(body=REFERENCE_DATASET, headers={"ETag": '"one"'}),
        Reply(304),
        Reply(body=changed, headers={"ETag": '"two"'}),
    )

    dataset = client.datasets.get(DATASET)

    assert client.datasets.refresh(dataset) is dataset
    newer = client.datasets.refresh(dataset)
    assert (newer.name, newer.etag) == ("Another", '"two"')
    assert [seen.headers.get("if-none-match") for seen in server.requests] == [None, '"one"', '"one"']
    assert "etag" not in newer.model_dump()


def test_metadata_is_changed_against_the_tag_of_what_was_read(server: FaultServer, client: DataOpsClient) -> None:
    server.tell(f"PATCH /datasets/{DATASET}", Reply(412, envelope("PRECONDITION_FAILED", "Changed", etag='"two"')))

    with pytest.raises(PreconditionFailedError) as caught:
        client.datasets.update(DATASET, metadata={"tags": ["new"], "owner": None}, if_match='"one"')

    assert caught.value.details == {"etag": '"two"'}
    assert server.requests[0].body == {"metadata": {"tags": ["new"], "owner": None}}
    assert server.requests[0].headers["if-match"] == '"one"'


def test_records_become_a_frame_and_a_file(server: FaultServer, client: DataOpsClient, tmp_path: Path) -> None:
    lines = '{"id":"1","version":{"number":2}}\n{"id":"2","version":{"number":3}}\n'
    server.tell(f"GET /datasets/{DATASET}/records", Reply(text=lines, content_type="application/x-ndjson"))
    records = client.datasets.records(DATASET)

    frame = records.to_pandas()
    assert list(frame.columns) == ["id", "version.number"]
    assert frame["version.number"].tolist() == [2, 3]

    target = tmp_path / "records.ndjson"
    target.write_text("before", encoding="utf-8")
    assert records.save(target) == target
    assert target.read_text("utf-8") == lines
    server.tell(f"GET /datasets/{DATASET}/records", Reply(text=lines, content_type="application/x-ndjson", cut=True))
    with pytest.raises(APIConnectionError):
        records.save(target)
    assert target.read_text("utf-8") == lines, "a part is never taken for the whole"
    assert list(tmp_path.iterdir()) == [target]


def questions(number: int, *ids: str) -> Reply:
    """A page of a dataset's three questions, two on a page."""
    shown = {
        "text": "Who?", "kind": "multi_hop", "filters": [{"field": "author", "values": ["a@b.example"]}],
        "expected": [{"document_id": "1", "url": "https://wiki.b.example/1"}], "answer": "Ada Lovelace",
        "elsewhere": [{"dataset_type": "jira_issues", "document_id": "K-1", "url": "https://jira.b.example/K-1"}],
        "in_quality_check": False,
    }  # fmt: skip
    return Reply(
        body={
            "queries": [{"query_id": one, **shown} for one in ids],
            "pagination": {"page": number, "per_page": 2, "total_pages": 2, "total_count": 3},
            "_links": {},
        }
    )


def test_questions_of_a_kind_come_page_by_page(server: FaultServer, client: DataOpsClient) -> None:
    server.tell(f"GET /datasets/{DATASET}/ground-truth", questions(1, "a", "b"), questions(2, "c"))

    found = list(client.datasets.ground_truth(DATASET, kind="multi_hop"))

    assert [question.query_id for question in found] == ["a", "b", "c"]
    assert (found[0].answer, found[0].filters[0].field) == ("Ada Lovelace", "author")
    assert (found[0].expected[0].document_id, found[0].elsewhere[0].dataset_type) == ("1", "jira_issues")
    asked = [dict(httpx.QueryParams(request.query)) for request in server.requests]
    whole = {"format": "json", "kind": "multi_hop", "per_page": "100"}
    assert asked == [{**whole, "page": "1"}, {**whole, "page": "2"}]


def test_defects_are_told_beside_the_questions(server: FaultServer, client: DataOpsClient) -> None:
    listed = {"record_id": "1", "kind": "misfiled", "related_record_id": None, "detail": {"right_place": "PAY"}}
    reply = questions(1)
    server.tell(f"GET /datasets/{DATASET}/ground-truth", replace(reply, body={**reply.body, "defects": [listed]}))

    (defect,) = client.datasets.ground_truth(DATASET).defects()

    assert (defect.record_id, defect.kind, defect.detail["right_place"]) == ("1", "misfiled", "PAY")


def test_all_questions_become_a_beir_archive(server: FaultServer, client: DataOpsClient, tmp_path: Path) -> None:
    reply = Reply(text="PK, says the archive", content_type="application/zip")
    server.tell(f"GET /datasets/{DATASET}/ground-truth", reply)
    target = tmp_path / "acme.beir.zip"

    assert client.datasets.ground_truth(DATASET).save(target) == target

    assert target.read_text("utf-8") == "PK, says the archive"
    assert dict(httpx.QueryParams(server.requests[0].query)) == {"format": "beir"}
    assert list(tmp_path.iterdir()) == [target]


def test_a_list_that_links_what_comes_next_goes_on_there(server: FaultServer, client: DataOpsClient) -> None:
    entry = {
        "audit_id": "019c0427-2440-7000-8000-000000000002",
        "occurred_at": "2026-01-28T10:30:00Z",
        "actor": {"kind": "run", "id": "r"},
        "action": "changed",
        "resource": {"type": "dataset", "id": DATASET},
    }
    link = "/v1/dataops/audit?action=changed&limit=1&cursor=abc"
    server.tell(
        "GET /audit",
        Reply(body={"entries": [entry], "_links": {"self": "/", "next": link}}),
        Reply(
            body={"entries": [{**entry, "audit_id": "019c0427-2440-7000-8000-000000000001"}], "_links": {"self": "/"}}
        ),
    )

    page = client.audit.list(action="changed", limit=1)

    assert page.has_next
    assert [one.audit_id[-1] for one in page] == ["2", "1"]
    assert dict(httpx.QueryParams(server.requests[1].query)) == {"action": "changed", "limit": "1", "cursor": "abc"}


def test_iterating_over_a_list_goes_through_all_pages_with_the_same_filters(
    server: FaultServer, client: DataOpsClient
) -> None:
    server.tell("GET /datasets", a_page(1, "first", "second"), a_page(2, "third"))
    since = datetime(2026, 1, 28, tzinfo=UTC)

    page = client.datasets.list(stage="sandbox", created_from=since, per_page=2)

    assert (page.total_count, page.has_next, len(server.requests)) == (3, True, 1)
    assert [dataset.name for dataset in page] == ["first", "second", "third"]
    asked = [dict(httpx.QueryParams(request.query)) for request in server.requests]
    filters = {"stage": "sandbox", "created_from": "2026-01-28T00:00:00+00:00", "per_page": "2"}
    assert asked == [filters, {**filters, "page": "2"}]


def test_a_last_page_has_no_next(server: FaultServer, client: DataOpsClient) -> None:
    server.tell("GET /datasets", a_page(2, "third"))

    page = client.datasets.list(page=2, per_page=2)

    assert not page.has_next
    with pytest.raises(IndexError, match="page 2 is the last of 2"):
        page.next_page()


def test_quality_has_its_four_checks_also_before_the_first_evaluation(
    server: FaultServer, client: DataOpsClient
) -> None:
    checks = {
        "schema_validation": CHECK,
        "data_completeness": CHECK,
        "connector_health": CHECK,
        "sample_query_success": PENDING,
    }
    answer = {"dataset_id": DATASET, "overall_score": None, "meets_threshold": False, "threshold": 95.0}
    server.tell(f"GET /datasets/{DATASET}/quality", Reply(body={**answer, "checks": checks}))

    quality = client.datasets.get_quality(DATASET)

    assert quality == client.quality.get(DATASET)
    assert quality.overall_score is None
    assert quality.checks.schema_validation.score == 100
    assert quality.checks.sample_query_success.status == "pending"


def test_a_connector_token_is_shown_but_not_in_its_repr(server: FaultServer, client: DataOpsClient) -> None:
    token = {"token_id": "t-1", "token": "dol_s_secret", "kind": "search", "expires_at": "2026-02-27T11:20:00Z"}
    server.tell(f"POST /datasets/{DATASET}/connector/tokens", Reply(201, token))
    server.tell(f"DELETE /datasets/{DATASET}/connector/tokens/t-1", Reply(204, b""))

    issued = client.datasets.create_connector_token(DATASET, kind="search", expires_in=600)
    client.datasets.revoke_connector_token(DATASET, issued.token_id)

    assert server.requests[0].body == {"kind": "search", "expires_in": 600}
    assert issued.token == "dol_s_secret"
    assert "dol_s_secret" not in repr(issued)


@pytest.mark.parametrize(
    ("status", "code", "name"),
    [
        (400, "INVALID_REQUEST", "InvalidRequestError"),
        (401, "UNAUTHORIZED", "UnauthorizedError"),
        (403, "FORBIDDEN", "ForbiddenError"),
        (404, "NOT_FOUND", "NotFoundError"),
        (405, "METHOD_NOT_ALLOWED", "MethodNotAllowedError"),
        (409, "CONFLICT", "ConflictError"),
        (410, "GONE", "GoneError"),
        (412, "PRECONDITION_FAILED", "PreconditionFailedError"),
        (413, "PAYLOAD_TOO_LARGE", "PayloadTooLargeError"),
        (415, "UNSUPPORTED_MEDIA_TYPE", "UnsupportedMediaTypeError"),
        (422, "IDEMPOTENCY_KEY_REUSED", "IdempotencyKeyReusedError"),
        (429, "RATE_LIMITED", "RateLimitedError"),
        (500, "INTERNAL_ERROR", "InternalServerError"),
        (503, "SERVICE_UNAVAILABLE", "ServiceUnavailableError"),
        (409, "A_CODE_OF_TOMORROW", "ConflictError"),
        (418, "A_STATUS_OF_TOMORROW", "APIStatusError"),
    ],
)
def test_each_code_has_an_error_of_its_own_and_an_unknown_one_that_of_its_status(
    server: FaultServer, connect: Callable[..., DataOpsClient], status: int, code: str, name: str
) -> None:
    server.tell(f"GET /datasets/{DATASET}", Reply(status, envelope(code, "No", field="because")))

    with pytest.raises(APIStatusError) as caught:
        connect(max_retries=0).datasets.get(DATASET)

    assert type(caught.value) is getattr(a_domain_sdk, name)
    assert (caught.value.status, caught.value.code, caught.value.message) == (status, code, "No")
    assert (caught.value.details, caught.value.request_id) == ({"field": "because"}, "req-123")
    assert str(caught.value) == f"No; field: because ({code} {status}, request req-123)"


def test_an_error_that_is_not_of_the_api_keeps_status_and_request_id(
    server: FaultServer, connect: Callable[..., DataOpsClient]
) -> None:
    html = Reply(502, b"<html>Bad gateway</html>", {"X-Request-ID": "req-9"}, content_type="text/html")
    server.tell(f"GET /datasets/{DATASET}", html)

    with pytest.raises(APIStatusError, match=r"Bad Gateway \(HTTP 502, request req-9\)") as caught:
        connect(max_retries=0).datasets.get(DATASET)

    assert caught.value.code is None


def test_what_is_not_given_comes_from_the_environment(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATAOPS_BASE_URL", f"{server.base_url}/")
    monkeypatch.setenv("DATAOPS_TOKEN_URL", f"{server.origin}/token")
    monkeypatch.setenv("DATAOPS_CLIENT_ID", "from-the-environment")
    monkeypatch.setenv("DATAOPS_CLIENT_SECRET", "secret-from-the-environment")
    server.tell("GET /templates", Reply(body={"templates": [], "total_count": 0}))

    with DataOpsClient() as client:
        assert client.templates.list(industry="fintech") == []

    assert server.token_requests[0].body["client_id"] == "from-the-environment"
    assert server.requests[0].path == "/v1/dataops/templates"


def configured(**given: Any) -> Any:
    """A configuration of these arguments and an empty environment."""
    arguments = {"client_id": "id", "client_secret": SecretStr("s"), "base_url": "https://api.example/v1/dataops"}
    return resolve(**({**arguments, "token_url": None, "scope": None, "environment": {}} | given))


def test_the_token_endpoint_is_at_the_root_of_the_api_unless_given() -> None:
    assert configured().token_url == "https://api.example/token"
    assert configured(token_url="https://auth.example/token").token_url == "https://auth.example/token"
    assert configured(environment={"DATAOPS_TOKEN_URL": "https://auth.example/t"}).token_url == "https://auth.example/t"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"client_id": None}, "No client_id: give it as an argument or set DATAOPS_CLIENT_ID"),
        ({"client_secret": None}, "No client_secret: .* DATAOPS_CLIENT_SECRET"),
        ({"base_url": None}, "No base_url: .* DATAOPS_BASE_URL"),
        ({"base_url": "api.example/v1"}, "must be an http:// or https:// address"),
        ({"base_url": "ftp://api.example"}, "must be an http:// or https:// address"),
        ({"base_url": "https://user:pass@api.example"}, "without user, query or fragment"),
        ({"base_url": "https://api.example/"}, "must have the API's path: https://api.example/v1/dataops"),
        ({"token_url": "https://"}, "token_url .* must be an http"),
    ],
)
def test_what_is_missing_or_wrong_is_named_with_its_variable(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        configured(**given)


def test_no_secret_is_in_the_repr_of_what_holds_it(client: DataOpsClient, secret: str) -> None:
    client.access_token()

    assert secret not in repr(vars(client)) + repr(vars(client._session)) + repr(configured())
    assert "token-1" not in repr(vars(client._session)) + repr(vars(client._session._tokens))


def test_pauses_grow_and_are_jittered_between_half_and_whole() -> None:
    for drawn, share in ((0.0, 0.5), (1.0, 1.0)):
        policy = RetryPolicy(max_retries=9, draw=lambda drawn=drawn: drawn)
        pauses = [policy.after_status(503, None, attempt=attempt, repeat="freely") for attempt in range(6)]
        assert pauses == [share * pause for pause in (0.5, 1, 2, 4, 8, 8)]


def test_retry_after_is_never_undercut() -> None:
    for drawn in (0.0, 0.5, 1.0):
        pause = RetryPolicy(draw=lambda drawn=drawn: drawn).after_status(429, 20.0, attempt=0, repeat="refused")
        assert pause is not None
        assert 20 <= pause <= 21


def test_retry_after_is_seconds_or_a_date() -> None:
    now = datetime(2026, 1, 28, 12, 0, tzinfo=UTC)

    assert seconds_of("7") == 7
    assert seconds_of("Wed, 28 Jan 2026 12:00:30 GMT", now=now) == 30
    assert seconds_of("Wed, 28 Jan 2026 12:00:30 GMT", now=now + timedelta(minutes=1)) == 0
    assert [seconds_of(text) for text in (None, "", "soon", "-1", "1.5")] == [None] * 5


def test_the_version_is_that_of_the_package_and_it_needs_two_others() -> None:
    assert importlib.metadata.version("a-domain-sdk") == a_domain_sdk.__version__
    needed = importlib.metadata.requires("a-domain-sdk") or []
    assert sorted(requirement.split("<")[0].split(">")[0] for requirement in needed) == ["httpx", "pydantic"]


def test_every_public_name_is_there() -> None:
    assert sorted(a_domain_sdk.__all__) == sorted(set(a_domain_sdk.__all__))
    assert [name for name in a_domain_sdk.__all__ if not hasattr(a_domain_sdk, name)] == []
