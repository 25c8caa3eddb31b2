"""What the records of a template look like: their fields, and the first few of a fictional customer's (C-70)."""

from typing import Any
from uuid import UUID

import pyarrow as pa

from dataops_core.dataset_types.base import DatasetType
from dataops_core.dataset_types.cells import JSON_TYPE, is_side_column
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.generation.pieces import evenly
from dataops_core.previewing import sample_spec
from dataops_core.templates.loader import Catalog
from dataops_core.templates.model import Template

_SAMPLES = 3
#: How pandera's names of types begin, and what JSON has for them; anything else is a list.
_TYPES = (("str", "string"), ("int", "integer"), ("Int", "integer"), ("float", "number"), ("bool", "boolean"))


def record_fields(dataset_type: DatasetType) -> list[dict[str, Any]]:
    """The fields of the type's records: dotted path, type, and whether one may be null."""
    return [
        {"name": name, "type": _type_name(column), "nullable": bool(column.nullable)}
        for name, column in dataset_type.schema.columns.items()
        if not is_side_column(name)
    ]


def _type_name(column: Any) -> str:
    """The JSON type of a column of the schema."""
    if column.metadata and JSON_TYPE in column.metadata:
        return str(column.metadata[JSON_TYPE])
    name = str(column.dtype)
    for beginning, kind in _TYPES:
        if name.startswith(beginning):
            return kind
    return "array"


class Samples:
    """Sample records of a catalog's templates, each made once."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._made: dict[UUID, list[dict[str, Any]]] = {}

    def of(self, template: Template) -> list[dict[str, Any]]:
        """Records from all over a dataset of the template's, in the vendor's shape."""
        if template.template_id not in self._made:
            self._made[template.template_id] = self._make(template)
        return self._made[template.template_id]

    def _make(self, template: Template) -> list[dict[str, Any]]:
        spec = sample_spec(template, self._catalog.vocabulary(template.industry), template.record_counts.sandbox)
        dataset_type = DATASET_TYPES[template.dataset_type]
        builder = dataset_type.builder(spec)
        table = pa.Table.from_batches([builder.rows(row, row + 1) for row in evenly(spec.record_count, _SAMPLES)])
        return [dataset_type.record(row) for row in table.to_pylist()]
