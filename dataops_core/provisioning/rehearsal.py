"""What a run's steps do, done once in small, so that a process that is forked afterwards has it all loaded.

Libraries load a good part of themselves at the first record that they make or the first frame that they check. Nothing
here reads the registry, asks a connector, leaves a file behind or starts a thread: Arrow reads and converts tables in
threads of its own, so here it is told not to.
"""

import io
from contextlib import suppress
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
from pandera.errors import SchemaErrors
from sqlalchemy import insert, select, update
from sqlalchemy.orm import configure_mappers

from dataops_core.company.build import build_company
from dataops_core.connectors.client import EmbeddedConnector
from dataops_core.dataset_types.base import DatasetType, GenerationSpec
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.generation.blocks import blocks_of
from dataops_core.lifecycle import Stage
from dataops_core.quality import schema_validation  # noqa: F401  loaded for the runs
from dataops_core.quality.query_drawing import make_queries
from dataops_core.registry.database import Database
from dataops_core.registry.tables import Base
from dataops_core.security import Keyring
from dataops_core.settings import Settings
from dataops_core.storage import Storage
from dataops_core.templates.loader import Catalog, load_catalog

_NOBODY = UUID(int=0)
_ROWS = 40


def rehearse(settings: Settings) -> None:
    """Makes and checks a few records of each dataset type, and throws them away."""
    catalog = load_catalog(settings.templates_dir)
    Storage.from_settings(settings).load()
    blocks_of(settings)
    EmbeddedConnector(settings.connector_base, Keyring("a secret that opens nothing")).close()
    for dataset_type in DATASET_TYPES.values():
        _rehearse(dataset_type, catalog)
    _rehearse_registry()


def _rehearse_registry() -> None:
    """SQLAlchemy puts its mappers together at their first use, and much of itself at the first statement of a kind."""
    configure_mappers()
    database = Database("postgresql+psycopg2:///nowhere")  # connects at first use, which never comes
    for mapped in Base.registry.mappers:
        for statement in (select(mapped), select(mapped).with_for_update(), insert(mapped), update(mapped)):
            statement.compile(dialect=database.engine.dialect)
    database.close()


def _rehearse(dataset_type: DatasetType, catalog: Catalog) -> None:
    template = catalog.for_type(dataset_type.name)[0]
    spec = GenerationSpec(
        template=template,
        vocabulary=catalog.vocabulary(template.industry),
        company=build_company(_NOBODY),
        stage=Stage.SANDBOX,
        seed=0,
        record_count=_ROWS,
    )
    batch = dataset_type.builder(spec).rows(0, _ROWS)
    table = pa.Table.from_batches([batch])
    pq.write_table(table, io.BytesIO(), compression="zstd")
    make_queries(table, dataset_type, seed=0)
    for row in batch.to_pylist():
        dataset_type.document(row)
    with suppress(SchemaErrors):
        dataset_type.schema.validate(table.to_pandas(use_threads=False), lazy=True)
