"""Records of a company of any country keep to the vendor's shape, and are the same each time, byte for byte."""

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from dataops_core.company.build import build_company
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.templates.loader import load_catalog

TEMPLATES = {name: load_catalog().for_type(name)[0].name for name in sorted(DATASET_TYPES)}
LOCALES = ("en_GB", "de_DE", "fr_FR", "ja_JP")


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("name", TEMPLATES)
def test_records_pass_the_profile_and_the_schema(dataset_of: Any, profile: Any, name: str, locale: str) -> None:
    dataset = dataset_of(TEMPLATES[name], records=60, locale=locale)
    dataset.type.schema.validate(dataset.frame, lazy=True)
    validator = profile(name)
    for row in dataset.rows:
        assert list(validator.iter_errors(dataset.type.record(row))) == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_name_stands_in_its_own_script_where_texts_speak_of_it(dataset_of: Any, name: str) -> None:
    dataset = dataset_of(TEMPLATES[name], records=60, locale="ja_JP")
    documents = dataset.documents
    people = [person.name for person in dataset.spec.company.people]
    told = [document for document in documents if any(person in document.body for person in people)]
    assert len(told) > 6
    addresses = {document.author_email for document in documents if document.author_email}
    assert addresses
    assert all(address.isascii() for address in addresses)


@pytest.mark.parametrize("name", ["confluence_pages", "salesforce_accounts"])
def test_the_same_rows_are_the_same_bytes_in_whichever_blocks(dataset_of: Any, name: str) -> None:
    dataset = dataset_of(TEMPLATES[name], records=60, locale="ja_JP")
    build_company.cache_clear()
    company = build_company(dataset.spec.company.client_id, "ja_JP")
    assert company is not dataset.spec.company
    again = dataset.type.builder(replace(dataset.spec, company=company))
    blocks = [again.rows(start, min(start + 7, 60)) for start in range(0, 60, 7)]
    assert pa.Table.from_batches(blocks).combine_chunks().equals(dataset.table.combine_chunks())
