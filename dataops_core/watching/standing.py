"""Whether a ready dataset is as good as it must be; telling it once as that ends, and once as it is true again.

Belongs here: the one judgement, and the notification that is written in the same transaction as the change. Does not
belong here: checking (``provisioning/proving.py``), looking at connectors (``connectors.py``) and delivering
(``delivery.py``). A dataset that falls stays ready. Source: ``docs/contract.md`` C-35, C-62, C-62.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from dataops_core.clock import rfc3339, utcnow
from dataops_core.lifecycle import CheckStatus, CheckType, ConnectorStatus, DatasetStatus
from dataops_core.quality.model import THRESHOLD, meets_threshold
from dataops_core.registry import connectors, notifications, quality
from dataops_core.registry.quality import Quality
from dataops_core.registry.tables import Connector, Dataset
from dataops_core.settings import API_PREFIX

FELL = "dataset.below_threshold"
RECOVERED = "dataset.recovered"


def review(session: Session, dataset_id: UUID) -> None:
    """Judges a dataset anew, and notes and tells where it has fallen or recovered. Does nothing unless it is ready.

    It has fallen where a verdict or the score says so, or its connector is unhealthy; a check that could not tell is no
    verdict. It has recovered where all four checks passed, the score is reached and the connector is not unhealthy.
    """
    session.flush()
    dataset = session.get(Dataset, dataset_id, with_for_update=True, populate_existing=True)
    if dataset is None or dataset.status is not DatasetStatus.READY:
        return
    found, connector = quality.current(session, dataset_id), connectors.of_dataset(session, dataset_id)
    unhealthy = connector is not None and connector.status is ConnectorStatus.UNHEALTHY
    verdicts = {check: row.status for check, row in found.checks.items()}
    fails = found.overall is not None and not meets_threshold(found.overall, verdicts)
    now = utcnow()
    if dataset.below_since is None and (fails or unhealthy):
        dataset.below_since = now
        _tell(session, FELL, dataset=dataset, found=found, connector=connector, now=now, since=now)
    elif dataset.below_since is not None and found.meets_threshold and not unhealthy:
        since, dataset.below_since = dataset.below_since, None
        _tell(session, RECOVERED, dataset=dataset, found=found, connector=connector, now=now, since=since)


def _tell(
    session: Session,
    event: str,
    *,
    dataset: Dataset,
    found: Quality,
    connector: Connector | None,
    now: datetime,
    since: datetime,
) -> None:
    session.flush()
    path = f"{API_PREFIX}/datasets/{dataset.dataset_id}"
    data: dict[str, Any] = {
        "dataset_id": str(dataset.dataset_id),
        "name": dataset.name,
        "dataset_type": dataset.dataset_type,
        "stage": dataset.stage.value,
        "client_id": str(dataset.client_id),
        "journey_id": str(dataset.journey_id),
        "below_since": rfc3339(since),
        "quality_score": float(found.overall) if found.overall is not None else None,
        "threshold": float(THRESHOLD),
        "meets_threshold": found.meets_threshold,
        "failed_checks": {
            check.value: found.checks[check].details
            for check in CheckType
            if check in found.checks and found.checks[check].status is CheckStatus.FAILED
        },
        "connector": {
            "connector_id": str(connector.connector_id),
            "status": connector.status.value,
            "status_reason": connector.status_reason,
        }
        if connector is not None
        else None,
        "_links": {"dataset": path, "quality": f"{path}/quality", "connector": f"{path}/connector"},
    }
    notifications.add(session, event, data, dataset_id=dataset.dataset_id, client_id=dataset.client_id, now=now)
