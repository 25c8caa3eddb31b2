"""Google Drive's and SharePoint's documents, which are made of the same."""

import hashlib
import re
from datetime import UTC, datetime
from urllib.parse import quote, unquote, urlsplit

import numpy as np
import pytest

from dataops_core.company.files import directory_id, folder_id, library_folder_id, permission_id, site
from dataops_core.dataset_types.google_drive.builder import NATIVE
from dataops_core.dataset_types.office_layout import COLUMNS, LAYOUTS, SHEET, SLIDES, TEXT
from dataops_core.dataset_types.sharepoint.builder import FOLDERS

DRIVE, SHAREPOINT = "FinTech Sales Enablement - Drive", "FinTech Compliance - SharePoint"


@pytest.fixture(scope="module")
def files(dataset_of):
    return dataset_of(DRIVE, 120)


@pytest.fixture(scope="module")
def items(dataset_of):
    return dataset_of(SHAREPOINT, 120)


@pytest.fixture(scope="module", params=[DRIVE, SHAREPOINT])
def documents(request, dataset_of):
    return dataset_of(request.param, 120)


def test_every_archetype_has_a_layout_and_both_types_have_all_forms(files, items):
    assert files.type.archetypes | items.type.archetypes == set(LAYOUTS)
    for dataset in (files, items):
        assert {LAYOUTS[name].form for name in dataset.type.archetypes} == {TEXT, SHEET, SLIDES}


def test_a_document_has_the_sections_of_its_archetype(documents):
    for row in documents.rows:
        layout = LAYOUTS[row["_archetype"]]
        marks = {TEXT: "", SHEET: "Sheet: ", SLIDES: "Slide: "}
        lines = row["_text"].splitlines()
        places = []
        for line in lines:
            heading = line.removeprefix(marks[layout.form]) if line.startswith(marks[layout.form]) else ""
            places += [number for number, section in enumerate(layout.sections) if heading in section.headings]
        assert places
        assert places == sorted(set(places))


def test_a_document_begins_with_its_title_and_what_it_says(documents):
    for row in documents.rows:
        title, empty, *rest = row["_text"].split("\n")
        assert empty == ""
        assert documents.type.document(row).title.split()[-1] in title
        # The title's words in the introduction: of an adjective, a noun and a name nearly all.
        words = [word for word in title.split() if word in " ".join(rest[:6])]
        assert len(words) >= 2


def test_tables_have_as_many_cells_in_each_row(documents):
    for row in documents.rows:
        # A sheet begins with what it is about, in two columns, and ends with where it comes from.
        inner = row["_text"].partition("Sheet: ")[2] if LAYOUTS[row["_archetype"]].form == SHEET else row["_text"]
        tables = re.findall(r"(?:^[^\n\t]+\t[^\n]+\n)+", inner, flags=re.MULTILINE)
        for table in tables:
            lines = [line for line in table.splitlines() if not re.match(r"Source\t|Checked by ", line)]
            assert len({line.count("\t") for line in lines}) <= 1


def test_a_sheet_has_in_each_column_what_its_header_says(files):
    people = {person.name for person in files.spec.company.people}
    teams = {team.name for team in files.spec.company.teams}
    levels = {"Low", "Medium", "High", "Critical"}
    day, reference = r"[A-Z][a-z]+ \d{1,2}, \d{4}", r"[A-Z]{2,4}-\d+"
    allowed = {
        "Owner": people.__contains__, "Team": teams.__contains__, "Level": levels.__contains__,
        "Priority": levels.__contains__, "Amount": re.compile(r"[\d,]+ (planned|spent, [+-]\d+%|invoiced)").fullmatch,
        "State": re.compile(r"[A-Z][a-z ]+").fullmatch, "Reference": re.compile(reference).fullmatch,
        **{name: re.compile(day).fullmatch for name in ("Date", "Seen", "Closed", "Due")},
    }  # fmt: skip
    seen = set()
    for row in files.rows:
        if LAYOUTS[row["_archetype"]].form == SHEET:
            for sheet in row["_text"].split("Sheet: ")[1:]:
                _, header, *lines = [line.split("\t") for line in sheet.splitlines() if line]
                for cells in lines:
                    if cells[0] != "Source" and not cells[0].startswith("Checked by "):
                        assert all(allowed[name](cell) for name, cell in zip(header[1:], cells[1:], strict=True))
                seen.add(tuple(header))
    assert len(seen) == len(COLUMNS)


def test_no_slide_is_empty(documents):
    for row in documents.rows:
        if LAYOUTS[row["_archetype"]].form == SLIDES:
            for slide in row["_text"].split("Slide: ")[1:]:
                assert len(slide.strip().splitlines()) > 1


def test_times_follow_each_other_and_days_are_not_after_the_document_but_for_what_is_due(documents):
    homes, ahead = len(documents.spec.company.projects), []
    for place, row in enumerate(documents.rows):
        document = documents.type.document(row)
        assert document.created_at <= document.updated_at
        # A project's first document speaks as of its last change.
        told = document.updated_at if place < homes else document.created_at
        days = re.findall(r"\b[A-Z][a-z]+ \d{1,2}, 20\d\d\b", row["_text"])
        after = [datetime.strptime(day, "%B %d, %Y").replace(tzinfo=UTC).timestamp() - told for day in days]
        assert all(seconds < 61 * 86_400 for seconds in after)
        ahead.append(np.mean([seconds > 86_400 for seconds in after]) if after else 0)
    assert 0.05 < np.mean(ahead) < 0.8


def test_people_are_of_the_project_s_team(documents):
    company = documents.spec.company
    teams = {person.email: person.team for person in company.people}
    projects = {project.name: project for project in company.projects}
    for row in documents.rows:
        document = documents.type.document(row)
        owner = projects[document.properties[documents.type.filter_facet]]
        assert {teams[document.author_email], teams[document.owner_email]} == {owner.team}


def test_ids_follow_from_the_row_whatever_the_dataset(dataset_of, files, items):
    for dataset, other in ((files, "Retail Sales Enablement - Drive"), (items, "Retail Customer Support - SharePoint")):
        assert dataset_of(other, 20).frame["id"].tolist() == dataset.frame["id"][:20].tolist()


def test_a_drive_file_opens_where_its_kind_does(files):
    base = files.spec.company.drive_url
    places = {"document": "document", "spreadsheet": "spreadsheets", "presentation": "presentation"}
    for row in files.rows:
        kind = row["mimeType"].removeprefix("application/vnd.google-apps.")
        place = f"{places[kind]}/d/{row['id']}/edit" if row["mimeType"] in NATIVE else f"file/d/{row['id']}/view"
        assert row["webViewLink"] == f"{base}/{place}"
        form = LAYOUTS[row["_archetype"]].form
        assert (kind == "spreadsheet") == (form == SHEET)
        assert form == SLIDES or kind != "presentation"
    assert files.frame["mimeType"].nunique() == 5


def test_only_files_with_bytes_of_their_own_have_a_hash(files):
    for row in files.rows:
        record = files.type.record(row)
        assert ("md5Checksum" in record) == (row["mimeType"] not in NATIVE)
        assert int(record["size"]) >= len(row["_text"].encode())
        if row["mimeType"] == "text/plain":
            raw = row["_text"].encode()
            assert (record["size"], record["md5Checksum"]) == (str(len(raw)), hashlib.md5(raw).hexdigest())  # noqa: S324


def test_a_drive_file_lies_in_its_project_s_folder_and_its_owner_is_known_there(files):
    company = files.spec.company
    folders = {folder_id(company, project): project.name for project in company.projects}
    permissions = {person.email: permission_id(company, person) for person in company.people}
    assert len(folders) == len(company.projects)
    for row in files.rows:
        assert folders[row["parents"][0]] == row["_folder_name"]
        (owner,) = row["owners"]
        assert permissions[owner["emailAddress"]] == owner["permissionId"]


def test_a_sharepoint_file_lies_in_the_folder_of_its_kind_on_its_project_s_site(items):
    company = items.spec.company
    sites = {project.name: (project, site(company, project)) for project in company.projects}
    endings = {TEXT: {"docx", "pdf"}, SHEET: {"xlsx"}, SLIDES: {"pptx", "pdf"}}
    for row in items.rows:
        project, place = sites[row["_site_name"]]
        folder = FOLDERS[row["_archetype"]]
        assert row["parentReference.driveId"] == place.drive_id
        assert row["parentReference.siteId"] == place.site_id
        assert row["parentReference.path"] == f"/drives/{place.drive_id}/root:/{folder}"
        assert row["parentReference.id"] == library_folder_id(company, project, folder)
        assert row["webUrl"] == f"{place.url}/Shared%20Documents/{folder}/{quote(row['name'])}"
        assert unquote(urlsplit(row["webUrl"]).path).endswith(row["name"])
        assert row["name"].rpartition(".")[2] in endings[LAYOUTS[row["_archetype"]].form]
    people = {directory_id(company, person): person.name for person in company.people}
    assert all(people[row["createdBy.user.id"]] == row["createdBy.user.displayName"] for row in items.rows)


def test_a_sharepoint_file_s_tags_tell_its_version(items):
    for row in items.rows:
        (tag, version), (content_tag, content) = (
            re.fullmatch(r'"(?:c:)?\{([0-9A-F-]{36})\},(\d+)"', row[name]).groups() for name in ("eTag", "cTag")
        )
        assert tag == content_tag
        assert 1 <= int(content) <= int(version)


def test_names_are_ones_that_sharepoint_takes(dataset_of, items):
    topic = items.spec.template.topics[0]
    words = tuple(f'"R&D": <{noun}>|50%' for noun in topic.nouns)
    topics = (topic.model_copy(update={"nouns": words}), *items.spec.template.topics[1:])
    dataset = dataset_of(SHAREPOINT, 60, topics=topics)
    dataset.type.schema.validate(dataset.frame, lazy=True)
    assert dataset.frame["name"].str.contains("R&D").any()
    assert dataset.frame["webUrl"].is_unique


def test_what_is_incomplete_lacks_its_description(documents):
    lacking = documents.frame["description"].isna()
    assert lacking.sum() == 2
    record = documents.type.record(documents.rows[int(np.flatnonzero(lacking)[0])])
    # Drive leaves out what there is not, Graph says that there is nothing.
    assert record.get("description", "absent") == ("absent" if documents.type.label == "Drive" else None)


def test_a_document_is_one_of_the_shared_content(documents):
    kind, row = documents.type, documents.rows[40]
    document = kind.document(row)
    assert (kind.object_type, kind.category) == ("File", "COLLABORATIVE_CONTENT")
    assert (document.id, document.mime_type, document.body) == (row["id"], "text/plain", row["_text"])
    assert document.properties["mimeType"] == row.get("mimeType", row.get("file.mimeType"))


def test_documents_are_made_of_stored_rows_too(documents):
    stored = documents.table.slice(40, 1).to_pylist()[0]
    assert documents.type.document(stored) == documents.type.document(documents.rows[40])
    assert documents.type.record(stored) == documents.type.record(documents.rows[40])
