"""The strict pandera schema of a Zendesk ticket, on the flat columns of the stored table.

Loads pandera and pandas, 0.4 s of a fresh process: nothing but ``ZendeskTickets.schema`` imports it.
"""

import re
from typing import Any

import numpy as np
import pandas as pd
from pandera.pandas import Column, DataFrameSchema

from dataops_core.dataset_types import rules

_TIMESTAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
_MAIL = r"[^@\s]+@[^@\s]+"
_TAG = re.compile(r"\S+")
_COMMENT_KEYS = {"id", "author_id", "author_name", "public", "created_at", "body"}


def _each(values: pd.Series, rule: Any) -> pd.Series:
    return pd.Series(
        [isinstance(held, np.ndarray | list) and all(map(rule, held)) for held in values],
        index=values.index,
        dtype=bool,
    )


def _good_tags(tags: pd.Series) -> pd.Series:
    return _each(tags, lambda tag: isinstance(tag, str) and _TAG.fullmatch(tag) is not None)


def _good_ids(ids: pd.Series) -> pd.Series:
    return _each(ids, lambda id_: isinstance(id_, int | np.integer) and not isinstance(id_, bool) and id_ > 0)


def _good_comments(comments: pd.Series) -> pd.Series:
    return _each(
        comments,
        lambda comment: (
            type(comment) is dict
            and comment.keys() == _COMMENT_KEYS
            and isinstance(comment["body"], str)
            and comment["body"] != ""
        ),
    )


def _moment_column(*, nullable: bool = False) -> Column:
    return rules.text(rules.matches(_TIMESTAMP), rules.moment(), nullable=nullable)


def _id_column(*, unique: bool = False) -> Column:
    return Column("int64", rules.between(1, 2**53), unique=unique)


def _id_list() -> Column:
    return Column(object, rules.each(_good_ids, "must be ids"))


#: Whole numbers, or null: a float in pandas where one is missing.
def _optional_id() -> Column:
    return Column("float64", rules.each(_whole, "must be an id"), nullable=True)


def _whole(values: pd.Series) -> pd.Series:
    whole: pd.Series = values.isna() | ((values % 1 == 0) & (values >= 1))
    return whole


SCHEMA = DataFrameSchema(
    {
        "id": _id_column(unique=True),
        "url": rules.text(rules.matches(r"https://\S+"), unique=True),
        "external_id": rules.text(rules.matches(r"\S+"), nullable=True),
        "created_at": _moment_column(),
        "updated_at": _moment_column(),
        "type": rules.text(rules.one_of("problem", "incident", "question", "task")),
        "subject": rules.text(rules.characters(1, 255), rules.not_blank()),
        "raw_subject": rules.text(rules.characters(1, 255), rules.not_blank()),
        "description": rules.text(rules.byte_length(1, 2**20), rules.not_blank()),
        "priority": rules.text(rules.one_of("urgent", "high", "normal", "low"), nullable=True),
        "status": rules.text(rules.one_of("new", "open", "pending", "hold", "solved", "closed")),
        "recipient": rules.text(rules.matches(_MAIL), nullable=True),
        "requester_id": _id_column(),
        "submitter_id": _id_column(),
        "assignee_id": _optional_id(),
        "organization_id": _optional_id(),
        "group_id": _id_column(),
        "brand_id": _id_column(),
        "collaborator_ids": _id_list(),
        "follower_ids": _id_list(),
        "email_cc_ids": _id_list(),
        "followup_ids": _id_list(),
        "tags": Column(object, rules.each(_good_tags, "tags must be words")),
        "has_incidents": Column(bool),
        "is_public": Column(bool),
        "due_at": _moment_column(nullable=True),
        "allow_channelback": Column(bool),
        "allow_attachments": Column(bool),
        "from_messaging_channel": Column(bool),
        "via.channel": rules.text(rules.one_of("web", "email", "api", "chat", "mobile", "voice")),
        "_comments": Column(object, rules.each(_good_comments, "comments must have author, time and body")),
        "_organization": rules.text(),
        "_group": rules.text(),
        "_requester_name": rules.text(),
        "_requester_email": rules.text(rules.matches(_MAIL)),
        "_assignee_name": rules.text(nullable=True),
        "_assignee_email": rules.text(rules.matches(_MAIL), nullable=True),
        "_view_url": rules.text(rules.matches(r"https://.+"), unique=True),
        "_archetype": rules.text(),
        "_topic": rules.text(),
        "_text": rules.text(required=False),
    },
    checks=[
        rules.rows_hold(lambda frame: frame["created_at"] <= frame["updated_at"], "updated no earlier than created"),
        rules.rows_hold(lambda frame: frame["subject"] == frame["raw_subject"], "a subject has no dynamic content"),
        rules.rows_hold(
            lambda frame: frame["due_at"].isna() | (frame["type"] == "task") & (frame["created_at"] <= frame["due_at"]),
            "tasks alone are due, after they were created",
        ),
        rules.rows_hold(
            lambda frame: frame["assignee_id"].notna() | (frame["status"] == "new"), "what is not new is assigned"
        ),
    ],
    strict=True,
    name="zendesk_tickets",
)
