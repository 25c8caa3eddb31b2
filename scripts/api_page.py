"""Writes docs/api.md from the OpenAPI description and the exchanges that a run left in docs/api-examples.json.

``make docs`` records the exchanges anew first (``record_api.py``). This script alone is enough where only the
description has changed: the page is a function of the two, and a test holds the committed one against it.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dataops_api.app import create_app
from dataops_core.settings import Settings

DOCS = Path(__file__).parent.parent / "docs"
PAGE = DOCS / "api.md"
EXAMPLES = DOCS / "api-examples.json"

_Described = Mapping[str, Any]

_HEAD = """\
# The API, operation by operation

Made by `make docs` from the OpenAPI description that the API serves at `/openapi.json`, and from a run on a real stack:
each request was sent as it stands here, and the answer is what came back. What differs from run to run (ids, times,
tokens, measured durations) is replaced, and what is long is cut where it says `…`. [contract.md](contract.md) has the
rules behind it, [errors.md](errors.md) every error code.

The examples want two variables: `BASE`, such as `http://127.0.0.1:8080`, and `TOKEN`, the `access_token` of
[`POST /token`](#create_token).
"""


def describe() -> dict[str, Any]:
    """The description that the API serves."""
    settings = Settings(secret_key="for the description alone", database_url="postgresql://nobody@localhost/nothing")  # noqa: S106
    document: dict[str, Any] = create_app(settings).openapi()
    return document


def operations_of(document: _Described) -> Iterator[tuple[str, str, _Described]]:
    """Method, path and description of each operation."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def render(document: _Described, exchanges: Mapping[str, Any]) -> str:
    """The page. Raises LookupError that names the operations of which the run has no exchange."""
    operations = list(operations_of(document))
    if missing := {one["operationId"] for _, _, one in operations} - exchanges.keys():
        raise LookupError(
            f"No exchange of {', '.join(sorted(missing))}: add it to scripts/record_api.py, run `make docs`"
        )
    tags = list(dict.fromkeys(operation["tags"][0] for _, _, operation in operations))
    parts = [_HEAD]
    for tag in tags:
        rows = [
            f"| [`{method} {path}`](#{operation['operationId']}) | {operation['summary']} |"
            for method, path, operation in operations
            if operation["tags"][0] == tag
        ]
        parts.append("\n".join([f"**{tag}**\n", "| operation | what |", "|---|---|", *rows, ""]))
    for tag in tags:
        parts.append(f"## {tag}\n")
        for method, path, operation in operations:
            if operation["tags"][0] == tag:
                parts += _operation(document, method, path, operation, exchanges[operation["operationId"]])
    return "\n".join(parts)


def _operation(
    document: _Described, method: str, path: str, operation: _Described, exchange: _Described
) -> Iterator[str]:
    yield f'<a id="{operation["operationId"]}"></a>\n\n### {operation["summary"]}\n\n`{method} {path}`\n'
    if operation.get("description"):
        yield f"{operation['description']}\n"
    scopes = [scope for needed in operation.get("security", ()) for scope in needed["oauth2"]]
    yield f"Scope: {' or '.join(f'`{one}`' for one in scopes) if scopes else 'none, anyone may ask'}.\n"
    if rows := [_parameter(document, one) for one in operation.get("parameters", ())]:
        yield _table(("parameter", "in", "type", "meaning"), rows)
    for body in list(operation.get("requestBody", {}).get("content", {}).values())[:1]:
        yield _table(("field of the body", "type", "required", "meaning"), list(_fields(document, body["schema"], "")))
    yield _table(("status", "when", "error codes"), [_answer(*one) for one in operation["responses"].items()])
    yield f"```bash\n{_curl(exchange['request'])}\n```\n"
    yield _shown_answer(exchange["answer"])


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines) + "\n"


def _parameter(document: _Described, one: _Described) -> Sequence[str]:
    schema = one["schema"]
    said = one.get("description", schema.get("description", "")).replace("\n", " ")
    default = f" Default `{_plain(schema['default'])}`." if "default" in schema else ""
    required = " Required." if one.get("required") and one["in"] != "path" else ""
    return f"`{one['name']}`", one["in"], _type(document, schema), f"{said}{required}{default}".strip()


def _fields(document: _Described, schema: _Described, above: str) -> Iterator[Sequence[str]]:
    schema = _resolved(document, schema)
    for name, member in schema.get("properties", {}).items():
        whole = _resolved(document, member)
        said = member.get("description", "" if "properties" in whole else whole.get("description", ""))
        default = member.get("default")
        if default not in (None, {}, []) and "properties" not in whole:
            said = f"{said} Default `{_plain(default)}`.".strip()
        required = "yes" if name in schema.get("required", ()) else "no"
        yield f"`{above}{name}`", _type(document, member), required, said.replace("\n", " ")
        yield from _fields(document, member, f"{above}{name}.")


def _type(document: _Described, schema: _Described) -> str:
    schema = _resolved(document, schema)
    if "enum" in schema:
        return ", ".join(f"`{_plain(one)}`" for one in schema["enum"])
    if "const" in schema:
        return f"`{_plain(schema['const'])}`"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(document, one) for one in schema["anyOf"]))
    kind = str(schema.get("format") or schema.get("type", "any"))
    if kind == "array":
        return f"list of {_type(document, schema.get('items', {}))}"
    limits = [
        f"{word} {schema[name]}"
        for name, word in (
            ("minimum", "from"),
            ("maximum", "to"),
            ("exclusiveMaximum", "below"),
            ("minLength", "from length"),
            ("maxLength", "to length"),
        )
        if name in schema
    ]
    return " ".join([kind, *limits])


def _resolved(document: _Described, schema: _Described) -> _Described:
    """The schema itself, where it is a reference: keys beside the reference stay."""
    if "$ref" in schema:
        return {**document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], **schema, "$ref": None}
    return schema


def _answer(status: str, answer: _Described) -> Sequence[str]:
    examples = [
        example["value"]
        for media in answer.get("content", {}).values()
        for example in media.get("examples", {}).values()
    ]
    examples += [media["example"] for media in answer.get("content", {}).values() if "example" in media]
    errors = [one["error"] for one in examples if status >= "400" and isinstance(one, dict)]
    codes = dict.fromkeys(one["code"] if isinstance(one, dict) else one for one in errors)
    messages = dict.fromkeys(one["message"] for one in errors if isinstance(one, dict))
    said = "; ".join(messages) or answer.get("description", "")
    return status, said.replace("\n", " "), ", ".join(f"`{code}`" for code in codes)


def _curl(request: _Described) -> str:
    lines = [f'curl -X {request["method"]} "$BASE{request["path"]}"']
    lines += [f'  -H "{name}: {value}"' for name, value in request["headers"].items()]
    if request["body"] is not None:
        body = json.dumps(request["body"], indent=2, ensure_ascii=False).replace("\n", "\n  ")
        lines.append(f"  -d '{body}'")
    return " \\\n".join(lines)


def _shown_answer(answer: _Described) -> str:
    head = [f"HTTP/1.1 {answer['status']}", *(f"{name}: {value}" for name, value in answer["headers"].items())]
    body = answer["body"]
    if body is None:
        shown = ""
    elif isinstance(body, str):
        shown = f"\n{body.strip()}\n"
    else:
        shown = f"\n{json.dumps(body, indent=2, ensure_ascii=False)}\n"
    return "```http\n" + "\n".join(head) + f"\n{shown}```\n"


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def main() -> int:
    """Writes the page. Exit status 1 with a sentence where an operation has no exchange."""
    try:
        page = render(describe(), json.loads(EXAMPLES.read_text(encoding="utf-8")))
    except LookupError as error:
        sys.stderr.write(f"{error.args[0]}\n")
        return 1
    PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
