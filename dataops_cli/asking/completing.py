"""What the shell completes where a word is none of the command line's own: dataset types, and ids.

Whatever goes wrong is nothing to complete: a shell has no place for a sentence.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, get_args

from dataops_cli.asking.connection import connect
from dataops_core.errors import ConfigurationError

if TYPE_CHECKING:
    from a_domain_sdk import DataOpsClient

_AT_MOST = 100

#: What is completed, and what a shell that shows more (zsh, fish) says about it.
Explained = tuple[str, str]


def dataset_types(incomplete: str) -> list[str]:
    """The types that begin so."""
    from a_domain_sdk import DatasetType  # noqa: PLC0415  a command starts only what it needs

    return [name for name in get_args(DatasetType) if name.startswith(incomplete)]


def question_kinds(incomplete: str) -> list[str]:
    """The kinds of questions that begin so."""
    from a_domain_sdk import QuestionKind  # noqa: PLC0415

    return [name for name in get_args(QuestionKind) if name.startswith(incomplete)]


def dataset_ids(incomplete: str) -> list[Explained]:
    """The newest datasets whose id begins so."""
    return _ids(
        incomplete,
        lambda client: (
            (one.dataset_id, f"{one.name}, {one.status}") for one in client.datasets.list(per_page=_AT_MOST).items
        ),
    )


def operation_ids(incomplete: str) -> list[Explained]:
    """The newest operations whose id begins so."""
    return _ids(
        incomplete,
        lambda client: (
            (one.operation_id, f"{one.operation_type}, {one.status}")
            for one in client.operations.list(per_page=_AT_MOST).items
        ),
    )


def template_ids(incomplete: str) -> list[Explained]:
    """The templates whose id begins so."""
    return _ids(
        incomplete,
        lambda client: ((one.template_id, f"{one.name}, {one.dataset_type}") for one in client.templates.list()),
    )


def journey_ids(incomplete: str) -> list[Explained]:
    """The journeys of the newest datasets whose id begins so."""
    return _ids(
        incomplete,
        lambda client: (
            (journey_id, f"as far as {stage}")
            for journey_id, stage in {
                one.journey_id: one.stage
                for one in reversed(client.datasets.list(per_page=_AT_MOST).items)
                if one.journey_id is not None
            }.items()
        ),
    )


def _ids(begun: str, find: "Callable[[DataOpsClient], Iterable[Explained]]") -> list[Explained]:
    from a_domain_sdk import DataOpsError  # noqa: PLC0415

    with suppress(DataOpsError, ConfigurationError), connect(patient=False) as client:
        return [(found, said) for found, said in find(client) if found.startswith(begun)]
    return []
