"use strict";
/** What a client can do, by resource. Each method is one operation of the API. */

const { GroundTruth } = require("./ground_truth.js");
const { newId } = require("./ids.js");
const { Operation, watch } = require("./operation.js");
const { LinkedPage, Page, listing } = require("./pages.js");
const { Records } = require("./records.js");

class Resource {
  #calls;

  constructor(calls) {
    this.#calls = calls;
  }

  get _calls() {
    return this.#calls;
  }

  async _value(operationId, path, members, options) {
    return (await this.#calls.ask(operationId, path, members, options)).value;
  }

  async _accepted(operationType, operationId, path, members, options) {
    return Operation.accepted(this.#calls, await this._value(operationId, path, members, options), operationType);
  }

  /** One numbered page, whose items are the answer's member of this name. */
  _page(operationId, name, members, options) {
    const fetch = async (number) => {
      const asked = number === undefined ? members : { ...members, page: number };
      const value = await this._value(operationId, {}, asked, options);
      return new Page(value[name], value.pagination, fetch);
    };
    return listing(fetch());
  }

  /** One page of a list that links the page after it by `links[onward]`. */
  _linked(operationId, path, name, onward, members, options) {
    const fetch = async (asked) => {
      const value = await this._value(operationId, path, asked, options);
      return new LinkedPage(value[name], value.links?.[onward], fetch);
    };
    return listing(fetch(members));
  }
}

/** Members of a request and, apart from them, options of the call. */
function apart({ idempotencyKey, ifMatch, signal, ...members } = {}) {
  return [members, { idempotencyKey, ifMatch, signal }];
}

class Datasets extends Resource {
  create(request) {
    return this._accepted("dataset_provisioning", "create_datasets", {}, ...apart(request));
  }

  list(filters) {
    return this._page("list_datasets", "datasets", ...apart(filters));
  }

  async get(datasetId, options) {
    return tagged(await this._calls.ask("get_dataset", { dataset_id: datasetId }, {}, options));
  }

  async refresh(dataset, options) {
    const path = { dataset_id: dataset.datasetId };
    const answer = await this._calls.ask("get_dataset", path, {}, { ...options, ifNoneMatch: dataset.etag });
    return answer.status === 304 ? dataset : tagged(answer);
  }

  async update(datasetId, request) {
    return tagged(await this._calls.ask("change_metadata", { dataset_id: datasetId }, ...apart(request)));
  }

  delete(datasetId, request) {
    return this._accepted("dataset_teardown", "delete_dataset", { dataset_id: datasetId }, ...apart(request));
  }

  teardown(datasetId, request) {
    return this._accepted("dataset_teardown", "tear_down_dataset", { dataset_id: datasetId }, ...apart(request));
  }

  restore(datasetId, request) {
    return this._accepted("dataset_restore", "restore_dataset", { dataset_id: datasetId }, ...apart(request));
  }

  records(datasetId, options = {}) {
    return new Records(this._calls, datasetId, options);
  }

  groundTruth(datasetId, options = {}) {
    return new GroundTruth(this._calls, datasetId, options);
  }

  getQuality(datasetId, options) {
    return this._value("get_quality", { dataset_id: datasetId }, {}, options);
  }

  getUsage(datasetId, request) {
    return this._value("get_usage", { dataset_id: datasetId }, ...apart(request));
  }

  getConnector(datasetId, options) {
    return this._value("get_connector", { dataset_id: datasetId }, {}, options);
  }

  async createConnectorToken(datasetId, { kind = "search", ...request } = {}) {
    const [members, options] = apart(request);
    const { token, ...shown } = await this._value(
      "create_connector_token",
      { dataset_id: datasetId },
      { kind, ...members },
      options,
    );
    // Readable, but in no log of the whole object.
    return Object.defineProperty(shown, "token", { value: token, enumerable: false });
  }

  async revokeConnectorToken(datasetId, tokenId, request) {
    await this._value("revoke_connector_token", { dataset_id: datasetId, token_id: tokenId }, ...apart(request));
  }
}

class Quality extends Resource {
  get(datasetId, options) {
    return this._value("get_quality", { dataset_id: datasetId }, {}, options);
  }

  validate(datasetId, request) {
    return this._accepted("quality_validation", "validate_quality", { dataset_id: datasetId }, ...apart(request));
  }

  history(datasetId, filters) {
    const path = { dataset_id: datasetId };
    return this._linked("get_quality_history", path, "history", "older", ...apart(filters));
  }
}

class Templates extends Resource {
  async list(filters) {
    return (await this._value("list_templates", {}, ...apart(filters))).templates;
  }

  get(templateId, options) {
    return this._value("get_template", { template_id: templateId }, {}, options);
  }

  async recommend(request) {
    return (await this._value("recommend_templates", {}, ...apart(request))).recommendations;
  }
}

class Operations extends Resource {
  list(filters) {
    return this._page("list_operations", "operations", ...apart(filters));
  }

  async get(operationId, { wait, signal } = {}) {
    const path = { operation_id: operationId };
    return new Operation(this._calls, await this._value("get_operation", path, { wait }, { signal }));
  }

  async wait(operationId, options) {
    return (await this.get(operationId, { signal: options?.signal })).wait(options);
  }

  async *watch(operationId, options) {
    for await (const state of watch(this._calls, operationId, options)) yield new Operation(this._calls, state);
  }

  async cancel(operationId, options) {
    await this._value("cancel_operation", { operation_id: operationId }, {}, options);
    return this.get(operationId, options);
  }

  async retry(operationId, options) {
    await this._value("retry_operation", { operation_id: operationId }, {}, options);
    return this.get(operationId, options);
  }
}

class Journeys extends Resource {
  get(journeyId, request) {
    return this._value("get_journey", { journey_id: journeyId }, ...apart(request));
  }

  tell(journeyId, request) {
    const [members, options] = apart(request);
    const event = { eventId: newId(), occurredAt: new Date(), ...members };
    return this._value("tell_journey_event", { journey_id: journeyId }, event, options);
  }
}

class AuditLog extends Resource {
  list(filters) {
    return this._linked("list_audit", {}, "entries", "next", ...apart(filters));
  }
}

class Service extends Resource {
  health(options) {
    return this._value("healthz", {}, {}, options);
  }

  readiness(options) {
    return this._value("readyz", {}, {}, options);
  }

  authorizationServer(options) {
    return this._value("authorization_server_metadata", {}, {}, options);
  }

  signingKeys(options) {
    return this._value("published_keys", {}, {}, options);
  }
}

function tagged({ value, headers }) {
  // Of the answer, not of the dataset: it is not shown with its members.
  return Object.defineProperty(value, "etag", { value: headers.get("ETag"), enumerable: false });
}

module.exports = { AuditLog, Datasets, Journeys, Operations, Quality, Service, Templates };
