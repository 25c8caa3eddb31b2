"""Who may call what: every route that is served, and the order of its checks (C-2, C-4, C-20 … C-25)."""

import re
from typing import Any

import jwt
import pytest
from fastapi import FastAPI

from dataops_api.app import create_app
from dataops_api.routing import PUBLIC, ApiRoute, Routes, check_access
from dataops_core.clock import utcnow
from dataops_core.ids import new_id
from dataops_core.registry import signing_keys
from dataops_core.scopes import Scope
from dataops_core.settings import Settings

APP = create_app(Settings(secret_key="long enough for this", database_url="postgresql://nobody@localhost/nothing"))
SECURED = [
    (method, re.sub(r"\{\w+\}", "550e8400-e29b-41d4-a716-446655440000", route.path), route.access.any_of)
    for route in APP.router.routes
    if isinstance(route, ApiRoute) and route.access is not PUBLIC
    for method in sorted(route.methods or ())
]
secured = pytest.mark.parametrize(
    ("method", "path", "scopes"), SECURED, ids=[f"{method} {path}" for method, path, _ in SECURED]
)


def test_the_public_routes_are_these_and_no_others() -> None:
    """C-4."""
    public = {route.path for route in APP.router.routes if isinstance(route, ApiRoute) and route.access is PUBLIC}
    assert public == {
        "/token",
        "/.well-known/oauth-authorization-server",
        "/.well-known/jwks.json",
        "/healthz",
        "/readyz",
        "/metrics",
        "/openapi.json",
        "/docs",
        "/docs/assets/{name}",
    }


def test_a_route_that_says_nothing_about_access_refuses_to_start() -> None:
    """C-4."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @app.get("/v1/dataops/forgotten")
    def forgotten() -> None: ...

    with pytest.raises(RuntimeError, match="/v1/dataops/forgotten declares neither a scope nor PUBLIC"):
        check_access(app.router.routes)
    with pytest.raises(RuntimeError, match="PUBLIC"):
        Routes(tag="x").add("GET", "/x", access=(), summary="x")


@secured
def test_anonymous_is_refused(api: Any, method: str, path: str, scopes: tuple[Scope, ...]) -> None:
    """C-4."""
    answer = api.anonymous.request(method, path)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["error"]["code"] == "UNAUTHORIZED"
    assert scopes


@secured
def test_a_missing_scope_is_refused_before_anything_is_read(
    api: Any, method: str, path: str, scopes: tuple[Scope, ...]
) -> None:
    """C-2, C-4: also where the request is broken and the resource does not exist."""
    others = [scope for scope in Scope if scope not in scopes and scope is not Scope.ADMIN]
    with api.asking(*others) as client:
        answer = client.request(method, path, params={"nonsense": "1"}, content=b"{", headers={"content-type": "x/y"})
    assert answer.status_code == 403
    error = answer.json()["error"]
    assert (error["code"], error["details"]) == ("FORBIDDEN", {"scope": " ".join(scopes)})
    assert answer.headers["www-authenticate"] == (f'Bearer error="insufficient_scope", scope="{" ".join(scopes)}"')


@secured
def test_nonsense_is_refused_before_it_is_looked_whether_the_resource_exists(
    api: Any, method: str, path: str, scopes: tuple[Scope, ...]
) -> None:
    """C-2, C-5."""
    with api.asking(scopes[0]) as client:
        answer = client.request(method, path, params={"nonsense": "1"})
    assert answer.status_code == 400
    assert answer.json()["error"]["details"] == {"nonsense": "There is no such query parameter"}


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/datasets", Scope.DATASETS_READ),
        ("GET", "/datasets/{id}", Scope.DATASETS_READ),
        ("POST", "/datasets", Scope.DATASETS_WRITE),
        ("PATCH", "/datasets/{id}", Scope.DATASETS_WRITE),
        ("DELETE", "/datasets/{id}", Scope.DATASETS_WRITE),
        ("POST", "/datasets/{id}/teardown", Scope.DATASETS_WRITE),
        ("GET", "/datasets/{id}/usage", Scope.DATASETS_READ),
        ("GET", "/datasets/{id}/quality", Scope.QUALITY_READ),
        ("GET", "/datasets/{id}/connector", Scope.DATASETS_READ),
        ("POST", "/datasets/{id}/connector/tokens", Scope.DATASETS_WRITE),
        ("DELETE", "/datasets/{id}/connector/tokens/{id}", Scope.DATASETS_WRITE),
        ("GET", "/templates", Scope.TEMPLATES_READ),
        ("GET", "/templates/{id}", Scope.TEMPLATES_READ),
    ],
)
def test_the_scopes_are_the_documented_ones(method: str, path: str, scope: Scope) -> None:
    """C-20, C-21, C-22, C-23: write does not include read."""
    path = "/v1/dataops" + path.replace("{id}", "550e8400-e29b-41d4-a716-446655440000")
    assert (method, path, (scope,)) in SECURED


def test_the_administrator_passes_everywhere(api: Any) -> None:
    """C-24."""
    for method, path, _ in SECURED:
        assert api.admin.request(method, path).status_code not in {401, 403}, path


@pytest.mark.parametrize(
    "header", ["Bearer nonsense", "Bearer a.b.c", "bearer eyJhbGciOiJub25lIn0.e30.", "Bearer é".encode()]
)
def test_a_token_that_is_none_is_refused_as_invalid(api: Any, header: str | bytes) -> None:
    """C-4."""
    answer = api.anonymous.get("/v1/dataops/datasets", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith('Bearer error="invalid_token"')


@pytest.mark.parametrize("header", ["Basic abc", "Bearer", "Token abc", ""])
def test_another_scheme_is_no_token(api: Any, header: str) -> None:
    """C-4."""
    answer = api.anonymous.get("/v1/dataops/datasets", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "change",
    [
        {"exp": 1_000_000_000},
        {"aud": "https://elsewhere.example/v1/dataops"},
        {"iss": "https://elsewhere.example"},
        {"client_id": str(new_id())},
        {"client_id": "no id"},
        {"scope": None},
        {"scope": 7},
        {"jti": None},
    ],
)
def test_a_token_with_wrong_claims_is_refused_though_our_key_signed_it(api: Any, change: dict[str, Any]) -> None:
    """C-11."""
    assert call_with_claims(api, change).status_code == 401


def test_a_token_with_right_claims_is_taken_and_one_of_another_type_is_not(api: Any) -> None:
    """C-11."""
    assert call_with_claims(api, {}).status_code == 200
    assert call_with_claims(api, {}, typ="JWT").status_code == 401


def call_with_claims(api: Any, change: dict[str, Any], typ: str = "at+jwt") -> Any:
    """Lists datasets with a token signed by the API's own key; claims that change to None are left out."""
    made = api.new_client(Scope.DATASETS_READ)
    now = int(utcnow().timestamp())
    claims = {
        "iss": api.url,
        "aud": f"{api.url}/v1/dataops",
        "sub": str(made.api_client_id),
        "client_id": str(made.api_client_id),
        "iat": now,
        "exp": now + 60,
        "jti": str(new_id()),
        "scope": "dataops:datasets:read",
    } | change
    claims = {name: value for name, value in claims.items() if value is not None}
    with api.database.transaction() as session:
        key = signing_keys.current(session, api.keyring, now=utcnow())
    token = jwt.encode(claims, key.private_key, algorithm="RS256", headers={"typ": typ, "kid": key.kid})
    return api.anonymous.get("/v1/dataops/datasets", headers={"Authorization": f"Bearer {token}"})


def test_a_scope_taken_from_the_client_is_gone_from_its_tokens(own_api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """C-15."""
    with own_api.asking(Scope.DATASETS_READ, Scope.TEMPLATES_READ) as client:
        assert client.get("/v1/dataops/datasets").status_code == 200
        with own_api.database.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE api_clients SET scopes = ARRAY['dataops:templates:read']")
        monkeypatch.setattr("dataops_api.auth.authority._KEPT_SECONDS", 0.0)
        assert client.get("/v1/dataops/datasets").status_code == 403
        assert client.get("/v1/dataops/templates").status_code == 200
