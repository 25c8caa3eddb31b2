"""The edges of lists: bounds, order and ties, what is combined, who may see what (C-8, C-30 … C-33)."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from dataops_core.registry.tables import Dataset
from dataops_core.scopes import Scope

DATASETS = "/v1/dataops/datasets"
EQUAL = {"created_at": "2026-01-28T10:30:00Z", "name": "Same", "quality_score": 97.5}


def change(api: Any, dataset_id: str, **values: Any) -> None:
    """Puts a dataset's columns where a test wants them."""
    with api.database.transaction() as session:
        session.execute(update(Dataset).where(Dataset.dataset_id == UUID(dataset_id)).values(values))


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [made["dataset_id"] for made in answer.json()["datasets"]]


@pytest.fixture
def journey(api: Any) -> tuple[str, list[str]]:
    """A journey with a dataset for each of six customers: its id and theirs, by dataset_id."""
    journey_id = str(uuid4())
    made = [api.provision(journey_id=journey_id, dataset_types=["confluence_pages"]) for _ in range(6)]
    return journey_id, sorted(one["datasets"][0]["dataset_id"] for one in made)


@pytest.mark.parametrize("sort", ["created_at", "-created_at", "name", "quality_score"])
def test_ties_go_by_dataset_id_on_one_page_and_over_pages(api: Any, journey: tuple[str, list[str]], sort: str) -> None:
    """C-30: no dataset is shown twice or left out."""
    journey_id, made = journey
    for dataset_id in made:
        change(api, dataset_id, **EQUAL)
    query = {"journey_id": journey_id, "sort": sort}
    assert ids(api.admin.get(DATASETS, params=query)) == made
    pages = [api.admin.get(DATASETS, params=query | {"page": page, "per_page": 4}) for page in (1, 2)]
    assert [one for page in pages for one in ids(page)] == made


def test_names_are_sorted_by_code_point(api: Any, journey: tuple[str, list[str]]) -> None:
    """C-30: capitals before small letters, accents after both, whatever the database's language."""
    journey_id, made = journey
    names = ["b", "Ä", "A", "a-", "B", "aa"]
    for dataset_id, name in zip(made, names, strict=True):
        change(api, dataset_id, name=name)
    answer = api.admin.get(DATASETS, params={"journey_id": journey_id, "sort": "name"})
    assert [one["name"] for one in answer.json()["datasets"]] == ["A", "B", "a-", "aa", "b", "Ä"]


def test_scores_rise_after_those_that_have_none(api: Any, journey: tuple[str, list[str]]) -> None:
    """C-30."""
    journey_id, made = journey
    for dataset_id, score in zip(made, [99.9, None, 9.5, 100, None, 95], strict=True):
        change(api, dataset_id, quality_score=score)
    answer = api.admin.get(DATASETS, params={"journey_id": journey_id, "sort": "quality_score"})
    assert [one["quality_score"] for one in answer.json()["datasets"]] == [None, None, 9.5, 95, 99.9, 100]


def test_from_is_inclusive_and_to_is_exclusive(api: Any, journey: tuple[str, list[str]]) -> None:
    """C-30, C-1: windows that follow each other show each dataset once."""
    journey_id, made = journey
    moments = ["09:59:59.999999", "10:00:00", "10:00:00.000001", "10:59:59.999999", "11:00:00", "11:00:00.5"]
    for dataset_id, moment in zip(made, moments, strict=True):
        change(api, dataset_id, created_at=f"2026-01-28T{moment}Z")
    query = {"journey_id": journey_id, "sort": "created_at"}

    def between(first: str | None, last: str | None) -> list[str]:
        bounds = {"created_from": first, "created_to": last}
        given = {name: bound for name, bound in bounds.items() if bound is not None}
        return ids(api.admin.get(DATASETS, params=query | given))

    assert between("2026-01-28T10:00:00Z", "2026-01-28T11:00:00Z") == made[1:4]
    assert between(None, "2026-01-28T11:00:00+01:00") == made[:1]
    assert between("2026-01-28T11:00", None) == made[4:]
    assert between("2026-01-28", "2026-01-29") == made
    assert between("2026-01-28T11:00:00Z", "2026-01-28T10:00:00Z") == []


def test_filters_are_combined(api: Any) -> None:
    """C-30: what is listed fits every one of them."""
    client_id, journey_id = str(uuid4()), str(uuid4())
    common = {"client_id": client_id, "journey_id": journey_id}
    ready = api.publish(api.provision(**common, metadata={"tags": ["blue"]}))
    api.provision(**common, stage="pilot", metadata={"tags": ["blue", "green"]})
    (pages, repos) = (str(one) for one in ready)
    query: dict[str, str] = dict(common)
    for name, value, expected in (
        ("tag", "blue", 4),
        ("stage", "sandbox", 2),
        ("status", "ready", 2),
        ("dataset_type", "github_repos", 1),
        ("created_from", "2020-01-01", 1),
        ("operation_id", str(uuid4()), 0),
    ):
        query[name] = value
        assert api.admin.get(DATASETS, params=query).json()["pagination"]["total_count"] == expected, name
    del query["operation_id"]
    assert ids(api.admin.get(DATASETS, params=query)) == [repos]
    assert ids(api.admin.get(DATASETS, params=query | {"dataset_type": "confluence_pages"})) == [pages]


def test_every_filter_is_in_every_link_as_it_was_given(api: Any) -> None:
    """C-32: each link works, and prev and next lead there and back."""
    client_id, journey_id = str(uuid4()), str(uuid4())
    accepted = api.provision(client_id=client_id, journey_id=journey_id, metadata={"tags": ["a & b"]})
    given = {
        "client_id": client_id,
        "journey_id": journey_id,
        "stage": "sandbox",
        "status": "provisioning",
        "operation_id": accepted["operation_id"],
        "created_from": "2020-01-01T00:00:00+02:00",
        "created_to": "2100-01-01",
        "tag": "a & b",
        "sort": "created_at",
    }
    first = api.admin.get(DATASETS, params=given | {"per_page": "1"}).json()
    assert set(first["_links"]) == {"self", "first", "next", "last"}
    second = api.admin.get(first["_links"]["next"]).json()
    assert set(second["_links"]) == {"self", "first", "prev", "last"}
    assert api.admin.get(second["_links"]["prev"]).json() == first
    for link, page in (
        *((link, "2" if name in {"next", "last"} else "1") for name, link in first["_links"].items()),
        *((link, "1" if name in {"first", "prev"} else "2") for name, link in second["_links"].items()),
    ):
        assert dict(parse_qsl(urlsplit(link).query)) == given | {"page": page, "per_page": "1"}
    assert first["datasets"] != second["datasets"]
    typed = api.admin.get(DATASETS, params=given | {"dataset_type": "github_repos"}).json()
    assert dict(parse_qsl(urlsplit(typed["_links"]["self"]).query)) == given | {
        "dataset_type": "github_repos",
        "page": "1",
    }


def test_archived_datasets_are_listed(api: Any) -> None:
    """C-30."""
    client_id = str(uuid4())
    dataset_id = api.ready(client_id=client_id)
    api.archive(dataset_id)
    for query in ({}, {"status": "archived"}):
        assert ids(api.admin.get(DATASETS, params={"client_id": client_id} | query)) == [str(dataset_id)]
    assert ids(api.admin.get(DATASETS, params={"client_id": client_id, "status": "ready"})) == []


def test_a_bound_client_finds_another_customers_datasets_by_no_filter(api: Any) -> None:
    """C-8, C-30: not by id, journey, operation, tag or type; and counts do not tell."""
    tag, mine = str(uuid4()), uuid4()
    theirs = api.provision(metadata={"tags": [tag]})
    (dataset_id, *_) = (made["dataset_id"] for made in theirs["datasets"])
    shown = api.admin.get(f"{DATASETS}/{dataset_id}").json()
    filters = {name: shown[name] for name in ("client_id", "journey_id", "operation_id")} | {"tag": tag}
    with api.asking(Scope.DATASETS_READ, customers=[mine]) as client:
        for name, value in filters.items():
            assert api.admin.get(DATASETS, params={name: value}).json()["pagination"]["total_count"] == 2
            body = client.get(DATASETS, params={name: value}).json()
            assert (body["datasets"], body["pagination"]["total_count"]) == ([], 0), name
        assert client.get(DATASETS).json()["pagination"]["total_count"] == 0
        api.provision(client_id=str(mine))
        assert client.get(DATASETS).json()["pagination"]["total_count"] == 2


def test_the_active_operation_is_there_while_there_is_one_and_the_newest_stays(api: Any) -> None:
    """C-33."""
    accepted = api.provision(dataset_types=["confluence_pages"])
    path = f"{DATASETS}/{accepted['datasets'][0]['dataset_id']}"

    def operations() -> tuple[str, str | None]:
        shown = api.admin.get(path).json()
        return shown["operation_id"], shown["active_operation_id"]

    assert operations() == (accepted["operation_id"], accepted["operation_id"])
    api.publish(accepted)
    assert operations() == (accepted["operation_id"], None)
    removal = api.admin.delete(path).json()["operation_id"]
    assert operations() == (removal, removal)
    other = api.ready()
    api.archive(other)
    shown = api.admin.get(f"{DATASETS}/{other}").json()
    assert shown["active_operation_id"] is None
    assert api.admin.get(f"/v1/dataops/operations/{shown['operation_id']}").json()["operation_type"] == (
        "dataset_teardown"
    )
    assert shown["archived_at"] is not None
    assert shown["ready_at"] is not None
