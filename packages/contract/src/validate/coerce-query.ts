import type { ApiCall } from '../calls/index.js';
import { type FieldRule, fieldRules } from './field-rules.js';

/** Keys that would reach a prototype when an object is indexed with them. */
const refusedKeys = new Set(['__proto__', 'constructor', 'prototype']);
/** Deepest `a/b/c` that is followed. */
const maxDepth = 8;
const numberText = /^-?\d+(\.\d+)?$/;

/**
 * Parameters from the text of a query string or form: numeric text becomes a number where the call wants a number
 * or flag, and keys such as `params/foo` set nested values (behaviour reference 5.9). Everything else stays as it
 * is. Keys that would reach a prototype are dropped. The answer is a fresh object without a prototype's keys.
 */
export function coerceQuery(
  call: ApiCall,
  query: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const params: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(query)) {
    if (refusedKeys.has(key)) continue;
    if (key.includes('/')) setNested(params, key.split('/'), value);
    else params[key] = value;
  }
  for (const rule of fieldRules(call.params)) {
    if (!Object.hasOwn(params, rule.name)) continue;
    params[rule.name] = coerceValue(rule, params[rule.name]);
  }
  return params;
}

function coerceValue(rule: FieldRule, value: unknown): unknown {
  if (typeof value !== 'string' || rule.types === undefined || !rule.types.has('number')) return value;
  // Where text is as good as a number (offset, limit) it stays text; where '' has a meaning of its own, too.
  if (rule.types.has('string')) return value;
  if (numberText.test(value)) return Number(value);
  if (rule.types.has('boolean') && (value === 'true' || value === 'false')) return value === 'true';
  return value;
}

function setNested(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const keys = path.filter((key) => key !== '');
  const last = keys.pop();
  if (last === undefined || keys.length >= maxDepth) return;
  if (refusedKeys.has(last) || keys.some((key) => refusedKeys.has(key))) return;
  let inner = target;
  for (const key of keys) {
    const next = Object.hasOwn(inner, key) ? inner[key] : undefined;
    if (isPlainObject(next)) inner = next;
    else {
      const fresh: Record<string, unknown> = {};
      inner[key] = fresh;
      inner = fresh;
    }
  }
  inner[last] = value;
}

const isPlainObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
