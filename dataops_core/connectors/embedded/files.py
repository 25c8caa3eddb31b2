"""Where the embedded engine keeps its files: ``{data}/connectors/{connector_id}/{generation}.db``, spools beside them.

Belongs here: names and removal. A file's name follows from the upload id alone, so that every process finds it.
"""

import hashlib
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from dataops_core.connectors.embedded.index import discard
from dataops_core.errors import StorageError

_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")
_INDEX = ".db"
_SPOOL = ".tmp"


class IndexFiles:
    """The index files under one data folder."""

    def __init__(self, data_path: Path) -> None:
        self._root = data_path / "connectors"

    def folder(self, connector_id: UUID) -> Path:
        """The connector's folder; all that it has on disk is in there."""
        return self._root / str(connector_id)

    def index(self, connector_id: UUID, generation: str) -> Path:
        """The index file of a generation."""
        return self.folder(connector_id) / f"{_file_name(generation)}{_INDEX}"

    def spool(self, connector_id: UUID, upload_id: str) -> Path:
        """The file in which an upload gathers its pages."""
        return self.folder(connector_id) / f"{_file_name(upload_id)}{_SPOOL}"

    def connectors(self) -> list[UUID]:
        """The connectors that have a folder."""
        if not self._root.is_dir():
            return []
        return sorted(UUID(entry.name) for entry in self._root.iterdir() if entry.is_dir() and _is_uuid(entry.name))

    def are_here(self) -> bool:
        """Whether this machine has index files at all."""
        return self._root.is_dir()

    def listed(self, connector_id: UUID) -> list[Path]:
        """Every file in the connector's folder."""
        folder = self.folder(connector_id)
        return sorted(folder.iterdir()) if folder.is_dir() else []

    def pointed_to(self, connector_id: UUID, generation: str | None, upload: Mapping[str, Any] | None) -> set[Path]:
        """The files that the registry points to: what is served, and what an upload under way needs."""
        found = {self.index(connector_id, generation)} if generation is not None else set()
        if upload is not None:
            upload_id = upload["upload_id"]
            found |= {self.spool(connector_id, upload_id), self.index(connector_id, upload_id)}
        return found

    def sweep(self, connector_id: UUID, *, keep: set[Path]) -> list[Path]:
        """Removes every file of the connector but those to keep: what a crash left behind. Returns what it removed."""
        kept = {path.name for path in keep}
        removed = [
            entry
            for entry in self.listed(connector_id)
            if entry.name not in kept and entry.name.removesuffix("-journal") not in kept
        ]
        for entry in removed:
            discard(entry)
        return removed

    def remove(self, connector_id: UUID) -> None:
        """Removes all that the connector has on disk. Idempotent. Raises StorageError where that is not possible."""
        folder = self.folder(connector_id)
        try:
            shutil.rmtree(folder)
        except FileNotFoundError:
            if folder.exists():  # somebody else removed a file meanwhile: the rest is still there
                self.remove(connector_id)
        except OSError as error:
            raise StorageError(f"The index cannot be removed: {error.strerror or error}.") from error


def _file_name(generation: str) -> str:
    """The generation itself where it is a plain file name, else its hash."""
    if _PLAIN_NAME.fullmatch(generation):
        return generation
    return hashlib.sha256(generation.encode()).hexdigest()


def _is_uuid(name: str) -> bool:
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False
