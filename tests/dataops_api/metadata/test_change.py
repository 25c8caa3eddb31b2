"""Changing a dataset's metadata (C-7, C-50)."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import update

from dataops_core.lifecycle import DatasetStatus
from dataops_core.registry.tables import Dataset
from dataops_core.scopes import Scope

DATASETS = "/v1/dataops/datasets"
FIELDS = {"client_name": "ACME", "cost_center": 7}


@pytest.fixture
def path(api: Any) -> str:
    """A dataset with everything said about it."""
    said = {"requested_by": "john.doe@acme.com", "reason": "why not", "tags": ["sandbox", "mock"]}
    return f"{DATASETS}/{api.ready(metadata=said | {'custom_fields': FIELDS})}"


@pytest.fixture
def change(api: Any, path: str) -> Callable[..., httpx.Response]:
    """Sends a change of the dataset's metadata."""

    def send(**metadata: Any) -> httpx.Response:
        answer: httpx.Response = api.admin.patch(path, json={"metadata": metadata})
        return answer

    return send


def said(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    metadata: dict[str, Any] = answer.json()["metadata"]
    return metadata


def test_the_references_request_gets_the_dataset_with_its_new_tag(api: Any, path: str) -> None:
    """C-50, C-7: as printed."""
    before = api.admin.get(path)
    with api.asking(Scope.DATASETS_WRITE) as client:
        answer = client.patch(
            path,
            content='{"metadata": {"tags": ["updated", "validated"], "custom_field": "value"}}',
            headers={"Content-Type": "application/json"},
        )
    assert answer.status_code == 200
    after = api.admin.get(path)
    assert (answer.content, answer.headers["etag"]) == (after.content, after.headers["etag"])
    assert after.headers["etag"] != before.headers["etag"]
    changed = {"tags": ["updated", "validated"], "custom_field": "value"}
    assert after.json()["metadata"] == before.json()["metadata"] | changed
    rest = {name for name, value in after.json().items() if value != before.json()[name]}
    assert rest <= {"metadata", "updated_at"}
    assert api.admin.get(path, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304


def test_tags_are_replaced_and_can_be_searched_for_at_once(api: Any, change: Any) -> None:
    """C-50, C-30."""
    tag = str(uuid4())
    assert said(change(tags=[tag, "b"]))["tags"] == [tag, "b"]
    assert api.admin.get(DATASETS, params={"tag": tag}).json()["pagination"]["total_count"] == 1
    assert said(change(tags=[]))["tags"] == []
    assert api.admin.get(DATASETS, params={"tag": tag}).json()["pagination"]["total_count"] == 0
    said(change(tags=["c"]))
    assert said(change(tags=None))["tags"] == []
    assert said(change(colour="red"))["tags"] == []


def test_other_keys_are_merged_and_null_removes(api: Any, path: str, change: Any) -> None:
    """C-50."""
    first = said(api.admin.get(path))
    assert said(change(colour="red", nested={"a": {"b": None}})) == first | {
        "colour": "red",
        "nested": {"a": {"b": None}},
    }
    assert said(change(nested={"c": [1, 2.5, False]}, owner=None)) == first | {
        "colour": "red",
        "nested": {"c": [1, 2.5, False]},
    }
    assert said(change(colour=None, nested=None)) == first


def test_custom_fields_are_merged_one_level(api: Any, path: str, change: Any) -> None:
    """C-50: the name stays, though it came from one of them (C-34)."""
    name = api.admin.get(path).json()["name"]
    merged = said(change(custom_fields={"cost_center": None, "deep": {"a": 1}, "client_name": "Other"}))
    assert merged["custom_fields"] == {"client_name": "Other", "deep": {"a": 1}}
    merged = said(change(custom_fields={"deep": {"b": None}}))
    assert merged["custom_fields"] == {"client_name": "Other", "deep": {"b": None}}
    assert said(change(custom_fields={}))["custom_fields"] == merged["custom_fields"]
    assert said(change(custom_fields=None))["custom_fields"] == {}
    assert said(change(custom_fields={"a": 1}))["custom_fields"] == {"a": 1}
    assert api.admin.get(path).json()["name"] == name == "ACME-Sandbox-Confluence"


def test_a_change_that_changes_nothing_leaves_the_tag(api: Any, path: str, change: Any) -> None:
    """C-50, C-7; true and 1 are two values."""
    before = api.admin.get(path)
    for nothing in ({}, {"owner": None}, {"tags": ["sandbox", "mock"]}, {"custom_fields": {"cost_center": 7}}):
        assert change(**nothing).headers["etag"] == before.headers["etag"]
    assert said(change(flag=1))["flag"] is not True
    assert said(change(flag=True))["flag"] is True


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"metadata": {"industry": "retail"}}, "metadata.industry"),
        ({"metadata": {"use_case": None}}, "metadata.use_case"),
        ({"metadata": {"requested_by": "me"}}, "metadata.requested_by"),
        ({"metadata": {"reason": "another", "tags": ["x"]}}, "metadata.reason"),
        ({"metadata": {"tags": ["x"] * 51}}, "metadata.tags"),
        ({"metadata": {"tags": [""]}}, "metadata.tags.0"),
        ({"metadata": {"tags": ["x", "x" * 65]}}, "metadata.tags.1"),
        ({"metadata": {"tags": [7]}}, "metadata.tags.0"),
        ({"metadata": {"tags": "x"}}, "metadata.tags"),
        ({"metadata": {"custom_fields": []}}, "metadata.custom_fields"),
        ({"metadata": {"custom_fields": {"client_name": ""}}}, "metadata.custom_fields.client_name"),
        ({"metadata": {"custom_fields": {"industry": "mining"}}}, "metadata.custom_fields.industry"),
        ({"metadata": {"custom_fields": {"company_size": 7}}}, "metadata.custom_fields.company_size"),
        ({"metadata": {"custom_fields": {"use_case": []}}}, "metadata.custom_fields.use_case"),
        ({"metadata": {"colour": "x" * 16_500}}, "metadata"),
        ({"metadata": None}, "metadata"),
        ({"metadata": []}, "metadata"),
        ({"metadata": {}, "status": "ready"}, "status"),
        ({"metadata": {}, "name": "x"}, "name"),
        ({"tags": ["x"]}, "tags"),
        ({}, "metadata"),
    ],
)
def test_what_cannot_be_said_is_refused_by_name_and_changes_nothing(
    api: Any, path: str, body: dict[str, Any], field: str
) -> None:
    """C-50."""
    before = api.admin.get(path)
    answer = api.admin.patch(path, json=body)
    assert answer.status_code == 400
    assert field in answer.json()["error"]["details"]
    assert api.admin.get(path).content == before.content


def test_a_body_is_required(api: Any, path: str) -> None:
    """C-50."""
    assert api.admin.patch(path).json()["error"]["details"] == {"body": "A JSON body is required"}


def test_fifty_tags_of_sixty_four_characters_are_taken(change: Any) -> None:
    """C-50: characters, not bytes."""
    tags = [f"{number:02}" + "日" * 62 for number in range(50)]
    assert said(change(tags=tags))["tags"] == tags


def test_the_limit_holds_for_what_is_there_after_the_change(api: Any, path: str, change: Any) -> None:
    """C-50: 16 KiB of what people said, counted as JSON; what is too large can be made smaller."""
    user_part = {
        name: value for name, value in said(api.admin.get(path)).items() if name not in ("industry", "use_case")
    }
    left = 16 * 1024 - len(json.dumps(user_part | {"notes": ""}).encode())
    assert said(change(notes="x" * left))["notes"] == "x" * left
    refused = change(notes="x" * (left + 1))
    assert refused.json()["error"]["details"] == {"metadata": "Must be at most 16 KiB after the change"}
    assert change(more=1).status_code == 400
    assert change(custom_fields={"more": 1}).status_code == 400
    assert said(change(notes=None, more=1))["more"] == 1


@pytest.mark.parametrize("status", DatasetStatus)
def test_it_works_in_every_status(own_api: Any, status: DatasetStatus) -> None:
    """C-50."""
    dataset_id = UUID(own_api.provision(dataset_types=["confluence_pages"])["datasets"][0]["dataset_id"])
    with own_api.database.transaction() as session:
        session.execute(update(Dataset).where(Dataset.dataset_id == dataset_id).values(status=status))
    answer = own_api.admin.patch(f"{DATASETS}/{dataset_id}", json={"metadata": {"tags": ["x"]}})
    assert said(answer)["tags"] == ["x"]
    assert answer.json()["status"] == status


def test_a_dataset_that_is_not_there_or_another_customers_is_404(api: Any, path: str) -> None:
    """C-36, C-8: before the condition is looked at."""
    for missing in (uuid4(), "acme"):
        answer = api.admin.patch(f"{DATASETS}/{missing}", json={"metadata": {}}, headers={"If-Match": '"x"'})
        assert answer.status_code == (400 if missing == "acme" else 404)
    with api.asking(Scope.DATASETS_WRITE, customers=[uuid4()]) as stranger:
        answer = stranger.patch(path, json={"metadata": {"tags": []}}, headers={"If-Match": '"x"'})
        assert answer.status_code == 404
        assert answer.json()["error"]["message"] == "Dataset not found"
    assert said(api.admin.get(path))["tags"] == ["sandbox", "mock"]


def test_read_is_not_enough(api: Any, path: str) -> None:
    """C-21."""
    with api.asking(Scope.DATASETS_READ) as client:
        assert client.patch(path, json={"metadata": {}}).status_code == 403


def test_what_is_said_later_does_not_trouble_later_requests(api: Any) -> None:
    """C-41, C-50: a free key has the name of a field that steers, and steers nothing."""
    body = {"client_id": str(uuid4()), "dataset_types": ["confluence_pages"]}
    dataset_id = api.ready(**body, metadata={"custom_fields": {"industry": "retail", "company_size": "startup"}})
    change = {"company_size": {"none": "of them"}, "colour": "red"}
    assert api.admin.patch(f"{DATASETS}/{dataset_id}", json={"metadata": change}).status_code == 200
    later = api.provision(**body, stage="pilot")["datasets"][0]["dataset_id"]
    shown = said(api.admin.get(f"{DATASETS}/{later}"))
    assert shown["industry"] == "retail"
    assert "colour" not in shown


# --- conditions -------------------------------------------------------------------------------------------------------


def conditional(api: Any, path: str, *conditions: str | bytes) -> httpx.Response:
    headers = [("If-Match", condition) for condition in conditions]
    answer: httpx.Response = api.admin.patch(path, json={"metadata": {"seen": str(uuid4())}}, headers=headers)
    return answer


@pytest.mark.parametrize(
    "form", ["{tag}", "*", '"other" ,\t{tag}', ',{tag},,"other"', 'W/"other", {tag}', '"a,b", {tag}']
)
def test_a_condition_that_holds_lets_the_change_through(api: Any, path: str, form: str) -> None:
    """C-7, by RFC 9110 §13.1.1."""
    tag = api.admin.get(path).headers["etag"]
    assert conditional(api, path, form.format(tag=tag)).status_code == 200


def test_several_lines_of_the_condition_are_one_list(api: Any, path: str) -> None:
    """C-7, by RFC 9110 §5.3."""
    tag = api.admin.get(path).headers["etag"]
    assert conditional(api, path, '"other"', tag).status_code == 200


@pytest.mark.parametrize("form", ['"other"', "W/{tag}", '"other", W/{tag}', '""', '"*"', '"{bare},"'])
def test_a_condition_that_does_not_hold_is_412_and_changes_nothing(api: Any, path: str, form: str) -> None:
    """C-7: a weak tag matches nothing here."""
    before = api.admin.get(path)
    tag = before.headers["etag"]
    answer = conditional(api, path, form.format(tag=tag, bare=tag.strip('"')))
    assert answer.status_code == 412
    assert answer.json()["error"]["code"] == "PRECONDITION_FAILED"
    assert answer.json()["error"]["details"] == {"etag": tag}
    assert api.admin.get(path).content == before.content


@pytest.mark.parametrize("form", ["{bare}", "", '"x" "y"', '*, "x"', "w/{tag}", '"x'])
def test_a_condition_that_is_none_is_named(api: Any, path: str, form: str) -> None:
    """C-7, C-2: a client that believes itself safe must not be let through."""
    before = api.admin.get(path)
    tag = before.headers["etag"]
    answer = conditional(api, path, form.format(tag=tag, bare=tag.strip('"')))
    assert answer.status_code == 400
    assert list(answer.json()["error"]["details"]) == ["If-Match"]
    assert api.admin.get(path).content == before.content


def at_once(api: Any, path: str, bodies: list[dict[str, Any]], **headers: str) -> list[httpx.Response]:
    headers["Authorization"] = api.admin.headers["Authorization"]
    with ThreadPoolExecutor(len(bodies)) as threads:
        return list(
            threads.map(lambda body: httpx.patch(api.url + path, json=body, headers=headers, timeout=30), bodies)
        )


def test_changes_at_once_lose_nothing(api: Any, path: str) -> None:
    """C-50."""
    names = [f"key_{number}" for number in range(20)]
    answers = at_once(api, path, [{"metadata": {name: name, "custom_fields": {name: name}}} for name in names])
    assert {answer.status_code for answer in answers} == {200}
    after = said(api.admin.get(path))
    assert [after[name] for name in names] == names
    assert after["custom_fields"] == FIELDS | dict(zip(names, names, strict=True))


def test_of_many_changes_at_once_on_one_condition_one_is_made(api: Any, path: str) -> None:
    """C-7, C-50: the condition is compared under the lock of the change."""
    tag = api.admin.get(path).headers["etag"]
    bodies = [{"metadata": {"winner": number}} for number in range(20)]
    answers = at_once(api, path, bodies, **{"If-Match": tag})
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 19
    (made,) = [answer for answer in answers if answer.status_code == 200]
    assert made.content == api.admin.get(path).content
