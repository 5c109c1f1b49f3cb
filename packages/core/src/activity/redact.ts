/** Stands where a credential was. */
export const hidden = '[redacted]';

/** Password part of a URL such as `redis://user:pass@host`. */
const urlPassword = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):[^\s@/]*@/gi;
/** A credential in a query, or in the form that a body has. */
const queryCredential = /\b(api_key|password|secret|session_id|token)=[^\s&"'<>]+/gi;

/** The text without passwords of URLs and credentials of queries. */
export function redactText(text: string): string {
  const open = text.includes('://') ? text.replace(urlPassword, `$1:${hidden}@`) : text;
  return open.includes('=') ? open.replace(queryCredential, `$1=${hidden}`) : open;
}

/** Not `api_key`: in records that is the id of a key, never the key. */
const secretName = /passw|secret|token|authorization|cookie|private_?key|^key(_hash)?$/i;

/**
 * A value as it may be kept in the activity log: what is named like a credential is replaced at any depth, and so are
 * credentials inside texts (behaviour reference 13 #23). The value is not changed.
 */
export function redactRecord<T>(value: T): T;
export function redactRecord(value: unknown): unknown {
  if (typeof value === 'string') return redactText(value);
  if (Array.isArray(value)) return value.map((item) => redactRecord(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => {
      const isCredential = secretName.test(name) && typeof part === 'string' && part !== '';
      return [name, isCredential ? hidden : redactRecord(part)];
    }),
  );
}
