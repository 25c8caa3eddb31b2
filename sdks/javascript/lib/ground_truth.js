"use strict";
/** The ground truth of a dataset: questions whose answers are known. */

const { Page, listing } = require("./pages.js");

const ZIP = "application/zip";
const MOST = 100;

/** A dataset's questions with their answers, asked for as they are used. */
class GroundTruth {
  #calls;
  #datasetId;
  #kind;
  #options;

  constructor(calls, datasetId, { kind, ...options }) {
    this.#calls = calls;
    this.#datasetId = datasetId;
    this.#kind = kind;
    this.#options = options;
  }

  async *[Symbol.asyncIterator]() {
    yield* await this.#page(1, MOST);
  }

  page({ page = 1, perPage } = {}) {
    return listing(this.#page(page, perPage));
  }

  async defects() {
    const members = { format: "json", perPage: 1 };
    const path = { dataset_id: this.#datasetId };
    return (await this.#calls.ask("get_ground_truth", path, members, this.#options)).value.defects;
  }

  beir() {
    const path = { dataset_id: this.#datasetId };
    const call = this.#calls.make("get_ground_truth", path, { format: "beir" }, this.#options);
    call.headers = { Accept: ZIP };
    return this.#calls.session.pieces(call, ZIP);
  }

  async #page(page, perPage) {
    const path = { dataset_id: this.#datasetId };
    const members = { format: "json", kind: this.#kind, page, perPage };
    const { value } = await this.#calls.ask("get_ground_truth", path, members, this.#options);
    return new Page(value.queries, value.pagination, (number) => this.#page(number, perPage));
  }
}

module.exports = { GroundTruth };
