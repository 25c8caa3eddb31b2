"use strict";
// Made by `make sdk` from the OpenAPI description: change that.

const OPERATIONS = {
  authorization_server_metadata: {"method": "GET", "path": "/.well-known/oauth-authorization-server", "atRoot": true, "repeat": "freely"},
  published_keys: {"method": "GET", "path": "/.well-known/jwks.json", "atRoot": true, "repeat": "freely"},
  list_datasets: {"method": "GET", "path": "/datasets", "repeat": "freely", "query": {"client_id": 1, "journey_id": 1, "stage": 1, "status": 1, "dataset_type": 1, "operation_id": 1, "created_from": 1, "created_to": 1, "tag": 1, "sort": 1, "page": 1, "per_page": 1}},
  create_datasets: {"method": "POST", "path": "/datasets", "repeat": "freely", "keyed": true, "body": {"journey_id": 1, "client_id": 1, "stage": 1, "dataset_types": 1, "template_selection": 1, "template_overrides": 1, "metadata": {"requested_by": 1, "reason": 1, "tags": 1, "custom_fields": 1}, "generation": {"record_count": 1, "seed": 1, "locale": 1}}},
  get_dataset: {"method": "GET", "path": "/datasets/{dataset_id}", "repeat": "freely"},
  delete_dataset: {"method": "DELETE", "path": "/datasets/{dataset_id}", "repeat": "freely", "keyed": true, "query": {"reason": 1, "archive": 1}},
  change_metadata: {"method": "PATCH", "path": "/datasets/{dataset_id}", "repeat": "refused", "body": {"metadata": {"tags": 1, "custom_fields": 1}}},
  tear_down_dataset: {"method": "POST", "path": "/datasets/{dataset_id}/teardown", "repeat": "freely", "keyed": true, "body": {"reason": 1, "archive": 1}},
  get_usage: {"method": "GET", "path": "/datasets/{dataset_id}/usage", "repeat": "freely", "query": {"from": 1, "to": 1}},
  restore_dataset: {"method": "POST", "path": "/datasets/{dataset_id}/restore", "repeat": "freely", "keyed": true},
  get_records: {"method": "GET", "path": "/datasets/{dataset_id}/records", "repeat": "freely", "query": {"format": 1, "page": 1, "per_page": 1}},
  get_ground_truth: {"method": "GET", "path": "/datasets/{dataset_id}/ground-truth", "repeat": "freely", "query": {"format": 1, "kind": 1, "page": 1, "per_page": 1}},
  get_quality: {"method": "GET", "path": "/datasets/{dataset_id}/quality", "repeat": "freely"},
  validate_quality: {"method": "POST", "path": "/datasets/{dataset_id}/quality/validate", "repeat": "freely", "keyed": true, "body": {"checks": 1, "force_revalidation": 1}},
  get_quality_history: {"method": "GET", "path": "/datasets/{dataset_id}/quality/history", "repeat": "freely", "query": {"from": 1, "to": 1, "check_type": 1, "limit": 1, "before": 1}},
  get_connector: {"method": "GET", "path": "/datasets/{dataset_id}/connector", "repeat": "freely"},
  create_connector_token: {"method": "POST", "path": "/datasets/{dataset_id}/connector/tokens", "repeat": "freely", "keyed": true, "body": {"kind": 1, "expires_in": 1}},
  revoke_connector_token: {"method": "DELETE", "path": "/datasets/{dataset_id}/connector/tokens/{token_id}", "repeat": "freely", "keyed": true},
  list_templates: {"method": "GET", "path": "/templates", "repeat": "freely", "query": {"industry": 1, "use_case": 1, "dataset_type": 1}},
  recommend_templates: {"method": "POST", "path": "/templates/recommend", "repeat": "freely", "body": {"client_metadata": {"industry": 1, "use_case": 1, "company_size": 1}, "dataset_types": 1, "stage": 1}},
  get_template: {"method": "GET", "path": "/templates/{template_id}", "repeat": "freely"},
  list_operations: {"method": "GET", "path": "/operations", "repeat": "freely", "query": {"status": 1, "operation_type": 1, "client_id": 1, "dataset_id": 1, "page": 1, "per_page": 1}},
  get_operation: {"method": "GET", "path": "/operations/{operation_id}", "repeat": "freely", "query": {"wait": 1}},
  watch_operation: {"method": "GET", "path": "/operations/{operation_id}/events", "repeat": "freely"},
  cancel_operation: {"method": "POST", "path": "/operations/{operation_id}/cancel", "repeat": "freely", "keyed": true},
  retry_operation: {"method": "POST", "path": "/operations/{operation_id}/retry", "repeat": "freely", "keyed": true},
  tell_journey_event: {"method": "POST", "path": "/journeys/{journey_id}/events", "repeat": "freely", "keyed": true, "body": {"event_id": 1, "event": 1, "client_id": 1, "to_stage": 1, "dataset_types": 1, "occurred_at": 1}},
  get_journey: {"method": "GET", "path": "/journeys/{journey_id}", "repeat": "freely", "query": {"client_id": 1}},
  list_audit: {"method": "GET", "path": "/audit", "repeat": "freely", "query": {"resource_type": 1, "resource_id": 1, "api_client_id": 1, "action": 1, "operation_id": 1, "request_id": 1, "from": 1, "to": 1, "limit": 1, "cursor": 1}},
  healthz: {"method": "GET", "path": "/healthz", "atRoot": true, "repeat": "never"},
  readyz: {"method": "GET", "path": "/readyz", "atRoot": true, "repeat": "never"},
};

module.exports = { OPERATIONS };
