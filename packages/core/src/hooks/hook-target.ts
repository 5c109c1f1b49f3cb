/** A web hook's URL, taken apart from the suffixes written behind it. */
export interface HookTarget {
  url: string;
  headers: Record<string, string>;
  /** Added to the payload. */
  data: Record<string, unknown>;
}

const targetForm = /^\s*(https?:\/\/[^\s/?#]\S*)((?:\s+\[[^\]\r\n]*\])*)\s*$/i;
const suffixForm = /\[\s*(header|data)\s*:([^:\]\r\n]+):([^\]\r\n]*)\]/gi;
const headerName = /^[!#$%&'*+.^`|~\w-]+$/;
const headerValue = /^[\t\u0020-\u007e\u0080-\u00ff]*$/;
/** How a request travels is not for the target to say. */
const refusedHeaders: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * Reads `URL [header: Name: Value] [data: key: value]` (behaviour reference 7.1). Suffixes of other kinds and headers
 * that no request can have are left out. Undefined when there is no http(s) URL. Never throws.
 */
export function parseHookTarget(text: string): HookTarget | undefined {
  const match = targetForm.exec(text);
  if (match === null) return undefined;
  const [, url = '', suffixes = ''] = match;
  const headers = new Map<string, string>();
  const data = new Map<string, unknown>();
  for (const [, kind = '', ...texts] of suffixes.matchAll(suffixForm)) {
    const [name = '', value = ''] = texts.map((part) => part.trim());
    if (kind.toLowerCase() === 'data') data.set(name, typedValue(value));
    else if (isSendable(name, value)) headers.set(name, value);
  }
  return { url, headers: Object.fromEntries(headers), data: Object.fromEntries(data) };
}

function isSendable(name: string, value: string): boolean {
  return headerName.test(name) && headerValue.test(value) && !refusedHeaders.has(name.toLowerCase());
}

/** Numbers, `true`, `false` and `null` as what they are, everything else as text. */
function typedValue(text: string): unknown {
  if (/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(text)) {
    const number = Number(text);
    // A long ID would lose digits.
    if (Number.isFinite(number) && (!Number.isInteger(number) || Number.isSafeInteger(number))) return number;
  }
  if (text === 'true') return true;
  if (text === 'false') return false;
  return text === 'null' ? null : text;
}

/** The URL of a target as it may be shown: without user, password, query, fragment and suffixes. '' when it is none. */
export function shownUrl(text: string): string {
  const url = parseHookTarget(text)?.url ?? '';
  const match = /^(https?:\/\/)(?:[^/?#]*@)?([^/?#]*)([^?#]*)/i.exec(url);
  return match === null ? '' : `${match[1]}${match[2]}${match[3]}`;
}

/** Host and port of a URL, lower-case: deliveries to one place stand in one line. */
export function hostOfUrl(url: string): string {
  const host = /^https?:\/\/(?:[^/?#]*@)?([^/?#]*)/i.exec(url)?.[1] ?? '';
  return host.toLowerCase();
}
