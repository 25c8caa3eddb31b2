"""Ready datasets with records as a run writes them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from dataops_core.company.build import build_company
from dataops_core.dataset_types.base import BLOCK_ROWS, GenerationSpec
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.generation.records import RecordsReport, write_records
from dataops_core.lifecycle import Stage
from dataops_core.registry.tables import Dataset
from dataops_core.storage import RECORDS_FILE, Storage
from dataops_core.templates.loader import load_catalog

CATALOG = load_catalog()
#: Records of the dataset that the tests share: two whole row groups and the beginning of a third.
PAGES = 2 * BLOCK_ROWS + 44


@dataclass(frozen=True)
class Stored:
    """A ready dataset with its records on disk."""

    dataset_id: UUID
    dataset_type: str
    file: Path
    report: RecordsReport

    @property
    def path(self) -> str:
        return f"/v1/dataops/datasets/{self.dataset_id}/records"


def write(storage: Storage, dataset_id: UUID, dataset_type: str, count: int, *, seed: int = 7) -> Stored:
    """Writes the records of a try of this dataset."""
    template = CATALOG.find(dataset_type=dataset_type, industry="fintech")[0]
    spec = GenerationSpec(
        template=template,
        vocabulary=CATALOG.vocabulary(template.industry),
        company=build_company(dataset_id),
        stage=Stage.SANDBOX,
        seed=seed,
        record_count=count,
    )
    path = storage.path(f"{storage.dataset_folder(dataset_id)}/{uuid4().hex[:8]}/{RECORDS_FILE}")
    report = write_records(spec, DATASET_TYPES[dataset_type], storage.filesystem, path)
    return Stored(dataset_id, dataset_type, Path(path), report)


def publish(api: Any, stored: Stored, **values: Any) -> None:
    """Points the registry to the records."""
    with api.database.transaction() as session:
        session.execute(
            update(Dataset)
            .where(Dataset.dataset_id == stored.dataset_id)
            .values(
                {
                    "records_path": f"datasets/{stored.dataset_id}/{stored.file.parent.name}",
                    "records_sha256": stored.report.sha256,
                    "record_count": stored.report.record_count,
                }
                | values
            )
        )


@pytest.fixture
def stored(api: Any) -> Callable[..., Stored]:
    """Makes a ready dataset with records."""

    def make(dataset_type: str = "confluence_pages", count: int = 300, **values: Any) -> Stored:
        dataset_id = api.ready(dataset_types=[dataset_type])
        made = write(Storage.from_settings(api.settings), dataset_id, dataset_type, count)
        publish(api, made, **values)
        return made

    return make


@pytest.fixture(scope="session")
def pages(api: Any) -> Stored:
    """A dataset of Confluence pages, in three row groups, that no test changes."""
    dataset_id = api.ready(dataset_types=["confluence_pages"])
    made = write(Storage.from_settings(api.settings), dataset_id, "confluence_pages", PAGES)
    publish(api, made)
    return made
