"""The words of the API: every enumeration, as a ``Literal``.

A model takes any text where a word stands, so that a word of a newer server breaks nothing.
"""

from typing import Literal

Stage = Literal["sandbox", "pilot", "production"]
DatasetType = Literal[
    "confluence_pages", "github_repos", "google_drive_documents", "jira_issues", "salesforce_accounts",
    "sharepoint_documents", "slack_messages", "zendesk_tickets",
]  # fmt: skip
DatasetStatus = Literal["provisioning", "validating", "ready", "failed", "teardown", "archived"]
DatasetSort = Literal["created_at", "-created_at", "name", "quality_score"]
TeardownReason = Literal["stage_transition", "journey_completed", "orphan_cleanup", "manual"]
TemplateSelection = Literal["auto", "manual"]
Locale = Literal[
    "en_US", "en_GB", "en_AU", "en_CA", "en_IE", "en_NZ", "cs_CZ", "da_DK", "de_AT", "de_DE", "es_ES", "es_MX",
    "fi_FI", "fr_CA", "fr_FR", "it_IT", "ja_JP", "nl_BE", "nl_NL", "no_NO", "pl_PL", "pt_BR", "pt_PT", "sv_SE",
]  # fmt: skip
DefectKind = Literal["incomplete", "near_duplicate", "stale_version", "conflicting_fact", "misfiled"]
QuestionKind = Literal[
    "title", "phrase", "entity", "conjunction", "filter", "people", "fact", "multi_hop", "conflicting", "unanswerable",
]  # fmt: skip
RecordsFormat = Literal["json", "ndjson", "parquet"]
Industry = Literal["fintech", "healthcare", "enterprise", "manufacturing", "retail"]
CompanySize = Literal["startup", "small", "mid_market", "enterprise"]
CheckType = Literal["schema_validation", "data_completeness", "connector_health", "sample_query_success"]
CheckStatus = Literal["passed", "failed", "pending", "error"]
ConnectorStatus = Literal["connecting", "healthy", "degraded", "unhealthy", "disconnected"]
ConnectorTokenKind = Literal["search", "index"]
ConnectorTokenStatus = Literal["active", "expired", "revoked"]
OperationType = Literal["dataset_provisioning", "dataset_teardown", "quality_validation", "dataset_restore"]
OperationStatus = Literal["pending", "in_progress", "completed", "failed", "cancelled"]
Outcome = Literal["ready", "failed", "archived", "deleted", "cancelled"]
JourneyStatus = Literal["active", "transitioning", "completing", "completed"]
JourneyEventType = Literal["stage_transition", "journey_completed"]
JourneyEventStatus = Literal["pending", "in_progress", "completed", "failed", "superseded"]
JourneyEventPhase = Literal["provisioning", "teardown"]
AuditAction = Literal["created", "changed", "deleted"]
AuditResourceType = Literal[
    "dataset", "operation", "operation_dataset", "connector", "connector_token", "journey", "journey_event",
    "customer", "api_client", "signing_key", "installation", "audit_log",
]  # fmt: skip
ActorKind = Literal["api_client", "run", "command_line", "connector_token", "system"]
ComponentState = Literal["up", "down", "unknown"]
