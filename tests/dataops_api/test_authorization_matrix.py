"""Who gets what at every route: made from the routes that the application serves, so that a new one is in it unasked.

Each credential that is none is tried at each route; each route is asked for what belongs to another customer, and must
answer as it does about what does not exist (C-4, C-8, C-11, C-15, C-45, C-90). A route with a path parameter that is
not known here fails until somebody says whose it is.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import FastAPI
from starlette.routing import Mount, Route

from dataops_api import app as application
from dataops_api.app import create_app
from dataops_api.connectors.app import create_connector_app
from dataops_api.routing import PUBLIC, ApiRoute, Routes
from dataops_core.clock import utcnow
from dataops_core.ids import new_id
from dataops_core.lifecycle import TokenKind
from dataops_core.registry import connectors, signing_keys
from dataops_core.scopes import Scope

#: Parameters of paths that lead to what belongs to no customer.
NOBODYS = {"template_id": "confluence-fintech-compliance", "name": "swagger-ui.css"}


@dataclass(frozen=True)
class Asked:
    """One route as a request."""

    method: str
    path: str
    any_of: tuple[Scope, ...]
    body: Any
    filters: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def names_customer(self) -> bool:
        """Whether the body says whose it is: of another customer it is refused, whether there is one or not (C-8)."""
        return isinstance(self.body, dict) and "client_id" in self.body

    def about(self, values: dict[str, str]) -> Any:
        """The body, of that customer where it names one."""
        return self.body | {"client_id": values["client_id"]} if self.names_customer else self.body

    def fill(self, values: dict[str, str]) -> str:
        """The path with a value for each parameter."""
        return re.sub(r"\{(\w+)\}", lambda match: (values | NOBODYS)[match[1]], self.path)


@pytest.fixture(scope="module")
def app(api: Any) -> FastAPI:
    """The application that is served."""
    return create_app(api.settings, database=api.database, gateway=api.dagster)


@pytest.fixture(scope="module")
def routes(app: FastAPI) -> list[Asked]:
    """Every route that wants a token."""
    document = app.openapi()
    found = []
    for route in app.router.routes:
        if not isinstance(route, ApiRoute) or route.access is PUBLIC:
            continue
        for method in route.methods or ():
            described = document["paths"][route.path_format][method.lower()]
            content = described.get("requestBody", {}).get("content", {}).get("application/json", {})
            assert not content or "example" in content, f"{method} {route.path} shows no body: give it a body_example"
            filters = [one["name"] for one in described["parameters"] if one["in"] == "query"]
            found.append(
                Asked(method, route.path_format, route.access.any_of, content.get("example"), tuple(sorted(filters)))
            )
    assert len(found) > 10
    return found


@dataclass(frozen=True)
class Signer:
    """Makes tokens that are right but for what a test changes."""

    api: Any
    kid: str
    key: rsa.RSAPrivateKey
    other_key: rsa.RSAPrivateKey

    def claims(self, **change: Any) -> dict[str, Any]:
        made = self.api.new_client(Scope.ADMIN)
        now = int(utcnow().timestamp())
        right = {
            "iss": self.api.url,
            "aud": f"{self.api.url}/v1/dataops",
            "sub": str(made.api_client_id),
            "client_id": str(made.api_client_id),
            "iat": now,
            "exp": now + 600,
            "jti": str(new_id()),
            "scope": " ".join(Scope),
        }
        return right | change

    def token(self, *, key: Any = None, header: dict[str, Any] | None = None, **change: Any) -> str:
        headers = {"typ": "at+jwt", "kid": self.kid} | (header or {})
        return jwt.encode(self.claims(**change), key or self.key, algorithm="RS256", headers=headers)

    def by_hand(self, algorithm: str, sign: Callable[[bytes], bytes]) -> str:
        """A token whose signature no library would make."""
        header = {"alg": algorithm, "typ": "at+jwt", "kid": self.kid}
        text = b".".join(encoded(json.dumps(part).encode()) for part in (header, self.claims()))
        return (text + b"." + encoded(sign(text))).decode()

    def confused(self) -> str:
        """Signed by HMAC with the public key, which everybody has, as its secret."""
        public = self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return self.by_hand("HS256", lambda text: hmac.new(public, text, hashlib.sha256).digest())


def encoded(value: bytes) -> bytes:
    return base64.urlsafe_b64encode(value).rstrip(b"=")


@pytest.fixture(scope="module")
def signer(api: Any) -> Signer:
    with api.database.transaction() as session:
        current = signing_keys.current(session, api.keyring, now=utcnow())
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return Signer(api, current.kid, current.private_key, other)


def ask(client: httpx.Client, route: Asked, token: str | None, values: dict[str, str]) -> httpx.Response:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return client.request(route.method, route.fill(values), json=route.body, headers=headers)


class Nothing(dict[str, str]):
    """An id that leads nowhere, for each parameter."""

    def __or__(self, other: Any) -> Any:
        return Nothing({**self, **other})

    def __missing__(self, name: str) -> str:
        return str(new_id())


NO_TOKENS: dict[str, Callable[[Signer], str | None]] = {
    "no token": lambda _: None,
    "expired": lambda signer: signer.token(exp=int(utcnow().timestamp()) - 1),
    "alg none": lambda signer: signer.by_hand("none", lambda _: b""),
    "HS256 with the public key": lambda signer: signer.confused(),
    "another key under our key's id": lambda signer: signer.token(key=signer.other_key),
    "another key id": lambda signer: signer.token(header={"kid": "unknown"}),
    "another key with an id of its own": lambda signer: signer.token(key=signer.other_key, header={"kid": "mine"}),
    "another issuer": lambda signer: signer.token(iss="https://elsewhere.example"),
    "another audience": lambda signer: signer.token(aud="https://elsewhere.example/v1/dataops"),
    "another type": lambda signer: signer.token(header={"typ": "JWT"}),
    "no type": lambda signer: signer.token(header={"typ": None}),
    "an unknown client": lambda signer: signer.token(client_id=str(new_id())),
    "a client secret": lambda signer: signer.api.new_client(Scope.ADMIN).client_secret,
    "a token of a connector": lambda signer: signer.api.keyring.service_token(new_id(), TokenKind.SEARCH),
}


def test_a_right_token_is_right(api: Any, routes: list[Asked], signer: Signer) -> None:
    """C-11: what the matrix breaks is whole to begin with."""
    token = signer.token()
    statuses = {str(route): ask(api.anonymous, route, token, Nothing()).status_code for route in routes}
    assert {route: status for route, status in statuses.items() if status in {401, 403}} == {}


@pytest.mark.parametrize("credential", NO_TOKENS)
def test_no_route_takes_a_token_that_is_none(api: Any, routes: list[Asked], signer: Signer, credential: str) -> None:
    """C-4, C-11, C-15."""
    token = NO_TOKENS[credential](signer)
    for route in routes:
        answer = ask(api.anonymous, route, token, Nothing())
        assert answer.status_code == 401, route
        assert answer.json()["error"]["code"] == "UNAUTHORIZED"
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert ('error="invalid_token"' in answer.headers["www-authenticate"]) == (token is not None)


def test_no_route_takes_too_little_scope(api: Any, routes: list[Asked], signer: Signer) -> None:
    """C-4, C-20 … C-24: all scopes but those that suffice, and none at all."""
    for route in routes:
        others = [scope for scope in Scope if scope not in (*route.any_of, Scope.ADMIN)]
        for scope in (" ".join(others), "", "everything dataops:*"):
            answer = ask(api.anonymous, route, signer.token(scope=scope), Nothing())
            assert answer.status_code == 403, route
            assert answer.headers["www-authenticate"] == (
                f'Bearer error="insufficient_scope", scope="{" ".join(route.any_of)}"'
            )


def test_a_token_never_has_more_scope_than_its_client(api: Any, routes: list[Asked], signer: Signer) -> None:
    """C-12, C-15."""
    reader = api.new_client(Scope.TEMPLATES_READ)
    token = signer.token(client_id=str(reader.api_client_id), sub=str(reader.api_client_id))
    statuses = {
        str(route): ask(api.anonymous, route, token, Nothing()).status_code
        for route in routes
        if Scope.TEMPLATES_READ not in route.any_of
    }
    assert set(statuses.values()) == {403}


@dataclass(frozen=True)
class Victim:
    """Another customer's things."""

    ids: dict[str, str]
    words: tuple[str, ...]


@pytest.fixture(scope="module")
def victim(api: Any) -> Victim:
    """A customer with a ready dataset, a provisioning under way, a connector and a token for it."""
    customer, journey = str(new_id()), str(new_id())
    own = {"client_id": customer, "journey_id": journey}
    named = {"custom_fields": {"client_name": "Victim-Industries"}}
    accepted = api.provision(**own, dataset_types=["confluence_pages"], metadata=named)
    (dataset_id,) = api.publish(accepted)
    running = api.provision(**own, stage="pilot", dataset_types=["github_repos"], metadata=named)
    issued = api.admin.post(f"/v1/dataops/datasets/{dataset_id}/connector/tokens", json={"kind": "search"}).json()
    with api.database.transaction() as session:
        connector = connectors.of_dataset(session, dataset_id)
        assert connector is not None
        connector_id = str(connector.connector_id)
    ids = own | {
        "dataset_id": str(dataset_id),
        "operation_id": accepted["operation_id"],
        "token_id": issued["token_id"],
        "connector_id": connector_id,
    }
    return Victim(ids, (*ids.values(), running["operation_id"], running["datasets"][0]["dataset_id"], "Victim-Ind"))


@pytest.fixture(scope="module")
def stranger(api: Any) -> Iterator[httpx.Client]:
    """An administrator of another customer alone."""
    with api.asking(Scope.ADMIN, customers=[new_id()]) as client:
        yield client


def told(answer: httpx.Response, sent: dict[str, str]) -> tuple[int, str]:
    """Status and body, without what differs from one request to the next, and without what the request itself said."""
    text = answer.text
    for name, value in sent.items():
        text = text.replace(value, f"<{name}>")
    text = re.sub(r'"(request_id|timestamp)":\s*"[^"]*"', "", text)
    return answer.status_code, text


def nothing_like(ids: dict[str, str]) -> dict[str, str]:
    return {name: str(new_id()) for name in ids}


def test_what_is_anothers_is_answered_as_what_does_not_exist(
    routes: list[Asked], stranger: httpx.Client, victim: Victim
) -> None:
    """C-8: in every route that names a resource."""
    named = 0
    for route in routes:
        parameters = set(re.findall(r"\{(\w+)\}", route.path)) - set(NOBODYS)
        if not parameters:
            continue
        unknown = parameters - set(victim.ids)
        assert not unknown, f"{route}: say here whose {', '.join(unknown)} is"
        absent = nothing_like(victim.ids)
        about_another = stranger.request(route.method, route.fill(victim.ids), json=route.about(victim.ids))
        about_nothing = stranger.request(route.method, route.fill(absent), json=route.about(absent))
        assert told(about_another, victim.ids) == told(about_nothing, absent), route
        assert about_another.status_code == (403 if route.names_customer else 404), route
        named += 1
    assert named >= 8


def test_a_token_of_ones_own_dataset_is_not_found_under_anothers_id(api: Any, victim: Victim) -> None:
    """C-8: nor is another's token under one's own dataset."""
    customer = new_id()
    own = api.ready(client_id=str(customer))
    with api.asking(Scope.DATASETS_WRITE, customers=[customer]) as client:
        tokens = f"/v1/dataops/datasets/{own}/connector/tokens"
        assert client.delete(f"{tokens}/{victim.ids['token_id']}").status_code == 404
        token_id = client.post(tokens, json={"kind": "search"}).json()["token_id"]
        foreign = f"/v1/dataops/datasets/{victim.ids['dataset_id']}/connector/tokens/{token_id}"
        assert client.delete(foreign).status_code == 404


def test_no_filter_finds_or_counts_what_is_anothers(
    routes: list[Asked], stranger: httpx.Client, victim: Victim
) -> None:
    """C-8: lists, counts, and the filters by customer, journey, operation and whatever else is an id."""
    tried = 0
    for route in routes:
        if route.method != "GET" or "{" in route.path.format(**NOBODYS | dict.fromkeys(victim.ids, "{")):
            continue
        for name in (name for name in route.filters if name.endswith("_id")):
            absent = nothing_like(victim.ids)
            about_another = stranger.get(route.fill({}), params={name: victim.ids.get(name, victim.ids["dataset_id"])})
            about_nothing = stranger.get(route.fill({}), params={name: absent.get(name, absent["dataset_id"])})
            assert told(about_another, victim.ids) == told(about_nothing, absent), (route, name)
            tried += 1
    assert tried >= 3


def test_no_answer_to_anybody_else_speaks_of_it(
    app: FastAPI, routes: list[Asked], stranger: httpx.Client, victim: Victim
) -> None:
    """C-8: no id, no name, in body or header, of lists, of public routes, of anything."""
    public = [
        (method, route.path_format, None)
        for route in app.router.routes
        if isinstance(route, ApiRoute) and route.access is PUBLIC
        for method in route.methods or ()
    ]
    for method, path, body in [(route.method, route.path, route.body) for route in routes] + public:
        parameters = set(re.findall(r"\{(\w+)\}", path))
        if (
            parameters - set(NOBODYS)
            or method not in {"GET", "POST"}
            or (path, method) == ("/v1/dataops/datasets", "POST")
        ):
            continue
        filled = re.sub(r"\{(\w+)\}", lambda match: NOBODYS[match[1]], path)
        answer = stranger.request(method, filled, json=body)
        said = answer.text + str(answer.headers)
        assert [word for word in victim.words if word in said] == [], path
        if path.startswith("/v1/dataops") and "pagination" in answer.json():
            assert answer.json()["pagination"]["total_count"] == 0, path


def test_asking_for_datasets_of_another_customer_is_refused_before_any_conflict(
    stranger: httpx.Client, victim: Victim
) -> None:
    """C-8, C-44: where one would be in the way and where none is, the answer is the same."""
    body = {"journey_id": str(new_id()), "stage": "sandbox", "dataset_types": ["confluence_pages"]}
    absent = nothing_like(victim.ids)
    about_another = stranger.post("/v1/dataops/datasets", json=body | {"client_id": victim.ids["client_id"]})
    about_nothing = stranger.post("/v1/dataops/datasets", json=body | {"client_id": absent["client_id"]})
    assert about_another.status_code == 403
    assert told(about_another, victim.ids) == told(about_nothing, absent)


def test_anothers_idempotency_key_replays_nothing(api: Any) -> None:
    """C-8, C-45."""
    customer = new_id()
    body = {"journey_id": str(new_id()), "client_id": str(customer), "stage": "sandbox"}
    body |= {"dataset_types": ["confluence_pages"]}
    key = {"Idempotency-Key": str(new_id())}
    with api.asking(Scope.ADMIN, customers=[customer]) as first, api.asking(Scope.ADMIN, customers=[new_id()]) as other:
        accepted = first.post("/v1/dataops/datasets", json=body, headers=key)
        again = first.post("/v1/dataops/datasets", json=body, headers=key)
        assert (accepted.status_code, again.headers["idempotency-replayed"]) == (202, "true")
        refused = other.post("/v1/dataops/datasets", json=body, headers=key)
        assert refused.status_code == 403
        assert accepted.json()["operation_id"] not in refused.text


def test_the_other_customer_lost_nothing_by_all_of_this(api: Any, victim: Victim) -> None:
    """C-8."""
    dataset = api.admin.get(f"/v1/dataops/datasets/{victim.ids['dataset_id']}").json()
    assert (dataset["status"], dataset["active_operation_id"]) == ("ready", None)
    found = api.admin.get(f"/v1/dataops/datasets/{victim.ids['dataset_id']}/connector").json()
    assert [token["state"] for token in found["tokens"]] == ["active"]


def test_the_application_does_not_start_with_a_route_that_says_nothing_of_access(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C-4: a plain route, one of another framework's, and a mounted application."""

    async def forgotten() -> None: ...

    class Careless(Routes):
        def __init__(self, put: Callable[[FastAPI], Any]) -> None:
            super().__init__(tag="x")
            self.put = put

        def add_to(self, app: FastAPI) -> None:
            self.put(app)

    for put in (
        lambda app: app.add_api_route("/v1/dataops/forgotten", forgotten),
        lambda app: app.router.routes.append(Route("/v1/dataops/forgotten", forgotten)),
        lambda app: app.mount("/v1/dataops/forgotten", FastAPI()),
    ):
        monkeypatch.setattr(application, "ROUTES", (Careless(put),))
        with pytest.raises(RuntimeError, match="/v1/dataops/forgotten declares neither a scope nor PUBLIC"):
            create_app(api.settings, database=api.database, gateway=api.dagster)


# The connector service: the same for its routes and its tokens.

#: Who may ask what: the kinds of tokens, or only the product itself.
SEARCHING = {"/search", "/api/search", "/api/search/filters"}


@pytest.fixture(scope="module")
def endpoints(api: Any) -> list[tuple[str, str]]:
    """Every route of the connector service but the one for looking whether it lives."""
    served = create_connector_app(api.settings, database=api.database)
    assert not any(isinstance(route, Mount) for route in served.router.routes)
    found = [
        (method, route.path_format)
        for route in served.router.routes
        if hasattr(route, "path_format")
        for method in sorted(route.methods - {"HEAD"})
        if not route.path_format.endswith("/health")
    ]
    served.state.service.close()
    assert len(found) > 8
    return found


def at_connector(api: Any, method: str, path: str, connector_id: str, token: str | None) -> httpx.Response:
    filled = path.replace("{connector_id}", connector_id).replace("{datasource}", "confluence")
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    answer: httpx.Response = api.anonymous.request(method, f"/connectors{filled}", json={}, headers=headers)
    return answer


def issue(api: Any, connector_id: str, kind: TokenKind, lifetime: timedelta = timedelta(hours=1)) -> str:
    with api.database.transaction() as session:
        token: str = connectors.issue_token(
            session, api.keyring, connector_id=UUID(connector_id), kind=kind, lifetime=lifetime, now=utcnow()
        ).token
    return token


def test_no_endpoint_of_a_connector_takes_a_token_that_is_not_its_own(
    api: Any, endpoints: list[tuple[str, str]], victim: Victim, signer: Signer
) -> None:
    """C-90: no token, another connector's, an expired and a revoked one, the API's own, forged ones."""
    here = victim.ids["connector_id"]
    with api.database.transaction() as session:
        elsewhere = connectors.of_dataset(session, api.ready())
        assert elsewhere is not None
        there = str(elsewhere.connector_id)
    revoked = issue(api, here, TokenKind.INDEX)
    with api.database.transaction() as session:
        row = connectors.tokens(session, UUID(here), now=utcnow())[-1]
        for known in connectors.tokens(session, UUID(here), now=utcnow()):
            row = known if known.kind is TokenKind.INDEX else row
        connectors.revoke_token(session, UUID(here), row.token_id, utcnow())
    forged = {"aud": "connector", "sub": here, "kind": "index", "iat": 0, "exp": 2**33}
    bad = {
        "no token": None,
        "nonsense": "nonsense",
        "another connector's": issue(api, there, TokenKind.INDEX),
        "the product's own for another connector": api.keyring.service_token(UUID(there), TokenKind.INDEX),
        "expired": issue(api, here, TokenKind.INDEX, timedelta(seconds=-1)),
        "revoked": revoked,
        "the API's": signer.token(),
        "alg none": jwt.encode(forged, None, algorithm="none"),
        "signed by anybody": jwt.encode(forged, "a secret that is long enough for HS256", algorithm="HS256"),
    }
    for name, token in bad.items():
        for method, path in endpoints:
            answer = at_connector(api, method, path, here, token)
            assert answer.status_code == 401, (name, method, path)
            assert answer.headers["content-type"] == "application/problem+json"
            unknown = at_connector(api, method, path, str(new_id()), token)
            assert unknown.status_code == 401, (name, method, path)


def test_no_endpoint_of_a_connector_takes_a_token_of_the_wrong_kind(
    api: Any, endpoints: list[tuple[str, str]], victim: Victim
) -> None:
    """C-90: searching and indexing are two powers, and removing a connector is the product's alone."""
    here = victim.ids["connector_id"]
    search, index = issue(api, here, TokenKind.SEARCH), issue(api, here, TokenKind.INDEX)
    for method, path in endpoints:
        tail = path.removeprefix("/{connector_id}")
        by_search = at_connector(api, method, path, here, search).status_code
        by_index = at_connector(api, method, path, here, index).status_code
        if tail in SEARCHING:
            assert (by_search != 403, by_index) == (True, 403), (method, path)
        elif method == "DELETE":
            assert (by_search, by_index) == (403, 403), (method, path)
        elif tail == "":
            assert (by_search, by_index) == (200, 200)
        else:
            assert (by_search, by_index != 403) == (403, True), (method, path)
