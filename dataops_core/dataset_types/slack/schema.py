"""The strict pandera schema of a Slack message, on the flat columns of the stored table.

Loads pandera and pandas, 0.4 s of a fresh process: nothing but ``SlackMessages.schema`` imports it.
"""

import re
from typing import Any

import numpy as np
import pandas as pd
from pandera.pandas import Column, DataFrameSchema

from dataops_core.dataset_types import rules
from dataops_core.dataset_types.cells import missing

_STAMP = r"\d{10}\.\d{6}"
_USER = r"[UW][A-Z0-9]{2,}"
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_MAIL = r"[^@\s]+@[^@\s]+"
_IS_USER = re.compile(_USER)
_REACTION_KEYS = {"name", "users", "count"}


def _listed(value: Any) -> list[Any] | None:
    if isinstance(value, np.ndarray):
        return list(value.tolist())
    return value if isinstance(value, list) else None


def _are_users(value: Any) -> bool:
    entries = _listed(value)
    return bool(entries) and all(isinstance(entry, str) and _IS_USER.fullmatch(entry) for entry in entries or ())


def _are_reactions(value: Any) -> bool:
    entries = _listed(value)
    return bool(entries) and all(map(_is_reaction, entries or ()))


def _is_reaction(entry: Any) -> bool:
    if type(entry) is not dict or entry.keys() != _REACTION_KEYS:
        return False
    users = _listed(entry["users"])
    named = type(entry["name"]) is str and entry["name"] != ""
    return named and users is not None and _are_users(users) and entry["count"] >= len(users)


def _good_users(values: pd.Series) -> pd.Series:
    return pd.Series([missing(value) or _are_users(value) for value in values], index=values.index, dtype=bool)


def _good_reactions(values: pd.Series) -> pd.Series:
    return pd.Series([missing(value) or _are_reactions(value) for value in values], index=values.index, dtype=bool)


def _count() -> Column:
    return Column("Int64", rules.between(1, 2**31 - 1), nullable=True)


SCHEMA = DataFrameSchema(
    {
        "type": rules.text(rules.one_of("message")),
        "ts": rules.text(rules.matches(_STAMP), unique=True),
        "user": rules.text(rules.matches(_USER)),
        "text": rules.text(rules.characters(1, 40_000), rules.not_blank()),
        "team": rules.text(rules.matches(r"T[A-Z0-9]{2,}")),
        "client_msg_id": rules.text(rules.matches(_UUID), unique=True),
        "thread_ts": rules.text(rules.matches(_STAMP), nullable=True),
        "reply_count": _count(),
        "reply_users": Column(object, rules.each(_good_users, "reply_users must be ids of users"), nullable=True),
        "reply_users_count": _count(),
        "latest_reply": rules.text(rules.matches(_STAMP), nullable=True),
        "reactions": Column(
            object, rules.each(_good_reactions, "reactions must have name, users and count"), nullable=True
        ),
        "permalink": rules.text(rules.matches(r"https://.+"), unique=True),
        "_document_id": rules.text(rules.matches(r"C[A-Z0-9]{2,}-\d{10}\.\d{6}"), unique=True),
        "_channel_id": rules.text(rules.matches(r"C[A-Z0-9]{2,}")),
        "_channel_name": rules.text(rules.matches(r"[a-z0-9][a-z0-9_-]{0,79}")),
        "_posted_at": rules.text(rules.matches(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), rules.moment()),
        "_archetype": rules.text(),
        "_topic": rules.text(),
        "_author_name": rules.text(),
        "_author_email": rules.text(rules.matches(_MAIL)),
        "_addressee_name": rules.text(),
        "_text": rules.text(required=False),
    },
    checks=[
        rules.rows_hold(
            lambda frame: frame["thread_ts"].isna() | (frame["thread_ts"] <= frame["ts"]),
            "a reply is no older than its thread",
        ),
        rules.rows_hold(
            lambda frame: frame["reply_count"].isna() | (frame["thread_ts"] == frame["ts"]),
            "a thread's first message has the replies",
        ),
        rules.rows_hold(
            lambda frame: frame["latest_reply"].isna() | (frame["ts"] < frame["latest_reply"]),
            "a reply comes after its thread's first message",
        ),
    ],
    strict=True,
    name="slack_messages",
)
