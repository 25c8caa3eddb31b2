"use strict";
/** Names on the wire (`quality_score`) and in JavaScript (`qualityScore`). Pure. */

/** Members of answers whose content is the caller's, the vendor's or another standard's, and stays as it is. */
const OPAQUE = new Set([
  "custom_fields",
  "metrics",
  "details",
  "before",
  "after",
  "records",
  "sample_records",
  "keys",
]);
/** Members of `metadata` that are the API's; all others are the caller's own. */
const OF_METADATA = new Set(["use_case", "requested_by", "custom_fields"]);

function camel(name) {
  return name.replace(/(?<=[a-z0-9])_([a-z0-9])/g, (_, letter) => letter.toUpperCase());
}

function snake(name) {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** An answer in JavaScript's names. `_links` is `links`. */
function fromWire(value) {
  if (Array.isArray(value)) return value.map(fromWire);
  if (typeof value !== "object" || value === null) return value;
  const made = {};
  for (const [name, member] of Object.entries(value)) {
    if (name === "_links") made.links = member;
    else if (name === "metadata") made.metadata = metadataFromWire(member);
    else made[camel(name)] = OPAQUE.has(name) ? member : fromWire(member);
  }
  return made;
}

function metadataFromWire(metadata) {
  if (typeof metadata !== "object" || metadata === null) return metadata;
  return Object.fromEntries(
    Object.entries(metadata).map(([name, member]) => [OF_METADATA.has(name) ? camel(name) : name, member]),
  );
}

/**
 * A request in the wire's names. `known` is the tree of members that the API takes: where one has members of its own
 * they are named too, and what it does not know is left as the caller wrote it. What is undefined is left out.
 */
function toWire(value, known, { top = true } = {}) {
  const made = {};
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue;
    const wire = snake(name);
    const knows = Object.hasOwn(known, wire);
    const inner = knows && typeof known[wire] === "object" && isPlain(member);
    made[knows || top ? wire : name] = inner ? toWire(member, known[wire], { top: false }) : plain(member);
  }
  return made;
}

function isPlain(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function plain(value) {
  return value instanceof Date ? value.toISOString() : value;
}

module.exports = { camel, snake, fromWire, toWire };
