"""Generated datasets: of each catalog template one, and of any specification one's own."""

import functools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pandas as pd
import pyarrow as pa
import pytest
from jsonschema import Draft202012Validator

from dataops_core.company.build import build_company
from dataops_core.dataset_types.base import BLOCK_ROWS, DatasetType, Document, GenerationSpec, Planted
from dataops_core.dataset_types.cells import missing, plain
from dataops_core.dataset_types.defects import Defect
from dataops_core.dataset_types.known import dataset_type
from dataops_core.generation.seeding import default_seed
from dataops_core.lifecycle import Stage
from dataops_core.templates.loader import load_catalog

PROFILES = Path(__file__).parents[2] / "data" / "record-profiles"
CLIENT = UUID("6b3f0a52-58a1-4c4e-9a44-1f6f7a4f2a11")
CATALOG = load_catalog()
#: Records of what is generated from each template of the catalog.
RECORDS = 120


@dataclass(frozen=True)
class Dataset:
    """A dataset in memory."""

    spec: GenerationSpec
    type: DatasetType
    table: pa.Table
    frame: pd.DataFrame

    @functools.cached_property
    def rows(self) -> list[dict[str, Any]]:
        return self.frame.to_dict("records")

    @functools.cached_property
    def documents(self) -> list[Document]:
        """The rows as a connector is given them."""
        return [self.type.document(row) for row in self.rows]

    @functools.cached_property
    def texts(self) -> list[str]:
        """Everything that a record says, as one text per record."""
        columns = [name for name, dtype in self.frame.dtypes.items() if dtype in ("str", "object")]
        return [
            "\n".join(str(plain(value)) for value in row if not missing(value))
            for row in self.frame[columns].to_numpy()
        ]

    @functools.cached_property
    def planted(self) -> list[Planted]:
        """What is wrong on purpose."""
        return list(self.type.builder(self.spec).planted())

    @property
    def twins(self) -> set[frozenset[int]]:
        """Rows that repeat each other on purpose."""
        kinds = {Defect.NEAR_DUPLICATE, Defect.STALE_VERSION}
        return {frozenset((each.row, each.related)) for each in self.planted if each.kind in kinds}

    @property
    def misfiled(self) -> set[int]:
        """Rows that are in the wrong place on purpose."""
        return {each.row for each in self.planted if each.kind == Defect.MISFILED}


def generate(spec: GenerationSpec) -> Dataset:
    kind = dataset_type(spec.template.dataset_type)
    builder = kind.builder(spec)
    starts = range(0, spec.record_count, BLOCK_ROWS)
    table = pa.Table.from_batches([builder.rows(start, min(start + BLOCK_ROWS, spec.record_count)) for start in starts])
    return Dataset(spec, kind, table, kind.frame(table))


def specification(name: str, *, records: int | None = None, locale: str = "en_US", **changes: Any) -> GenerationSpec:
    template = next(template for template in CATALOG.templates if template.name == name)
    return GenerationSpec(
        template=template.model_copy(update=changes),
        vocabulary=CATALOG.vocabulary(template.industry),
        company=build_company(CLIENT, locale),
        stage=Stage.SANDBOX,
        seed=default_seed(CLIENT, Stage.SANDBOX, template.dataset_type),
        record_count=records or template.record_counts.sandbox,
    )


@pytest.fixture(scope="session")
def dataset_of() -> Callable[..., Dataset]:
    """A dataset by its template's name; the same arguments give the same object."""

    @functools.cache
    def make(name: str, records: int | None = None, locale: str = "en_US", **changes: Any) -> Dataset:
        return generate(specification(name, records=records, locale=locale, **changes))

    return make


def _each_template() -> Iterator[Any]:
    """Every template of the catalog; those beyond the first of a type and the first of an industry take long."""
    seen: set[str] = set()
    for template in CATALOG.templates:
        kinds = {template.dataset_type, template.industry.value}
        yield pytest.param(template.name, marks=[pytest.mark.long] if kinds <= seen else [])
        seen |= kinds


@pytest.fixture(scope="session", params=_each_template())
def dataset(request: pytest.FixtureRequest, dataset_of: Callable[..., Dataset]) -> Dataset:
    """A small dataset of each catalog template."""
    return dataset_of(request.param, RECORDS)


@pytest.fixture(scope="session")
def pages(dataset_of: Callable[..., Dataset]) -> Dataset:
    return dataset_of("FinTech Developer Productivity - Confluence")


@pytest.fixture(scope="session")
def repositories(dataset_of: Callable[..., Dataset]) -> Dataset:
    return dataset_of("FinTech Developer Productivity - GitHub")


@pytest.fixture(scope="session")
def profile() -> Callable[[str], Draft202012Validator]:
    """The strict profile of a dataset type, formats included."""

    def load(name: str) -> Draft202012Validator:
        schema = json.loads((PROFILES / f"{name}.json").read_text(encoding="utf-8"))
        return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)

    return load
