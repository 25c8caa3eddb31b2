"""OpenAPI's ``links``: which operation an answer leads to, and where in it the id stands.

They follow from names alone: where an answer holds an id that another operation has in its path, there is a link. So a
new route is linked by its description. Does not belong here: ``_links`` in answers (``links.py``).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_Schema = Mapping[str, Any]

#: Ids that operations have in their paths.
_IDS = ("dataset_id", "operation_id", "journey_id", "template_id", "token_id")
_DEEPEST = 3


def add_links(document: dict[str, Any]) -> None:
    """Adds to each answer of success the links that lead on from it."""
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    for source in operations:
        own = {name: f"$request.path.{name}" for name in _in_path(source)}
        for status, answer in source["responses"].items():
            schema = answer.get("content", {}).get("application/json", {}).get("schema")
            if not status.startswith("2") or schema is None:
                continue
            found = _pointers(schema, document)
            links = dict(_links(source, operations, own, found))
            if links:
                answer["links"] = links


def _links(
    source: _Schema, targets: Iterable[_Schema], own: Mapping[str, str], found: Mapping[str, str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for target in targets:
        names = _in_path(target)
        # What the answer says comes before what the request said, and at least one id must come from the answer.
        known = {**own, **found}
        if target is not source and set(names) & found.keys() and known.keys() >= set(names):
            yield (
                target["operationId"],
                {
                    "operationId": target["operationId"],
                    "description": target["summary"],
                    "parameters": {name: known[name] for name in names},
                },
            )


def _in_path(operation: _Schema) -> list[str]:
    return [one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"]


def _pointers(schema: _Schema, document: _Schema) -> dict[str, str]:
    """Where an answer holds each id, the place nearest to its top; the first element of a list stands for all."""
    found: dict[str, str] = {}
    level = [("$response.body#", schema)]
    for _ in range(_DEEPEST):
        below: list[tuple[str, _Schema]] = []
        for pointer, one in level:
            for name, member in _resolved(one, document).get("properties", {}).items():
                if name in _IDS:
                    found.setdefault(name, f"{pointer}/{name}")
                below.append((f"{pointer}/{name}", member))
                if "items" in member:
                    below.append((f"{pointer}/{name}/0", member["items"]))
        level = below
    return found


def _resolved(schema: _Schema, document: _Schema) -> _Schema:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    resolved: _Schema = document["components"]["schemas"][reference.rpartition("/")[2]]
    return resolved
