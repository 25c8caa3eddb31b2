"""Asking for datasets (C-8, C-34, C-40 … C-44)."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from dataops_core.provisioning.settlement import RunEnding, settle
from dataops_core.registry import operations
from dataops_core.scopes import Scope

DATASETS = "/v1/dataops/datasets"


def request(**change: Any) -> dict[str, Any]:
    return {
        "journey_id": str(uuid4()),
        "client_id": str(uuid4()),
        "stage": "sandbox",
        "dataset_types": ["confluence_pages", "github_repos"],
    } | change


def listed(api: Any, client_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.admin.get(DATASETS, params={"client_id": client_id}).json()["datasets"]
    return found


def test_the_references_request_gets_the_references_answer(api: Any) -> None:
    """C-42: as printed, its placeholders filled."""
    client_id, journey_id = str(uuid4()), str(uuid4())
    printed = """{
      "journey_id": "%s",
      "client_id": "%s",
      "stage": "sandbox",
      "dataset_types": ["confluence_pages", "github_repos"],
      "template_selection": "auto",
      "metadata": {
        "requested_by": "john.doe@acme.com",
        "reason": "sandbox_stage_transition"
      }
    }"""
    with api.asking(Scope.DATASETS_WRITE) as client:
        answer = client.post(
            DATASETS,
            content=printed % (journey_id, client_id),
            headers={"Content-Type": "application/json", "Idempotency-Key": str(uuid4())},
        )
    assert answer.status_code == 202
    body = answer.json()
    assert list(body) == ["operation_id", "status", "message", "datasets", "estimated_completion", "_links"]
    assert body["status"] == "provisioning"
    assert body["message"] == "Dataset provisioning started"
    assert [list(made) for made in body["datasets"]] == [["dataset_id", "dataset_type", "status"]] * 2
    assert [made["dataset_type"] for made in body["datasets"]] == ["confluence_pages", "github_repos"]
    assert {made["status"] for made in body["datasets"]} == {"provisioning"}
    assert body["_links"] == {
        "status": f"/v1/dataops/operations/{body['operation_id']}",
        "datasets": f"/v1/dataops/datasets?journey_id={journey_id}",
    }
    assert answer.headers["location"] == body["_links"]["status"]
    assert int(answer.headers["retry-after"]) > 0
    assert api.admin.get(body["_links"]["datasets"]).json()["pagination"]["total_count"] == 2
    assert api.admin.get(body["_links"]["status"]).json()["status"] == "pending"


def test_an_accepted_operation_is_launched_behind_the_answer(own_api: Any) -> None:
    """C-42, C-86."""
    accepted = own_api.provision()
    launch = own_api.dagster.first_launch.result(timeout=20)
    assert str(launch.operation_id) == accepted["operation_id"]
    assert launch.dataset_types == ("confluence_pages", "github_repos")


@pytest.mark.parametrize(
    ("change", "details"),
    [
        ({"dataset_types": []}, {"dataset_types": "Must provide at least one dataset type"}),
        ({"dataset_types": None}, {"dataset_types": "Must be a list"}),
        ({"dataset_types": "confluence_pages"}, {"dataset_types": "Must be a list"}),
        ({"dataset_types": [1]}, {"dataset_types.0": "Must be a string"}),
        (
            {"dataset_types": ["confluence_pages", "confluence_pages"]},
            {"dataset_types": "Must not name a dataset type twice"},
        ),
        ({"client_id": "acme"}, {"client_id": "Must be a UUID"}),
        ({"client_id": 7}, {"client_id": "Must be a UUID"}),
        ({"stage": "staging"}, {"stage": "Must be one of sandbox, pilot or production"}),
        ({"stage": "SANDBOX"}, {"stage": "Must be one of sandbox, pilot or production"}),
        ({"template_selection": "best"}, {"template_selection": "Must be one of auto or manual"}),
        ({"colour": "red"}, {"colour": "There is no such field"}),
        ({"metadata": {"colour": "red"}}, {"metadata.colour": "There is no such field"}),
        ({"metadata": {"tags": ["x"] * 51}}, {"metadata.tags": None}),
        ({"metadata": {"tags": [""]}}, {"metadata.tags.0": None}),
        ({"metadata": {"tags": ["x" * 65]}}, {"metadata.tags.0": None}),
        ({"metadata": {"requested_by": 7}}, {"metadata.requested_by": "Must be a string"}),
        ({"metadata": {"custom_fields": {"a": "x" * 17_000}}}, {"metadata": "Must be at most 16 KiB"}),
        ({"metadata": {"custom_fields": []}}, {"metadata.custom_fields": "Must be an object"}),
        ({"metadata": {"custom_fields": {"client_name": ""}}}, {"metadata.custom_fields.client_name": None}),
        ({"metadata": {"custom_fields": {"client_name": {"a": 1}}}}, {"metadata.custom_fields.client_name": None}),
        ({"metadata": {"custom_fields": {"industry": "mining"}}}, {"metadata.custom_fields.industry": None}),
        ({"metadata": {"custom_fields": {"industry": ["fintech"]}}}, {"metadata.custom_fields.industry": None}),
        ({"metadata": {"custom_fields": {"company_size": {}}}}, {"metadata.custom_fields.company_size": None}),
        ({"metadata": {"custom_fields": {"use_case": 7}}}, {"metadata.custom_fields.use_case": None}),
        ({"generation": {"record_count": 19}}, {"generation.record_count": None}),
        ({"generation": {"record_count": 1_000_001}}, {"generation.record_count": None}),
        ({"generation": {"record_count": "500"}}, {"generation.record_count": "Must be an integer"}),
        ({"generation": {"record_count": 500.5}}, {"generation.record_count": "Must be an integer"}),
        ({"generation": {"record_count": True}}, {"generation.record_count": "Must be an integer"}),
        ({"generation": {"seed": -1}}, {"generation.seed": None}),
        ({"generation": {"seed": 2**53}}, {"generation.seed": None}),
        ({"generation": {"locale": "tlh"}}, {"generation.locale": None}),
        ({"template_overrides": {"confluence_pages": "x"}}, {"template_overrides.confluence_pages": "Must be a UUID"}),
        ({"template_overrides": {"jira_issues": str(uuid4())}}, {"template_overrides.jira_issues": None}),
        ({"template_overrides": {"github_repos": str(uuid4())}}, {"template_overrides.github_repos": None}),
        (
            {"template_selection": "manual"},
            {"template_overrides.confluence_pages": None, "template_overrides.github_repos": None},
        ),
    ],
)
def test_a_request_that_breaks_a_rule_names_the_field_and_makes_nothing(
    api: Any, change: dict[str, Any], details: dict[str, str | None]
) -> None:
    """C-40, C-43."""
    body = request(**change)
    answer = api.admin.post(DATASETS, json=body)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["code"], error["message"]) == ("INVALID_REQUEST", "Request validation failed")
    assert set(error["details"]) == set(details)
    for field, reason in details.items():
        assert error["details"][field] == reason or (reason is None and error["details"][field])
    if isinstance(body["client_id"], str) and len(body["client_id"]) == 36:
        assert listed(api, body["client_id"]) == []


@pytest.mark.parametrize("missing", ["journey_id", "client_id", "stage", "dataset_types"])
def test_required_fields_are_required(api: Any, missing: str) -> None:
    """C-40."""
    body = {name: value for name, value in request().items() if name != missing}
    answer = api.admin.post(DATASETS, json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["details"] == {missing: "This field is required"}


def test_every_wrong_field_is_named_at_once(api: Any) -> None:
    """C-43."""
    answer = api.admin.post(DATASETS, json={"client_id": "x", "stage": "x", "colour": "x"})
    assert set(answer.json()["error"]["details"]) == {"client_id", "stage", "colour", "journey_id", "dataset_types"}


def test_every_broken_rule_is_named_at_once(api: Any) -> None:
    """C-43: also those that only the catalog or the customer's company can tell."""
    customer = str(uuid4())
    api.provision(client_id=customer, stage="pilot", generation={"locale": "en_US"})
    answer = api.admin.post(
        DATASETS,
        json=request(
            client_id=customer,
            dataset_types=["confluence_pages", "github_repos", "smoke_signals", "smoke_signals"],
            template_selection="manual",
            template_overrides={"confluence_pages": str(uuid4()), "jira_issues": str(uuid4())},
            metadata={"custom_fields": {"industry": "mining", "company_size": 7, "use_case": [], "client_name": ""}},
            generation={"record_count": 2_000_000, "locale": "de_DE"},
        ),
    )
    assert answer.status_code == 400
    assert set(answer.json()["error"]["details"]) == {
        "dataset_types",
        "dataset_types.2",
        "dataset_types.3",
        "template_overrides.confluence_pages",
        "template_overrides.github_repos",
        "template_overrides.jira_issues",
        *(f"metadata.custom_fields.{name}" for name in ("industry", "company_size", "use_case", "client_name")),
        "generation.record_count",
        "generation.locale",
    }


def test_an_unknown_dataset_type_names_its_place_and_the_known_ones(api: Any) -> None:
    """C-40."""
    answer = api.admin.post(DATASETS, json=request(dataset_types=["confluence_pages", "smoke_signals"]))
    assert answer.status_code == 400
    assert "confluence_pages" in answer.json()["error"]["details"]["dataset_types.1"]


def test_a_template_of_another_type_is_refused(api: Any) -> None:
    """C-40."""
    template = api.admin.get("/v1/dataops/templates", params={"dataset_type": "github_repos"}).json()["templates"][0]
    answer = api.admin.post(DATASETS, json=request(template_overrides={"confluence_pages": template["template_id"]}))
    assert answer.status_code == 400
    assert "github_repos" in answer.json()["error"]["details"]["template_overrides.confluence_pages"]


def test_the_chosen_template_is_the_one_that_is_used(api: Any) -> None:
    """C-40, C-33."""
    template = api.admin.get("/v1/dataops/templates", params={"dataset_type": "github_repos"}).json()["templates"][-1]
    body = request(
        dataset_types=["github_repos"],
        template_selection="manual",
        template_overrides={"github_repos": template["template_id"]},
        metadata={"tags": ["mine"], "custom_fields": {"client_name": "ACME", "cost_center": 7}},
    )
    api.provision(**body)
    (made,) = listed(api, body["client_id"])
    assert made["template"] == {"template_id": template["template_id"], "name": template["name"], "version": 1}
    assert made["name"] == "ACME-Sandbox-GitHub"
    assert made["metadata"] == {
        "industry": template["industry"],
        "use_case": template["use_case"],
        "tags": ["mine"],
        "requested_by": None,
        "reason": None,
        "custom_fields": {"client_name": "ACME", "cost_center": 7},
    }


def test_auto_follows_the_custom_fields_and_later_the_customers_datasets(api: Any) -> None:
    """C-41, C-34."""
    fields = {"industry": "fintech", "use_case": "developer_productivity"}
    body = request(dataset_types=["confluence_pages"], metadata={"custom_fields": fields})
    api.provision(**body)
    api.provision(**body | {"stage": "pilot", "metadata": {}})
    newest, oldest = listed(api, body["client_id"])
    assert oldest["template"]["name"] == "FinTech Developer Productivity - Confluence"
    assert newest["template"] == oldest["template"]
    company = oldest["name"].removesuffix("-Sandbox-Confluence")
    assert newest["name"] == f"{company}-Pilot-Confluence"


def test_auto_with_nothing_known_takes_enterprise(api: Any) -> None:
    """C-41."""
    body = request()
    api.provision(**body)
    assert {made["metadata"]["industry"] for made in listed(api, body["client_id"])} == {"enterprise"}


def test_a_differing_locale_later_is_refused(api: Any) -> None:
    """C-40."""
    body = request()
    api.provision(**body)
    answer = api.admin.post(DATASETS, json=body | {"stage": "pilot", "generation": {"locale": "de_DE"}})
    assert answer.status_code == 400
    assert "en_US" in answer.json()["error"]["details"]["generation.locale"]


def test_the_same_request_gives_the_same_seed(api: Any) -> None:
    """C-40."""
    body = request(dataset_types=["confluence_pages"])
    dataset_id = api.ready(**body)
    seed = api.admin.get(f"{DATASETS}/{dataset_id}").json()["seed"]
    api.archive(dataset_id)
    again = api.provision(**body)["datasets"][0]["dataset_id"]
    assert api.admin.get(f"{DATASETS}/{again}").json()["seed"] == seed


def test_the_references_409(api: Any) -> None:
    """C-44: the first in the order asked is named, and nothing is made."""
    body = request(dataset_types=["confluence_pages"])
    existing = api.provision(**body)["datasets"][0]["dataset_id"]
    answer = api.admin.post(DATASETS, json=body | {"dataset_types": ["github_repos", "confluence_pages"]})
    assert answer.status_code == 409
    error = answer.json()["error"]
    assert (error["code"], error["message"]) == ("CONFLICT", "Dataset already exists")
    assert error["details"] == {
        "existing_dataset_id": existing,
        "conflict": "Dataset of type 'confluence_pages' already exists for client/stage",
    }
    assert [made["dataset_id"] for made in listed(api, body["client_id"])] == [existing]


def test_a_dataset_in_teardown_conflicts_and_says_so(api: Any) -> None:
    """C-44."""
    body = request(dataset_types=["confluence_pages"])
    dataset_id = api.ready(**body)
    assert api.admin.delete(f"{DATASETS}/{dataset_id}").status_code == 202
    answer = api.admin.post(DATASETS, json=body)
    assert answer.status_code == 409
    assert "torn down" in answer.json()["error"]["details"]["conflict"]


def test_a_failed_dataset_is_replaced_and_archived_without_an_archive(api: Any) -> None:
    """C-44."""
    body = request(dataset_types=["confluence_pages"])
    accepted = api.provision(**body)
    failed, operation_id = accepted["datasets"][0]["dataset_id"], UUID(accepted["operation_id"])
    with api.database.transaction() as session:
        operations.get(session, operation_id).run_id = "the run"
    with api.database.transaction() as session:
        assert settle(session, operation_id, RunEnding.FAILURE, run_id="the run", message="It broke.")
    shown = api.admin.get(f"{DATASETS}/{failed}").json()
    assert (shown["status"], shown["error"]) == ("failed", {"code": "RUN_FAILED", "message": "It broke."})
    api.provision(**body)
    newest, oldest = listed(api, body["client_id"])
    assert (newest["status"], oldest["status"]) == ("provisioning", "archived")
    assert oldest["dataset_id"] == failed


def at_once(url: str, token: str, bodies: list[dict[str, Any]]) -> list[httpx.Response]:
    with ThreadPoolExecutor(len(bodies)) as threads:
        return list(
            threads.map(
                lambda body: httpx.post(url + DATASETS, json=body, headers={"Authorization": token}, timeout=30),
                bodies,
            )
        )


def test_of_twenty_equal_requests_at_once_one_is_accepted(api: Any) -> None:
    """C-44, C-37: one 202 and nineteen 409, by the database's own index."""
    body = request()
    answers = at_once(api.url, api.admin.headers["Authorization"], [body] * 20)
    assert sorted(answer.status_code for answer in answers) == [202] + [409] * 19
    assert len(listed(api, body["client_id"])) == 2
    (accepted,) = [answer.json() for answer in answers if answer.status_code == 202]
    first = accepted["datasets"][0]["dataset_id"]
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["error"]["details"]["existing_dataset_id"] == first


def test_overlapping_requests_at_once_in_any_order_make_each_dataset_once(api: Any) -> None:
    """C-44: opposite orders must not make one request wait for the other for ever."""
    body = request()
    orders = [["confluence_pages", "github_repos"], ["github_repos", "confluence_pages"]] * 10
    answers = at_once(api.url, api.admin.headers["Authorization"], [body | {"dataset_types": one} for one in orders])
    assert sorted(answer.status_code for answer in answers) == [202] + [409] * 19
    assert len(listed(api, body["client_id"])) == 2


def test_with_dagster_down_a_request_is_accepted_all_the_same(own_api: Any) -> None:
    """C-42, C-86."""
    own_api.dagster.down = True
    accepted = own_api.provision()
    shown = own_api.admin.get(accepted["_links"]["status"])
    assert shown.status_code == 200
    assert shown.json()["status"] == "pending"
    assert shown.json()["started_at"] is None


def test_a_client_bound_to_customers_acts_for_no_other(api: Any) -> None:
    """C-8."""
    mine, other = uuid4(), uuid4()
    with api.asking(Scope.DATASETS_WRITE, Scope.DATASETS_READ, customers=[mine]) as client:
        assert client.post(DATASETS, json=request(client_id=str(mine))).status_code == 202
        refused = client.post(DATASETS, json=request(client_id=str(other)))
    assert refused.status_code == 403
    assert refused.json()["error"]["details"] == {"client_id": str(other)}
    assert listed(api, str(other)) == []


def test_text_of_any_language_is_kept(api: Any) -> None:
    """C-5."""
    body = request(dataset_types=["confluence_pages"], metadata={"reason": "Grüße, 日本 🎈", "tags": ["日本", "ü"]})
    answer = api.admin.post(
        DATASETS, content=json.dumps(body, ensure_ascii=False).encode(), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 202
    (made,) = listed(api, body["client_id"])
    assert (made["metadata"]["reason"], made["metadata"]["tags"]) == ("Grüße, 日本 🎈", ["日本", "ü"])


def test_a_whole_number_is_an_integer_however_it_is_written(api: Any) -> None:
    """C-5, C-40."""
    accepted = api.provision(dataset_types=["confluence_pages"], generation={"record_count": 20.0, "seed": 7.0})
    assert api.admin.get(f"{DATASETS}/{accepted['datasets'][0]['dataset_id']}").json()["seed"] == 7
