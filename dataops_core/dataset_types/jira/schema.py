"""The strict pandera schema of a Jira issue, on the flat columns of the stored table.

Loads pandera and pandas, 0.4 s of a fresh process: nothing but ``JiraIssues.schema`` imports it.
"""

import re
from typing import Any

import numpy as np
import pandas as pd
from pandera.pandas import Column, DataFrameSchema

from dataops_core.dataset_types import rules
from dataops_core.dataset_types.jira import markup

_TIMESTAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d{4}"
_ACCOUNT = r"[0-9a-zA-Z:-]+"
_MAIL = r"[^@\s]+@[^@\s]+"
_LABEL = re.compile(r"\S+")
_COMMENT_KEYS = {"id", "author_id", "author_name", "created", "body"}
_COMPONENT_KEYS = {"self", "id", "name"}


def _listed(value: Any) -> list[Any] | None:
    if isinstance(value, np.ndarray):
        listed: list[Any] = value.tolist()
        return listed
    return value if isinstance(value, list) else None


def _each(values: pd.Series, rule: Any) -> pd.Series:
    held = (_listed(value) for value in values)
    return pd.Series(
        [entries is not None and all(map(rule, entries)) for entries in held], index=values.index, dtype=bool
    )


def _good_labels(labels: pd.Series) -> pd.Series:
    return _each(labels, lambda label: isinstance(label, str) and _LABEL.fullmatch(label) is not None)


def _are_objects(keys: set[str]) -> Any:
    def check(values: pd.Series) -> pd.Series:
        return _each(
            values,
            lambda entry: (
                type(entry) is dict and entry.keys() == keys and all(type(part) is str for part in entry.values())
            ),
        )

    return check


def _account(*, nullable: bool = False) -> Column:
    return rules.text(rules.matches(_ACCOUNT), rules.byte_length(24, 60), nullable=nullable)


def _moment_column(*, nullable: bool = False) -> Column:
    return rules.text(rules.matches(_TIMESTAMP), rules.moment(), nullable=nullable)


_ID = rules.matches(r"\d+")

SCHEMA = DataFrameSchema(
    {
        "id": rules.text(_ID, unique=True),
        "key": rules.text(rules.matches(r"[A-Z][A-Z0-9]{1,9}-[1-9]\d*"), unique=True),
        "self": rules.text(rules.matches(r"https://\S+")),
        "fields.summary": rules.text(rules.characters(1, 255), rules.not_blank()),
        "fields.description": rules.json_text(markup.is_document, "object", "must be a document of ADF", nullable=True),
        "fields.issuetype.id": rules.text(_ID),
        "fields.issuetype.name": rules.text(rules.one_of("Bug", "Task", "Story", "Epic", "Sub-task", "Incident")),
        "fields.issuetype.subtask": Column(bool),
        "fields.project.id": rules.text(_ID),
        "fields.project.key": rules.text(rules.matches(r"[A-Z][A-Z0-9]{1,9}")),
        "fields.project.name": rules.text(rules.not_blank()),
        "fields.status.id": rules.text(_ID),
        "fields.status.name": rules.text(rules.one_of("To Do", "In Progress", "In Review", "Done", "Blocked")),
        "fields.status.statusCategory.key": rules.text(rules.one_of("new", "indeterminate", "done")),
        "fields.priority.id": rules.text(_ID),
        "fields.priority.name": rules.text(rules.one_of("Highest", "High", "Medium", "Low", "Lowest")),
        "fields.labels": Column(object, rules.each(_good_labels, "labels must be words")),
        "fields.components": Column(
            object, rules.each(_are_objects(_COMPONENT_KEYS), "components must have self, id and name")
        ),
        "fields.reporter.accountId": _account(),
        "fields.reporter.displayName": rules.text(rules.not_blank()),
        "fields.reporter.emailAddress": rules.text(rules.matches(_MAIL)),
        "fields.reporter.active": Column(bool),
        "fields.assignee.accountId": _account(nullable=True),
        "fields.assignee.displayName": rules.text(rules.not_blank(), nullable=True),
        "fields.assignee.emailAddress": rules.text(rules.matches(_MAIL), nullable=True),
        "fields.created": _moment_column(),
        "fields.updated": _moment_column(),
        "fields.resolutiondate": _moment_column(nullable=True),
        "fields.resolution.id": rules.text(_ID, nullable=True),
        "fields.resolution.name": rules.text(rules.not_blank(), nullable=True),
        "_comments": Column(
            object, rules.each(_are_objects(_COMMENT_KEYS), "comments must have author, time and body")
        ),
        "_view_url": rules.text(rules.matches(r"https://.+"), unique=True),
        "_archetype": rules.text(),
        "_topic": rules.text(),
        "_text": rules.text(required=False),
    },
    checks=[
        rules.rows_hold(
            lambda frame: frame["fields.created"] <= frame["fields.updated"], "updated no earlier than created"
        ),
        rules.rows_hold(
            lambda frame: (
                frame["fields.resolutiondate"].isna()
                | (frame["fields.created"] <= frame["fields.resolutiondate"])
                & (frame["fields.resolutiondate"] <= frame["fields.updated"])
            ),
            "resolved after it was created and before its last change",
        ),
        rules.rows_hold(
            lambda frame: (
                frame["fields.resolutiondate"].notna() == (frame["fields.status.statusCategory.key"] == "done")
            ),
            "done is what has been resolved",
        ),
        rules.rows_hold(
            lambda frame: frame["fields.resolutiondate"].isna() == frame["fields.resolution.id"].isna(),
            "a resolution has a date",
        ),
        rules.rows_hold(
            lambda frame: frame["fields.resolution.id"].isna() == frame["fields.resolution.name"].isna(),
            "a resolution has a name",
        ),
        rules.rows_hold(
            lambda frame: frame["fields.assignee.accountId"].isna() == frame["fields.assignee.displayName"].isna(),
            "an assignee has a name",
        ),
        rules.rows_hold(
            lambda frame: (
                pd.Series([key.rpartition("-")[0] for key in frame["key"].astype(str)], index=frame.index, dtype="str")
                == frame["fields.project.key"]
            ),
            "a key begins with the project's",
        ),
    ],
    strict=True,
    name="jira_issues",
)
