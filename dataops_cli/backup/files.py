"""The files that one look at the registry rests on, held while they are copied.

A file of a dataset, an archive or an index is written once and never again, and removed at any time: so a second name
for it (a hard link) is as good as a copy, and made in no time. Where the file system has none, it is copied.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from dataops_core.connectors.embedded.files import IndexFiles
from dataops_core.errors import ConfigurationError
from dataops_core.lifecycle import DatasetStatus
from dataops_core.registry.holdings import Holding
from dataops_core.storage import MANIFEST_FILE, QUERIES_FILE, RECORDS_FILE, Storage, storage_errors

_FOLDER = ".backup"
#: What records and archives have alike.
_NEEDED = (RECORDS_FILE, QUERIES_FILE, MANIFEST_FILE)


@dataclass(slots=True)
class Held:
    """Names relative to the data folder: of what is held, and of what a dataset cannot do without and is not there."""

    files: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)


class Holder:
    """Holds files of one data folder, for one backup at a time."""

    def __init__(self, data: Path, folder: Path) -> None:
        self._data = data
        self._folder = folder
        self._indexes = IndexFiles(data)

    @classmethod
    @contextmanager
    def of(cls, data: Path) -> Iterator["Holder"]:
        """A holder for the length of the block. Raises ConfigurationError where another backup is being made."""
        folder = data / _FOLDER
        with storage_errors("Holding the files of datasets"):
            descriptor = os.open(data, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ConfigurationError("Another backup of this home is being made: wait until it is done.") from None
            shutil.rmtree(folder, ignore_errors=True)  # of one that was killed
            with storage_errors("Holding the files of datasets"):
                folder.mkdir(mode=0o700)
            yield cls(data, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(descriptor)

    def path(self, name: str) -> Path:
        """Where a held file lies."""
        return self._folder / name

    def hold(self, holdings: list[Holding]) -> Held:
        """Holds what these datasets have. A file that is held already, from an earlier look, is not asked for again."""
        held = Held()
        for one in holdings:
            self._dataset(one, held)
        return held

    def _dataset(self, one: Holding, held: Held) -> None:
        served = one.status is DatasetStatus.READY
        # Records before the archive: a teardown removes them only when the archive is whole.
        for folder in dict.fromkeys((one.records, *one.drafts)):
            if folder is not None:
                self._tree(folder, held, needed=served and folder == one.records)
        for connector_id, generation in one.indexes:
            path = self._indexes.index(connector_id, generation)
            self._file(path.relative_to(self._data).as_posix(), held, needed=served)
        archived = one.status is DatasetStatus.ARCHIVED and one.archive is not None
        self._tree(one.archive or Storage.archive_folder(one.dataset_id), held, needed=archived)

    def _tree(self, folder: str, held: Held, *, needed: bool) -> None:
        """All files of a folder. One that is being removed shows some: what must be there is asked for by name."""
        names = set(_NEEDED) if needed else set()
        for place in (self._data / folder, self._folder / folder):
            there = place.iterdir() if place.is_dir() else ()
            # A name that begins with a dot is a file that is being written, and will have another.
            names |= {entry.name for entry in there if entry.is_file() and not entry.name.startswith(".")}
        for name in sorted(names):
            self._file(f"{folder}/{name}", held, needed=needed)

    def _file(self, name: str, held: Held, *, needed: bool) -> None:
        target = self.path(name)
        if not target.exists():
            with storage_errors(f"Holding {target.name}"):
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                there = _hold(self._data / name, target)
            if not there:
                if needed:
                    held.missing.add(name)
                return
        held.files.add(name)


def _hold(source: Path, target: Path) -> bool:
    """Gives the file its second name. Returns whether it was there."""
    try:
        os.link(source, target)
    except FileNotFoundError:
        return False
    except OSError:  # a file system without hard links, or another one
        partial = target.with_name(f"{target.name}.partial")
        try:
            shutil.copyfile(source, partial)
        except FileNotFoundError:
            partial.unlink(missing_ok=True)
            return False
        partial.replace(target)
    return True
