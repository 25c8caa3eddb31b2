"""What holds for the records of every template in the catalog."""

import re
from collections import Counter
from itertools import combinations
from urllib.parse import urlsplit

import pandas as pd
from fsspec.implementations.local import LocalFileSystem

from dataops_core.company.build import PAGE_ID_STEP, first_page_id
from dataops_core.company.wheel import Wheel
from dataops_core.connectors.embedded.text import plain_text
from dataops_core.generation.records import write_records

#: Issue keys, and what looks alike: change references such as CHG-12345, the license BSD-3-Clause.
ISSUE = re.compile(r"(?<![\w-])([A-Z]{3,4})-(\d+)(?![\w-])")
#: Archetypes of what the company has, whatever a template weighs.
ALWAYS = {"service", "incident", "incident_report", "release_notes", "space_home", "task", "announcement"}
NO_ISSUE = {"CHG", "REF", "BSD"}
URL = re.compile(r"https?://[^\s\"'<>|)\]}]+")
MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


def people_of(company):
    """Name and address of everybody: the company's people and its customers' contacts."""
    contacts = [contact for theirs in company.contacts for contact in theirs]
    return {(person.name, person.email) for person in (*company.people, *contacts)}


def test_records_pass_their_profile(dataset, profile):
    validator = profile(dataset.type.name)
    for row in dataset.rows:
        assert list(validator.iter_errors(dataset.type.record(row))) == []


def test_the_frame_passes_its_schema(dataset):
    dataset.type.schema.validate(dataset.frame, lazy=True)


def test_a_dataset_is_as_large_as_its_template_says(dataset, tmp_path):
    report = write_records(dataset.spec, dataset.type, LocalFileSystem(), f"{tmp_path}/records")
    wanted = dataset.spec.record_count * dataset.spec.template.bytes_per_record
    assert 0.95 * wanted < report.size_bytes < 1.05 * wanted


def test_exactly_the_quota_of_records_lacks_a_field(dataset):
    frame = dataset.frame
    lacking = pd.Series(0, index=frame.index)
    for rule in dataset.type.completeness:
        applies = rule.applies(frame) if rule.applies else pd.Series(True, index=frame.index)
        empty = frame[rule.column].map(lambda value: len(value) == 0 if hasattr(value, "__len__") else pd.isna(value))
        lacking += (applies & empty).astype(int)
    assert (lacking == 1).sum() == int(dataset.spec.template.incomplete_share * len(frame) + 1e-9)
    assert (lacking > 1).sum() == 0


def test_titles_and_addresses_are_unique(dataset):
    documents = dataset.documents
    assert [document.id for document in documents] == [str(row[dataset.type.id_column]) for row in dataset.rows]
    for attribute in ("id", "title", "view_url"):
        assert len({getattr(document, attribute) for document in documents}) == len(documents)


def test_hosts_and_mail_addresses_are_under_example_and_the_company_s(dataset):
    company = dataset.spec.company
    known = {email for _, email in people_of(company)} | {f"support@{company.domain}"}
    # Companies that the records are about have sites of their own.
    sites = {row["Website"] for row in dataset.rows if isinstance(row.get("Website"), str)}
    assert all(urlsplit(site).netloc.endswith(".example") for site in sites)
    for text in dataset.texts:
        for url in URL.findall(text):
            host = urlsplit(url).netloc
            assert host == company.domain or host.endswith(f".{company.domain}") or url in sites
        assert set(MAIL.findall(text)) <= known
    assert company.domain.endswith(".example")


def test_issues_exist(dataset):
    counts = {project.key: project.issue_count for project in dataset.spec.company.projects}
    cited = Counter()
    for text in dataset.texts:
        for key, number in ISSUE.findall(text):
            if key not in NO_ISSUE:
                assert 1 <= int(number) <= counts[key]
                cited[key] += 1
    # A hundred short texts may leave one project out.
    assert len(cited) >= len(counts) - 1


def test_links_lead_to_what_exists(dataset):
    company = dataset.spec.company
    projects = {project.key: project for project in company.projects}
    services = {service.name: service for service in company.services}
    wheel = Wheel(company)
    own_pages = dataset.spec.record_count if dataset.type.name == "confluence_pages" else 20
    own_names = set(dataset.frame["name"]) if dataset.type.name == "github_repos" else set()
    linked = Counter()
    for text in dataset.texts:
        for url in URL.findall(text):
            parts = urlsplit(url.rstrip(".,;"))
            if parts.netloc == f"wiki.{company.domain}":
                _, key, page = re.match(r"/wiki/(spaces)/([A-Z]+)/pages/(\d+)", parts.path).groups()
                row, rest = divmod(int(page) - first_page_id(company), PAGE_ID_STEP)
                assert rest == 0
                assert 0 <= row < own_pages
                assert wheel.project(pd.Series([row]).to_numpy())[0] == projects[key].index
                linked["page"] += 1
            elif parts.netloc == f"github.{company.domain}":
                _, org, name, *below = parts.path.split("/")
                assert org == company.org
                assert name in services.keys() | own_names
                if below:
                    pull, number = below
                    assert pull == "pull"
                    assert 1 <= int(number) <= services[name].pull_request_count
                linked["repository"] += 1
            elif parts.netloc == f"jira.{company.domain}" and parts.path.startswith("/browse/"):
                key, number = parts.path.removeprefix("/browse/").split("-")
                assert 1 <= int(number) <= projects[key].issue_count
            elif parts.netloc == f"support.{company.domain}":
                assert 1 <= int(re.search(r"/tickets/(\d+)", parts.path).group(1)) <= company.ticket_count
    assert linked["page"] > 0
    assert linked["repository"] > 0


def test_people_are_the_company_s(dataset):
    known = people_of(dataset.spec.company)
    for document in dataset.documents:
        assert (document.author_name, document.author_email) in known
        assert document.owner_email is None or (document.owner_name, document.owner_email) in known


def test_documents_carry_the_declared_facets(dataset):
    pattern = re.compile(dataset.type.url_pattern(dataset.spec.company))
    values = set()
    for document in dataset.documents:
        assert set(document.properties) <= set(dataset.type.facets)
        assert document.properties[dataset.type.filter_facet]
        values.add(document.properties[dataset.type.filter_facet])
        assert pattern.fullmatch(document.view_url)
        assert document.created_at <= document.updated_at
        assert document.body
    assert len(values) > 3


def test_text_is_about_the_record_s_topic_and_speaks_no_latin(dataset):
    # Of which the plural begins alike: policy, policies.
    nouns = {
        topic.key: [noun.lower().removesuffix("y") for noun in topic.nouns] for topic in dataset.spec.template.topics
    }
    for row, document in zip(dataset.rows, dataset.documents, strict=True):
        text = plain_text(document.body, document.mime_type).lower()
        said = {key: sum(text.count(noun) for noun in words) / len(words) for key, words in nouns.items()}
        assert said[row["_topic"]] > 0
        assert "lorem" not in text
        assert "dolor sit" not in text
    assert set(dataset.frame["_topic"]) == set(nouns)


def test_archetypes_are_the_type_s_and_the_template_s(dataset):
    weighed = {name for name, weight in dataset.spec.template.archetypes.items() if weight}
    assert set(dataset.frame["_archetype"]) <= weighed | ALWAYS
    assert weighed <= dataset.type.archetypes


def test_no_two_texts_are_alike(dataset):
    documents = dataset.documents
    assert len({document.body for document in documents}) == len(documents)
    sample = {row: plain_text(documents[row].body, documents[row].mime_type).split() for row in range(30, 70)}
    shingles = {
        row: {tuple(words[place : place + 8]) for place in range(len(words) - 7)} for row, words in sample.items()
    }
    for one, other in combinations(shingles, 2):
        if frozenset((one, other)) not in dataset.twins:
            first, second = shingles[one], shingles[other]
            # Short messages may have a phrase in common, of eleven words at most.
            assert len(first & second) < 0.05 * max(len(first | second), 100)


def test_text_says_new_things_to_the_last_page(pages):
    seen: set[tuple[str, ...]] = set()
    total = 0
    for row in pages.rows:
        words = plain_text(row["body.storage.value"], "text/html").split()
        seen.update(tuple(words[place : place + 5]) for place in range(len(words) - 4))
        total += len(words) - 4
    assert len(seen) > 0.4 * total


def test_what_is_counted_has_no_article(dataset):
    for text in dataset.texts:
        assert re.findall(r"\d,\d{3} (?:an?|the) [^.]*", text) == []
