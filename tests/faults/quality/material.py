"""Datasets of small records for faults to be put into, as they are generated, written and read back."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import pyarrow as pa
from fsspec.implementations.local import LocalFileSystem

from dataops_core.company.build import build_company
from dataops_core.company.model import DEFAULT_LOCALE
from dataops_core.dataset_types.base import DatasetType, Document, GenerationSpec
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.generation.records import write_records
from dataops_core.lifecycle import Stage
from dataops_core.quality.query_drawing import make_queries
from dataops_core.quality.query_set import QuerySet
from dataops_core.templates.loader import load_catalog
from dataops_core.templates.model import Template
from tests.stored_records import read_records

RECORDS = 100
SEED = 20260128
CLIENT = UUID(int=0xACE)
#: Long enough for ten queries, short enough for many datasets.
_BYTES = 6000


@dataclass(frozen=True)
class Material:
    """A dataset as it was generated: records, documents, queries."""

    dataset_type: DatasetType
    spec: GenerationSpec
    table: pa.Table
    documents: list[Document]
    queries: QuerySet
    incomplete: int

    @property
    def asked_urls(self) -> set[str]:
        """The documents that some query must find."""
        return {url for query in self.queries for url in query.expected or query.allowed or ()}

    @property
    def needed_urls(self) -> set[str]:
        """The documents without which some query finds nothing that it must find."""
        return {query.expected[0] for query in self.queries if len(query.expected) == 1}


def generated(
    folder: Path,
    type_name: str,
    *,
    client_id: UUID = CLIENT,
    seed: int = SEED,
    count: int = RECORDS,
    locale: str = DEFAULT_LOCALE,
    change: Callable[[Template], Template] = lambda template: template,
) -> Material:
    """A dataset of the type's first template, which may be changed before; written into the folder."""
    catalog, kind = load_catalog(), DATASET_TYPES[type_name]
    template = change(next(iter(catalog.for_type(type_name)))).model_copy(update={"bytes_per_record": _BYTES})
    company = build_company(client_id, locale)
    spec = GenerationSpec(template, catalog.vocabulary(template.industry), company, Stage.SANDBOX, seed, count)
    path = str(folder / f"{uuid4()}.parquet")
    report = write_records(spec, kind, LocalFileSystem(), path)
    table = read_records(LocalFileSystem(), path)
    documents = [kind.document(row) for row in table.to_pylist()]
    return Material(kind, spec, table, documents, make_queries(table, kind, seed=seed), report.incomplete_count)
