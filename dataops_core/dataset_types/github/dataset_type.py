"""GitHub repositories, as GitHub's REST API returns a minimal repository, with their READMEs beside them.

Belongs here: which fields completeness counts, the links that GitHub derives from a repository's name, and what a
repository is as a record and as a search document. The record's strict schema is in ``schema.py``, how rows
follow from a specification in ``builder.py``, how READMEs read in ``layout.py``, how they are written in
``markup.py``.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pyarrow as pa

from dataops_core.company.model import Hosts
from dataops_core.dataset_types.base import Document, FieldRule, GenerationSpec, RecordBuilder
from dataops_core.dataset_types.cells import plain, unflatten
from dataops_core.dataset_types.github.builder import RepositoryBuilder
from dataops_core.dataset_types.github.layout import LAYOUTS

if TYPE_CHECKING:
    import pandas as pd
    from pandera.pandas import DataFrameSchema

#: What GitHub appends to a repository's API address, by field.
_REPOSITORY_LINKS = {
    "archive_url": "/{archive_format}{/ref}", "assignees_url": "/assignees{/user}", "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}", "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}", "commits_url": "/commits{/sha}", "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}", "contributors_url": "/contributors", "deployments_url": "/deployments",
    "downloads_url": "/downloads", "events_url": "/events", "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}", "git_tags_url": "/git/tags{/sha}", "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}", "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}", "keys_url": "/keys{/key_id}", "labels_url": "/labels{/name}",
    "languages_url": "/languages", "merges_url": "/merges", "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}", "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}", "stargazers_url": "/stargazers", "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers", "subscription_url": "/subscription", "tags_url": "/tags", "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}", "url": "",
}  # fmt: skip
#: The same for the owner's API address.
_OWNER_LINKS = {
    "events_url": "/events{/privacy}", "followers_url": "/followers", "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}", "organizations_url": "/orgs", "received_events_url": "/received_events",
    "repos_url": "/repos", "starred_url": "/starred{/owner}{/repo}", "subscriptions_url": "/subscriptions", "url": "",
}  # fmt: skip

#: The fields that every repository has a value for, where it is complete.
_ALWAYS = (
    "id", "node_id", "name", "full_name", "private", "fork", "description", "homepage", "language", "visibility",
    "default_branch", "topics", "archived", "disabled", "is_template", "has_issues", "has_wiki", "has_pages", "size",
    "stargazers_count", "watchers_count", "forks_count", "open_issues_count", "created_at", "updated_at", "pushed_at",
    "owner.login", "owner.id", "owner.node_id", "owner.type", "owner.site_admin", "license.key", "license.name",
    "license.spdx_id", "license.node_id", "_text",
)  # fmt: skip


class GithubRepos:
    """The dataset type ``github_repos``."""

    name = "github_repos"
    label = "GitHub"
    object_type = "Repository"
    category = "CODE_REPOSITORY"
    facets: tuple[str, ...] = ("language", "visibility", "topics")
    filter_facet = "language"
    id_column = "id"
    created_column = "created_at"
    author_column = "_author_name"
    archetypes = frozenset(LAYOUTS)
    # Repositories are all in one place.
    defects = frozenset({"near_duplicates", "stale_versions", "conflicting_facts"})
    seasonal = True
    completeness = (
        *map(FieldRule, _ALWAYS),
        # GitHub knows the text of a license that it recognizes only.
        FieldRule("license.url", applies=lambda frame: frame["license.spdx_id"] != "NOASSERTION"),
    )

    @property
    def schema(self) -> "DataFrameSchema":
        """The strict schema of the frame, loaded with pandera when it is first asked for."""
        from dataops_core.dataset_types.github.schema import SCHEMA  # noqa: PLC0415  see base.DatasetType.schema

        return SCHEMA

    def builder(self, spec: GenerationSpec) -> RecordBuilder:
        """A builder of the specification's repositories."""
        return RepositoryBuilder(spec)

    def url_pattern(self, hosts: Hosts) -> str:
        """Matches the address of every repository of the company."""
        return rf"^{re.escape(hosts.github_url)}/{re.escape(hosts.org)}/[A-Za-z0-9._-]+$"

    def frame(self, table: pa.Table, *, text: bool = False) -> "pd.DataFrame":  # noqa: ARG002  READMEs are stored as text
        """The stored table as a frame. ``_text`` is always there."""
        frame: pd.DataFrame = table.to_pandas()
        return frame

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row as GitHub's API returns the repository, with the links that follow from its name."""
        record = unflatten(row)
        page = urlsplit(row["_view_url"])
        web, api = f"{page.scheme}://{page.netloc}", f"{page.scheme}://api.{page.netloc}"
        repository = f"{api}/repos/{row['full_name']}"
        record["html_url"] = row["_view_url"]
        record |= {name: repository + path for name, path in _REPOSITORY_LINKS.items()}
        login = row["owner.login"]
        owner = f"{api}/users/{login}"
        record["owner"] |= {name: owner + path for name, path in _OWNER_LINKS.items()}
        record["owner"] |= {
            "avatar_url": f"{web}/avatars/{login}.png",
            "gravatar_id": "",
            "html_url": f"{web}/{login}",
        }
        return record

    def document(self, row: Mapping[str, Any]) -> Document:
        """The row as a search document: its README."""
        language = plain(row["language"])
        return Document(
            id=str(row["id"]),
            title=row["name"],
            body=row["_text"],
            mime_type="text/markdown",
            view_url=row["_view_url"],
            author_email=row["_author_email"],
            author_name=row["_author_name"],
            owner_email=row["_owner_email"],
            owner_name=row["_owner_name"],
            container=row["owner.login"],
            created_at=_epoch(row["created_at"]),
            updated_at=_epoch(row["updated_at"]),
            status="archived" if row["archived"] else "active",
            properties={
                **({"language": language} if language else {}),
                "visibility": row["visibility"],
                "topics": tuple(row["topics"]),
            },
        )


def _epoch(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp())


DATASET_TYPE = GithubRepos()
