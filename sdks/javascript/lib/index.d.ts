/** The JavaScript SDK of DataOps Lifecycle. Times of day are ISO 8601 texts, durations milliseconds. */

import type * as models from "./models";

export type * from "./models";

export const version: string;

/** What is known about a dataset besides its data; keys of your own beside it. */
export interface DatasetMetadata {
  industry?: string | null;
  useCase?: string | null;
  tags?: string[];
  requestedBy?: string | null;
  reason?: string | null;
  customFields?: Record<string, unknown>;
  [key: string]: unknown;
}

/** A dataset that was asked for alone, with the tag that changes with it. */
export interface TaggedDataset extends models.Dataset {
  readonly etag: string | null;
}

/** A record as its vendor would answer it. */
export type VendorRecord = Record<string, unknown>;

export interface ClientOptions {
  /** Id of the API client; else `DATAOPS_CLIENT_ID`. It is not the `clientId` of datasets, who is the customer. */
  clientId?: string;
  /** Else `DATAOPS_CLIENT_SECRET`. */
  clientSecret?: string;
  /** Address of the API, with `/v1/dataops`; else `DATAOPS_BASE_URL`. */
  baseUrl?: string;
  /** Address of the token endpoint; else `DATAOPS_TOKEN_URL`, else `/token` at the API's host. */
  tokenUrl?: string;
  /** Narrows what the token may do; by default all that the API client may have. */
  scope?: string | string[];
  /** Milliseconds until an answer begins, and between two pieces of it. 30,000 unless given. */
  timeout?: number;
  /** How often what may be repeated without harm is repeated. 3 unless given. */
  maxRetries?: number;
  /** In place of the runtime's own. */
  fetch?: typeof globalThis.fetch;
}

export interface CallOptions {
  /** Ends the call, which then rejects with the signal's reason. */
  signal?: AbortSignal;
}

export interface ChangeOptions extends CallOptions {
  /** In place of a new one; the same over the call's repetitions. */
  idempotencyKey?: string;
}

export interface WaitOptions extends CallOptions {
  /** Milliseconds; as long as it takes unless given. */
  timeout?: number;
  /** Called at the first look and at each change of status or progress. */
  onProgress?: (operation: Operation) => void;
  /** Milliseconds between two looks; else 250, growing to 2,000. */
  pollInterval?: number;
}

/** Where everything begins. Throws ConfigurationError for what is missing. */
export class DataOpsClient {
  constructor(options?: ClientOptions);
  readonly baseUrl: string;
  readonly datasets: Datasets;
  readonly quality: Quality;
  readonly templates: Templates;
  readonly operations: Operations;
  readonly journeys: Journeys;
  readonly audit: AuditLog;
  readonly service: Service;
  /** A valid access token, for a request that this SDK does not make. It is a secret: keep it out of logs. */
  accessToken(): Promise<string>;
}

/** A page on its way; iterating over it goes through all pages, each fetched when it is reached. */
export type Listing<P> = P extends AsyncIterable<infer T> ? Promise<P> & AsyncIterable<T> : never;

/** One page of a list. Iterating over it goes on through all pages after it. */
export class Page<T> implements AsyncIterable<T> {
  private constructor();
  readonly items: T[];
  readonly page: number;
  readonly perPage: number;
  readonly totalPages: number;
  readonly totalCount: number;
  readonly hasNext: boolean;
  /** Rejects with RangeError where there is none. */
  nextPage(): Promise<Page<T>>;
  [Symbol.asyncIterator](): AsyncIterator<T>;
}

/** One page of a list that knows only what comes next. */
export class LinkedPage<T> implements AsyncIterable<T> {
  private constructor();
  readonly items: T[];
  readonly hasNext: boolean;
  /** Rejects with RangeError where there is none. */
  nextPage(): Promise<LinkedPage<T>>;
  [Symbol.asyncIterator](): AsyncIterator<T>;
}

/** A dataset's records, asked for as they are used. Iterating is one stream, with one record in memory. */
export class Records implements AsyncIterable<VendorRecord> {
  private constructor();
  [Symbol.asyncIterator](): AsyncIterator<VendorRecord>;
  page(options?: { page?: number; perPage?: number }): Listing<Page<VendorRecord>>;
  /** All records as a file, in pieces: Parquet, as they are stored, or one JSON object a line. */
  pieces(format?: "parquet" | "ndjson"): AsyncIterableIterator<Uint8Array>;
}

/** A dataset's questions with their answers, asked for as they are used. */
export class GroundTruth implements AsyncIterable<models.Question> {
  private constructor();
  [Symbol.asyncIterator](): AsyncIterator<models.Question>;
  page(options?: { page?: number; perPage?: number }): Listing<Page<models.Question>>;
  /** What is wrong with records on purpose, the first thousand defects: all are in the archive. */
  defects(): Promise<models.PlantedDefect[]>;
  /** All questions with the documents, in pieces of a zip archive in BEIR's form. */
  beir(): AsyncIterableIterator<Uint8Array>;
}

/** One operation, as last seen. `refresh()` looks again; `wait()` looks until it has ended. */
export class Operation implements Omit<models.OperationState, "attempt" | "result"> {
  private constructor();
  readonly operationId: string;
  readonly operationType: models.OperationState["operationType"];
  readonly status: models.OperationState["status"];
  readonly progress: models.Progress;
  readonly startedAt: string | null;
  readonly estimatedCompletion: string | null;
  readonly completedAt: string | null;
  readonly durationMinutes: number | null;
  readonly durationSeconds: number | null;
  readonly error: models.OperationProblem | null;
  readonly attempt: number | null;
  readonly rerunOf: string | null;
  readonly runId: string | null;
  readonly runUrl: string | null;
  readonly links: Record<string, string | null>;
  /** What it led to. Throws OperationError where there is no result yet. */
  readonly result: models.OperationResult;
  /** The datasets it is about: as in the result where there is one, else as accepted. */
  readonly datasets: (models.DatasetResult | models.AcceptedDataset)[];
  /** Whether it had ended when last seen: completed, failed or cancelled. */
  isComplete(): boolean;
  refresh(options?: CallOptions): Promise<this>;
  /** Rejects with OperationFailedError, OperationCancelledError, or OperationTimeoutError, after which it goes on. */
  wait(options?: WaitOptions): Promise<this>;
  /** Itself, now and at each change, told as it happens; ends when it has ended. */
  watch(options?: CallOptions): AsyncIterableIterator<this>;
  cancel(options?: ChangeOptions): Promise<this>;
  retry(options?: ChangeOptions): Promise<this>;
  /** Throws where it failed or was cancelled. */
  throwForStatus(): void;
}

/** `clientId` here is the customer, not the API client. */
export interface Datasets {
  create(request: models.CreateDatasetsRequest & ChangeOptions): Promise<Operation>;
  list(filters?: models.ListDatasetsRequest & CallOptions): Listing<Page<models.Dataset>>;
  get(datasetId: string, options?: CallOptions): Promise<TaggedDataset>;
  /** The dataset as it is now: the very same object where nothing has changed. */
  refresh(dataset: TaggedDataset, options?: CallOptions): Promise<TaggedDataset>;
  update(
    datasetId: string,
    request: models.ChangeMetadataRequest & CallOptions & { ifMatch?: string | null },
  ): Promise<TaggedDataset>;
  delete(datasetId: string, request?: models.DeleteDatasetRequest & ChangeOptions): Promise<Operation>;
  /** The same as `delete`, by POST: for networks that let no DELETE through. */
  teardown(datasetId: string, request?: models.TearDownDatasetRequest & ChangeOptions): Promise<Operation>;
  restore(datasetId: string, options?: ChangeOptions): Promise<Operation>;
  records(datasetId: string, options?: CallOptions): Records;
  /** Questions whose answers are known, of one kind or all. */
  groundTruth(datasetId: string, options?: CallOptions & { kind?: models.QuestionKind }): GroundTruth;
  getQuality(datasetId: string, options?: CallOptions): Promise<models.Quality>;
  getUsage(datasetId: string, request?: models.GetUsageRequest & CallOptions): Promise<models.Usage>;
  getConnector(datasetId: string, options?: CallOptions): Promise<models.ConnectorDetails>;
  /** `token` of the answer is shown this once; it is no enumerable member, so no log of the whole shows it. */
  createConnectorToken(
    datasetId: string,
    request?: Partial<models.CreateConnectorTokenRequest> & ChangeOptions,
  ): Promise<models.ConnectorToken>;
  revokeConnectorToken(datasetId: string, tokenId: string, options?: ChangeOptions): Promise<void>;
}

export interface Quality {
  get(datasetId: string, options?: CallOptions): Promise<models.Quality>;
  validate(datasetId: string, request?: models.ValidateQualityRequest & ChangeOptions): Promise<Operation>;
  /** A page is oldest first; the page after it is older. */
  history(
    datasetId: string,
    filters?: models.GetQualityHistoryRequest & CallOptions,
  ): Listing<LinkedPage<models.PastCheck>>;
}

export interface Templates {
  list(filters?: models.ListTemplatesRequest & CallOptions): Promise<models.Template[]>;
  get(templateId: string, options?: CallOptions): Promise<models.TemplateDetail>;
  recommend(request: models.RecommendTemplatesRequest & CallOptions): Promise<models.Recommendation[]>;
}

export interface Operations {
  list(filters?: models.ListOperationsRequest & CallOptions): Listing<Page<models.OperationState>>;
  get(operationId: string, request?: models.GetOperationRequest & CallOptions): Promise<Operation>;
  wait(operationId: string, options?: WaitOptions): Promise<Operation>;
  watch(operationId: string, options?: CallOptions): AsyncIterableIterator<Operation>;
  cancel(operationId: string, options?: ChangeOptions): Promise<Operation>;
  retry(operationId: string, options?: ChangeOptions): Promise<Operation>;
}

export interface Journeys {
  get(journeyId: string, request?: models.GetJourneyRequest & CallOptions): Promise<models.Journey>;
  /** `eventId` is a new one and `occurredAt` now unless given. */
  tell(
    journeyId: string,
    request: Omit<models.TellJourneyEventRequest, "eventId" | "occurredAt"> &
      Partial<Pick<models.TellJourneyEventRequest, "eventId" | "occurredAt">> &
      ChangeOptions,
  ): Promise<models.EventAccepted>;
}

/** For the scope `dataops:admin` alone. */
export interface AuditLog {
  list(filters?: models.ListAuditRequest & CallOptions): Listing<LinkedPage<models.AuditEntry>>;
}

/** The service itself. Nothing here needs a token. */
export interface Service {
  health(options?: CallOptions): Promise<models.Health>;
  /** Rejects with ServiceUnavailableError, the parts in `details.components`, where it cannot accept requests. */
  readiness(options?: CallOptions): Promise<models.Readiness>;
  authorizationServer(options?: CallOptions): Promise<models.AuthorizationServer>;
  signingKeys(options?: CallOptions): Promise<models.Jwks>;
}

export class DataOpsError extends Error {}
/** The client lacks something to start with. */
export class ConfigurationError extends DataOpsError {}
/** No complete answer came back. `requestId` is the id that was sent, for a look into the server's log. */
export class APIConnectionError extends DataOpsError {
  readonly requestId: string | null;
}
/** The answer did not come in time. */
export class APITimeoutError extends APIConnectionError {}
/** An answer that is none of this API's. */
export class UnexpectedAnswerError extends DataOpsError {
  readonly status: number;
  readonly requestId: string | null;
}
/** The API answered with an error; `reason` is its own sentence, `details` what it adds. */
export class APIStatusError extends DataOpsError {
  readonly reason: string;
  readonly status: number;
  readonly code: string | null;
  readonly details: Record<string, unknown>;
  readonly requestId: string | null;
  /** Seconds that the server asks to wait. */
  readonly retryAfter: number | null;
}
export class InvalidRequestError extends APIStatusError {}
export class UnauthorizedError extends APIStatusError {}
export class ForbiddenError extends APIStatusError {}
export class NotFoundError extends APIStatusError {}
export class MethodNotAllowedError extends APIStatusError {}
export class ConflictError extends APIStatusError {}
export class GoneError extends APIStatusError {}
export class PreconditionFailedError extends APIStatusError {}
export class PayloadTooLargeError extends APIStatusError {}
export class UnsupportedMediaTypeError extends APIStatusError {}
export class IdempotencyKeyReusedError extends APIStatusError {}
export class RateLimitedError extends APIStatusError {}
export class InternalServerError extends APIStatusError {}
export class ServiceUnavailableError extends APIStatusError {}
/** Something about an operation. */
export class OperationError extends DataOpsError {
  readonly operationId: string;
}
export class OperationFailedError extends OperationError {
  readonly code: string | null;
  readonly details: Record<string, unknown>;
}
export class OperationCancelledError extends OperationError {}
export class OperationTimeoutError extends OperationError {}
