/**
 * Replaces `[key]` and `[/path/to/key]` by values of the job (behaviour reference 6.7). A path goes through own
 * properties of objects and arrays; what is not text is put in as JSON, and what is not found is left as it is.
 */
export function fillPlaceholders(text: string, job: Readonly<Record<string, unknown>>): string {
  return text.replace(/\[([^[\]\s][^[\]]*)\]/g, (whole, path: string) => {
    const value = lookUp(job, path);
    if (value === undefined || value === null) return whole;
    return typeof value === 'string' ? value : JSON.stringify(value);
  });
}

function lookUp(from: unknown, path: string): unknown {
  let value: unknown = from;
  for (const key of path.replace(/^\//, '').split('/')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}
