"""What a search connector is to the product, whichever engine stands behind it.

Belongs here: the protocol and the values that cross it. The embedded engine's client and any other vendor's implement
it; the pipeline and the quality checks know nothing else. Source of the wire form: Glean's Indexing API and Platform
search (2026-04-01).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, Self
from uuid import UUID

from dataops_core.connectors.id_digest import IdDigest
from dataops_core.dataset_types.base import Document


class ProbeOutcome(StrEnum):
    """What a probe found. ``indeterminate``: it could not tell (5xx, 429, connection lost); never proof of a fault."""

    PASSED = "passed"
    FAILED = "failed"
    INDETERMINATE = "indeterminate"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class ConnectorSpec:
    """A connector to be made: one data source for one dataset."""

    connector_id: UUID
    name: str
    object_type: str
    category: str
    url_regex: str
    facets: tuple[str, ...]

    @property
    def datasource(self) -> str:
        """The data source's name in Glean's alphabet ``[A-Za-z0-9]+``."""
        return f"dol{self.connector_id.hex}"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an index must hold: how many documents, and the SHA-256 of their sorted ids joined by newlines."""

    document_count: int
    id_digest: str

    @classmethod
    def of(cls, ids: Iterable[object]) -> Self:
        """The manifest of these document ids."""
        with closing(IdDigest()) as digest:
            for id_ in ids:
                digest.add(str(id_))
            return cls(*digest.result())


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What an upload published."""

    upload_id: str
    pages: int
    manifest: Manifest
    index_bytes: int


@dataclass(frozen=True, slots=True)
class SearchHit:
    """One hit of Platform search."""

    url: str
    title: str
    snippets: tuple[str, ...]
    author: str | None
    owner: str | None
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SearchFilter:
    """A facet that hits must satisfy (operator EQUALS)."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """An answer as it came, with how long it took. ``valid`` is whether it has the Platform's shape."""

    status_code: int
    hits: tuple[SearchHit, ...]
    valid: bool
    elapsed_seconds: float


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """One probe of ``connector_health``."""

    probe: str
    required: bool
    outcome: ProbeOutcome
    latency_ms: float
    detail: str


class ConnectorAdapter(Protocol):
    """A connector's client. Every call may raise ConnectorError, with the reason and whether it was transient."""

    kind: str

    def provision(self, spec: ConnectorSpec) -> None:
        """Registers the data source. Idempotent."""
        ...

    def load(self, spec: ConnectorSpec, documents: Iterable[Document], *, upload_id: str) -> LoadReport:
        """Replaces the whole content; published only when the last page was taken. Idempotent per ``upload_id``."""
        ...

    def search(
        self, spec: ConnectorSpec, query: str, *, filters: Sequence[SearchFilter] = (), page_size: int = 10
    ) -> SearchAnswer:
        """One search. A connection error raises ConnectorError; an HTTP error is an answer with its status."""
        ...

    def probe(
        self, spec: ConnectorSpec, manifest: Manifest, upload_id: str, canaries: Collection[str]
    ) -> list[ProbeResult]:
        """All probes, in a fixed order."""
        ...

    def pulse(self, spec: ConnectorSpec, manifest: Manifest, upload_id: str, turn: int | None) -> list[ProbeResult]:
        """A cheap look: those probes that matter most, the others by turns (``turn`` counts looks; None: all)."""
        ...

    def teardown(self, spec: ConnectorSpec) -> list[str]:
        """Removes everything it can; names what remains at the vendor's. Idempotent."""
        ...
