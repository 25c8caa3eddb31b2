"""Confluence pages."""

import base64
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import date, datetime, timedelta
from urllib.parse import quote_plus

import numpy as np
import pytest
import yaml

from dataops_core.company.build import PAGE_ID_STEP, first_page_id, repository_url
from dataops_core.company.wheel import Wheel
from dataops_core.dataset_types.confluence.layout import HOME, HOME_ARCHETYPE, LAYOUTS
from dataops_core.dataset_types.outages import lasted, spanned
from dataops_core.generation import calendar
from dataops_core.generation.sentences import spoken_day

STORAGE = '<body xmlns:ac="urn:ac" xmlns:ri="urn:ri">{}</body>'


def test_bodies_are_well_formed_storage_format(pages):
    seen = set()
    for body in pages.frame["body.storage.value"]:
        root = ET.fromstring(STORAGE.format(body))  # noqa: S314  our own text
        for element in root.iter():
            seen.add(element.tag)
            if element.tag == "{urn:ac}structured-macro":
                seen.add(element.get("{urn:ac}name"))
    assert {"h2", "h3", "p", "ul", "ol", "li", "table", "td", "a"} <= seen
    assert {"toc", "code", "jira", "info", "note", "warning", "tip"} <= seen


def test_settings_are_yaml(pages):
    bodies = "".join(pages.frame["body.storage.value"])
    code = re.findall(r'name="language">yaml<.*?CDATA\[(.*?)\]\]>', bodies, re.DOTALL)
    assert len(code) > 50
    assert all(isinstance(yaml.safe_load(each), dict) for each in code)


def test_a_section_has_each_table_once(pages):
    for body in pages.frame["body.storage.value"]:
        for section in body.split("<h2>"):
            headers = re.findall(r"<table><tbody><tr>(<th>.*?)</tr>", section)
            assert len(headers) == len(set(headers))


def test_pages_have_the_sections_of_their_archetype(pages):
    for row in pages.rows:
        sections = {**LAYOUTS, HOME_ARCHETYPE: HOME}[row["_archetype"]].sections
        headings = re.findall(r"<h2>([^<]+)</h2>", row["body.storage.value"])
        assert headings
        places = [next(n for n, section in enumerate(sections) if heading in section.headings) for heading in headings]
        assert places == sorted(set(places))
    assert set(pages.frame["_archetype"]) == {*LAYOUTS, HOME_ARCHETYPE}


def test_a_page_begins_with_what_its_title_says(pages):
    for row in pages.rows[len(pages.spec.company.projects) :]:
        intro = re.search(r"<p>(.*?)</p>", row["body.storage.value"]).group(1)
        words = [word for word in row["title"].split() if word in intro]
        # Of an outage or a release a title names the service, and its day or version.
        of_company = re.match(r"Incident review: outage of|Release notes: \S+ [\d.]+$", row["title"])
        assert len(words) >= (1 if of_company else 3)


def test_a_page_s_parent_is_an_earlier_page_of_its_space(pages):
    by_id = {row["id"]: (number, row) for number, row in enumerate(pages.rows)}
    roots = 0
    for number, row in enumerate(pages.rows):
        if not isinstance(row["parentId"], str):
            roots += 1
            continue
        above, parent = by_id[row["parentId"]]
        assert above < number
        assert parent["spaceId"] == row["spaceId"]
    assert roots == len(pages.spec.company.projects)


def test_ids_follow_from_the_row_whatever_the_dataset(pages, dataset_of):
    other = dataset_of("Retail Customer Support - Confluence")
    first = first_page_id(pages.spec.company)
    assert pages.frame["id"].tolist() == [str(first + row * PAGE_ID_STEP) for row in range(500)]
    assert other.frame["id"][:20].tolist() == pages.frame["id"][:20].tolist()
    assert other.frame["_space_key"][:20].tolist() == pages.frame["_space_key"][:20].tolist()


def test_a_space_s_first_page_is_its_project_s_home(pages):
    for project in pages.spec.company.projects:
        row = pages.rows[project.index]
        assert row["title"] == f"{project.name}: start here"
        assert row["_space_key"] == project.key
        assert "parentId" not in pages.type.record(row)
        # It says who is here and where all else is; it is no document on a subject, and nothing above it is named.
        body = row["body.storage.value"]
        service = pages.spec.company.services[project.index]
        assert re.findall(r'ac:name="(children|recently-updated)"', body) in (
            [],
            ["children"],
            ["children", "recently-updated"],
        )
        assert f'href="{repository_url(pages.spec.company, service)}"' in body
        assert project.name in body.partition("<ul>")[0]
        assert all(
            f'/pages/{row["id"]}">{words}<' not in body
            for words in ("the page above this one", "the overview above", "what comes before")
        )


def test_rows_go_round_the_wheel(pages):
    wheel = Wheel(pages.spec.company)
    rows = np.arange(3000)
    projects, ordinals = wheel.project(rows), wheel.ordinal(rows)
    assert (wheel.row(projects, ordinals) == rows).all()
    for project in set(projects.tolist()):
        mine = ordinals[projects == project]
        assert mine.tolist() == list(range(len(mine)))


def test_authors_are_of_the_project_s_team(pages):
    company = pages.spec.company
    team_of = {person.account_id: person.team for person in company.people}
    projects = {project.key: project for project in company.projects}
    for number, row in enumerate(pages.rows):
        at_home = team_of[row["authorId"]] == projects[row["_space_key"]].team
        assert at_home != (number in pages.misfiled)


def test_times_are_business_like_and_fixed(pages):
    created = [datetime.fromisoformat(moment) for moment in pages.frame["createdAt"]]
    updated = [datetime.fromisoformat(moment) for moment in pages.frame["version.createdAt"]]
    assert all(before <= after for before, after in zip(created, updated, strict=True))
    homes = len(pages.spec.company.projects)
    assert max(created[:homes]).date() < date(2023, 7, 3) <= min(created[homes:]).date()
    assert max(updated).date() < date(2026, 6, 29)
    assert np.mean([moment.weekday() < 5 for moment in created + updated]) > 0.9
    first = pages.frame["version.number"] == 1
    assert (pages.frame["createdAt"][first] == pages.frame["version.createdAt"][first]).all()
    assert 0.2 < first.mean() < 0.5


def test_days_in_the_text_are_not_after_the_page_but_for_what_is_due(pages):
    homes, spoken, seen = len(pages.spec.company.projects), r"([A-Z][a-z]+ \d{1,2}, 20\d\d)", 0
    copies = {row for pair in pages.twins for row in pair}
    for place, row in enumerate(pages.rows):
        # A home page speaks as of its last change.
        told = datetime.fromisoformat(row["version.createdAt" if place < homes else "createdAt"]).date()
        text, due = row["body.storage.value"], rf"<td>{spoken}</td><td>[A-Z]+-\d+</td></tr>"
        for day in re.findall(due, text):
            assert day_of(day) <= told + timedelta(days=61)
            # A copy says what its source said.
            assert told <= day_of(day) or place in copies
            seen += 1
        assert all(day_of(day) <= told for day in re.findall(rf"\b{spoken}\b", re.sub(due, "", text)))
    assert seen > 100


def day_of(text):
    return datetime.strptime(text, "%B %d, %Y").date()  # noqa: DTZ007  a day has no zone


def test_the_company_s_incidents_have_their_reviews_within_days(pages):
    company, found = pages.spec.company, 0
    titles = {row["title"]: row for row in pages.rows}
    for incident in company.incidents:
        day = spoken_day(incident.started // calendar.DAY)
        row = titles.get(f"Incident review: outage of {company.services[incident.service].name} on {day}")
        if row is None:
            continue
        found += 1
        assert row["_archetype"] == "incident_report"
        assert row["_space_key"] == company.projects[incident.project].key
        assert row["authorId"] == company.people[incident.lead].account_id
        written = datetime.fromisoformat(row["createdAt"]).timestamp() - 1_688_342_400
        assert incident.resolved < written < incident.resolved + 6 * calendar.DAY
        body = row["body.storage.value"]
        assert f">{company.projects[incident.project].key}-{incident.issue}<" in body
        assert f"{company.customers[incident.customers[0]]} was hit on {day}" in body
        assert f'href="{company.support_url}/agent/tickets/{incident.first_ticket}"' in body
        # How it went is told by the clock, from its begin to its end, and nothing else says how long it lasted.
        course = re.findall(r"<tr><td>(\d\d:\d\d)</td><td>(.*?)</td></tr>", body)
        minutes = [int(time[:2]) * 60 + int(time[3:]) for time, _ in course]
        since = [(minute - minutes[0]) % (24 * 60) for minute in minutes]
        assert since == sorted(since)
        assert minutes[0] == incident.started % calendar.DAY // 60
        assert minutes[-1] == incident.resolved % calendar.DAY // 60
        assert body.count("<th>Time") == 1
        intro = body.partition("</p>")[0]
        assert spanned(incident) in intro or lasted(incident) in intro
        assert any(f"/browse/{company.projects[incident.project].key}-{incident.issue}" in text for _, text in course)
    assert found > len(company.incidents) / 2


@pytest.mark.parametrize(
    ("minutes", "said"),
    [(40, "40 minutes"), (61, "an hour and a minute"), (120, "two hours"), (359, "five hours and 59 minutes")],
)
def test_how_long_an_incident_lasted_is_what_its_clock_says(pages, minutes, said):
    incident = replace(pages.spec.company.incidents[0], started=7 * 60 + 59, resolved=(7 + minutes) * 60)
    assert lasted(incident) == said


def test_notes_of_a_meeting_are_written_down_soon_after_it(pages):
    seen = 0
    for row in pages.rows:
        if row["_archetype"] == "meeting_notes":
            intro = re.search(r"<p>(.*?)</p>", row["body.storage.value"]).group(1)
            written = datetime.fromisoformat(row["createdAt"]).timestamp() - 1_688_342_400
            last = [spoken_day(max(int(written) // calendar.DAY - days, 0)) for days in range(5)]
            assert re.search(r"[A-Z][a-z]+ \d{1,2}, \d{4}", intro).group() in last
            seen += 1
    assert seen > 20


def test_no_incident_lasts_longer_than_people_wait(pages):
    for row in pages.rows:
        if row["_archetype"] == "incident_report":
            intro = row["body.storage.value"].partition(" </p>")[0].partition(". ")[0]
            assert not re.search(r"(?:for|after|lay) [a-z ]*(?:day|week|month|shift|sprint)s?\b", intro)


def test_short_pages_are_pages_too(dataset_of, profile):
    dataset = dataset_of("FinTech Developer Productivity - Confluence", records=40, bytes_per_record=1500)
    validator = profile("confluence_pages")
    for row in dataset.rows:
        ET.fromstring(STORAGE.format(row["body.storage.value"]))  # noqa: S314  our own text
        assert list(validator.iter_errors(dataset.type.record(row))) == []


def test_addresses_have_the_title_and_the_id_as_confluence_writes_them(dataset_of, pages):
    odd = dataset_of(pages.spec.template.name, records=700, locale="fr_FR")
    plain = 0
    for row in (*pages.rows, *odd.rows):
        *_, title = row["_links.webui"].split("/")
        if re.fullmatch(r"[A-Za-z0-9 .,:-]*", row["title"]):
            plain += 1
            assert title == row["title"].replace(" ", "+")
        else:
            assert title == quote_plus(row["title"])
        code = base64.b64encode(int(row["id"]).to_bytes(4, "little"), b"-_").decode().rstrip("=").rstrip("A")
        assert row["_links.tinyui"] == f"/x/{code}"
    assert 0 < plain < len(pages.rows) + len(odd.rows)


def test_titles_stay_unique_when_the_words_are_used_up(dataset_of, pages):
    topics = tuple(
        topic.model_copy(update={"nouns": topic.nouns[:8], "adjectives": topic.adjectives[:6]})
        for topic in pages.spec.template.topics[:3]
    )
    dataset = dataset_of(pages.spec.template.name, records=4000, bytes_per_record=400, topics=topics)
    assert dataset.frame["title"].is_unique
    assert dataset.frame["title"].str.contains(", part 2").any()
    assert dataset.frame["title"].str.len().max() <= 255


def test_topics_that_share_nouns_share_no_title(dataset_of, pages):
    topics = tuple(
        topic.model_copy(update={"nouns": pages.spec.template.topics[0].nouns}) for topic in pages.spec.template.topics
    )
    assert (
        dataset_of(pages.spec.template.name, records=1500, bytes_per_record=400, topics=topics).frame["title"].is_unique
    )


def test_words_with_special_characters_stay_text(dataset_of, pages):
    topic = pages.spec.template.topics[0]
    words = tuple(f"R&D <{noun}> 100%" for noun in topic.nouns)
    dataset = dataset_of(
        pages.spec.template.name,
        records=60,
        bytes_per_record=5000,
        topics=(topic.model_copy(update={"nouns": words}), *pages.spec.template.topics[1:]),
    )
    for row in dataset.rows:
        ET.fromstring(STORAGE.format(row["body.storage.value"]))  # noqa: S314  our own text
        assert " " not in row["_view_url"]
        assert "<" not in row["_view_url"]
    assert dataset.frame["title"].str.contains("R&D <", regex=False).any()


def test_a_page_is_a_document_of_the_knowledge_hub(pages):
    kind, row = pages.type, pages.rows[30]
    document = kind.document(row)
    assert (kind.object_type, kind.category) == ("Page", "KNOWLEDGE_HUB")
    assert document.id == row["id"]
    assert document.mime_type == "text/html"
    assert document.body == row["body.storage.value"]
    assert document.container == row["spaceId"]
    assert document.view_url == f"{pages.spec.company.wiki_url}{row['_links.webui']}"
    assert document.properties["labels"] == tuple(label["name"] for label in row["labels.results"])
    assert document.properties["space"] == row["_space_key"]
    assert document.created_at == int(datetime.fromisoformat(row["createdAt"]).timestamp())


def test_the_text_of_pages_is_there_when_it_is_asked_for(pages):
    frame = pages.type.frame(pages.table.slice(0, 3), text=True)
    assert "_text" not in pages.frame
    assert not frame["_text"].str.contains("<", regex=False).any()
    pages.type.schema.validate(frame)


def test_documents_are_made_of_stored_rows_too(pages):
    stored = pages.table.slice(30, 1).to_pylist()[0]
    assert pages.type.document(stored) == pages.type.document(pages.rows[30])
    assert pages.type.record(stored) == pages.type.record(pages.rows[30])
