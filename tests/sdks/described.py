"""The OpenAPI description that the API serves, as far as SDKs have to follow it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from dataops_api.app import create_app
from dataops_core.settings import Settings

#: The method of every SDK for each operation of the API, in the API's words.
COUNTERPARTS = {
    "list_datasets": "datasets.list",
    "create_datasets": "datasets.create",
    "get_dataset": "datasets.get",
    "delete_dataset": "datasets.delete",
    "change_metadata": "datasets.update",
    "tear_down_dataset": "datasets.teardown",
    "get_usage": "datasets.get_usage",
    "restore_dataset": "datasets.restore",
    "get_quality": "quality.get",
    "validate_quality": "quality.validate",
    "get_quality_history": "quality.history",
    "get_connector": "datasets.get_connector",
    "create_connector_token": "datasets.create_connector_token",
    "revoke_connector_token": "datasets.revoke_connector_token",
    "list_templates": "templates.list",
    "recommend_templates": "templates.recommend",
    "get_template": "templates.get",
    "list_operations": "operations.list",
    "get_operation": "operations.get",
    "cancel_operation": "operations.cancel",
    "retry_operation": "operations.retry",
    "tell_journey_event": "journeys.tell",
    "get_journey": "journeys.get",
    "list_audit": "audit.list",
    "healthz": "service.health",
    "readyz": "service.readiness",
    "authorization_server_metadata": "service.authorization_server",
    "published_keys": "service.signing_keys",
}
#: Those whose method is no plain question and answer: a test of their own holds them.
APART = {"create_token", "get_records", "get_ground_truth", "watch_operation"}


@cache
def document() -> dict[str, Any]:
    """What is served at ``/openapi.json``."""
    settings = Settings(secret_key="for the description alone", database_url="postgresql://nobody@localhost/nothing")
    described: dict[str, Any] = create_app(settings).openapi()
    return described


@dataclass(frozen=True)
class Described:
    """One operation of the API."""

    operation_id: str
    method: str
    path: str
    said: Mapping[str, Any]

    def parameters(self, place: str) -> dict[str, Mapping[str, Any]]:
        """Name → schema of the parameters in ``query`` or ``header``."""
        return {one["name"]: one["schema"] for one in self.said.get("parameters", ()) if one["in"] == place}

    @property
    def body(self) -> Mapping[str, Any] | None:
        """The schema of its JSON body."""
        content = self.said.get("requestBody", {}).get("content", {})
        schema: Mapping[str, Any] | None = content.get("application/json", {}).get("schema")
        return resolved(schema) if schema is not None else None

    @property
    def answer(self) -> Mapping[str, Any] | None:
        """The schema of what it answers when all is well."""
        for status, answer in self.said["responses"].items():
            schema = answer.get("content", {}).get("application/json", {}).get("schema")
            if status.startswith("2") and schema is not None:
                return resolved(schema)
        return None


def operations() -> list[Described]:
    """Every operation, by its id."""
    return [
        Described(said["operationId"], method.upper(), path, said)
        for path, methods in document()["paths"].items()
        for method, said in methods.items()
    ]


def resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema without references and without ``null`` beside it."""
    while True:
        if "$ref" in schema:
            schema = document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            continue
        real = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
        if len(real) != 1:
            return schema
        schema = real[0]


def properties(schema: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Name → schema of an object's members that may be sent: what is forbidden by name is none."""
    return {
        name: resolved(member)
        for name, member in resolved(schema).get("properties", {}).items()
        if member.get("not") != {}
    }


def words(schema: Mapping[str, Any]) -> frozenset[str]:
    """The words of an enumeration, or of a list of such words; none where any text will do."""
    schema = resolved(schema)
    if schema.get("type") == "array":
        return words(schema.get("items", {}))
    found = schema.get("enum", [schema["const"]] if "const" in schema else [])
    return frozenset(one for one in found if isinstance(one, str))


def enumerations() -> Iterator[frozenset[str]]:
    """Every enumeration anywhere in the description."""

    def within(value: Any) -> Iterator[frozenset[str]]:
        if isinstance(value, Mapping):
            if isinstance(value.get("enum"), list):
                yield frozenset(one for one in value["enum"] if isinstance(one, str))
            for member in value.values():
                yield from within(member)
        elif isinstance(value, list):
            for member in value:
                yield from within(member)

    yield from within(document())
