"""Writes what of the JavaScript SDK follows from the OpenAPI description: ``make sdk``.

``lib/operations.js`` has method, path and members of each operation, ``lib/models.d.ts`` the types of requests and
answers in JavaScript's names. A test holds both against the description that is served, and that each operation has a
method of the client. Does not belong here: anything that a person has to choose, as the methods' names.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dataops_api.app import create_app
from dataops_core.settings import Settings

LIBRARY = Path(__file__).parent.parent / "sdks/javascript/lib"
BASE = "/v1/dataops"
_NOTE = "Made by `make sdk` from the OpenAPI description: change that."

_Schema = Mapping[str, Any]

#: Asked for by the session itself.
_NOT_CALLED = {"create_token"}
#: POST, but changes nothing: it may be made again.
_HARMLESS = {"recommend_templates"}
#: Whoever asks these wants to know how it is now.
_NEVER_REPEATED = {"healthz", "readyz"}
#: Names of the API that say too little, or something else, outside of it.
_NAMES = {
    "Check": "QualityCheck",
    "Checks": "QualityChecks",
    "Connector": "ConnectorDetails",
    "Entry": "AuditEntry",
    "Event": "JourneyEvent",
    "IssuedToken": "ConnectorToken",
    "Metadata": "AuthorizationServer",
    "Operation": "OperationState",
    "OperationError": "OperationProblem",
    "Resource": "AuditResource",
    "Result": "OperationResult",
    "dataops_api__connector_tokens__schemas__Token": "ConnectorTokenState",
}


def describe() -> dict[str, Any]:
    """The description that the API serves."""
    settings = Settings(secret_key="for the description alone", database_url="postgresql://nobody@localhost/nothing")  # noqa: S106
    document: dict[str, Any] = create_app(settings).openapi()
    return document


def camel(name: str) -> str:
    """``quality_score`` in JavaScript."""
    return re.sub(r"(?<=[a-z0-9])_([a-z0-9])", lambda found: found[1].upper(), name)


class Sdk:
    """The two files, of one description."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._schemas: Mapping[str, _Schema] = document["components"]["schemas"]
        self._operations: dict[str, tuple[str, str, Mapping[str, Any]]] = {
            said["operationId"]: (method.upper(), path, said)
            for path, methods in document["paths"].items()
            for method, said in methods.items()
            if said["operationId"] not in _NOT_CALLED
        }

    def operations_js(self) -> str:
        """``lib/operations.js``."""
        rows = [f"  {name}: {json.dumps(self._row(name))}," for name in self._operations]
        lines = ['"use strict";', f"// {_NOTE}", "", "const OPERATIONS = {", *rows, "};"]
        return "\n".join([*lines, "", "module.exports = { OPERATIONS };", ""])

    def models_d_ts(self) -> str:
        """``lib/models.d.ts``."""
        parts = [
            f"// {_NOTE}",
            "/** A word of the API. A newer server may know one that is not listed. */\n"
            "export type Known<Word extends string> = Word | (string & {});",
        ]
        requests = [self._request(name) for name in self._operations]
        parts += self._answers()
        parts += [one for one in requests if one]
        return "\n\n".join(parts) + "\n"

    def _row(self, name: str) -> dict[str, Any]:
        method, path, said = self._operations[name]
        row: dict[str, Any] = {"method": method, "path": path.removeprefix(BASE)}
        if not path.startswith(BASE):
            row["atRoot"] = True
        parameters = said.get("parameters", ())
        keyed = any(one["name"] == "Idempotency-Key" for one in parameters)
        harmless = method == "GET" or keyed or name in _HARMLESS
        row["repeat"] = "never" if name in _NEVER_REPEATED else "freely" if harmless else "refused"
        if keyed:
            row["keyed"] = True
        if query := {one["name"]: 1 for one in parameters if one["in"] == "query"}:
            row["query"] = query
        if (body := self._body(said)) is not None:
            row["body"] = self._tree(body)
        return row

    def _body(self, said: Mapping[str, Any]) -> _Schema | None:
        content = said.get("requestBody", {}).get("content", {}).get("application/json")
        return self._resolved(content["schema"]) if content is not None else None

    def _tree(self, schema: _Schema) -> dict[str, Any]:
        return {
            name: self._tree(member) if self._members(member) else 1 for name, member in self._members(schema).items()
        }

    def _members(self, schema: _Schema) -> dict[str, _Schema]:
        found = self._resolved(schema).get("properties", {})
        return {name: member for name, member in found.items() if member.get("not") != {}}

    def _resolved(self, schema: _Schema) -> _Schema:
        while True:
            if "$ref" in schema:
                schema = self._schemas[schema["$ref"].rpartition("/")[2]]
                continue
            real = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
            if len(real) != 1:
                return schema
            schema = real[0]

    def _answers(self) -> Iterator[str]:
        """Every schema that an answer leads to, and every enumeration."""
        waiting = [
            answer["content"]["application/json"]["schema"]
            for _, _, said in self._operations.values()
            for status, answer in said["responses"].items()
            if status.startswith("2") and "application/json" in answer.get("content", {})
        ]
        seen: set[str] = set()
        while waiting:
            for name in re.findall(r"#/components/schemas/(\w+)", json.dumps(waiting.pop())):
                if name not in seen and not name.endswith(("Links", "Link")):
                    seen.add(name)
                    waiting.append(self._schemas[name])
        seen |= {name for name, schema in self._schemas.items() if "enum" in schema}
        yield from (self._declared(name) for name in sorted(seen, key=lambda one: _NAMES.get(one, one)))

    def _declared(self, name: str) -> str:
        schema = self._schemas[name]
        said = _comment(schema.get("description", ""), "")
        shown = _NAMES.get(name, name)
        if "enum" in schema:
            return f"{said}export type {shown} = {_union(schema['enum'])};"
        lines = [f"{said}export interface {shown} {{"]
        for member, inner in schema.get("properties", {}).items():
            lines.append(self._field(member, inner, required=member in schema.get("required", ()), answer=True))
        return "\n".join([*lines, "}"])

    def _field(self, name: str, schema: _Schema, *, required: bool, answer: bool) -> str:
        said = _comment(schema.get("description", ""), "  ")
        if name == "_links":
            return f"{said}  links: Record<string, string | null>;"
        return f"{said}  {camel(name)}{'' if required else '?'}: {self._type(schema, answer=answer, name=name)};"

    def _request(self, name: str) -> str | None:
        _, _, said = self._operations[name]
        fields = [
            self._field(one["name"], one["schema"], required=False, answer=False)
            for one in said.get("parameters", ())
            if one["in"] == "query"
        ]
        if (body := self._body(said)) is not None:
            required = body.get("required", ())
            fields += [
                self._field(member, inner, required=member in required, answer=False)
                for member, inner in self._members(body).items()
            ]
        if not fields:
            return None
        words = "".join(part.capitalize() for part in name.split("_"))
        return "\n".join([f"/** What `{name}` takes. */", f"export interface {words}Request {{", *fields, "}"])

    def _type(self, schema: _Schema, *, answer: bool, name: str = "") -> str:
        if "anyOf" in schema:
            return " | ".join(dict.fromkeys(self._type(one, answer=answer, name=name) for one in schema["anyOf"]))
        if "$ref" in schema:
            target = schema["$ref"].rpartition("/")[2]
            if "enum" in self._schemas[target]:
                return f"Known<{_NAMES.get(target, target)}>" if answer else _NAMES.get(target, target)
            if answer:
                return _NAMES.get(target, target)
            schema = self._schemas[target]
        if "const" in schema or "enum" in schema:
            union = _union(schema.get("enum", [schema.get("const")]))
            return f"Known<{union}>"
        return self._plain_type(schema, answer=answer, name=name)

    def _plain_type(self, schema: _Schema, *, answer: bool, name: str) -> str:
        kind = schema.get("type")
        if kind == "array":
            inner = self._type(schema.get("items", {}), answer=answer)
            return f"({inner})[]" if " " in inner and not inner.startswith("{") else f"{inner}[]"
        if kind == "object":
            return self._object_type(schema, answer=answer, name=name)
        if not answer and schema.get("format") in {"date-time", "date"}:
            return "string | Date"
        return {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}.get(
            str(kind), "unknown"
        )

    def _object_type(self, schema: _Schema, *, answer: bool, name: str) -> str:
        if answer and name == "metadata":
            return 'import("./index").DatasetMetadata'
        members = self._members(schema)
        required = schema.get("required", ())
        fields = [
            f"{camel(one)}{'' if one in required else '?'}: {self._type(inner, answer=answer)}"
            for one, inner in members.items()
        ]
        if schema.get("additionalProperties") is True and members:
            fields.append("[key: string]: unknown")
        if fields:
            return f"{{ {'; '.join(fields)} }}"
        values = schema.get("additionalProperties")
        inner = self._type(values, answer=answer) if isinstance(values, Mapping) and values else "unknown"
        return f"Record<string, {inner}>"


def _union(words: list[Any]) -> str:
    return " | ".join(json.dumps(word) for word in words)


def _comment(text: str, indent: str) -> str:
    plain = " ".join(text.split()).replace("*/", "*")
    return f"{indent}/** {plain} */\n" if plain else ""


def made() -> dict[Path, str]:
    """Each file, and what it holds."""
    sdk = Sdk(describe())
    return {LIBRARY / "operations.js": sdk.operations_js(), LIBRARY / "models.d.ts": sdk.models_d_ts()}


def main() -> None:
    """Writes the files."""
    for path, text in made().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
