"""The questions of every dataset type, each held to the records by a reading of the test's own (C-57)."""

import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest

from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.generation.calendar import epoch_seconds
from dataops_core.ground_truth.drawing import size
from dataops_core.ground_truth.model import GroundTruth, Question
from dataops_core.quality.planted_defects import planted_defects
from dataops_core.quality.query_drawing import make_queries
from tests.dataops_core.dataset_types.conftest import CATALOG, generate, specification
from tests.dataops_core.ground_truth.conftest import Asked, questions_of
from tests.each_type import EACH_TYPE

ISSUE = re.compile(r"\b[A-Z]{3,4}-\d+\b")
QUOTED = re.compile(r"“(.+)”")


def expected(question: Question) -> list[str]:
    return sorted(one.url for one in question.expected)


def quoted(question: Question) -> str:
    found = QUOTED.search(question.text)
    assert found is not None, question.text
    return found[1]


def titled(asked: Asked, title: str) -> list[str]:
    return asked.where(lambda one: one.document.title == title)


def day(epoch: int) -> str:
    return datetime.fromtimestamp(epoch, UTC).date().isoformat()


def test_there_are_two_hundred_of_nine_kinds_for_five_hundred_records(asked: Asked) -> None:
    kinds = Counter(question.kind.value for question in asked.truth if not question.in_quality_check)
    assert sum(kinds.values()) >= size(500) >= 200
    assert set(kinds) == {
        "title", "phrase", "entity", "conjunction", "filter", "people", "fact", "multi_hop", "conflicting",
        "unanswerable",
    }  # fmt: skip
    assert min(number for kind, number in kinds.items() if kind != "conflicting") >= 10
    assert len({question.query_id for question in asked.truth}) == len(asked.truth)
    assert len({(question.text, question.filters) for question in asked.truth}) == len(asked.truth)


def test_expected_documents_are_the_datasets_by_id_and_address(asked: Asked) -> None:
    for question in asked.truth:
        assert bool(question.expected) is (question.kind.value != "unanswerable")
        assert all(asked.documents[one.url].document.id == one.document_id for one in question.expected)


def test_the_ten_of_the_quality_check_come_first(asked: Asked) -> None:
    first = [question for question in asked.truth if question.in_quality_check]
    assert first == list(asked.truth)[:10]
    assert [(one.query_id, one.text, one.filters) for one in first] == [
        (one.query_id, one.text, one.filters) for one in asked.ten
    ]
    for question, query in zip(first, asked.ten, strict=True):
        assert expected(question) == sorted(query.expected or query.allowed or ())


def test_words_of_a_known_item_stand_together_there_alone(asked: Asked) -> None:
    for kind in ("title", "phrase", "conjunction"):
        for question in asked.of_kind(kind):
            assert asked.where(lambda one, text=question.text: one.holds(text)) == expected(question)
    titles = [asked.documents[question.expected[0].url].document.title for question in asked.of_kind("title")]
    assert [question.text for question in asked.of_kind("title")] == titles


def test_an_entity_leads_to_all_documents_that_name_it(asked: Asked) -> None:
    for question in asked.of_kind("entity"):
        names = question.text.split()
        assert asked.where(lambda one, names=names: all(map(one.names, names))) == expected(question)
        assert 1 <= len(question.expected) <= 3


def test_a_filter_leads_to_all_documents_with_word_and_facet(asked: Asked) -> None:
    for question in asked.of_kind("filter"):
        (condition,) = question.filters
        (value,) = condition.values
        held = {url: one.document.properties.get(condition.field, ()) for url, one in asked.documents.items()}
        inside = {url for url, values in held.items() if value in ((values,) if isinstance(values, str) else values)}
        found = asked.where(lambda one, text=question.text: one.holds(text))
        assert sorted(inside.intersection(found)) == expected(question)
        assert len(found) > len(question.expected) >= 1


def test_people_lead_to_what_they_wrote_or_are_the_answer(asked: Asked) -> None:
    asked_for, sought = 0, 0
    for question in asked.of_kind("people"):
        (url,) = expected(question)
        document = asked.documents[url].document
        if question.filters:
            (condition,) = question.filters
            assert condition.field in {"author", "owner"}
            assert condition.values[0] in {document.author_email, document.owner_email}
            theirs = [
                other
                for other, one in asked.documents.items()
                if condition.values[0] == getattr(one.document, f"{condition.field}_email") and one.holds(question.text)
            ]
            assert theirs == [url]
            sought += 1
        else:
            assert titled(asked, quoted(question)) == [url]
            assert question.answer == document.author_name
            asked_for += 1
    assert asked_for >= 5
    assert sought >= 5


def test_a_fact_is_what_the_record_says(asked: Asked) -> None:
    facet = asked.dataset.type.filter_facet
    kinds = Counter()
    for question in asked.of_kind("fact"):
        assert titled(asked, quoted(question)) == expected(question)
        document = asked.documents[question.expected[0].url].document
        if question.text.startswith("When was"):
            assert question.answer == day(document.created_at)
            kinds["day"] += 1
        else:
            assert question.text.startswith(f"What is the {facet} of")
            assert question.answer == document.properties[facet]
            kinds["facet"] += 1
    assert min(kinds["day"], kinds["facet"]) >= 5


def test_two_hops_lead_over_the_one_document_that_names_an_issue_or_a_ticket(
    asked: Asked, asked_of: Callable[[str], Asked]
) -> None:
    systems = {name: asked_of(name).documents for name in ("jira_issues", "zendesk_tickets")}
    pointers = [question for question in asked.of_kind("multi_hop") if question.text.startswith("Who is the author")]
    assert len(pointers) >= 10
    for question in pointers:
        issue = ISSUE.search(question.text)
        number = re.search(r"support ticket (\d+)", question.text)
        if issue is not None:
            name, system = issue[0], "jira_issues"
            naming = asked.where(lambda one, name=name: one.names(name))
        else:
            assert number is not None, question.text
            name, system = number[1], "zendesk_tickets"
            naming = asked.where(lambda one, name=name: f"/agent/tickets/{name}" in one.document.body)
        (first,) = naming
        author, opened = (question.answer or "").split("; ")
        assert author == asked.documents[first].document.author_name
        others = [one.url for one in question.elsewhere] or [url for url in expected(question) if url != first]
        assert sorted({first, *expected(question)} - set(others)) == [first]
        (other,) = others
        if question.elsewhere:
            assert (question.elsewhere[0].dataset_type, question.elsewhere[0].document_id) == (system, name)
            assert other not in asked.documents
        if other in systems[system]:
            # Where that dataset was made, its document says what the closed form said.
            document = systems[system][other].document
            assert (document.id, day(document.created_at)) == (name, opened)


@pytest.mark.long
def test_some_of_what_two_hops_lead_to_was_made(asked_of: Callable[[str], Asked]) -> None:
    """So that the closed form was held to documents."""
    made = {url for name in ("jira_issues", "zendesk_tickets") for url in asked_of(name).documents}
    questions = [question for name in DATASET_TYPES for question in asked_of(name).of_kind("multi_hop")]
    assert sum(one.url in made for question in questions for one in question.elsewhere) >= 5


def test_an_outage_leads_to_its_traces_and_to_the_customers_that_it_hit(
    asked: Asked, asked_of: Callable[[str], Asked]
) -> None:
    company = asked.dataset.spec.company
    tickets = asked_of("zendesk_tickets").documents
    outages = [question for question in asked.of_kind("multi_hop") if question.text.startswith("Which customers")]
    for question in outages:
        (key,) = ISSUE.findall(question.text)
        naming = set(asked.where(lambda one, key=key: one.names(key)))
        (incident,) = [one for one in company.incidents if f"{company.projects[one.project].key}-{one.issue}" == key]
        answered = {company.customers[index] for index in incident.customers}
        assert set((question.answer or "").split(", ")) == answered
        pointed_at = {one.url for one in question.elsewhere} | (set(expected(question)) - naming)
        assert naming <= set(expected(question))
        assert len(pointed_at | (set(expected(question)) & naming)) >= 1 + len(incident.customers)
        for url in pointed_at & tickets.keys():
            assert tickets[url].document.properties["organization"] in answered
    assert all(one.elsewhere or one.expected for one in outages)


def test_a_release_leads_to_its_traces_and_to_the_issues_that_went_out_with_it(
    asked: Asked, asked_of: Callable[[str], Asked]
) -> None:
    company = asked.dataset.spec.company
    issues = asked_of("jira_issues").documents
    releases = {(company.services[one.service].name, one.version): one for one in company.releases}
    questions = [question for question in asked.of_kind("multi_hop") if question.text.startswith("Which issues")]
    for question in questions:
        service, version = re.findall(r"with (\S+) ([\d.]+),", question.text)[0]
        release = releases[service, version]
        key = company.projects[release.project].key
        told, went_out = (question.answer or "").split("; ")
        assert told.split(", ") == [f"{key}-{number}" for number in release.fixed]
        assert went_out == day(int(epoch_seconds(np.array([release.moment]))[0]))
        fixed = {f"{company.jira_url}/browse/{one}" for one in told.split(", ")}
        # In a sentence or as two lines of YAML.
        name = rf"{service}\W{{1,4}}(version\W{{1,3}})?{re.escape(version)}|version {re.escape(version)}, {service}"
        traces = set(asked.where(lambda one, name=name: re.search(rf"(?<![\w-])({name})(?!\.?\d)", one.text)))
        assert traces <= set(expected(question)) <= traces | fixed
        assert {one.url for one in question.elsewhere} | set(expected(question)) >= fixed
        for url in fixed & issues.keys():
            assert issues[url].document.created_at < epoch_seconds(np.array([release.moment]))[0]


@pytest.mark.parametrize("name", ["confluence_pages", "slack_messages", "jira_issues"])
def test_releases_are_asked_for(asked_of: Callable[[str], Asked], name: str) -> None:
    texts = [question.text for question in asked_of(name).of_kind("multi_hop")]
    assert sum(text.startswith("Which issues went out with") for text in texts) >= 3


def test_a_fact_that_is_told_in_two_ways_leads_to_both_documents(asked: Asked) -> None:
    dataset = asked.dataset
    planted = planted_defects(dataset.spec, dataset.type, dataset.table)
    conflicts = {one.detail["fact"]: one for one in planted if one.kind == "conflicting_fact"}
    questions = asked.of_kind("conflicting")
    assert len(questions) == len(conflicts) >= 1
    for question in questions:
        defect = conflicts[question.text.removeprefix("What is the ").removesuffix("?")]
        assert {one.document_id for one in question.expected} == {defect.record_id, defect.related_record_id}
        told = {defect.record_id: defect.detail["value"], defect.related_record_id: defect.detail["related_value"]}
        assert set((question.answer or "").split("; ")) == set(told.values())
        for one in question.expected:
            text = asked.documents[one.url].text
            assert told[one.document_id] in text
            measure = defect.detail["fact"].partition(" of ")[0]
            assert measure in text


def test_what_nobody_can_answer_stands_nowhere(asked: Asked) -> None:
    company = asked.dataset.spec.company
    counts = {project.key: project.issue_count for project in company.projects}
    for question in asked.of_kind("unanswerable"):
        assert (question.expected, question.elsewhere, question.answer) == ((), (), None)
        if question.in_quality_check:
            assert asked.where(lambda one, text=question.text: text in one.text.lower()) == []
        elif keys := ISSUE.findall(question.text):
            project, number = keys[0].split("-")
            assert int(number) > counts[project]
            assert asked.where(lambda one, key=keys[0]: one.names(key)) == []
        else:
            name = question.text.partition(" agreed with ")[2].rstrip("?")
            assert name not in company.customers
            invented, _ = name.split()
            assert asked.where(lambda one, word=invented: one.holds(word)) == []


def test_the_same_records_give_the_same_questions_and_another_seed_others(asked_of: Callable[[str], Asked]) -> None:
    asked = asked_of("jira_issues")
    assert questions_of(asked.dataset, asked.ten) == asked.truth
    other = questions_of(asked.dataset, asked.ten, seed=7)
    assert {one.text for one in other}.isdisjoint(one.text for one in list(asked.truth)[10:]) is False
    assert [one.text for one in other][10:] != [one.text for one in asked.truth][10:]


def test_questions_survive_their_file(asked: Asked) -> None:
    content = asked.truth.to_jsonl()
    assert GroundTruth.from_jsonl(content) == asked.truth
    assert content.count(b"\n") == len(asked.truth)


@pytest.mark.parametrize("name", EACH_TYPE)
def test_twenty_records_are_enough(name: str) -> None:
    template = next(template for template in CATALOG.templates if template.dataset_type == name)
    dataset = generate(specification(template.name, records=20, bytes_per_record=3000))
    truth = questions_of(dataset, make_queries(dataset.table, dataset.type, seed=1))
    assert len(truth) >= 10 + 40
    assert len({one.kind for one in truth}) >= 8


@pytest.mark.long
def test_a_dataset_of_many_row_groups_is_read_in_parts_and_still_proven_whole() -> None:
    """Memory does not grow with the records: some propose, all have their say."""
    template = next(template for template in CATALOG.templates if template.dataset_type == "slack_messages")
    dataset = generate(specification(template.name, records=3200))
    truth = questions_of(dataset, make_queries(dataset.table, dataset.type, seed=1))
    texts = {}
    for row in dataset.table.to_pylist():
        document = dataset.type.document(row)
        texts[document.view_url] = frozenset(re.findall(r"[^\W_]+", f"{document.title}\n{document.body}".lower()))
    assert len(truth) >= 10 + size(3200)
    for kind in ("title", "phrase", "conjunction"):
        questions = [one for one in truth if one.kind.value == kind]
        assert len(questions) >= 20
        for question in questions[:40]:
            wanted = set(re.findall(r"[^\W_]+", question.text.lower()))
            assert [url for url, words in texts.items() if words.issuperset(wanted)] == expected(question)
