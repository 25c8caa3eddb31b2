"""One quality check, put to a dataset as it is stored and served now. Gathers what the pure checks judge."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dataops_core.connectors.protocol import ConnectorAdapter, ConnectorSpec, Manifest
from dataops_core.dataset_types.base import DatasetType
from dataops_core.generation.pieces import Records
from dataops_core.lifecycle import CheckType, Finding
from dataops_core.provisioning.ahead import loaded
from dataops_core.quality.completeness import check_completeness
from dataops_core.quality.connector_health import check_connector, finding_of
from dataops_core.quality.model import CheckResult
from dataops_core.quality.query_set import QuerySet
from dataops_core.quality.sample_queries import check_queries, run_queries

#: Checks that look at records by their schema.
_BY_SCHEMA = frozenset({CheckType.SCHEMA_VALIDATION, CheckType.DATA_COMPLETENESS})


@dataclass(frozen=True, slots=True)
class Verdict:
    """A check's result, and what the connector check says of the connector beside it."""

    result: CheckResult
    finding: Finding | None = None
    finding_reason: str | None = None


def evaluate(
    check: CheckType,
    *,
    records: Records,
    dataset_type: DatasetType,
    requested: int,
    incomplete_planned: int,
    defects_planned: Mapping[str, int] | None = None,
    adapter: ConnectorAdapter,
    spec: ConnectorSpec,
    upload_id: str,
    queries: QuerySet,
) -> Verdict:
    """The verdict of one check on the stored records and, for two of them, on the connector."""
    if check in _BY_SCHEMA:
        loaded(dataset_type)
    match check:
        case CheckType.SCHEMA_VALIDATION:
            from dataops_core.quality.schema_validation import check_schema  # noqa: PLC0415  loads pandera, late

            return Verdict(check_schema(records, dataset_type))
        case CheckType.DATA_COMPLETENESS:
            return Verdict(
                check_completeness(
                    records,
                    dataset_type,
                    requested=requested,
                    incomplete_planned=incomplete_planned,
                    defects_planned=defects_planned,
                )
            )
        case CheckType.CONNECTOR_HEALTH:
            canaries = [query.text for query in queries]
            manifest = Manifest.of(_ids(records, dataset_type.id_column))
            probes = adapter.probe(spec, manifest, upload_id, canaries)
            return Verdict(check_connector(probes), *finding_of(probes))
        case CheckType.SAMPLE_QUERY_SUCCESS:
            return Verdict(check_queries(run_queries(adapter, spec, queries)))


def _ids(records: Records, column: str) -> Iterator[object]:
    """The ids of all records. Records without their id column match no index: the parity probe says so."""
    if column not in records.schema.names:
        return
    for piece in records.pieces([column]):
        yield from piece.column(column).to_pylist()
