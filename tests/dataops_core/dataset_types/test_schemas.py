"""The pandera schemas catch every column that is lost, emptied, of another type or has rubbish in it."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pandera.errors import SchemaErrors
from pandera.pandas import Check, DataFrameSchema, Index

from dataops_core.dataset_types.known import DATASET_TYPES, dataset_type
from dataops_core.dataset_types.rules import FAILURE_CASES, columns_of_rows, matches
from dataops_core.errors import NotFoundError
from dataops_core.quality.acceptance import accepted, sound_as_stored
from dataops_core.quality.schema_validation import check_schema
from dataops_core.templates.loader import load_catalog
from tests.each_type import EACH_TYPE

COLUMNS = {
    kind.name: [column for column in kind.schema.columns if column != "_text"] for kind in DATASET_TYPES.values()
}
#: Fields in which any text is good.
FREE_TEXT = {
    "title", "version.message", "description", "language", "license.name", "_archetype", "_topic", "_author_name",
    "_owner_name", "lastOwnerId", "fields.summary", "fields.project.name", "fields.reporter.displayName",
    "fields.assignee.displayName", "fields.resolution.name", "_addressee_name", "text", "name", "_folder_name",
    "_site_name",
    "_title", "lastModifyingUser.displayName", "createdBy.user.displayName", "lastModifiedBy.user.displayName",
    "_organization", "_group", "_requester_name",
    "_assignee_name", "Name", "Industry", "subject", "raw_subject",
    *(f"Billing{part}" for part in ("Street", "City", "State", "PostalCode", "Country")),
    *(f"Shipping{part}" for part in ("Street", "City", "State", "PostalCode", "Country")),
}  # fmt: skip


@pytest.fixture
def frame(dataset_of):
    first = {template.dataset_type: template.name for template in reversed(load_catalog().templates)}
    return lambda name: dataset_of(first[name], records=40).frame.copy(deep=True)


def failures(name: str, frame: pd.DataFrame) -> SchemaErrors:
    with pytest.raises(SchemaErrors) as caught:
        dataset_type(name).schema.validate(frame, lazy=True)
    return caught.value


def spoilt(frame: pd.DataFrame, columns: list[str], value: object) -> pd.DataFrame:
    """The frame with this value in the same record of each of the columns."""
    for column in columns:
        frame[column] = frame[column].astype(object)
        frame.at[7, column] = value
    return frame


def spoilt_as_it_is(frame: pd.DataFrame, column: str, value: object) -> pd.DataFrame:
    """The frame with this value in one record, the column of its own type if it can hold that."""
    try:
        frame.at[7, column] = value
    except (TypeError, ValueError):
        return spoilt(frame, [column], value)
    return frame


def caught(name: str, frame: pd.DataFrame) -> set[str]:
    """The columns in which the schema finds something wrong; the type, where it is a rule over several of them."""
    return {error.schema.name for error in failures(name, frame).schema_errors}


def missed(name: str, frame: pd.DataFrame) -> set[str]:
    """The columns of which the schema says that they are not there."""
    found = failures(name, frame).failure_cases
    return set(found.loc[found["check"] == "column_in_dataframe", "failure_case"])


@pytest.mark.parametrize("name", DATASET_TYPES)
def test_every_lost_column_is_caught(frame, name):
    lost = COLUMNS[name]
    assert missed(name, frame(name).drop(columns=lost)) == set(lost)


@pytest.mark.parametrize("name", DATASET_TYPES)
def test_every_renamed_column_is_caught(frame, name):
    renamed = {column: f"{column}X" for column in COLUMNS[name]}
    assert missed(name, frame(name).rename(columns=renamed)) == set(renamed)


@pytest.mark.parametrize("name", DATASET_TYPES)
def test_a_null_is_caught_in_every_column(frame, name):
    without = [column for column in COLUMNS[name] if not dataset_type(name).schema.columns[column].nullable]
    assert set(without) <= caught(name, spoilt(frame(name), without, None))


@pytest.mark.parametrize("name", DATASET_TYPES)
def test_a_value_of_another_type_is_caught_in_every_column(frame, name):
    assert set(COLUMNS[name]) <= caught(name, spoilt(frame(name), COLUMNS[name], 3.5))


@pytest.mark.parametrize("name", DATASET_TYPES)
def test_rubbish_is_caught_in_every_column(frame, name):
    texts = [
        column
        for column in COLUMNS[name]
        if str(dataset_type(name).schema.columns[column].dtype) == "str" and column not in FREE_TEXT
    ]
    bodies = {"body.storage.value", "description", "Description"} & set(texts)
    broken = spoilt(spoilt(frame(name), texts, "no\tsuch thing"), sorted(bodies), "")
    assert set(texts) <= caught(name, broken)


@pytest.mark.parametrize(
    ("name", "column", "value"),
    [
        ("confluence_pages", "createdAt", "2025-02-30T10:00:00.000Z"),
        ("confluence_pages", "createdAt", "2025-02-20 10:00:00"),
        ("confluence_pages", "createdAt", "2027-01-01T00:00:00.000Z"),
        ("confluence_pages", "title", "   "),
        ("confluence_pages", "title", "x" * 256),
        ("confluence_pages", "authorId", "x" * 23),
        ("confluence_pages", "ownerId", "x" * 61),
        ("confluence_pages", "id", "12\n"),
        ("confluence_pages", "status", "Current"),
        ("confluence_pages", "parentType", "Page"),
        ("confluence_pages", "version.number", 0),
        ("github_repos", "full_name", "somebody/else"),
        ("github_repos", "description", "x" * 351),
        ("github_repos", "visibility", "secret"),
        ("github_repos", "open_issues_count", -1),
        ("github_repos", "updated_at", "2020-01-01T00:00:00Z"),
        ("github_repos", "pushed_at", "2020-01-01T00:00:00Z"),
        ("github_repos", "owner.login", "-begins-with-a-hyphen"),
        ("github_repos", "id", 0),
        ("slack_messages", "ts", "1706433000.12345"),
        ("slack_messages", "type", "file"),
        ("slack_messages", "text", "  \n "),
        ("slack_messages", "text", "x" * 40_001),
        ("slack_messages", "user", "B0123456789"),
        ("slack_messages", "thread_ts", "9706433000.123456"),
        ("slack_messages", "latest_reply", "1006433000.123456"),
        ("slack_messages", "reply_count", 0),
        ("google_drive_documents", "id", "x" * 18),
        ("google_drive_documents", "name", "x" * 256),
        ("google_drive_documents", "mimeType", "application/vnd.google-apps.folder"),
        ("google_drive_documents", "modifiedTime", "2020-01-01T00:00:00.000Z"),
        ("google_drive_documents", "createdTime", "2025-02-30T10:00:00.000Z"),
        ("google_drive_documents", "size", "-1"),
        ("google_drive_documents", "md5Checksum", "0123456789abcdef0123456789abcdeg"),
        ("sharepoint_documents", "id", "01" + "A" * 31),
        ("sharepoint_documents", "name", "What?.docx"),
        ("sharepoint_documents", "eTag", '"{not a tag},1"'),
        ("sharepoint_documents", "size", -1),
        ("sharepoint_documents", "lastModifiedDateTime", "2020-01-01T00:00:00Z"),
        ("sharepoint_documents", "createdBy.user.id", "somebody"),
        ("sharepoint_documents", "parentReference.path", "/root:/Reports"),
        ("jira_issues", "key", "PAY-0"),
        ("jira_issues", "key", "ZZZ-12"),
        ("jira_issues", "fields.created", "2026-01-28T10:30:00Z"),
        ("jira_issues", "fields.updated", "2020-01-28T10:30:00.000+0000"),
        ("jira_issues", "fields.status.name", "Closed"),
        ("jira_issues", "fields.resolution.id", None),
        ("jira_issues", "fields.description", '{"type":"doc","version":1,"content":[]}'),
        ("jira_issues", "fields.description", "Plain text"),
        ("jira_issues", "fields.assignee.accountId", "x" * 61),
        ("zendesk_tickets", "id", 0),
        ("zendesk_tickets", "type", "bug"),
        ("zendesk_tickets", "priority", "critical"),
        ("zendesk_tickets", "raw_subject", "{{dc.subject}}"),
        ("zendesk_tickets", "updated_at", "2020-01-01T00:00:00Z"),
        ("zendesk_tickets", "due_at", "2020-01-01T00:00:00Z"),
        ("zendesk_tickets", "assignee_id", 1.5),
        ("salesforce_accounts", "Id", "001Kd00000vWDqbIA"),
        ("salesforce_accounts", "OwnerId", "001Kd00000vWDqbIAG"),
        ("salesforce_accounts", "Type", "Customer"),
        ("salesforce_accounts", "BillingLatitude", 91.0),
        ("salesforce_accounts", "AnnualRevenue", -1.0),
        ("salesforce_accounts", "LastModifiedDate", "2020-01-28T10:30:00.000+0000"),
        ("salesforce_accounts", "LastActivityDate", "2020-01-28"),
        ("salesforce_accounts", "Fax", "+1 555 01 01"),
    ],
)
def test_values_just_outside_are_caught(frame, name, column, value):
    broken = frame(name)
    broken.loc[7, column] = value
    assert caught(name, broken) <= {column, name}


@pytest.mark.parametrize(
    ("name", "column", "value"),
    [
        ("confluence_pages", "labels.results", [{"id": "1", "name": "a", "prefix": "nobody"}]),
        ("confluence_pages", "labels.results", [{"id": "1", "name": "a"}]),
        ("confluence_pages", "labels.results", "a"),
        ("github_repos", "topics", ["Upper Case"]),
        ("github_repos", "topics", ["topic"] * 21),
        ("github_repos", "topics", [1]),
        ("slack_messages", "reactions", [{"name": "+1", "users": ["U0ABC"]}]),
        ("slack_messages", "reactions", [{"name": "+1", "users": ["U0ABC", "U0ABD"], "count": 1}]),
        ("slack_messages", "reactions", []),
        ("slack_messages", "reply_users", ["nobody"]),
        ("google_drive_documents", "parents", ["1" * 30, "2" * 30]),
        ("google_drive_documents", "parents", []),
        ("google_drive_documents", "owners", [{"kind": "drive#user", "displayName": "A", "emailAddress": "a@b"}]),
        ("google_drive_documents", "owners", []),
        ("jira_issues", "fields.labels", ["two words"]),
        ("jira_issues", "fields.components", [{"name": "api"}]),
        ("jira_issues", "_comments", [{"body": "no author"}]),
        ("zendesk_tickets", "tags", ["two words"]),
        ("zendesk_tickets", "follower_ids", ["12"]),
        ("zendesk_tickets", "_comments", [{"body": "no author"}]),
    ],
)
def test_rubbish_in_lists_is_caught(frame, name, column, value):
    broken = frame(name)
    broken.at[7, column] = value
    assert caught(name, broken) <= {column, name}


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("confluence_pages", "id"),
        ("confluence_pages", "_view_url"),
        ("github_repos", "full_name"),
        ("jira_issues", "key"),
        ("slack_messages", "ts"),
        ("google_drive_documents", "webViewLink"),
        ("sharepoint_documents", "id"),
    ],
)
def test_a_value_that_two_records_share_is_caught(frame, name, column):
    broken = frame(name)
    broken.loc[7, column] = broken.loc[8, column]
    assert column in caught(name, broken)


@pytest.mark.parametrize("pattern", ["[a-z]{1,2000}", "(?!no)[a-z]+"])
def test_a_pattern_that_arrow_cannot_look_for_is_refused_where_it_is_written(pattern):
    with pytest.raises(ValueError, match="Invalid regular expression") as caught:
        matches(pattern)
    assert pattern in str(caught.value)


def test_an_unknown_column_is_caught(frame):
    broken = frame("confluence_pages")
    broken["surprise"] = 1
    assert failures("confluence_pages", broken).failure_cases["failure_case"].tolist() == ["surprise"]


def test_an_error_quotes_few_values_and_counts_all(pages):
    broken = pages.frame.copy()
    broken["status"] = broken["body.storage.value"]
    error = failures("confluence_pages", broken)
    assert len(error.failure_cases) <= FAILURE_CASES
    (only,) = error.schema_errors
    assert (~only.check_output).sum() == len(broken)


def test_empty_labels_and_absent_owners_are_legal(frame):
    lacking = frame("confluence_pages")
    lacking.at[7, "labels.results"] = np.array([], dtype=object)
    lacking.loc[8, ["ownerId", "lastOwnerId"]] = None
    lacking.loc[9, "version.message"] = ""
    dataset_type("confluence_pages").schema.validate(lacking, lazy=True)


def test_an_unknown_dataset_type_is_said_to_be():
    with pytest.raises(NotFoundError, match="confluence_pages, github_repos"):
        dataset_type("fax_messages")


@pytest.mark.parametrize("name", EACH_TYPE)
def test_what_is_accepted_at_once_is_what_pandera_accepts(frame, name):
    """Sound records never come to pandera; whatever it would refuse does."""
    schema, sound = dataset_type(name).schema, frame(name)
    assert accepted(sound, schema)
    tried = {True: 0, False: 0}
    for column in COLUMNS[name]:
        for value in (None, 7, "", sound[column].iloc[8]):
            changed = sound.copy(deep=True)
            changed = spoilt_as_it_is(changed, column, value)
            if accepted(changed, schema):
                schema.validate(changed, lazy=True)
                tried[True] += 1
            else:
                tried[False] += 1
    assert min(tried.values()) > len(COLUMNS[name]) // 2


def test_labels_are_judged_as_they_are_stored(dataset_of):
    """Sound ones need no frame; all others are left to the rule that tells which of them are not."""
    schema = dataset_type("confluence_pages").schema
    name = next(each.name for each in load_catalog().templates if each.dataset_type == "confluence_pages")
    table = dataset_of(name, records=40).table
    sound = sound_as_stored(table, schema)
    assert "labels.results" in sound
    assert not {"position", "version.number", "version.minorEdit"} & set(sound)  # numbers and truth values
    assert accepted(dataset_type("confluence_pages").frame(table.drop_columns(sound)), schema, sound=sound) is False
    needless = [name for name in sound if name not in columns_of_rows(schema)]
    assert accepted(dataset_type("confluence_pages").frame(table.drop_columns(needless)), schema, sound=sound)
    column, kind = table.column_names.index("labels.results"), table.schema.field("labels.results").type
    good, label = table["labels.results"].to_pylist(), {"id": "1", "name": "a", "prefix": "team"}
    legal = [*good[:7], [], [label], *good[9:]]
    assert "labels.results" in sound_as_stored(
        table.set_column(column, "labels.results", pa.array(legal, kind)), schema
    )
    for entry in (None, [None], *([{**label, key: None}] for key in label), [{**label, "prefix": "nobody"}]):
        spoilt_ = pa.array([*good[:7], entry, *good[8:]], kind)
        broken = table.set_column(column, "labels.results", spoilt_)
        assert "labels.results" not in sound_as_stored(broken, schema), entry
        assert check_schema(broken, dataset_type("confluence_pages")).metrics["failing_columns"] == {
            "labels.results": 1
        }, entry
    for other in (
        table.set_column(column, "labels.results", pa.array(["a"] * 40)),
        table.drop_columns("labels.results"),
    ):
        assert "labels.results" not in sound_as_stored(other, schema)
    numbered = dict(schema.columns) | {"labels.results": schema.columns["labels.results"].set_checks([])}
    assert "labels.results" not in sound_as_stored(table, DataFrameSchema(numbered))


@pytest.mark.parametrize("name", EACH_TYPE)
def test_other_columns_are_never_accepted_at_once(frame, name):
    schema, sound = dataset_type(name).schema, frame(name)
    for column in COLUMNS[name]:
        assert not accepted(sound.drop(columns=column), schema)
        assert not accepted(sound.rename(columns={column: f"{column}X"}), schema)
    assert not accepted(pd.concat([sound, sound[COLUMNS[name][:1]]], axis=1), schema)
    assert not accepted(pd.concat([sound, sound.iloc[:1]]), schema)


def test_what_changes_a_frame_or_has_more_to_say_is_left_to_pandera(frame):
    sound, schema = frame("confluence_pages"), dataset_type("confluence_pages").schema
    columns = dict(schema.columns)
    assert accepted(sound, DataFrameSchema(columns))
    for more in (
        {"coerce": True},
        {"ordered": True},
        {"unique": ["title"]},
        {"strict": "filter"},
        {"index": Index(int)},
    ):
        assert not accepted(sound, DataFrameSchema(columns, **more))
    stricter = columns["title"].set_checks([*columns["title"].checks, Check(lambda titles: titles == "", error="none")])
    assert not accepted(sound, DataFrameSchema({**columns, "title": stricter}))
    assert not accepted(sound, DataFrameSchema(columns, checks=Check(lambda frame: frame["version.number"] < 0)))
    assert not accepted(sound, DataFrameSchema(columns, checks=Check(lambda frame: frame["nowhere"])))
