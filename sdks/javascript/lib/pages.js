"use strict";
/** Lists that come in pages. Iterating over a page goes on through all pages after it. */

/** One page of a list: `items`, and where it stands. */
class Page {
  #fetch;

  constructor(items, pagination, fetch) {
    this.items = items;
    this.page = pagination.page;
    this.perPage = pagination.perPage;
    this.totalPages = pagination.totalPages;
    this.totalCount = pagination.totalCount;
    this.#fetch = fetch;
  }

  get hasNext() {
    return this.page < this.totalPages;
  }

  async nextPage() {
    if (!this.hasNext) throw new RangeError(`page ${this.page} is the last of ${this.totalPages}`);
    return this.#fetch(this.page + 1);
  }

  [Symbol.asyncIterator]() {
    return eachOf(this);
  }
}

/** One page of a list that knows only what comes next: `items`, and whether there are more. */
class LinkedPage {
  #next;
  #fetch;

  constructor(items, link, fetch) {
    this.items = items;
    this.#next = link ? Object.fromEntries(new URL(link, "http://localhost").searchParams) : null;
    this.#fetch = fetch;
  }

  get hasNext() {
    return this.#next !== null;
  }

  async nextPage() {
    if (this.#next === null) throw new RangeError("this page is the last");
    return this.#fetch(this.#next);
  }

  [Symbol.asyncIterator]() {
    return eachOf(this);
  }
}

async function* eachOf(page) {
  for (;;) {
    yield* page.items;
    if (!page.hasNext) return;
    page = await page.nextPage();
  }
}

/** A promise of a page that can be iterated over without waiting for it first. */
function listing(promise) {
  return Object.assign(promise, {
    async *[Symbol.asyncIterator]() {
      yield* await promise;
    },
  });
}

module.exports = { Page, LinkedPage, listing };
