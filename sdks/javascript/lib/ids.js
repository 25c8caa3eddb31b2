"use strict";
/** Ids for requests. Node 18 has no global `crypto`. */

const crypto = globalThis.crypto ?? require("node:crypto").webcrypto;

module.exports = { newId: () => crypto.randomUUID() };
