"use strict";
/** Pieces of a stream into lines, and lines into server-sent events (WHATWG HTML, 9.2). Pure. */

/**
 * Lines of a stream, whose pieces end anywhere: those that each piece completes, in one array. Only a line feed ends one:
 * a record may hold all else.
 */
async function* linesOf(pieces) {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of pieces) {
    rest += decoder.decode(piece, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop();
    yield lines;
  }
  rest += decoder.decode();
  if (rest !== "") yield [rest];
}

/** Events out of lines: `{ id, data }`, where `id` is what to come back with. */
async function* eventsOf(lines) {
  let id = null;
  let data = [];
  for await (const some of lines) {
    for (const whole of some) {
      const line = whole.endsWith("\r") ? whole.slice(0, -1) : whole;
      const [, name, value] = /^([^:]*):? ?(.*)$/.exec(line);
      if (name === "data") data.push(value);
      else if (name === "id") id = value;
      else if (line === "" && data.length > 0) {
        yield { id, data: data.join("\n") };
        data = [];
      }
    }
  }
}

module.exports = { linesOf, eventsOf };
