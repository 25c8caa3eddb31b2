"""What the API answers, as typed models.

Ids are plain strings and times are aware datetimes. A field that has no value yet is None. Fields and enum values
that a newer server adds do not break an older SDK: unknown fields are kept (``model_extra``), unknown values too.
Paths of related resources (``_links`` on the wire) are in ``links``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from a_domain_sdk.models.audit import Actor, AuditEntry, AuditResource
    from a_domain_sdk.models.base import Linked, Model
    from a_domain_sdk.models.connectors import ConnectorDetails, ConnectorToken, ConnectorTokenState
    from a_domain_sdk.models.datasets import (
        Connector,
        DailyUsage,
        Dataset,
        DatasetError,
        DatasetMetadata,
        DatasetTemplate,
        Usage,
    )
    from a_domain_sdk.models.journeys import (
        AcceptedEvent,
        EventOperation,
        EventProblem,
        Journey,
        JourneyDataset,
        JourneyEvent,
    )
    from a_domain_sdk.models.operations import (
        AcceptedOperation,
        OperationDataset,
        OperationProblem,
        OperationResult,
        OperationState,
        Progress,
    )
    from a_domain_sdk.models.quality import (
        PastCheck,
        Quality,
        QualityCheck,
        QualityChecks,
    )
    from a_domain_sdk.models.service import (
        AuthorizationServer,
        Component,
        Health,
        Readiness,
        SigningKeys,
    )
    from a_domain_sdk.models.templates import (
        Alternative,
        NamedTemplate,
        Recommendation,
        RecordCounts,
        RecordField,
        Template,
        TemplateDetails,
        TemplateTopic,
    )
    from a_domain_sdk.models.words import (
        ActorKind,
        AuditAction,
        AuditResourceType,
        CheckStatus,
        CheckType,
        CompanySize,
        ComponentState,
        ConnectorStatus,
        ConnectorTokenKind,
        ConnectorTokenStatus,
        DatasetSort,
        DatasetStatus,
        DatasetType,
        Industry,
        JourneyEventPhase,
        JourneyEventStatus,
        JourneyEventType,
        JourneyStatus,
        Locale,
        OperationStatus,
        OperationType,
        Outcome,
        RecordsFormat,
        Stage,
        TeardownReason,
        TemplateSelection,
    )

__all__ = [
    "AcceptedEvent",
    "AcceptedOperation",
    "Actor",
    "ActorKind",
    "Alternative",
    "AuditAction",
    "AuditEntry",
    "AuditResource",
    "AuditResourceType",
    "AuthorizationServer",
    "CheckStatus",
    "CheckType",
    "CompanySize",
    "Component",
    "ComponentState",
    "Connector",
    "ConnectorDetails",
    "ConnectorStatus",
    "ConnectorToken",
    "ConnectorTokenKind",
    "ConnectorTokenState",
    "ConnectorTokenStatus",
    "DailyUsage",
    "Dataset",
    "DatasetError",
    "DatasetMetadata",
    "DatasetSort",
    "DatasetStatus",
    "DatasetTemplate",
    "DatasetType",
    "EventOperation",
    "EventProblem",
    "Health",
    "Industry",
    "Journey",
    "JourneyDataset",
    "JourneyEvent",
    "JourneyEventPhase",
    "JourneyEventStatus",
    "JourneyEventType",
    "JourneyStatus",
    "Linked",
    "Locale",
    "Model",
    "NamedTemplate",
    "OperationDataset",
    "OperationProblem",
    "OperationResult",
    "OperationState",
    "OperationStatus",
    "OperationType",
    "Outcome",
    "PastCheck",
    "Progress",
    "Quality",
    "QualityCheck",
    "QualityChecks",
    "Readiness",
    "Recommendation",
    "RecordCounts",
    "RecordField",
    "RecordsFormat",
    "SigningKeys",
    "Stage",
    "TeardownReason",
    "Template",
    "TemplateDetails",
    "TemplateSelection",
    "TemplateTopic",
    "Usage",
]

#: Who imports the SDK does not wait for all models, but for those that are used.
_NAMES = {
    "audit": (
        "Actor",
        "AuditEntry",
        "AuditResource",
    ),
    "base": (
        "Linked",
        "Model",
    ),
    "connectors": (
        "ConnectorDetails",
        "ConnectorToken",
        "ConnectorTokenState",
    ),
    "datasets": (
        "Connector",
        "DailyUsage",
        "Dataset",
        "DatasetError",
        "DatasetMetadata",
        "DatasetTemplate",
        "Usage",
    ),
    "journeys": (
        "AcceptedEvent",
        "EventOperation",
        "EventProblem",
        "Journey",
        "JourneyDataset",
        "JourneyEvent",
    ),
    "operations": (
        "AcceptedOperation",
        "OperationDataset",
        "OperationProblem",
        "OperationResult",
        "OperationState",
        "Progress",
    ),
    "quality": (
        "PastCheck",
        "Quality",
        "QualityCheck",
        "QualityChecks",
    ),
    "service": (
        "AuthorizationServer",
        "Component",
        "Health",
        "Readiness",
        "SigningKeys",
    ),
    "templates": (
        "Alternative",
        "NamedTemplate",
        "Recommendation",
        "RecordCounts",
        "RecordField",
        "Template",
        "TemplateDetails",
        "TemplateTopic",
    ),
    "words": (
        "ActorKind",
        "AuditAction",
        "AuditResourceType",
        "CheckStatus",
        "CheckType",
        "CompanySize",
        "ComponentState",
        "ConnectorStatus",
        "ConnectorTokenKind",
        "ConnectorTokenStatus",
        "DatasetSort",
        "DatasetStatus",
        "DatasetType",
        "Industry",
        "JourneyEventPhase",
        "JourneyEventStatus",
        "JourneyEventType",
        "JourneyStatus",
        "Locale",
        "OperationStatus",
        "OperationType",
        "Outcome",
        "RecordsFormat",
        "Stage",
        "TeardownReason",
        "TemplateSelection",
    ),
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
