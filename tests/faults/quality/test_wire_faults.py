"""Every way in which a connector can answer wrongly, and the exact set of checks that must notice (C-62).

The service and its index are sound; the fault lies on the wire to it.
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
import pytest

from dataops_core.clock import utcnow
from dataops_core.connectors.client import EmbeddedConnector
from dataops_core.lifecycle import CheckStatus, CheckType, TokenKind
from dataops_core.registry import connectors as registry
from dataops_core.security import Keyring

CONNECTOR, QUERIES = CheckType.CONNECTOR_HEALTH, CheckType.SAMPLE_QUERY_SUCCESS
FAILED, ERROR = CheckStatus.FAILED, CheckStatus.ERROR

Forward = Callable[[httpx.Request], httpx.Response]
Twist = Callable[[httpx.Request, Forward], httpx.Response]


class Wire(httpx.BaseTransport):
    """The way to the service with something wrong on it: a function of the request and the way on."""

    def __init__(self, twist: Twist) -> None:
        self._twist = twist
        self._way = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._twist(request, self._forward)

    def _forward(self, request: httpx.Request) -> httpx.Response:
        response = self._way.handle_request(request)
        response.read()
        return response

    def close(self) -> None:
        self._way.close()


def is_search(request: httpx.Request) -> bool:
    return request.url.path.endswith("/api/search")


def any_token_will_do(keyring: Keyring) -> Twist:
    """Whatever the caller shows, the service sees a good token."""

    def twist(request: httpx.Request, forward: Forward) -> httpx.Response:
        if "authorization" in request.headers and request.method == "POST":
            connector_id = UUID(request.url.path.split("/")[1])
            kind = TokenKind.INDEX if "/index/" in request.url.path else TokenKind.SEARCH
            request.headers["authorization"] = f"Bearer {keyring.service_token(connector_id, kind)}"
        return forward(request)

    return twist


def no_token_will_do(request: httpx.Request, forward: Forward) -> httpx.Response:
    if "authorization" in request.headers:
        request.headers["authorization"] = "Bearer nobody"
    return forward(request)


def filters_are_ignored(request: httpx.Request, forward: Forward) -> httpx.Response:
    if not is_search(request):
        return forward(request)
    body = {
        name: value for name, value in httpx.Response(200, content=request.read()).json().items() if name != "filters"
    }
    headers = {name: value for name, value in request.headers.items() if name not in {"content-length", "host"}}
    return forward(httpx.Request(request.method, request.url, headers=headers, json=body))


def canned() -> Twist:
    """Every search gets the first good answer that there was."""
    kept: list[bytes] = []

    def twist(request: httpx.Request, forward: Forward) -> httpx.Response:
        response = forward(request)
        if is_search(request) and response.status_code == 200:
            kept.append(response.content)
            return httpx.Response(200, content=kept[0])
        return response

    return twist


def answers(**members: Any) -> Twist:
    """Every good answer of a search with some members changed; a function gets what was there."""

    def twist(request: httpx.Request, forward: Forward) -> httpx.Response:
        response = forward(request)
        if not is_search(request) or response.status_code != 200:
            return response
        body = response.json()
        return httpx.Response(200, json=body | {name: change(body[name]) for name, change in members.items()})

    return twist


def searches_give(status: int) -> Twist:
    def twist(request: httpx.Request, forward: Forward) -> httpx.Response:
        return httpx.Response(status) if is_search(request) else forward(request)

    return twist


def no_search_answers_in_time(request: httpx.Request, forward: Forward) -> httpx.Response:
    if is_search(request):
        raise httpx.ReadTimeout("too late", request=request)
    return forward(request)


def connection_lost(request: httpx.Request, forward: Forward) -> httpx.Response:  # noqa: ARG001
    raise httpx.ConnectError("refused", request=request)


#: Fault → what happens on the wire, the checks that do not pass.
WIRE_FAULTS: dict[str, tuple[Callable[[Keyring], Twist], dict[CheckType, CheckStatus]]] = {
    "a wrong token is accepted": (any_token_will_do, {CONNECTOR: FAILED}),
    "the right token is refused": (lambda _: no_token_will_do, {CONNECTOR: FAILED, QUERIES: FAILED}),
    "filters ignored": (lambda _: filters_are_ignored, {QUERIES: FAILED}),
    "canned results": (lambda _: canned(), {QUERIES: FAILED}),
    "results doubled": (lambda _: answers(results=lambda found: found * 2), {QUERIES: FAILED}),
    "results reversed and cut": (lambda _: answers(results=lambda found: found[1:][::-1]), {QUERIES: FAILED}),
    "not the Platform's shape": (
        lambda _: answers(results=lambda found: {"items": found}),
        {CONNECTOR: FAILED, QUERIES: FAILED},
    ),
    "no answer in time": (lambda _: no_search_answers_in_time, {CONNECTOR: FAILED, QUERIES: FAILED}),
    "searches not found": (lambda _: searches_give(404), {CONNECTOR: FAILED, QUERIES: FAILED}),
    "searches answered with 503": (lambda _: searches_give(503), {CONNECTOR: ERROR, QUERIES: ERROR}),
    "searches answered with 429": (lambda _: searches_give(429), {CONNECTOR: ERROR, QUERIES: ERROR}),
    "connection lost": (lambda _: connection_lost, {CONNECTOR: ERROR, QUERIES: ERROR}),
}


@pytest.fixture(scope="module")
def sound(pages: Any, load: Callable[..., Any]) -> Any:
    """An index without a fault."""
    return load(pages)


@pytest.mark.parametrize("fault", WIRE_FAULTS)
def test_a_fault_of_the_service_is_noticed(sound: Any, fault: str) -> None:
    """C-62: trouble that may pass makes no check failed."""
    twist, expected = WIRE_FAULTS[fault]
    keyring = Keyring(sound.service.secret)
    with closing(EmbeddedConnector(sound.service.url, keyring, transport=Wire(twist(keyring)))) as broken:
        assert sound.judge(adapter=broken).unpassed == expected


def test_another_configuration_is_noticed(pages: Any, load: Callable[..., Any]) -> None:
    indexed = load(pages)
    indexed.adapter.provision(replace(indexed.spec, category="TICKETS"))
    judgement = indexed.judge()
    assert judgement.unpassed == {CONNECTOR: FAILED}
    assert judgement.details(CONNECTOR) == "Connector unhealthy: config_matches failed"


def test_a_connector_taken_down_is_noticed(pages: Any, load: Callable[..., Any]) -> None:
    """C-53: its endpoint answers 410, which is definite."""
    indexed = load(pages)
    indexed.adapter.teardown(indexed.spec)
    with indexed.service.database.transaction() as session:
        registry.disconnect(session, indexed.spec.connector_id, utcnow())
    assert indexed.judge().unpassed == {CONNECTOR: FAILED, QUERIES: FAILED}
