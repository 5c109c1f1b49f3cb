#!/usr/bin/env node
/**
 * Fetches a JSON document over HTTP and checks what is in it.
 *
 * Shows: `html`, `perf` as a plain object, `chain_data` for the event that is run next, and a request that ends with the job.
 *
 * Plugin record, to be given to create_plugin (with the path where this file is on the workers):
 *
 *   {
 *     "title": "Check a JSON endpoint",
 *     "enabled": 1,
 *     "command": "/opt/carillon/examples/plugins/check-endpoint.mjs",
 *     "params": [
 *       { "id": "url", "type": "text", "size": 60, "title": "URL", "value": "" },
 *       { "id": "expect", "type": "textarea", "rows": 5, "title": "Expectations", "value": "" },
 *       { "id": "timeout_seconds", "type": "text", "size": 4, "title": "Timeout in seconds", "value": "30" }
 *     ]
 *   }
 *
 * Expectations stand one on a line: a path, one of `=`, `<`, `>`, and a value, such as
 *     status = ok
 *     queue.length < 100
 *     nodes.0.name = alpha
 *
 * By hand:  echo '{"params":{"url":"http://127.0.0.1:8080/health","expect":"status = ok"}}' | ./check-endpoint.mjs
 *
 * Ends with code 0; 1 when the check could not be made or an expectation is not met; the HTTP status when that is
 * 400 or above. Needs Node 20 or newer, and nothing else.
 */
import { text } from 'node:stream/consumers';

const largestBody = 10_000_000;
const reasonOf = (error) => error?.cause?.message || error?.message || String(error);

/** One message is one line on standard output. */
const send = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

/** The log takes standard error as it is: what a server answers cannot be taken for a message there. */
const log = (line) => process.stderr.write(`${line}\n`);

/** A failure that is worth a code of its own. */
class Failure extends Error {
  constructor(description, code = 1) {
    super(description);
    this.code = code;
  }
}

async function readParams() {
  let job;
  try {
    job = JSON.parse(await text(process.stdin));
  } catch (error) {
    throw new Failure(`Cannot read the job from standard input: ${error.message}`);
  }
  if (typeof job?.params !== 'object' || job.params === null) {
    throw new Failure('Cannot read the job from standard input: it is not a JSON object with params');
  }
  const { url, expect = '', timeout_seconds = 30 } = job.params;
  if (!/^https?:\/\/\S+$/.test(url))
    throw new Failure(`Parameter url must be a web address, not '${url ?? ''}'`);
  const timeoutMs = Number(timeout_seconds) * 1000;
  if (!(timeoutMs > 0 && timeoutMs <= 2 ** 31 - 1)) {
    throw new Failure(`Parameter timeout_seconds must be a number above 0, not '${timeout_seconds}'`);
  }
  return { url, expectations: readExpectations(String(expect)), timeoutMs };
}

function readExpectations(lines) {
  return lines
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const parts = /^(\S+)\s*([=<>])\s*(.*)$/.exec(line);
      if (parts === null) throw new Failure(`Parameter expect: cannot read '${line}'`);
      return { line, path: parts[1], operator: parts[2], wanted: parts[3] };
    });
}

async function fetchDocument(url, signal) {
  let response;
  try {
    response = await fetch(url, { signal, headers: { Accept: 'application/json' } });
    log(`HTTP ${response.status} ${response.statusText}`);
    if (response.status >= 400)
      throw new Failure(`HTTP ${response.status} ${response.statusText}`, response.status);
    let body = '';
    for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      body += piece;
      if (body.length > largestBody) throw new Failure(`The answer is larger than ${largestBody} characters`);
    }
    return { status: response.status, body };
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(`Cannot fetch ${url}: ${reasonOf(signal.aborted ? signal.reason : error)}`);
  }
}

function parseDocument(body) {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new Failure(`The answer is not JSON: ${error.message}`);
  }
}

/** The value at a path of keys and indices; undefined where there is none. */
function valueAt(document, path) {
  let value = document;
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}

function isMet({ operator, wanted }, found) {
  if (operator === '=') return (typeof found === 'string' ? found : JSON.stringify(found)) === wanted;
  if (typeof found !== 'number') return false;
  return operator === '<' ? found < Number(wanted) : found > Number(wanted);
}

const escapeHtml = (value) => value.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

function htmlReport(url, results) {
  const cells = ({ line, found, met }) =>
    [line, JSON.stringify(found) ?? 'nothing', met ? 'met' : 'NOT MET'].map(
      (cell) => `<td>${escapeHtml(cell)}</td>`,
    );
  const rows = results.map((result) => `<tr>${cells(result).join('')}</tr>`);
  const head = '<tr><th>Expectation</th><th>Found</th><th>Result</th></tr>';
  return {
    title: 'Expectations',
    content: `<table>${head}${rows.join('')}</table>`,
    caption: escapeHtml(url),
  };
}

async function run(aborted) {
  const { url, expectations, timeoutMs } = await readParams();
  const startedMs = performance.now();
  send({ progress: 0.1 });
  const signal = AbortSignal.any([aborted, AbortSignal.timeout(timeoutMs)]);
  const { status, body } = await fetchDocument(url, signal);
  const fetchedMs = performance.now();
  send({ progress: 0.8 });

  const document = parseDocument(body);
  const results = expectations.map((expectation) => {
    const found = valueAt(document, expectation.path);
    return { ...expectation, found, met: isMet(expectation, found) };
  });
  const missed = results.filter((result) => !result.met);
  for (const { line, found } of missed) log(`Not met: ${line}; found ${JSON.stringify(found) ?? 'nothing'}`);
  const seconds = (fromMs, toMs) => Math.round(toMs - fromMs) / 1000;
  send({
    complete: 1,
    code: missed.length === 0 ? 0 : 1,
    description:
      missed.length === 0
        ? `${results.length} expectations met`
        : `${missed.length} of ${results.length} expectations not met: ${missed[0].line}`,
    perf: { fetch: seconds(startedMs, fetchedMs), check: seconds(fetchedMs, performance.now()) },
    html: htmlReport(url, results),
    // The job of the next event has this as its own `chain_data`.
    chain_data: {
      url,
      status,
      values: Object.fromEntries(results.map(({ path, found }) => [path, found ?? null])),
    },
  });
}

const abortion = new AbortController();
process.once('SIGTERM', () => {
  log('SIGTERM: giving the request up');
  abortion.abort(new Error('the job was aborted'));
});
try {
  await run(abortion.signal);
} catch (error) {
  send({ complete: 1, code: error instanceof Failure ? error.code : 1, description: reasonOf(error) });
}
