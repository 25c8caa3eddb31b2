"use strict";
/** Makes a call of an operation's id, its path and its members, by the table of what the API serves. */

const { newId } = require("./ids.js");
const { toWire } = require("./naming.js");
const { OPERATIONS } = require("./operations.js");

class Calls {
  constructor(session) {
    Object.defineProperty(this, "session", { value: session });
  }

  /**
   * The call. `members` are query and body, in JavaScript's names; what the API does not know is sent as it is, for a
   * newer server. `options` have `idempotencyKey`, `ifMatch`, `ifNoneMatch`, `signal`.
   */
  make(operationId, path, members, { idempotencyKey, ifMatch, ifNoneMatch, signal } = {}) {
    const known = OPERATIONS[operationId];
    const wire = toWire(members, { ...known.query, ...known.body });
    const query = {};
    const body = {};
    for (const [name, value] of Object.entries(wire)) {
      const place = known.body === undefined || Object.hasOwn(known.query ?? {}, name) ? query : body;
      place[name] = value;
    }
    const headers = {};
    if (ifMatch) headers["If-Match"] = ifMatch;
    if (ifNoneMatch) headers["If-None-Match"] = ifNoneMatch;
    return {
      method: known.method,
      path: known.path.replace(/\{(\w+)\}/g, (_, name) => segment(path[name])),
      atRoot: known.atRoot,
      query,
      body: known.body === undefined ? undefined : body,
      headers,
      idempotencyKey: known.keyed ? (idempotencyKey ?? newId()) : undefined,
      requestId: newId(),
      repeat: known.repeat,
      signal,
    };
  }

  ask(operationId, path = {}, members = {}, options = {}) {
    return this.session.run(this.make(operationId, path, members, options));
  }
}

/** An id in a path, escaped, so that none can lead to another path. Throws TypeError for an empty one. */
function segment(id) {
  const text = String(id ?? "");
  if (text.replaceAll(".", "") === "") throw new TypeError("an id must not be empty");
  return encodeURIComponent(text);
}

module.exports = { Calls };
