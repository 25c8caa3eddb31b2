"""The life of an upload: pages into a spool, the last one makes an index, the registry's pointer moves, the old goes.

The order is what makes a crash harmless: until the pointer moves the old generation is served, and whatever a crash
leaves is either taken up by the repeated request or swept by the next upload. All writing to one connector is one at a
time, across processes, by the registry's lock. Source: ``docs/contract.md`` C-90; Glean's rules for bulk uploads.
"""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from dataops_api.connectors.problems import ConnectorProblem, at
from dataops_api.connectors.schemas import BulkIndexRequest
from dataops_core import fault_points
from dataops_core.clock import rfc3339
from dataops_core.connectors.embedded import index
from dataops_core.connectors.embedded.files import IndexFiles
from dataops_core.connectors.embedded.index import DamagedIndexError, IndexStats
from dataops_core.connectors.embedded.readers import Readers
from dataops_core.connectors.embedded.rows import DuplicateUrlError, IndexedDocument
from dataops_core.errors import GoneError, StorageError
from dataops_core.ids import new_id
from dataops_core.lifecycle import ConnectorStatus
from dataops_core.registry import connectors as registry
from dataops_core.registry.database import Database
from dataops_core.registry.tables import Connector

_LOG = logging.getLogger(__name__)

#: A bulk upload that would remove more than this share of what is served removes nothing unless it says so.
STALE_SHARE = 0.20
COMPLETED = "INDEXING COMPLETED"
PAUSED = "DELETION PAUSED"


@dataclass(frozen=True, slots=True)
class _Page:
    """One page with its documents already checked."""

    request: BulkIndexRequest
    documents: Sequence[IndexedDocument]
    now: datetime


class Uploads:
    """Everything that writes index files."""

    def __init__(self, database: Database, files: IndexFiles, readers: Readers) -> None:
        self._database = database
        self._files = files
        self._readers = readers
        self._ahead = ThreadPoolExecutor(1, thread_name_prefix="index-ahead")

    def close(self) -> None:
        """Ends what is under way in the background."""
        self._ahead.shutdown(cancel_futures=True)

    # --- bulk ---------------------------------------------------------------------------------------------------------

    def bulk(
        self, connector_id: UUID, request: BulkIndexRequest, documents: Sequence[IndexedDocument], *, now: datetime
    ) -> None:
        """Takes one page of a bulk upload; the last one publishes. Raises ConnectorProblem, StorageError, GoneError."""
        if request.forceRestartUpload and not request.isFirstPage:
            raise at("invalid_parameter", "/forceRestartUpload", "is for the first page only")
        if request.disableStaleDocumentDeletionCheck and not request.isLastPage:
            raise at("invalid_parameter", "/disableStaleDocumentDeletionCheck", "is for the last page only")
        page = _Page(request, documents, now)
        self._write(connector_id, lambda session, connector: self._take(session, connector, page), now=now)
        if not request.isLastPage:
            self._ahead.submit(self._index_ahead, connector_id, request.uploadId)

    def _index_ahead(self, connector_id: UUID, upload_id: str) -> None:
        """Adds what was taken to the full text, while the next page is read. What is left of it the last page does."""
        try:
            with self._database.transaction() as session:
                if not registry.try_lock(session, connector_id):
                    return
                connector = registry.get(session, connector_id)
                if connector is not None and connector.upload and connector.upload["upload_id"] == upload_id:
                    index.index_ahead(self._files.spool(connector_id, upload_id))
        except Exception:  # whatever it is, nobody waits for this: the last page meets it again, and says it
            _LOG.warning("Upload '%s' of connector %s is indexed at its end", upload_id, connector_id, exc_info=True)

    def _take(self, session: Session, connector: Connector, page: _Page) -> None:
        request = page.request
        upload = connector.upload
        if self._is_published(connector, request):
            return
        if request.isFirstPage:
            upload = self._begin(session, connector, page)
        elif upload is None:
            raise at("invalid_parameter", "/uploadId", "names no upload under way: the first page has isFirstPage")
        elif upload["upload_id"] != request.uploadId:
            raise _conflict(f"Another upload is under way: '{upload['upload_id']}'.")
        stats = self._built(connector.connector_id, request, upload) if request.isLastPage else None
        if stats is None:
            held = self._append(connector.connector_id, request, upload, page.documents)
            upload = {**upload, "pages": upload["pages"] + 1, "documents": held}
            if not request.isLastPage:
                registry.set_upload(session, connector.connector_id, upload)
                return
            stats = self._finish(connector, page)
        fault_points.reached("indexing")
        self._publish(session, connector.connector_id, request.uploadId, stats, ends_upload=True)

    def _is_published(self, connector: Connector, request: BulkIndexRequest) -> bool:
        """Whether this upload is what is served, whole: its repetition then changes nothing."""
        if request.forceRestartUpload or connector.generation != request.uploadId:
            return False
        if connector.upload is not None and connector.upload["upload_id"] == request.uploadId:
            return False
        try:
            stats = index.stats(self._files.index(connector.connector_id, request.uploadId))
        except DamagedIndexError:
            return False
        return (stats.document_count, stats.id_digest) == (connector.document_count, connector.id_digest)

    def _begin(self, session: Session, connector: Connector, page: _Page) -> dict[str, Any]:
        request = page.request
        if connector.upload is not None and not request.forceRestartUpload:
            raise _conflict(
                f"The upload '{connector.upload['upload_id']}' is not finished; forceRestartUpload drops it."
            )
        self._files.sweep(connector.connector_id, keep=self._served(connector))
        started_at = rfc3339(page.now)
        index.create(
            self._files.spool(connector.connector_id, request.uploadId),
            upload_id=request.uploadId,
            started_at=started_at,
        )
        upload = {
            "upload_id": request.uploadId,
            "attempt": new_id().hex,
            "started_at": started_at,
            "pages": 0,
            "documents": 0,
        }
        registry.set_upload(session, connector.connector_id, upload)
        return upload

    def _append(
        self,
        connector_id: UUID,
        request: BulkIndexRequest,
        upload: dict[str, Any],
        documents: Sequence[IndexedDocument],
    ) -> int:
        spool = self._files.spool(connector_id, request.uploadId)
        try:
            return index.append(spool, documents, at_least=upload["documents"])
        except DuplicateUrlError as error:
            raise at("invalid_parameter", f"/documents/{error.position}/viewURL", "is another document's") from None
        except DamagedIndexError as error:
            raise _conflict(
                f"Pages of this upload were lost; forceRestartUpload begins it anew. {error.message}"
            ) from error
        except StorageError:
            index.discard(spool)  # gives the space back; the upload has to begin anew
            raise

    def _finish(self, connector: Connector, page: _Page) -> IndexStats:
        request = page.request
        spool = self._files.spool(connector.connector_id, request.uploadId)
        state = COMPLETED
        try:
            for served in self._served(connector) if not request.disableStaleDocumentDeletionCheck else ():
                if _is_whole(served) and index.keep_stale(spool, served, tolerated_share=STALE_SHARE):
                    state = PAUSED
            return index.finish(
                spool,
                self._files.index(connector.connector_id, request.uploadId),
                finished_at=rfc3339(page.now),
                processing_state=state,
            )
        except (StorageError, DamagedIndexError):
            index.discard(spool)
            raise

    def _built(self, connector_id: UUID, request: BulkIndexRequest, upload: dict[str, Any]) -> IndexStats | None:
        """The index that this very upload made before the pointer could be moved, if that is how it ended."""
        target = self._files.index(connector_id, request.uploadId)
        if self._files.spool(connector_id, request.uploadId).exists() or upload["pages"] == 0 or not target.exists():
            return None
        try:
            return index.stats(target) if index.meta(target).get("started_at") == upload["started_at"] else None
        except DamagedIndexError:
            return None

    # --- single documents ---------------------------------------------------------------------------------------------

    def amend(
        self,
        connector_id: UUID,
        *,
        upload_id: str | None,
        upserts: Sequence[IndexedDocument] = (),
        deletions: Sequence[str] = (),
        now: datetime,
    ) -> None:
        """Adds, changes or removes documents of what is served, as a new generation. Idempotent in effect."""

        def work(session: Session, connector: Connector) -> None:
            generation = f"{upload_id or 'change'}-{new_id().hex}"
            served = next(iter(self._served(connector)), None)
            spool = self._files.spool(connector_id, generation)
            try:
                stats = index.amend(
                    spool,
                    self._files.index(connector_id, generation),
                    served,
                    upload_id=generation,
                    moment=rfc3339(now),
                    upserts=upserts,
                    deletions=deletions,
                )
            except DuplicateUrlError as error:
                index.discard(spool)
                raise at("invalid_parameter", f"/documents/{error.position}/viewURL", "is another document's") from None
            except (StorageError, DamagedIndexError):
                index.discard(spool)
                raise
            self._publish(session, connector_id, generation, stats, ends_upload=False)

        self._write(connector_id, work, now=now)

    # --- removal ------------------------------------------------------------------------------------------------------

    def remove(self, connector_id: UUID, *, now: datetime) -> None:
        """Disconnects the connector and removes all its files, in one: nobody can push in between. Idempotent."""
        with self._database.transaction() as session:
            registry.lock(session, connector_id)
            registry.disconnect(session, connector_id, now)
            self._files.remove(connector_id)
        self._readers.forget(connector_id)

    def sweep(self) -> int:
        """Removes what crashes left of any connector: files that nothing points to. Returns how many.

        Uploads under way survive a restart of the service; connectors being written by another process are left alone.
        """
        removed = 0
        for connector_id in self._files.connectors():
            with self._database.transaction() as session:
                if not registry.try_lock(session, connector_id):
                    continue
                connector = registry.get(session, connector_id)
                if connector is None or connector.status is ConnectorStatus.DISCONNECTED:
                    self._files.remove(connector_id)
                    removed += 1
                    continue
                keep = self._files.pointed_to(connector_id, connector.generation, connector.upload)
                removed += len(self._files.sweep(connector_id, keep=keep))
        return removed

    # --- what all writing shares --------------------------------------------------------------------------------------

    def _write(self, connector_id: UUID, work: Callable[[Session, Connector], None], *, now: datetime) -> None:
        """Runs ``work`` with the connector's lock, then removes what is no longer served."""
        try:
            with self._database.transaction() as session:
                registry.lock(session, connector_id)
                connector = _connected(registry.require(session, connector_id))
                before = self._served(connector)
                work(session, connector)
                session.expire_all()
                after = self._served(registry.require(session, connector_id))
        except GoneError:
            self.remove(
                connector_id, now=now
            )  # nothing may stay on disk of a connector that was disconnected meanwhile
            raise
        for path in before - after:
            index.discard(path)
        if before != after:
            self._readers.forget(connector_id)

    def _publish(
        self, session: Session, connector_id: UUID, generation: str, stats: IndexStats, *, ends_upload: bool
    ) -> None:
        registry.publish(
            session,
            connector_id,
            generation=generation,
            document_count=stats.document_count,
            id_digest=stats.id_digest,
            index_bytes=stats.index_bytes,
            ends_upload=ends_upload,
        )
        _LOG.info("Connector %s serves '%s': %d documents", connector_id, generation, stats.document_count)

    def _served(self, connector: Connector) -> set[Path]:
        """The file that the registry points to, if any."""
        if connector.generation is None:
            return set()
        return {self._files.index(connector.connector_id, connector.generation)}


def _is_whole(path: Path) -> bool:
    """Whether the index file can be read."""
    try:
        index.stats(path)
    except DamagedIndexError:
        return False
    return True


def _connected(connector: Connector) -> Connector:
    """The connector itself. Raises GoneError where it was disconnected."""
    if connector.status is ConnectorStatus.DISCONNECTED:
        raise GoneError("This connector was disconnected; it will not come back.")
    return connector


def _conflict(detail: str) -> ConnectorProblem:
    return ConnectorProblem("conflict", detail)
