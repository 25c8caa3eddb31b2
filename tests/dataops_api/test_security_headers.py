"""What every answer tells a browser and a cache, made from the routes that are served (docs/security.md)."""

import re
from typing import Any

import pytest

from dataops_api.app import create_app
from dataops_api.routing import PUBLIC, ApiRoute
from dataops_core.ids import new_id

DATASETS = "/v1/dataops/datasets"


@pytest.fixture(scope="module")
def asked(api: Any) -> list[Any]:
    """One answer of every route, and of what is no route."""
    app = create_app(api.settings, database=api.database, gateway=api.dagster)
    paths = [
        (method, re.sub(r"\{name\}", "swagger-ui.css", re.sub(r"\{\w+_id\}", str(new_id()), route.path_format)))
        for route in app.router.routes
        if isinstance(route, ApiRoute)
        for method in route.methods or ()
    ]
    paths += [
        ("GET", "/nowhere"),
        ("PUT", DATASETS),
        ("GET", f"/connectors/{new_id()}"),
        ("POST", "/connectors/x/search"),
    ]
    return [api.admin.request(method, path) for method, path in paths]


def test_every_answer_says_that_it_is_no_page(asked: list[Any]) -> None:
    for answer in asked:
        where = str(answer.request.url)
        assert answer.headers["x-content-type-options"] == "nosniff", where
        assert answer.headers["referrer-policy"] == "no-referrer", where
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy, where
        assert "frame-ancestors 'none'" in policy, where
        assert "unsafe" not in policy, where
        assert len(answer.headers.get_list("content-security-policy")) == 1


def test_no_answer_says_by_what_it_was_served_or_lets_another_origin_read_it(asked: list[Any]) -> None:
    for answer in asked:
        assert {"server", "x-powered-by", "access-control-allow-origin", "set-cookie"} & set(answer.headers) == set()


def test_an_answer_to_a_caller_is_kept_by_no_cache(api: Any, asked: list[Any]) -> None:
    """C-7: with an entity tag the caller may keep it, and must ask each time."""
    private = [answer for answer in asked if answer.request.url.path.startswith("/v1/dataops") and answer.is_success]
    assert private
    assert {answer.headers["cache-control"] for answer in private} == {"no-store"}
    one = api.admin.get(f"{DATASETS}/{api.ready()}")
    assert one.headers["cache-control"] == "private, no-cache"
    refused = api.admin.get(f"{DATASETS}/{new_id()}")
    assert (refused.status_code, refused.headers["cache-control"]) == (404, "no-store")


def test_the_page_runs_no_script_that_is_not_a_file_of_ours(api: Any) -> None:
    page = api.anonymous.get("/docs")
    policy = page.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert not re.search(r"<script(?![^>]*\bsrc=)", page.text)
    assert not re.search(r"\son\w+=|style=|javascript:", page.text)
    for source in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        assert api.anonymous.get(source).status_code == 200, source


@pytest.mark.parametrize("settings_change", [{"public_url": "https://api.example"}])
def test_behind_https_browsers_are_told_to_stay_there(own_api: Any) -> None:
    assert own_api.anonymous.get("/healthz").headers["strict-transport-security"] == "max-age=31536000"


def test_without_https_they_are_not(api: Any) -> None:
    assert "strict-transport-security" not in api.anonymous.get("/healthz").headers
    assert PUBLIC.any_of == ()
