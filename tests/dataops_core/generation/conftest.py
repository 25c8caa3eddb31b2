"""A specification of the reference template."""

from collections.abc import Callable
from uuid import UUID

import pytest

from dataops_core.company.build import build_company
from dataops_core.dataset_types.base import BLOCK_ROWS, GenerationSpec
from dataops_core.generation.seeding import default_seed
from dataops_core.lifecycle import Stage
from dataops_core.templates.loader import load_catalog

CLIENT = UUID("123e4567-e89b-12d3-a456-426614174000")
#: One block and a part of another.
RECORDS = BLOCK_ROWS + 44


@pytest.fixture(scope="session")
def specification() -> Callable[..., GenerationSpec]:
    """A specification by the template's name, with the sandbox's default seed."""

    def make(name: str = "FinTech Developer Productivity - Confluence", *, records: int = RECORDS) -> GenerationSpec:
        catalog = load_catalog()
        template = next(template for template in catalog.templates if template.name == name)
        return GenerationSpec(
            template=template,
            vocabulary=catalog.vocabulary(template.industry),
            company=build_company(CLIENT),
            stage=Stage.SANDBOX,
            seed=default_seed(CLIENT, Stage.SANDBOX, template.dataset_type),
            record_count=records,
        )

    return make
