"""Dataset and archive files, through one fsspec filesystem.

Paths are relative to the storage root: ``datasets/<dataset_id>/<try>/`` holds what one try of an operation wrote,
``archives/<dataset_id>/`` an archive. A folder is written by one run only and published by the registry's pointer, so
that nobody reads half a dataset. Every OSError of a write surfaces as StorageError in one sentence.
"""

import errno
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import fsspec
from fsspec import AbstractFileSystem

from dataops_core.errors import StorageError
from dataops_core.settings import Settings

RECORDS_FILE = "records.parquet"
QUERIES_FILE = "queries.jsonl"
GROUND_TRUTH_FILE = "ground_truth.jsonl"
#: What is wrong with records on purpose. Datasets of before there was such a list have none.
DEFECTS_FILE = "defects.jsonl"
MANIFEST_FILE = "manifest.json"
#: The two folders under the root, and what an archive's name ends in while it is being written.
DATASETS, ARCHIVES, DRAFT = "datasets", "archives", ".draft"

_CHUNK = 1 << 20


@contextmanager
def storage_errors(doing: str) -> Iterator[None]:
    """Turns the operating system's refusals into StorageError: ``doing`` says what could not be done."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"{doing} failed: {reason_of(error)}.") from error


def reason_of(error: Exception) -> str:
    """Why a file could not be written or read, without its path: clients read it, and the place is not theirs."""
    if not isinstance(error, OSError):
        return str(error)
    reasons = {
        errno.ENOSPC: "the disk is full",
        errno.EDQUOT: "the disk quota is used up",
        errno.EROFS: "the disk is read-only",
        errno.EACCES: "permission was denied",
        errno.ENOENT: "a file is missing",
    }
    return reasons.get(error.errno or 0, error.strerror or type(error).__name__)


class Storage:
    """The files of all datasets and archives."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.filesystem: AbstractFileSystem = fsspec.filesystem("file", auto_mkdir=True)

    @classmethod
    def from_settings(cls, settings: Settings) -> "Storage":
        """The storage under the home."""
        return cls(settings.data_path)

    def path(self, relative: str) -> str:
        """The filesystem's path of a relative one."""
        return str(self.root / relative)

    @staticmethod
    def dataset_folder(dataset_id: UUID) -> str:
        """Folder of all that a dataset ever wrote."""
        return f"{DATASETS}/{dataset_id}"

    @staticmethod
    def archive_folder(dataset_id: UUID) -> str:
        """Folder of a dataset's archive."""
        return f"{ARCHIVES}/{dataset_id}"

    def write_bytes(self, relative: str, content: bytes) -> None:
        """Writes a small file whole. Raises StorageError."""
        with (
            storage_errors(f"Writing {Path(relative).name}"),
            self.filesystem.open(self.path(relative), "wb") as stream,
        ):
            stream.write(content)

    def read_bytes(self, relative: str) -> bytes:
        """Reads a small file whole. Raises StorageError."""
        with (
            storage_errors(f"Reading {Path(relative).name}"),
            self.filesystem.open(self.path(relative), "rb") as stream,
        ):
            content: bytes = stream.read()
            return content

    def write_json(self, relative: str, value: Any) -> None:
        """Writes a value as JSON, readable for a person."""
        self.write_bytes(relative, (json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n").encode())

    def read_json(self, relative: str) -> Any:
        """Reads what :meth:`write_json` wrote."""
        return json.loads(self.read_bytes(relative))

    def sha256(self, relative: str) -> str:
        """The digest of a file as it lies there now. Raises StorageError."""
        digest = hashlib.sha256()
        with (
            storage_errors(f"Reading {Path(relative).name}"),
            self.filesystem.open(self.path(relative), "rb") as stream,
        ):
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
        return digest.hexdigest()

    def size(self, relative: str) -> int:
        """Bytes of a file. Raises StorageError."""
        with storage_errors(f"Reading {Path(relative).name}"):
            return int(self.filesystem.size(self.path(relative)))

    def bytes_under(self, relative: str) -> int:
        """Bytes of all files under a folder; 0 where there is none. Raises StorageError."""
        if not self.exists(relative):
            return 0
        with storage_errors("Measuring files"):
            return int(self.filesystem.du(self.path(relative)))

    def copy(self, source: str, target: str) -> None:
        """Copies a file. Raises StorageError."""
        with storage_errors(f"Copying {Path(source).name}"):
            self.filesystem.makedirs(str(Path(self.path(target)).parent), exist_ok=True)
            self.filesystem.copy(self.path(source), self.path(target))

    def exists(self, relative: str) -> bool:
        """Whether a file or folder is there."""
        return bool(self.filesystem.exists(self.path(relative)))

    def names_in(self, relative: str) -> list[str]:
        """The names in a folder; none where there is no such folder. Raises StorageError."""
        if not self.exists(relative):
            return []
        with storage_errors("Listing files"):
            return [Path(name).name for name in self.filesystem.ls(self.path(relative), detail=False)]

    def tries_of(self, dataset_id: UUID) -> list[str]:
        """The folders that tries of this dataset left, relative to the root."""
        folder = self.dataset_folder(dataset_id)
        return [f"{folder}/{name}" for name in self.names_in(folder)]

    def changed_at(self, relative: str) -> datetime | None:
        """When the newest of a folder and all that is in it changed; None where there is none."""
        try:
            inside = self.filesystem.find(self.path(relative), withdirs=True)
            newest: datetime = max(self.filesystem.modified(path) for path in (self.path(relative), *inside))
        except FileNotFoundError:
            # Also where something was removed at this moment: whoever does that is at work here.
            return None
        return newest

    def remove(self, relative: str) -> None:
        """Removes a file or folder with all that is in it; nothing there is fine, and so is another who does the same
        at this moment. Raises StorageError.
        """
        with storage_errors(f"Removing {relative}"):
            while self.exists(relative):
                try:
                    self.filesystem.rm(self.path(relative), recursive=True)
                except FileNotFoundError:
                    # Another removed a part of it first: the rest is still there.
                    continue

    def move(self, source: str, target: str) -> None:
        """Puts a folder in its final place. Raises StorageError."""
        with storage_errors(f"Moving {source}"):
            self.filesystem.makedirs(str(Path(self.path(target)).parent), exist_ok=True)
            self.filesystem.mv(self.path(source), self.path(target), recursive=True)
