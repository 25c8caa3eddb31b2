// Makes calls of the JavaScript SDK for the tests: a job a line on standard input, an outcome a line on standard output.
//
// A job is `{ options, call: [method, positional, named] }`, in the words of the API: names become JavaScript's
// here and back, seconds milliseconds. An outcome is `{ value }` or `{ error }`.

import { createInterface } from "node:readline";
import { inspect } from "node:util";

import * as sdk from "../../../sdks/javascript/lib/index.mjs";
import naming from "../../../sdks/javascript/lib/naming.js";

const { camel, snake } = naming;

/** Members of a request whose own members are the API's, too. */
const NAMED = new Set(["metadata", "generation", "client_metadata"]);

function inJavaScript(object) {
  const named = ([name, value]) => [camel(name), NAMED.has(name) ? inJavaScript(value) : value];
  return Object.fromEntries(Object.entries(object).map(named));
}

function inTheWordsOfTheApi(value) {
  if (Array.isArray(value)) return value.map(inTheWordsOfTheApi);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [snake(name), member]));
}

function client({ timeout, ...options }) {
  return new sdk.DataOpsClient({ ...inJavaScript(options), ...(timeout === undefined ? {} : { timeout: timeout * 1000 }) });
}

async function valueOf(client, [method, positional, named = {}]) {
  const [resource, name] = method.split(".").map(camel);
  const given = Object.keys(named).length > 0 ? [...positional, inJavaScript(named)] : positional;
  const value = client[resource][name](...given);
  if (value?.[Symbol.asyncIterator] === undefined) return inTheWordsOfTheApi(await value);
  const items = [];
  // An operation that is watched is one object that changes: what it says is noted as it is told.
  for await (const item of value) items.push(method === "datasets.records" ? item : inTheWordsOfTheApi(item));
  return items;
}

for await (const line of createInterface({ input: process.stdin })) {
  const { options, call } = JSON.parse(line);
  let outcome;
  try {
    outcome = { value: await valueOf(client(options), call) };
  } catch (error) {
    const { reason, ...told } = inTheWordsOfTheApi(error);
    const shown = inspect(error, { depth: 10, showHidden: true });
    outcome = { error: { kind: error.name, message: reason ?? error.message, ...told, shown } };
  }
  console.log(JSON.stringify(outcome));
}
