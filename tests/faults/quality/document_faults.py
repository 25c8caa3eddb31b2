"""Ways in which documents can be wrong before they are indexed."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from dataops_core.dataset_types.base import Document

Documents: TypeAlias = list[Document]
Change: TypeAlias = Callable[[Documents], Documents]


def turned(values: Sequence[Any], by: int) -> list[Any]:
    """The values moved on by some places: each lands somewhere else."""
    return [*values[by:], *values[:by]]


def crossed(documents: Documents) -> Documents:
    """Each address with another document's contents."""
    return [
        replace(document, title=other.title, body=other.body)
        for document, other in zip(documents, turned(documents, 7), strict=True)
    ]


def with_other_authors(documents: Documents) -> Documents:
    """Every document with the people of another one that has another author."""

    def somebody_else(number: int) -> Document:
        document = documents[number]
        return next(other for other in turned(documents, number + 7) if other.author_email != document.author_email)

    return [
        replace(
            document,
            author_email=other.author_email, author_name=other.author_name,
            owner_email=other.owner_email, owner_name=other.owner_name,
        )
        for document, other in ((document, somebody_else(number)) for number, document in enumerate(documents))
    ]  # fmt: skip


def with_other_facets(documents: Documents) -> Documents:
    """Every document with the facets of another one."""
    return [
        replace(document, properties=other.properties)
        for document, other in zip(documents, turned(documents, 7), strict=True)
    ]


def doubled(documents: Documents) -> Documents:
    """Every document twice, the second time under another id and address."""
    return [
        *documents,
        *(replace(document, id=f"{document.id}-9", view_url=f"{document.view_url}-9") for document in documents),
    ]
