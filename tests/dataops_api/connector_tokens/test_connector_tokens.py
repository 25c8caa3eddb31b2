"""Managing a dataset's connector and its tokens (C-53, C-90)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from dataops_core.clock import utcnow
from dataops_core.lifecycle import TokenKind
from dataops_core.registry import connectors
from dataops_core.registry.tables import ConnectorToken
from dataops_core.scopes import Scope

DATASETS = "/v1/dataops/datasets"


def path_of(dataset_id: UUID) -> str:
    return f"{DATASETS}/{dataset_id}/connector"


def test_a_connector_is_shown_with_its_tokens_states_and_no_secret(api: Any) -> None:
    """C-90."""
    dataset_id = api.ready()
    issued = api.admin.post(f"{path_of(dataset_id)}/tokens", json={"kind": "search"}).json()
    answer = api.admin.get(path_of(dataset_id))
    body = answer.json()
    assert (body["kind"], body["document_count"], body["generation"]) == ("embedded", 0, None)
    assert body["endpoint_url"] == f"{api.url}/connectors/{body['connector_id']}"
    (token,) = body["tokens"]
    assert (token["token_id"], token["kind"], token["state"]) == (issued["token_id"], "search", "active")
    assert issued["token"] not in answer.text
    with api.database.engine.connect() as connection:
        stored = connection.exec_driver_sql("SELECT connector_tokens::text FROM connector_tokens").scalars().all()
    assert not any(issued["token"] in row for row in stored)


def test_a_token_opens_the_connector_until_it_is_revoked(api: Any) -> None:
    """C-90."""
    dataset_id = api.ready()
    tokens = f"{path_of(dataset_id)}/tokens"
    made = api.admin.post(tokens, json={"kind": "search", "expires_in": 3600})
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    issued = made.json()
    assert list(issued) == ["token_id", "token", "kind", "expires_at"]
    left = datetime.fromisoformat(issued["expires_at"]) - utcnow()
    assert timedelta(minutes=59) < left <= timedelta(hours=1)
    endpoint = api.admin.get(path_of(dataset_id)).json()["endpoint_url"]
    headers = {"Authorization": f"Bearer {issued['token']}"}
    assert api.anonymous.get(endpoint, headers=headers).status_code == 200
    for _ in range(2):
        assert api.admin.delete(f"{tokens}/{issued['token_id']}").status_code == 204
    assert api.anonymous.get(endpoint, headers=headers).status_code == 401
    assert api.admin.get(path_of(dataset_id)).json()["tokens"][0]["state"] == "revoked"


def test_an_access_token_of_the_api_opens_no_connector_and_the_other_way_round(api: Any) -> None:
    """C-90."""
    dataset_id = api.ready()
    issued = api.admin.post(f"{path_of(dataset_id)}/tokens", json={"kind": "search"}).json()
    endpoint = api.admin.get(path_of(dataset_id)).json()["endpoint_url"]
    assert api.admin.get(endpoint).status_code == 401
    answer = api.anonymous.get(DATASETS, headers={"Authorization": f"Bearer {issued['token']}"})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "kind"),
        ({"kind": "admin"}, "kind"),
        ({"kind": "search", "expires_in": 59}, "expires_in"),
        ({"kind": "search", "expires_in": 10**9}, "expires_in"),
        ({"kind": "search", "expires_in": "3600"}, "expires_in"),
        ({"kind": "search", "name": "x"}, "name"),
    ],
)
def test_a_bad_request_for_a_token_is_refused(api: Any, body: dict[str, Any], field: str) -> None:
    """C-5, C-90."""
    answer = api.admin.post(f"{path_of(api.ready())}/tokens", json=body)
    assert answer.status_code == 400
    assert list(answer.json()["error"]["details"]) == [field]


def test_before_there_is_a_connector_there_is_nothing_to_manage(api: Any) -> None:
    """C-6, C-90: and the dataset shows no link to it."""
    dataset_id = api.provision(dataset_types=["confluence_pages"])["datasets"][0]["dataset_id"]
    assert api.admin.get(f"{DATASETS}/{dataset_id}").json()["_links"]["connector"] is None
    assert api.admin.get(path_of(dataset_id)).status_code == 409
    assert api.admin.post(f"{path_of(dataset_id)}/tokens", json={"kind": "search"}).status_code == 409
    assert api.admin.delete(f"{path_of(dataset_id)}/tokens/{uuid4()}").status_code == 404


def test_a_dataset_in_teardown_gets_no_more_tokens(api: Any) -> None:
    """C-53, C-90."""
    dataset_id = api.ready()
    assert api.admin.delete(f"{DATASETS}/{dataset_id}").status_code == 202
    answer = api.admin.post(f"{path_of(dataset_id)}/tokens", json={"kind": "search"})
    assert answer.status_code == 409
    assert answer.json()["error"]["message"] == "The dataset is being torn down"
    assert api.admin.get(path_of(dataset_id)).json()["tokens"] == []


def test_a_disconnected_connector_issues_no_tokens(api: Any) -> None:
    """C-53."""
    dataset_id = api.ready()
    with api.database.transaction() as session:
        connector = connectors.of_dataset(session, dataset_id)
        assert connector is not None
        connectors.disconnect(session, connector.connector_id, utcnow())
    answer = api.admin.post(f"{path_of(dataset_id)}/tokens", json={"kind": "search"})
    assert answer.status_code == 410
    assert answer.json()["error"]["code"] == "GONE"
    assert api.admin.get(path_of(dataset_id)).json()["status"] == "disconnected"


def test_another_datasets_token_is_not_found(api: Any) -> None:
    """C-90."""
    mine, other = api.ready(), api.ready()
    issued = api.admin.post(f"{path_of(other)}/tokens", json={"kind": "index"}).json()
    answer = api.admin.delete(f"{path_of(mine)}/tokens/{issued['token_id']}")
    assert answer.status_code == 404
    assert answer.json()["error"]["details"] == {"token_id": issued["token_id"]}
    assert api.admin.get(path_of(other)).json()["tokens"][0]["state"] == "active"


def test_reading_does_not_allow_issuing(api: Any) -> None:
    """C-21."""
    dataset_id = api.ready()
    with api.asking(Scope.DATASETS_READ) as client:
        assert client.get(path_of(dataset_id)).status_code == 200
        assert client.post(f"{path_of(dataset_id)}/tokens", json={"kind": "search"}).status_code == 403


@pytest.mark.parametrize("settings_change", [{"max_connector_tokens": 3}])
def test_a_connector_has_no_more_active_tokens_than_it_may(own_api: Any) -> None:
    """C-90: of requests at once, too; one that ends makes room for the next."""
    dataset_id = own_api.ready()
    tokens = f"{path_of(dataset_id)}/tokens"
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: own_api.admin.post(tokens, json={"kind": "search"}), range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [409] * 5
    error = next(answer for answer in answers if answer.status_code == 409).json()["error"]
    assert error["message"] == "The connector has as many active tokens as it may have"
    assert error["details"]["active_tokens"] == 3
    first, second, _ = (answer.json()["token_id"] for answer in answers if answer.status_code == 201)
    assert own_api.admin.delete(f"{tokens}/{first}").status_code == 204
    assert own_api.admin.post(tokens, json={"kind": "index"}).status_code == 201
    assert own_api.admin.post(tokens, json={"kind": "index"}).status_code == 409
    with own_api.database.transaction() as session:
        session.get_one(ConnectorToken, UUID(second)).expires_at = utcnow()
    assert own_api.admin.post(tokens, json={"kind": "index"}).status_code == 201


def test_of_tokens_that_have_ended_the_newest_hundred_are_shown(api: Any) -> None:
    """C-90: and every active one."""
    dataset_id = api.ready()
    kept = api.admin.post(f"{path_of(dataset_id)}/tokens", json={"kind": "search"}).json()["token_id"]
    ended = []
    with api.database.transaction() as session:
        connector = connectors.of_dataset(session, dataset_id)
        assert connector is not None
        for number in range(103):
            now = utcnow() + timedelta(seconds=number)
            issued = connectors.issue_token(
                session,
                api.keyring,
                connector_id=connector.connector_id,
                kind=TokenKind.SEARCH,
                lifetime=timedelta(minutes=1),
                now=now,
            )
            connectors.revoke_token(session, connector.connector_id, issued.token_id, now)
            ended.append(str(issued.token_id))
    shown = [token["token_id"] for token in api.admin.get(path_of(dataset_id)).json()["tokens"]]
    assert shown == [kept, *ended[3:]]
