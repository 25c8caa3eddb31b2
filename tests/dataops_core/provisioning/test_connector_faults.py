"""A provisioning whose connector answers 500, or byte by byte for ever: it fails with the reason, and nothing is lost.

C-44, C-62, C-86. The steps are the product's own on real files and a real registry; the connector service is not.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from dataops_core.connectors.client import EmbeddedConnector
from dataops_core.errors import ConflictError, ConnectorError
from dataops_core.lifecycle import DatasetStatus, OperationStatus
from dataops_core.provisioning.requests import accept_provisioning


class Broken(BaseHTTPRequestHandler):
    """Answers every request in one way; ``server.way`` says which."""

    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.server.way == "500":
            self.send_response(500)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        self.close_connection = True
        try:
            while not self.server.ended.wait(0.05):
                self.wfile.write(b" ")
                self.wfile.flush()
        except OSError:
            return

    do_POST = do_GET = do_DELETE = _answer  # noqa: N815  names of the standard library

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@pytest.fixture(params=["500", "trickles"])
def broken(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a connector service that answers so."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Broken)
    server.way, server.ended = request.param, threading.Event()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.ended.set()
    server.shutdown()
    server.server_close()
    thread.join(10)


def test_a_connector_that_does_not_do_its_part_fails_the_dataset_with_the_reason(
    accept: Callable[..., Any], broken: str
):
    """C-44: the same request, once the connector is well again, replaces what failed and leaves nothing of it."""
    case = accept()
    client = EmbeddedConnector(broken, case.services.keyring, timeout=0.5, page_timeout=0.5, pause=lambda _: None)
    ill = replace(case, services=replace(case.services, connector=client))
    with pytest.raises(ConnectorError):
        ill.provision()
    client.close()
    ended, dataset = case.now(), case.dataset()
    assert (ended.status, dataset.status) == (OperationStatus.FAILED, DatasetStatus.FAILED)
    assert (ended.error["code"], dataset.error_code) == ("CONNECTOR_ERROR", "CONNECTOR_ERROR")
    assert ended.error["message"].startswith(
        ("The connector answered 500", "The connector did not answer within 0.5 s")
    )

    again = accept(client_id=case.request.client_id)
    again.provision("run-0002")
    assert again.dataset().status is DatasetStatus.READY
    replaced = case.dataset()
    assert (replaced.status, replaced.has_remains) == (DatasetStatus.ARCHIVED, False)
    assert case.services.storage.tries_of(replaced.dataset_id) == []
    with pytest.raises(ConflictError), case.services.database.transaction() as session:
        accept_provisioning(session, case.services.catalog, case.request, max_record_count=1000)
