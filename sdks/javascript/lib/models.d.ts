// Made by `make sdk` from the OpenAPI description: change that.

/** A word of the API. A newer server may know one that is not listed. */
export type Known<Word extends string> = Word | (string & {});

/** A dataset that was asked for. */
export interface AcceptedDataset {
  datasetId: string;
  datasetType: string;
  status: Known<DatasetStatus>;
}

/** Who did it: an API client by its id, a run by Dagster's id, a command by its name. */
export interface Actor {
  kind: Known<ActorKind>;
  id: string | null;
}

/** What kind of actor changes something. */
export type ActorKind = "api_client" | "run" | "command_line" | "connector_token" | "system";

/** Another template that might suit. */
export interface Alternative {
  template: NamedTemplate;
  confidenceScore: number;
  reason: string;
}

/** What happened to the resource. */
export type AuditAction = "created" | "changed" | "deleted";

/** One change. `before` and `after` are columns of the registry: all that a new or removed resource has, of a change those that differ. Of a secret only that it changed is shown. */
export interface AuditEntry {
  auditId: string;
  occurredAt: string;
  actor: Actor;
  requestId: string | null;
  operationId: string | null;
  action: Known<AuditAction>;
  resource: AuditResource;
  clientId: string | null;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
}

/** A page of the audit log, newest first. */
export interface AuditPage {
  entries: AuditEntry[];
  links: Record<string, string | null>;
}

/** What it was done to. */
export interface AuditResource {
  type: Known<AuditResourceType>;
  id: string;
}

/** What an entry is about. */
export type AuditResourceType = "dataset" | "operation" | "operation_dataset" | "connector" | "connector_token" | "journey" | "journey_event" | "customer" | "api_client" | "signing_key" | "installation" | "audit_log";

/** Metadata of the authorization server (RFC 8414). */
export interface AuthorizationServer {
  issuer: string;
  tokenEndpoint: string;
  jwksUri: string;
  scopesSupported: string[];
  responseTypesSupported: string[];
  grantTypesSupported: string[];
  tokenEndpointAuthMethodsSupported: string[];
  serviceDocumentation: string;
}

/** What a check says (C-60). ``error``: the probe could not tell (C-62). */
export type CheckStatus = "passed" | "failed" | "pending" | "error";

/** The four quality checks, in the order in which they are shown (C-60). */
export type CheckType = "schema_validation" | "data_completeness" | "connector_health" | "sample_query_success";

/** The size of a customer's company, as a recommendation understands it. */
export type CompanySize = "startup" | "small" | "mid_market" | "enterprise";

/** A part of the product. */
export interface Component {
  state: Known<ComponentState>;
  reason: string | null;
}

/** What is known of a part. */
export type ComponentState = "up" | "down" | "unknown";

/** All parts. */
export interface Components {
  database: Component;
  migrations: Component;
  keys: Component;
  dagster: Component;
  codeLocation: Component;
  daemon: Component;
  connector: Component;
  storage: Component;
}

/** A dataset's connector, to be managed. */
export interface ConnectorDetails {
  connectorId: string;
  datasetId: string;
  kind: string;
  name: string;
  status: Known<ConnectorStatus>;
  statusReason: string | null;
  statusSince: string | null;
  consecutiveFailures: number;
  endpointUrl: string;
  generation: string | null;
  documentCount: number;
  indexBytes: number;
  createdAt: string;
  lastCheckedAt: string | null;
  disconnectedAt: string | null;
  tokens: ConnectorTokenState[];
  links: Record<string, string | null>;
}

/** What is known of a dataset's search connector (C-33). */
export type ConnectorStatus = "connecting" | "healthy" | "degraded" | "unhealthy" | "disconnected";

/** A token, shown this once. */
export interface ConnectorToken {
  tokenId: string;
  token: string;
  kind: Known<TokenKind>;
  expiresAt: string;
}

/** A token that was issued. */
export interface ConnectorTokenState {
  tokenId: string;
  kind: Known<TokenKind>;
  state: Known<TokenState>;
  createdAt: string;
  expiresAt: string;
  revokedAt: string | null;
}

/** A dataset: one type of content for one stage of a customer's journey. */
export interface Dataset {
  datasetId: string;
  name: string;
  datasetType: string;
  stage: Known<Stage>;
  clientId: string;
  journeyId: string;
  status: Known<DatasetStatus>;
  createdAt: string;
  readyAt: string | null;
  archivedAt: string | null;
  dataSource: Known<"mock_template">;
  recordCount: number | null;
  sizeBytes: number | null;
  qualityScore: number | null;
  connector: DatasetConnector | null;
  template: DatasetTemplate;
  metadata: import("./index").DatasetMetadata;
  updatedAt: string;
  operationId: string;
  activeOperationId: string | null;
  seed: number;
  error: DatasetError | null;
  links: Record<string, string | null>;
}

/** A dataset's connector, in short. */
export interface DatasetConnector {
  connectorId: string;
  name: string;
  status: Known<ConnectorStatus>;
  endpointUrl: string;
}

/** Why a dataset failed. */
export interface DatasetError {
  code: string;
  message: string;
}

/** A page of datasets. */
export interface DatasetList {
  datasets: Dataset[];
  pagination: Pagination;
  links: Record<string, string | null>;
}

/** How one dataset of an operation ended. */
export interface DatasetResult {
  datasetId: string;
  datasetType: string;
  status: Known<Outcome>;
  qualityScore: number | null;
}

/** Orders of a list (C-30); ties go by dataset_id. */
export type DatasetSort = "created_at" | "-created_at" | "name" | "quality_score";

/** Where a dataset stands (C-35). */
export type DatasetStatus = "provisioning" | "validating" | "ready" | "failed" | "teardown" | "archived";

/** The template that a dataset was made from. */
export interface DatasetTemplate {
  templateId: string;
  name: string;
  version: number;
}

/** What can be wrong with a record on purpose: words of a template's ``defects`` and of a dataset's list. */
export type Defect = "incomplete" | "near_duplicate" | "stale_version" | "conflicting_fact" | "misfiled";

/** Shares of records that are wrong on purpose; each is met exactly, rounded down to whole records. */
export interface DefectShares {
  /** Lack a field. */
  incomplete: number;
  /** Repeat another record with small edits. */
  nearDuplicates: number;
  /** Are older versions of records that are still there. */
  staleVersions: number;
  /** State another value of a fact than another record. */
  conflictingFacts: number;
  /** Stand where what they are about does not belong. */
  misfiled: number;
}

/** An event was written down; ``status`` is where it stands now. */
export interface EventAccepted {
  eventId: string;
  status: Known<JourneyEventStatus>;
  message: string;
  links: Record<string, string | null>;
}

/** Why an event failed; ``details`` names what it is about. */
export interface EventError {
  code: string;
  message: string;
  details: Record<string, unknown>;
}

/** An operation that was begun, joined or gone on with for an event. */
export interface EventOperation {
  operationId: string;
  operationType: Known<OperationType>;
  status: Known<OperationStatus>;
  links: Record<string, string | null>;
}

/** A document of the dataset that a search must find, by the address that searches answer with. */
export interface ExpectedDocument {
  documentId: string;
  url: string;
}

/** The representations of a dataset's ground truth. */
export type GroundTruthFormat = "json" | "beir";

/** A page of questions: the ten of the quality check first, then the larger set. Beside them what is wrong with records on purpose, the first thousand defects: all are in the archive. */
export interface GroundTruthPage {
  queries: Question[];
  defects: PlantedDefect[];
  pagination: Pagination;
  links: Record<string, string | null>;
}

/** The process lives. */
export interface Health {
  status: string;
}

/** What a dataset's checks said over time, oldest first. */
export interface History {
  datasetId: string;
  history: PastCheck[];
  links: Record<string, string | null>;
}

/** The industries that templates are written for. */
export type Industry = "fintech" | "healthcare" | "enterprise" | "manufacturing" | "retail";

/** A customer's journey. Its events are the newest hundred; its datasets, too, archived ones last. */
export interface Journey {
  journeyId: string;
  clientId: string;
  currentStage: Known<Stage> | null;
  status: Known<JourneyStatus>;
  endedAt: string | null;
  datasets: JourneyDataset[];
  events: JourneyEvent[];
  links: Record<string, string | null>;
}

/** A dataset of a journey, in short. */
export interface JourneyDataset {
  datasetId: string;
  name: string;
  datasetType: string;
  stage: Known<Stage>;
  status: Known<DatasetStatus>;
  qualityScore: number | null;
  links: Record<string, string | null>;
}

/** An event of a journey; ``phase`` is what it waits for while it is in progress. */
export interface JourneyEvent {
  eventId: string;
  event: Known<JourneyEventType>;
  toStage: Known<Stage> | null;
  datasetTypes: string[] | null;
  occurredAt: string;
  receivedAt: string;
  status: Known<JourneyEventStatus>;
  phase: Known<JourneyEventPhase> | null;
  supersededBy: string | null;
  startedAt: string | null;
  completedAt: string | null;
  error: EventError | null;
  operations: EventOperation[];
}

/** What an event in progress waits for (C-92). */
export type JourneyEventPhase = "provisioning" | "teardown";

/** Where an event of a journey stands (C-91). ``superseded``: a newer one took its place. */
export type JourneyEventStatus = "pending" | "in_progress" | "completed" | "failed" | "superseded";

/** What happened in a journey (C-91). */
export type JourneyEventType = "stage_transition" | "journey_completed";

/** Where a journey stands (C-93). */
export type JourneyStatus = "active" | "transitioning" | "completing" | "completed";

/** A public key. */
export interface Jwk {
  kty: string;
  kid: string;
  use: string;
  alg: string;
  n: string;
  e: string;
}

/** The keys by which access tokens are verified. */
export interface Jwks {
  keys: Jwk[];
}

/** A template, in short. */
export interface NamedTemplate {
  templateId: string;
  name: string;
}

/** A page of operations. */
export interface OperationList {
  operations: OperationState[];
  pagination: Pagination;
  links: Record<string, string | null>;
}

/** Why an operation did not succeed; ``details`` has the error of each dataset that failed. */
export interface OperationProblem {
  code: string;
  message: string;
  details: Record<string, unknown>;
}

/** How an operation ended. */
export interface OperationResult {
  datasets: DatasetResult[];
}

/** An asynchronous piece of work; a key that does not apply is null. */
export interface OperationState {
  operationId: string;
  operationType: Known<OperationType>;
  status: Known<OperationStatus>;
  progress: Progress;
  startedAt: string | null;
  estimatedCompletion: string | null;
  completedAt: string | null;
  durationMinutes: number | null;
  durationSeconds: number | null;
  result: OperationResult | null;
  error: OperationProblem | null;
  attempt: number;
  rerunOf: string | null;
  runId: string | null;
  runUrl: string | null;
  links: Record<string, string | null>;
}

/** Where an operation stands (C-81). */
export type OperationStatus = "pending" | "in_progress" | "completed" | "failed" | "cancelled";

/** What an operation does (C-80). */
export type OperationType = "dataset_provisioning" | "dataset_teardown" | "quality_validation" | "dataset_restore";

/** A document of another dataset type that the answer needs as well: it is there, or would be. */
export interface OtherDocument {
  datasetType: string;
  documentId: string;
  url: string;
}

/** How one dataset of an operation ended. */
export type Outcome = "ready" | "failed" | "archived" | "deleted" | "cancelled";

/** Where a page stands among all. */
export interface Pagination {
  page: number;
  perPage: number;
  totalPages: number;
  totalCount: number;
}

/** One evaluation of one check; without a score where it could not tell. */
export interface PastCheck {
  checkId: string;
  checkType: Known<CheckType>;
  score: number | null;
  status: Known<CheckStatus>;
  executedAt: string;
  durationMs: number;
  details: string;
  operationId: string;
}

/** What is wrong with a record on purpose; ``related_record_id`` is the other one that has a part in it. */
export interface PlantedDefect {
  recordId: string;
  kind: Known<Defect>;
  relatedRecordId: string | null;
  detail: Record<string, string>;
}

/** How far an operation is; step 0: not yet running. */
export interface Progress {
  currentStep: number;
  totalSteps: number;
  stepDescription: string | null;
  percentComplete: number;
}

/** A provisioning was started. */
export interface ProvisioningAccepted {
  operationId: string;
  status: Known<"provisioning">;
  message: string;
  datasets: AcceptedDataset[];
  estimatedCompletion: string;
  links: Record<string, string | null>;
}

/** A dataset's quality as it stands. */
export interface Quality {
  datasetId: string;
  overallScore: number | null;
  meetsThreshold: boolean;
  threshold: number;
  calculatedAt: string | null;
  checks: QualityChecks;
  links: Record<string, string | null>;
}

/** What a check said last. ``score`` is the percentage of its newest verdict, ``metrics`` are the numbers behind ``details``. */
export interface QualityCheck {
  score: number | null;
  weight: number;
  status: Known<CheckStatus>;
  details: string | null;
  executedAt: string | null;
  metrics: Record<string, unknown>;
}

/** The four checks. */
export interface QualityChecks {
  schemaValidation: QualityCheck;
  dataCompleteness: QualityCheck;
  connectorHealth: QualityCheck;
  sampleQuerySuccess: QualityCheck;
}

/** A question with its answer: all documents of the dataset that answer it, and the fact where it is one. */
export interface Question {
  queryId: string;
  text: string;
  expected: ExpectedDocument[];
  kind: Known<QuestionKind>;
  filters: SearchCondition[];
  answer: string | null;
  elsewhere: OtherDocument[];
  inQualityCheck: boolean;
}

/** What a question is like. Of the first four one document is known beforehand, and words of it are the question. */
export type QuestionKind = "title" | "phrase" | "entity" | "conjunction" | "filter" | "people" | "fact" | "multi_hop" | "conflicting" | "unanswerable";

/** The API can accept requests. */
export interface Readiness {
  status: string;
  components: Components;
}

/** The template of one type that suits best. */
export interface Recommendation {
  datasetType: string;
  recommendedTemplate: NamedTemplate;
  confidenceScore: number;
  reason: string;
  alternatives: Alternative[];
}

/** One recommendation per type, in the order asked. */
export interface Recommendations {
  recommendations: Recommendation[];
}

/** Records per stage, unless a request says otherwise. */
export interface RecordCounts {
  sandbox: number;
  pilot: number;
  production: number;
}

/** A field that a record has of its own, by its dotted path; links that follow from others are not listed. */
export interface RecordField {
  name: string;
  type: string;
  nullable: boolean;
}

/** A page of records in the vendor's shape. */
export interface RecordPage {
  records: (Record<string, unknown>)[];
  pagination: Pagination;
  links: Record<string, string | null>;
}

/** The representations of a dataset's records. */
export type RecordsFormat = "json" | "ndjson" | "parquet";

/** A restore was started. */
export interface RestoreAccepted {
  operationId: string;
  status: Known<"restoring">;
  message: string;
  estimatedCompletion: string;
  links: Record<string, string | null>;
}

/** A filter to search with, as a connector takes it: any of the values. */
export interface SearchCondition {
  field: string;
  values: string[];
}

/** A stage of a client's journey. */
export type Stage = "sandbox" | "pilot" | "production";

/** An operation was cancelled, or is tried again. */
export interface Steered {
  operationId: string;
  status: Known<OperationStatus>;
  message: string;
  estimatedCompletion: string | null;
  links: Record<string, string | null>;
}

/** A teardown was started, or goes on. */
export interface TeardownAccepted {
  operationId: string;
  status: Known<"tearing_down">;
  message: string;
  estimatedCompletion: string;
  links: Record<string, string | null>;
}

/** Why a dataset is torn down (C-51). */
export type TeardownReason = "stage_transition" | "journey_completed" | "orphan_cleanup" | "manual";

/** A template, as lists show it. */
export interface Template {
  templateId: string;
  name: string;
  datasetType: string;
  industry: Known<Industry>;
  useCase: string;
  description: string;
  defaultRecordCount: number;
  estimatedSizeMb: number;
  links: Record<string, string | null>;
}

/** A template, whole, with a few of the records that it makes. */
export interface TemplateDetail {
  templateId: string;
  name: string;
  datasetType: string;
  industry: Known<Industry>;
  useCase: string;
  description: string;
  defaultRecordCount: number;
  estimatedSizeMb: number;
  links: Record<string, string | null>;
  version: number;
  recordCounts: RecordCounts;
  defects: DefectShares;
  topics: TemplateTopic[];
  recordSchema: RecordField[];
  sampleRecords: (Record<string, unknown>)[];
}

/** Every template that matches. */
export interface TemplateList {
  templates: Template[];
  totalCount: number;
}

/** A subject that the records speak of. */
export interface TemplateTopic {
  key: string;
  title: string;
  weight: number;
}

/** What a connector token may do (C-90). */
export type TokenKind = "search" | "index";

/** Whether a token still opens its connector. */
export type TokenState = "active" | "expired" | "revoked";

/** What a dataset's connector served and what the dataset takes up. */
export interface Usage {
  datasetId: string;
  queriesTotal: number;
  documentsServed: number;
  lastAccessedAt: string | null;
  storageBytes: number;
  indexBytes: number;
  daily: UsageDay[];
  links: Record<string, string | null>;
}

/** What was served on one day (UTC). */
export interface UsageDay {
  date: string;
  queries: number;
  documents: number;
}

/** A validation was started, is under way already, or had nothing left to do. */
export interface ValidationAccepted {
  operationId: string;
  status: Known<"validating">;
  message: string;
  estimatedCompletion: string;
  links: Record<string, string | null>;
}

/** What `list_datasets` takes. */
export interface ListDatasetsRequest {
  /** The customer. */
  clientId?: string;
  /** The customer's journey. */
  journeyId?: string;
  stage?: Stage;
  status?: DatasetStatus;
  /** Such as `confluence_pages`. */
  datasetType?: string;
  /** Datasets of this operation. */
  operationId?: string;
  /** ISO 8601; without a zone it is UTC. */
  createdFrom?: string | Date;
  /** ISO 8601; without a zone it is UTC. */
  createdTo?: string | Date;
  /** Datasets with this tag. */
  tag?: string;
  sort?: DatasetSort;
  page?: number;
  perPage?: number;
}

/** What `create_datasets` takes. */
export interface CreateDatasetsRequest {
  journeyId: string;
  clientId: string;
  stage: Stage;
  datasetTypes: (Known<"confluence_pages" | "github_repos" | "google_drive_documents" | "jira_issues" | "salesforce_accounts" | "sharepoint_documents" | "slack_messages" | "zendesk_tickets">)[];
  templateSelection?: Known<"auto" | "manual">;
  /** Dataset type → template_id. */
  templateOverrides?: Record<string, string>;
  metadata?: { requestedBy?: string | null; reason?: string | null; tags?: string[]; customFields?: Record<string, unknown> };
  generation?: { recordCount?: number | null; seed?: number | null; locale?: Known<"en_US" | "en_GB" | "en_AU" | "en_CA" | "en_IE" | "en_NZ" | "cs_CZ" | "da_DK" | "de_AT" | "de_DE" | "es_ES" | "es_MX" | "fi_FI" | "fr_CA" | "fr_FR" | "it_IT" | "ja_JP" | "nl_BE" | "nl_NL" | "no_NO" | "pl_PL" | "pt_BR" | "pt_PT" | "sv_SE"> | null };
}

/** What `delete_dataset` takes. */
export interface DeleteDatasetRequest {
  reason?: TeardownReason;
  /** Keep an archive of the dataset. */
  archive?: boolean;
}

/** What `change_metadata` takes. */
export interface ChangeMetadataRequest {
  metadata: { tags?: string[] | null; customFields?: Record<string, unknown> | null; [key: string]: unknown };
}

/** What `tear_down_dataset` takes. */
export interface TearDownDatasetRequest {
  reason?: TeardownReason;
  archive?: boolean;
}

/** What `get_usage` takes. */
export interface GetUsageRequest {
  /** ISO 8601; without a zone it is UTC. */
  from?: string | Date;
  /** ISO 8601; without a zone it is UTC. */
  to?: string | Date;
}

/** What `get_records` takes. */
export interface GetRecordsRequest {
  /** Goes before `Accept`. `json` gives pages; the others give all records. */
  format?: RecordsFormat;
  /** Of `json` alone. */
  page?: number;
  /** Of `json` alone. */
  perPage?: number;
}

/** What `get_ground_truth` takes. */
export interface GetGroundTruthRequest {
  /** Goes before `Accept`. `json` gives pages; `beir` gives all, with the documents. */
  format?: GroundTruthFormat;
  /** Questions of this kind. Of `json` alone. */
  kind?: QuestionKind;
  /** Of `json` alone. */
  page?: number;
  /** Of `json` alone. */
  perPage?: number;
}

/** What `validate_quality` takes. */
export interface ValidateQualityRequest {
  checks?: CheckType[];
  forceRevalidation?: boolean;
}

/** What `get_quality_history` takes. */
export interface GetQualityHistoryRequest {
  /** ISO 8601; without a zone it is UTC. */
  from?: string | Date;
  /** ISO 8601; without a zone it is UTC. */
  to?: string | Date;
  checkType?: CheckType;
  /** The newest so many of the range. */
  limit?: number;
  /** A `check_id`: evaluations before that one, as `_links.older` asks for them. */
  before?: string;
}

/** What `create_connector_token` takes. */
export interface CreateConnectorTokenRequest {
  kind: TokenKind;
  /** Seconds. */
  expiresIn?: number;
}

/** What `list_templates` takes. */
export interface ListTemplatesRequest {
  industry?: Industry;
  /** Such as `developer_productivity`. */
  useCase?: string;
  /** Such as `confluence_pages`. */
  datasetType?: string;
}

/** What `recommend_templates` takes. */
export interface RecommendTemplatesRequest {
  clientMetadata: { industry?: Industry | null; useCase?: string | null; companySize?: CompanySize | null };
  datasetTypes: (Known<"confluence_pages" | "github_repos" | "google_drive_documents" | "jira_issues" | "salesforce_accounts" | "sharepoint_documents" | "slack_messages" | "zendesk_tickets">)[];
  stage: Stage;
}

/** What `list_operations` takes. */
export interface ListOperationsRequest {
  status?: OperationStatus;
  operationType?: OperationType;
  /** The customer. */
  clientId?: string;
  /** Operations that were about this dataset. */
  datasetId?: string;
  page?: number;
  perPage?: number;
}

/** What `get_operation` takes. */
export interface GetOperationRequest {
  /** Seconds to wait for the operation to end, at most. */
  wait?: number;
}

/** What `tell_journey_event` takes. */
export interface TellJourneyEventRequest {
  /** The event's own id: told again, it is the same event. */
  eventId: string;
  event: JourneyEventType;
  /** The customer. */
  clientId: string;
  /** Of a `stage_transition`, which must have it. */
  toStage?: Stage | null;
  /** Of a `stage_transition`: what the next stage has. Absent: what the old has. */
  datasetTypes?: (Known<"confluence_pages" | "github_repos" | "google_drive_documents" | "jira_issues" | "salesforce_accounts" | "sharepoint_documents" | "slack_messages" | "zendesk_tickets">)[] | null;
  /** ISO 8601; the order of a journey's events is theirs by this moment. */
  occurredAt: string | Date;
}

/** What `get_journey` takes. */
export interface GetJourneyRequest {
  /** The customer, where several have a journey of this id. */
  clientId?: string;
}

/** What `list_audit` takes. */
export interface ListAuditRequest {
  resourceType?: AuditResourceType;
  /** The resource's id. */
  resourceId?: string;
  /** Changes that this API client asked for itself. */
  apiClientId?: string;
  action?: AuditAction;
  /** All that was done for this operation. */
  operationId?: string;
  /** All that this request changed. */
  requestId?: string;
  /** ISO 8601; without a zone it is UTC. */
  from?: string | Date;
  /** ISO 8601; without a zone it is UTC. */
  to?: string | Date;
  /** Most entries of a page. */
  limit?: number;
  /** Where the page begins: as `_links.next` has it. */
  cursor?: string;
}
