"""The JavaScript SDK beside the OpenAPI description that is served (C-95): no endpoint, field or word is missing.

Members and words are made from the description (``make sdk``); methods are written by hand, and each is called with all
that its operation takes.
"""

import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from dataops_api.errors import STATUS_OF_CODE
from tests.sdks import described
from tests.sdks.conformance.server import FaultServer
from tests.sdks.described import APART, COUNTERPARTS, Described

ROOT = Path(__file__).parents[3]
LIBRARY = ROOT / "sdks/javascript/lib"
ID = "550e8400-e29b-41d4-a716-446655440000"
PATH_IDS = re.compile(r"\{\w+\}")
PLAIN = [one for one in described.operations() if one.operation_id in COUNTERPARTS]
Run = Callable[[dict[str, Any]], dict[str, Any]]


def camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), name)


def evaluated(node: str, expression: str) -> Any:
    """What the expression about ``sdk`` and files of the library (``lib("…")``) is."""
    program = f"""
        const lib = (name) => require("{LIBRARY}/" + name);
        const sdk = lib("index.js");
        Promise.resolve({expression}).then((value) => console.log(JSON.stringify(value)));
    """
    done = subprocess.run([node, "-e", program], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def sample(schema: Mapping[str, Any]) -> Any:
    """A value of this schema with everything in it."""
    schema = described.resolved(schema)
    members = described.properties(schema)
    if members:
        return {name: sample(member) for name, member in members.items()}
    if words := sorted(described.words(schema)):
        return words[-1:] if schema.get("type") == "array" else words[-1]
    samples = {"array": ["text"], "object": {"a_key": "a_value"}, "integer": 20, "number": 1.5, "boolean": False}
    return samples.get(schema.get("type", ""), "2026-01-28T10:30:00Z" if schema.get("format") == "date-time" else ID)


def test_what_is_made_from_the_description_is_up_to_date() -> None:
    spec = spec_from_file_location("javascript_sdk", ROOT / "scripts/javascript_sdk.py")
    assert spec is not None
    assert spec.loader is not None
    script = module_from_spec(spec)
    spec.loader.exec_module(script)
    stale = [path.name for path, text in script.made().items() if path.read_text("utf-8") != text]
    assert stale == [], "run `make sdk`"


@pytest.mark.parametrize("operation", PLAIN, ids=[one.operation_id for one in PLAIN])
def test_a_method_sends_all_that_its_operation_takes(server: FaultServer, run: Run, operation: Described) -> None:
    members = {name: sample(schema) for name, schema in operation.parameters("query").items()}
    members |= sample(operation.body) if operation.body is not None else {}
    headers = operation.parameters("header")
    named = dict(members)
    if "Idempotency-Key" in headers:
        named["idempotency_key"] = "mine"
    if "If-Match" in headers:
        named["if_match"] = '"tag"'
    positional = [ID] * len(PATH_IDS.findall(operation.path))
    options = {"client_id": "id", "client_secret": "secret", "base_url": server.base_url, "max_retries": 0}

    outcome = run({"options": options, "call": [COUNTERPARTS[operation.operation_id], positional, named]})

    assert outcome["error"]["kind"] == "NotFoundError", "the server knows nothing"
    seen = server.requests[0]
    assert (seen.method, seen.path) == (operation.method, PATH_IDS.sub(ID, operation.path))
    query = {name: value for name, (value,) in parse_qs(seen.query).items()}
    assert query == {name: in_query(members[name]) for name in operation.parameters("query")}
    assert (seen.body or {}) == {name: members[name] for name in members if name not in query}
    if "Idempotency-Key" in headers:
        assert seen.headers["idempotency-key"] == "mine"
    if "If-Match" in headers:
        assert seen.headers["if-match"] == '"tag"'


def in_query(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool | int) else str(value)


def test_every_operation_is_known(node: str) -> None:
    assert {one.operation_id for one in described.operations()} == COUNTERPARTS.keys() | APART
    known = evaluated(node, 'Object.keys(lib("operations.js").OPERATIONS)')
    assert set(known) == (COUNTERPARTS.keys() | APART) - {"create_token"}


def test_every_method_has_a_type_and_every_type_a_method(node: str) -> None:
    methods = evaluated(
        node,
        """Object.fromEntries(Object.entries(lib("resources.js")).map(([name, kind]) => [
            name, Object.getOwnPropertyNames(kind.prototype).filter((one) => one !== "constructor"),
        ]))""",
    )
    typed = {name: re.findall(r"^  (\w+)\(", body, re.MULTILINE) for name, body in interfaces()}
    assert {name: sorted(typed[name]) for name in methods} == {name: sorted(found) for name, found in methods.items()}
    called = {name for operation, name in COUNTERPARTS.items() if operation != "get_quality"}
    resources = {"datasets": "Datasets", "quality": "Quality", "templates": "Templates", "operations": "Operations"}
    resources |= {"journeys": "Journeys", "audit": "AuditLog", "service": "Service"}
    for name in called:
        resource, method = name.split(".")
        assert camel(method) in methods[resources[resource]]


def interfaces() -> Iterator[tuple[str, str]]:
    text = (LIBRARY / "index.d.ts").read_text("utf-8")
    for found in re.finditer(r"^export interface (\w+)[^{]*\{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL):
        yield found[1], found[2]


def test_both_module_systems_and_the_types_export_the_same(node: str) -> None:
    required = set(evaluated(node, "Object.keys(sdk)"))
    imported = set(evaluated(node, f'import("{LIBRARY}/index.mjs").then((module) => Object.keys(module))'))
    text = (LIBRARY / "index.d.ts").read_text("utf-8")
    assert imported - {"default"} == required
    assert set(re.findall(r"^export (?:class|const) (\w+)", text, re.MULTILINE)) == required
    assert evaluated(node, f'import("{LIBRARY}/index.mjs").then((one) => one.Operation === sdk.Operation)') is True


def test_every_code_has_an_error(node: str) -> None:
    codes = evaluated(
        node,
        """Object.fromEntries(Object.entries(lib("errors.js").CODES).map(
            ([code, [status, kind]]) => [code, [status, sdk[kind.errorName] === kind]]))""",
    )
    assert codes == {code: [status, True] for code, status in STATUS_OF_CODE.items()}


def test_the_version_is_that_of_the_package(node: str) -> None:
    package = json.loads((ROOT / "sdks/javascript/package.json").read_text("utf-8"))
    assert evaluated(node, "sdk.version") == package["version"]
    assert "dependencies" not in package
