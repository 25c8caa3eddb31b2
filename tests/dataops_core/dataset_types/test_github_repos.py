"""GitHub repositories."""

import ast
import re
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit

import yaml

from dataops_core.company.build import repository_url
from dataops_core.dataset_types.github.layout import LAYOUTS

#: What GitHub's schema of a minimal repository requires.
REQUIRED = [
    "archive_url", "assignees_url", "blobs_url", "branches_url", "collaborators_url", "comments_url", "commits_url",
    "compare_url", "contents_url", "contributors_url", "deployments_url", "description", "downloads_url",
    "events_url", "fork", "forks_url", "full_name", "git_commits_url", "git_refs_url", "git_tags_url", "hooks_url",
    "html_url", "id", "issue_comment_url", "issue_events_url", "issues_url", "keys_url", "labels_url",
    "languages_url", "merges_url", "milestones_url", "name", "node_id", "notifications_url", "owner", "private",
    "pulls_url", "releases_url", "stargazers_url", "statuses_url", "subscribers_url", "subscription_url", "tags_url",
    "teams_url", "trees_url", "url",
]  # fmt: skip


def test_the_first_repositories_are_the_services_(repositories):
    company = repositories.spec.company
    for service in company.services:
        row = repositories.rows[service.index]
        assert row["name"] == service.name
        assert row["_view_url"] == repository_url(company, service)
        assert row["_archetype"] == "service"
        assert not row["archived"]


def test_the_smallest_dataset_has_every_service(dataset_of):
    smallest = dataset_of("FinTech Developer Productivity - GitHub", records=20)
    assert {service.name for service in smallest.spec.company.services} <= set(smallest.frame["name"])


def test_names_stay_unique_when_the_words_are_used_up(dataset_of, repositories):
    topics = tuple(
        topic.model_copy(update={"nouns": topic.nouns[:8]}) for topic in repositories.spec.template.topics[:3]
    )
    dataset = dataset_of(repositories.spec.template.name, records=6000, bytes_per_record=1200, topics=topics)
    assert dataset.frame["name"].is_unique
    assert dataset.frame["name"].str.fullmatch(r"[a-z0-9-]{1,100}").all()
    assert dataset.frame["name"].str.contains(r"-\d+$").any()


def test_a_suffix_belongs_to_one_archetype():
    suffixes = [suffix for layout in LAYOUTS.values() for suffix in layout.suffixes]
    assert len(set(suffixes)) == len(suffixes)
    assert all(suffix.isalpha() for suffix in suffixes)


def test_a_record_has_every_link_that_github_derives(repositories):
    company = repositories.spec.company
    record = repositories.type.record(repositories.rows[25])
    assert set(REQUIRED) <= set(record)
    assert record["html_url"] == f"{company.github_url}/{record['full_name']}"
    assert record["forks_url"] == f"https://api.github.{company.domain}/repos/{record['full_name']}/forks"
    assert record["owner"]["repos_url"] == f"https://api.github.{company.domain}/users/{company.org}/repos"
    links = [value for name, value in {**record, **record["owner"]}.items() if name.endswith("_url") and value]
    assert all(urlsplit(link).netloc.endswith(f".{company.domain}") for link in links)


def test_what_is_public_has_a_license_and_is_not_private(dataset_of):
    frame = dataset_of("FinTech Developer Productivity - GitHub", records=600).frame
    public = frame["visibility"] == "public"
    assert public.any()
    assert (frame["private"] == ~public).all()
    assert (frame["license.spdx_id"][public] != "NOASSERTION").all()
    assert (frame["license.spdx_id"][~public] == "NOASSERTION").all()
    assert (frame["license.url"].notna() == public).all()


def test_times_follow_each_other(repositories):
    for row in repositories.rows:
        created, pushed, updated = (
            datetime.fromisoformat(row[name]) for name in ("created_at", "pushed_at", "updated_at")
        )
        assert created < pushed <= updated


def test_a_readme_begins_with_name_description_and_how_to_get_it(repositories):
    for row in repositories.rows:
        head = row["_text"][:700]
        assert head.startswith(f"# {row['name']}\n\n")
        assert f"git clone {row['_view_url']}\n" in head
        if isinstance(row["description"], str):
            assert f"\n{row['description']}.\n" in head
        assert row["_text"].count("```") % 2 == 0


def test_an_archetype_has_its_languages_and_sections(repositories):
    for row in repositories.rows:
        layout = LAYOUTS[row["_archetype"]]
        assert row["language"] in layout.languages
        known = {heading for section in layout.sections for heading in section.headings} | {"Contact", "Changelog"}
        headings = [line[3:] for line in row["_text"].splitlines() if line.startswith("## ")]
        assert headings
        assert set(headings) <= known


def test_a_template_that_weighs_no_services_still_has_the_company_s(repositories):
    template = repositories.spec.template.model_copy(update={"archetypes": {"library": 1, "service": 0}})
    spec = replace(repositories.spec, template=template, record_count=80)
    archetypes = repositories.type.builder(spec).rows(0, 80)["_archetype"].to_pylist()
    services = len(spec.company.services)
    assert archetypes == ["service"] * services + ["library"] * (80 - services)


def test_a_repository_is_a_document_of_the_code(repositories):
    kind, row = repositories.type, repositories.rows[40]
    document = kind.document(row)
    assert (kind.object_type, kind.category) == ("Repository", "CODE_REPOSITORY")
    assert document.id == str(row["id"])
    assert (document.mime_type, document.body) == ("text/markdown", row["_text"])
    assert document.container == repositories.spec.company.org
    assert document.properties["language"] == row["language"]
    assert document.properties["topics"] == tuple(row["topics"])


def test_documents_are_made_of_stored_rows_too(repositories):
    stored = repositories.table.slice(40, 1).to_pylist()[0]
    assert repositories.type.document(stored) == repositories.type.document(repositories.rows[40])
    assert repositories.type.record(stored) == repositories.type.record(repositories.rows[40])


def test_code_is_what_its_language_reads(repositories):
    readmes = "\n".join(document.body for document in repositories.documents)
    fences = re.findall(r"```(\w+)\n(.*?)```", readmes, re.DOTALL)
    assert {"python", "yaml", "bash", "sql"} <= {language for language, _ in fences}
    for language, code in fences:
        assert not re.search(r"\d,\d{3}", code)
        if language == "python":
            ast.parse(code)
            assert code.startswith("from ")
        if language == "yaml":
            assert isinstance(yaml.safe_load(code), dict)


def test_no_name_says_its_purpose_twice(dataset_of):
    names = dataset_of("FinTech Developer Productivity - GitHub", records=600).frame["name"]
    assert not any(re.search(r"-(\w+)-\1(?:-|$)", name) for name in names)
