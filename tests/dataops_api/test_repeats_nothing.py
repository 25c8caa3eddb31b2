"""No error repeats a value that was sent (C-2): a mark in every place of every request, looked for in every refusal."""

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from dataops_core.ids import new_id

MARK = "zq7marker7qz"
#: Values of the wrong kind, each of which holds the mark or is a number like no other.
STRANGE = (MARK, f"2026-13-45T{MARK}", [MARK], {MARK: MARK}, 987654321987654321.5)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value in a body, the whole of it included."""
    yield path
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        yield from places(member, (*path, key))


def replaced(body: Any, path: tuple[Any, ...], by: Any) -> Any:
    """The body with another value at this place."""
    if not path:
        return by
    changed = copy.deepcopy(body)
    holder = changed
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = by
    return changed


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


@pytest.fixture(scope="module")
def document(api: Any) -> dict[str, Any]:
    described: dict[str, Any] = api.anonymous.get("/openapi.json").json()
    return described


def filled(path: str) -> str:
    return re.sub(r"\{\w+\}", lambda _: str(new_id()), path)


def must_not_repeat(answer: Any, seen: list[int]) -> None:
    if answer.status_code < 400:
        return
    body = answer.text
    keys = {key for key in (answer.json().get("error") or {}).get("details", {}) if MARK in key} if MARK in body else ()
    for key in keys:  # the name of a field that there is not is how the field is named
        body = body.replace(json.dumps(key), "")
    assert MARK not in body, f"{answer.request.method} {answer.request.url.path}: {answer.text}"
    assert "987654321987654321" not in body, f"{answer.request.method} {answer.request.url.path}: {answer.text}"
    seen.append(answer.status_code)


def test_no_error_repeats_what_stood_in_the_body(api: Any, document: dict[str, Any]) -> None:
    """C-2."""
    seen: list[int] = []
    for method, path, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None:
            continue
        example = content["example"]
        for place in places(example):
            for strange in STRANGE:
                answer = api.admin.request(method, filled(path), json=replaced(example, place, strange))
                if path != "/token":
                    must_not_repeat(answer, seen)
                else:
                    assert MARK not in answer.text
    assert len(seen) > 150


def test_no_error_repeats_what_stood_in_path_query_or_header(api: Any, document: dict[str, Any]) -> None:
    """C-2."""
    seen: list[int] = []
    for method, path, operation in operations(document):
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
        for parameter in operation["parameters"]:
            name, where = parameter["name"], parameter["in"]
            if name == "X-Request-ID":
                continue  # which every answer repeats (C-3)
            target, query, headers = path, {}, {}
            match where:
                case "path":
                    target = path.replace(f"{{{name}}}", MARK)
                case "query":
                    query = {name: MARK}
                case "header":
                    headers = {name: MARK}
            answer = api.admin.request(method, filled(target), params=query, headers=headers, json=body)
            must_not_repeat(answer, seen)
    assert len(seen) > 60
