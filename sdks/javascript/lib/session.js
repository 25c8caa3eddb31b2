"use strict";
/** Carries calls out: the token, repetitions, time. All of the SDK's input and output is here. */

const { CLASSES, isObject, statusError } = require("./errors.js");
const { fromWire } = require("./naming.js");
const { RetryPolicy, secondsOf } = require("./retry.js");
const { linesOf } = require("./streams.js");
const { version } = require("./version.js");

const { APIConnectionError, APITimeoutError, UnexpectedAnswerError } = CLASSES;

const RENEW_BEFORE_SECONDS = 60;
const MOST_OF_LIFE = 0.9;

/** What all resources of one client share. */
class Session {
  #configuration;
  #policy;
  #timeout;
  #fetch;
  #token = null;
  #asking = null;

  constructor(configuration, { timeout, maxRetries, fetch }) {
    this.#configuration = configuration;
    this.#timeout = timeout;
    this.#policy = new RetryPolicy({ maxRetries });
    this.#fetch = fetch;
  }

  /** Milliseconds for which an answer may be waited for. */
  get patience() {
    return this.#timeout;
  }

  /**
   * The value of this call's answer, in JavaScript's names: `{ value, headers, status }`.
   *
   * Throws APIStatusError, APIConnectionError, UnexpectedAnswerError, or the reason of `call.signal`.
   */
  async run(call) {
    return this.#answerTo(call, async (exchange) => {
      const { response } = exchange;
      const content = await exchange.text();
      if (response.status === 304) return { value: null, headers: response.headers, status: 304 };
      if (response.status >= 400) throw errorOf(response, content, call);
      if (!response.ok) {
        throw unexpected(response, call, `it redirects or only informs (HTTP ${response.status})`);
      }
      if (content === "" && call.method === "DELETE") {
        return { value: null, headers: response.headers, status: response.status };
      }
      if (content === "") throw unexpected(response, call, "it is empty");
      if (!isJson(response)) throw unexpected(response, call, `its content type is ${kindOf(response) || "missing"}`);
      const body = parsed(content);
      if (body === undefined) throw unexpected(response, call, "its JSON is broken");
      if (!isObject(body)) throw unexpected(response, call, "it is no object");
      return { value: fromWire(body), headers: response.headers, status: response.status };
    });
  }

  /** The answer's body as it comes in, in pieces of any size. Ending the iteration ends the connection. */
  async *pieces(call, mediaType) {
    const exchange = await this.#answerTo(call, async (exchange) => {
      const { response } = exchange;
      if (response.status >= 400) throw errorOf(response, await exchange.text(), call);
      if (response.status !== 200 || kindOf(response) !== mediaType) {
        exchange.end();
        throw unexpected(response, call, `its content type is ${kindOf(response) || "missing"}, not ${mediaType}`);
      }
      return exchange;
    });
    try {
      yield* exchange.pieces();
    } finally {
      exchange.end();
    }
  }

  /** The same in lines, without their ends: those that each piece completes, in one array. */
  lines(call, mediaType) {
    return linesOf(this.pieces(call, mediaType));
  }

  /** A token that is valid by the clock, fetched where there is none; asked for once however many want it. */
  async accessToken() {
    if (this.#token !== null && performance.now() < this.#token.renewAt) return this.#token.value;
    this.#asking ??= this.#fetchToken().finally(() => (this.#asking = null));
    return this.#asking;
  }

  /** Waits so many seconds. Rejects with the signal's reason where it is aborted. */
  pause(seconds, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const stop = () => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", stop);
        resolve();
      }, seconds * 1000);
      signal?.addEventListener("abort", stop, { once: true });
    });
  }

  async #answerTo(call, read) {
    if (call.atRoot) return this.#send(this.#request(call, null), call, read);
    const token = await this.accessToken();
    try {
      return await this.#send(this.#request(call, token), call, read);
    } catch (error) {
      if (!(error instanceof CLASSES.UnauthorizedError)) throw error;
      // Expired or revoked before its time: one new token, one more try.
      if (this.#token?.value === token) this.#token = null;
      return this.#send(this.#request(call, await this.accessToken()), call, read);
    }
  }

  #request(call, token) {
    const base = call.atRoot ? this.#configuration.rootUrl : this.#configuration.baseUrl;
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(call.query ?? {})) {
      if (value !== undefined && value !== null) query.set(name, String(value));
    }
    const headers = { Accept: "application/json", ...call.headers, "X-Request-ID": call.requestId };
    if (token !== null) headers.Authorization = `Bearer ${token}`;
    if (call.idempotencyKey) headers["Idempotency-Key"] = call.idempotencyKey;
    const search = query.toString();
    return request(call.method, `${base}${call.path}${search && `?${search}`}`, headers, call.body);
  }

  async #send(wanted, call, read) {
    for (let attempt = 0; ; attempt++) {
      const exchange = new Exchange(this.#fetch, wanted, {
        timeout: Math.max(this.#timeout, call.silence ?? 0),
        signal: call.signal,
        requestId: call.requestId,
      });
      let delay;
      try {
        await exchange.begin();
        const retryAfter = secondsOf(exchange.response.headers.get("Retry-After"));
        delay = this.#policy.afterStatus(exchange.response.status, retryAfter, { attempt, repeat: call.repeat });
        if (delay === null) return await read(exchange);
        exchange.end();
      } catch (error) {
        exchange.end();
        if (!(error instanceof APIConnectionError)) throw error;
        delay = this.#policy.afterError(exchange.failure, { attempt, repeat: call.repeat });
        if (delay === null) throw error;
      }
      await this.pause(delay, call.signal);
    }
  }

  async #fetchToken() {
    const { clientId, clientSecret, tokenUrl, scope } = this.#configuration;
    const body = { client_id: clientId, client_secret: clientSecret(), grant_type: "client_credentials" };
    if (scope !== undefined) body.scope = scope;
    const wanted = request("POST", tokenUrl, { Accept: "application/json" }, body);
    return this.#send(wanted, { repeat: "freely" }, async (exchange) => {
      const { response } = exchange;
      const content = await exchange.text();
      if (!response.ok) throw errorOf(response, content);
      const answer = parsed(content);
      if (typeof answer?.access_token !== "string") {
        throw new UnexpectedAnswerError(`${tokenUrl} gave no token: is it a token endpoint?`, {
          status: response.status,
        });
      }
      const seconds = Number(answer.expires_in ?? 3600);
      // Renewed a minute before it expires, or a tenth of its life where that is shorter.
      const life = Math.max(seconds - RENEW_BEFORE_SECONDS, seconds * MOST_OF_LIFE);
      this.#token = { value: answer.access_token, renewAt: performance.now() + life * 1000 };
      return answer.access_token;
    });
  }
}

/** One request and its answer. `timeout` milliseconds may pass before the answer begins, and between its pieces. */
class Exchange {
  #fetch;
  #wanted;
  #timeout;
  #signal;
  #requestId;
  #controller = new AbortController();
  #stop;

  constructor(fetch, wanted, { timeout, signal, requestId }) {
    this.#fetch = fetch;
    this.#wanted = wanted;
    this.#timeout = timeout;
    this.#signal = signal;
    this.#requestId = requestId ?? null;
    this.#stop = () => this.#controller.abort(signal.reason);
    this.response = null;
    /** The system's word for why there was no answer. */
    this.failure = null;
  }

  /** Sends the request and waits for the answer's head. */
  async begin() {
    this.#signal?.throwIfAborted();
    this.#signal?.addEventListener("abort", this.#stop, { once: true });
    const { url, init } = this.#wanted;
    this.response = await this.#inTime(() => this.#fetch(url, init(this.#controller.signal)));
  }

  /** The body's pieces. */
  async *pieces() {
    if (this.response.body === null) return;
    const reader = this.response.body.getReader();
    try {
      for (;;) {
        const { done, value } = await this.#inTime(() => reader.read());
        if (done) return;
        yield value;
      }
    } finally {
      reader.cancel().catch(() => {}); // It may have failed already.
    }
  }

  /** The whole body as text. */
  async text() {
    const decoder = new TextDecoder();
    let text = "";
    for await (const piece of this.pieces()) text += decoder.decode(piece, { stream: true });
    this.end();
    return text + decoder.decode();
  }

  /** Lets go of the connection, and of the caller's signal. */
  end() {
    this.#signal?.removeEventListener("abort", this.#stop);
    this.#controller.abort();
  }

  async #inTime(work) {
    let late = false;
    const abandon = () => {
      late = true;
      this.#controller.abort();
    };
    const timer = Number.isFinite(this.#timeout) ? setTimeout(abandon, this.#timeout) : undefined;
    try {
      return await work();
    } catch (error) {
      if (this.#signal?.aborted) throw this.#signal.reason;
      this.failure = late ? "TIMEOUT" : (error?.cause?.code ?? error?.code ?? null);
      throw this.#connectionError(error, late);
    } finally {
      clearTimeout(timer);
    }
  }

  // The error below may hold the request with its secrets, so it does not become the cause of this one.
  #connectionError(error, late) {
    const place = new URL(this.#wanted.url).origin;
    const told = { requestId: this.#requestId };
    if (late) return new APITimeoutError(`${place} did not answer in time.`, told);
    const reason = error?.cause?.message || error?.cause?.code || error?.message || "no reason is given";
    return new APIConnectionError(`The connection to ${place} failed: ${reason.trim()}`, told);
  }
}

/** What to send. Body and headers are made when it is sent, and are in no field that a console would print. */
function request(method, url, headers, body) {
  return {
    url,
    init: (signal) => ({
      method,
      headers: {
        ...headers,
        "User-Agent": `a-domain-sdk-javascript/${version}`,
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      redirect: "manual",
      signal,
    }),
  };
}

/** Where an answer (of a gateway, say) has no request id, the error has the one that was sent. */
function errorOf(response, content, call) {
  return statusError(response.status, isJson(response) ? parsed(content) : undefined, {
    requestId: response.headers.get("X-Request-ID") ?? call?.requestId,
    retryAfter: secondsOf(response.headers.get("Retry-After")),
    phrase: response.statusText,
  });
}

function unexpected(response, call, why) {
  const sentence = `The answer of ${call.path} is not one of this API: ${why}. Does the base URL point to it?`;
  return new UnexpectedAnswerError(sentence, {
    status: response.status,
    requestId: response.headers.get("X-Request-ID") ?? call.requestId,
  });
}

function parsed(content) {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}

function kindOf(response) {
  return (response.headers.get("Content-Type") ?? "").split(";")[0].trim().toLowerCase();
}

function isJson(response) {
  const kind = kindOf(response);
  return kind === "application/json" || kind.endsWith("+json");
}

module.exports = { Session };
