"""Who may do what at a connector's endpoint (C-53, C-90)."""

from datetime import timedelta
from uuid import uuid4

import pytest

from dataops_core.clock import utcnow
from dataops_core.lifecycle import TokenKind
from dataops_core.registry import connectors as registry
from dataops_core.registry.tables import Dataset
from dataops_core.security import Keyring

SEARCH = ("POST", "/api/search")
INDEX = ("POST", "/api/index/v1/getdatasourceconfig")
METADATA = ("GET", "")
ROUTES = [
    SEARCH,
    ("POST", "/search"),
    ("GET", "/api/search/filters"),
    INDEX,
    ("POST", "/api/index/v1/adddatasource"),
    ("POST", "/api/index/v1/bulkindexdocuments"),
    ("POST", "/api/index/v1/indexdocuments"),
    ("POST", "/api/index/v1/deletedocument"),
    ("POST", "/api/index/v1/debug/any/status"),
    ("POST", "/api/index/v1/debug/any/documents"),
    METADATA,
    ("DELETE", ""),
]


def ask(connector, route, token):
    method, path = route
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    body = {"query": "x"} if "search" in path else {"datasource": connector.spec.datasource}
    if method == "POST":
        return connector.http.request(method, connector.url + path, json=body, headers=headers)
    return connector.http.request(method, connector.url + path, headers=headers)


def problem_of(response):
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == response.status_code
    assert body["request_id"] == response.headers["x-request-id"]
    assert set(body) >= {"type", "title", "status", "detail", "code", "request_id"}
    return body


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_every_route_refuses_who_has_no_token_or_a_wrong_one(connector, new_connector, live_service, route):
    other = new_connector()
    strangers = [
        None,
        "nonsense",
        "x" * 5000,
        "dol_s_" + "A" * 43,
        connector.search_token[:-1],
        other.search_token,
        other.index_token,
        live_service.keyring.service_token(other.connector_id, TokenKind.INDEX),
        Keyring("another installation").service_token(connector.connector_id, TokenKind.INDEX),
        live_service.keyring.service_token(connector.connector_id, TokenKind.INDEX, seconds=-1),
    ]
    for token in strangers:
        response = ask(connector, route, token)
        assert response.status_code == 401, token
        assert problem_of(response)["code"] == "authentication_required"
        assert response.headers["www-authenticate"].startswith("Bearer")


def test_a_connector_that_does_not_exist_is_answered_like_a_wrong_token(connector, live_service):
    wrong = problem_of(ask(connector, SEARCH, "dol_s_wrong"))
    for unknown in (str(uuid4()), "no-uuid", connector.connector_id.hex):
        response = live_service.http.post(
            f"{live_service.url}/{unknown}/api/search",
            json={"query": "x"},
            headers={"Authorization": f"Bearer {connector.search_token}"},
        )
        answer = problem_of(response)
        assert {**answer, "request_id": ""} == {**wrong, "request_id": ""}
    unknown_id = uuid4()
    response = live_service.http.get(
        f"{live_service.url}/{unknown_id}",
        headers={"Authorization": f"Bearer {live_service.keyring.service_token(unknown_id, TokenKind.INDEX)}"},
    )
    assert response.status_code == 401


def test_a_token_opens_its_own_side_alone(connector):
    assert ask(connector, SEARCH, connector.search_token).status_code == 200
    assert ask(connector, INDEX, connector.index_token).status_code == 200
    for route, token in ((SEARCH, connector.index_token), (INDEX, connector.search_token)):
        response = ask(connector, route, token)
        assert response.status_code == 403
        assert problem_of(response)["code"] == "insufficient_permissions"
        assert "insufficient_scope" in response.headers["www-authenticate"]
    for token in (connector.index_token, connector.search_token):
        assert ask(connector, METADATA, token).status_code == 200


def test_no_token_that_is_issued_removes_a_connector_and_none_is_named_that_would(connector, live_service):
    for token in (connector.index_token, connector.search_token):
        response = live_service.http.delete(
            f"{live_service.url}/{connector.connector_id}", headers={"Authorization": f"Bearer {token}"}
        )
        assert response.status_code == 403
        assert problem_of(response)["detail"] == "No token that is issued may do this."
        assert response.headers["www-authenticate"] == 'Bearer error="insufficient_scope"'
    assert ask(connector, METADATA, connector.index_token).status_code == 200


def test_the_products_own_tokens_open_their_side_alone(connector, live_service):
    search, index = (live_service.keyring.service_token(connector.connector_id, kind) for kind in TokenKind)
    assert [ask(connector, SEARCH, token).status_code for token in (search, index)] == [200, 403]
    assert [ask(connector, INDEX, token).status_code for token in (search, index)] == [403, 200]


def test_only_the_product_itself_removes_an_index(connector):
    assert connector.upload("upload-1", range(3)).status_code == 200
    assert [ask(connector, ("DELETE", ""), t).status_code for t in (connector.index_token, connector.search_token)] == [
        403,
        403,
    ]
    assert connector.count() == 3


def test_an_expired_token_is_refused_and_says_so(connector, live_service):
    issued = live_service.token(connector.connector_id, TokenKind.SEARCH, lifetime=timedelta(seconds=-1))
    response = ask(connector, SEARCH, issued.token)
    assert (response.status_code, problem_of(response)["code"]) == (401, "token_expired")


def test_a_revoked_token_is_refused_at_once_and_no_other(connector, live_service):
    issued = live_service.token(connector.connector_id, TokenKind.SEARCH)
    assert ask(connector, SEARCH, issued.token).status_code == 200
    with live_service.database.transaction() as session:
        assert registry.revoke_token(session, connector.connector_id, issued.token_id, utcnow())
        assert not registry.revoke_token(session, uuid4(), issued.token_id, utcnow())
    assert ask(connector, SEARCH, issued.token).status_code == 401
    assert ask(connector, SEARCH, connector.search_token).status_code == 200


def test_only_hashes_of_tokens_are_stored(connector, live_service):
    with live_service.database.transaction() as session:
        stored = registry.tokens(session, connector.connector_id, now=utcnow())
    assert len(stored) == 2
    for row in stored:
        assert row.token_hash == live_service.keyring.hash_token(
            connector.search_token if row.kind is TokenKind.SEARCH else connector.index_token
        )


@pytest.mark.parametrize("route", [route for route in ROUTES if route[0] != "DELETE"], ids=" ".join)
def test_after_teardown_it_is_gone_for_those_who_were_let_in_and_unknown_to_others(
    connector, new_connector, live_service, adapter, route
):
    connector.upload("upload-1", range(3))
    live_service.disconnect(connector.connector_id)
    adapter.teardown(connector.spec)
    insiders = [
        connector.search_token,
        connector.index_token,
        live_service.keyring.service_token(connector.connector_id, TokenKind.SEARCH),
        live_service.keyring.service_token(connector.connector_id, TokenKind.INDEX),
    ]
    for token in insiders:
        response = ask(connector, route, token)
        assert (response.status_code, problem_of(response)["code"]) == (410, "gone")
    for token in (None, "dol_s_wrong", new_connector().search_token):
        assert ask(connector, route, token).status_code == 401


def test_it_stays_gone_when_the_datasets_row_is_deleted(connector, live_service):
    live_service.disconnect(connector.connector_id)
    with live_service.database.transaction() as session:
        session.delete(session.get_one(Dataset, connector.dataset_id))
    assert ask(connector, SEARCH, connector.search_token).status_code == 410
    assert ask(connector, SEARCH, "dol_s_wrong").status_code == 401


def test_anybody_may_ask_whether_the_service_lives_and_learns_nothing_else(connector, live_service):
    answers = [live_service.http.get(f"{live_service.url}/{name}/health") for name in (connector.connector_id, uuid4())]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == answers[1].content


def test_a_given_request_id_comes_back_and_a_bad_one_does_not(connector):
    for given, echoed in (("my-id-1", True), ("with blank", False), ("x" * 129, False)):
        response = connector.http.get(f"{connector.url}/health", headers={"X-Request-ID": given})
        assert (response.headers["x-request-id"] == given) is echoed


def test_what_is_no_route_is_a_problem_too(connector):
    missing = connector.http.get(f"{connector.url}/api/nothing")
    assert (missing.status_code, problem_of(missing)["code"]) == (404, "resource_not_found")
    wrong_method = connector.http.put(f"{connector.url}/api/search")
    assert (wrong_method.status_code, problem_of(wrong_method)["code"]) == (405, "method_not_allowed")
    assert wrong_method.headers["allow"] == "POST"
