// The way to the gateway: one function, with a time-out, the proof that a request is ours, and problems as errors.

import { t } from './words.js';

const PATIENCE = 15_000;

/** What the gateway answers instead of what was asked (RFC 9457), in the page's language; status 0 is a network that did not answer. */
export class Problem extends Error {
  constructor(status, body = {}) {
    super(t(body.detail || body.title || ''));
    this.status = status;
    this.body = { ...body, errors: body.errors?.map((each) => ({ ...each, detail: t(each.detail) })) };
    this.kind = String(body.type || '').split(/[/:#]/).pop();
  }
}

export function createApi({ expired }) {
  const numbers = new Map();
  const api = { csrf: '' };

  async function call(method, path, body, { patience = PATIENCE, quiet = false, last = false } = {}) {
    const headers = { Accept: 'application/json', 'X-CSRF': api.csrf };
    const form = body instanceof FormData;
    if (body !== undefined && !form) headers['Content-Type'] = 'application/json';
    let response;
    try {
      response = await fetch(`/desk/api/${path}`, {
        method,
        headers,
        body: body === undefined ? undefined : form ? body : JSON.stringify(body),
        signal: AbortSignal.timeout(patience),
        credentials: 'same-origin',
        keepalive: last,
      });
    } catch {
      throw new Problem(0);
    }
    const answer = await read(response);
    if (response.ok) return answer;
    const problem = new Problem(response.status, answer ?? {});
    if (response.status === 401 && !quiet) expired(problem);
    throw problem;
  }

  api.get = (path, more) => call('GET', path, undefined, more);
  api.post = (path, body = {}, more) => call('POST', path, body, more);
  api.put = (path, body, more) => call('PUT', path, body, more);
  api.patch = (path, body, more) => call('PATCH', path, body, more);
  api.remove = (path, more) => call('DELETE', path, undefined, more);

  /** Ask for the newest of its kind: an answer that a later question overtook is undefined (T21). */
  api.newest = async (kind, path) => {
    const number = (numbers.get(kind) ?? 0) + 1;
    numbers.set(kind, number);
    try {
      const answer = await call('GET', path);
      return numbers.get(kind) === number ? answer : undefined;
    } catch (problem) {
      if (numbers.get(kind) !== number) return undefined;
      throw problem;
    }
  };
  /** Let no answer of a kind that is still on its way count. */
  api.forget = (kind) => numbers.set(kind, (numbers.get(kind) ?? 0) + 1);
  return api;
}

async function read(response) {
  if (response.status === 204) return null;
  try {
    return await response.json();
  } catch {
    return null;
  }
}

/** Return a query string of what is given; empty values are left out. */
export function query(values) {
  const given = Object.entries(values).filter(([, value]) => value !== '' && value !== null && value !== undefined);
  return given.length ? `?${new URLSearchParams(given)}` : '';
}
