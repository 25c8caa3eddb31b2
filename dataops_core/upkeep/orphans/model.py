"""What the search for orphans says: findings, what became of each, and the report of one search."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, TypeVar

from dataops_core.clock import rfc3339, utcnow
from dataops_core.provisioning.services import Services

_T = TypeVar("_T")


def batches(every: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    """So many of them at a time."""
    for start in range(0, len(every), size):
        yield every[start : start + size]


class Kind(StrEnum):
    """What a finding is about."""

    JOURNEY_ENDED = "journey_ended"
    JOURNEY_SILENT = "journey_silent"
    DATASET_STUCK = "dataset_stuck"
    TEARDOWN_FAILED = "teardown_failed"
    OPERATION_WITHOUT_RUN = "operation_without_run"
    RECORDS_MISSING = "records_missing"
    ARCHIVE_MISSING = "archive_missing"
    INDEX_MISSING = "index_missing"
    DATASET_FILES = "dataset_files"
    ARCHIVE_FILES = "archive_files"
    INDEX_FILES = "index_files"
    UPLOAD_OPEN = "upload_open"
    CONNECTOR = "connector"
    TOKENS = "tokens"
    PARTITION = "partition"
    PARTITION_MISSING = "partition_missing"
    STRANGE_NAME = "strange_name"


class Verdict(StrEnum):
    """What became of a finding."""

    #: Nothing is done about it by itself; a person should look.
    REPORTED = "reported"
    #: Younger than the grace.
    WAITING = "waiting"
    #: A dry run: this would be done.
    DUE = "due"
    DONE = "done"
    #: Looked at again under a lock it was no orphan any more, or is in somebody's hands.
    LEFT = "left"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that nobody owns.

    ``mend`` looks at it again under a lock and does what ``remedy`` says; it answers whether it did. None: it is only
    reported. ``since`` is since when it has been so, as far as that can be told; None: nothing need be waited for.
    """

    kind: Kind
    subject: str
    says: str
    remedy: str | None = None
    since: datetime | None = None
    mend: Callable[[], bool] | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A finding and what became of it; ``why`` is the reason of a failure."""

    finding: Finding
    verdict: Verdict
    why: str | None = None

    def as_json(self) -> dict[str, str | None]:
        """For programs."""
        since = self.finding.since
        return {
            "kind": self.finding.kind.value,
            "subject": self.finding.subject,
            "says": self.finding.says,
            "remedy": self.finding.remedy,
            "since": rfc3339(since) if since is not None else None,
            "verdict": self.verdict.value,
            "why": self.why,
        }


@dataclass(slots=True)
class Report:
    """What one search found, in the order in which it did."""

    dry_run: bool
    told: list[Told] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """How many findings had which verdict."""
        return dict(Counter(one.verdict.value for one in self.told))

    def by_kind(self) -> dict[str, dict[str, int]]:
        """The same for each kind of finding: kind → verdict → how many."""
        found: dict[str, dict[str, int]] = {}
        for one in self.told:
            verdicts = found.setdefault(one.finding.kind.value, {})
            verdicts[one.verdict.value] = verdicts.get(one.verdict.value, 0) + 1
        return found

    def of(self, *verdicts: Verdict) -> list[Told]:
        """Those findings that had one of these verdicts."""
        return [one for one in self.told if one.verdict in verdicts]


class EnvironmentKeys(Protocol):
    """Dagster's partition keys, one for each environment, and the runs in flight that use one."""

    def all(self) -> Sequence[str]:
        """Every key there is."""
        ...

    def in_flight(self) -> Collection[str]:
        """The keys that runs in flight use now."""
        ...

    def add(self, keys: Sequence[str]) -> None:
        """Adds keys; those that are there already stay."""
        ...

    def remove(self, key: str) -> None:
        """Removes a key; nothing there is fine."""
        ...


@dataclass(frozen=True, slots=True)
class Scene:
    """What a search works with, and the moment that it goes by."""

    services: Services
    keys: EnvironmentKeys
    now: datetime = field(default_factory=utcnow)

    @property
    def grace(self) -> timedelta:
        """What is younger is left alone."""
        return timedelta(hours=self.services.settings.orphan_grace_hours)
