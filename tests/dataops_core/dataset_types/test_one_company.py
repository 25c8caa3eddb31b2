"""One company over all types: what one dataset points at is there, or would be, and time runs forwards."""

import json
import re
from collections import Counter, defaultdict
from datetime import datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from dataops_core.company.build import PAGE_ID_STEP, first_page_id
from dataops_core.company.files import directory_id, first_files, folder_id, site
from dataops_core.company.threads import incident_posts, release_posts, thread_links
from dataops_core.company.timeline import issue_created
from dataops_core.company.wheel import Wheel
from dataops_core.company.workspace import channels, user_id
from dataops_core.dataset_types.jira.markup import plain_text
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.generation.calendar import epoch_seconds
from dataops_core.generation.sentences import spoken_day
from dataops_core.templates.loader import load_catalog

#: As many records as the tests of every template have: the same datasets, made once.
RECORDS = 120
#: The smallest dataset of pages has so many: others may point at these.
PAGES = 20
DAY = 86_400

#: Kinds of references, by how they are written. Group 1 is what is pointed at.
REFERENCES = {
    "issue": re.compile(r"https://jira\.[^/\s]+/browse/([A-Z]+-\d+)"),
    "page": re.compile(r"https://wiki\.[^/\s]+/wiki/spaces/[A-Z]+/pages/(\d+)"),
    "repository": re.compile(r"https://github\.[^/\s]+/(?!avatars/)[a-z-]+/([a-z0-9-]+(?:/pull/\d+)?)(?![\w/-])"),
    "support ticket": re.compile(r"https://support\.[^/\s]+/agent/tickets/(\d+)"),
    "message": re.compile(r"https://slack\.[^/\s]+/archives/(C\w+/p\d+)"),
    "channel's address": re.compile(r"https://slack\.[^/\s]+/archives/(C\w+)(?![\w/])"),
    "member": re.compile(r"<@(U\w+)>"),
    "channel": re.compile(r"<#(C\w+)\|"),
    "account": re.compile(r"\b(712020:[0-9a-f-]{36})"),
    "folder": re.compile(r'"parents": \["([\w-]+)"'),
    "file": re.compile(r"https://drive\.[^/\s]+/open\?id=([\w-]+)"),
    "library file": re.compile(
        r"https://sharepoint\.[^/\s]+/sites/[a-z]+/_layouts/15/Doc\.aspx\?sourcedoc=%7B([\w-]+)%7D"
    ),
    "site": re.compile(r"https://(sharepoint\.[^/\s]+/sites/[a-z0-9-]+)/"),
    "directory entry": re.compile(r'"user": \{"id": "([0-9a-f-]{36})"'),
    "mailbox": re.compile(r"([\w.+-]+@[\w-]+(?:\.[\w-]+)+)"),
}


@pytest.fixture(scope="module")
def datasets(dataset_of):
    first = {template.dataset_type: template.name for template in reversed(load_catalog().templates)}
    return {name: dataset_of(first[name], RECORDS) for name in DATASET_TYPES}


@pytest.fixture(scope="module")
def company(datasets):
    (only,) = {dataset.spec.company for dataset in datasets.values()}
    return only


def said(dataset, row):
    """A record and its text, as one text."""
    record = dataset.type.record(row)
    return f"{json.dumps(record, ensure_ascii=False)}\n{dataset.type.document(row).body}"


def message_of(permalink):
    """Channel and time of a message, as addresses name it."""
    return REFERENCES["message"].match(permalink)[1]


def there_is(company, datasets):
    """Of each kind of reference, what there is or would be."""
    pages = max(PAGES, datasets["confluence_pages"].spec.record_count)
    first = first_page_id(company)
    customers = [contact.email for contacts in company.contacts for contact in contacts]
    links = thread_links(company)
    posts = {link for link in (*links.incidents, *links.releases) if "/p" in link}
    names = {service.name for service in company.services} | set(datasets["github_repos"].frame["name"])
    return {
        "issue": {f"{p.key}-{number}" for p in company.projects for number in range(1, p.issue_count + 1)},
        "page": {str(first + row * PAGE_ID_STEP) for row in range(pages)},
        "repository": names
        | {f"{s.name}/pull/{number}" for s in company.services for number in range(1, s.pull_request_count + 1)},
        "support ticket": {str(number) for number in range(1, company.ticket_count + 1)},
        "message": {message_of(link) for link in (*posts, *datasets["slack_messages"].frame["permalink"])},
        "channel's address": {channel.channel_id for channel in channels(company)},
        "member": {user_id(company, person) for person in company.people},
        "channel": {channel.channel_id for channel in channels(company)},
        "account": {person.account_id for person in company.people},
        "folder": {folder_id(company, project) for project in company.projects},
        "file": set(datasets["google_drive_documents"].frame["id"]),
        "library file": {tag[2:38] for tag in datasets["sharepoint_documents"].frame["eTag"]},
        "site": {site(company, project).url.removeprefix("https://") for project in company.projects},
        "directory entry": {directory_id(company, person) for person in company.people},
        "mailbox": {*customers, *(person.email for person in company.people), f"support@{company.domain}"},
    }


def test_no_reference_of_any_type_dangles(company, datasets):
    known = there_is(company, datasets)
    followed, dangling = Counter(), []
    for name, dataset in datasets.items():
        for row in dataset.rows:
            text = said(dataset, row)
            for kind, pattern in REFERENCES.items():
                for target in pattern.findall(text):
                    followed[kind] += 1
                    if target not in known[kind]:
                        dangling.append((name, kind, target))
    assert dangling == []
    assert set(followed) == set(REFERENCES)
    assert len(company.people) == len(known["member"]) == len(known["directory entry"])


def test_a_file_that_others_point_at_is_its_project_s_first_one_and_older_than_all_others(company, datasets):
    for name, noted, place_of in (
        ("google_drive_documents", "id", lambda project: ("parents", folder_id(company, project))),
        ("sharepoint_documents", "eTag", lambda project: ("webUrl", f"{site(company, project).url}/")),
    ):
        rows, seen = datasets[name].rows, 0
        wrong = [each for each in datasets[name].planted if each.kind != "incomplete"]
        defective = {row for each in wrong for row in (each.row, each.related)}
        for place, project in enumerate(company.projects):
            row, document = rows[place], datasets[name].type.document(rows[place])
            assert document.created_at < epoch_seconds(np.array([0]))[0] < document.updated_at
            for url in (url for _, url in first_files(company, project)):
                if url.partition("id=")[2] == row[noted] or row[noted][2:38] in url:
                    seen += 1
            assert place not in defective
            column, stands_in = place_of(project)
            assert stands_in in row[column]
        assert seen == len(company.projects)


def test_a_message_that_others_point_at_begins_the_thread_on_that_incident_or_release(company, datasets):
    links, rows = thread_links(company), {row["permalink"]: row for row in datasets["slack_messages"].rows}
    seen = Counter()
    for kind, addresses, posted in (
        ("incident", links.incidents, incident_posts(company)),
        ("release", links.releases, release_posts(company)),
    ):
        for each, address, moment in zip(getattr(company, f"{kind}s"), addresses, posted.tolist(), strict=True):
            if row := rows.get(address):
                assert float(row["ts"]) // 1 == epoch_seconds(np.array([moment]))[0]
                assert row["_channel_name"] == f"{kind}s"
                assert row["_author_name"] == company.people[each.lead].name
                key = company.projects[each.project].key
                assert re.search(
                    rf"browse/{key}-({each.issue if kind == 'incident' else each.fixed[0]})\|", row["text"]
                )
                seen[kind] += 1
    assert min(seen["incident"], seen["release"]) > 3
    # Where records end before it, such a thread is not there; the others are one each.
    assert len({*links.incidents}) == len(company.incidents)


def made_at(company, datasets):
    """When each page, file and message that others may point at was made, by kind and target."""
    named = {
        "confluence_pages": ("page", lambda row: row["id"]),
        "google_drive_documents": ("file", lambda row: row["id"]),
        "sharepoint_documents": ("library file", lambda row: row["eTag"][2:38]),
        "slack_messages": ("message", lambda row: message_of(row["permalink"])),
    }
    links = thread_links(company)
    posts = zip((*links.incidents, *links.releases), (*incident_posts(company), *release_posts(company)), strict=True)
    return {
        ("message", message_of(link)): int(epoch_seconds(np.array(moment))) for link, moment in posts if "/p" in link
    } | {
        (kind, target(row)): datasets[name].type.document(row).created_at
        for name, (kind, target) in named.items()
        for row in datasets[name].rows
    }


def texts_of(dataset, row):
    """A record's text and its comments, each with its time."""
    document = dataset.type.document(row)
    yield document.body, document.updated_at
    for comment in row.get("_comments", ()):
        told = comment["created"] if "created" in comment else comment["created_at"]
        yield comment["body"], datetime.fromisoformat(told).timestamp()


def test_nothing_points_at_what_was_made_later(company, datasets):
    made, followed, early = made_at(company, datasets), Counter(), []
    for name, dataset in datasets.items():
        # What stands above a page may have been put there later.
        kinds = {kind for kind, _ in made} - ({"page"} if name == "confluence_pages" else set())
        for row in dataset.rows:
            for text, told in texts_of(dataset, row):
                found = [(kind, target) for kind in kinds for target in REFERENCES[kind].findall(text)]
                followed.update((name, kind) for kind, _ in found)
                early += [(name, row[dataset.type.id_column], *each) for each in found if made.get(each, 0) > told]
    assert early == []
    assert {kind for _, kind in followed} == {"page", "file", "library file", "message"}
    told_by = {name for name, kind in followed if kind == "message"}
    assert told_by == DATASET_TYPES.keys() - {"salesforce_accounts"}


def test_pages_are_of_the_space_that_their_address_names(company, datasets):
    keys = [project.key for project in company.projects]
    wheel, first, seen = Wheel(company), first_page_id(company), 0
    for dataset in datasets.values():
        for row in dataset.rows:
            for key, page in re.findall(r"/spaces/([A-Z]+)/pages/(\d+)", said(dataset, row)):
                (project,) = wheel.project(np.array([(int(page) - first) // PAGE_ID_STEP]))
                assert keys[project] == key
                seen += 1
    assert seen > 100


def test_no_text_names_an_issue_that_was_made_after_it(company, datasets):
    projects = {project.key: project for project in company.projects}
    early = []
    for name, dataset in datasets.items():
        cited = defaultdict(set)
        for row in dataset.rows:
            document = dataset.type.document(row)
            for key, number in re.findall(r"(?<![\w-])([A-Z]{3,4})-(\d+)(?![\w-])", document.body):
                if key in projects:
                    cited[key].add((int(number), document.updated_at))
        for key, pairs in cited.items():
            project = projects[key]
            numbers = np.array([number for number, _ in pairs], dtype=np.int64)
            lead = company.people[company.teams[project.team].first_person]
            holders = np.full(len(numbers), project.index)
            made = issue_created(company.client_id, holders, numbers, project.issue_count, lead.zone)
            told = np.array([moment for _, moment in pairs])
            early += [(name, key, int(number)) for number in numbers[epoch_seconds(made) > told]]
    # The first issue of a project may be spoken of on its first day.
    assert [found for found in early if found[2] > 1] == []


def test_an_incident_leaves_its_traces_in_several_systems_within_days(company, datasets):
    traces = defaultdict(dict)
    issues = {f"{company.projects[one.project].key}-{one.issue}": one for one in company.incidents}
    for row in datasets["jira_issues"].rows:
        document = datasets["jira_issues"].type.document(row)
        if document.id in issues:
            traces[issues[document.id].index]["tracker"] = document.created_at
    for row in datasets["slack_messages"].rows:
        document = datasets["slack_messages"].type.document(row)
        if row["_archetype"] == "incident":
            for key in re.findall(r"browse/([A-Z]+-\d+)", row["text"]):
                traces[issues[key].index]["chat"] = document.created_at
    tickets = {one.first_ticket + place: one for one in company.incidents for place in range(len(one.customers))}
    for row in datasets["zendesk_tickets"].rows:
        document = datasets["zendesk_tickets"].type.document(row)
        if int(document.id) in tickets:
            traces[tickets[int(document.id)].index]["help desk"] = document.created_at
    for row in datasets["confluence_pages"].rows:
        document = datasets["confluence_pages"].type.document(row)
        if document.title.startswith("Incident review: outage of "):
            (key,) = re.findall(r">([A-Z]+-\d+)<", document.body.rpartition("Tracked as")[2])
            traces[issues[key].index]["wiki"] = document.created_at
    for index, by_system in traces.items():
        started = int(epoch_seconds(np.array(company.incidents[index].started)))
        assert all(started <= moment < started + 6 * DAY for moment in by_system.values())
    assert sum(len(by_system) >= 2 for by_system in traces.values()) >= 3
    assert any(len(by_system) == 4 for by_system in traces.values())


def test_a_release_leaves_its_traces_in_several_systems_within_days(company, datasets):
    names = {f"{company.services[one.service].name} {one.version}": one for one in company.releases}
    traces = defaultdict(dict)
    for row in datasets["jira_issues"].rows:
        if found := re.fullmatch(r"Release (\S+) of (\S+)", row["fields.summary"]):
            release = names[f"{found[2]} {found[1]}"]
            assert row["key"] == f"{company.projects[release.project].key}-{release.issue}"
            traces[release.index]["tracker"] = datetime.fromisoformat(row["fields.resolutiondate"]).timestamp()
    for row in datasets["slack_messages"].rows:
        if row["_channel_name"] == "releases" and row["thread_ts"] in (None, row["ts"]):
            (name,) = (name for name in names if re.search(rf"{re.escape(name)}(?![.\d])", row["text"][:90]))
            assert row["_author_name"] == company.people[names[name].lead].name
            traces[names[name].index]["chat"] = float(row["ts"])
    for row in datasets["confluence_pages"].rows:
        if (name := row["title"].removeprefix("Release notes: ")) in names:
            document = datasets["confluence_pages"].type.document(row)
            keys = re.findall(r"Closed: .*?>([A-Z]+-\d+)<", document.body.rpartition("went out on")[2])
            key = company.projects[names[name].project].key
            assert keys == [f"{key}-{number}" for number in names[name].fixed]
            traces[names[name].index]["wiki"] = document.created_at
    for row in datasets["github_repos"].rows:
        changes = row["_text"].partition("## Changelog\n\n")[2].splitlines()
        if changes:
            found = [re.match(r"- \*\*(\S+)\*\* \(([^)]+)\): ", line).groups() for line in changes]
            known = [names[f"{row['name']} {version}"] for version, _ in found]
            assert [spoken_day(one.moment // DAY) for one in known] == [day for _, day in found]
            assert known == sorted(known, key=lambda one: -one.moment)
            traces[known[0].index]["code"] = datetime.fromisoformat(row["pushed_at"]).timestamp()
    for index, by_system in traces.items():
        out = int(epoch_seconds(np.array(company.releases[index].moment)))
        assert all(0 <= moment - out < 4 * DAY for moment in by_system.values())
    assert sum(len(by_system) >= 3 for by_system in traces.values()) >= 3
    assert {system for by_system in traces.values() for system in by_system} == {"tracker", "chat", "wiki", "code"}


def test_what_went_out_had_been_closed_and_is_told_so(company, datasets):
    shipped = {f"{company.projects[one.project].key}-{number}": one for one in company.releases for number in one.fixed}
    seen = 0
    for row in datasets["jira_issues"].rows:
        if release := shipped.get(row["key"]):
            *_, last = row["_comments"]
            out = float(epoch_seconds(np.array(release.moment)))
            name = f"{company.services[release.service].name} {release.version}"
            assert plain_text(last["body"]) == f"Released with {name}."
            assert 0 < datetime.fromisoformat(last["created"]).timestamp() - out < DAY
            assert datetime.fromisoformat(row["fields.resolutiondate"]).timestamp() <= out
            assert row["fields.resolution.name"] == "Done"
            seen += 1
    assert seen > 5


def test_a_version_is_spoken_of_as_of_the_day_on_which_it_went_out(company, datasets):
    services = "|".join(service.name for service in company.services)
    known = {(company.services[one.service].name, one.version): one for one in company.releases}
    spoken = re.compile(
        rf"\b({services})(?: |, version |\nversion: )(\d+\.\d+\.\d+)(?: of ([A-Z][a-z]+ \d+, \d{{4}}))?"
    )
    backwards, seen = re.compile(rf"version (\d+\.\d+\.\d+) of ({services})\b"), Counter()
    for name, dataset in datasets.items():
        for row in dataset.rows:
            document = dataset.type.document(row)
            said_ = [*spoken.findall(document.body)]
            said_ += [(service, version, "") for version, service in backwards.findall(document.body)]
            for service, version, day in said_:
                release = known[service, version]
                assert day in {"", spoken_day(release.moment // DAY)}
                assert int(epoch_seconds(np.array(release.moment))) <= document.updated_at
                seen[name, bool(day)] += 1
    assert {name for name, _ in seen} == set(datasets)
    assert sum(many for (_, dated), many in seen.items() if dated) > 50


def test_a_permalink_is_one_of_the_workspace(company, datasets):
    assert all(row["permalink"].startswith(f"{company.slack_url}/") for row in datasets["slack_messages"].rows)
    hosts = {urlsplit(datasets[name].type.document(datasets[name].rows[0]).view_url).netloc for name in datasets}
    assert len(hosts) == len(DATASET_TYPES)
    assert all(host.endswith(f".{company.domain}") for host in hosts)


def test_people_work_from_eight_to_six_on_their_own_clocks_in_summer_and_in_winter(company, datasets):
    zones = {person.email: ZoneInfo(person.timezone) for person in company.people}
    # Tickets are opened by customers, wherever they sit.
    for name in DATASET_TYPES.keys() - {"zendesk_tickets"}:
        dataset, seasons = datasets[name], defaultdict(list)
        for row in dataset.rows:
            document = dataset.type.document(row)
            local = datetime.fromtimestamp(document.created_at, zones[document.author_email])
            seasons[bool(local.dst())].append(8 <= local.hour < 18)
        for summer, worked in seasons.items():
            assert np.mean(worked) > 0.8, (name, summer)
        assert len(seasons[True]) > 20, name
        assert len(seasons[False]) > 20, name
