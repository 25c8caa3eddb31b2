"use strict";
/**
 * Every error that the SDK throws: one class per meaning, all of them DataOpsError.
 *
 * An answer of the API with an error status is an APIStatusError of the class that its code (else its status) names.
 * Messages never hold a token or a secret.
 */

class DataOpsError extends Error {
  constructor(message) {
    super(message);
    // On the prototype it would be lost where code is made shorter, and in an error's own fields it would be printed.
    Object.defineProperty(this, "name", { value: new.target.errorName, configurable: true });
  }
}
DataOpsError.errorName = "DataOpsError";

class ConfigurationError extends DataOpsError {}

class APIConnectionError extends DataOpsError {
  constructor(message, { requestId = null } = {}) {
    super(message);
    this.requestId = requestId;
  }
}
class APITimeoutError extends APIConnectionError {}

class UnexpectedAnswerError extends DataOpsError {
  constructor(message, { status, requestId = null }) {
    super(message);
    this.status = status;
    this.requestId = requestId;
  }
}

class APIStatusError extends DataOpsError {
  constructor(message, { status, code = null, details = {}, requestId = null, retryAfter = null }) {
    super(sentence(message, status, code, details, requestId));
    this.reason = message;
    this.status = status;
    this.code = code;
    this.details = details;
    this.requestId = requestId;
    this.retryAfter = retryAfter;
  }
}

class InvalidRequestError extends APIStatusError {}
class UnauthorizedError extends APIStatusError {}
class ForbiddenError extends APIStatusError {}
class NotFoundError extends APIStatusError {}
class MethodNotAllowedError extends APIStatusError {}
class ConflictError extends APIStatusError {}
class GoneError extends APIStatusError {}
class PreconditionFailedError extends APIStatusError {}
class PayloadTooLargeError extends APIStatusError {}
class UnsupportedMediaTypeError extends APIStatusError {}
class IdempotencyKeyReusedError extends APIStatusError {}
class RateLimitedError extends APIStatusError {}
class InternalServerError extends APIStatusError {}
class ServiceUnavailableError extends APIStatusError {}

class OperationError extends DataOpsError {
  constructor(message, { operationId }) {
    super(message);
    this.operationId = operationId;
  }
}
class OperationFailedError extends OperationError {
  constructor(message, { operationId, code = null, details = {} }) {
    super(message, { operationId });
    this.code = code;
    this.details = details;
  }
}
class OperationCancelledError extends OperationError {}
class OperationTimeoutError extends OperationError {}

/** Each code of the API: its status and its error. */
const CODES = {
  INVALID_REQUEST: [400, InvalidRequestError],
  UNAUTHORIZED: [401, UnauthorizedError],
  FORBIDDEN: [403, ForbiddenError],
  NOT_FOUND: [404, NotFoundError],
  METHOD_NOT_ALLOWED: [405, MethodNotAllowedError],
  CONFLICT: [409, ConflictError],
  GONE: [410, GoneError],
  PRECONDITION_FAILED: [412, PreconditionFailedError],
  PAYLOAD_TOO_LARGE: [413, PayloadTooLargeError],
  UNSUPPORTED_MEDIA_TYPE: [415, UnsupportedMediaTypeError],
  IDEMPOTENCY_KEY_REUSED: [422, IdempotencyKeyReusedError],
  RATE_LIMITED: [429, RateLimitedError],
  INTERNAL_ERROR: [500, InternalServerError],
  SERVICE_UNAVAILABLE: [503, ServiceUnavailableError],
};
const BY_STATUS = new Map(Object.values(CODES));

const CLASSES = {
  DataOpsError,
  ConfigurationError,
  APIConnectionError,
  APITimeoutError,
  UnexpectedAnswerError,
  APIStatusError,
  InvalidRequestError,
  UnauthorizedError,
  ForbiddenError,
  NotFoundError,
  MethodNotAllowedError,
  ConflictError,
  GoneError,
  PreconditionFailedError,
  PayloadTooLargeError,
  UnsupportedMediaTypeError,
  IdempotencyKeyReusedError,
  RateLimitedError,
  InternalServerError,
  ServiceUnavailableError,
  OperationError,
  OperationFailedError,
  OperationCancelledError,
  OperationTimeoutError,
};
for (const [name, kind] of Object.entries(CLASSES)) kind.errorName = name;

/** The error of an answer. `body` is its parsed JSON: the API's envelope, OAuth's form, or anything else. */
function statusError(status, body, { requestId = null, retryAfter = null, phrase = "" } = {}) {
  let code = null;
  let message = phrase || "The server answered with an error";
  let details = {};
  const error = isObject(body) ? body.error : undefined;
  if (isObject(error)) {
    code = text(error.code);
    message = text(error.message) ?? message;
    details = isObject(error.details) ? error.details : {};
    requestId = text(error.request_id) ?? requestId;
  } else if (typeof error === "string") {
    code = error;
    message = text(body.error_description) ?? error;
  }
  // A code that this version does not know yet still has a status that it does.
  const known = code !== null && Object.hasOwn(CODES, code) ? CODES[code][1] : undefined;
  const kind = known ?? BY_STATUS.get(status) ?? APIStatusError;
  return new kind(message, { status, code, details, requestId, retryAfter });
}

function sentence(message, status, code, details, requestId) {
  const reasons = Object.entries(details).map(([field, reason]) => `; ${field}: ${plain(reason)}`);
  const request = requestId ? `, request ${requestId}` : "";
  return `${message}${reasons.join("")} (${code ?? "HTTP"} ${status}${request})`;
}

function plain(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function text(value) {
  return typeof value === "string" && value !== "" ? value : null;
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

module.exports = { CLASSES, CODES, statusError, isObject };
