import type { HttpRequest } from './http-request.js';
import type { HttpResponse } from './send-request.js';

type Message = Record<string, unknown>;

const largestHtmlBytes = 32 * 1024;
const largestChainBytes = 1024 * 1024;
/** The worker takes longer lines for log output. */
const largestMessageBytes = 1024 * 1024 - 1;

/** The last message of a request that got no answer, or could not be made. */
export const reportFailure = (description: string): Message => ({ complete: 1, code: 1, description });

/**
 * The last message of a request that was answered: outcome, metrics in milliseconds, header table, raw content and,
 * for a job that chains on, `chain_data` (behaviour reference 6.7). The answer is also written to the log.
 */
export function reportResponse(
  request: HttpRequest,
  response: HttpResponse,
  job: { chained: boolean },
  log: (line: string) => void,
): Message {
  const content = decodeBody(response);
  const rows = Object.entries(response.headers).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const message: Message = {
    complete: 1,
    ...judge(request, response, content),
    perf: perfOf(response),
    table: { title: 'HTTP Response Headers', header: ['Header Name', 'Header Value'], rows },
  };
  if (isText(response) && response.body.length > 0 && response.body.length < largestHtmlBytes) {
    message['html'] = { title: 'Raw Response Content', content: `<pre>${escapeHtml(content)}</pre>` };
  }
  if (job.chained) {
    message['chain_data'] = chainData(response, content);
    if (Buffer.byteLength(JSON.stringify(message)) > largestMessageBytes) {
      message['chain_data'] = { headers: response.headers };
      log('The JSON of the response is too large to be passed on to the next job');
    }
  }
  log(`HTTP ${response.status} ${response.statusText}`);
  for (const [name, value] of rows) log(`${name}: ${value}`);
  if (isText(response) && content !== '') log(`\n${content}`);
  return message;
}

function judge(
  request: HttpRequest,
  response: HttpResponse,
  content: string,
): { code: number; description: string } {
  const status = `HTTP ${response.status} ${response.statusText}`;
  if (response.status < 200 || response.status >= 400) {
    return { code: response.status, description: status };
  }
  if (request.errorMatch?.test(content) === true) {
    return { code: 1, description: `Response contains error match: ${written(request.errorMatch)}` };
  }
  if (request.successMatch?.test(content) === false) {
    return { code: 1, description: `Response missing success match: ${written(request.successMatch)}` };
  }
  return { code: 0, description: `Success (${status})` };
}

/** The expression as its author wrote it: `source` escapes slashes. */
const written = (pattern: RegExp): string => pattern.source.replaceAll('\\/', '/');

const perfOf = (response: HttpResponse): Message => ({
  scale: 1000,
  perf: response.perf,
  counters: { bytes_sent: response.bytesSent, bytes_received: response.body.length },
});

const typeOf = (response: HttpResponse): string => response.headers['content-type'] ?? '';
const isText = (response: HttpResponse): boolean =>
  /(text|javascript|json|css|html|xml)/i.test(typeOf(response));

/** The body as text in the character set it declares; UTF-8 when that is missing or unknown. */
function decodeBody(response: HttpResponse): string {
  const charset = /charset\s*=\s*"?([\w-]+)/i.exec(typeOf(response))?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(charset).decode(response.body);
  } catch {
    return new TextDecoder().decode(response.body);
  }
}

/** `json` only for a JSON type below 1 MiB that parses. */
function chainData(response: HttpResponse, content: string): Message {
  const data: Message = { headers: response.headers };
  if (!/json/i.test(typeOf(response)) || response.body.length >= largestChainBytes) {
    return data;
  }
  try {
    data['json'] = JSON.parse(content);
  } catch {
    // The type was wrong about its content; the headers still go along.
  }
  return data;
}

const escapeHtml = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
