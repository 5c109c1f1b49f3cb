import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { fillPlaceholders } from '../src/url/placeholders.js';
import { runProgram } from './run-program.js';
import { createTestAuthority } from '@carillon/testkit';

const server = createServer((request, response) => void answer(request, response));
let url: string;

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const body = await text(request);
  switch (pathname) {
    case '/echo':
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ method: request.method, headers: request.headers, body }));
      return;
    case '/status':
      response.writeHead(Number(searchParams.get('code')), { 'content-type': 'text/html' });
      response.end('<b>hello</b> {"complete":1,"code":0}');
      return;
    case '/redirect':
      response.writeHead(Number(searchParams.get('code')), { location: '/echo' }).end();
      return;
    case '/circle':
      response.writeHead(302, { location: '/circle' }).end();
      return;
    case '/hops': {
      const left = Number(searchParams.get('n'));
      response.writeHead(302, { location: left > 1 ? `/hops?n=${left - 1}` : '/echo' }).end();
      return;
    }
    case '/json':
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify('x'.repeat(Number(searchParams.get('bytes')) - 2)));
      return;
    case '/slow': {
      // The next byte comes in time, but the whole does not.
      response.writeHead(200, { 'content-type': 'text/plain' });
      let left = 4;
      const timer = setInterval(() => {
        left -= 1;
        if (left > 0) response.write('x');
        else response.end('end');
        if (left === 0) clearInterval(timer);
      }, 100);
      response.on('close', () => clearInterval(timer));
      return;
    }
    case '/gzip':
      response.writeHead(200, { 'content-type': 'text/plain', 'content-encoding': 'gzip' });
      response.end(gzipSync('squeezed'));
      return;
    case '/latin1':
      response.writeHead(200, { 'content-type': 'text/plain; charset=ISO-8859-1' });
      response.end(Buffer.from('caf\xe9', 'latin1'));
      return;
    case '/large':
      response.writeHead(200, { 'content-type': 'text/plain' });
      response.end('x'.repeat(40_000));
      return;
    case '/half':
      response.writeHead(200, { 'content-type': 'text/plain', 'content-length': '100' });
      response.write('half');
      return;
    case '/broken':
      response.destroy();
      return;
    default:
      // No answer at all: for the timeouts.
      return;
  }
}

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
});

const request = (params: Record<string, unknown>, job: Record<string, unknown> = {}) =>
  runProgram('url', { ...job, params: { method: 'GET', ...params } });
const echoed = (last: Record<string, unknown>) => {
  const data = last['chain_data'] as {
    json: { method: string; body: string; headers: Record<string, string> };
  };
  return data.json;
};

describe('what is sent', () => {
  test('GET with headers, placeholders filled', async () => {
    const { last, exitCode, log } = await request(
      {
        url: `${url}/echo?host=[hostname]`,
        headers: 'X-Job: [/chain_data/json/id]\nnonsense\nX-Job: [id]',
        data: 'x',
      },
      { hostname: 'db1', chain: 'e2', chain_data: { json: { id: 7 } } },
    );
    expect(exitCode).toBe(0);
    expect(last).toMatchObject({ complete: 1, code: 0, description: 'Success (HTTP 200 OK)' });
    expect(echoed(last)).toMatchObject({ method: 'GET', body: '', headers: { 'x-job': '7, [id]' } });
    expect(log).toContain('Ignoring malformed header line: nonsense');
    expect(log).toContain(`Sending HTTP GET to URL: ${url}/echo?host=db1`);
  });

  test('POST with a body and an escaped description', async () => {
    const { last } = await request(
      { method: 'POST', url: `${url}/echo`, data: '{"text":"[escape_chain_description]"}' },
      { chain: 'e2', chain_description: 'say "no"\n' },
    );
    expect(JSON.parse(echoed(last).body)).toEqual({ text: 'say "no"\n' });
  });

  test('HEAD', async () => {
    const { last } = await request({ method: 'HEAD', url: `${url}/status?code=200` });
    expect(last).toMatchObject({ code: 0 });
    expect(last).not.toHaveProperty('html');
  });

  test.each([
    ['text', '[a]', 'x'],
    ['a path', '[/b/c/0]-[b/c/1]', '1-two'],
    ['unknown and inherited names', '[q] [constructor] [a/length] []', '[q] [constructor] [a/length] []'],
    ['an object', '[/b]', '{"c":[1,"two"]}'],
    ['an address in brackets', 'http://[::1]:80/', 'http://[::1]:80/'],
  ])('placeholders: %s', (_what, template, expected) => {
    expect(fillPlaceholders(template, { a: 'x', b: { c: [1, 'two'] } })).toBe(expected);
  });
});

describe('the outcome', () => {
  test.each([
    [204, 0, 'Success (HTTP 204 No Content)'],
    [404, 404, 'HTTP 404 Not Found'],
    [503, 503, 'HTTP 503 Service Unavailable'],
  ])('of status %d', async (status, code, description) => {
    const { last } = await request({ url: `${url}/status?code=${status}` });
    expect(last).toMatchObject({ complete: 1, code, description });
  });

  test('a body that looks like a plugin message is not taken for one', async () => {
    const { messages, last, log } = await request({ url: `${url}/status?code=500` });
    expect(messages).toHaveLength(1);
    expect(last['code']).toBe(500);
    expect(log).toContain('{"complete":1,"code":0}');
  });

  test.each([
    ['301', 1, 'Success (HTTP 200 OK)'],
    ['302', 'true', 'Success (HTTP 200 OK)'],
    ['307', '1', 'Success (HTTP 200 OK)'],
    ['308', 1, 'Success (HTTP 200 OK)'],
    ['302', 0, 'Success (HTTP 302 Found)'],
  ])('of a redirect %s with follow %j', async (code, follow, description) => {
    const { last } = await request({ url: `${url}/redirect?code=${code}`, follow });
    expect(last).toMatchObject({ code: 0, description });
  });

  test.each([
    [32, 0],
    [33, 1],
  ])('of %d redirects in a row', async (hops, code) => {
    const { last } = await request({ url: `${url}/hops?n=${hops}`, follow: 1 });
    expect(last).toMatchObject({ complete: 1, code });
  });

  test.each([
    [{}, 1, 'unable to verify the first certificate'],
    [{ ssl_cert_bypass: 1 }, 0, 'Success (HTTP 200 OK)'],
  ])('of a certificate nobody knows with %j', async (params, code, description) => {
    const secure = createSecureServer(
      createTestAuthority().issue('localhost'),
      (request_, response) => void answer(request_, response),
    );
    secure.listen(0, '127.0.0.1');
    await once(secure, 'listening');
    const { port } = secure.address() as AddressInfo;
    const { last } = await request({ url: `https://127.0.0.1:${port}/echo`, ...params });
    secure.close();
    secure.closeAllConnections();
    await once(secure, 'close');
    expect(last).toMatchObject({ complete: 1, code, description });
  });

  test('of a redirect in a circle', async () => {
    const { last } = await request({ url: `${url}/circle`, follow: 1 });
    expect(last).toMatchObject({ complete: 1, code: 1 });
    expect(last['description']).toMatch(/redirect/i);
  });

  test.each([
    [{ success_match: 'he[l]+o' }, 0, 'Success (HTTP 200 OK)'],
    [{ success_match: 'good bye' }, 1, 'Response missing success match: good bye'],
    [{ error_match: 'hel', success_match: 'hel' }, 1, 'Response contains error match: hel'],
    [{ error_match: 'a(b' }, 1, 'Malformed error_match: Invalid regular expression'],
    [{ success_match: '[' }, 1, 'Malformed success_match: Invalid regular expression'],
    [{ timeout: 'soon' }, 1, 'Malformed timeout: soon'],
    [{ method: 'BREW' }, 1, 'Unsupported request method: BREW'],
    [{ url: 'ftp://example.com/' }, 1, 'Malformed URL: ftp://example.com/'],
    [{ url: 'http://' }, 1, 'Malformed URL: http://'],
    [{ headers: 'X-Bad: \u20ac' }, 1, 'Invalid character in header'],
  ])('of %j', async (params, code, description) => {
    const { last, exitCode } = await request({ url: `${url}/status?code=200`, ...params });
    expect(exitCode).toBe(0);
    expect(last).toMatchObject({ complete: 1, code });
    expect(last['description']).toContain(description);
  });

  test('of no answer in time', async () => {
    const { last } = await request({ url: `${url}/silence`, timeout: '0.2' });
    expect(last).toMatchObject({ complete: 1, code: 1, description: 'Request Timeout (200 ms)' });
  });

  test('of an answer that takes longer than its first byte and its silences may', async () => {
    const { last } = await request({ url: `${url}/slow`, timeout: '0.3', idle_timeout: '0.3' });
    expect(last).toMatchObject({ complete: 1, code: 0, description: 'Success (HTTP 200 OK)' });
  });

  test('of an answer that stops half way', async () => {
    const { last } = await request({ url: `${url}/half`, idle_timeout: '0.2' });
    expect(last).toMatchObject({ complete: 1, code: 1, description: 'Request Timeout (200 ms)' });
  });

  test('of a broken connection', async () => {
    const { last } = await request({ url: `${url}/broken` });
    expect(last).toMatchObject({ complete: 1, code: 1, description: 'socket hang up' });
  });

  test('of a refused connection', async () => {
    const closed = createServer();
    closed.listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    closed.close();
    await once(closed, 'close');
    const { last } = await request({ url: `http://127.0.0.1:${port}/` });
    expect(last['description']).toBe('Connection Refused: Failed to connect to host: 127.0.0.1');
  });

  test('of a host name that does not exist', async () => {
    const { last } = await request({ url: 'http://no-such-host.invalid/' });
    expect(last['description']).toBe('DNS: Failed to lookup IP from hostname: no-such-host.invalid');
  });
});

describe('what is reported', () => {
  test('metrics, headers in order, content without markup', async () => {
    const { last } = await request({ url: `${url}/status?code=200` });
    expect(last['html']).toEqual({
      title: 'Raw Response Content',
      content: '<pre>&lt;b&gt;hello&lt;/b&gt; {&quot;complete&quot;:1,&quot;code&quot;:0}</pre>',
    });
    const table = last['table'] as { title: string; header: string[]; rows: [string, string][] };
    expect(table).toMatchObject({ title: 'HTTP Response Headers', header: ['Header Name', 'Header Value'] });
    const names = table.rows.map(([name]) => name);
    expect(names).toEqual([...names].sort());
    expect(names).toContain('content-type');
    const perf = last['perf'] as { scale: number; perf: Record<string, number>; counters: unknown };
    expect(perf.scale).toBe(1000);
    expect(Object.keys(perf.perf)).toEqual(['total', 'dns', 'connect', 'send', 'wait', 'receive']);
    expect(Object.values(perf.perf).every((value) => value >= 0)).toBe(true);
    expect(perf.counters).toEqual({ bytes_sent: 0, bytes_received: 36 });
    expect(last).not.toHaveProperty('chain_data');
  });

  test.each([
    ['/gzip', 'squeezed'],
    ['/latin1', 'caf\u00e9'],
  ])('%s is decoded', async (path, expected) => {
    const { last } = await request({ url: `${url}${path}` });
    expect(last['html']).toMatchObject({ content: `<pre>${expected}</pre>` });
  });

  test('large content stays out of the report', async () => {
    const { last } = await request({ url: `${url}/large` });
    expect(last['code']).toBe(0);
    expect(last).not.toHaveProperty('html');
  });

  test('chain data without JSON has the headers alone', async () => {
    const { last } = await request({ url: `${url}/large` }, { chain: 'e2' });
    expect(Object.keys(last['chain_data'] as object)).toEqual(['headers']);
  });

  test.each([
    [1_000_000, ['headers', 'json'], undefined],
    [1_048_575, ['headers'], 'too large to be passed on'],
    [1_048_576, ['headers'], undefined],
  ])(
    'chain data of %d bytes of JSON: a message is never too long for the worker',
    async (bytes, keys, line) => {
      const { last, log } = await request({ url: `${url}/json?bytes=${bytes}` }, { chain: 'e2' });
      expect(last).toMatchObject({ complete: 1, code: 0 });
      expect(Object.keys(last['chain_data'] as object)).toEqual(keys);
      expect(Buffer.byteLength(JSON.stringify(last))).toBeLessThan(1_048_576);
      if (line !== undefined) expect(log).toContain(line);
    },
  );
});
