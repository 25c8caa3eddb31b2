"""A ready dataset whose files are gone, or are not those that were published: what its checks say of it.

That a file cannot be read is no verdict for itself: a disk or a bucket may be away. Records that are surely not there,
or surely others, are one: none matches and none is populated. What needs another file that is gone cannot tell. Does
not belong here: files of a provisioning or a restore, which fails by them. Source: ``docs/contract.md`` C-62.
"""

from dataclasses import dataclass
from decimal import Decimal

from dataops_core.lifecycle import CheckStatus, CheckType
from dataops_core.quality.model import CheckResult
from dataops_core.registry.tables import Dataset
from dataops_core.storage import MANIFEST_FILE, QUERIES_FILE, RECORDS_FILE, Storage


@dataclass(frozen=True, slots=True)
class Damage:
    """What is surely wrong with a file of a dataset's."""

    file: str
    what: str

    def verdict(self, check: CheckType, dataset: Dataset) -> CheckResult:
        """What the check says of it."""
        says = f"{self.file} {self.what}"
        if self.file == RECORDS_FILE and check is CheckType.SCHEMA_VALIDATION:
            details = f"0/{dataset.record_count} records match schema: {says}"
        elif self.file == RECORDS_FILE and check is CheckType.DATA_COMPLETENESS:
            details = f"0/{dataset.requested_count} records fully populated (0%): {says}"
        else:
            return CheckResult(check, CheckStatus.ERROR, None, f"Could not be judged: {says}")
        return CheckResult(check, CheckStatus.FAILED, Decimal("0.00"), details)


def damage_of(storage: Storage, folder: str, dataset: Dataset) -> Damage | None:
    """What is surely wrong with a published dataset's files; None where nothing is, or nothing can be told.

    Raises StorageError where the disk or the bucket does not say.
    """
    for name in (RECORDS_FILE, MANIFEST_FILE, QUERIES_FILE):
        if not storage.exists(f"{folder}/{name}"):
            return Damage(name, "is missing")
    if storage.sha256(f"{folder}/{RECORDS_FILE}") != dataset.records_sha256:
        return Damage(RECORDS_FILE, "is not what was published")
    return None
