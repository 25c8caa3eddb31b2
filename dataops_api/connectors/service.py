"""What the connector service does at each of its routes, free of HTTP but for its problems.

Belongs here: reading an index and describing it; writing is in ``uploads.py``. Source: ``docs/contract.md`` C-90.
"""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from dataops_api.connectors.access import Access, Gatekeeper
from dataops_api.connectors.cursors import Cursors
from dataops_api.connectors.datasource import Datasource, registered
from dataops_api.connectors.problems import ConnectorProblem, at
from dataops_api.connectors.schemas import (
    BulkIndexRequest,
    DatasourceConfig,
    DebugDocumentsRequest,
    DeleteRequest,
    IndexRequest,
)
from dataops_api.connectors.uploads import Uploads
from dataops_core.clock import utcnow
from dataops_core.connectors.embedded import index
from dataops_core.connectors.embedded.files import IndexFiles
from dataops_core.connectors.embedded.index import DamagedIndexError
from dataops_core.connectors.embedded.readers import Readers
from dataops_core.connectors.embedded.search import Answer, FieldFilter, Hit, Operator, Question, search, suggest_values
from dataops_core.connectors.id_digest import digest_in_order
from dataops_core.connectors.platform import (
    BUILT_IN_FIELDS,
    USER_FIELDS,
    DatasourceFilters,
    FilterField,
    FiltersResponse,
    Metadata,
    PersonReference,
    Result,
    SearchRequest,
    SearchResponse,
    SearchWarning,
)
from dataops_core.errors import StorageError, UnavailableError
from dataops_core.registry import connectors as registry
from dataops_core.registry import usage
from dataops_core.registry.database import Database
from dataops_core.registry.tables import Connector
from dataops_core.security import Keyring
from dataops_core.settings import Settings

_LOG = logging.getLogger(__name__)

SEARCH_SECONDS = 25.0
_EQUALITY = (Operator.EQUALS, Operator.NOT_EQUALS)
#: The built-in fields that documents of this connector can have.
_CATALOG = ("author", "from", "owner", "status", "type")


class ConnectorService:
    """The embedded connectors of one installation."""

    def __init__(
        self, settings: Settings, database: Database, keyring: Keyring, *, search_seconds: float = SEARCH_SECONDS
    ) -> None:
        self.database = database
        self.gatekeeper = Gatekeeper(database, keyring)
        self.files = IndexFiles(settings.data_path)
        self.readers = Readers()
        self.uploads = Uploads(database, self.files, self.readers)
        self._cursors = Cursors(keyring.derive("connector-cursor"))
        self._search_seconds = search_seconds

    def sweep(self) -> int:
        """Removes what crashes left on disk; to be called when the service starts. Returns how many files.

        Where that cannot be done now the service starts none the less: each upload sweeps its own connector as well.
        """
        try:
            return self.uploads.sweep()
        except (StorageError, UnavailableError) as error:
            _LOG.warning("What crashes left of connectors is not removed yet: %s", error)
            return 0

    def close(self) -> None:
        """Ends what is under way, and closes every open index file."""
        self.uploads.close()
        self.readers.close()

    # --- search -------------------------------------------------------------------------------------------------------

    def search(self, access: Access, request: SearchRequest, request_id: str) -> SearchResponse:
        """Answers a question, and counts it as usage unless the product itself asks."""
        connector = access.connector
        if not request.query.strip():
            raise ConnectorProblem("unprocessable_query", "The query holds no text.")
        self._check_datasources(connector, request.datasources)
        question = self._question(connector, request)
        answer = self._answer(connector, question)
        results = tuple(_result(hit, connector) for hit in answer.hits)
        end = question.offset + len(results)
        if not access.internal:
            with self.database.transaction() as session:
                usage.record(session, connector.dataset_id, documents=len(results), now=utcnow())
        return SearchResponse(
            results=results,
            has_more=answer.has_more,
            next_cursor=self._cursors.make(connector, request, end) if answer.has_more else None,
            request_id=request_id,
            warnings=tuple(_warnings(answer)),
        )

    def _answer(self, connector: Connector, question: Question) -> Answer:
        if connector.generation is None:
            return Answer((), has_more=False, widened=False, truncated=False)
        try:
            return self._search_index(connector, connector.generation, question)
        except DamagedIndexError:
            # The generation may have been replaced between the look at the registry and the look at the file.
            with self.database.transaction() as session:
                now_served = registry.require(session, connector.connector_id).generation
            if now_served is None or now_served == connector.generation:
                raise
            return self._search_index(connector, now_served, question)

    def _search_index(self, connector: Connector, generation: str, question: Question) -> Answer:
        path = self.files.index(connector.connector_id, generation)
        with self.readers.lease(connector.connector_id, path) as connection:
            return search(connection, question, seconds=self._search_seconds)

    def _question(self, connector: Connector, request: SearchRequest) -> Question:
        filters = tuple(
            FieldFilter(condition.field, tuple(condition.values), condition.operator)
            for condition in request.filters or ()
        )
        _check_filters(filters)
        bounds = request.time_range
        return Question(
            text=request.query,
            page_size=request.page_size,
            offset=self._cursors.offset(connector, request),
            filters=filters,
            updated_from=_epoch(bounds.start if bounds else None),
            updated_until=_epoch(bounds.end if bounds else None),
        )

    def _check_datasources(self, connector: Connector, asked: Sequence[str] | None) -> None:
        known = (connector.datasource or {}).get("name")
        for position, name in enumerate(asked or ()):
            if name != known:
                raise at("invalid_datasource", f"/datasources/{position}", "is not this connector's data source")

    # --- filters ------------------------------------------------------------------------------------------------------

    def filters(
        self, access: Access, datasources: tuple[str, ...] | None, query: str | None, request_id: str
    ) -> FiltersResponse:
        """The fields that a search can be narrowed by; with ``query``, values that occur in what it finds."""
        connector = access.connector
        self._check_datasources(connector, datasources)
        if query is not None and (not query.strip() or len(datasources or ()) != 1):
            raise ConnectorProblem("invalid_parameter", "A query must not be blank, and needs exactly one data source.")
        if connector.datasource is None:
            return FiltersResponse(datasources=(), request_id=request_id)
        facets = Datasource(DatasourceConfig.model_validate(connector.datasource)).facets
        described = DatasourceFilters(
            datasource=connector.datasource["name"],
            filters=tuple(
                self._described(connector, field, query) for field in dict.fromkeys((*_CATALOG, *facets)) if field
            ),
        )
        return FiltersResponse(datasources=(described,), request_id=request_id)

    def _described(self, connector: Connector, field: str, query: str | None) -> FilterField:
        kind = "USER" if field in USER_FIELDS else "STRING"
        operators = _EQUALITY if field in BUILT_IN_FIELDS else tuple(Operator)
        if query is None:
            return FilterField(field=field, type=kind, operators=operators)
        values: list[str] = []
        if connector.generation is not None:
            path = self.files.index(connector.connector_id, connector.generation)
            with self.readers.lease(connector.connector_id, path) as connection:
                values = suggest_values(connection, query, field, seconds=self._search_seconds)
        return FilterField(field=field, type=kind, operators=operators, values=tuple(values))

    # --- indexing -----------------------------------------------------------------------------------------------------

    def add_datasource(self, access: Access, config: DatasourceConfig) -> None:
        """Registers the data source, or changes its configuration."""
        stored = registered(config, access.connector)
        with self.database.transaction() as session:
            registry.set_datasource(session, access.connector.connector_id, stored)

    def datasource_config(self, access: Access, name: str) -> dict[str, Any]:
        """The configuration as it was registered."""
        return Datasource.of(access.connector, name).config.model_dump(exclude_unset=True)

    def bulk_index(self, access: Access, request: BulkIndexRequest) -> None:
        """Takes one page of an upload that replaces everything."""
        documents = Datasource.of(access.connector, request.datasource).documents(request.documents)
        self.uploads.bulk(access.connector.connector_id, request, documents, now=utcnow())

    def index_documents(self, access: Access, request: IndexRequest) -> None:
        """Adds documents, or changes them."""
        documents = Datasource.of(access.connector, request.datasource).documents(request.documents)
        self.uploads.amend(access.connector.connector_id, upload_id=request.uploadId, upserts=documents, now=utcnow())

    def delete_document(self, access: Access, request: DeleteRequest) -> None:
        """Removes a document; one that is not there is no error."""
        connector = access.connector
        Datasource.of(connector, request.datasource)
        if connector.generation is None:
            return
        if index.held_ids(self.files.index(connector.connector_id, connector.generation), [request.id]):
            self.uploads.amend(connector.connector_id, upload_id=None, deletions=[request.id], now=utcnow())

    def remove(self, access: Access) -> None:
        """Disconnects the connector and removes its index with everything that belongs to it. Idempotent."""
        self.uploads.remove(access.connector.connector_id, now=utcnow())

    # --- what the connector says about itself -------------------------------------------------------------------------

    def metadata(self, access: Access) -> Metadata:
        """The connector as it is on disk at this moment."""
        connector = access.connector
        held = index.IndexStats(*digest_in_order(()), 0)
        state = "empty"
        if connector.generation is not None:
            try:
                held = index.stats(self.files.index(connector.connector_id, connector.generation))
                state = "serving"
            except DamagedIndexError as error:
                _LOG.warning("Connector %s: %s", connector.connector_id, error.message)
                state = "damaged"
        return Metadata.model_validate(
            {
                "connector_id": str(connector.connector_id),
                "kind": connector.kind,
                "status": str(connector.status),
                "state": state,
                "generation": connector.generation,
                "document_count": held.document_count,
                "id_digest": held.id_digest,
                "index_bytes": held.index_bytes,
                "datasource": (connector.datasource or {}).get("name"),
            }
        )

    def status(self, access: Access, datasource: str) -> dict[str, Any]:
        """The uploads and counts of the data source, as Glean's ``debug/{datasource}/status``."""
        connector = access.connector
        Datasource.of(connector, datasource, pointer="/")
        history: list[dict[str, str]] = []
        processing: list[dict[str, str]] = []
        counts: list[dict[str, Any]] = []
        if connector.upload is not None:
            started = connector.upload["pages"] <= 1
            history.append(
                {
                    "uploadId": connector.upload["upload_id"],
                    "startTime": connector.upload["started_at"],
                    "endTime": "NA",
                    "status": "ACTIVE",
                    "processingState": "UPLOAD STARTED" if started else "UPLOAD IN PROGRESS",
                }
            )
        if connector.generation is not None:
            path = self.files.index(connector.connector_id, connector.generation)
            about = index.meta(path)
            history.append(
                {
                    "uploadId": connector.generation,
                    "startTime": about["started_at"],
                    "endTime": about["finished_at"],
                    "status": "SUCCESSFUL",
                    "processingState": about["processing_state"],
                }
            )
            processing.append({"startTime": about["started_at"], "endTime": about["finished_at"]})
            counts = [{"objectType": name, "count": count} for name, count in index.counts_by_type(path).items()]
        return {
            "documents": {
                "bulkUploadHistory": history,
                "counts": {"uploaded": counts, "indexed": counts},
                "processingHistory": processing,
            },
            "identity": {},
            "datasourceVisibility": "ENABLED_FOR_ALL",
        }

    def document_statuses(self, access: Access, datasource: str, request: DebugDocumentsRequest) -> dict[str, Any]:
        """Which of the documents are indexed, as Glean's ``debug/{datasource}/documents``."""
        connector = access.connector
        Datasource.of(connector, datasource, pointer="/")
        held: set[str] = set()
        when = ""
        if connector.generation is not None:
            path = self.files.index(connector.connector_id, connector.generation)
            held = index.held_ids(path, [asked.docId for asked in request.debugDocuments])
            when = index.meta(path)["finished_at"]
        return {
            "documentStatuses": [
                {
                    "docId": asked.docId,
                    "objectType": asked.objectType,
                    "debugInfo": {"status": _document_status(asked.docId in held, when)},
                }
                for asked in request.debugDocuments
            ]
        }


def _document_status(is_held: bool, when: str) -> dict[str, str]:
    if not is_held:
        return {"uploadStatus": "NOT_UPLOADED", "indexingStatus": "NOT_INDEXED"}
    return {
        "uploadStatus": "UPLOADED",
        "lastUploadedAt": when,
        "indexingStatus": "INDEXED",
        "lastIndexedAt": when,
        "permissionIdentityStatus": "STATUS_UNKNOWN",
    }


def _check_filters(filters: tuple[FieldFilter, ...]) -> None:
    equal: set[str] = set()
    for position, condition in enumerate(filters):
        pointer = f"/filters/{position}"
        if not condition.field.strip():
            raise at("invalid_filter", f"{pointer}/field", "is blank")
        if condition.operator.is_range:
            if condition.field in BUILT_IN_FIELDS:
                raise at("invalid_filter", f"{pointer}/operator", "must be EQUALS or NOT_EQUALS for a built-in field")
            if len(condition.values) != 1:
                raise at("invalid_filter", f"{pointer}/values", "must hold exactly one value for a range")
        if condition.operator is Operator.EQUALS:
            if condition.field in equal:
                raise at("invalid_filter", f"{pointer}/field", "has an EQUALS filter already: give all values in one")
            equal.add(condition.field)


def _warnings(answer: Answer) -> list[SearchWarning]:
    warnings: list[SearchWarning] = []
    if answer.widened:
        warnings.append(SearchWarning(code="query_widened", message="No document has every word; these have some."))
    if answer.truncated:
        warnings.append(SearchWarning(code="query_truncated", message="The last words of the query were left out."))
    return warnings


def _result(hit: Hit, connector: Connector) -> Result:
    """The hit in the wire form; what is not known is left out."""
    known = {
        "snippets": (hit.snippet,) if hit.snippet else None,
        "creator": _person(hit.author_email, hit.author_name),
        "owner": _person(hit.owner_email, hit.owner_name),
        "created_at": _moment(hit.created_at),
        "updated_at": _moment(hit.updated_at),
    }
    return Result(
        url=hit.view_url,
        title=hit.title,
        datasource=(connector.datasource or {}).get("name") or connector.kind,
        document_type=hit.object_type,
        **{name: value for name, value in known.items() if value is not None},
    )


def _person(email: str | None, name: str | None) -> PersonReference | None:
    shown = name or email
    return PersonReference(name=shown) if shown else None


def _moment(epoch: int | None) -> datetime | None:
    return datetime.fromtimestamp(epoch, UTC) if epoch is not None else None


def _epoch(moment: datetime | None) -> int | None:
    """Whole seconds, rounded up: documents change on whole seconds, so that both bounds keep their meaning."""
    return -int(-moment.timestamp() // 1) if moment is not None else None
