/** `[key]` and `[/path/to/key]`; array places are numbers. */
const placeholder = /\[\/?([\w-]+(?:\/[\w-]+)*)\]/g;

/**
 * The text with its placeholders replaced by values: `[key]` and `[/path/to/key]` mean the same. Unknown ones stay as
 * they are. Objects and lists become JSON. Placeholders inside values are not looked at. Never throws.
 */
export function fillPlaceholders(
  template: string,
  values: Readonly<Record<string, unknown>>,
  clean: (value: string) => string = (value) => value,
): string {
  return template.replaceAll(placeholder, (whole: string, path: string) => {
    const value = lookUp(values, path.split('/'));
    return value === undefined ? whole : clean(textOfValue(value));
  });
}

function lookUp(values: unknown, path: readonly string[]): unknown {
  let value = values;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

/** A value as text; '' for null and for what JSON cannot say. */
export function textOfValue(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return '';
  if (typeof value !== 'object') return String(value);
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    return '';
  }
}

/** One line: line breaks and other control characters become blanks. */
export function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- these are what must not get into a header
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim();
}

/** Text as it appears in HTML, also inside attributes. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
