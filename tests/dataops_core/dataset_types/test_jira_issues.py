"""Jira issues."""

import re
from collections import Counter
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import orjson
import pytest

from dataops_core.company.wheel import Wheel
from dataops_core.dataset_types.jira.layout import COMMENTS, ENDINGS, LAYOUTS, RESOLUTIONS
from dataops_core.dataset_types.jira.markup import plain_text
from dataops_core.dataset_types.jira.numbers import Numbers
from dataops_core.generation import calendar
from dataops_core.generation.sentences import spoken_day

NAME = "FinTech Developer Productivity - Jira"
#: Where the format allows each kind of node to stand.
INLINE = {"text", "mention", "inlineCard"}
CHILDREN = {
    "doc": {"paragraph", "heading", "bulletList", "orderedList", "codeBlock", "panel"},
    "paragraph": INLINE, "heading": INLINE, "codeBlock": {"text"}, "bulletList": {"listItem"},
    "orderedList": {"listItem"}, "listItem": {"paragraph"}, "panel": {"paragraph"},
}  # fmt: skip


@pytest.fixture(scope="module")
def issues(dataset_of):
    return dataset_of(NAME, records=400)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def nodes(node):
    yield node
    for child in node.get("content", ()):
        yield from nodes(child)


def test_descriptions_and_comments_are_documents_of_the_format(issues):
    seen = Counter()
    for row in issues.rows:
        documents = [row["fields.description"], *(comment["body"] for comment in row["_comments"])]
        for document in map(orjson.loads, documents):
            for node in nodes(document):
                seen[node["type"]] += 1
                assert node["type"] != "text" or node["text"]
                assert {child["type"] for child in node.get("content", ())} <= CHILDREN.get(node["type"], set())
    assert {*CHILDREN, *INLINE} == set(seen)


def test_an_issue_begins_with_what_its_summary_says(issues):
    for row in issues.rows:
        intro = orjson.loads(row["fields.description"])["content"][0]["content"][0]["text"]
        known = [word for word in row["fields.summary"].split() if word in intro]
        assert len(known) >= (1 if row["fields.summary"].startswith(("Outage of", "Release ")) else 2)


def test_an_issue_has_the_sections_of_its_archetype(issues):
    for row in issues.rows:
        known = {heading for section in LAYOUTS[row["_archetype"]].sections for heading in section.headings}
        found = [node for node in nodes(orjson.loads(row["fields.description"])) if node["type"] == "heading"]
        assert found
        assert {heading["content"][0]["text"] for heading in found} <= known
    assert set(issues.frame["_archetype"]) == set(LAYOUTS)


def test_mentions_and_comments_are_of_the_project_s_team(issues):
    company = issues.spec.company
    people = {person.account_id: person for person in company.people}
    projects = {project.key: project for project in company.projects}
    for number, row in enumerate(issues.rows):
        if number in issues.misfiled:
            continue
        team = projects[row["fields.project.key"]].team
        said = [node for node in nodes(orjson.loads(row["fields.description"])) if node["type"] == "mention"]
        mentioned = [people[node["attrs"]["id"]] for node in said]
        assert [f"@{person.name}" for person in mentioned] == [node["attrs"]["text"] for node in said]
        speaking = [people[comment["author_id"]] for comment in row["_comments"]]
        assert {person.team for person in (*mentioned, *speaking)} <= {team}
        assert people[row["fields.reporter.accountId"]].team == team


def test_keys_are_numbered_as_time_goes(issues):
    by_project = {}
    for row in issues.rows:
        key, number = row["key"].split("-")
        by_project.setdefault(key, []).append((int(number), moment(row["fields.created"])))
    assert len(by_project) == len(issues.spec.company.projects)
    for found in by_project.values():
        assert [time for _, time in sorted(found)] == sorted(time for _, time in found)


def test_time_runs_forwards(issues):
    for row in issues.rows:
        created, updated = moment(row["fields.created"]), moment(row["fields.updated"])
        spoken = [moment(comment["created"]) for comment in row["_comments"]]
        assert spoken == sorted(spoken)
        assert all(created <= time <= updated for time in spoken)
        if isinstance(row["fields.resolutiondate"], str):
            assert created < moment(row["fields.resolutiondate"]) <= updated


def test_issues_are_made_in_the_working_hours_of_the_team_s_zone(issues):
    zones = {person.account_id: ZoneInfo(person.timezone) for person in issues.spec.company.people}
    assert len(set(zones.values())) > 1
    # A misfiled one has its number, and with it its time, of the project in which it stands.
    for row in (row for number, row in enumerate(issues.rows) if number not in issues.misfiled):
        local = moment(row["fields.created"]).astimezone(zones[row["fields.reporter.accountId"]])
        assert local.weekday() < 5
        assert 8 <= local.hour < 18


def test_what_is_cited_was_there_before(issues):
    filed = {row["key"]: moment(row["fields.created"]) for row in issues.rows}
    cited = 0
    for row in issues.rows:
        for key in set(re.findall(r"\b[A-Z]{3,4}-\d+\b", row["fields.description"])) & (filed.keys() - {row["key"]}):
            assert filed[key] <= moment(row["fields.created"])
            cited += 1
    assert cited


def test_each_of_the_company_s_incidents_has_its_issue_in_its_time(issues):
    company = issues.spec.company
    rows = {row["key"]: row for row in issues.rows}
    found = 0
    for incident in company.incidents:
        row = rows.get(f"{company.projects[incident.project].key}-{incident.issue}")
        if row is None:
            continue
        found += 1
        assert row["fields.issuetype.name"] == "Incident"
        assert row["fields.resolution.name"] == "Done"
        assert company.services[incident.service].name in row["fields.summary"]
        text = issues.type.document(row).body
        assert company.customers[incident.customers[0]] in text
        start = moment(row["fields.created"]).timestamp()
        assert 0 <= start - 1_688_342_400 - incident.started <= 1800
    assert found > len(company.incidents) / 2


def test_the_timeline_of_an_incident_runs_from_its_begin_to_its_end_on_its_day(issues):
    company, seen = issues.spec.company, 0
    by_key = {f"{company.projects[one.project].key}-{one.issue}": one for one in company.incidents}
    for row in issues.rows:
        if incident := by_key.get(row["key"]):
            said = issues.type.document(row).body.partition("\n\n")[0]
            clocks = [
                int(hour) * 60 + int(minute) for hour, minute in re.findall(r"^(\d\d):(\d\d): ", said, re.MULTILINE)
            ]
            since = [(each - incident.started // 60) % (24 * 60) for each in clocks]
            assert since == sorted(since)
            assert all(each <= (incident.resolved - incident.started) // 60 for each in since)
            days = re.findall(r"(?<!\.\d of )(?<!\.\d\d of )\b[A-Z][a-z]+ \d{1,2}, \d{4}", said)
            assert set(days) <= {spoken_day(incident.started // calendar.DAY)}
            seen += len(clocks)
    assert seen > 20


def test_the_last_comment_fits_the_resolution(issues):
    forms = {
        name: [re.compile(re.sub(r"\\\{.*?\\\}", ".+?", re.escape(form.rstrip(" |")))) for form in said]
        for name, said in ENDINGS.items()
    }
    seen = Counter()
    for row in issues.rows:
        for comment in row["_comments"]:
            text = plain_text(comment["body"])
            for name, said in forms.items():
                if any(form.match(text) for form in said):
                    assert row["fields.resolution.name"] == name
                    seen[name] += 1
    assert seen.keys() == ENDINGS.keys() == {name for _, name, _ in RESOLUTIONS}


def test_the_comments_on_an_issue_begin_each_in_another_way(issues):
    forms = [re.compile(re.sub(r"\\\{.*?\\\}", ".+?", re.escape(form.rstrip(" |")))) for form in COMMENTS]
    most = 0
    for row in issues.rows:
        texts = [plain_text(comment["body"]).removeprefix("Hi ") for comment in row["_comments"]]
        found = [next((n for n, form in enumerate(forms) if form.match(text)), None) for text in texts]
        known = [form for form in found if form is not None]
        assert len(known) == len(set(known))
        most = max(most, len(known))
    assert most > 5


def test_numbers_beyond_the_project_s_count_go_on(issues):
    company = issues.spec.company
    rows = np.arange(sum(project.issue_count for project in company.projects) * 2)
    project, number, _, _ = Numbers(company, Wheel(company)).of(rows)
    assert len(set(zip(project.tolist(), number.tolist(), strict=True))) == len(rows)
    whole = 0
    for each in company.projects:
        mine = number[project == each.index]
        assert 1 <= mine[: each.issue_count].min() <= mine[: each.issue_count].max() <= each.issue_count
        if len(mine) > each.issue_count:
            assert sorted(mine) == list(range(1, len(mine) + 1))
            whole += 1
    assert whole


def test_a_record_has_no_half_of_an_assignee(issues):
    records = [issues.type.record(row) for row in issues.rows]
    unassigned = [record for record in records if record["fields"]["assignee"] is None]
    assert 0 < len(unassigned) < len(records) / 4
    assert {record["fields"]["status"]["name"] for record in records} >= {"To Do", "In Progress", "Done"}
    for record in records:
        done = record["fields"]["status"]["statusCategory"]["key"] == "done"
        assert (record["fields"]["resolution"] is not None) == done
        assert (record["fields"]["resolutiondate"] is not None) == done


def test_an_issue_is_a_document_of_the_tracker(issues):
    kind, row = issues.type, issues.rows[30]
    document = kind.document(row)
    assert (kind.object_type, kind.category) == ("Issue", "TICKETS")
    assert document.id == row["key"]
    assert document.view_url == f"{issues.spec.company.jira_url}/browse/{row['key']}"
    assert document.mime_type == "text/plain"
    assert '"type"' not in document.body
    assert all(comment["author_name"] in document.body for comment in row["_comments"])
    assert document.container == row["fields.project.key"]
    assert document.properties["priority"] == row["fields.priority.name"]


def test_documents_are_made_of_stored_rows_too(issues):
    stored = issues.table.slice(30, 1).to_pylist()[0]
    assert issues.type.document(stored) == issues.type.document(issues.rows[30])
    assert issues.type.record(stored) == issues.type.record(issues.rows[30])


def test_the_text_of_issues_is_there_when_it_is_asked_for(issues):
    frame = issues.type.frame(issues.table.slice(0, 3), text=True)
    issues.type.schema.validate(frame)
    assert frame["_text"][0] == issues.type.document(issues.rows[0]).body
