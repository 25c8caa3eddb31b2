"""Search over HTTP, in the form of Glean's Platform API (C-5, C-90)."""

import base64
import re
import time

import pytest

from dataops_core.clock import utcnow
from dataops_core.registry import usage

SEARCH = "/api/search"


@pytest.fixture
def stocked(connector):
    """Twenty-five documents with people, facets and times."""
    body = connector.page("u", range(0), isFirstPage=True, isLastPage=True)
    body["documents"] = [
        connector.definition(
            number,
            author={"email": f"p{number % 3}@acme.example", "name": f"Person {number % 3}"},
            owner={"email": "boss@acme.example"},
            status="current" if number % 2 else "draft",
            createdAt=1_760_000_000,
            updatedAt=1_760_000_000 + number,
            customProperties=[{"name": "space", "value": f"S{number % 5}"}, {"name": "labels", "value": ["a", "b"]}],
        )
        for number in range(25)
    ]
    assert connector.post("/api/index/v1/bulkindexdocuments", body).status_code == 200
    return connector


def problem(response, code):
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == code, response.text
    return response.status_code


def test_an_answer_has_exactly_the_members_of_the_specification(stocked):
    response = stocked.post(SEARCH, {"query": "marker7"})
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert set(body) == {"results", "has_more", "next_cursor", "request_id", "warnings"}
    assert body["request_id"] == response.headers["x-request-id"]
    assert body["results"] == [
        {
            "url": "https://wiki.acme.example/pages/7",
            "title": "Page number 7",
            "datasource": stocked.spec.datasource,
            "snippets": ["marker7 settles batches of the ledger"],
            "document_type": "Page",
            "creator": {"name": "Person 1"},
            "owner": {"name": "boss@acme.example"},
            "created_at": "2025-10-09T08:53:20Z",
            "updated_at": "2025-10-09T08:53:27Z",
        }
    ]


def test_a_member_that_is_not_known_is_left_out(connector):
    connector.upload("u", range(1))
    assert set(connector.hits("marker0")[0]) == {"url", "title", "datasource", "snippets", "document_type"}


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({}, "missing_required_field", "/query"),
        ({"query": ""}, "invalid_parameter", "/query"),
        ({"query": 7}, "invalid_parameter", "/query"),
        ({"query": "x", "page_size": 0}, "invalid_parameter", "/page_size"),
        ({"query": "x", "page_size": 101}, "invalid_parameter", "/page_size"),
        ({"query": "x", "page_size": "10"}, "invalid_parameter", "/page_size"),
        ({"query": "x", "pageSize": 10}, "invalid_request", "/pageSize"),
        ({"query": "x", "datasources": []}, "invalid_parameter", "/datasources"),
        ({"query": "x", "datasources": ["jira"]}, "invalid_datasource", "/datasources/0"),
        ({"query": "x", "filters": []}, "invalid_filter", "/filters"),
        ({"query": "x", "filters": [{"field": "space"}]}, "missing_required_field", "/filters/0/values"),
        ({"query": "x", "filters": [{"field": "space", "values": []}]}, "invalid_filter", "/filters/0/values"),
        ({"query": "x", "filters": [{"field": " ", "values": ["a"]}]}, "invalid_filter", "/filters/0/field"),
        (
            {"query": "x", "filters": [{"field": "space", "values": ["a"], "operator": "LIKE"}]},
            "invalid_filter",
            "/filters/0/operator",
        ),
        (
            {"query": "x", "filters": [{"field": "status", "values": ["a"], "operator": "GT"}]},
            "invalid_filter",
            "/filters/0/operator",
        ),
        (
            {"query": "x", "filters": [{"field": "size", "values": ["1", "2"], "operator": "GT"}]},
            "invalid_filter",
            "/filters/0/values",
        ),
        (
            {"query": "x", "filters": [{"field": "space", "values": ["a"]}, {"field": "space", "values": ["b"]}]},
            "invalid_filter",
            "/filters/1/field",
        ),
        ({"query": "x", "time_range": {"start": "yesterday"}}, "invalid_parameter", "/time_range/start"),
        ({"query": "x", "time_range": {"start": 1760000000}}, "invalid_parameter", "/time_range/start"),
        ({"query": "x", "time_range": {"from": "2026-01-01T00:00:00Z"}}, "invalid_request", "/time_range/from"),
        ({"query": "x", "cursor": "made up"}, "invalid_cursor", "/cursor"),
        ({"query": "x", "cursor": "AAAA"}, "invalid_cursor", "/cursor"),
    ],
)
def test_a_request_that_breaks_the_form_is_refused_by_name(connector, body, code, pointer):
    response = connector.post(SEARCH, body)
    assert problem(response, code) == 400
    assert response.json()["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b'"text"', b'{"query": "\xff"}', b'{"query": "\\ud800"}', b'{"query": "a\\u0000b"}'],
)
def test_a_body_that_is_no_request_is_refused(connector, content):
    response = connector.http.post(
        connector.url + SEARCH, content=content, headers={"Authorization": f"Bearer {connector.search_token}"}
    )
    assert response.status_code == 400
    assert response.json()["code"] in {"invalid_request", "invalid_parameter"}


def test_text_that_only_looks_like_nul_is_text(connector):
    connector.upload("u", range(3))
    assert connector.hits("a\\u0000b") == []


def test_a_blank_query_is_unprocessable(connector):
    assert problem(connector.post(SEARCH, {"query": "  \t"}), "unprocessable_query") == 422


def test_a_body_over_one_mebibyte_is_too_large(connector):
    assert problem(connector.post(SEARCH, {"query": "x" * 1024 * 1024}), "request_too_large") == 413


def test_pages_hold_every_result_once_and_the_last_one_says_so(stocked):
    seen, cursor, sizes = [], None, []
    while True:
        body = {"query": "ledger", "page_size": 10, **({"cursor": cursor} if cursor else {})}
        answer = stocked.post(SEARCH, body).json()
        seen += [result["url"] for result in answer["results"]]
        sizes.append(len(answer["results"]))
        cursor = answer["next_cursor"]
        assert (cursor is not None) is answer["has_more"]
        if cursor is None:
            break
    assert sizes == [10, 10, 5]
    assert len(set(seen)) == 25


def first_cursor(stocked, **members):
    return stocked.post(SEARCH, {"query": "ledger", "page_size": 10, **members}).json()["next_cursor"]


def test_a_cursor_is_for_its_own_question(stocked):
    cursor = first_cursor(stocked)
    for other in (
        {"query": "batches"},
        {"query": "ledger", "filters": [{"field": "space", "values": ["S1"]}]},
        {"query": "ledger", "time_range": {"start": "2025-01-01T00:00:00Z"}},
    ):
        assert problem(stocked.post(SEARCH, {**other, "cursor": cursor}), "invalid_cursor") == 400
    assert stocked.post(SEARCH, {"query": "ledger", "page_size": 15, "cursor": cursor}).status_code == 200


def test_a_cursor_cannot_be_altered_nor_taken_to_another_connector(stocked, new_connector, adapter):
    cursor = first_cursor(stocked)
    raw = bytearray(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    raw[-1] ^= 1
    altered = base64.urlsafe_b64encode(bytes(raw)).decode()
    assert problem(stocked.post(SEARCH, {"query": "ledger", "cursor": altered}), "invalid_cursor") == 400
    other = new_connector()
    adapter.provision(other.spec)
    other.upload("u", range(25))
    assert problem(other.post(SEARCH, {"query": "ledger", "cursor": cursor}), "invalid_cursor") == 400


def test_a_cursor_expires_with_the_generation(stocked):
    cursor = first_cursor(stocked)
    stocked.upload("next", range(25))
    assert problem(stocked.post(SEARCH, {"query": "ledger", "cursor": cursor}), "expired_cursor") == 400


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([{"field": "space", "values": ["S1"]}], {n for n in range(25) if n % 5 == 1}),
        ([{"field": "space", "values": ["S1", "S2"]}], {n for n in range(25) if n % 5 in (1, 2)}),
        ([{"field": "status", "values": ["draft"], "operator": "NOT_EQUALS"}], {n for n in range(25) if n % 2}),
        ([{"field": "author", "values": ["Person 2"]}], {n for n in range(25) if n % 3 == 2}),
        ([{"field": "from", "values": ["p2@acme.example"]}], {n for n in range(25) if n % 3 == 2}),
        ([{"field": "owner", "values": ["boss@acme.example"]}], set(range(25))),
        ([{"field": "type", "values": ["page"]}], set(range(25))),
        ([{"field": "type", "values": ["issue"]}], set()),
        ([{"field": "labels", "values": ["b"]}, {"field": "space", "values": ["S3"]}], {3, 8, 13, 18, 23}),
        ([{"field": "unheard of", "values": ["b"]}], set()),
    ],
)
def test_filters_hold_for_every_hit(stocked, filters, expected):
    hits = stocked.hits("ledger", page_size=100, filters=filters)
    assert {int(hit["url"].rpartition("/")[2]) for hit in hits} == expected


def test_the_time_range_is_of_the_last_change(stocked):
    bounds = {"start": "2025-10-09T08:53:25Z", "end": "2025-10-09T10:53:30+02:00"}
    hits = stocked.hits("ledger", page_size=100, time_range=bounds)
    assert {int(hit["url"].rpartition("/")[2]) for hit in hits} == {5, 6, 7, 8, 9}


def test_an_answer_of_some_words_only_carries_a_warning(stocked):
    assert stocked.post(SEARCH, {"query": "ledger batches"}).json()["warnings"] == []
    body = stocked.post(SEARCH, {"query": "ledger unheardof"}).json()
    assert len(body["results"]) == 10
    assert [warning["code"] for warning in body["warnings"]] == ["query_widened"]


def test_the_filters_route_lists_fields_and_refuses_what_it_does_not_know(stocked):
    described = stocked.get("/api/search/filters").json()["datasources"]
    assert [source["datasource"] for source in described] == [stocked.spec.datasource]
    fields = {info["field"]: info for info in described[0]["filters"]}
    assert fields["author"] == {"field": "author", "type": "USER", "operators": ["EQUALS", "NOT_EQUALS"]}
    assert fields["space"]["operators"] == ["EQUALS", "NOT_EQUALS", "GT", "GTE", "LT", "LTE"]
    assert problem(stocked.get("/api/search/filters?datasources=jira"), "invalid_datasource") == 400
    assert problem(stocked.get("/api/search/filters?query=ledger"), "invalid_parameter") == 400
    assert problem(stocked.get("/api/search/filters?limit=3"), "invalid_parameter") == 400


def test_a_connector_without_a_data_source_has_nothing_to_find(new_connector):
    empty = new_connector()
    assert empty.hits("ledger") == []
    assert empty.get("/api/search/filters").json()["datasources"] == []


def test_a_search_that_takes_too_long_is_ended(stocked, live_service, monkeypatch):
    monkeypatch.setattr(live_service.service, "_search_seconds", -1.0)
    bulk = stocked.page("many", range(3000), isFirstPage=True, isLastPage=True)
    assert stocked.post("/api/index/v1/bulkindexdocuments", bulk).status_code == 200
    assert problem(stocked.post(SEARCH, {"query": "ledger"}), "request_timeout") == 408


def test_an_index_file_that_is_gone_is_a_failure_and_not_an_empty_answer(stocked, live_service):
    (live_service.folder(stocked.connector_id) / "u.db").unlink()
    assert problem(stocked.post(SEARCH, {"query": "ledger"}), "internal_error") == 500
    assert stocked.get().json()["state"] == "damaged"


# --- usage (C-55) -----------------------------------------------------------------------------------------------------


def days(live_service, connector):
    with live_service.database.transaction() as session:
        return [(d.day, d.queries, d.documents) for d in usage.days(session, connector.dataset_id)]


def test_answered_searches_count_as_usage_and_nothing_else_does(stocked, live_service, adapter):
    today = utcnow().date()
    stocked.post(SEARCH, {"query": "ledger", "page_size": 7})
    stocked.post("/search", {"query": "marker3"})
    stocked.post(SEARCH, {"query": "nowhere"})
    assert days(live_service, stocked) == [(today, 3, 8)]
    stocked.post(SEARCH, {"query": "ledger", "page_size": 0})
    stocked.post(SEARCH, {"query": "ledger"}, token="dol_s_wrong")
    assert adapter.search(stocked.spec, "ledger").status_code == 200
    stocked.get()
    assert days(live_service, stocked) == [(today, 3, 8)]


def test_hostile_text_is_an_ordinary_question(stocked):
    started = time.monotonic()
    for text in ('"', "NEAR(", "a AND", "*", "title:", "'; DROP TABLE docs; --", "\u202e", "日本語", "x" * 100_000):
        assert stocked.post(SEARCH, {"query": text}).status_code == 200, text
    assert time.monotonic() - started < 20


def test_problems_never_repeat_the_token(stocked):
    response = stocked.post(SEARCH, {"query": "x"}, token="dol_s_secretsecret")
    assert not re.search("secretsecret", response.text + str(response.headers))
