"""Asking which template suits a customer (C-71)."""

from typing import Any

import pytest

from dataops_core.scopes import Scope

TEMPLATES = "/v1/dataops/templates"
RECOMMEND = f"{TEMPLATES}/recommend"
FINTECH = "770e8400-e29b-41d4-a716-446655440002"


def question(**change: Any) -> dict[str, Any]:
    """The reference's request."""
    return {
        "client_metadata": {
            "industry": "fintech",
            "use_case": "developer_productivity",
            "company_size": "mid_market",
        },
        "dataset_types": ["confluence_pages", "github_repos"],
        "stage": "sandbox",
    } | change


def recommended(api: Any, **change: Any) -> list[dict[str, Any]]:
    answer = api.admin.post(RECOMMEND, json=question(**change))
    assert answer.status_code == 200, answer.text
    assert list(answer.json()) == ["recommendations"]
    found: list[dict[str, Any]] = answer.json()["recommendations"]
    return found


def test_the_references_request_gets_the_references_answer(api: Any) -> None:
    """C-71."""
    pages, repositories = recommended(api)
    assert list(pages) == ["dataset_type", "recommended_template", "confidence_score", "reason", "alternatives"]
    assert (pages["dataset_type"], repositories["dataset_type"]) == ("confluence_pages", "github_repos")
    assert pages["recommended_template"] == {
        "template_id": FINTECH,
        "name": "FinTech Developer Productivity - Confluence",
    }
    for entry in (pages, repositories):
        assert (entry["confidence_score"], entry["reason"]) == (0.95, "Exact match on industry and use_case")


@pytest.mark.parametrize("types", [["github_repos", "confluence_pages"], ["github_repos"], ["confluence_pages"]])
def test_there_is_one_per_type_in_the_order_asked(api: Any, types: list[str]) -> None:
    """C-71."""
    assert [entry["dataset_type"] for entry in recommended(api, dataset_types=types)] == types


def test_alternatives_are_other_templates_of_the_type_less_sure_or_equal(api: Any) -> None:
    """C-71."""
    for entry in recommended(api):
        others = entry["alternatives"]
        assert len(others) == 3
        ids = [one["template"]["template_id"] for one in others]
        assert len({entry["recommended_template"]["template_id"], *ids}) == 4
        assert all(list(one) == ["template", "confidence_score", "reason"] and one["reason"] for one in others)
        scores = [entry["confidence_score"], *(one["confidence_score"] for one in others)]
        assert scores == sorted(scores, reverse=True)
        for one in others:
            shown = api.admin.get(f"{TEMPLATES}/{one['template']['template_id']}").json()
            assert (shown["dataset_type"], shown["name"]) == (entry["dataset_type"], one["template"]["name"])


def test_free_text_is_understood_and_less_sure_the_farther_it_is(api: Any) -> None:
    """C-71."""

    def asked(use_case: str) -> tuple[str, float]:
        metadata = {"industry": "enterprise", "use_case": use_case}
        (entry,) = recommended(api, client_metadata=metadata, dataset_types=["confluence_pages"])
        return entry["recommended_template"]["name"], entry["confidence_score"]

    name, near = asked("fewer incidents and outages on our servers")
    assert name == "Enterprise IT Operations - Confluence"
    _, far = asked("incidents of whales and dolphins seen at sea")
    _, nothing = asked("xyzzy")
    assert 0.95 > near > far > nothing > 0


@pytest.mark.parametrize("metadata", [{}, {"industry": None, "use_case": None, "company_size": None}, {"use_case": ""}])
def test_what_is_not_known_may_be_absent(api: Any, metadata: dict[str, Any]) -> None:
    """C-71, C-41: industry enterprise is assumed."""
    for entry in recommended(api, client_metadata=metadata):
        assert entry["recommended_template"]["name"].startswith("Enterprise ")
        assert entry["confidence_score"] == 0.3


def test_auto_takes_what_is_recommended(api: Any) -> None:
    """C-41: one piece of code answers both."""
    metadata = {"industry": "healthcare", "use_case": "preparing for a HIPAA audit", "company_size": "small"}
    (entry,) = recommended(api, client_metadata=metadata, dataset_types=["confluence_pages"], stage="pilot")
    accepted = api.provision(dataset_types=["confluence_pages"], stage="pilot", metadata={"custom_fields": metadata})
    dataset = api.admin.get(f"/v1/dataops/datasets/{accepted['datasets'][0]['dataset_id']}").json()
    assert dataset["template"]["template_id"] == entry["recommended_template"]["template_id"]


@pytest.mark.parametrize(
    ("change", "details"),
    [
        ({"dataset_types": []}, {"dataset_types": "Must provide at least one dataset type"}),
        (
            {"dataset_types": ["github_repos", "github_repos"]},
            {"dataset_types": "Must not name a dataset type twice"},
        ),
        (
            {"dataset_types": ["carrier_pigeons", "github_repos", "telegrams"]},
            {
                "dataset_types.0": "There is no template for this type",
                "dataset_types.2": "There is no template for this type",
            },
        ),
        ({"dataset_types": "github_repos"}, {"dataset_types": "Must be a list"}),
        ({"stage": "staging"}, {"stage": "Must be one of sandbox, pilot or production"}),
        (
            {"client_metadata": {"industry": "fishing"}},
            {
                "client_metadata.industry": "Must be one of fintech, healthcare, enterprise, manufacturing or retail",
            },
        ),
        (
            {"client_metadata": {"company_size": "huge"}},
            {"client_metadata.company_size": "Must be one of startup, small, mid_market or enterprise"},
        ),
        ({"client_metadata": {"use_case": 7}}, {"client_metadata.use_case": "Must be a string"}),
        ({"client_metadata": {"name": "ACME"}}, {"client_metadata.name": "There is no such field"}),
        ({"client_metadata": None}, {"client_metadata": "Must be an object"}),
        ({"client_id": "x"}, {"client_id": "There is no such field"}),
    ],
)
def test_a_bad_request_names_the_field(api: Any, change: dict[str, Any], details: dict[str, str]) -> None:
    """C-71, C-5: a type with no template is the request's fault."""
    answer = api.admin.post(RECOMMEND, json=question(**change))
    assert (answer.status_code, answer.json()["error"]["details"]) == (400, details)


def test_what_is_missing_is_named_all_at_once(api: Any) -> None:
    """C-43."""
    answer = api.admin.post(RECOMMEND, json={})
    assert answer.status_code == 400
    assert set(answer.json()["error"]["details"]) == {"client_metadata", "dataset_types", "stage"}


def test_it_needs_the_scope_of_templates(api: Any) -> None:
    """C-22."""
    with api.asking(Scope.DATASETS_READ, Scope.DATASETS_WRITE) as client:
        assert client.post(RECOMMEND, json=question()).status_code == 403
    with api.asking(Scope.TEMPLATES_READ) as client:
        assert client.post(RECOMMEND, json=question()).status_code == 200


def test_its_path_is_no_template(api: Any) -> None:
    """C-2, C-70: the path is one of POST alone, though GET of a template looks the same."""
    answer = api.admin.get(RECOMMEND)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
