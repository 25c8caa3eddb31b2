"""Lists that come in pages. Iterating over a page goes on through all pages after it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Generic, TypeVar

from a_domain_sdk._async.session import AsyncSession
from a_domain_sdk._call import Call, new_id
from a_domain_sdk._lists import Linked, Numbered

T = TypeVar("T")


class AsyncPage(Generic[T]):
    """One page of a list: ``items``, and where it stands.

    async for dataset in await client.datasets.list(stage="sandbox"):   # all pages, each fetched when it is reached
        ...
    """

    def __init__(self, session: AsyncSession, call: Call[Numbered[T]], answer: Numbered[T]) -> None:
        self._session = session
        self._call = call
        self.items = answer.items
        self.page = answer.pagination.page
        self.per_page = answer.pagination.per_page
        self.total_pages = answer.pagination.total_pages
        self.total_count = answer.pagination.total_count

    @classmethod
    async def of(cls, session: AsyncSession, call: Call[Numbered[T]]) -> AsyncPage[T]:
        """The page that this call asks for."""
        return cls(session, call, await session.run(call))

    @property
    def has_next(self) -> bool:
        """Whether there are pages after this one."""
        return self.page < self.total_pages

    async def next_page(self) -> AsyncPage[T]:
        """The page after this one. Raises IndexError where there is none."""
        if not self.has_next:
            raise IndexError(f"page {self.page} is the last of {self.total_pages}")
        parameters = {**self._call.parameters, "page": self.page + 1}
        return await AsyncPage.of(self._session, replace(self._call, parameters=parameters, request_id=new_id()))

    async def __aiter__(self) -> AsyncIterator[T]:
        page = self
        while True:
            for item in page.items:
                yield item
            if not page.has_next:
                return
            page = await page.next_page()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.page} of {self.total_pages}: {len(self.items)} of {self.total_count}>"


class AsyncLinkedPage(Generic[T]):
    """One page of a list that knows only what comes next: ``items``, and whether there are more."""

    def __init__(self, session: AsyncSession, call: Call[Linked[T]], answer: Linked[T]) -> None:
        self._session = session
        self._call = call
        self._next_query = answer.next_query
        self.items = answer.items

    @classmethod
    async def of(cls, session: AsyncSession, call: Call[Linked[T]]) -> AsyncLinkedPage[T]:
        """The page that this call asks for."""
        return cls(session, call, await session.run(call))

    @property
    def has_next(self) -> bool:
        """Whether there are pages after this one."""
        return self._next_query is not None

    async def next_page(self) -> AsyncLinkedPage[T]:
        """The page after this one. Raises IndexError where there is none."""
        if self._next_query is None:
            raise IndexError("this page is the last")
        return await AsyncLinkedPage.of(
            self._session, replace(self._call, parameters=self._next_query, request_id=new_id())
        )

    async def __aiter__(self) -> AsyncIterator[T]:
        page = self
        while True:
            for item in page.items:
                yield item
            if not page.has_next:
                return
            page = await page.next_page()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self.items)}{', and more' if self.has_next else ''}>"
