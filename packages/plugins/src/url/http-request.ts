import { flagParam, type PluginJob, reasonOf, textParam } from '../plugin-protocol.js';
import { fillPlaceholders } from './placeholders.js';

/** What shall be sent, and how the answer is judged. Timeouts in milliseconds; 0 = none. */
export interface HttpRequest {
  method: 'GET' | 'HEAD' | 'POST';
  url: string;
  headers: Record<string, string>;
  body?: string;
  /** Until the first byte of the answer. */
  firstByteTimeoutMs: number;
  idleTimeoutMs: number;
  connectTimeoutMs: number;
  follow: boolean;
  verifyCertificate: boolean;
  successMatch?: RegExp;
  errorMatch?: RegExp;
  /** Lines for the log about what was ignored. */
  warnings: string[];
}

/**
 * Reads the parameters of the HTTP request plugin (behaviour reference 6.7) and fills their placeholders.
 * Throws an Error with the description of the failure: a malformed URL, method, timeout or regular expression.
 */
export function readRequest(job: PluginJob): HttpRequest {
  const method = readMethod(textParam(job, 'method'));
  const values = method === 'POST' ? withEscapedDescription(job) : job;
  const url = fillPlaceholders(textParam(job, 'url').trim(), values);
  if (!/^https?:\/\/\S+$/i.test(url) || !URL.canParse(url)) throw new Error(`Malformed URL: ${url}`);
  const { headers, warnings } = readHeaders(fillPlaceholders(textParam(job, 'headers'), values));
  const firstByteTimeoutMs = readTimeoutMs(job, 'timeout', 30_000);
  const successMatch = readPattern(job, 'success_match');
  const errorMatch = readPattern(job, 'error_match');
  return {
    method,
    url,
    headers,
    ...(method === 'POST' ? { body: fillPlaceholders(textParam(job, 'data'), values) } : {}),
    firstByteTimeoutMs,
    idleTimeoutMs: readTimeoutMs(job, 'idle_timeout', firstByteTimeoutMs),
    connectTimeoutMs: readTimeoutMs(job, 'connect_timeout', 10_000),
    follow: flagParam(job, 'follow'),
    verifyCertificate: !flagParam(job, 'ssl_cert_bypass'),
    ...(successMatch === undefined ? {} : { successMatch }),
    ...(errorMatch === undefined ? {} : { errorMatch }),
    warnings,
  };
}

function readMethod(value: string): HttpRequest['method'] {
  const method = value.trim().toUpperCase();
  if (method === '') return 'GET';
  if (method === 'GET' || method === 'HEAD' || method === 'POST') return method;
  throw new Error(`Unsupported request method: ${value}`);
}

/** Adds `escape_chain_description`: the text of `chain_description` ready for use inside a JSON string. */
function withEscapedDescription(job: PluginJob): Record<string, unknown> {
  const description = job['chain_description'];
  if (typeof description !== 'string') return job;
  return { ...job, escape_chain_description: JSON.stringify(description).slice(1, -1) };
}

/** One `Name: value` per line; repeated names are joined by a comma, other lines are ignored with a warning. */
function readHeaders(text: string): { headers: Record<string, string>; warnings: string[] } {
  const found = new Map<string, string>();
  const warnings: string[] = [];
  for (const line of text.split(/\r\n|\r|\n/)) {
    if (line.trim() === '') continue;
    const match = /^\s*([!#$%&'*+\-.^`|~\w]+):\s*(.*?)\s*$/.exec(line);
    const [name, value] = [match?.[1], match?.[2]];
    if (name === undefined || value === undefined) {
      warnings.push(`Ignoring malformed header line: ${line}`);
      continue;
    }
    const key = name.toLowerCase();
    const earlier = found.get(key);
    found.set(key, earlier === undefined ? value : `${earlier}, ${value}`);
  }
  return { headers: Object.fromEntries(found), warnings };
}

function readTimeoutMs(job: PluginJob, name: string, defaultMs: number): number {
  const value = textParam(job, name).trim();
  if (value === '') return defaultMs;
  const seconds = Number(value);
  if (!Number.isFinite(seconds) || seconds < 0) throw new Error(`Malformed ${name}: ${value}`);
  return Math.min(Math.round(seconds * 1000), 2 ** 31 - 1);
}

/** A bad expression is a failure with its own text, not a crash as at the peer. */
function readPattern(job: PluginJob, name: string): RegExp | undefined {
  const source = textParam(job, name);
  if (source === '') return undefined;
  try {
    return new RegExp(source);
  } catch (error) {
    throw new Error(`Malformed ${name}: ${reasonOf(error)}`);
  }
}
