"""Taking away what a dataset left on disk and in its connector. Idempotent: run again, it finishes what is left."""

from uuid import UUID

from sqlalchemy import update

from dataops_core import fault_points
from dataops_core.clock import utcnow
from dataops_core.connectors.protocol import ConnectorSpec
from dataops_core.lifecycle import ConnectorStatus
from dataops_core.provisioning.services import Services
from dataops_core.registry import connectors
from dataops_core.registry.tables import Dataset


def remove_index(services: Services, dataset_id: UUID) -> bool:
    """Disconnects the dataset's connector and removes its index. Returns whether there was one to disconnect.

    The index goes first and the registry says so afterwards: a connector that could not be reached stays to be tried.
    """
    with services.database.transaction() as session:
        connector = connectors.of_dataset(session, dataset_id)
        if connector is None:
            return False
        dataset = session.get(Dataset, dataset_id)
        # A restore that came to nothing was disconnected at once, perhaps before its files were gone.
        may_have_files = dataset is not None and dataset.has_remains
        if connector.status is ConnectorStatus.DISCONNECTED and not may_have_files:
            return False
        connector_id = connector.connector_id
    services.connector.teardown(
        ConnectorSpec(connector_id, name="", object_type="", category="", url_regex="", facets=())
    )
    fault_points.reached("disconnecting")
    with services.database.transaction() as session:
        connectors.disconnect(session, connector_id, now=utcnow())
    return True


def remove_records(services: Services, dataset_id: UUID) -> None:
    """Removes every file of a dataset but its archive."""
    services.storage.remove(services.storage.dataset_folder(dataset_id))


def remove_remains(services: Services, dataset_id: UUID) -> None:
    """Removes index and files of an archived dataset that a new one replaced, and notes that nothing is left."""
    remove_index(services, dataset_id)
    remove_records(services, dataset_id)
    with services.database.transaction() as session:
        session.execute(
            update(Dataset)
            .where(Dataset.dataset_id == dataset_id)
            .values(has_remains=False, records_path=None, upload_id=None)
        )
