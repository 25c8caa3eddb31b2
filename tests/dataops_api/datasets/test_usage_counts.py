"""Usage counts exactly what a dataset's connector served over HTTP (C-55), by the real service."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from dataops_core.clock import rfc3339, utcnow
from dataops_core.connectors.client import EmbeddedConnector
from dataops_core.connectors.protocol import ConnectorSpec, Manifest
from dataops_core.dataset_types.base import Document
from dataops_core.lifecycle import TokenKind
from dataops_core.registry import connectors

DOCUMENTS = 30


@dataclass(frozen=True)
class Searched:
    """A ready dataset whose connector serves documents, and a client with a search token."""

    api: Any
    dataset_id: UUID
    spec: ConnectorSpec
    adapter: EmbeddedConnector
    manifest: Manifest
    http: httpx.Client

    def search(self, query: str = "settlement", **more: Any) -> int:
        """How many documents the answer holds."""
        answer = self.http.post("/api/search", json={"query": query, **more})
        assert answer.status_code == 200, answer.text
        return len(answer.json()["results"])

    def usage(self, **days: str) -> dict[str, Any]:
        answer = self.api.admin.get(f"/v1/dataops/datasets/{self.dataset_id}/usage", params=days)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def totals(self) -> tuple[int, int]:
        body = self.usage()
        return body["queries_total"], body["documents_served"]


def document(number: int) -> Document:
    return Document(
        id=f"doc-{number}",
        title=f"Runbook {number} for settlement",
        body=f"Operators reconcile item{number} and close the day.",
        mime_type="text/plain",
        view_url=f"https://wiki.acme.example/pages/{number}",
        author_email=None,
        author_name=None,
        owner_email=None,
        owner_name=None,
        container="SPACE",
        created_at=1_760_000_000 + number,
        updated_at=1_765_000_000 + number,
        status="current",
        properties={},
    )


@pytest.fixture
def searched(api: Any) -> Iterator[Searched]:
    dataset_id = api.ready()
    with api.database.transaction() as session:
        connector = connectors.of_dataset(session, dataset_id)
        assert connector is not None
        issued = connectors.issue_token(
            session,
            api.keyring,
            connector_id=connector.connector_id,
            kind=TokenKind.SEARCH,
            lifetime=timedelta(hours=1),
            now=utcnow(),
        )
    spec = ConnectorSpec(
        connector_id=connector.connector_id,
        name="ACME-Sandbox-Confluence",
        object_type="Page",
        category="KNOWLEDGE_HUB",
        url_regex=r"^https://wiki\.acme\.example/.*",
        facets=(),
    )
    adapter = EmbeddedConnector(f"{api.url}/connectors", api.keyring)
    adapter.provision(spec)
    manifest = adapter.load(spec, (document(number) for number in range(DOCUMENTS)), upload_id="first").manifest
    headers = {"Authorization": f"Bearer {issued.token}"}
    with httpx.Client(base_url=f"{api.url}/connectors/{spec.connector_id}", headers=headers, timeout=30) as http:
        yield Searched(api, dataset_id, spec, adapter, manifest, http)
    adapter.close()


def test_every_answered_search_counts_with_the_documents_it_gave(searched: Searched) -> None:
    """C-55."""
    before = utcnow()
    served = [
        searched.search(page_size=7),
        searched.search("item3"),
        searched.search("nothing of that kind whatsoever", page_size=1),
        searched.search(page_size=25),
    ]
    assert served[0] == 7
    assert served[3] == 25
    body = searched.usage()
    assert (body["queries_total"], body["documents_served"]) == (4, sum(served))
    assert rfc3339(before) <= body["last_accessed_at"] <= rfc3339(utcnow())
    assert body["index_bytes"] > 0


def test_a_next_page_counts_as_a_search_of_its_own(searched: Searched) -> None:
    """C-55."""
    first = searched.http.post("/api/search", json={"query": "settlement", "page_size": 20}).json()
    second = searched.http.post(
        "/api/search", json={"query": "settlement", "page_size": 20, "cursor": first["next_cursor"]}
    ).json()
    assert len(first["results"]) + len(second["results"]) == DOCUMENTS
    assert searched.totals() == (2, DOCUMENTS)


def test_the_products_own_probes_and_what_is_refused_count_nothing(searched: Searched) -> None:
    """C-55."""
    assert searched.adapter.probe(searched.spec, searched.manifest, "first", ["settlement"] * 10)
    refused = [
        searched.http.post("/api/search", json={"query": "  "}),
        searched.http.post("/api/search", json={"query": "x", "page_size": 0}),
        searched.http.post("/api/search", content=b"none"),
        searched.http.post("/api/search", json={"query": "x"}, headers={"Authorization": "Bearer wrong"}),
        searched.http.post("/api/search", json={"query": "x", "cursor": "forged"}),
    ]
    assert all(400 <= answer.status_code < 500 for answer in refused)
    about = searched.http.get(str(searched.http.base_url).rstrip("/"))
    assert (about.status_code, about.json()["document_count"]) == (200, DOCUMENTS)
    assert (searched.totals(), searched.usage()["last_accessed_at"]) == ((0, 0), None)


def test_many_clients_at_once_lose_no_count(searched: Searched) -> None:
    """C-55."""
    with ThreadPoolExecutor(12) as threads:
        served = list(threads.map(lambda number: searched.search(page_size=1 + number % 5), range(120)))
    assert searched.totals() == (120, sum(served))


def test_days_change_at_midnight_utc_by_the_products_clock(searched: Searched, monkeypatch: pytest.MonkeyPatch) -> None:
    """C-55: the day is that of the moment of the answer, in UTC, wherever the process believes to be."""
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    served = {}
    try:
        day = datetime(2026, 1, 28, tzinfo=UTC)
        for moment, size in (
            (day - timedelta(microseconds=1), 3),
            (day, 4),
            (day + timedelta(hours=23, minutes=59, seconds=59), 5),
            (day + timedelta(days=1), 6),
        ):
            monkeypatch.setattr("dataops_api.connectors.service.utcnow", lambda now=moment: now)
            served[moment] = searched.search(page_size=size)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert list(served.values()) == [3, 4, 5, 6]
    body = searched.usage()
    assert body["daily"] == [
        {"date": "2026-01-27", "queries": 1, "documents": 3},
        {"date": "2026-01-28", "queries": 2, "documents": 9},
        {"date": "2026-01-29", "queries": 1, "documents": 6},
    ]
    assert body["last_accessed_at"] == "2026-01-29T00:00:00Z"
    only = searched.usage(**{"from": "2026-01-28", "to": "2026-01-29"})
    assert [entry["date"] for entry in only["daily"]] == ["2026-01-28"]
    assert (only["queries_total"], only["documents_served"]) == (4, 18)


def test_usage_outlives_the_connector_and_its_archive(searched: Searched) -> None:
    """C-55: totals of the dataset's whole life."""
    assert searched.search(page_size=2) == 2
    searched.api.archive(searched.dataset_id)
    with searched.api.database.transaction() as session:
        connectors.disconnect(session, searched.spec.connector_id, utcnow())
    assert searched.http.post("/api/search", json={"query": "settlement"}).status_code == 410
    assert searched.totals() == (1, 2)
