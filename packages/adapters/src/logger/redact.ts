import { types } from 'node:util';

const secretName = /key|secret|password|token|authorization|cookie|session.?id/i;
const hidden = '[redacted]';
/** Password part of a URL such as `redis://user:pass@host`. */
const urlPassword = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):[^\s@/]*@/gi;
const deepest = 6;

/** The text without passwords of URLs. */
export function redactText(text: string): string {
  return text.includes('://') ? text.replace(urlPassword, `$1:${hidden}@`) : text;
}

function redactValue(value: unknown, depth: number, seen: ReadonlySet<object>): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'function' || typeof value === 'symbol') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (seen.has(value)) return '[circular]';
  if (depth >= deepest) return '[deep]';
  if (types.isNativeError(value)) return redactText(value.stack ?? String(value));
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  const inside = new Set(seen).add(value);
  if (Array.isArray(value)) return value.map((item) => redactValue(item, depth + 1, inside));
  if (value instanceof Map) return redactEntries(value.entries(), depth, inside);
  return redactEntries(Object.entries(value), depth, inside);
}

function redactEntries(
  entries: Iterable<readonly [unknown, unknown]>,
  depth: number,
  seen: ReadonlySet<object>,
): Record<string, unknown> {
  return Object.fromEntries(
    Array.from(entries, ([key, value]): [string, unknown] => {
      const name = String(key);
      return [name, secretName.test(name) ? hidden : redactValue(value, depth + 1, seen)];
    }),
  );
}

/**
 * Fields as they may be written: values whose name sounds like a credential are replaced, at any depth, and so are
 * passwords inside URLs. The result is plain data without cycles. Values that do not sound like anything are kept, so
 * callers still must not log credentials.
 */
export function redactFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return redactEntries(Object.entries(fields), 0, new Set());
}
