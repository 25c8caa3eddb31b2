"""The strict pandera schema of a GitHub repository, on the flat columns of the stored table.

Loads pandera and pandas, 0.4 s of a fresh process: nothing but ``GithubRepos.schema`` imports it.
"""

import re

import numpy as np
import pandas as pd
from pandera.pandas import Column, DataFrameSchema

from dataops_core.dataset_types import rules

_TIMESTAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
_LABEL = re.compile(r"[a-z0-9][a-z0-9-]{0,49}")
_MAIL = r"[^@\s]+@[^@\s]+"
_COUNT = (0, 2**31 - 1)


def _good_topics(topics: pd.Series) -> pd.Series:
    """At most 20 topics, each in lower case with digits and hyphens."""
    return pd.Series(
        [
            isinstance(names, np.ndarray | list)
            and len(names) <= 20
            and all(isinstance(name, str) and _LABEL.fullmatch(name) for name in names)
            for names in topics
        ],
        index=topics.index,
        dtype=bool,
    )


def _moment_column(*, nullable: bool = False) -> Column:
    return rules.text(rules.matches(_TIMESTAMP), rules.moment(), nullable=nullable)


SCHEMA = DataFrameSchema(
    {
        "id": Column("int64", rules.between(1, 2**53), unique=True),
        "node_id": rules.text(rules.matches(r"\S+")),
        "name": rules.text(rules.matches(r"[A-Za-z0-9._-]{1,100}")),
        "full_name": rules.text(rules.matches(r"[^/]+/[A-Za-z0-9._-]{1,100}"), unique=True),
        "private": Column(bool),
        "fork": Column(bool),
        "description": rules.text(rules.characters(0, 350), nullable=True),
        "homepage": rules.text(rules.matches(r"https://.+"), nullable=True),
        "language": rules.text(rules.characters(1, 60), nullable=True),
        "visibility": rules.text(rules.one_of("public", "private", "internal")),
        "default_branch": rules.text(rules.matches(r"\S+")),
        "topics": Column(object, rules.each(_good_topics, "topics must be lower case, at most 20")),
        "archived": Column(bool),
        "disabled": Column(bool),
        "is_template": Column(bool),
        "has_issues": Column(bool),
        "has_wiki": Column(bool),
        "has_pages": Column(bool),
        "size": Column("int64", rules.between(*_COUNT)),
        "stargazers_count": Column("int64", rules.between(*_COUNT)),
        "watchers_count": Column("int64", rules.between(*_COUNT)),
        "forks_count": Column("int64", rules.between(*_COUNT)),
        "open_issues_count": Column("int64", rules.between(*_COUNT)),
        "created_at": _moment_column(),
        "updated_at": _moment_column(),
        "pushed_at": _moment_column(nullable=True),
        "owner.login": rules.text(rules.matches(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}")),
        "owner.id": Column("int64", rules.between(1, 2**53)),
        "owner.node_id": rules.text(rules.matches(r"\S+")),
        "owner.type": rules.text(rules.one_of("Organization", "User")),
        "owner.site_admin": Column(bool),
        "license.key": rules.text(rules.matches(r"[a-z0-9.-]+")),
        "license.name": rules.text(rules.not_blank()),
        "license.spdx_id": rules.text(rules.matches(r"[A-Za-z0-9.-]+")),
        "license.url": rules.text(rules.matches(r"https://.+"), nullable=True),
        "license.node_id": rules.text(rules.matches(r"\S+")),
        "_text": rules.text(rules.byte_length(1, 16 * 2**20)),
        "_view_url": rules.text(rules.matches(r"https://.+"), unique=True),
        "_archetype": rules.text(),
        "_topic": rules.text(),
        "_author_name": rules.text(),
        "_author_email": rules.text(rules.matches(_MAIL)),
        "_owner_name": rules.text(),
        "_owner_email": rules.text(rules.matches(_MAIL)),
    },
    checks=[
        rules.rows_hold(lambda frame: frame["created_at"] <= frame["updated_at"], "updated no earlier than created"),
        rules.rows_hold(
            lambda frame: frame["pushed_at"].isna() | (frame["created_at"] <= frame["pushed_at"]),
            "pushed to no earlier than created",
        ),
        rules.rows_hold(
            lambda frame: frame["private"] == (frame["visibility"] != "public"), "private is what is not public"
        ),
        rules.rows_hold(
            lambda frame: frame["full_name"] == frame["owner.login"] + "/" + frame["name"],
            "a full name is owner and name",
        ),
    ],
    strict=True,
    name="github_repos",
)
