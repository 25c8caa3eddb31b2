"""The client of the embedded connector: provisions, loads, asks and removes over HTTP, as any client of Glean's would.

Belongs here: the ConnectorAdapter of kind ``embedded``. Runs push through it and never open an index file, so that the
connector service may live in another process or on another machine. Its health probes are in ``probes.py``.
"""

import time
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import httpx
import orjson
from pydantic import ValidationError

from dataops_core import fault_points
from dataops_core.connectors.documents import datasource_config, document_definition
from dataops_core.connectors.id_digest import IdDigest
from dataops_core.connectors.platform import Metadata, SearchResponse
from dataops_core.connectors.probes import run_probes, run_pulse
from dataops_core.connectors.protocol import (
    ConnectorSpec,
    LoadReport,
    Manifest,
    ProbeResult,
    SearchAnswer,
    SearchFilter,
    SearchHit,
)
from dataops_core.connectors.transport import Reply, Transport
from dataops_core.dataset_types.base import Document
from dataops_core.errors import ConnectorError
from dataops_core.lifecycle import TokenKind
from dataops_core.security import Keyring

PAGE_DOCUMENTS = 1_000
PAGE_BYTES = 5 * 1024 * 1024
#: Pages that are made before they can be sent. The documents of a usual dataset are all made at once, and whoever waits
#: for that (the test queries are drawn from them) need not wait for the connector.
_PAGES_AHEAD = 4
#: The last page waits for the index to be built, at worst all of it: this many bytes per second at the very least.
_BUILD_BYTES_PER_SECOND = 1_000_000
_MAX_BUILD_TIMEOUT = 3600.0

#: Documents as JSON, and whether these are the last ones.
_Page = tuple[bytes, bool]


class EmbeddedConnector:
    """The adapter of the embedded engine. Safe to use from many threads.

    ``base_url`` is the connector service's address without the connector (``http://…/connectors``); ``timeout`` bounds
    every request but those that carry documents, in seconds; ``pause`` waits between tries. ``page_timeout`` bounds
    those: a page is taken within a second or two, a few more where pages before it are being indexed, so a service that
    says nothing for so long will not answer, and is not asked again.
    """

    kind = "embedded"

    def __init__(
        self,
        base_url: str,
        keyring: Keyring,
        *,
        timeout: float = 5.0,
        page_timeout: float = 30.0,
        transport: httpx.BaseTransport | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._keyring = keyring
        self._timeout = timeout
        self._pause = pause
        self._page_timeout = page_timeout
        self._transport = Transport(base_url, timeout=timeout, patience=page_timeout, transport=transport, pause=pause)

    def close(self) -> None:
        """Closes every connection."""
        self._transport.close()

    def _token(self, spec: ConnectorSpec, kind: TokenKind) -> str:
        return self._keyring.service_token(spec.connector_id, kind)

    def _index(
        self, spec: ConnectorSpec, method: str, content: bytes, *, timeout: float | None = None, accept: Sequence[int]
    ) -> Reply:
        return self._transport.call(
            "POST",
            spec.connector_id,
            f"/api/index/v1/{method}",
            token=lambda: self._token(spec, TokenKind.INDEX),
            content=content,
            timeout=timeout,
            accept=accept,
        )

    def provision(self, spec: ConnectorSpec) -> None:
        """Registers the data source. Idempotent."""
        self._index(spec, "adddatasource", orjson.dumps(datasource_config(spec)), accept=(200,))

    def load(self, spec: ConnectorSpec, documents: Iterable[Document], *, upload_id: str) -> LoadReport:
        """Replaces the whole content; published only when the last page was taken. Idempotent per ``upload_id``.

        An unfinished upload of somebody else is restarted over, once and on the first page only: ``documents`` may be
        an iterator, which another thread reads. Raises ConnectorError, also where the connector holds something else
        afterwards.
        """
        with (
            closing(IdDigest(distinct=True)) as ids,
            closing(_made_ahead(_pages(spec, documents, ids))) as made,
        ):
            return self._load(spec, made, upload_id, ids)

    def _load(self, spec: ConnectorSpec, made: Iterator[_Page], upload_id: str, ids: IdDigest) -> LoadReport:
        pages = 0
        total_bytes = 0
        for page, is_last in made:
            pages += 1
            total_bytes += len(page)
            flags: dict[str, Any] = {"uploadId": upload_id, "datasource": spec.datasource}
            if pages == 1:
                flags["isFirstPage"] = True
            else:
                fault_points.reached("pushing")
            timeout = self._page_timeout
            if is_last:
                flags |= {"isLastPage": True, "disableStaleDocumentDeletionCheck": True}
                timeout = min(timeout + total_bytes / _BUILD_BYTES_PER_SECOND, _MAX_BUILD_TIMEOUT)
            accept = (200, 409) if pages == 1 else (200,)
            reply = self._index(spec, "bulkindexdocuments", _body(flags, page), timeout=timeout, accept=accept)
            if reply.status_code == 409:
                flags["forceRestartUpload"] = True
                self._index(spec, "bulkindexdocuments", _body(flags, page), timeout=timeout, accept=(200,))
        sent = Manifest(*ids.result())
        held = self.metadata(spec)
        if held.generation != upload_id or Manifest(held.document_count, held.id_digest) != sent:
            raise ConnectorError(
                f"The connector holds {held.document_count} documents of '{held.generation}' after an upload of "
                f"{sent.document_count} as '{upload_id}'.",
                details={"kind": "content", "transient": False, "status": None},
            )
        return LoadReport(upload_id, pages, sent, held.index_bytes)

    def metadata(self, spec: ConnectorSpec) -> Metadata:
        """What the connector holds now."""
        reply = self._transport.call(
            "GET", spec.connector_id, "", token=lambda: self._token(spec, TokenKind.INDEX), accept=(200,)
        )
        try:
            return Metadata.model_validate_json(reply.response.content)
        except ValidationError as error:
            raise ConnectorError(
                "The connector's description of itself cannot be read.",
                details={"kind": "content", "transient": False, "status": reply.status_code},
            ) from error

    def search(
        self, spec: ConnectorSpec, query: str, *, filters: Sequence[SearchFilter] = (), page_size: int = 10
    ) -> SearchAnswer:
        """One search, without a retry. A connection error raises ConnectorError; an HTTP error is an answer."""
        body: dict[str, Any] = {"query": query, "page_size": page_size}
        if filters:
            body["filters"] = [{"field": f.field, "values": list(f.values), "operator": "EQUALS"} for f in filters]
        reply = self._transport.send(
            "POST",
            spec.connector_id,
            "/api/search",
            token=self._token(spec, TokenKind.SEARCH),
            content=orjson.dumps(body),
        )
        return read_answer(reply)

    def probe(
        self, spec: ConnectorSpec, manifest: Manifest, upload_id: str, canaries: Collection[str]
    ) -> list[ProbeResult]:
        """All probes, in a fixed order; see ``probes.py``."""
        return run_probes(
            self._transport,
            self._keyring,
            spec,
            manifest=manifest,
            upload_id=upload_id,
            canaries=canaries,
            limit=self._timeout,
            pause=self._pause,
        )

    def pulse(self, spec: ConnectorSpec, manifest: Manifest, upload_id: str, turn: int | None) -> list[ProbeResult]:
        """A cheap look; see ``probes.py``."""
        return run_pulse(
            self._transport,
            self._keyring,
            spec,
            manifest=manifest,
            upload_id=upload_id,
            turn=turn,
            limit=self._timeout,
            pause=self._pause,
        )

    def teardown(self, spec: ConnectorSpec) -> list[str]:
        """Disconnects the connector for good and removes everything that it has; nothing remains. Idempotent."""
        self._transport.call(
            "DELETE",
            spec.connector_id,
            "",
            token=lambda: self._token(spec, TokenKind.INDEX),
            timeout=self._page_timeout,
            accept=(204, 410),
        )
        return []


def read_answer(reply: Reply) -> SearchAnswer:
    """The reply as an answer; ``valid`` only where the status is 200 and the body has the Platform's shape."""
    if reply.status_code != 200:
        return SearchAnswer(reply.status_code, (), valid=False, elapsed_seconds=reply.elapsed_seconds)
    try:
        parsed = SearchResponse.model_validate_json(reply.response.content)
    except ValidationError:
        return SearchAnswer(reply.status_code, (), valid=False, elapsed_seconds=reply.elapsed_seconds)
    hits = tuple(
        SearchHit(
            url=result.url,
            title=result.title,
            snippets=result.snippets,
            author=result.creator.name if result.creator else None,
            owner=result.owner.name if result.owner else None,
            properties={"document_type": result.document_type, "datasource": result.datasource},
        )
        for result in parsed.results
    )
    return SearchAnswer(reply.status_code, hits, valid=True, elapsed_seconds=reply.elapsed_seconds)


def _body(flags: dict[str, Any], page: bytes) -> bytes:
    return b"".join((orjson.dumps(flags)[:-1], b',"documents":[', page, b"]}"))


def _pages(spec: ConnectorSpec, documents: Iterable[Document], ids: IdDigest) -> Iterator[_Page]:
    """The documents as JSON, in pages of at most 1,000 documents and 5 MiB; one empty page where there is none.

    A page is there as soon as it is known whether it is the last one.
    """
    parts: list[bytes] = []
    size = 0
    for document in documents:
        ids.add(document.id)
        part = orjson.dumps(document_definition(spec, document))
        if parts and (len(parts) >= PAGE_DOCUMENTS or size + len(part) > PAGE_BYTES):
            yield b",".join(parts), False
            parts, size = [], 0
        parts.append(part)
        size += len(part) + 1
    yield b",".join(parts), True


def _made_ahead(pages: Iterator[_Page]) -> Generator[_Page, None, None]:
    """The pages, some of them made while one is on its way. Closed early, it makes no more than the one begun."""
    thread = ThreadPoolExecutor(1, thread_name_prefix="pages")
    try:
        ahead = deque(thread.submit(next, pages, None) for _ in range(_PAGES_AHEAD))
        while (page := ahead.popleft().result()) is not None:
            ahead.append(thread.submit(next, pages, None))
            yield page
    finally:
        thread.shutdown(cancel_futures=True)
