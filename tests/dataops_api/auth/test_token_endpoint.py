"""The token endpoint (C-10 … C-15)."""

import base64
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import monotonic
from typing import Any

import httpx
import jwt
import pytest
from jwt.algorithms import RSAAlgorithm

from dataops_core.clock import utcnow
from dataops_core.registry import api_clients, signing_keys
from dataops_core.registry.api_clients import NewApiClient
from dataops_core.scopes import Scope

LISTING = "/v1/dataops/datasets"


@pytest.fixture
def client(api: Any) -> NewApiClient:
    made: NewApiClient = api.new_client(Scope.DATASETS_READ, Scope.DATASETS_WRITE)
    return made


def asked(client: NewApiClient, **more: Any) -> dict[str, Any]:
    return {
        "client_id": str(client.api_client_id),
        "client_secret": client.client_secret,
        "grant_type": "client_credentials",
    } | more


def basic(client_id: object, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


def test_the_references_request_gets_the_references_answer(api: Any, client: NewApiClient) -> None:
    """C-10, C-11, C-12: as printed, its placeholders filled; the scope granted is less than the one asked for."""
    answer = api.anonymous.post(
        "/token",
        content=json.dumps(
            {
                "client_id": str(client.api_client_id),
                "client_secret": client.client_secret,
                "grant_type": "client_credentials",
                "scope": "dataops:datasets:write dataops:datasets:read dataops:templates:read",
            }
        ),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 200
    assert list(answer.json()) == ["access_token", "token_type", "expires_in", "scope"]
    assert answer.json()["token_type"] == "Bearer"
    assert answer.json()["expires_in"] == 3600
    assert answer.json()["scope"] == "dataops:datasets:write dataops:datasets:read"
    assert answer.headers["cache-control"] == "no-store"


def test_a_form_and_http_basic_do_as_well(api: Any, client: NewApiClient) -> None:
    """C-10."""
    form = api.anonymous.post("/token", data=asked(client))
    by_basic = api.anonymous.post(
        "/token",
        data={"grant_type": "client_credentials"},
        headers=basic(client.api_client_id, client.client_secret),
    )
    by_basic_as_json = api.anonymous.post(
        "/token",
        json={"grant_type": "client_credentials", "client_id": str(client.api_client_id)},
        headers=basic(client.api_client_id, client.client_secret),
    )
    assert [form.status_code, by_basic.status_code, by_basic_as_json.status_code] == [200, 200, 200]


def test_a_token_is_a_jwt_by_rfc_9068_that_the_published_keys_verify(api: Any, client: NewApiClient) -> None:
    """C-11, C-14."""
    token = api.anonymous.post("/token", json=asked(client)).json()["access_token"]
    metadata = api.anonymous.get("/.well-known/oauth-authorization-server").json()
    assert metadata["token_endpoint"] == f"{api.url}/token"
    assert httpx.get(metadata["jwks_uri"]).json() == api.anonymous.get("/.well-known/jwks.json").json()
    header = jwt.get_unverified_header(token)
    assert header["typ"] == "at+jwt"
    assert header["alg"] == "RS256"
    (key,) = [jwk for jwk in httpx.get(metadata["jwks_uri"]).json()["keys"] if jwk["kid"] == header["kid"]]
    assert "d" not in key
    claims = jwt.decode(
        token,
        RSAAlgorithm.from_jwk(key),
        algorithms=["RS256"],
        issuer=metadata["issuer"],
        audience=f"{api.url}/v1/dataops",
    )
    assert claims["sub"] == claims["client_id"] == str(client.api_client_id)
    assert claims["exp"] - claims["iat"] == 3600
    assert claims["scope"] == "dataops:datasets:read dataops:datasets:write"
    assert claims["jti"]


def test_with_no_scope_asked_all_are_granted_and_to_an_administrator_each_one(api: Any, client: NewApiClient) -> None:
    """C-12, C-24."""
    assert api.anonymous.post("/token", json=asked(client)).json()["scope"] == (
        "dataops:datasets:read dataops:datasets:write"
    )
    admin = api.new_client(Scope.ADMIN)
    assert set(api.anonymous.post("/token", json=asked(admin)).json()["scope"].split()) == set(Scope)
    one = api.anonymous.post("/token", json=asked(admin, scope="dataops:quality:read"))
    assert one.json()["scope"] == "dataops:quality:read"


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"grant_type": None}, 400, "invalid_request"),
        ({"grant_type": ["client_credentials"]}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"scope": "dataops:quality:write"}, 400, "invalid_scope"),
        ({"scope": "everything"}, 400, "invalid_scope"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_secret": None}, 401, "invalid_client"),
        ({"client_id": "7d0c7a3e-5c5e-4c57-9d0a-0f5a5f0c0d01"}, 401, "invalid_client"),
        ({"client_id": "your-client-id"}, 401, "invalid_client"),
        ({"client_id": None}, 401, "invalid_client"),
    ],
)
def test_a_refusal_has_the_form_of_rfc_6749(
    api: Any, client: NewApiClient, change: dict[str, Any], status: int, error: str
) -> None:
    """C-13."""
    answer = api.anonymous.post("/token", json=asked(client) | change)
    assert answer.status_code == status
    assert answer.json()["error"] == error
    assert answer.json()["error_description"]
    assert set(answer.json()) == {"error", "error_description"}
    assert answer.headers["cache-control"] == "no-store"
    assert ("www-authenticate" in answer.headers) == (status == 401)
    if status == 401:
        assert answer.headers["www-authenticate"].startswith("Basic ")


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"content": b"{", "headers": {"Content-Type": "application/json"}}, "invalid_request"),
        ({"content": b"[]", "headers": {"Content-Type": "application/json"}}, "invalid_request"),
        ({"content": b"<xml/>", "headers": {"Content-Type": "application/xml"}}, "invalid_request"),
        (
            {
                "content": b"grant_type=client_credentials&grant_type=password",
                "headers": {"Content-Type": "application/x-www-form-urlencoded"},
            },
            "invalid_request",
        ),
        ({"data": {"grant_type": "client_credentials"}, "headers": {"Authorization": "Basic !"}}, "invalid_client"),
        ({"data": {"grant_type": "client_credentials"}, "headers": {"Authorization": "Bearer x"}}, "invalid_client"),
        ({"params": {"client_id": "x"}, "data": {"grant_type": "client_credentials"}}, "invalid_request"),
        ({"content": b"x" * (2**20 + 1)}, "invalid_request"),
    ],
)
def test_a_request_that_is_none_is_refused_in_the_same_form(api: Any, request_: dict[str, Any], error: str) -> None:
    """C-13, C-5."""
    answer = api.anonymous.post("/token", **request_)
    assert answer.status_code in {400, 401, 413}
    assert answer.json()["error"] == error


def test_a_parameter_in_the_query_is_named(api: Any, client: NewApiClient) -> None:
    """C-5, C-13."""
    answer = api.anonymous.post("/token", params={"x": "1"}, json=asked(client))
    assert (answer.status_code, answer.json()) == (
        400,
        {
            "error": "invalid_request",
            "error_description": "Request validation failed (x: There is no such query parameter)",
        },
    )


def test_other_methods_are_refused_in_the_same_form(api: Any) -> None:
    """C-2, C-13."""
    answer = api.anonymous.get("/token")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert answer.json()["error"] == "invalid_request"


def test_two_ways_to_authenticate_at_once_are_refused(api: Any, client: NewApiClient) -> None:
    """C-10."""
    answer = api.anonymous.post("/token", data=asked(client), headers=basic(client.api_client_id, client.client_secret))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    other = api.anonymous.post(
        "/token",
        data={"grant_type": "client_credentials", "client_id": "another"},
        headers=basic(client.api_client_id, client.client_secret),
    )
    assert (other.status_code, other.json()["error"]) == (400, "invalid_request")


def test_ten_failures_a_minute_are_the_most_whatever_the_spelling_and_then_the_right_secret_waits_too(
    api: Any, client: NewApiClient
) -> None:
    """C-13."""
    spellings = [str(client.api_client_id), str(client.api_client_id).upper(), f"{{{client.api_client_id}}}"]
    tries = [
        api.anonymous.post("/token", json=asked(client, client_id=spellings[number % 3], client_secret="wrong"))
        for number in range(11)
    ]
    assert [answer.status_code for answer in tries] == [401] * 10 + [429]
    right = api.anonymous.post("/token", json=asked(client))
    assert right.status_code == 429
    assert 1 <= int(right.headers["retry-after"]) <= 60
    another = api.new_client(Scope.DATASETS_READ)
    assert api.anonymous.post("/token", json=asked(another)).status_code == 200


def test_guesses_at_once_get_no_further_than_guesses_one_by_one(api: Any, client: NewApiClient) -> None:
    """C-13."""
    with ThreadPoolExecutor(16) as threads:
        statuses = list(
            threads.map(
                lambda _: httpx.post(f"{api.url}/token", json=asked(client, client_secret="wrong")).status_code,
                range(40),
            )
        )
    assert sorted(statuses) == [401] * 10 + [429] * 30


@pytest.mark.parametrize("settings_change", [{"token_successes_per_minute": 3}])
def test_successes_are_limited_too(own_api: Any) -> None:
    """C-13."""
    client = own_api.new_client(Scope.DATASETS_READ, Scope.DATASETS_WRITE)
    answers = [own_api.anonymous.post("/token", json=asked(client)) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_secrets_are_stored_as_hashes_and_the_signing_key_encrypted(own_api: Any) -> None:
    """C-15."""
    client = own_api.new_client(Scope.DATASETS_READ, Scope.DATASETS_WRITE)
    own_api.anonymous.post("/token", json=asked(client))
    with own_api.database.engine.connect() as connection:
        clients = connection.exec_driver_sql("SELECT api_clients::text FROM api_clients").scalars().all()
        keys = connection.exec_driver_sql("SELECT signing_keys::text FROM signing_keys").scalars().all()
    assert len(keys) == 1
    assert not any(client.client_secret in row for row in clients)
    assert not any("PRIVATE KEY" in row for row in keys)


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Moves the clocks by which tokens and what is kept of clients are judged."""

    def move(by: timedelta) -> None:
        monkeypatch.setattr("dataops_api.auth.authority.utcnow", lambda: utcnow() + by)
        monkeypatch.setattr("dataops_core.registry.api_clients.utcnow", lambda: utcnow() + by)
        monkeypatch.setattr("dataops_api.auth.authority.monotonic", lambda: monotonic() + by.total_seconds())

    return move


def listed_with(api: Any, token: str) -> httpx.Response:
    answer: httpx.Response = api.anonymous.get(LISTING, headers={"Authorization": f"Bearer {token}"})
    return answer


def test_a_revoked_clients_tokens_stop_within_a_minute(own_api: Any, pass_time: Callable[[timedelta], None]) -> None:
    """C-15."""
    client = own_api.new_client(Scope.DATASETS_READ, Scope.DATASETS_WRITE)
    token = own_api.anonymous.post("/token", json=asked(client)).json()["access_token"]
    assert listed_with(own_api, token).status_code == 200
    with own_api.database.transaction() as session:
        api_clients.revoke(session, client.api_client_id, now=utcnow())
    assert own_api.anonymous.post("/token", json=asked(client)).json()["error"] == "invalid_client"
    pass_time(timedelta(seconds=59))
    answer = listed_with(own_api, token)
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_after_a_rotation_of_keys_new_tokens_work_at_once_and_old_ones_until_they_expire(
    own_api: Any, pass_time: Callable[[timedelta], None]
) -> None:
    """C-15."""
    client = own_api.new_client(Scope.DATASETS_READ, Scope.DATASETS_WRITE)
    old = own_api.anonymous.post("/token", json=asked(client)).json()["access_token"]
    with own_api.database.transaction() as session:
        signing_keys.rotate(session, own_api.keyring, now=utcnow())
    pass_time(timedelta(minutes=59))
    new = own_api.anonymous.post("/token", json=asked(client)).json()["access_token"]
    assert jwt.get_unverified_header(old)["kid"] != jwt.get_unverified_header(new)["kid"]
    assert [listed_with(own_api, token).status_code for token in (old, new)] == [200, 200]
    assert len(own_api.anonymous.get("/.well-known/jwks.json").json()["keys"]) == 2
    pass_time(timedelta(minutes=61))
    assert [listed_with(own_api, token).status_code for token in (old, new)] == [401, 200]
    pass_time(timedelta(minutes=100))
    assert len(own_api.anonymous.get("/.well-known/jwks.json").json()["keys"]) == 1


def test_a_rotated_secret_is_good_beside_the_new_one_until_its_grace_has_passed(
    own_api: Any, pass_time: Callable[[timedelta], None]
) -> None:
    """C-15: no program has to stop while it is given the new one."""
    old = own_api.new_client(Scope.DATASETS_READ)
    with own_api.database.transaction() as session:
        new = api_clients.rotate_secret(
            session, own_api.keyring, old.api_client_id, grace=timedelta(hours=24), now=utcnow()
        )
    assert [own_api.anonymous.post("/token", json=asked(one)).status_code for one in (old, new)] == [200, 200]
    pass_time(timedelta(hours=24, seconds=1))
    assert [own_api.anonymous.post("/token", json=asked(one)).status_code for one in (old, new)] == [401, 200]
