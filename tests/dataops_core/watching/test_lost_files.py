"""A ready dataset whose files were lost: its next validation sees it, and it is told of, until they are back."""

import os
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from dataops_core.errors import StorageError
from dataops_core.lifecycle import CheckStatus, CheckType, ConnectorStatus, DatasetStatus, OperationStatus
from dataops_core.provisioning import proving
from dataops_core.provisioning.validating import accept_validation
from dataops_core.registry import quality
from dataops_core.registry.tables import Notification
from dataops_core.watching.standing import FELL, RECOVERED
from tests.dataops_core.provisioning.conftest import Case
from tests.dataops_core.watching.conftest import Watch

S = CheckStatus


def validate(watch: Watch, run_id: str) -> Any:
    """A validation as the clock begins it, by all four checks; its operation afterwards."""
    with watch.services.database.transaction() as session:
        operation = accept_validation(
            session,
            watch.case.dataset().dataset_id,
            checks=tuple(CheckType),
            force=True,
            fresh=timedelta(0),
            scheduled=True,
        )
    case = Case(watch.services, watch.case.request, operation)
    for check in CheckType:
        proving.run_check(case.context(run_id), check)
    return case.now()


def standing(watch: Watch) -> quality.Quality:
    with watch.services.database.transaction() as session:
        return quality.current(session, watch.case.dataset().dataset_id)


def told(watch: Watch) -> list[str]:
    with watch.services.database.transaction() as session:
        return list(session.scalars(select(Notification.event).order_by(Notification.number)))


def lose(file: Path) -> None:
    file.unlink()


def exchange(file: Path) -> None:
    """The file is there, and is another one that cannot be read."""
    file.write_bytes(file.read_bytes()[:-200])


@pytest.mark.parametrize(
    ("damage", "says"),
    [(lose, "records.parquet is missing"), (exchange, "records.parquet is not what was published")],
)
def test_a_dataset_whose_records_are_lost_falls_and_recovers_when_they_are_back(
    watch: Watch, damage: Callable[[Path], None], says: str
) -> None:
    """C-35, C-62: seen by the score, told by a notification; of the connector nothing is said."""
    file = watch.case.folder() / "records.parquet"
    whole = file.read_bytes()
    damage(file)

    operation = validate(watch, "run-lost")
    assert (operation.status, operation.error["code"]) == (OperationStatus.FAILED, "CHECK_ERROR")
    dataset, now = watch.case.dataset(), standing(watch)
    assert (dataset.status, dataset.quality_score) == (DatasetStatus.READY, Decimal("40.0"))
    assert dataset.below_since is not None
    assert not now.meets_threshold
    assert [now.newest[check].status for check in CheckType] == [S.FAILED, S.FAILED, S.ERROR, S.ERROR]
    assert all(now.newest[check].details.endswith(f": {says}") for check in CheckType)
    assert told(watch) == [FELL]
    assert watch.connector().status is ConnectorStatus.HEALTHY

    file.write_bytes(whole)
    assert validate(watch, "run-back").status is OperationStatus.COMPLETED
    assert told(watch) == [FELL, RECOVERED]


@pytest.mark.parametrize("name", ["queries.jsonl", "manifest.json"])
def test_what_needs_a_lost_file_beside_the_records_cannot_tell(watch: Watch, name: str) -> None:
    """C-62: no verdict, so that the score stays and nobody is told, but the threshold is not met."""
    (watch.case.folder() / name).unlink()
    operation = validate(watch, "run-lost")
    assert (operation.status, operation.error["code"]) == (OperationStatus.FAILED, "CHECK_ERROR")
    now = standing(watch)
    assert {row.details for row in now.newest.values()} == {f"Could not be judged: {name} is missing"}
    assert (now.overall, now.meets_threshold, told(watch)) == (Decimal("99.4"), False, [])


def test_a_disk_that_does_not_say_is_no_verdict(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """C-62: what cannot be read now may be whole; the operation says why, and the score before it stays."""
    filesystem = watch.services.storage.filesystem
    real = filesystem.open

    def refuse(path: str, *args: Any, **options: Any) -> Any:
        if path.endswith("records.parquet"):
            raise OSError(5, "Input/output error")
        return real(path, *args, **options)

    # Another file by its time: what was opened before does not count.
    os.utime(watch.case.folder() / "records.parquet")
    monkeypatch.setattr(filesystem, "open", refuse)
    with pytest.raises(StorageError, match="Input/output error"):
        validate(watch, "run-away")
    dataset = watch.case.dataset()
    assert (dataset.status, dataset.below_since) == (DatasetStatus.READY, None)
    assert told(watch) == []
