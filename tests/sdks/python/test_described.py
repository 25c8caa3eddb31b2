"""The Python SDK beside the OpenAPI description that is served (C-95): no endpoint, field or word is missing.

A new one fails here by name. An endpoint needs a line in ``COUNTERPARTS`` (``tests/sdks/described.py``) and a method,
which is called with every argument that it takes; what it then sends is what it knows. A field needs one in a model or
an argument, a word one in ``a_domain_sdk/models/words.py``.
"""

import inspect
import json
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID

import httpx
import pytest
from pydantic import BaseModel, SecretStr

import a_domain_sdk
from a_domain_sdk import AsyncDataOpsClient, DataOpsClient, LinkedPage, Operation, OperationState, Page, errors
from a_domain_sdk.models import AcceptedOperation, words
from dataops_api.errors import STATUS_OF_CODE
from tests.sdks import described
from tests.sdks.described import APART, COUNTERPARTS, Described

ID = "550e8400-e29b-41d4-a716-446655440000"
#: Arguments that Python does not let be named as on the wire.
NAMES = {"from": "since", "to": "until"}
#: Headers that the session sends of itself, or ``datasets.refresh`` for the caller.
HEADERS = {"X-Request-ID", "Idempotency-Key", "If-None-Match"}
#: The wire's names of arguments that go into headers.
HEADER_ARGUMENTS = {"if_match": "If-Match", "idempotency_key": "Idempotency-Key"}
#: What holds a single value of an answer.
SCALARS: Mapping[str, set[Any]] = {
    "string": {str, datetime, date, SecretStr, Any},
    "integer": {int, float, Any},
    "number": {float, Any},
    "boolean": {bool, Any},
}
PLAIN = [one for one in described.operations() if one.operation_id in COUNTERPARTS]


def method_of(client: object, operation_id: str) -> Any:
    resource, name = COUNTERPARTS[operation_id].split(".")
    return getattr(getattr(client, resource), name)


def signature(operation_id: str) -> dict[str, Any]:
    """Argument → type of the method, and ``return``."""
    with DataOpsClient("id", "secret", base_url="http://127.0.0.1:9/v1/dataops") as client:
        method = method_of(client, operation_id)
    hints = typing.get_type_hints(method)
    return {name: hints[name] for name in [*inspect.signature(method).parameters, "return"]}


def members(annotation: Any) -> list[Any]:
    """The types of a union, without None, and with what aliases stand for."""
    if get_origin(annotation) in {Union, types.UnionType}:
        return [one for part in get_args(annotation) for one in members(part)]
    return [] if annotation is type(None) else [annotation]


def literals(annotation: Any) -> frozenset[str]:
    """The words that a type names, also as items of a list."""
    found: set[str] = set()
    for one in members(annotation):
        if get_origin(one) is Literal:
            found |= {word for word in get_args(one) if isinstance(word, str)}
        elif get_origin(one) in {list, Sequence}:
            found |= literals(get_args(one)[0])
    return frozenset(found)


def plain_types(annotation: Any) -> set[Any]:
    """The types of single values that a type names; a word is a text."""
    return {
        str if get_origin(one) is Literal else get_args(one)[0] if get_origin(one) is Annotated else one
        for one in members(annotation)
    }


def sample(annotation: Any) -> Any:
    """A value of this type with everything in it."""
    kinds = members(annotation)
    for kind in kinds:
        if typing.is_typeddict(kind):
            return {name: sample(hint) for name, hint in typing.get_type_hints(kind).items()}
        if get_origin(kind) is Literal:
            return get_args(kind)[-1]
    origin = get_origin(kinds[0])
    if origin in {list, Sequence}:
        return [sample(get_args(kinds[0])[0])]
    if origin is Mapping:
        return {"confluence_pages": ID}
    samples = {bool: True, int: 7, UUID: ID, str: ID, datetime: datetime(2026, 1, 28, tzinfo=UTC)}
    return next(samples[kind] for kind in (datetime, UUID, bool, int, str) if kind in kinds)


def asked(operation: Described) -> httpx.Request:
    """What the method sends when it is called with every argument it has."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/token":
            return httpx.Response(200, json={"access_token": "token", "expires_in": 3600})
        seen.append(request)
        return httpx.Response(500, json={})

    arguments = {name: sample(hint) for name, hint in signature(operation.operation_id).items() if name != "return"}
    transport = httpx.MockTransport(answer)
    with DataOpsClient("id", "secret", base_url="https://api.example/v1/dataops", transport=transport) as client:
        method = method_of(client, operation.operation_id)
        kinds = {name: one.kind for name, one in inspect.signature(method).parameters.items()}
        positional = [
            arguments.pop(name) for name in list(arguments) if kinds[name] is not inspect.Parameter.KEYWORD_ONLY
        ]
        with pytest.raises(errors.InternalServerError):
            method(*positional, **arguments)
    return seen[0]


def test_every_operation_of_the_api_has_a_method() -> None:
    known = COUNTERPARTS.keys() | APART
    assert {one.operation_id for one in described.operations()} == known, "see COUNTERPARTS"


def test_both_clients_have_the_same_methods() -> None:
    blocking = DataOpsClient("id", "secret", base_url="http://127.0.0.1:9/v1/dataops")
    awaited = AsyncDataOpsClient("id", "secret", base_url="http://127.0.0.1:9/v1/dataops")
    resources = [name for name, member in vars(DataOpsClient).items() if isinstance(member, cached_property)]
    for resource in resources:
        one, other = getattr(blocking, resource), getattr(awaited, resource)
        names = [name for name in dir(one) if not name.startswith("_")]
        assert names == [name for name in dir(other) if not name.startswith("_")]
        for name in names:
            there, here = inspect.signature(getattr(one, name)), inspect.signature(getattr(other, name))
            assert list(there.parameters) == list(here.parameters)
    assert {name.split(".")[0] for name in COUNTERPARTS.values()} == set(resources)
    blocking.close()


@pytest.mark.parametrize("operation", PLAIN, ids=[one.operation_id for one in PLAIN])
def test_a_method_sends_all_that_its_operation_takes(operation: Described) -> None:
    request = asked(operation)
    what = COUNTERPARTS[operation.operation_id]

    assert request.method == operation.method
    path = operation.path
    for name in ("dataset_id", "token_id", "template_id", "operation_id", "journey_id"):
        path = path.replace(f"{{{name}}}", ID)
    assert request.url.path == path
    assert set(request.url.params) == set(operation.parameters("query")), f"the query of {what}"
    wanted = set(operation.parameters("header")) - HEADERS
    assert {name for name in wanted if name.lower() in request.headers} == wanted, f"headers of {what}"
    if "Idempotency-Key" in operation.parameters("header"):
        assert request.headers["Idempotency-Key"] == ID
    body = json.loads(request.content) if request.content else {}
    assert list(unsent(operation.body or {}, body, "")) == [], f"the body of {what}"


def unsent(schema: Mapping[str, Any], body: Any, path: str) -> Iterator[str]:
    """Members of the schema that the body lacks, and members of the body that the schema does not know."""
    described_members = described.properties(schema)
    if not described_members or not isinstance(body, dict):
        return
    if described.resolved(schema).get("additionalProperties") is True:
        return
    for name, member in described_members.items():
        if name not in body:
            yield f"{path}{name} has no argument"
        else:
            yield from unsent(member, body[name], f"{path}{name}.")
    for name in body.keys() - described_members.keys():
        yield f"{path}{name} is not taken"


@pytest.mark.parametrize("operation", PLAIN, ids=[one.operation_id for one in PLAIN])
def test_arguments_know_every_word(operation: Described) -> None:
    hints = signature(operation.operation_id)
    taken = operation.parameters("query") | described.properties(operation.body or {})
    found = [
        problem
        for name, schema in taken.items()
        if NAMES.get(name, name) in hints
        for problem in unknown_words(
            schema, hints[NAMES.get(name, name)], f"{name} of {COUNTERPARTS[operation.operation_id]}"
        )
    ]
    assert found == [], "see a_domain_sdk/models/words.py"


def unknown_words(schema: Mapping[str, Any], annotation: Any, where: str) -> Iterator[str]:
    expected = described.words(schema)
    if expected != literals(annotation) and expected:
        yield f"{where}: {sorted(expected ^ literals(annotation))}"
    for kind in members(annotation):
        if typing.is_typeddict(kind):
            hints = typing.get_type_hints(kind)
            for name, member in described.properties(schema).items():
                yield from unknown_words(member, hints[name], f"{name} of {where}")


@pytest.mark.parametrize("operation", PLAIN, ids=[one.operation_id for one in PLAIN])
def test_models_have_every_field_and_word_of_the_answer(operation: Described) -> None:
    schema, model = operation.answer, signature(operation.operation_id)["return"]
    if schema is None:
        assert model is type(None)
        return
    assert list(differences(schema, answered(operation, model), operation.operation_id)) == []


def answered(operation: Described, annotation: Any) -> Any:
    """The model of the answer that the method's result is made from."""
    if annotation is Operation:
        return OperationState if operation.method == "GET" else AcceptedOperation
    return annotation


def differences(schema: Mapping[str, Any], annotation: Any, where: str) -> Iterator[str]:
    """What the answer has and the model lacks, a sentence each."""
    kind = members(annotation)[0]
    if get_origin(kind) in {Page, LinkedPage, list} and schema.get("type") == "object":
        # A page or a list is made from the one array of its answer.
        (name,) = [one for one, member in described.properties(schema).items() if member.get("type") == "array"]
        yield from differences(described.properties(schema)[name]["items"], get_args(kind)[0], f"{where}.{name}")
        return
    schema = described.resolved(schema)
    if schema.get("type") == "array":
        yield from differences(schema["items"], get_args(kind)[0], f"{where}[]")
    elif described.properties(schema):
        yield from _missing(schema, kind, where)
    elif described.words(schema) - literals(annotation) and len(described.words(schema)) > 1:
        yield f"{where}: the words {sorted(described.words(schema) - literals(annotation))} are not known"
    elif schema.get("type") in SCALARS and not SCALARS[schema["type"]] & plain_types(annotation):
        yield f"{where}: {annotation} holds no {schema['type']}"


def _missing(schema: Mapping[str, Any], kind: Any, where: str) -> Iterator[str]:
    for name, member in described.properties(schema).items():
        if name == "_links":
            continue
        if get_origin(kind) is dict:
            yield from differences(member, get_args(kind)[1], f"{where}.{name}")
        elif not (inspect.isclass(kind) and issubclass(kind, BaseModel)):
            yield f"{where}: {kind} is no model"
        elif name not in kind.model_fields:
            yield f"{where}.{name}: {kind.__name__} has no such field"
        else:
            yield from differences(member, typing.get_type_hints(kind)[name], f"{where}.{name}")


def test_every_word_is_one_of_the_api() -> None:
    served = set(described.enumerations())
    known = {name: literals(value) for name, value in vars(words).items() if get_origin(value) is Literal}
    assert {name: sorted(found) for name, found in known.items() if found not in served} == {}


def test_every_code_has_an_error() -> None:
    assert {code: kind.__name__ for code, kind in errors._BY_CODE.items()}.keys() == STATUS_OF_CODE.keys()
    assert errors._BY_STATUS.keys() == set(STATUS_OF_CODE.values())
    assert all(getattr(a_domain_sdk, kind.__name__) is kind for kind in errors._BY_CODE.values())


def test_records_know_every_form_and_parameter() -> None:
    (operation,) = [one for one in described.operations() if one.operation_id == "get_records"]
    assert set(operation.parameters("query")) == {"format", "page", "per_page"}
    assert described.words(operation.parameters("query")["format"]) == {"json", "ndjson", "parquet"}
    with DataOpsClient("id", "secret", base_url="http://127.0.0.1:9/v1/dataops") as client:
        records = client.datasets.records(ID)
    assert list(inspect.signature(records.page).parameters) == ["page", "per_page"]


def test_ground_truth_knows_every_form_and_parameter_and_field() -> None:
    (operation,) = [one for one in described.operations() if one.operation_id == "get_ground_truth"]
    taken = operation.parameters("query")
    assert set(taken) == {"format", "kind", "page", "per_page"}
    assert described.words(taken["format"]) == {"json", "beir"}
    assert described.words(taken["kind"]) == literals(words.QuestionKind)
    with DataOpsClient("id", "secret", base_url="http://127.0.0.1:9/v1/dataops") as client:
        truth = client.datasets.ground_truth(ID, kind="people")
    assert list(inspect.signature(truth.page).parameters) == ["page", "per_page"]
    assert operation.answer is not None
    items = described.properties(operation.answer)["queries"]["items"]
    assert list(differences(items, a_domain_sdk.Question, "question")) == []
    listed = described.properties(operation.answer)["defects"]["items"]
    assert list(differences(listed, a_domain_sdk.PlantedDefect, "defect")) == []


def test_a_watched_operation_is_an_operation() -> None:
    (operation,) = [one for one in described.operations() if one.operation_id == "watch_operation"]
    assert set(operation.parameters("query")) == set()
    said = operation.said["responses"]["200"]["content"]["text/event-stream"]
    assert "schema" in said or "itemSchema" in said
