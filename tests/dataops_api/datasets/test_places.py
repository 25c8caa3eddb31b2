"""Who holds a place, which is a customer's stage and type (C-40, C-44), and how records are to be made (C-40)."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from dataops_core.lifecycle import DatasetStatus
from dataops_core.provisioning.settlement import RunEnding, settle
from dataops_core.registry import operations
from dataops_core.registry.tables import Dataset

DATASETS = "/v1/dataops/datasets"
TYPES = ["confluence_pages", "github_repos"]


def request(**change: Any) -> dict[str, Any]:
    return {"journey_id": str(uuid4()), "client_id": str(uuid4()), "stage": "sandbox", "dataset_types": TYPES} | change


def of_customer(api: Any, client_id: str) -> list[dict[str, Any]]:
    query = {"client_id": client_id, "sort": "created_at"}
    found: list[dict[str, Any]] = api.admin.get(DATASETS, params=query).json()["datasets"]
    return found


def fail(api: Any, accepted: dict[str, Any]) -> None:
    """What a run that broke does to the registry."""
    operation_id = UUID(accepted["operation_id"])
    with api.database.transaction() as session:
        operations.get(session, operation_id).run_id = "the run"
    with api.database.transaction() as session:
        assert settle(session, operation_id, RunEnding.FAILURE, run_id="the run", message="It broke.")


@pytest.mark.parametrize("status", DatasetStatus)
def test_a_dataset_holds_its_place_unless_it_is_archived_or_failed(api: Any, status: DatasetStatus) -> None:
    """C-44, C-35."""
    body = request(dataset_types=["confluence_pages"])
    dataset_id = api.ready(**body)
    with api.database.transaction() as session:
        session.execute(update(Dataset).where(Dataset.dataset_id == dataset_id).values(status=status))
    answer = api.admin.post(DATASETS, json=body)
    if status in {DatasetStatus.ARCHIVED, DatasetStatus.FAILED}:
        assert answer.status_code == 202
        assert [one["status"] for one in of_customer(api, body["client_id"])] == ["archived", "provisioning"]
    else:
        assert answer.status_code == 409
        assert answer.json()["error"]["details"]["existing_dataset_id"] == str(dataset_id)


@pytest.mark.parametrize("asked", [TYPES, TYPES[::-1]])
def test_of_two_conflicts_the_first_in_the_order_asked_is_named(api: Any, asked: list[str]) -> None:
    """C-44."""
    body = request()
    held = {one["dataset_type"]: one["dataset_id"] for one in api.provision(**body)["datasets"]}
    error = api.admin.post(DATASETS, json=body | {"dataset_types": asked}).json()["error"]
    assert error["details"] == {
        "existing_dataset_id": held[asked[0]],
        "conflict": f"Dataset of type '{asked[0]}' already exists for client/stage",
    }


def test_a_request_that_conflicts_replaces_no_failed_dataset_either(api: Any) -> None:
    """C-44: one conflict refuses the whole request, and nothing is made, moved or removed."""
    body = request(dataset_types=["confluence_pages"])
    fail(api, api.provision(**body))
    api.ready(**body | {"dataset_types": ["github_repos"]})
    before = of_customer(api, body["client_id"])
    assert [one["status"] for one in before] == ["failed", "ready"]
    assert api.admin.post(DATASETS, json=body | {"dataset_types": TYPES}).status_code == 409
    assert of_customer(api, body["client_id"]) == before


def test_other_stages_types_and_customers_do_not_conflict(api: Any) -> None:
    """C-44."""
    body = request(dataset_types=["confluence_pages"])
    api.provision(**body)
    for other in ({"stage": "pilot"}, {"dataset_types": ["github_repos"]}, {"client_id": str(uuid4())}):
        assert api.admin.post(DATASETS, json=body | other).status_code == 202
    assert api.admin.post(DATASETS, json=body | {"journey_id": str(uuid4())}).status_code == 409


def test_a_replaced_dataset_is_archived_without_an_archive(api: Any) -> None:
    """C-44, C-52: there is nothing to purge, and its error stays readable."""
    body = request(dataset_types=["confluence_pages"])
    fail(api, api.provision(**body))
    api.provision(**body)
    replaced = of_customer(api, body["client_id"])[0]
    assert (replaced["status"], replaced["archived_at"] is None) == ("archived", False)
    assert replaced["error"] == {"code": "RUN_FAILED", "message": "It broke."}
    path = f"{DATASETS}/{replaced['dataset_id']}"
    for archive in ("true", "false"):
        assert api.admin.delete(path, params={"archive": archive}).status_code == 409


def asked_for(api: Any, client_id: str) -> list[tuple[str, int, int]]:
    """Stage, seed and count of the customer's datasets, oldest first."""
    with api.database.transaction() as session:
        rows = session.scalars(
            select(Dataset).where(Dataset.client_id == UUID(client_id)).order_by(Dataset.created_at, Dataset.name)
        )
        return [(row.stage.value, row.seed, row.requested_count) for row in rows]


@pytest.mark.parametrize("record_count", [20, 1_000_000])
@pytest.mark.parametrize("seed", [0, 2**53 - 1])
def test_the_bounds_of_generation_belong_to_it(api: Any, record_count: int, seed: int) -> None:
    """C-40, C-33: and both are what is made."""
    body = request(dataset_types=["confluence_pages"], generation={"record_count": record_count, "seed": seed})
    (made,) = api.provision(**body)["datasets"]
    assert asked_for(api, body["client_id"]) == [("sandbox", seed, record_count)]
    # Read as JSON's integers are: a seed must come through every bit.
    assert api.admin.get(f"{DATASETS}/{made['dataset_id']}").json()["seed"] == seed


@pytest.mark.parametrize("settings_change", [{"max_record_count": 100}])
def test_the_most_records_are_a_setting(own_api: Any) -> None:
    """C-40."""
    body = request(dataset_types=["confluence_pages"])
    answer = own_api.admin.post(DATASETS, json=body | {"generation": {"record_count": 101}})
    assert answer.json()["error"]["details"] == {"generation.record_count": "Must be at most 100"}
    assert own_api.admin.post(DATASETS, json=body | {"generation": {"record_count": 100}}).status_code == 202


def test_the_default_seed_differs_by_customer_stage_and_type(api: Any) -> None:
    """C-40."""
    client_ids = [str(uuid4()), str(uuid4())]
    for client_id in client_ids:
        for stage in ("sandbox", "pilot"):
            api.provision(client_id=client_id, stage=stage)
    seeds = [seed for client_id in client_ids for _, seed, _ in asked_for(api, client_id)]
    assert len(set(seeds)) == len(seeds) == 8


def test_without_a_count_the_template_says_how_many_for_the_stage(api: Any) -> None:
    """C-40."""
    client_id = str(uuid4())
    for stage in ("sandbox", "pilot", "production"):
        api.provision(client_id=client_id, stage=stage, dataset_types=["confluence_pages"])
    (made, *_) = of_customer(api, client_id)
    template = api.admin.get(f"/v1/dataops/templates/{made['template']['template_id']}").json()
    assert {stage: count for stage, _, count in asked_for(api, client_id)} == template["record_counts"]


def test_the_first_locale_stays_the_customers(api: Any) -> None:
    """C-40: it may be repeated or left out, and another one is named."""
    body = request(dataset_types=["confluence_pages"], generation={"locale": "de_DE"})
    api.provision(**body)
    api.provision(**body | {"stage": "pilot"})
    assert api.admin.post(DATASETS, json=body | {"stage": "production", "generation": {}}).status_code == 202
    other = body | {"dataset_types": ["github_repos"], "generation": {"locale": "en_US"}}
    answer = api.admin.post(DATASETS, json=other)
    assert answer.status_code == 400
    assert "de_DE" in answer.json()["error"]["details"]["generation.locale"]


def test_a_refused_request_fixes_no_locale(api: Any) -> None:
    """C-40, C-43: nothing is made, not even the customer."""
    body = request(generation={"locale": "de_DE"}, template_overrides={"github_repos": str(uuid4())})
    assert api.admin.post(DATASETS, json=body).status_code == 400
    assert api.admin.post(DATASETS, json=request(client_id=body["client_id"])).status_code == 202


def test_an_override_is_for_its_type_alone(api: Any) -> None:
    """C-40: the other type is recommended as ever."""
    known = api.admin.get("/v1/dataops/templates", params={"dataset_type": "github_repos"}).json()["templates"]
    chosen = next(one for one in known if one["industry"] == "retail")
    body = request(
        template_overrides={"github_repos": chosen["template_id"]},
        metadata={"custom_fields": {"industry": "fintech", "use_case": "compliance"}},
    )
    api.provision(**body)
    templates = {one["dataset_type"]: one for one in of_customer(api, body["client_id"])}
    assert templates["github_repos"]["template"]["template_id"] == chosen["template_id"]
    assert templates["confluence_pages"]["metadata"]["industry"] == "fintech"


def test_the_name_is_the_customers_own_without_the_blanks_around_it(api: Any) -> None:
    """C-34."""
    fields = {"client_name": "  Müller & Söhne "}
    body = request(stage="production", metadata={"custom_fields": fields})
    api.provision(**body)
    made = of_customer(api, body["client_id"])
    assert {one["name"] for one in made} == {
        "Müller & Söhne-Production-Confluence",
        "Müller & Söhne-Production-GitHub",
    }
    assert {one["metadata"]["custom_fields"]["client_name"] for one in made} == {fields["client_name"]}
