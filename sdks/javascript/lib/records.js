"use strict";
/** The records of a dataset, as its vendor would answer them. */

const { CLASSES } = require("./errors.js");
const { Page, listing } = require("./pages.js");

const MEDIA_TYPES = { ndjson: "application/x-ndjson", parquet: "application/vnd.apache.parquet" };

/** A dataset's records, asked for as they are used: one stream however many there are, one record in memory. */
class Records {
  #calls;
  #datasetId;
  #options;

  constructor(calls, datasetId, options) {
    this.#calls = calls;
    this.#datasetId = datasetId;
    this.#options = options;
  }

  async *[Symbol.asyncIterator]() {
    const call = this.#all("ndjson");
    for await (const lines of this.#calls.session.lines(call, MEDIA_TYPES.ndjson)) {
      for (const line of lines) yield recordOf(line, call);
    }
  }

  page({ page = 1, perPage } = {}) {
    return listing(this.#page(page, perPage));
  }

  pieces(format = "parquet") {
    return this.#calls.session.pieces(this.#all(format), MEDIA_TYPES[format]);
  }

  async #page(page, perPage) {
    const path = { dataset_id: this.#datasetId };
    const { value } = await this.#calls.ask("get_records", path, { format: "json", page, perPage }, this.#options);
    return new Page(value.records, value.pagination, (number) => this.#page(number, perPage));
  }

  #all(format) {
    const call = this.#calls.make("get_records", { dataset_id: this.#datasetId }, { format }, this.#options);
    call.headers = { Accept: MEDIA_TYPES[format] };
    return call;
  }
}

function recordOf(line, call) {
  try {
    return JSON.parse(line);
  } catch {
    const sentence = `The answer of ${call.path} is not one of this API: a line is no JSON.`;
    throw new CLASSES.UnexpectedAnswerError(sentence, { status: 200, requestId: call.requestId });
  }
}

module.exports = { Records };
