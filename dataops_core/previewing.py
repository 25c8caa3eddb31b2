"""A template's records before any dataset is made of it: a few to read, and what measuring some hundred says.

Belongs here: making them in memory, by the generator that a run uses, and what they tell of the template. Needs no
server, database or file. Does not belong here: how a preview looks (the command line).
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

import pyarrow as pa

from dataops_core.company.build import build_company
from dataops_core.connectors.embedded.text import plain_text
from dataops_core.dataset_types.base import BLOCK_ROWS, DatasetType, Document, GenerationSpec
from dataops_core.dataset_types.defects import SHARES
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.dataset_types.plan import incomplete_quota
from dataops_core.errors import PermanentError
from dataops_core.figures.counting import Figures
from dataops_core.generation.pieces import evenly
from dataops_core.lifecycle import CheckStatus, Stage
from dataops_core.quality.completeness import check_completeness
from dataops_core.quality.planted_defects import counts, planted_defects
from dataops_core.quality.query_drawing import make_queries
from dataops_core.templates.advice import advice
from dataops_core.templates.model import IndustryVocabulary, Template

#: The customer of every preview; no real one has this id.
SAMPLE_CUSTOMER = UUID("00000000-0000-4000-8000-000000000001")
#: Records that are measured, at most: enough to tell shares of a per cent; fewer where they are long.
MEASURED = 1000
_MEASURED_BYTES = 64 * 2**20
#: How far the records' mean size may be from what the template says.
_TOLERANCE = 0.05


class Level(StrEnum):
    """How much a finding matters."""

    FINE = "fine"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, and what it is like."""

    level: Level
    what: str
    text: str


@dataclass(frozen=True, slots=True)
class SampleRecord:
    """A record as a search engine takes it, its text plain, and as the vendor's API returns it."""

    number: int
    document: Document
    text: str
    record: dict[str, Any]
    archetype: str
    topic: str


@dataclass(frozen=True, slots=True)
class Preview:
    """A template's preview. ``count`` records were made of the company's, ``records`` are some of them."""

    template: Template
    company: str
    count: int
    records: tuple[SampleRecord, ...]
    figures: Figures
    findings: tuple[Finding, ...]


def preview(template: Template, vocabulary: IndustryVocabulary, *, records: int) -> Preview:
    """So many records, evenly from all over a sandbox's dataset, and what the dataset is like."""
    kind = DATASET_TYPES[template.dataset_type]
    spec = sample_spec(template, vocabulary, measured(template, min(template.record_counts.sandbox, MEASURED)))
    table = made(spec)
    numbers = evenly(spec.record_count, records)
    rows = [table.slice(number, 1).to_pylist()[0] for number in numbers]
    return Preview(
        template,
        spec.company.name,
        spec.record_count,
        tuple(_sample(kind, number, row) for number, row in zip(numbers, rows, strict=True)),
        Figures.of(kind, table.to_batches()),
        tuple(_findings(spec, kind, table)),
    )


def measured(template: Template, wanted: int) -> int:
    """How many of so many wanted records are made to be measured, 20 or more: all must have room in memory."""
    return max(20, min(wanted, _MEASURED_BYTES // template.bytes_per_record))


def sample_spec(template: Template, vocabulary: IndustryVocabulary, count: int) -> GenerationSpec:
    """The specification of a preview's dataset: always the same company and seed."""
    company = build_company(SAMPLE_CUSTOMER)
    return GenerationSpec(template, vocabulary, company, Stage.SANDBOX, seed=0, record_count=count)


def made(spec: GenerationSpec) -> pa.Table:
    """The specification's records, in memory."""
    builder = DATASET_TYPES[spec.template.dataset_type].builder(spec)
    starts = range(0, spec.record_count, BLOCK_ROWS)
    return pa.Table.from_batches([builder.rows(start, min(start + BLOCK_ROWS, spec.record_count)) for start in starts])


def records_that_differ(before: GenerationSpec, after: GenerationSpec) -> int:
    """How many of the records of two specifications of one dataset type are not the same, row by row."""
    old, new = made(before), made(after)
    return sum(not old.slice(row, 1).equals(new.slice(row, 1)) for row in range(max(old.num_rows, new.num_rows)))


def _sample(kind: DatasetType, number: int, row: dict[str, Any]) -> SampleRecord:
    document = kind.document(row)
    text = plain_text(document.body, document.mime_type)
    return SampleRecord(number, document, text, kind.record(row), row["_archetype"], row["_topic"])


def _findings(spec: GenerationSpec, kind: DatasetType, table: pa.Table) -> Iterator[Finding]:
    template = spec.template
    counts = template.record_counts.model_dump()
    sizes = ", ".join(
        f"{stage} {count:,} ({_mebibytes(count * template.bytes_per_record)} MiB)" for stage, count in counts.items()
    )
    yield Finding(Level.FINE, "record counts", sizes)
    yield _size(template, table)
    yield from _quality(spec, kind, table)
    yield _shares("archetypes", table, "_archetype", [name for name, weight in template.archetypes.items() if weight])
    yield _shares("topics", table, "_topic", [topic.key for topic in template.topics])
    for one in advice(template):
        yield Finding(Level.NOTE, one.field, one.text)


def _size(template: Template, table: pa.Table) -> Finding:
    mean = table.nbytes / table.num_rows
    off = mean / template.bytes_per_record - 1
    said = f"{mean:,.0f} bytes a record on average, {abs(off):.1%} {'above' if off > 0 else 'below'} bytes_per_record"
    if abs(off) <= _TOLERANCE:
        return Finding(Level.FINE, "bytes_per_record", said)
    return Finding(Level.NOTE, "bytes_per_record", f"{said}: the kinds of documents here do not go that far")


def _quality(spec: GenerationSpec, kind: DatasetType, table: pa.Table) -> Iterator[Finding]:
    """What three of the four checks of a provisioning say; the fourth is about a connector."""
    from dataops_core.quality.schema_validation import check_schema  # noqa: PLC0415  loads pandera, late

    planned = incomplete_quota(spec)
    schema = check_schema(table, kind)
    full = check_completeness(table, kind, requested=spec.record_count, incomplete_planned=planned)
    for what, result in (("schema_validation", schema), ("data_completeness", full)):
        passed = result.status is CheckStatus.PASSED
        yield Finding(Level.FINE if passed else Level.WRONG, what, result.details)
    lacking = full.metrics["incomplete"]
    said = f"{lacking} of {spec.record_count} records lack a field, {planned} by incomplete_share"
    yield Finding(Level.FINE if lacking == planned else Level.WRONG, "incomplete_share", said)
    if any(share for _, share in spec.template.defects):
        planted = counts(planted_defects(spec, kind, table))
        named = ", ".join(
            f"{planted.get(defect, 0)} {defect}" for defect, field in SHARES.items() if field in kind.defects
        )
        yield Finding(Level.FINE, "defects", f"{named} of {spec.record_count} records, on purpose")
    try:
        queries = len(make_queries(table, kind, seed=spec.seed))
        yield Finding(Level.FINE, "sample_queries", f"{queries} test queries with one right answer were found")
    except PermanentError as error:
        yield Finding(Level.WRONG, "sample_queries", error.message)


def _shares(what: str, table: pa.Table, column: str, wanted: list[str]) -> Finding:
    found = Counter(table.column(column).to_pylist())
    said = ", ".join(f"{name} {count * 100 / table.num_rows:.0f} %" for name, count in found.most_common())
    absent = [name for name in wanted if name not in found]
    if absent:
        return Finding(Level.NOTE, what, f"{said}; no record for {', '.join(absent)} among {table.num_rows}")
    return Finding(Level.FINE, what, said)


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:,.0f}" if size >= 10 * 2**20 else f"{size / 2**20:.1f}"
