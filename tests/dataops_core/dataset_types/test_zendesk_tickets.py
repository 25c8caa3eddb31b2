"""Zendesk tickets."""

import re
from datetime import datetime

import numpy as np
import pytest

from dataops_core.dataset_types.zendesk import layout
from dataops_core.dataset_types.zendesk.layout import LAYOUTS
from dataops_core.dataset_types.zendesk.numbers import Numbers
from dataops_core.generation.sentences import spoken_day

NAME = "FinTech Customer Support - Zendesk"


@pytest.fixture(scope="module")
def tickets(dataset_of):
    return dataset_of(NAME, records=400)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_who_asks_is_a_contact_of_the_ticket_s_organization(tickets):
    company = tickets.spec.company
    contacts = dict(zip(company.customers, company.contacts, strict=True))
    ids, organizations = {}, {}
    for row in tickets.rows:
        assert row["_requester_name"] in {contact.name for contact in contacts[row["_organization"]]}
        # An id is one person's, and a person's id is one.
        assert ids.setdefault(row["requester_id"], row["_requester_email"]) == row["_requester_email"]
        if row["organization_id"] == row["organization_id"]:
            known = organizations.setdefault(row["organization_id"], row["_organization"])
            assert known == row["_organization"]
    assert len(set(ids.values())) == len(ids)
    assert len(set(organizations.values())) == len(organizations) > 20


def test_a_customer_that_the_subject_names_is_the_one_that_asks(tickets):
    named = 0
    for row in tickets.rows:
        for customer in tickets.spec.company.customers:
            if customer in row["subject"]:
                assert row["_organization"] == customer
                named += 1
    assert named > 100


def test_a_description_is_a_letter(tickets):
    for row in tickets.rows:
        paragraphs = row["description"].split("\n\n")
        assert re.fullmatch(r"[A-Z][\w ]+,", paragraphs[0])
        assert paragraphs[-1].split("\n")[1:] == [row["_requester_name"], row["_organization"]]
        words = [word for word in row["subject"].split() if word in paragraphs[1]]
        assert words


def test_comments_are_replies_answers_and_notes_in_the_order_of_time(tickets):
    agents = {person.name for person in tickets.spec.company.people}
    kinds = set()
    for row in tickets.rows:
        times = [moment(comment["created_at"]) for comment in row["_comments"]]
        assert times == sorted(times)
        assert all(moment(row["created_at"]) <= time <= moment(row["updated_at"]) for time in times)
        for comment in row["_comments"]:
            by_agent = comment["author_name"] in agents
            kinds.add((by_agent, comment["public"]))
            assert comment["author_name"] in {row["_requester_name"], row["_assignee_name"]}
            assert comment["public"] == (not comment["body"].startswith("Internal: "))
            assert by_agent or comment["public"]
    assert kinds == {(True, True), (False, True), (True, False)}


#: What may be said at each point of a conversation.
SAID = {
    "first": layout.FIRST_REPLIES, "answer": layout.FIRST_ANSWERS, "reply": layout.REPLIES, "back": layout.ANSWERS,
    "solution": tuple(form for forms in layout.SOLUTIONS.values() for form in forms), "thanks": layout.THANKS,
    "note": layout.NOTES, "last note": layout.LAST_NOTES, "outage": tuple(told for told, _ in layout.OUTAGE_NOTES),
}  # fmt: skip
FORMS = [
    (kind, number, re.compile(re.sub(r"\\\{.*?\\\}", ".+?", re.escape(form.strip()))))
    for kind, forms in SAID.items()
    for number, form in enumerate(forms)
]


def conversation(row):
    """What each comment says, by its point in the conversation and its form."""
    for comment in row["_comments"]:
        text = comment["body"] if not comment["public"] else comment["body"].split("\n\n")[1]
        yield next((kind, number) for kind, number, form in FORMS if form.match(text))


def test_a_conversation_ends_as_its_ticket_s_status_says(tickets):
    seen = set()
    for row in tickets.rows:
        said = [kind for kind, _ in conversation(row)]
        seen |= set(said)
        if not said:
            continue
        if row["status"] in {"solved", "closed"}:
            assert said.count("solution") == 1
            after = said[said.index("solution") + 1 :]
            assert after in ([], ["thanks"], ["last note"], ["thanks", "last note"])
        else:
            assert not {"solution", "thanks", "last note"} & set(said)
        assert set(said[2:]).isdisjoint({"answer"}) or said[0] == "outage"
    assert seen == set(SAID)


def test_nobody_says_the_same_twice_in_a_ticket(tickets):
    for row in tickets.rows:
        said = list(conversation(row))
        assert len(said) == len(set(said))


def test_who_asks_is_addressed_by_name(dataset_of, tickets):
    japanese = dataset_of(NAME, records=60, locale="ja_JP")
    for dataset, name in ((tickets, r"{first}"), (japanese, r"{first}-san")):
        for row in dataset.rows:
            greeting = f"Hi {name.format(first=row['_requester_name'].split()[0])},"
            replies = [each for each in row["_comments"] if each["public"] and each["body"].startswith("Hi ")]
            by_agent = [each for each in replies if each["author_name"] == row["_assignee_name"]]
            assert all(each["body"].partition("\n")[0] == greeting for each in by_agent)


def test_what_is_answered_is_about_the_service_of_the_subject_and_by_its_team(tickets):
    company, misfiled, named = tickets.spec.company, tickets.misfiled, 0
    services = {service.name: service for service in company.services}
    for number, row in enumerate(tickets.rows):
        found = [name for name in services if name in row["subject"].lower()]
        if found:
            assert number not in misfiled
            assert row["_group"] == company.teams[services[found[0]].team].name
            # The other services that a text names are those that it calls.
            versions = re.findall(r"\b([a-z]+-[a-z]+),? (?:version )?\d+\.\d+\.\d+", tickets.documents[number].body)
            assert set(versions) <= set(found)
            named += bool(versions)
    assert named > 30


def test_tickets_are_numbered_as_time_goes(tickets):
    ordered = sorted((row["id"], moment(row["created_at"])) for row in tickets.rows)
    assert [time for _, time in ordered] == sorted(time for _, time in ordered)


def test_what_is_new_is_nobody_s_and_unanswered(tickets):
    new = [row for row in tickets.rows if row["status"] == "new"]
    assert new
    for row in new:
        assert len(row["_comments"]) == 0
        assert "assignee_id" not in tickets.type.record(row)
    assert set(tickets.frame["status"]) == {"new", "open", "pending", "hold", "solved", "closed"}


def test_what_has_no_value_is_left_out_of_the_record(tickets):
    records = [tickets.type.record(row) for row in tickets.rows]
    assert all(value is not None for record in records for value in record.values())
    assert {record["type"] == "task" for record in records if "due_at" in record} == {True}
    assert {record["via"]["channel"] for record in records if "recipient" in record} == {"email"}
    assert {type(record["organization_id"]) for record in records if "organization_id" in record} == {int}


def test_the_company_s_outages_have_their_tickets_on_the_same_day(tickets):
    company = tickets.spec.company
    rows = {row["id"]: row for row in tickets.rows}
    found = 0
    for incident in company.incidents:
        key = f"{company.projects[incident.project].key}-{incident.issue}"
        for place, customer in enumerate(incident.customers):
            row = rows.get(incident.first_ticket + place)
            if row is None:
                continue
            found += 1
            assert row["_organization"] == company.customers[customer]
            assert company.services[incident.service].name in row["subject"]
            assert row["external_id"] == key
            assert row["type"] == "incident"
            assert key in row["_comments"][0]["body"]
            assert company.people[incident.lead].name in row["_comments"][0]["body"]
            said = "\n".join([row["description"], *(comment["body"] for comment in row["_comments"])])
            days = re.findall(r"(?<!\.\d of )(?<!\.\d\d of )\b[A-Z][a-z]+ \d{1,2}, \d{4}", said)
            assert set(days) <= {spoken_day(incident.started // 86_400)}
            opened = moment(row["created_at"]).timestamp() - 1_688_342_400
            assert 0 <= opened - incident.started < 4 * 86_400
    assert found > 20


def test_each_number_is_one_ticket_s(tickets):
    company = tickets.spec.company
    numbers, _, _ = Numbers(company).of(np.arange(company.ticket_count + 500))
    assert sorted(numbers.tolist()) == list(range(1, company.ticket_count + 501))


def test_every_archetype_has_a_type_and_priorities():
    assert {layout.ticket_type for layout in LAYOUTS.values()} == {"problem", "incident", "question", "task"}
    assert all(sum(layout.priorities) == 100 for layout in LAYOUTS.values())


def test_a_ticket_is_a_document_of_the_help_desk(tickets):
    kind, row = tickets.type, tickets.rows[30]
    document = kind.document(row)
    assert (kind.object_type, kind.category) == ("Ticket", "TICKETS")
    assert document.id == str(row["id"])
    assert document.view_url == f"{tickets.spec.company.support_url}/agent/tickets/{row['id']}"
    assert document.body.startswith(row["description"])
    assert all(comment["body"] in document.body for comment in row["_comments"])
    assert (document.author_name, document.properties["group"]) == (row["_requester_name"], row["_group"])


def test_documents_are_made_of_stored_rows_too(tickets):
    for place in range(0, 400, 37):
        stored = tickets.table.slice(place, 1).to_pylist()[0]
        assert tickets.type.document(stored) == tickets.type.document(tickets.rows[place])
        assert tickets.type.record(stored) == tickets.type.record(tickets.rows[place])


def test_the_text_of_tickets_is_there_when_it_is_asked_for(tickets):
    frame = tickets.type.frame(tickets.table.slice(0, 3), text=True)
    tickets.type.schema.validate(frame)
    assert frame["_text"][0] == tickets.type.document(tickets.rows[0]).body
