"""Paths of resources, as ``_links`` and ``Location`` show them (``docs/contract.md`` C-6)."""

from uuid import UUID

from dataops_core.settings import API_PREFIX, CONNECTORS_PREFIX, Settings

DATASETS = f"{API_PREFIX}/datasets"
OPERATIONS = f"{API_PREFIX}/operations"
TEMPLATES = f"{API_PREFIX}/templates"
JOURNEYS = f"{API_PREFIX}/journeys"
AUDIT = f"{API_PREFIX}/audit"


def dataset(dataset_id: UUID) -> str:
    """A dataset."""
    return f"{DATASETS}/{dataset_id}"


def quality(dataset_id: UUID) -> str:
    """A dataset's quality."""
    return f"{DATASETS}/{dataset_id}/quality"


def validate(dataset_id: UUID) -> str:
    """Where a validation of a dataset is asked for (POST)."""
    return f"{quality(dataset_id)}/validate"


def history(dataset_id: UUID) -> str:
    """What a dataset's checks said over time."""
    return f"{quality(dataset_id)}/history"


def usage(dataset_id: UUID) -> str:
    """A dataset's usage."""
    return f"{DATASETS}/{dataset_id}/usage"


def records(dataset_id: UUID) -> str:
    """A dataset's records."""
    return f"{DATASETS}/{dataset_id}/records"


def ground_truth(dataset_id: UUID) -> str:
    """A dataset's questions with known answers."""
    return f"{DATASETS}/{dataset_id}/ground-truth"


def teardown(dataset_id: UUID) -> str:
    """Where a dataset's teardown is asked for (POST)."""
    return f"{DATASETS}/{dataset_id}/teardown"


def connector(dataset_id: UUID) -> str:
    """A dataset's connector, to be managed."""
    return f"{DATASETS}/{dataset_id}/connector"


def operation(operation_id: UUID) -> str:
    """An operation."""
    return f"{OPERATIONS}/{operation_id}"


def datasets_of_operation(operation_id: UUID) -> str:
    """The datasets of an operation."""
    return f"{DATASETS}?operation_id={operation_id}"


def datasets_of_journey(journey_id: UUID) -> str:
    """The datasets of a journey."""
    return f"{DATASETS}?journey_id={journey_id}"


def journey(journey_id: UUID, client_id: UUID) -> str:
    """A customer's journey: another customer may have one of the same id."""
    return f"{JOURNEYS}/{journey_id}?client_id={client_id}"


def template(template_id: UUID) -> str:
    """A template."""
    return f"{TEMPLATES}/{template_id}"


def endpoint_url(settings: Settings, connector_id: UUID | str) -> str:
    """Where clients reach a connector: absolute, never stored (C-33)."""
    return f"{settings.public_base}{CONNECTORS_PREFIX}/{connector_id}"
