"use strict";
/** Where the API is and who asks: options first, then the environment. */

const { ConfigurationError } = require("./errors.js").CLASSES;

const OPTIONS = ["clientId", "clientSecret", "baseUrl", "tokenUrl", "scope", "timeout", "maxRetries", "fetch"];

/**
 * The configuration of these options and the environment. Throws ConfigurationError for what is missing or wrong.
 *
 * There is no default address: a secret is never sent to a host that nobody named.
 */
function configure(options, environment = globalThis.process?.env ?? {}) {
  const unknown = Object.keys(options).filter((name) => !OPTIONS.includes(name));
  if (unknown.length) throw new ConfigurationError(`No such option: ${unknown.join(", ")}. There are ${OPTIONS.join(", ")}.`);
  const baseUrl = url(given(options.baseUrl, "baseUrl", "DATAOPS_BASE_URL", environment), "baseUrl");
  if (new URL(baseUrl).pathname === "/") {
    throw new ConfigurationError(`baseUrl must have the API's path: ${baseUrl}/v1/dataops.`);
  }
  const tokenUrl = options.tokenUrl || environment.DATAOPS_TOKEN_URL || new URL("/token", baseUrl).href;
  const secret = given(options.clientSecret, "clientSecret", "DATAOPS_CLIENT_SECRET", environment);
  return {
    baseUrl,
    rootUrl: new URL(baseUrl).origin,
    tokenUrl: url(tokenUrl, "tokenUrl"),
    clientId: given(options.clientId, "clientId", "DATAOPS_CLIENT_ID", environment),
    // A function, so that whoever prints the configuration prints no secret.
    clientSecret: () => secret,
    scope: Array.isArray(options.scope) ? options.scope.join(" ") : options.scope,
  };
}

function given(value, option, variable, environment) {
  const found = value || environment[variable];
  if (!found) throw new ConfigurationError(`No ${option}: give it as an option or set ${variable}.`);
  return found;
}

function url(value, option) {
  let parsed;
  try {
    parsed = new URL(value);
  } catch {
    parsed = null;
  }
  if (parsed === null || !["http:", "https:"].includes(parsed.protocol)) {
    throw new ConfigurationError(`${option} must be an http:// or https:// address.`);
  }
  if (parsed.username || parsed.password || parsed.search || parsed.hash) {
    throw new ConfigurationError(`${option} must be a plain address, without user, query or fragment.`);
  }
  return value.replace(/\/+$/, "");
}

module.exports = { configure };
