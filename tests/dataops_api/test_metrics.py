"""Figures for Prometheus: what is counted, what is read of the registry, and who may read it (C-2, C-13)."""

import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.requests import Request

from dataops_api.metrics import Metrics
from dataops_api.metrics_page import _is_near
from dataops_core.clock import utcnow
from dataops_core.ids import new_id
from dataops_core.lifecycle import DatasetStatus
from dataops_core.registry import notifications, orphans
from dataops_core.registry.database import Database
from dataops_core.registry.looking import Looking
from dataops_core.registry.tables import Dataset, Notification, Operation
from dataops_core.scopes import Scope
from tests.waiting import wait_for

DATASETS = "/v1/dataops/datasets"
STATES = ("waiting", "delivered", "given_up", "untold")


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample: name and labels → value."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def figure(api: Any, name: str, **labels: str) -> float:
    """One figure as the page has it now, 0 where it is not there yet."""
    answer = api.anonymous.get("/metrics")
    assert answer.status_code == 200
    return samples(answer.text).get((f"dataops_{name}", frozenset(labels.items())), 0.0)


def test_requests_are_counted_by_the_routes_template_and_never_by_their_path(api: Any) -> None:
    dataset_id = new_id()
    by = {"method": "GET", "route": DATASETS + "/{dataset_id}", "status": "404"}
    before = figure(api, "http_request_duration_seconds_count", **by)
    api.admin.get(f"{DATASETS}/{dataset_id}")
    api.admin.get(f"{DATASETS}/{new_id()}")
    assert figure(api, "http_request_duration_seconds_count", **by) == before + 2
    assert figure(api, "http_request_duration_seconds_sum", **by) > 0
    api.anonymous.get("/no/such/path")
    api.anonymous.request("PROPFIND", "/healthz")
    page = api.anonymous.get("/metrics")
    assert page.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert str(dataset_id) not in page.text
    assert "/no/such/path" not in page.text
    assert figure(api, "http_request_duration_seconds_count", method="GET", route="unknown", status="404") >= 1
    assert figure(api, "http_request_duration_seconds_count", method="other", route="/healthz", status="405") >= 1
    assert "PROPFIND" not in page.text


def test_requests_to_connectors_have_figures_of_their_own(api: Any) -> None:
    """C-90."""
    by = {"method": "POST", "route": "/connectors/{connector_id}/search", "status": "401"}
    before = figure(api, "connector_request_duration_seconds_count", **by)
    api.anonymous.post(f"/connectors/{new_id()}/search", json={"query": "x"})
    assert figure(api, "connector_request_duration_seconds_count", **by) == before + 1
    assert figure(api, "http_request_duration_seconds_count", **by) == 0


def test_answers_of_the_token_endpoint_are_counted_by_result(api: Any) -> None:
    issued = figure(api, "token_requests_total", result="issued")
    refused = figure(api, "token_requests_total", result="invalid_client")
    with api.asking(Scope.DATASETS_READ):
        pass
    body = {"client_id": str(new_id()), "client_secret": "guess", "grant_type": "client_credentials"}
    api.anonymous.post("/token", json=body)
    assert figure(api, "token_requests_total", result="issued") == issued + 1
    assert figure(api, "token_requests_total", result="invalid_client") == refused + 1


@pytest.mark.parametrize("settings_change", [{"api_requests_per_second": 1, "api_requests_burst": 2}])
def test_requests_that_come_too_often_are_counted(own_api: Any) -> None:
    with own_api.asking(Scope.DATASETS_READ) as client:
        statuses = [client.get(DATASETS).status_code for _ in range(4)]
    assert 429 in statuses
    assert figure(own_api, "rate_limited_requests_total", limit="api_client") == statuses.count(429)


def launches(api: Any, result: str) -> None:
    """Waits until a launch has ended so."""
    wait_for(lambda: figure(api, "run_launches_total", result=result) == 1, f"one launch is counted as {result}", 20)


def test_launches_are_counted_by_what_became_of_them(own_api: Any) -> None:
    own_api.provision()
    launches(own_api, "launched")
    own_api.dagster.down = True
    own_api.provision()
    launches(own_api, "not_launched")


def add_dataset(database: Database, accepted: Any, **values: Any) -> None:
    with database.transaction() as session:
        row = session.get_one(Dataset, accepted)
        for name, value in values.items():
            setattr(row, name, value)


def test_the_registry_is_told_by_status_type_age_and_score(own_api: Any) -> None:
    """C-62."""
    for score in ("99.4", "94.9", "95.0"):
        below = utcnow() if score == "94.9" else None
        dataset_id = own_api.ready()
        add_dataset(own_api.database, dataset_id, quality_score=Decimal(score), below_since=below)
    old = utcnow() - timedelta(days=2)
    with own_api.database.transaction() as session:
        for moment, attempts in ((utcnow(), 0), (old, 0), (old, 0), (old, 9)):
            told = notifications.add(session, "an event", {}, dataset_id=dataset_id, client_id=new_id(), now=moment)
            session.get_one(Notification, told).attempts = attempts
        session.flush()
        notifications.give_up_old(session, before=utcnow() - timedelta(days=1), now=utcnow(), reason="it is old")
        orphans.note_search(session, searched_at=old, findings={"records_missing": {"reported": 2}})
    waiting = own_api.provision()
    with own_api.database.transaction() as session:
        operation = session.get_one(Operation, waiting["operation_id"])
        operation.created_at = utcnow() - timedelta(minutes=3)
    text = Metrics(own_api.database, Looking.from_settings(own_api.settings)).render()[0].decode()  # type: ignore[index]
    found = {name: value for (name, labels), value in samples(text).items() if not labels}
    labelled = samples(text)
    ready = frozenset({("status", "ready"), ("type", "confluence_pages")})
    pending = frozenset({("status", "pending"), ("type", "dataset_provisioning")})
    assert labelled["dataops_datasets", ready] == 3
    assert labelled["dataops_operations", pending] == 1
    assert 180 <= found["dataops_oldest_pending_operation_seconds"] < 240
    assert found["dataops_datasets_below_threshold"] == 1
    assert labelled["dataops_connectors", frozenset({("status", "connecting")})] == 3
    states = {state: labelled["dataops_notifications", frozenset({("state", state)})] for state in STATES}
    assert states == {"waiting": 1, "delivered": 0, "given_up": 1, "untold": 2}
    assert labelled["dataops_dataset_quality_score_bucket", frozenset({("le", "94.9")})] == 1
    assert labelled["dataops_dataset_quality_score_bucket", frozenset({("le", "96")})] == 2
    assert labelled["dataops_dataset_quality_score_bucket", frozenset({("le", "+Inf")})] == 3
    missing = frozenset({("verdict", "reported"), ("kind", "records_missing")})
    assert labelled["dataops_orphans", missing] == 2
    assert found["dataops_orphan_search_age_seconds"] == pytest.approx(2 * 86_400, abs=60)
    assert found["dataops_registry_up"] == 1
    assert found["process_resident_memory_bytes"] > 0
    in_use = labelled["dataops_database_connections", frozenset({("pool", "looking"), ("state", "in_use")})]
    assert in_use == 0  # before it looks for itself


def test_the_registry_is_asked_once_however_often_somebody_scrapes(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    reading = Database.reading
    monkeypatch.setattr(Database, "reading", lambda self: asked.append(1) or reading(self))
    metrics = Metrics(database, Looking(database_url), kept_seconds=3600)
    assert len({metrics.render() is None for _ in range(5)}) == 1
    assert len(asked) == 1
    fresh = Metrics(database, Looking(database_url), kept_seconds=0)
    fresh.render()
    fresh.render()
    assert len(asked) == 3


def test_a_registry_that_is_away_takes_its_own_figures_with_it_alone() -> None:
    nowhere = "postgresql+psycopg2://nobody@127.0.0.1:1/nothing"
    metrics = Metrics(Database(nowhere), Looking(nowhere))
    metrics.token("issued")
    rendered = metrics.render()
    assert rendered is not None
    found = samples(rendered[0].decode())
    assert found["dataops_registry_up", frozenset()] == 0
    assert found["dataops_token_requests_total", frozenset({("result", "issued")})] == 1
    assert not any(name == "dataops_datasets" for name, _ in found)


@pytest.mark.parametrize("settings_change", [{"metrics": "off"}])
def test_off_there_is_no_such_page(own_api: Any) -> None:
    """C-2."""
    answer = own_api.anonymous.get("/metrics")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "NOT_FOUND"


def test_off_costs_nothing() -> None:
    code = (
        "import sys; from dataops_api.app import create_app; from dataops_core.settings import Settings; "
        "create_app(Settings(metrics='off', secret_key='x' * 32, database_url='postgresql://n@localhost/n')); "
        "sys.exit('prometheus_client' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=120).returncode == 0


@pytest.mark.parametrize(
    ("address", "near"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("192.0.2.7", False), ("testclient", False)],
)
def test_by_default_only_programs_on_the_same_machine_read_it(address: str, near: bool) -> None:
    assert _is_near(Request({"type": "http", "client": (address, 1234), "headers": []})) is near


def test_behind_a_proxy_the_callers_own_address_counts(api: Any) -> None:
    """The server believes a proxy on this machine who the caller is."""
    far = httpx.get(f"{api.url}/metrics", headers={"X-Forwarded-For": "192.0.2.7"}, trust_env=False)
    assert far.status_code == 404
    assert httpx.get(f"{api.url}/metrics", trust_env=False).status_code == 200


@pytest.mark.parametrize("settings_change", [{"metrics": "on"}])
def test_on_whoever_reaches_the_api_may_read_it(own_api: Any) -> None:
    far = httpx.get(f"{own_api.url}/metrics", headers={"X-Forwarded-For": "192.0.2.7"}, trust_env=False)
    assert far.status_code == 200


def test_a_customer_is_nowhere_named(own_api: Any) -> None:
    customer = new_id()
    dataset_id = own_api.ready(client_id=str(customer))
    own_api.admin.get(DATASETS, params={"client_id": str(customer), "status": DatasetStatus.READY})
    page = own_api.anonymous.get("/metrics").text
    assert str(customer) not in page
    assert str(dataset_id) not in page
