"""What is kept up: datasets as the steps make them, on real files and a real connector service."""

import os
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from uuid import uuid4

import httpx
import pytest

from dataops_core.clock import utcnow
from dataops_core.provisioning.services import Services
from dataops_core.upkeep.orphans.model import Kind, Verdict
from dataops_core.upkeep.orphans.sweep import look_for_orphans
from tests.dataops_core.provisioning.conftest import (
    Case,
    Journey,
    accept,
    archived,
    beginnings,
    journey,
    ready,
    services,
)

__all__ = ["Case", "Journey", "accept", "archived", "beginnings", "journey", "ready", "services"]


@dataclass
class Keys:
    """Partition keys and runs in flight; tests/dataops_pipeline has those of a real Dagster."""

    keys: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)

    def all(self) -> Sequence[str]:
        return sorted(self.keys)

    def in_flight(self) -> Collection[str]:
        return set(self.used)

    def add(self, keys: Sequence[str]) -> None:
        self.keys |= set(keys)

    def remove(self, key: str) -> None:
        self.keys.discard(key)


@dataclass
class Search:
    """Searches for orphans, and what each finding of a kind came to."""

    services: Services
    keys: Keys = field(default_factory=Keys)

    def setting(self, **values: object) -> "Search":
        object.__setattr__(self.services, "settings", self.services.settings.model_copy(update=values))
        return self

    def __call__(self, *, dry_run: bool = False) -> dict[Kind, list[tuple[Verdict, str]]]:
        """By kind, the verdict and the subject of each finding; but for keys that are missing, which each case is."""
        found: dict[Kind, list[tuple[Verdict, str]]] = {}
        for one in look_for_orphans(self.services, self.keys, dry_run=dry_run).told:
            if one.finding.kind is not Kind.PARTITION_MISSING:
                found.setdefault(one.finding.kind, []).append((one.verdict, one.finding.subject))
        return found

    def twice_at_once(self) -> list[dict[Kind, list[tuple[Verdict, str]]]]:
        """Two searches that begin in the same moment."""
        together = Barrier(2)

        def begin() -> dict[Kind, list[tuple[Verdict, str]]]:
            together.wait()
            return self()

        with ThreadPoolExecutor(2) as threads:
            return [future.result() for future in [threads.submit(begin) for _ in range(2)]]

    def path(self, relative: str) -> Path:
        return Path(self.services.storage.path(relative))

    def put(self, relative: str, *, age: timedelta = timedelta(days=2)) -> Path:
        """A file of so great an age, in folders as old."""
        path = self.path(relative)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("left over")
        self.old(path.parent, age)
        return path

    def old(self, folder: Path, age: timedelta = timedelta(days=2)) -> None:
        """A folder with all that is in it gets so great an age."""
        moment = (utcnow() - age).timestamp()
        for path in [*folder.rglob("*"), folder]:
            os.utime(path, (moment, moment))


@pytest.fixture
def search(services: Services) -> Search:
    # The connector service sweeps its folder as it starts: an answer says that it has done so.
    httpx.get(f"{services.settings.connector_url}/{uuid4()}")
    return Search(services)
