"""What several steps ask of a dataset: its company, its connector, the folder of its records.

Belongs here: questions and small moves that more than one step needs, under the claim that the step holds. Does not
belong here: a step (``steps.py``, ``proving.py``, ``teardown.py``).
"""

from functools import lru_cache
from uuid import UUID

from sqlalchemy.orm import Session

from dataops_core.clock import utcnow
from dataops_core.company.build import build_company, company_hosts
from dataops_core.company.model import Company
from dataops_core.connectors.protocol import ConnectorSpec
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.errors import PermanentError, StaleRunError
from dataops_core.ids import derived_id
from dataops_core.lifecycle import ConnectorStatus, DatasetStatus
from dataops_core.provisioning.fencing import Held
from dataops_core.provisioning.services import Services
from dataops_core.registry import connectors, customers, datasets, operations
from dataops_core.registry.tables import Connector, Dataset


def company_of(session: Session, held: Held) -> Company:
    """The fictional company of the dataset's customer."""
    return build_company(held.dataset.client_id, locale_of(session, held))


def locale_of(session: Session, held: Held) -> str:
    """The locale of the dataset's customer, which never changes."""
    if held.locale is not None:
        return held.locale
    dataset = held.dataset
    customer = customers.find(session, dataset.client_id)
    if customer is None:
        raise PermanentError(f"Customer {dataset.client_id} is not known any more.")
    return customer.locale


def connector_spec(dataset: Dataset, connector: Connector, locale: str) -> ConnectorSpec:
    """The connector as the connector service is told about it; ``locale`` is the customer's."""
    dataset_type = DATASET_TYPES[dataset.dataset_type]
    return ConnectorSpec(
        connector_id=connector.connector_id,
        name=dataset.name,
        object_type=dataset_type.object_type,
        category=dataset_type.category,
        url_regex=_url_pattern(dataset_type.name, dataset.client_id, locale),
        facets=dataset_type.facets,
    )


@lru_cache(maxsize=20_000)
def _url_pattern(dataset_type: str, client_id: UUID, locale: str) -> str:
    """What the addresses of all documents match: kept, since who watches connectors asks for it every few minutes."""
    return DATASET_TYPES[dataset_type].url_pattern(company_hosts(client_id, locale))


def new_connector_id(dataset_id: UUID, operation_id: UUID, attempt: int) -> UUID:
    """The connector that this attempt makes where the dataset has none: one that was disconnected never comes back."""
    return derived_id("connector", dataset_id, operation_id, attempt)


def ensure_connector(session: Session, held: Held) -> Connector:
    """The dataset's connector that is not disconnected, made where there is none."""
    connector = connectors.of_dataset(session, held.dataset.dataset_id)
    if connector is not None and connector.status is not ConnectorStatus.DISCONNECTED:
        return connector
    return connectors.create_connector(
        session,
        connector_id=new_connector_id(held.dataset.dataset_id, held.operation.operation_id, held.operation.attempt),
        dataset_id=held.dataset.dataset_id,
        kind="embedded",
        now=utcnow(),
    )


def endpoint_url(services: Services, connector_id: UUID) -> str:
    """Where clients reach a connector: rendered, never stored (C-33)."""
    return f"{services.settings.public_base}/connectors/{connector_id}"


def connected_spec(session: Session, held: Held) -> ConnectorSpec:
    """The dataset's connector as it is registered. Raises PermanentError where there is none."""
    connector = connectors.of_dataset(session, held.dataset.dataset_id)
    if connector is None or connector.status is ConnectorStatus.DISCONNECTED:
        raise PermanentError("The dataset has no connector: run its `connector` asset first.")
    return connector_spec(held.dataset, connector, locale_of(session, held))


def folder_of(held: Held) -> str:
    """Where the records lie that this operation works on. Raises PermanentError where there are none."""
    folder = held.part.records_path or held.dataset.records_path
    if folder is None:
        raise PermanentError("The dataset has no records: run its `records` asset first.")
    return folder


def to_validating(session: Session, held: Held) -> None:
    """Notes that the index is there and its proof begins (C-35)."""
    if held.dataset.status is DatasetStatus.PROVISIONING:
        datasets.move(session, held.dataset.dataset_id, DatasetStatus.VALIDATING)


def dataset_types_of(session: Session, operation_id: UUID | None, *, begin: str) -> list[str]:
    """The types that a run made of ops works on. Raises StaleRunError for a run that no operation asked for."""
    if operation_id is None:
        raise StaleRunError(f"This starts through the API: {begin}.")
    return [part.dataset_type for part in operations.parts_of(session, operation_id)]
