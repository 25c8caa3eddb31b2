"""docs/api.md is what its script makes of the OpenAPI description and the recorded run."""

import json
import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
HOW = "Run `make docs`, or scripts/api_page.py where only the description has changed."


@pytest.fixture(scope="module")
def api_page() -> ModuleType:
    spec = spec_from_file_location("api_page", ROOT / "scripts/api_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def document(api_page: ModuleType) -> dict[str, Any]:
    described: dict[str, Any] = api_page.describe()
    return described


@pytest.fixture(scope="module")
def exchanges(api_page: ModuleType) -> dict[str, Any]:
    recorded: dict[str, Any] = json.loads(api_page.EXAMPLES.read_text(encoding="utf-8"))
    return recorded


@pytest.fixture(scope="module")
def page(api_page: ModuleType) -> str:
    text: str = api_page.PAGE.read_text(encoding="utf-8")
    return text


def test_the_page_is_what_the_description_and_the_run_make(
    api_page: ModuleType, document: dict[str, Any], exchanges: dict[str, Any], page: str
) -> None:
    assert api_page.render(document, exchanges) == page, HOW


def test_it_has_every_operation_with_its_statuses_and_scopes(
    api_page: ModuleType, document: dict[str, Any], page: str
) -> None:
    """C-2, C-4."""
    sections = dict(re.findall(r'<a id="(\w+)"></a>\n(.*?)(?=\n<a id=|\Z)', page, re.DOTALL))
    operations = list(api_page.operations_of(document))
    assert set(sections) == {operation["operationId"] for _, _, operation in operations}, HOW
    for method, path, operation in operations:
        section = sections[operation["operationId"]]
        assert f"\n`{method} {path}`\n" in section
        assert re.findall(r"^\| (\d{3}) \|", section, re.MULTILINE) == list(operation["responses"])
        for parameter in operation["parameters"]:
            assert f"| `{parameter['name']}` | {parameter['in']} |" in section
        for needed in operation.get("security", ()):
            assert f"`{needed['oauth2'][0]}`" in section
        assert section.count("```bash\ncurl -X ") == section.count("```http\nHTTP/1.1 2") == 1


def test_the_recorded_answers_are_such_as_the_description_has(
    api_page: ModuleType, document: dict[str, Any], exchanges: dict[str, Any]
) -> None:
    """Nothing that an answer lacks by now, or has by now, is left in the page."""
    for method, path, operation in api_page.operations_of(document):
        exchange = exchanges[operation["operationId"]]
        assert exchange["request"]["method"] == method
        assert re.match(re.sub(r"\{\w+\}", "[^/]+", path) + r"(\?|$)", exchange["request"]["path"])
        answer = operation["responses"][exchange["answer"]["status"].partition(" ")[0]]
        schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
        described = api_page._resolved(document, schema).get("properties")
        if described is not None:
            assert set(exchange["answer"]["body"]) == set(described), f"{operation['operationId']}: {HOW}"


def test_nothing_in_the_record_differs_from_run_to_run(exchanges: dict[str, Any]) -> None:
    text = json.dumps(exchanges)
    assert set(re.findall(r"\d{4}-\d\d-\d\dT", text)) == {"2026-01-28T"}
    assert not re.search(r"127\.0\.0\.1:(?!8080|3000)", text)
    assert "dol_s_" not in text.replace("dol_s_\\u2026", "")


def test_an_operation_that_the_run_lacks_is_named(api_page: ModuleType, document: dict[str, Any]) -> None:
    with pytest.raises(LookupError, match="get_dataset"):
        api_page.render(document, {})
