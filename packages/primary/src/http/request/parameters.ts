import { type ApiCall, coerceQuery } from '@carillon/contract';
import type { RequestBody } from './body.js';

type Fields = Record<string, unknown>;

/** Keys that speak to the HTTP layer: no handler sees them, and none can end up in an event or a job. */
const controlKeys = ['api_key', 'session_id', 'callback', 'pretty', 'format'] as const;

/**
 * One set of parameters from query and body, by the call's merge rule (behaviour reference 1.3). The answer is a
 * fresh object without credentials and other control keys. With a truthy `post_data` in the query of a
 * `body-wins` call the body is not merged but handed over as `post_data` (API reference, run_event).
 */
export function mergeParameters(call: ApiCall, query: Readonly<Fields>, body: RequestBody): Fields {
  const params = merge(call, query, body);
  for (const key of controlKeys) Reflect.deleteProperty(params, key);
  return params;
}

function merge(call: ApiCall, query: Readonly<Fields>, body: RequestBody): Fields {
  switch (call.merge) {
    case 'query-only':
      return coerceQuery(call, query);
    case 'body-only':
      return bodyFields(call, body);
    case 'query-wins':
      return { ...bodyFields(call, body), ...coerceQuery(call, query) };
    case 'body-wins': {
      const { post_data: flag, ...fields } = coerceQuery(call, query);
      if (isSet(flag)) return { ...fields, post_data: postData(body) };
      return { ...fields, ...bodyFields(call, body) };
    }
  }
}

/** Fields of the body; of one that is no object, none. */
function bodyFields(call: ApiCall, body: RequestBody): Fields {
  if (body.kind === 'form') return coerceQuery(call, body.value);
  return body.kind === 'json' && isFields(body.value) ? { ...body.value } : {};
}

/** Fields of the body as they came. */
export function rawFields(body: RequestBody): Readonly<Fields> {
  return (body.kind === 'json' || body.kind === 'form') && isFields(body.value) ? body.value : {};
}

/** The body as data for a job, without the credentials that may have come with it. */
function postData(body: RequestBody): unknown {
  switch (body.kind) {
    case 'none':
      return {};
    case 'raw':
      return { raw: body.text };
    case 'form':
    case 'json': {
      if (!isFields(body.value)) return body.value;
      const { api_key: _key, session_id: _session, ...data } = body.value;
      return data;
    }
  }
}

const isSet = (flag: unknown): boolean => Boolean(flag) && flag !== '0' && flag !== 'false';

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
