"""Listing and getting templates (C-70)."""

from typing import Any
from uuid import uuid4

import pytest

from dataops_core.scopes import Scope

TEMPLATES = "/v1/dataops/templates"
FIELDS = [
    "template_id",
    "name",
    "dataset_type",
    "industry",
    "use_case",
    "description",
    "default_record_count",
    "estimated_size_mb",
    "_links",
]


def test_the_references_template_is_listed_as_the_reference_shows_it(api: Any) -> None:
    """C-70."""
    with api.asking(Scope.TEMPLATES_READ) as client:
        body = client.get(
            TEMPLATES,
            params={
                "industry": "fintech",
                "use_case": "developer_productivity",
                "dataset_type": "confluence_pages",
            },
        ).json()
    assert list(body) == ["templates", "total_count"]
    (template,) = body["templates"]
    assert list(template) == FIELDS
    assert template["name"] == "FinTech Developer Productivity - Confluence"
    assert (template["default_record_count"], template["estimated_size_mb"]) == (500, 15)
    assert template["_links"] == {"self": f"{TEMPLATES}/{template['template_id']}"}


def test_all_templates_come_in_one_answer(api: Any) -> None:
    """C-70."""
    body = api.admin.get(TEMPLATES).json()
    assert body["total_count"] == len(body["templates"]) >= 15
    assert len({template["template_id"] for template in body["templates"]}) == body["total_count"]
    assert {template["industry"] for template in body["templates"]} == {
        "fintech",
        "healthcare",
        "enterprise",
        "manufacturing",
        "retail",
    }


@pytest.mark.parametrize("query", ["use_case=alchemy", "dataset_type=smoke_signals"])
def test_what_nothing_matches_is_an_empty_list(api: Any, query: str) -> None:
    """C-70."""
    assert api.admin.get(f"{TEMPLATES}?{query}").json() == {"templates": [], "total_count": 0}


def test_an_industry_that_is_none_is_refused(api: Any) -> None:
    """C-70."""
    answer = api.admin.get(f"{TEMPLATES}?industry=mining")
    assert answer.status_code == 400
    assert answer.json()["error"]["details"] == {
        "industry": "Must be one of fintech, healthcare, enterprise, manufacturing or retail"
    }


def test_one_template_tells_its_topics_its_records_fields_and_shows_some_records(api: Any) -> None:
    """C-70."""
    for listed in api.admin.get(TEMPLATES).json()["templates"]:
        body = api.admin.get(listed["_links"]["self"]).json()
        assert {name: body[name] for name in FIELDS} == listed
        assert body["record_counts"]["sandbox"] == listed["default_record_count"]
        assert body["version"] >= 1
        assert len(body["topics"]) >= 3
        required = {field["name"].partition(".")[0] for field in body["record_schema"] if not field["nullable"]}
        assert {field["type"] for field in body["record_schema"]} <= {
            "string",
            "integer",
            "number",
            "boolean",
            "array",
            "object",
        }
        assert len(body["sample_records"]) == 3
        for record in body["sample_records"]:
            assert required <= record.keys()
        if body["dataset_type"] == "confluence_pages":
            # From all over: the first pages are the spaces' own.
            assert any(record.get("parentId") for record in body["sample_records"])


def test_a_template_that_is_not_there_is_404_and_a_malformed_id_400(api: Any) -> None:
    """C-70."""
    missing = str(uuid4())
    answer = api.admin.get(f"{TEMPLATES}/{missing}")
    assert answer.status_code == 404
    assert answer.json()["error"]["details"] == {"template_id": missing}
    assert api.admin.get(f"{TEMPLATES}/best").status_code == 400


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("industry=fintech&dataset_type=confluence_pages", 2),
        ("industry=fintech&dataset_type=github_repos", 2),
        ("use_case=compliance&industry=healthcare&dataset_type=confluence_pages", 1),
        # Exactly: neither a part, nor in other letters, nor as words.
        ("use_case=complian", 0),
        ("use_case=Compliance", 0),
        ("use_case=developer%20productivity", 0),
        ("use_case=", 0),
        ("dataset_type=confluence", 0),
        ("industry=retail&use_case=compliance", 0),
    ],
)
def test_filters_are_exact_and_all_of_them_hold(api: Any, query: str, count: int) -> None:
    """C-70."""
    body = api.admin.get(f"{TEMPLATES}?{query}").json()
    assert (body["total_count"], len(body["templates"])) == (count, count)


@pytest.mark.parametrize("query", ["page=1", "per_page=5", "industry=", "industry=Fintech", "sort=name"])
def test_there_are_no_pages_and_no_other_parameters(api: Any, query: str) -> None:
    """C-70, C-5."""
    answer = api.admin.get(f"{TEMPLATES}?{query}")
    assert (answer.status_code, list(answer.json()["error"]["details"])) == (400, [query.partition("=")[0]])


def test_templates_have_a_scope_of_their_own(api: Any) -> None:
    """C-22."""
    listed = api.admin.get(TEMPLATES).json()["templates"][0]["_links"]["self"]
    with api.asking(Scope.DATASETS_READ, Scope.QUALITY_READ) as client:
        assert [client.get(path).status_code for path in (TEMPLATES, listed)] == [403, 403]
    with api.asking(Scope.TEMPLATES_READ) as client:
        assert [client.get(path).status_code for path in (TEMPLATES, listed)] == [200, 200]
