"""The audit log over the API: for administrators alone, filtered, newest first, page by page (C-24)."""

import re
from typing import Any
from uuid import UUID

import pytest

from dataops_core.ids import new_id
from dataops_core.lifecycle import TokenKind
from dataops_core.scopes import Scope

WHOLE_SECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
AUDIT = "/v1/dataops/audit"
DATASETS = "/v1/dataops/datasets"


def entries(api: Any, **filters: Any) -> list[dict[str, Any]]:
    answer = api.admin.get(AUDIT, params=filters)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["entries"]
    return found


def test_a_request_leaves_its_entries_with_its_id_and_its_api_client(api: Any) -> None:
    """C-24, C-3."""
    made = api.new_client(Scope.DATASETS_WRITE)
    with api.asking(Scope.DATASETS_WRITE) as client:
        customer = str(new_id())
        body = {
            "journey_id": str(new_id()),
            "client_id": customer,
            "stage": "sandbox",
            "dataset_types": ["confluence_pages"],
        }
        accepted = client.post(DATASETS, json=body, headers={"X-Request-ID": "req-audited"})
        assert accepted.status_code == 202
    found = entries(api, request_id="req-audited", action="created")
    assert [(one["action"], one["resource"]["type"]) for one in found] == [
        ("created", "operation"),
        ("created", "dataset"),
        ("created", "customer"),
    ]
    actors = {(one["actor"]["kind"], one["actor"]["id"]) for one in found}
    ((kind, api_client_id),) = actors
    assert kind == "api_client"
    assert {one["client_id"] for one in found} == {customer}
    assert found[1]["operation_id"] == accepted.json()["operation_id"]
    assert found[1]["before"] is None
    assert found[1]["after"]["metadata"]["tags"] == []
    assert entries(api, request_id="req-audited", api_client_id=api_client_id) == found
    assert entries(api, request_id="req-audited", api_client_id=str(made.api_client_id)) == []


def test_filters_choose_and_combine(api: Any) -> None:
    """C-24."""
    dataset_id = str(api.ready())
    api.archive(UUID(dataset_id))
    life = entries(api, resource_id=dataset_id, resource_type="dataset")
    statuses = [one["after"].get("status") for one in reversed(life)]
    assert [status for status in statuses if status] == ["provisioning", "validating", "ready", "teardown", "archived"]
    assert {one["action"] for one in entries(api, resource_id=dataset_id, action="created")} == {"created"}
    operation_id = life[0]["operation_id"]
    assert {one["operation_id"] for one in entries(api, operation_id=operation_id)} == {operation_id}
    outcome = entries(api, resource_type="operation_dataset", operation_id=operation_id)
    assert [one["after"]["outcome"] for one in outcome] == ["archived"]
    assert entries(api, resource_id=dataset_id, to="2020-01-01") == []
    assert entries(api, resource_id=dataset_id, **{"from": "2020-01-01"}, limit=200)
    assert entries(api, resource_id=dataset_id, **{"from": "2100-01-01"}) == []


def test_pages_follow_each_other_with_the_filters_that_were_given(api: Any) -> None:
    """C-6, C-24."""
    dataset_id = str(api.ready())
    every = entries(api, resource_id=dataset_id)
    assert len(every) >= 4
    link, found, pages = f"{AUDIT}?resource_id={dataset_id}&limit=2", [], 0
    while link and pages < 10:
        page = api.admin.get(link).json()
        assert page["_links"]["self"] == link
        found += page["entries"]
        pages += 1
        link = page["_links"].get("next")
    assert found == every
    assert pages == -(-len(every) // 2)


@pytest.mark.parametrize("scope", [scope for scope in Scope if scope is not Scope.ADMIN])
def test_no_other_scope_will_do(api: Any, scope: Scope) -> None:
    """C-24, C-4."""
    with api.asking(scope) as client:
        answer = client.get(AUDIT)
    assert answer.status_code == 403
    assert 'scope="dataops:admin"' in answer.headers["www-authenticate"]
    assert api.anonymous.get(AUDIT).status_code == 401


def test_an_administrator_bound_to_customers_sees_what_is_theirs(api: Any) -> None:
    """C-8, C-24."""
    mine, other = new_id(), new_id()
    for customer in (mine, other):
        api.provision(client_id=str(customer))
    with api.asking(Scope.ADMIN, customers=[mine]) as client:
        found = client.get(AUDIT, params={"limit": 200}).json()["entries"]
    assert {one["client_id"] for one in found} == {str(mine)}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("action=burned", "action"),
        ("resource_type=planet", "resource_type"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("from=yesterday", "from"),
        ("cursor=nonsense", "cursor"),
        ("cursor=MjAyNi0wMS0wMSAx", "cursor"),  # a time without a zone
        ("cursor=OTk5OS0xMi0zMVQyMzo1OTo1OS0yMzo1OSAx", "cursor"),  # one after the year 9999
        ("cursor=MDAwMS0wMS0wMVQwMDowMDowMCsyMzo1OSAx", "cursor"),  # one before the year 1
        ("api_client_id=me", "api_client_id"),
        ("who=me", "who"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(api: Any, query: str, field: str) -> None:
    """C-5."""
    answer = api.admin.get(f"{AUDIT}?{query}")
    assert answer.status_code == 400
    assert set(answer.json()["error"]["details"]) == {field}


def test_tokens_of_connectors_are_noted_and_never_shown(api: Any) -> None:
    """C-90, C-15."""
    dataset_id = api.ready()
    made = api.admin.post(f"{DATASETS}/{dataset_id}/connector/tokens", json={"kind": TokenKind.SEARCH}).json()
    api.admin.delete(f"{DATASETS}/{dataset_id}/connector/tokens/{made['token_id']}")
    revoked, issued = entries(api, resource_type="connector_token", resource_id=made["token_id"])
    assert (issued["action"], issued["after"]["token_hash"]) == ("created", "(secret)")
    assert (revoked["action"], set(revoked["after"])) == ("changed", {"revoked_at"})
    assert made["token"] not in api.admin.get(AUDIT, params={"limit": 200}).text


def test_ids_and_times_have_the_form_that_they_have_everywhere(api: Any) -> None:
    """C-1: also the columns that were noted."""
    dataset_id = api.ready()
    api.archive(dataset_id)
    found = api.admin.get(AUDIT, params={"limit": 200, "resource_type": "dataset"}).json()["entries"]
    found += api.admin.get(AUDIT, params={"limit": 200, "resource_type": "operation"}).json()["entries"]
    numbers = [UUID(one["audit_id"]) for one in found]
    assert len(set(numbers)) == len(numbers)
    assert {number.version for number in numbers} == {7}
    moments = {
        name: value
        for one in found
        for columns in (one["before"], one["after"])
        for name, value in (columns or {}).items()
        if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value)
    }
    assert {"created_at", "ready_at", "archived_at", "started_at", "completed_at"} <= moments.keys()
    assert {name: value for name, value in moments.items() if not WHOLE_SECONDS.fullmatch(value)} == {}
