"use strict";
/** The client: where everything begins. */

const { Calls } = require("./calls.js");
const { configure } = require("./configuration.js");
const { AuditLog, Datasets, Journeys, Operations, Quality, Service, Templates } = require("./resources.js");
const { Session } = require("./session.js");

class DataOpsClient {
  #session;

  constructor(options = {}) {
    const configuration = configure(options);
    this.baseUrl = configuration.baseUrl;
    this.#session = new Session(configuration, {
      timeout: options.timeout ?? 30_000,
      maxRetries: options.maxRetries ?? 3,
      fetch: options.fetch ?? ((...given) => globalThis.fetch(...given)),
    });
    const calls = new Calls(this.#session);
    this.datasets = new Datasets(calls);
    this.quality = new Quality(calls);
    this.templates = new Templates(calls);
    this.operations = new Operations(calls);
    this.journeys = new Journeys(calls);
    this.audit = new AuditLog(calls);
    this.service = new Service(calls);
  }

  /** A valid access token, for a request that this SDK does not make. It is a secret: keep it out of logs. */
  accessToken() {
    return this.#session.accessToken();
  }
}

module.exports = { DataOpsClient };
