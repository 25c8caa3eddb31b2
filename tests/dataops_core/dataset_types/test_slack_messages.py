"""Slack messages."""

import re
from collections import defaultdict
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from dataops_core.company.threads import THREADS, thread_links
from dataops_core.company.workspace import channels, shared_channel, team_id, user_id
from dataops_core.dataset_types.outages import clock
from dataops_core.dataset_types.slack.layout import INCIDENT, LAYOUTS, REACTIONS
from dataops_core.dataset_types.slack.markup import plain_message
from dataops_core.generation import calendar
from dataops_core.generation.calendar import epoch_seconds
from dataops_core.generation.sentences import spoken_day

NAME = "FinTech Developer Productivity - Slack"


@pytest.fixture(scope="module")
def messages(dataset_of):
    return dataset_of(NAME, 400)


@pytest.fixture(scope="module")
def threads(messages):
    """The messages of each thread, in the order of the rows."""
    found = defaultdict(list)
    for row in messages.rows:
        found[messages.type.document(row).properties["thread"]].append(row)
    return list(found.values())


def present(value):
    """What a cell of the frame holds, None for nothing."""
    return value if isinstance(value, str | np.ndarray | list | int | np.integer) else None


def test_threads_have_the_sizes_of_the_wheel(threads):
    sizes = [len(thread) for thread in threads]
    assert sizes[: len(THREADS)] == list(THREADS)
    assert sum(sizes) == 400


def test_a_reply_follows_what_it_replies_to_in_the_same_channel(threads):
    for root, *replies in threads:
        before = root
        for reply in replies:
            assert reply["thread_ts"] == root["ts"]
            assert reply["ts"] > before["ts"]
            assert reply["_channel_id"] == root["_channel_id"]
            assert reply["user"] != before["user"]
            assert reply["_addressee_name"] == before["_author_name"]
            before = reply


def test_the_first_message_says_how_its_thread_went_on(threads):
    fields = ("reply_users", "reply_users_count", "latest_reply")
    lacking = 0
    for root, *replies in threads:
        if not replies:
            assert [present(root[name]) for name in ("thread_ts", "reply_count", *fields)] == [None] * 5
            continue
        users = list(dict.fromkeys(reply["user"] for reply in replies))
        assert (root["thread_ts"], root["reply_count"]) == (root["ts"], len(replies))
        told = [present(root[name]) for name in fields]
        expected = [users[:5], len(users), replies[-1]["ts"]]
        lacking += sum(value is None for value in told)
        for value, meant in zip(told, expected, strict=True):
            assert value is None or (list(value) if isinstance(value, np.ndarray) else value) == meant
        assert all(present(reply["reply_count"]) is None for reply in replies)
    assert lacking == 8


def test_people_write_in_the_working_hours_of_their_zone(messages):
    zones = {person.email: ZoneInfo(person.timezone) for person in messages.spec.company.people}
    outside = 0
    for row in messages.rows:
        local = datetime.fromisoformat(row["_posted_at"]).astimezone(zones[row["_author_email"]])
        if row["_archetype"] != INCIDENT:
            outside += local.weekday() > 4 or not 7 <= local.hour <= 18
    assert outside < 0.05 * len(messages.rows)


def test_incidents_are_spoken_of_when_they_are_and_by_their_issue(dataset_of):
    messages = dataset_of("Enterprise IT Operations - Slack", 400)
    company = messages.spec.company
    issues = {f"{company.projects[one.project].key}-{one.issue}": one for one in company.incidents}
    created = {row["key"]: row["fields.created"] for row in dataset_of("Enterprise IT Operations - Jira", 500).rows}
    channel = shared_channel(company, "incidents")
    links, spoken, first, tracked = thread_links(company), set(), set(), 0
    for row in messages.rows:
        if row["_archetype"] != INCIDENT:
            continue
        assert row["_channel_id"] == channel.channel_id
        for key in re.findall(r"browse/([A-Z]+-\d+)", row["text"]):
            incident = issues[key]
            posted = float(row["ts"])
            assert 0 < posted - float(epoch_seconds(np.array(incident.started))) < 6 * 3600
            spoken.add(key)
            if key in created:
                # What is written of an incident names its issue once there is one.
                assert created[key] < row["_posted_at"][:19]
                tracked += 1
            hit = {company.customers[number] for number in incident.customers}
            assert {name for name in company.customers if name in row["text"]} <= hit
            # Days but those on which versions went out.
            days = set(re.findall(r"(?<!\.\d of )(?<!\.\d\d of )[A-Z][a-z]+ \d{1,2}, \d{4}", row["text"]))
            assert days <= {spoken_day(incident.started // calendar.DAY)}
            # Who begins a thread says what is down, and the first one since when.
            if row["thread_ts"] in {None, row["ts"]}:
                assert company.services[incident.service].name in row["text"]
                if row["permalink"] in links.incidents:
                    assert f"since {clock(incident.started)} UTC" in row["text"]
                    first.add(key)
    assert len(spoken) > 5
    assert len(first) > 3
    assert tracked > 5


def test_replies_of_a_thread_begin_each_in_another_way(threads):
    forms = {
        kind: [
            re.compile(re.sub(r"\\\{.*?\\\}", ".+?", re.escape(form.strip())), re.IGNORECASE) for form in layout.replies
        ]
        for kind, layout in LAYOUTS.items()
    }
    longest = 0
    for messages in threads:
        begun = []
        for row in messages[1:]:
            begun += [n for n, form in enumerate(forms[row["_archetype"]]) if form.match(row["text"])][:1]
        many = len(forms[messages[0]["_archetype"]])
        assert len(set(begun)) == min(len(begun), many) or len(begun) > many
        longest = max(longest, len(begun))
    assert longest > 6


def test_channels_are_of_the_project_or_shared_and_their_authors_of_its_team(messages):
    company = messages.spec.company
    known = {channel.channel_id: channel for channel in channels(company)}
    teams = {person.email: person.team for person in company.people}
    kinds = defaultdict(set)
    for row in messages.rows:
        channel = known[row["_channel_id"]]
        assert row["_channel_name"] == channel.name
        kinds[row["_archetype"]].add(channel.project is None)
        if channel.project is not None:
            assert teams[row["_author_email"]] == company.projects[channel.project].team
    assert set(kinds) == set(LAYOUTS)
    assert [kinds[name] for name in ("question", "review", INCIDENT)] == [{False}, {False}, {True}]


def test_ids_are_those_of_the_workspace(messages):
    company = messages.spec.company
    users = {user_id(company, person): person.name for person in company.people}
    assert len(users) == len(company.people)
    assert set(messages.frame["team"]) == {team_id(company)}
    known = {channel.channel_id: channel.name for channel in channels(company)}
    for row in messages.rows:
        assert users[row["user"]] == row["_author_name"]
        for mentioned in re.findall(r"<@(\w+)>", row["text"]):
            assert users[mentioned] == row["_addressee_name"]
        for channel, name in re.findall(r"<#(\w+)\|([^>]+)>", row["text"]):
            assert known[channel] == name


def test_links_to_pull_requests_and_issues_are_in_their_range_by_then(messages):
    company = messages.spec.company
    services = {service.name: service for service in company.services}
    issues = {project.key: project.issue_count for project in company.projects}
    linked = 0
    for row in messages.rows:
        for name, number, label in re.findall(r"/([a-z-]+)/pull/(\d+)\|([^>]+)>", row["text"]):
            assert label == f"{name}#{number}"
            assert 1 <= int(number) <= services[name].pull_request_count
            linked += 1
        for key, number in re.findall(r"browse/([A-Z]+)-(\d+)", row["text"]):
            assert 1 <= int(number) <= issues[key]
            linked += 1
    assert linked > 400


def test_reactions_are_of_colleagues_each_once(messages):
    users = {row["user"] for row in messages.rows}
    reacted = [row for row in messages.rows if present(row["reactions"]) is not None]
    assert 0.15 * 400 < len(reacted) < 0.4 * 400
    for row in reacted:
        names = [reaction["name"] for reaction in row["reactions"]]
        assert len(set(names)) == len(names)
        assert set(names) <= set(REACTIONS)
        for reaction in row["reactions"]:
            who = list(reaction["users"])
            assert reaction["count"] == len(set(who)) == len(who) >= 1
            assert row["user"] not in who
    assert users


def test_a_permalink_leads_to_channel_message_and_thread(messages):
    base = f"{messages.spec.company.slack_url}/archives"
    for row in messages.rows:
        address = f"{base}/{row['_channel_id']}/p{row['ts'].replace('.', '')}"
        thread = present(row["thread_ts"])
        if thread is not None and thread != row["ts"]:
            address += f"?thread_ts={thread}&cid={row['_channel_id']}"
        assert row["permalink"] == address


@pytest.mark.parametrize("records", [20, 33, 66, 130])
def test_the_last_thread_is_cut_where_the_records_end(dataset_of, records):
    frame = dataset_of(NAME, records).frame
    roots = frame[frame["reply_count"].notna()]
    replies = frame[frame["thread_ts"].notna() & (frame["thread_ts"] != frame["ts"])]
    assert roots["reply_count"].sum() == len(replies)
    assert set(replies["thread_ts"]) == set(roots["thread_ts"])


def test_a_message_as_its_reader_sees_it():
    said = "<@U012ABC>: see <https://a.example/x|A-1 &amp; B> in <#C9|anchor>, <https://a.example/y>, 2 &lt; 3"
    assert plain_message(said, "Ann Lee") == "@Ann Lee: see A-1 & B in #anchor, https://a.example/y, 2 < 3"


def test_words_with_special_characters_stay_text(dataset_of, messages):
    topic = messages.spec.template.topics[0]
    words = tuple(f"R&D <{noun}>" for noun in topic.nouns)
    topics = (topic.model_copy(update={"nouns": words}), *messages.spec.template.topics[1:])
    dataset = dataset_of(NAME, 60, topics=topics)
    assert dataset.frame["text"].str.contains("R&amp;D &lt;", regex=False).any()
    assert not dataset.frame["text"].str.contains("R&D", regex=False).any()
    bodies = [dataset.type.document(row).body for row in dataset.rows]
    assert any("R&D <" in body for body in bodies)
    assert not any("&amp;" in body or "&lt;" in body for body in bodies)


def test_a_message_is_a_document_of_the_chat(messages):
    kind, row = messages.type, messages.rows[30]
    document = kind.document(row)
    assert (kind.object_type, kind.category) == ("Message", "MESSAGING")
    assert document.id == f"{row['_channel_id']}-{row['ts']}"
    assert (document.mime_type, document.view_url) == ("text/plain", row["permalink"])
    assert document.container == row["_channel_id"]
    assert document.properties["channel"] == row["_channel_name"]
    assert document.created_at == int(float(row["ts"]))
    assert document.title.startswith(document.body[:20])


def test_the_text_of_messages_is_there_when_it_is_asked_for(messages):
    frame = messages.type.frame(messages.table.slice(0, 12), text=True)
    assert "_text" not in messages.frame
    assert not frame["_text"].str.contains("<@", regex=False).any()
    messages.type.schema.validate(frame)


def test_documents_are_made_of_stored_rows_too(messages):
    for number in (0, 1, 30):
        stored = messages.table.slice(number, 1).to_pylist()[0]
        assert messages.type.document(stored) == messages.type.document(messages.rows[number])
        assert messages.type.record(stored) == messages.type.record(messages.rows[number])


def test_what_a_message_does_not_have_is_absent(messages):
    alone = next(
        row for row in messages.rows if present(row["thread_ts"]) is None and present(row["reactions"]) is None
    )
    assert set(messages.type.record(alone)) == {"type", "ts", "user", "text", "team", "client_msg_id", "permalink"}
