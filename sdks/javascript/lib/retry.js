"use strict";
/**
 * When a request is made again, and after how long. Pure: the session sends and sleeps.
 *
 * What does no harm to be made twice (reading, and everything with an `Idempotency-Key`, which the server does once
 * however often it is sent) is repeated after 429, 502, 503, 504 and after any failure of the connection. Anything else
 * is repeated where it certainly did nothing: after 429 and 503, and where the connection was never made.
 */

const REFUSED = new Set([429, 503]);
const PASSING = new Set([429, 502, 503, 504]);
/** With Retry-After: the first request with this idempotency key is still being answered. */
const UNDER_WAY = 409;
const NEVER_SENT = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "UND_ERR_CONNECT_TIMEOUT"]);

const FIRST_DELAY = 0.5;
const LONGEST_DELAY = 8;
const LONGEST_RETRY_AFTER = 120;

class RetryPolicy {
  constructor({ maxRetries = 3, draw = Math.random } = {}) {
    this.maxRetries = maxRetries;
    this.draw = draw;
  }

  /**
   * Seconds to wait before the next attempt, null for no further one. `attempt` counts from 0.
   *
   * The server's Retry-After is honoured, never undercut, and where it is longer than two minutes the error goes to the
   * caller at once instead of holding the program up.
   */
  afterStatus(status, retryAfter, { attempt, repeat }) {
    if (attempt >= this.maxRetries || !passes(status, retryAfter, repeat)) return null;
    if (retryAfter === null) return this.#backoff(attempt);
    if (retryAfter > LONGEST_RETRY_AFTER) return null;
    // Many clients that were sent away together must not come back together.
    return retryAfter + this.draw() * Math.min(1, 0.1 * retryAfter);
  }

  /** The same after a request that got no answer; `code` is the system's word for why. */
  afterError(code, { attempt, repeat }) {
    if (attempt >= this.maxRetries || repeat === "never") return null;
    if (repeat === "refused" && !NEVER_SENT.has(code)) return null;
    return this.#backoff(attempt);
  }

  #backoff(attempt) {
    return Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** attempt) * (0.5 + 0.5 * this.draw());
  }
}

function passes(status, retryAfter, repeat) {
  if (repeat === "never") return false;
  if (repeat === "refused") return REFUSED.has(status);
  return PASSING.has(status) || (status === UNDER_WAY && retryAfter !== null);
}

/** The seconds that a Retry-After header asks for, given as seconds or as a date (RFC 9110, 10.2.3); else null. */
function secondsOf(retryAfter, now = Date.now()) {
  if (retryAfter === null || retryAfter === undefined) return null;
  const text = retryAfter.trim();
  if (/^\d+$/.test(text)) return Number(text);
  const moment = /^[A-Za-z]{3}/.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(moment) ? null : Math.max(0, (moment - now) / 1000);
}

module.exports = { RetryPolicy, secondsOf };
