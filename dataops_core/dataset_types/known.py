"""The dataset types that there are. One place to add one."""

from collections.abc import Mapping
from types import MappingProxyType

from dataops_core.dataset_types.base import DatasetType
from dataops_core.dataset_types.confluence_pages import ConfluencePages
from dataops_core.dataset_types.github_repos import GithubRepos
from dataops_core.errors import NotFoundError

DATASET_TYPES: Mapping[str, DatasetType] = MappingProxyType(
    {dataset_type.name: dataset_type for dataset_type in (ConfluencePages(), GithubRepos())}
)


def dataset_type(name: str) -> DatasetType:
    """The dataset type of this name. Raises NotFoundError."""
    if name not in DATASET_TYPES:
        raise NotFoundError(f"There is no dataset type {name!r}: there are {', '.join(DATASET_TYPES)}.")
    return DATASET_TYPES[name]
