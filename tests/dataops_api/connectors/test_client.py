"""The product's own client against the running service: loading, asking, removing, and what it does when that fails."""

import socket
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import httpx
import pytest

from dataops_core.connectors.client import EmbeddedConnector
from dataops_core.connectors.documents import datasource_config
from dataops_core.connectors.protocol import Manifest, SearchFilter
from dataops_core.connectors.transport import RETRY_PAUSES
from dataops_core.errors import ConnectorError
from dataops_core.security import Keyring


class Line(httpx.HTTPTransport):
    """The real line to the service, which a test may disturb: ``disturb`` may answer or raise in its place."""

    def __init__(self, disturb):
        super().__init__()
        self.disturb = disturb
        self.requests = []

    def handle_request(self, request):
        self.requests.append(request)
        return self.disturb(request) or super().handle_request(request)

    def paths(self):
        return Counter(request.url.path.rpartition("/")[2] for request in self.requests)


@pytest.fixture
def disturbed(live_service):
    """Makes a client on a line that the test disturbs; it notes pauses instead of making them."""
    clients = []

    def make(disturb, **options):
        line, pauses = Line(disturb), []
        client = EmbeddedConnector(
            live_service.url, live_service.keyring, transport=line, pause=pauses.append, **options
        )
        clients.append(client)
        return client, line, pauses

    yield make
    for client in clients:
        client.close()


def times(count, answer):
    """Disturbs the first ``count`` requests with what ``answer`` gives or raises."""
    left = [count]

    def disturb(request):
        if left[0] == 0:
            return None
        left[0] -= 1
        return answer(request)

    return disturb


def lost(request):
    raise httpx.ConnectError("connection refused", request=request)


def test_a_dataset_is_loaded_whole_and_found(connector, adapter, make_documents):
    documents = make_documents(50)
    report = adapter.load(connector.spec, documents, upload_id="u-1")
    assert (report.upload_id, report.pages) == ("u-1", 1)
    assert report.manifest == Manifest.of(document.id for document in documents)
    assert report.index_bytes > 0
    answer = adapter.search(connector.spec, "ledger item17")
    assert (answer.status_code, answer.valid) == (200, True)
    assert [hit.url for hit in answer.hits] == [documents[17].view_url]
    hit = answer.hits[0]
    assert (hit.title, hit.author, hit.owner) == (documents[17].title, "Person 3", None)
    assert hit.snippets == ("Runbook 17 Operators reconcile ledger item17 & close the day.",)
    assert 0 < answer.elapsed_seconds < 5


def test_filters_are_passed_on(connector, adapter, make_documents):
    documents = make_documents(30)
    adapter.load(connector.spec, documents, upload_id="u")
    filters = (SearchFilter("space", ("SPACE1",)), SearchFilter("author", ("Person 2",)))
    found = adapter.search(connector.spec, "ledger", filters=filters, page_size=100).hits
    expected = {d.view_url for d in documents if d.container == "SPACE1" and d.author_name == "Person 2"}
    assert {hit.url for hit in found} == expected != set()


def test_pages_stay_within_a_thousand_documents_and_five_mebibytes(connector, disturbed, make_documents):
    client, line, _ = disturbed(lambda _: None)
    report = client.load(connector.spec, iter(make_documents(2001)), upload_id="many")
    assert (report.pages, report.manifest.document_count) == (3, 2001)
    large = [replace(document, body="word " * 60_000) for document in make_documents(40)]
    report = client.load(connector.spec, iter(large), upload_id="large")
    assert report.pages == 3
    sizes = [int(r.headers["content-length"]) for r in line.requests if r.url.path.endswith("bulkindexdocuments")]
    assert max(sizes) < 5.1 * 1024 * 1024


def test_a_dataset_without_documents_is_an_empty_index(connector, adapter):
    report = adapter.load(connector.spec, [], upload_id="none")
    assert (report.pages, report.manifest) == (1, Manifest.of([]))
    assert adapter.search(connector.spec, "ledger").hits == ()


def test_loading_the_same_upload_again_changes_nothing(connector, adapter, live_service, make_documents):
    reports = [adapter.load(connector.spec, make_documents(20), upload_id="u") for _ in range(2)]
    assert reports[0] == reports[1]
    assert live_service.files(connector.connector_id) == ["u.db"]


def test_an_upload_that_another_run_left_unfinished_is_dropped(connector, adapter, make_documents):
    connector.post("/api/index/v1/bulkindexdocuments", connector.page("crashed", range(5), isFirstPage=True))
    assert adapter.load(connector.spec, iter(make_documents(20)), upload_id="mine").manifest.document_count == 20


def test_a_restart_in_the_middle_is_outlasted(connector, disturbed, make_documents):
    client, line, pauses = disturbed(times(4, lost))
    assert client.load(connector.spec, iter(make_documents(20)), upload_id="u").manifest.document_count == 20
    assert pauses == list(RETRY_PAUSES[:4])
    assert len(line.requests) == 4 + 2


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_passing_refusal_is_tried_again_and_heeds_how_long_to_wait(connector, disturbed, status):
    client, _, pauses = disturbed(times(2, lambda _: httpx.Response(status, headers={"Retry-After": "3"})))
    client.provision(connector.spec)
    assert pauses == [3.0, 3.0]


def test_an_answer_that_was_lost_does_no_harm(connector, disturbed, live_service, make_documents):
    """The service took the page, and the client never learned it."""
    lost_once = {"isFirstPage": False, "isLastPage": False}
    direct = httpx.HTTPTransport()

    def lose_answer(request):
        for flag, done in lost_once.items():
            if f'"{flag}":true'.encode() in request.read()[:400] and not done:
                lost_once[flag] = True
                direct.handle_request(request).close()
                raise httpx.ReadError("connection reset", request=request)

    client, _, _ = disturbed(lose_answer)
    assert client.load(connector.spec, iter(make_documents(1500)), upload_id="u").manifest.document_count == 1500
    assert all(lost_once.values())
    assert live_service.files(connector.connector_id) == ["u.db"]
    direct.close()


def test_a_service_that_stays_away_is_a_transient_error_after_bounded_tries(connector, disturbed):
    client, line, pauses = disturbed(lost)
    with pytest.raises(ConnectorError, match="cannot be reached") as failed:
        client.provision(connector.spec)
    assert failed.value.details == {"kind": "connection", "transient": True, "status": None}
    assert len(line.requests) == len(RETRY_PAUSES) + 1
    assert sum(pauses) < 20


def test_a_definite_refusal_is_not_tried_again_and_says_why(connector, disturbed, make_documents):
    client, line, pauses = disturbed(lambda _: None)
    elsewhere = [replace(document, view_url="https://elsewhere.example/1") for document in make_documents(1)]
    with pytest.raises(ConnectorError, match=r"400.*/documents/0/viewURL") as failed:
        client.load(connector.spec, elsewhere, upload_id="u")
    assert failed.value.details == {"kind": "http", "transient": False, "status": 400}
    assert (len(line.requests), pauses) == (1, [])


def test_after_a_refusal_the_page_that_was_begun_is_the_last_one_made(
    connector, disturbed, make_documents, monkeypatch
):
    made, ended = [], threading.Event()

    class Pool(ThreadPoolExecutor):
        def shutdown(self, wait=True, *, cancel_futures=False):
            super().shutdown(wait=False, cancel_futures=cancel_futures)
            ended.set()
            super().shutdown(wait=wait)

    def documents():
        for number, document in enumerate(make_documents(7000)):
            if number == 1001:  # the first page is sent as soon as it is known not to be the last
                assert ended.wait(30)
            made.append(document)
            yield document

    monkeypatch.setattr("dataops_core.connectors.client.ThreadPoolExecutor", Pool)
    client, _, _ = disturbed(lambda _: httpx.Response(400, json={"detail": "no"}))
    with pytest.raises(ConnectorError, match="400"):
        client.load(connector.spec, documents(), upload_id="u")
    assert len(made) == 2001


def test_a_full_disk_is_not_tried_again(connector, disturbed):
    full = httpx.Response(507, json={"detail": "The index cannot be stored: database or disk is full."})
    client, _, pauses = disturbed(lambda _: full)
    with pytest.raises(ConnectorError, match="disk is full") as failed:
        client.provision(connector.spec)
    assert (failed.value.details["transient"], pauses) == (False, [])


def test_what_is_served_must_be_what_was_sent(connector, disturbed, make_documents):
    def drop_a_document(request):
        if not request.url.path.endswith("bulkindexdocuments"):
            return None
        return httpx.Response(200, json={})  # says yes and keeps nothing

    client, _, _ = disturbed(drop_a_document)
    with pytest.raises(ConnectorError, match="holds 0 documents"):
        client.load(connector.spec, make_documents(3), upload_id="u")


def test_a_redirect_is_never_followed(connector, disturbed):
    elsewhere = httpx.Response(307, headers={"Location": "http://127.0.0.2:1/"})
    client, line, _ = disturbed(lambda _: elsewhere)
    with pytest.raises(ConnectorError, match="307"):
        client.provision(connector.spec)
    assert client.search(connector.spec, "ledger").status_code == 307
    assert {request.url.host for request in line.requests} == {"127.0.0.1"}


def test_a_search_is_one_request_whatever_comes_of_it(connector, disturbed):
    client, line, _ = disturbed(times(1, lost))
    with pytest.raises(ConnectorError) as failed:
        client.search(connector.spec, "ledger")
    assert failed.value.details["kind"] == "connection"
    assert len(line.requests) == 1
    assert client.search(connector.spec, "ledger").status_code == 200


def test_no_answer_in_time_is_told_from_no_connection(connector, disturbed):
    def late(request):
        raise httpx.ReadTimeout("timed out", request=request)

    client, _, _ = disturbed(late)
    with pytest.raises(ConnectorError, match="did not answer within 5 s") as failed:
        client.search(connector.spec, "ledger")
    assert failed.value.details["kind"] == "timeout"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"results": []},
        {"results": [], "has_more": False, "next_cursor": None, "request_id": "", "warnings": []},
        [],
    ],
)
def test_an_answer_of_another_shape_is_not_valid(connector, disturbed, body):
    client, _, _ = disturbed(lambda _: httpx.Response(200, json=body))
    answer = client.search(connector.spec, "ledger")
    assert (answer.status_code, answer.valid, answer.hits) == (200, False, ())


def test_an_http_error_of_a_search_is_an_answer(connector, live_service):
    stranger = EmbeddedConnector(live_service.url, Keyring("another installation"))
    answer = stranger.search(connector.spec, "ledger")
    stranger.close()
    assert (answer.status_code, answer.valid) == (401, False)


def test_the_data_source_declares_what_documents_carry(connector):
    stored = connector.post("/api/index/v1/getdatasourceconfig", {"datasource": connector.spec.datasource}).json()
    assert stored == datasource_config(connector.spec)


@pytest.fixture
def silent_url():
    """Where connections are accepted and nothing is ever read or said; and how many there were."""
    connections = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept():
            with suppress(OSError):
                while True:
                    connections.append(listener.accept()[0])

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", connections
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)
    for connection in connections:
        connection.close()


@pytest.mark.parametrize("size", [10, 20_000_000], ids=["is not answered", "is not taken"])
def test_a_connector_that_never_answers_an_upload_is_given_up_after_a_page_s_time(
    silent_url, connector, make_documents, size
):
    """A run that is held by it ends within a minute, with the reason."""
    url, connections = silent_url
    documents = [replace(document, body="x" * size) for document in make_documents(2)]
    client = EmbeddedConnector(url, Keyring("a secret for silence"), page_timeout=0.5)
    started = time.monotonic()
    with pytest.raises(ConnectorError, match=r"did not answer within \d") as failed:
        client.load(connector.spec, documents, upload_id="u-1")
    client.close()
    assert failed.value.details == {"kind": "timeout", "transient": True, "status": None}
    assert len(connections) == 1
    assert time.monotonic() - started < 30


@pytest.fixture(params=["the head trickles", "the body trickles"])
def trickling_url(request):
    """Where an answer comes one byte after the other, for ever; and how many connections there were."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n"
    at_once = head if request.param == "the head trickles" else head + b"\r\n"
    ended, connections = threading.Event(), []

    def trickle(connection):
        with suppress(OSError), connection:
            connection.recv(65536)
            connection.sendall(at_once)
            while not ended.wait(0.05):
                connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept():
            with suppress(OSError):
                while True:
                    connections.append(threading.Thread(target=trickle, args=(listener.accept()[0],)))
                    connections[-1].start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", connections
        ended.set()
        listener.shutdown(socket.SHUT_RDWR)
        for one in (thread, *connections):
            one.join(10)


def test_an_answer_that_trickles_is_no_answer_in_time(trickling_url, connector):
    """C-62: each byte is in time, the answer is not."""
    url, connections = trickling_url
    client = EmbeddedConnector(url, Keyring("a secret for patience"), timeout=0.5, page_timeout=0.5)
    started = time.monotonic()
    with pytest.raises(ConnectorError, match=r"did not answer within 0\.5 s") as failed:
        client.search(connector.spec, "ledger")
    assert time.monotonic() - started < 5
    with pytest.raises(ConnectorError, match=r"did not answer within 0\.5 s"):
        client.provision(connector.spec)
    client.close()
    assert time.monotonic() - started < 30
    assert failed.value.details == {"kind": "timeout", "transient": True, "status": None}
    assert len(connections) >= 2
