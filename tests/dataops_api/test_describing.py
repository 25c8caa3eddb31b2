"""The OpenAPI description and the page that shows it (C-4, C-6)."""

import re
from typing import Any

import jsonschema
import pytest

from dataops_api.routing import PUBLIC, ApiRoute
from dataops_core.scopes import Scope

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def document(api: Any) -> dict[str, Any]:
    body: dict[str, Any] = api.anonymous.get("/openapi.json").json()
    return body


def operations_of(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    ]


def test_it_describes_exactly_the_routes_that_are_served(document: dict[str, Any], api: Any) -> None:
    from dataops_api.app import create_app

    served = {
        (route.path, method.lower())
        for route in create_app(api.settings, database=api.database, gateway=api.dagster).router.routes
        if isinstance(route, ApiRoute) and route.include_in_schema
        for method in route.methods or ()
    }
    assert {(path, method) for path, method, _ in operations_of(document)} == served


def test_every_reference_in_it_leads_somewhere(document: dict[str, Any]) -> None:
    text = str(document)
    assert document["openapi"].startswith("3.1")
    for reference in set(re.findall(r"'\$ref': '#/([^']+)'", text)):
        found = document
        for part in reference.split("/"):
            found = found[part]
    assert "HTTPValidationError" not in text


def test_every_secured_operation_names_the_scopes_that_suffice(document: dict[str, Any]) -> None:
    """C-4, C-24."""
    flows = document["components"]["securitySchemes"]["oauth2"]["flows"]
    assert flows["clientCredentials"]["tokenUrl"] == "/token"
    assert set(flows["clientCredentials"]["scopes"]) == set(Scope)
    for path, _, operation in operations_of(document):
        if path.startswith("/v1/dataops"):
            assert {"oauth2": ["dataops:admin"]} in operation["security"], path
            assert {"401", "403", "500", "503"} <= set(operation["responses"])
        else:
            assert "security" not in operation
    assert PUBLIC.any_of == ()


def test_every_answer_with_a_body_has_an_example_that_fits_its_schema(document: dict[str, Any]) -> None:
    count = 0
    for path, method, operation in operations_of(document):
        for status, answer in operation["responses"].items():
            for media in answer.get("content", {}).values():
                examples = [media["example"]] if "example" in media else []
                examples += [example["value"] for example in media.get("examples", {}).values()]
                if path.startswith("/.well-known"):
                    continue
                assert examples, (path, method, status)
                for example in examples:
                    jsonschema.validate(
                        example,
                        media.get("schema", {"type": "string"}) | {"components": document["components"]},
                        jsonschema.Draft202012Validator,
                        format_checker=jsonschema.FormatChecker(),
                    )
                    count += 1
    assert count > 80


def test_every_body_has_an_example_that_fits_its_schema(document: dict[str, Any]) -> None:
    for path, _, operation in operations_of(document):
        for media in operation.get("requestBody", {}).get("content", {}).values():
            schema = media["schema"] | {"components": document["components"]}
            jsonschema.validate(media["example"], schema, jsonschema.Draft202012Validator)
            assert path


def test_wrong_parameters_are_described_as_400_and_never_as_422(document: dict[str, Any]) -> None:
    """C-2, C-45: 422 is for a key that was used for another request, and for nothing else."""
    for path, _, operation in operations_of(document):
        if "422" in operation["responses"]:
            (example,) = operation["responses"]["422"]["content"]["application/json"]["examples"].values()
            assert example["value"]["error"]["code"] == "IDEMPOTENCY_KEY_REUSED"
        own = [one for one in operation.get("parameters", []) if one["name"] != "X-Request-ID"]
        if path.startswith("/v1/dataops") and own:
            assert "400" in operation["responses"]


def test_optional_parameters_are_not_described_as_nullable(document: dict[str, Any]) -> None:
    for _, _, operation in operations_of(document):
        for parameter in operation["parameters"]:
            assert "null" not in str(parameter["schema"]), parameter
    (stage,) = [one for one in document["paths"]["/v1/dataops/datasets"]["get"]["parameters"] if one["name"] == "stage"]
    assert "Stage" in str(stage["schema"])


def test_the_page_takes_every_asset_from_this_host(api: Any) -> None:
    page = api.anonymous.get("/docs")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert not re.search(r"(src|href)=[\"'](https?:)?//", page.text)
    assert not re.search(r"https?://", page.text)
    # Swagger UI would ask validator.swagger.io about the document otherwise.
    assert "validatorUrl: null" in api.anonymous.get("/docs/assets/start.js").text
    assets = re.findall(r"(?:src|href)=\"(/[^\"]+)\"", page.text)
    assert len(assets) == 4
    for asset in assets:
        answer = api.anonymous.get(asset)
        assert answer.status_code == 200, asset
        assert len(answer.content) > 200
    assert 'data-description="/openapi.json"' in page.text


def test_there_is_no_other_asset(api: Any) -> None:
    for name in ("__init__.py", "..%2f__init__.py", "swagger-ui-bundle.js.map"):
        assert api.anonymous.get(f"/docs/assets/{name}").status_code == 404


def test_answers_link_to_the_operations_that_their_ids_lead_to(document: dict[str, Any]) -> None:
    """C-6. That the links lead there is proved where they are followed (test_fuzzing.py)."""
    known = {operation["operationId"]: operation for _, _, operation in operations_of(document)}
    linked: dict[str, list[dict[str, str]]] = {}
    for _, _, operation in operations_of(document):
        for answer in operation["responses"].values():
            for link in answer.get("links", {}).values():
                linked.setdefault(link["operationId"], []).append(link["parameters"])
    for name, operation in known.items():
        in_path = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
        assert bool(in_path) == (name in linked), name
        assert all(set(parameters) == in_path for parameters in linked.get(name, []))
    accepted = document["paths"]["/v1/dataops/datasets"]["post"]["responses"]["202"]["links"]
    assert accepted["get_operation"]["parameters"] == {"operation_id": "$response.body#/operation_id"}
    assert accepted["get_dataset"]["parameters"] == {"dataset_id": "$response.body#/datasets/0/dataset_id"}


def test_limits_of_integers_are_integers_to_the_last_digit(document: dict[str, Any]) -> None:
    seed = document["components"]["schemas"]["Generation"]["properties"]["seed"]["anyOf"][0]
    assert str(seed["exclusiveMaximum"]) == "9007199254740992"
