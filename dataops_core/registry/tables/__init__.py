"""The registry's tables. PostgreSQL only; ``migrations/`` makes them and a test holds the two against each other.

Two partial unique indexes carry the two promises that no code can keep alone: one live dataset per client, stage and
type (C-44), and one active operation per dataset (C-37).
"""

from dataops_core.registry.tables.base import Base
from dataops_core.registry.tables.connectors import Connector, ConnectorToken
from dataops_core.registry.tables.datasets import Dataset, DatasetCount, UsageBefore, UsageDay
from dataops_core.registry.tables.installation import ApiClient, Customer, Installation, SigningKey
from dataops_core.registry.tables.journeys import Journey, JourneyEvent, JourneyEventDataset
from dataops_core.registry.tables.notes import AuditEntry, IdempotencyKey, Notification, OrphanSearch
from dataops_core.registry.tables.operations import Operation, OperationCount, OperationDataset, RunStop
from dataops_core.registry.tables.quality import QualityResult

__all__ = [
    "ApiClient",
    "AuditEntry",
    "Base",
    "Connector",
    "ConnectorToken",
    "Customer",
    "Dataset",
    "DatasetCount",
    "IdempotencyKey",
    "Installation",
    "Journey",
    "JourneyEvent",
    "JourneyEventDataset",
    "Notification",
    "Operation",
    "OperationCount",
    "OperationDataset",
    "OrphanSearch",
    "QualityResult",
    "RunStop",
    "SigningKey",
    "UsageBefore",
    "UsageDay",
]
