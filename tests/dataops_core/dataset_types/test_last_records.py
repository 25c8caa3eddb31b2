"""Records are as good at the end of the largest dataset as at the beginning of a small one."""

from uuid import UUID

import pyarrow as pa
import pytest

from dataops_core.company.build import build_company
from dataops_core.dataset_types.base import GenerationSpec
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.lifecycle import CheckStatus, Stage
from dataops_core.quality.completeness import check_completeness
from dataops_core.quality.schema_validation import check_schema
from dataops_core.settings import MOST_RECORDS
from dataops_core.templates.loader import load_catalog


@pytest.mark.parametrize("name", sorted(DATASET_TYPES))
def test_the_last_records_of_the_largest_dataset_are_sound(name: str) -> None:
    """Nothing is made of the records before them."""
    catalog, kind = load_catalog(), DATASET_TYPES[name]
    template = catalog.for_type(name)[0]
    vocabulary = catalog.vocabulary(template.industry)
    spec = GenerationSpec(template, vocabulary, build_company(UUID(int=1)), Stage.SANDBOX, 1, MOST_RECORDS)
    table = pa.Table.from_batches([kind.builder(spec).rows(MOST_RECORDS - 300, MOST_RECORDS)])
    for result in (check_schema(table, kind), check_completeness(table, kind, requested=300)):
        assert result.status is CheckStatus.PASSED, result.metrics
