"""The health probes find each fault that they exist for, and never take a passing one for a fault (C-62)."""

import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from uuid import UUID

import httpx
import pytest

from dataops_core.connectors.client import EmbeddedConnector
from dataops_core.connectors.documents import datasource_config
from dataops_core.connectors.probes import PROBES
from dataops_core.connectors.protocol import Manifest, ProbeOutcome
from dataops_core.registry import connectors as registry
from dataops_core.registry import usage

ALL = set(PROBES)
CANARIES = ["ledger item3", "runbook"]


@pytest.fixture
def loaded(connector, adapter, make_documents):
    """A connector with forty documents, and what its index must hold."""
    documents = make_documents(40)
    return connector, adapter.load(connector.spec, documents, upload_id="u").manifest


@pytest.fixture
def probe(loaded, live_service):
    """Runs the probes on a line that the test may disturb; gives outcome by probe, and the pauses that were made."""
    connector, manifest = loaded

    class Line(httpx.HTTPTransport):
        disturb = staticmethod(lambda _: None)

        def handle_request(self, request):
            return self.disturb(request) or super().handle_request(request)

    def run(disturb=None, *, expected=manifest, upload_id="u", spec=connector.spec, keyring=live_service.keyring):
        line, pauses = Line(), []
        if disturb is not None:
            line.disturb = disturb
        client = EmbeddedConnector(live_service.url, keyring, transport=line, pause=pauses.append)
        results = client.probe(spec, expected, upload_id, CANARIES)
        client.close()
        assert [result.probe for result in results] == list(PROBES)
        assert all(result.required for result in results)
        return results, pauses

    return run


def by_outcome(results, outcome):
    return {result.probe for result in results if result.outcome is outcome}


def failed(results):
    return by_outcome(results, ProbeOutcome.FAILED)


def test_a_healthy_connector_passes_every_probe_quickly(probe):
    probe()
    started = time.monotonic()
    results, pauses = probe()
    took = time.monotonic() - started
    assert by_outcome(results, ProbeOutcome.PASSED) == ALL
    assert pauses == []
    assert all(result.latency_ms >= 0 and result.detail for result in results)
    assert took < 2, "about a tenth of a second on an idle machine"


def test_probes_are_no_usage(loaded, probe, live_service):
    probe()
    with live_service.database.transaction() as session:
        assert usage.days(session, loaded[0].dataset_id) == []


def tamper(live_service, connector, statement):
    path = live_service.folder(connector.connector_id) / "u.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


@pytest.mark.parametrize(
    ("statement", "faults"),
    [
        ("DELETE FROM docs WHERE rowid = 1", {"doc_parity"}),
        ("UPDATE docs SET id = 'another' WHERE rowid = 1", {"doc_parity"}),
        ("INSERT INTO docs (id, object_type, view_url) VALUES ('extra', 'Page', 'x:y')", {"doc_parity"}),
    ],
)
def test_a_document_lost_changed_or_added_is_noticed(loaded, probe, live_service, statement, faults):
    tamper(live_service, loaded[0], statement)
    assert failed(probe()[0]) == faults


def test_an_index_that_is_gone_is_a_definite_fault(loaded, probe, live_service):
    (live_service.folder(loaded[0].connector_id) / "u.db").unlink()
    results, _ = probe()
    assert failed(results) == {"doc_parity"}
    assert by_outcome(results, ProbeOutcome.INDETERMINATE) == {"auth_search", "latency"}


def test_another_upload_than_the_expected_one_is_noticed(probe):
    assert failed(probe(upload_id="another")[0]) == {"last_upload"}


def test_another_dataset_than_the_expected_one_is_noticed(probe):
    assert failed(probe(expected=Manifest.of(["other", "ids"]))[0]) == {"doc_parity"}


@pytest.mark.parametrize(
    "changed",
    [
        {"urlRegex": "^https://other\\.example/"},
        {"datasourceCategory": "TICKETS"},
        {"objectDefinitions": [{"name": "Issue"}]},
        {"objectDefinitions": [{"name": "Page", "propertyDefinitions": []}]},
    ],
)
def test_another_configuration_is_noticed(loaded, probe, live_service, changed):
    connector, _ = loaded
    with live_service.database.transaction() as session:
        registry.set_datasource(session, connector.connector_id, {**datasource_config(connector.spec), **changed})
    assert failed(probe()[0]) == {"config_matches"}


def test_a_connector_that_knows_its_tokens_no_more_fails_all_that_needs_one(probe):
    class Wrong:
        def service_token(self, *_arguments, **_options):
            return "wrong.wrong.wrong"

    results, _ = probe(keyring=Wrong())
    assert failed(results) == ALL - {"connect", "auth_rejects", "last_upload"}
    assert by_outcome(results, ProbeOutcome.INDETERMINATE) == {"last_upload"}


@pytest.mark.parametrize("side", ["/api/search", "getdatasourceconfig"])
def test_a_connector_that_lets_anybody_in_is_noticed(probe, side):
    seen = {}

    def lenient(request):
        """Answers a token that it has not seen first like the first one."""
        if not request.url.path.endswith(side):
            return
        first = seen.setdefault(side, request.headers["authorization"])
        request.headers["authorization"] = first
        return

    assert failed(probe(lenient)[0]) == {"auth_rejects"}


def test_a_disconnected_connector_fails(loaded, probe, live_service):
    live_service.disconnect(loaded[0].connector_id)
    results, _ = probe()
    assert failed(results) == ALL - {"connect", "auth_rejects", "last_upload"}


def test_a_search_answer_of_another_shape_is_noticed(probe):
    def other_shape(request):
        return httpx.Response(200, json={"hits": []}) if request.url.path.endswith("/api/search") else None

    assert failed(probe(other_shape)[0]) == {"auth_search", "auth_rejects"}


def lost(request):
    raise httpx.ConnectError("refused", request=request)


def too_many(_request):
    return httpx.Response(429)


def broken(_request):
    return httpx.Response(503)


@pytest.mark.parametrize("trouble", [lost, too_many, broken])
def test_what_cannot_be_told_is_tried_twice_more_and_called_no_fault(probe, trouble):
    results, pauses = probe(trouble)
    assert by_outcome(results, ProbeOutcome.INDETERMINATE) == ALL
    assert len(pauses) == 2, "without a connection nothing else is tried"


@pytest.mark.parametrize("trouble", [too_many, broken])
def test_a_side_that_cannot_be_told_leaves_the_others_as_they_are(probe, trouble):
    results, _ = probe(lambda request: trouble(request) if request.url.path.endswith("/api/search") else None)
    assert failed(results) == set()
    assert by_outcome(results, ProbeOutcome.INDETERMINATE) == {"auth_search", "auth_rejects", "latency"}


@pytest.mark.parametrize("trouble", [lost, too_many, broken])
def test_a_trouble_that_passes_is_no_trouble(probe, trouble):
    left = [2]

    def twice(request):
        left[0] -= 1
        return trouble(request) if left[0] >= 0 else None

    results, pauses = probe(twice)
    assert by_outcome(results, ProbeOutcome.PASSED) == ALL
    assert len(pauses) == 2


def test_no_answer_in_time_is_a_fault_at_once(probe):
    def late(request):
        if request.url.path.endswith("/api/search"):
            raise httpx.ReadTimeout("timed out", request=request)

    results, pauses = probe(late)
    assert failed(results) == {"auth_search", "auth_rejects", "latency"}
    assert pauses == []
    assert "no answer within 5 s" in next(r.detail for r in results if r.probe == "latency")


def test_a_redirect_is_a_fault(probe):
    moved = httpx.Response(302, headers={"Location": "http://127.0.0.2:1/"})
    results, _ = probe(lambda request: moved if request.url.path.endswith("/health") else None)
    assert "connect" in failed(results)


def test_a_dataset_without_canaries_is_probed_with_a_word_of_its_own(loaded, adapter):
    connector, manifest = loaded
    results = adapter.probe(connector.spec, manifest, "u", [])
    assert by_outcome(results, ProbeOutcome.PASSED) == ALL


def test_a_connector_that_was_never_made_fails_its_tokens(loaded, probe):
    nobody = replace(loaded[0].spec, connector_id=UUID(int=0))
    assert {"auth_index", "auth_search", "doc_parity"} <= failed(probe(spec=nobody)[0])
