"use strict";
/** An operation that goes on at the server: provisioning, teardown, validation, restore. */

const { CLASSES } = require("./errors.js");
const { fromWire } = require("./naming.js");
const { eventsOf } = require("./streams.js");

const { APIConnectionError, OperationCancelledError, OperationError, OperationFailedError, OperationTimeoutError } =
  CLASSES;

const TERMINAL = new Set(["completed", "failed", "cancelled"]);
const FIRST_INTERVAL = 0.25;
const LONGEST_INTERVAL = 2;
const GROWTH = 1.25;
const LONGEST_HOLD = 10;
const MOST_BREAKS = 5;
/** The API gives a sign of life every 15 seconds. */
const LONGEST_SILENCE = 45_000;
const EVENTS = "text/event-stream";
/** What an operation that was just accepted does not yet say. */
const UNKNOWN = {
  progress: { currentStep: 0, totalSteps: 0, stepDescription: null, percentComplete: 0 },
  startedAt: null,
  estimatedCompletion: null,
  completedAt: null,
  durationMinutes: null,
  durationSeconds: null,
  error: null,
  attempt: null,
  rerunOf: null,
  runId: null,
  runUrl: null,
  links: {},
};

/** One operation, as last seen. `refresh()` looks again; `wait()` looks until it has ended. */
class Operation {
  #calls;
  #result;
  #accepted;

  constructor(calls, state, accepted = []) {
    this.#calls = calls;
    this.#accepted = accepted;
    this.#take(state);
  }

  /** The operation that the API just accepted: pending, until it is looked at. */
  static accepted(calls, answer, operationType) {
    const { operationId, estimatedCompletion = null, datasets = [] } = answer;
    const state = { ...UNKNOWN, operationId, operationType, status: "pending", estimatedCompletion, result: null };
    return new Operation(calls, state, datasets);
  }

  isComplete() {
    return TERMINAL.has(this.status);
  }

  get result() {
    if (this.#result === null) {
      this.throwForStatus();
      throw new OperationError(`Operation ${this.operationId} is ${this.status}: it has no result yet.`, {
        operationId: this.operationId,
      });
    }
    return this.#result;
  }

  get datasets() {
    return this.#result === null ? this.#accepted : this.#result.datasets;
  }

  async refresh({ signal } = {}) {
    return this.#look({ signal });
  }

  async wait({ timeout = Infinity, onProgress, pollInterval, signal } = {}) {
    const began = performance.now();
    const left = () => (timeout - (performance.now() - began)) / 1000;
    const held = onProgress === undefined && pollInterval === undefined;
    let interval = pollInterval === undefined ? FIRST_INTERVAL : pollInterval / 1000;
    let seen = null;
    for (;;) {
      const looked = performance.now();
      if (!this.isComplete() || seen === null) {
        // The API may hold its answer back until the operation has ended: well within the time for an answer.
        const hold = Math.min(LONGEST_HOLD, this.#calls.session.patience / 2000, left());
        await this.#look({ wait: held && hold >= 1 ? Math.floor(hold) : undefined, signal });
      }
      const now = JSON.stringify([this.status, this.progress]);
      if (now !== seen) {
        seen = now;
        onProgress?.(this);
      }
      if (this.isComplete()) {
        this.throwForStatus();
        return this;
      }
      if (left() <= 0) {
        throw new OperationTimeoutError(
          `Operation ${this.operationId} is still ${this.status} after ${timeout} ms; it goes on.`,
          { operationId: this.operationId },
        );
      }
      const waited = held ? (performance.now() - looked) / 1000 : 0;
      await this.#calls.session.pause(Math.max(0, Math.min(interval - waited, left())), signal);
      if (pollInterval === undefined) interval = Math.min(LONGEST_INTERVAL, interval * GROWTH);
    }
  }

  async *watch({ signal } = {}) {
    for await (const state of watch(this.#calls, this.operationId, { signal })) {
      this.#take(state);
      yield this;
    }
  }

  async cancel(options = {}) {
    await this.#calls.ask("cancel_operation", { operation_id: this.operationId }, {}, options);
    return this.#look(options);
  }

  async retry(options = {}) {
    await this.#calls.ask("retry_operation", { operation_id: this.operationId }, {}, options);
    return this.#look(options);
  }

  throwForStatus() {
    const { operationId, error } = this;
    if (this.status === "cancelled") {
      throw new OperationCancelledError(`Operation ${operationId} was cancelled.`, { operationId });
    }
    if (this.status === "failed") {
      throw new OperationFailedError(`Operation ${operationId} failed: ${error?.message ?? "no reason is given"}`, {
        operationId,
        code: error?.code,
        details: error?.details,
      });
    }
  }

  async #look({ wait, signal }) {
    const path = { operation_id: this.operationId };
    const { value } = await this.#calls.ask("get_operation", path, { wait }, { signal });
    this.#take(value);
    return this;
  }

  #take({ result, ...state }) {
    this.#result = result ?? null;
    Object.assign(this, state);
  }
}

/** Each state as it is told, until the operation has ended. A connection that breaks is made anew. */
async function* watch(calls, operationId, { signal } = {}) {
  let known = null;
  let breaks = 0;
  for (;;) {
    const call = calls.make("watch_operation", { operation_id: operationId }, {}, { signal });
    call.headers = { Accept: EVENTS, ...(known === null ? {} : { "Last-Event-ID": known }) };
    call.silence = LONGEST_SILENCE;
    try {
      for await (const event of eventsOf(calls.session.lines(call, EVENTS))) {
        const state = fromWire(JSON.parse(event.data));
        known = event.id;
        breaks = 0;
        yield state;
        if (TERMINAL.has(state.status)) return;
      }
      throw new APIConnectionError("The API told no more of the operation.", { requestId: call.requestId });
    } catch (error) {
      if (!(error instanceof APIConnectionError) || ++breaks > MOST_BREAKS) throw error;
    }
    await calls.session.pause(FIRST_INTERVAL * 2 ** breaks, signal);
  }
}

module.exports = { Operation, watch };
