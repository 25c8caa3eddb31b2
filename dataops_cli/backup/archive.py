"""The file of a backup: a tar archive of what belongs to one installation, and the manifest by which it is known whole.

Each member's size and SHA-256 stand in the manifest, the manifest's own in the member after it. Nothing of a file is
believed before all of it was read and found so. Does not belong here: what a backup holds, and where it goes.
"""

import hashlib
import io
import json
import os
import re
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any, cast

from pydantic import BaseModel, Field, ValidationError

from dataops_core.errors import ConfigurationError
from dataops_core.storage import storage_errors

#: The form of the file that this release writes and knows.
FORMAT = 1

REGISTRY = "registry.dump"
DAGSTER = "dagster.dump"
#: Files of the home, and of its ``data`` folder.
HOME, DATA = "home/", "data/"

_MANIFEST = "manifest.json"
_SEAL = "manifest.sha256"
_NAME = re.compile(
    rf"(?:{re.escape(REGISTRY)}|{re.escape(DAGSTER)}|home/[a-z_.]+|data/(?:[A-Za-z0-9_-][\w.-]*/)+[\w.-]+)"
)
_LONGEST_MANIFEST = 1 << 30
_CHUNK = 1 << 20


class Entry(BaseModel):
    """A member of the archive."""

    bytes: int
    sha256: str


class Manifest(BaseModel):
    """What a backup is of, and everything that is in it."""

    format: int
    made_at: datetime
    release: str
    registry_schema: str
    home_format: int
    #: Major version of the server that the dumps are of.
    postgres: int
    #: That of the installation's secret, which may not be in the backup.
    fingerprint: str
    templates_dir: str | None = None
    #: The bucket of records and archives, which are not in the backup then.
    storage_url: str | None = None
    counts: Mapping[str, int]
    #: Files that the registry names and that were not there.
    missing: list[str] = Field(default_factory=list)
    files: dict[str, Entry] = Field(default_factory=dict)


class _Digesting:
    """A stream that is read once, and its digest."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        chunk = self._stream.read(size)
        self.digest.update(chunk)
        return chunk


class Writer:
    """Writes one archive, member by member."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._tar = tarfile.TarFile(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT)
        self._files: dict[str, Entry] = {}

    def add(self, name: str, source: Path) -> None:
        """Adds a file as it is at this moment."""
        with source.open("rb") as stream:
            info = self._info(name, os.fstat(stream.fileno()).st_size)
            digesting = _Digesting(stream)
            self._tar.addfile(info, cast(IO[bytes], digesting))
        self._files[name] = Entry(bytes=info.size, sha256=digesting.digest.hexdigest())

    def finish(self, manifest: Manifest) -> Manifest:
        """Writes the manifest with all that was added, and ends the archive."""
        whole = manifest.model_copy(update={"files": self._files})
        text = (whole.model_dump_json(indent=2) + "\n").encode()
        self._add_bytes(_MANIFEST, text)
        self._add_bytes(_SEAL, f"{hashlib.sha256(text).hexdigest()}\n".encode())
        self._tar.close()
        return whole

    def _add_bytes(self, name: str, content: bytes) -> None:
        self._tar.addfile(self._info(name, len(content)), io.BytesIO(content))

    @staticmethod
    def _info(name: str, size: int) -> tarfile.TarInfo:
        info = tarfile.TarInfo(name)
        info.size, info.mode = size, 0o600
        return info


class Reader:
    """An archive that was found whole when this was made."""

    def __init__(self, file: Path) -> None:
        """Reads all of the file. Raises ConfigurationError where it is no backup, damaged, or a newer release's."""
        self.file = file
        with self._opened() as tar:
            members = {member.name: member for member in tar.getmembers() if member.isreg()}
            self.manifest = self._manifest(tar, members)
            for name, entry in self.manifest.files.items():
                member = members.get(name)
                if member is None or not _NAME.fullmatch(name) or ".." in name.split("/"):
                    raise self._damaged(f"{name} is missing" if member is None else f"{name} does not belong there")
                if _digest_of(tar, member) != entry.sha256 or member.size != entry.bytes:
                    raise self._damaged(f"{name} is not what its manifest says")

    def text(self, name: str) -> str | None:
        """A small member, or None where there is none."""
        if name not in self.manifest.files:
            return None
        with self._opened() as tar:
            return self._read(tar, tar.getmember(name)).decode()

    def extract(self, targets: Mapping[str, Path]) -> None:
        """Writes members to new files that only their owner may read. Raises StorageError, ConfigurationError."""
        with self._opened() as tar:
            for name, target in targets.items():
                digest = hashlib.sha256()
                with storage_errors(f"Writing {target.name}"):
                    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                    with os.fdopen(descriptor, "wb") as output:
                        for chunk in _chunks(tar, tar.getmember(name)):
                            digest.update(chunk)
                            output.write(chunk)
                        output.flush()
                        os.fsync(output.fileno())
                if digest.hexdigest() != self.manifest.files[name].sha256:
                    raise self._damaged(f"{name} has changed since it was looked at")

    @contextmanager
    def _opened(self) -> Iterator[tarfile.TarFile]:
        try:
            with tarfile.open(self.file, "r:") as tar:
                yield tar
        except OSError as error:
            if self.file.is_file() and not isinstance(error, PermissionError):
                raise self._damaged(error.strerror or "it ends too early") from None
            raise ConfigurationError(f"{self.file} cannot be read ({error.strerror}): name a backup.") from None
        except (tarfile.TarError, EOFError):
            raise self._damaged("it is no archive, or ends too early") from None

    def _manifest(self, tar: tarfile.TarFile, members: Mapping[str, tarfile.TarInfo]) -> Manifest:
        if _MANIFEST not in members or _SEAL not in members:
            raise self._damaged("its manifest is missing")
        text = self._read(tar, members[_MANIFEST])
        if self._read(tar, members[_SEAL]).decode("ascii", "replace").strip() != hashlib.sha256(text).hexdigest():
            raise self._damaged("its manifest was altered")
        told: Any = json.loads(text)
        if isinstance(told, dict) and isinstance(told.get("format"), int) and told["format"] > FORMAT:
            raise ConfigurationError(
                f"{self.file} was made by a newer release ({told.get('release')}): restore it with that one."
            )
        try:
            return Manifest.model_validate(told)
        except ValidationError:
            raise self._damaged("its manifest cannot be understood") from None

    def _read(self, tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
        if member.size > _LONGEST_MANIFEST:
            raise self._damaged(f"{member.name} is too large")
        return b"".join(_chunks(tar, member))

    def _damaged(self, what: str) -> ConfigurationError:
        return ConfigurationError(f"{self.file} is no whole backup ({what}): name another; nothing was changed.")


def _chunks(tar: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[bytes]:
    stream = tar.extractfile(member)
    assert stream is not None  # noqa: S101  a regular file's
    while chunk := stream.read(_CHUNK):
        yield chunk


def _digest_of(tar: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    digest = hashlib.sha256()
    for chunk in _chunks(tar, member):
        digest.update(chunk)
    return digest.hexdigest()
