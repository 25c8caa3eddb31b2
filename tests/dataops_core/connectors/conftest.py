"""Index files built by the engine itself."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from dataops_core.connectors.embedded import index
from dataops_core.connectors.embedded.index import IndexStats
from dataops_core.connectors.embedded.readers import Readers
from dataops_core.connectors.embedded.rows import IndexedDocument

MOMENT = "2026-01-28T10:30:00Z"


@pytest.fixture
def document() -> Callable[..., IndexedDocument]:
    """Makes a document; only what matters to the test is given."""

    def make(number: int, **members: Any) -> IndexedDocument:
        values: dict[str, Any] = {
            "id": f"id-{number:04}",
            "object_type": "Page",
            "title": f"Title {number}",
            "body": f"body of marker{number}",
            "view_url": f"https://wiki.acme.example/{number}",
            "author_email": None,
            "author_name": None,
            "owner_email": None,
            "owner_name": None,
            "container": None,
            "status": None,
            "created_at": 1_760_000_000,
            "updated_at": 1_760_000_000 + number,
            "facets": (),
        }
        return IndexedDocument(**{**values, **members})

    return make


@pytest.fixture
def build(tmp_path: Path) -> Callable[..., tuple[Path, IndexStats]]:
    """Builds an index of the documents and gives its path and what it holds."""

    def make(documents: Sequence[IndexedDocument], name: str = "index") -> tuple[Path, IndexStats]:
        spool, target = tmp_path / f"{name}.tmp", tmp_path / f"{name}.db"
        index.create(spool, upload_id=name, started_at=MOMENT)
        index.append(spool, documents)
        return target, index.finish(spool, target, finished_at=MOMENT, processing_state="INDEXING COMPLETED")

    return make


@pytest.fixture
def opened() -> Iterator[Callable[[Path], sqlite3.Connection]]:
    """Opens index files as the service does; closed after the test."""
    readers = Readers()
    leases: list[Any] = []

    def take(path: Path) -> sqlite3.Connection:
        lease = readers.lease(uuid4(), path)
        leases.append(lease)
        return lease.__enter__()

    yield take
    for lease in leases:
        lease.__exit__(None, None, None)
    readers.close()
