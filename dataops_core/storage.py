"""Dataset and archive files, through one fsspec filesystem: the home's disk, or an S3 bucket.

Paths are relative to the storage root: ``datasets/<dataset_id>/<try>/`` holds what one try of an operation wrote,
``archives/<dataset_id>/`` an archive. A folder is written by one run only and published by the registry's pointer, so
that nobody reads half a dataset. Every refusal surfaces as StorageError in one sentence. Does not belong here: what is
S3's own (``bucket.py``).
"""

import errno
import hashlib
import importlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryFile
from types import ModuleType
from typing import IO, TYPE_CHECKING, Any
from uuid import UUID, uuid4

import fsspec
from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem
from fsspec.spec import AbstractBufferedFile

from dataops_core.errors import ConfigurationError, StorageError
from dataops_core.settings import Settings

if TYPE_CHECKING:
    from dataops_core.bucket import OpenUpload

RECORDS_FILE = "records.parquet"
QUERIES_FILE = "queries.jsonl"
GROUND_TRUTH_FILE = "ground_truth.jsonl"
#: What is wrong with records on purpose. Datasets of before there was such a list have none.
DEFECTS_FILE = "defects.jsonl"
MANIFEST_FILE = "manifest.json"
#: The two folders under the root, and what an archive's name ends in while it is being written.
DATASETS, ARCHIVES, DRAFT = "datasets", "archives", ".draft"

#: Whose files lie in a bucket: its name says nothing, where a home has a lock and a version.
OWNER_FILE = "installation"

_CHUNK = 1 << 20
#: As much as no file system keeps in a file's own entry: a full disk has no room for it.
_PROBE_BYTES = 1 << 16
#: An object is written in parts of so many bytes, of which S3 takes 10,000.
_PART_BYTES = 32 * 2**20
_MISSING = "a file is missing"
_BUCKET = "dataops_core.bucket"


def refusals() -> tuple[type[Exception], ...]:
    """What a filesystem raises where it does not do what it is asked: for an ``except``."""
    bucket = sys.modules.get(_BUCKET)
    return (OSError, *(bucket.REFUSALS if bucket is not None else ()))


@contextmanager
def storage_errors(doing: str) -> Iterator[None]:
    """Turns a filesystem's refusals into StorageError: ``doing`` says what could not be done."""
    try:
        yield
    except refusals() as error:
        raise StorageError(f"{doing} failed: {reason_of(error)}.") from error


def unreadable(error: Exception) -> StorageError:
    """What is said where records cannot be read for this reason."""
    reason = reason_of(error)
    if reason == _MISSING:
        return StorageError("The records' file is missing.")
    return StorageError(f"The records cannot be read: {reason}.")


def reason_of(error: Exception) -> str:
    """Why a file could not be written or read, without its path: clients read it, and the place is not theirs."""
    bucket = sys.modules.get(_BUCKET)
    told: str | None = bucket.reason(error) if bucket is not None else None
    if told is not None:
        return told
    if isinstance(error, FileNotFoundError):
        return _MISSING
    if not isinstance(error, OSError):
        return str(error)
    reasons = {
        errno.ENOSPC: "the disk is full",
        errno.EDQUOT: "the disk quota is used up",
        errno.EROFS: "the disk is read-only",
        errno.EACCES: "permission was denied",
    }
    return reasons.get(error.errno or 0, error.strerror or type(error).__name__)


@contextmanager
def written_whole(filesystem: AbstractFileSystem, path: str, *, sync: bool = False) -> Iterator[IO[bytes]]:
    """A file to write: there with all that was written when the block has ended well, else all is as it was before.

    On a disk it is written aside and renamed (``sync``: when the disk has it); an object of S3 appears when its upload
    is completed. Raises what the filesystem raises.
    """
    if isinstance(filesystem, LocalFileSystem):
        place = Path(path)
        aside = place.with_name(f".{place.name}.{uuid4().hex}.partial")
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            with aside.open("wb") as file:
                yield file
                file.flush()
                if sync:
                    os.fsync(file.fileno())
            aside.replace(place)
        except BaseException:
            with suppress(OSError):
                aside.unlink(missing_ok=True)
            raise
        return
    upload = filesystem.open(path, "wb", autocommit=False, block_size=_PART_BYTES)
    try:
        yield upload
        upload.close()
        upload.commit()
    except BaseException:
        with suppress(*refusals()):
            upload.discard()
        if isinstance(upload, AbstractBufferedFile):
            upload.closed = True  # else it would be completed when nobody refers to it any more
        raise


def _bucket() -> ModuleType:
    """``bucket.py``, loaded. Raises ConfigurationError where s3fs is not installed."""
    try:
        return importlib.import_module(_BUCKET)  # half a second that nobody pays who has no bucket
    except ImportError as error:
        raise ConfigurationError(
            f"DATAOPS_STORAGE_URL needs the package's extra s3 ({error}): install 'dataops-lifecycle[s3]'."
        ) from None


class Storage:
    """The files of all datasets and archives, below a folder of this machine or in an S3 bucket.

    Making the object touches nothing: a connection to S3 is made when it is first used, and lives in one process.
    """

    def __init__(self, root: Path | str) -> None:
        """``root`` is a folder, or ``s3://bucket/prefix``."""
        self.in_bucket = isinstance(root, str)
        self._root = str(root).removeprefix("s3://")

    @classmethod
    def from_settings(cls, settings: Settings) -> "Storage":
        """The storage that is set, else that under the home."""
        return cls(settings.bucket_url or settings.data_path)

    @cached_property
    def filesystem(self) -> AbstractFileSystem:
        """What reads and writes. Raises ConfigurationError where s3fs is needed and not installed."""
        return _bucket().open_bucket() if self.in_bucket else fsspec.filesystem("file", auto_mkdir=True)

    def load(self) -> None:
        """Loads what the filesystem needs, without making it. Raises ConfigurationError as that does."""
        if self.in_bucket:
            _bucket()

    def path(self, relative: str) -> str:
        """The filesystem's path of a relative one."""
        return f"{self._root}/{relative}"

    def check(self, *, owner: str | None, claim: bool = False) -> None:
        """Finds out whether a bucket can be used, and by this installation; a folder is the home's affair.

        ``owner`` is the fingerprint of the installation's secret, where that is known. With ``claim`` the place becomes
        this installation's if it is nobody's, which shows that it can be written, too. Raises ConfigurationError.
        """
        if not self.in_bucket:
            return
        ours = f"{owner}\n".encode()
        try:
            self.names_in("")
            found = self.read_bytes(OWNER_FILE) if self.exists(OWNER_FILE) else None
            if claim and found in {None, ours}:
                self.write_bytes(OWNER_FILE, ours)
        except StorageError as error:
            raise ConfigurationError(f"DATAOPS_STORAGE_URL cannot be used. {error.message}") from error
        if owner is not None and found not in {None, ours}:
            raise ConfigurationError(
                "DATAOPS_STORAGE_URL is where another installation keeps its files: name another bucket or prefix."
            )

    def probe(self) -> None:
        """Finds out whether a disk takes a file now, or whether a bucket answers; leaves nothing. Raises StorageError.

        A bucket is only asked what it has: every writing there costs.
        """
        if self.in_bucket:
            self.names_in("")
            return
        with storage_errors("Writing a file"):
            Path(self._root).mkdir(parents=True, exist_ok=True)
            with TemporaryFile(dir=self._root) as file:
                file.write(bytes(_PROBE_BYTES))

    @staticmethod
    def dataset_folder(dataset_id: UUID) -> str:
        """Folder of all that a dataset ever wrote."""
        return f"{DATASETS}/{dataset_id}"

    @staticmethod
    def archive_folder(dataset_id: UUID) -> str:
        """Folder of a dataset's archive."""
        return f"{ARCHIVES}/{dataset_id}"

    def write_bytes(self, relative: str, content: bytes) -> None:
        """Writes a small file, whole or not at all. Raises StorageError."""
        with storage_errors(f"Writing {Path(relative).name}"):
            if self.in_bucket:
                self.filesystem.pipe_file(self.path(relative), content)  # one request, which S3 does or does not
                return
            with written_whole(self.filesystem, self.path(relative)) as stream:
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
            self.filesystem.cp_file(self.path(source), self.path(target))

    def exists(self, relative: str) -> bool:
        """Whether a file or folder is there. Raises StorageError where a bucket does not say."""
        with storage_errors(f"Looking for {Path(relative).name}"):
            return bool(self.filesystem.exists(self.path(relative)))

    def names_in(self, relative: str) -> list[str]:
        """The names in a folder; none where there is no such folder. Raises StorageError."""
        with storage_errors("Listing files"):
            try:
                names = self.filesystem.ls(self.path(relative), detail=False)
            except FileNotFoundError as error:
                if reason_of(error) != _MISSING:  # the bucket itself
                    raise
                return []
        return [Path(name).name for name in names]

    def tries_of(self, dataset_id: UUID) -> list[str]:
        """The folders that tries of this dataset left, relative to the root."""
        folder = self.dataset_folder(dataset_id)
        return [f"{folder}/{name}" for name in self.names_in(folder)]

    def changed_at(self, relative: str) -> datetime | None:
        """When the newest of a folder and all that is in it changed; None where there is none. Raises StorageError."""
        path = self.path(relative)
        with storage_errors("Looking at files"):
            try:
                inside = self.filesystem.find(path, withdirs=not self.in_bucket)
                places = inside if self.in_bucket else [path, *inside]
                return max((self.filesystem.modified(place) for place in places), default=None)
            except FileNotFoundError:
                # Also where something was removed at this moment: whoever does that is at work here.
                return None

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

    def open_uploads(self, relative: str) -> list["OpenUpload"]:
        """What writers to a bucket have begun below a folder and not ended, by relative paths. Raises StorageError."""
        if not self.in_bucket:
            return []
        root = f"{self._root}/"
        with storage_errors("Looking for uploads"):
            found = _bucket().open_uploads(self.filesystem, self.path(relative))
            return [replace(upload, path=upload.path.removeprefix(root)) for upload in found]

    def abort(self, upload: "OpenUpload") -> None:
        """Gives up such an upload; one that has ended is fine. Raises StorageError."""
        with storage_errors("Ending an upload"):
            whole = replace(upload, path=self.path(upload.path))
            _bucket().abort_upload(self.filesystem, whole)

    def move_folder(self, source: str, target: str) -> None:
        """Puts a folder in its final place, where nothing is yet. Raises StorageError.

        On a disk in one step. In a bucket file by file, the manifest last: a folder that has it is whole.
        """
        with storage_errors(f"Moving {source}"):
            if not self.in_bucket:
                Path(self.path(target)).parent.mkdir(parents=True, exist_ok=True)
                self.filesystem.mv(self.path(source), self.path(target), recursive=True)
                return
            for name in sorted(self.names_in(source), key=lambda name: (name == MANIFEST_FILE, name)):
                self.copy(f"{source}/{name}", f"{target}/{name}")
        self.remove(source)
