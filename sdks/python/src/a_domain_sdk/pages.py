"""Lists that come in pages. Iterating over a page goes on through all pages after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from pydantic import BaseModel

T = TypeVar("T")


class Pagination(BaseModel):
    """Where a page stands among all."""

    page: int
    per_page: int
    total_pages: int
    total_count: int


class Page(Generic[T]):
    """One page of a list: ``items``, and where it stands.

    for dataset in client.datasets.list(stage="sandbox"):   # all pages, each fetched when it is reached
        ...
    """

    def __init__(self, items: list[T], pagination: Pagination, fetch: Callable[[int], Page[T]]) -> None:
        self.items = items
        self.page = pagination.page
        self.per_page = pagination.per_page
        self.total_pages = pagination.total_pages
        self.total_count = pagination.total_count
        self._fetch = fetch

    @property
    def has_next(self) -> bool:
        """Whether there are pages after this one."""
        return self.page < self.total_pages

    def next_page(self) -> Page[T]:
        """The page after this one. Raises IndexError where there is none."""
        if not self.has_next:
            raise IndexError(f"page {self.page} is the last of {self.total_pages}")
        return self._fetch(self.page + 1)

    def __iter__(self) -> Iterator[T]:
        page = self
        yield from page.items
        while page.has_next:
            page = page.next_page()
            yield from page.items

    def __repr__(self) -> str:
        return f"<Page {self.page} of {self.total_pages}: {len(self.items)} of {self.total_count}>"
