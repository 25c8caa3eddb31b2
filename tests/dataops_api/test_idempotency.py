"""Idempotency keys (C-45): what is sent again is answered again and done once. What breaks: test_idempotency_faults."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from dataops_api.app import create_app
from dataops_api.routing import ApiRoute
from dataops_core.clock import utcnow
from dataops_core.registry import idempotency
from dataops_core.registry.api_clients import NewApiClient
from dataops_core.registry.database import Database
from dataops_core.scopes import Scope

DATASETS = "/v1/dataops/datasets"


def expired_keys_removed(api: Any) -> int:
    """As the schedule ``clean_up`` does it."""
    with api.database.transaction() as session:
        return idempotency.remove_expired(session, now=utcnow(), limit=1000)


def request(**change: Any) -> dict[str, Any]:
    return {
        "journey_id": str(uuid4()),
        "client_id": str(uuid4()),
        "stage": "sandbox",
        "dataset_types": ["confluence_pages"],
    } | change


def keyed(key: str | None = None) -> dict[str, str]:
    return {"Idempotency-Key": key or str(uuid4())}


def operations_of(database: Database, client_id: str) -> int:
    """How many operations there are on the customer's datasets."""
    with database.reading() as connection:
        return int(
            connection.execute(
                text("SELECT count(*) FROM operations WHERE client_id = :client_id"), {"client_id": client_id}
            ).scalar_one()
        )


def same_answer(first: httpx.Response, again: httpx.Response) -> None:
    """``again`` is ``first``, replayed."""
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    for name in ("content-type", "location", "retry-after", "cache-control", "etag"):
        assert again.headers.get(name) == first.headers.get(name), name
    assert again.headers["x-request-id"] != first.headers["x-request-id"]


def test_the_same_request_with_the_same_key_gets_the_first_answer_and_makes_nothing(api: Any) -> None:
    """C-45."""
    body, headers = request(), keyed()
    first = api.admin.post(DATASETS, json=body, headers=headers)
    assert (first.status_code, first.headers["retry-after"]) == (202, "2")
    for _ in range(2):
        same_answer(first, api.admin.post(DATASETS, json=body, headers=headers))
    assert operations_of(api.database, body["client_id"]) == 1


def test_it_stays_the_first_answer_when_the_operation_has_ended_and_the_dataset_is_gone(api: Any) -> None:
    """C-45."""
    body, headers = request(), keyed()
    first = api.admin.post(DATASETS, json=body, headers=headers)
    (dataset_id,) = api.publish(first.json())
    removal = keyed()
    removed = api.admin.delete(f"{DATASETS}/{dataset_id}", headers=removal)
    with api.database.transaction() as session:
        session.execute(text("DELETE FROM datasets WHERE dataset_id = :gone"), {"gone": dataset_id})
    same_answer(first, api.admin.post(DATASETS, json=body, headers=headers))
    same_answer(removed, api.admin.delete(f"{DATASETS}/{dataset_id}", headers=removal))
    assert api.admin.delete(f"{DATASETS}/{dataset_id}", headers=keyed()).status_code == 404


def test_the_form_of_the_body_and_the_order_of_the_query_do_not_make_another_request(api: Any) -> None:
    """C-45: the body is compared by its value."""
    headers = keyed()
    text_of_it = '{"stage": "pilot", "journey_id": "%s", "client_id": "%s",\n "dataset_types": ["github_repos"]}'
    journey_id, client_id = str(uuid4()), str(uuid4())
    body = request(client_id=client_id, journey_id=journey_id, stage="pilot", dataset_types=["github_repos"])
    first = api.admin.post(DATASETS, json=body, headers=headers)
    again = api.admin.post(
        DATASETS,
        content=text_of_it % (journey_id, client_id),
        headers=headers | {"Content-Type": "application/json; charset=utf-8"},
    )
    same_answer(first, again)
    sized, headers = request(generation={"record_count": 20}), keyed()
    first = api.admin.post(DATASETS, json=sized, headers=headers)
    same_answer(first, api.admin.post(DATASETS, json=sized | {"generation": {"record_count": 2e1}}, headers=headers))
    path, removal = f"{DATASETS}/{api.ready()}", keyed()
    removed = api.admin.delete(f"{path}?reason=manual&archive=false", headers=removal)
    same_answer(removed, api.admin.delete(f"{path}?archive=false&reason=manual", headers=removal))


def test_another_request_with_a_used_key_is_refused_and_makes_nothing(api: Any) -> None:
    """C-45: another body, another query, another path, another method."""
    body, headers = request(), keyed()
    assert api.admin.post(DATASETS, json=body, headers=headers).status_code == 202
    other = request()
    path = f"{DATASETS}/{api.ready()}"
    removal = keyed()
    assert api.admin.delete(path, headers=removal).status_code == 202
    for answer in (
        api.admin.post(DATASETS, json=other, headers=headers),
        api.admin.post(DATASETS, json=body | {"stage": "pilot"}, headers=headers),
        api.admin.delete(path, headers=headers),
        api.admin.delete(path, params={"reason": "manual"}, headers=removal),
        api.admin.post(f"{path}/teardown", headers=removal),
        api.admin.delete(f"{DATASETS}/{uuid4()}", headers=removal),
    ):
        assert answer.status_code == 422
        assert answer.json()["error"]["code"] == "IDEMPOTENCY_KEY_REUSED"
        assert list(answer.json()["error"]["details"]) == ["Idempotency-Key"]
    assert operations_of(api.database, other["client_id"]) == 0
    assert operations_of(api.database, body["client_id"]) == 1


def test_a_key_belongs_to_one_api_client(api: Any) -> None:
    """C-45."""
    headers = keyed()
    with api.asking(Scope.DATASETS_WRITE) as one, api.asking(Scope.DATASETS_WRITE) as other:
        first = one.post(DATASETS, json=request(), headers=headers)
        second = other.post(DATASETS, json=request(), headers=headers)
    assert (first.status_code, second.status_code) == (202, 202)
    assert "idempotency-replayed" not in second.headers


@pytest.mark.parametrize("key", ["x", "!" * 255, '"880e8400-e29b-41d4-a716-446655440003"', "a,b;c=~"])
def test_any_visible_text_is_a_key(api: Any, key: str) -> None:
    """C-45."""
    body = request()
    with api.asking(Scope.DATASETS_WRITE) as client:
        first = client.post(DATASETS, json=body, headers=keyed(key))
        same_answer(first, client.post(DATASETS, json=body, headers=keyed(key)))


@pytest.mark.parametrize(
    "keys",
    [[b""], [b"!" * 256], [b"two words"], ["é".encode("latin-1")], ["日本".encode()], [b"one", b"two"], [b"one"] * 2],
)
def test_what_is_no_key_is_refused_by_the_headers_name(api: Any, keys: list[bytes]) -> None:
    """C-45."""
    body = request()
    headers = [(b"Idempotency-Key", key) for key in keys]
    answer = api.admin.post(DATASETS, json=body, headers=headers)
    assert answer.status_code == 400
    assert list(answer.json()["error"]["details"]) == ["Idempotency-Key"]
    assert operations_of(api.database, body["client_id"]) == 0


def test_a_refusal_is_not_kept(api: Any) -> None:
    """C-45: only 2xx answers are; the key is free for the request that succeeds."""
    body, headers = request(), keyed()
    assert api.admin.post(DATASETS, json=body | {"stage": "x"}, headers=headers).status_code == 400
    held = api.ready(client_id=body["client_id"])
    assert api.admin.post(DATASETS, json=body, headers=headers).status_code == 409
    api.archive(held)
    first = api.admin.post(DATASETS, json=body, headers=headers)
    assert first.status_code == 202
    same_answer(first, api.admin.post(DATASETS, json=body, headers=headers))


def test_while_the_first_is_under_way_the_second_is_told_to_come_back(api: Any) -> None:
    """C-45."""
    body, headers = request(), keyed()
    made: NewApiClient = api.new_client(Scope.DATASETS_WRITE)
    token = httpx.post(
        f"{api.url}/token",
        json={
            "client_id": str(made.api_client_id),
            "client_secret": made.client_secret,
            "grant_type": "client_credentials",
        },
    ).json()["access_token"]
    headers |= {"Authorization": f"Bearer {token}"}
    with api.database.transaction() as session:
        claimed = idempotency.claim(
            session, api_client_id=made.api_client_id, key=headers["Idempotency-Key"], now=utcnow()
        )
        assert claimed is None
        answer = api.anonymous.post(DATASETS, json=body, headers=headers)
        assert answer.status_code == 409
        assert answer.json()["error"]["code"] == "CONFLICT"
        assert answer.headers["retry-after"] == "1"
    assert operations_of(api.database, body["client_id"]) == 0
    assert api.anonymous.post(DATASETS, json=body, headers=headers).status_code == 202


def test_fifty_clients_at_once_with_one_key_get_one_operation(api: Any) -> None:
    """C-45: equal answers, or 409 with Retry-After, and then the equal answer."""
    body = request(dataset_types=["confluence_pages", "github_repos"])
    headers = keyed() | {"Authorization": api.admin.headers["Authorization"]}

    def ask(_: int) -> httpx.Response:
        return httpx.post(api.url + DATASETS, json=body, headers=headers, timeout=30)

    with ThreadPoolExecutor(50) as threads:
        answers = list(threads.map(ask, range(50)))
    by_status = Counter(answer.status_code for answer in answers)
    assert set(by_status) <= {202, 409}
    accepted = [answer for answer in answers if answer.status_code == 202]
    assert len({answer.content for answer in accepted}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in accepted) == 1
    assert all(answer.headers["retry-after"] == "1" for answer in answers if answer.status_code == 409)
    assert operations_of(api.database, body["client_id"]) == 1
    assert ask(0).content == accepted[0].content


def test_a_key_that_has_expired_is_free_again_and_is_removed(own_api: Any) -> None:
    """C-45: 24 hours, from the setting."""
    body, headers = request(), keyed()
    dataset_id = own_api.ready()
    first = own_api.admin.post(DATASETS, json=body, headers=headers)
    tokens = f"{DATASETS}/{dataset_id}/connector/tokens"
    token, token_headers = own_api.admin.post(tokens, json={"kind": "search"}, headers=headers | keyed()), keyed()
    own_api.admin.post(tokens, json={"kind": "search"}, headers=token_headers)
    with own_api.database.transaction() as session:
        kept = session.execute(text("SELECT expires_at - created_at AS lifetime FROM idempotency_keys")).scalars()
        assert {one.total_seconds() for one in kept} == {24 * 3600}
    assert expired_keys_removed(own_api) == 0
    same_answer(first, own_api.admin.post(DATASETS, json=body, headers=headers))
    with own_api.database.transaction() as session:
        session.execute(
            text("UPDATE idempotency_keys SET expires_at = now() - interval '1 second' WHERE key = ANY(:keys)"),
            {"keys": [headers["Idempotency-Key"], token_headers["Idempotency-Key"]]},
        )
    again = own_api.admin.post(tokens, json={"kind": "search"}, headers=token_headers)
    assert again.status_code == 201
    assert again.content != token.content
    same_answer(again, own_api.admin.post(tokens, json={"kind": "search"}, headers=token_headers))
    assert own_api.admin.post(DATASETS, json=body, headers=headers).json()["error"]["code"] == "CONFLICT"
    assert expired_keys_removed(own_api) == 1
    assert expired_keys_removed(own_api) == 0


@pytest.mark.parametrize("settings_change", [{"idempotency_key_hours": 0.5}])
def test_how_long_a_key_is_kept_is_a_setting(own_api: Any) -> None:
    """C-45."""
    assert own_api.admin.post(DATASETS, json=request(), headers=keyed()).status_code == 202
    with own_api.database.transaction() as session:
        (kept,) = session.execute(text("SELECT expires_at - created_at FROM idempotency_keys")).scalars()
    assert kept.total_seconds() == 1800


def test_a_connector_token_is_shown_again_and_stored_nowhere_to_be_read(own_api: Any) -> None:
    """C-45, C-90."""
    tokens, headers = f"{DATASETS}/{own_api.ready()}/connector/tokens", keyed()
    first = own_api.admin.post(tokens, json={"kind": "search"}, headers=headers)
    same_answer(first, own_api.admin.post(tokens, json={"kind": "search"}, headers=headers))
    with own_api.database.reading() as connection:
        (stored,) = connection.execute(text("SELECT row_to_json(k)::text, k.body FROM idempotency_keys k")).all()
    secret = first.json()["token"]
    assert secret not in stored[0]
    assert secret.encode() not in bytes(stored[1])
    revoking = keyed()
    revoked = own_api.admin.delete(f"{tokens}/{first.json()['token_id']}", headers=revoking)
    assert revoked.status_code == 204
    same_answer(revoked, own_api.admin.delete(f"{tokens}/{first.json()['token_id']}", headers=revoking))


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """The API looks at its API clients at every request."""
    monkeypatch.setattr("dataops_api.auth.authority._KEPT_SECONDS", 0.0)


@pytest.mark.usefixtures("forgetful")
def test_who_has_lost_the_scope_is_not_answered_again(own_api: Any) -> None:
    """C-45: the token and its scope are checked first."""
    body, headers = request(), keyed()
    with own_api.asking(Scope.DATASETS_WRITE, Scope.DATASETS_READ) as client:
        assert client.post(DATASETS, json=body, headers=headers).status_code == 202
        with own_api.database.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE api_clients SET scopes = ARRAY['dataops:datasets:read']")
        assert client.post(DATASETS, json=body, headers=headers).status_code == 403
        with own_api.database.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE api_clients SET revoked_at = now()")
        assert client.post(DATASETS, json=body, headers=headers).status_code == 401


@pytest.mark.usefixtures("forgetful")
def test_who_has_lost_the_customer_is_answered_as_if_it_had_never_been(own_api: Any) -> None:
    """C-45, C-8."""
    mine = uuid4()
    body = request(client_id=str(mine))
    dataset_id = own_api.ready(client_id=str(mine), stage="pilot")
    path = f"{DATASETS}/{dataset_id}"
    creating, issuing, revoking, removing = keyed(), keyed(), keyed(), keyed()
    with own_api.asking(Scope.DATASETS_WRITE, customers=[mine]) as client:

        def ask() -> list[httpx.Response]:
            return [
                client.post(DATASETS, json=body, headers=creating),
                client.post(f"{path}/connector/tokens", json={"kind": "search"}, headers=issuing),
                client.delete(f"{path}/connector/tokens/{token_id}", headers=revoking),
                client.delete(path, headers=removing),
            ]

        token_id = own_api.admin.post(f"{path}/connector/tokens", json={"kind": "index"}).json()["token_id"]
        assert [answer.status_code for answer in ask()] == [202, 201, 204, 202]
        assert {answer.headers["idempotency-replayed"] for answer in ask()} == {"true"}
        with own_api.database.engine.begin() as connection:
            connection.exec_driver_sql(
                "UPDATE api_clients SET customers = ARRAY[gen_random_uuid()] WHERE customers IS NOT NULL"
            )
        refused = ask()
        with own_api.database.transaction() as session:
            session.execute(text("DELETE FROM datasets WHERE dataset_id = :gone"), {"gone": dataset_id})
        gone = client.delete(path, headers=removing)
    assert [answer.status_code for answer in refused] == [403, 404, 404, 404]
    for answer in (*refused[1:], gone):
        assert answer.json()["error"]["message"] == "Dataset not found"
        assert answer.json()["error"]["details"] == {"dataset_id": str(dataset_id)}


def test_every_route_that_changes_something_takes_a_key(api: Any) -> None:
    """C-45: all POST and DELETE routes but those that only look; and the key is read by each."""
    app = create_app(api.settings, database=api.database, gateway=api.dagster)
    document = app.openapi()
    changing = [
        (route, method)
        for route in app.router.routes
        if isinstance(route, ApiRoute)
        and route.path.startswith("/v1/dataops")
        and not route.path.endswith("/recommend")
        for method in route.methods or ()
        if method in {"POST", "DELETE"}
    ]
    assert len(changing) >= 5
    for route, method in changing:
        described = document["paths"][route.path][method.lower()]
        assert route.once, f"{method} {route.path}"
        assert "Idempotency-Key" in [parameter["name"] for parameter in described["parameters"]]
        assert {"400", "409", "422"} <= set(described["responses"])
        assert "Idempotency-Replayed" in described["responses"][str(route.status_code)]["headers"]
        example = described.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
        path = route.path.format(**dict.fromkeys(route.param_convertors, str(uuid4())))
        twice = [("Idempotency-Key", "one"), ("Idempotency-Key", "two")]
        answer = api.admin.request(method, path, json=example, headers=twice)
        assert answer.status_code == 400, answer.text
        assert answer.json()["error"]["details"] == {"Idempotency-Key": "Given more than once"}
