import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { apiCalls } from '@carillon/contract';
import fc from 'fast-check';
import { objectOf, pathOf, type Reply, stopAll, TestApi } from '../support/api-server.js';
import { adminKey } from '../support/fake-office.js';
import { referenceOffice } from '../support/reference-state.js';

/** Whatever is sent, the answer is a JSON object with an expected status, and the node lives on. */

let api: TestApi;
beforeAll(async () => {
  api = await TestApi.start({ office: referenceOffice(), maxBodyBytes: 100_000 });
});
afterAll(stopAll);

const runs = 80;
const names = Object.keys(apiCalls);
const statuses = new Set([200, 302, 400, 413, 503]);

function expectEnvelope(reply: Reply): void {
  expect(statuses).toContain(reply.status);
  if (reply.headers['content-type'] === 'text/plain; charset=utf-8') return;
  const json = reply.text.replace(/^\/\*\*\/[\w$.]+\((.*)\);\n$/s, '$1');
  const answer = objectOf(json);
  expect(answer).toHaveProperty('code');
  if (answer['code'] !== 0) expect(typeof answer['description']).toBe('string');
}

/** Keys that calls know, that languages know, and any others. */
const key = fc.oneof(
  fc.constantFrom(
    ...new Set(Object.values(apiCalls).flatMap((call) => Object.keys(call.params.properties))),
    '__proto__',
    'constructor',
    'toString',
    'api_key',
    'post_data',
    'env',
    'when',
  ),
  fc.string(),
);
const known = fc.constantFrom(
  '3c182051',
  '29bf12db',
  'Test Event 2',
  'general',
  'allgrp',
  'shellplug',
  'test',
  '',
);
const leaf = fc.oneof(known, fc.jsonValue(), fc.boolean(), fc.integer(), fc.double({ noNaN: true }));
/** JSON texts, since a literal `__proto__` key only survives as text. */
const jsonText = fc
  .array(fc.tuple(key, fc.oneof(leaf, fc.dictionary(key, leaf, { maxKeys: 4 }))), { maxLength: 12 })
  .map(
    (entries) =>
      `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`,
  );

describe.each(names)('%s', (name) => {
  test('any JSON object', async () => {
    await fc.assert(
      fc.asyncProperty(jsonText, async (body) => {
        expectEnvelope(await api.post(name, body));
      }),
      { numRuns: runs },
    );
  });

  test('any query string', async () => {
    const query = fc.oneof(
      fc
        .array(fc.tuple(key, fc.oneof(known, fc.string())))
        .map((pairs) => pairs.map(([field, value]) => `${encode(field)}=${encode(value)}`).join('&')),
      fc.string({ unit: fc.constantFrom('%', '&', '=', '/', 'a', '1', '+', '[', ';', '?', '_') }),
    );
    await fc.assert(
      fc.asyncProperty(query, async (text) => {
        expectEnvelope(await api.send(`${pathOf(name)}?${text}`));
      }),
      { numRuns: runs },
    );
  });

  test('any bytes, of any type', async () => {
    const type = fc.constantFrom(
      'application/json',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'text/xml',
      '',
      'application/octet-stream',
    );
    await fc.assert(
      fc.asyncProperty(type, fc.uint8Array({ maxLength: 300 }), async (contentType, bytes) => {
        const headers = { 'Content-Type': contentType };
        expectEnvelope(await api.send(pathOf(name), { method: 'POST', headers, body: Buffer.from(bytes) }));
      }),
      { numRuns: runs },
    );
  });
});

test('any path under /api', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: fc.constantFrom('/', 'a', 'p', '%', '.', '_', '-', 'G', '~') }),
      async (path) => {
        expectEnvelope(await api.send(`/api/x${path}`));
        expectEnvelope(await api.send(`/api/app/x${path}`));
      },
    ),
    { numRuns: runs },
  );
});

test('any bytes on the socket', async () => {
  const start = fc.constantFrom(
    '',
    'GET /api/app/ping HTTP/1.1\r\n',
    'POST /api/app/run_event HTTP/1.1\r\nHost: x\r\n',
    `POST /api/app/create_event HTTP/1.1\r\nHost: x\r\nX-API-Key: ${adminKey}\r\nContent-Length: 20\r\n\r\n`,
    'POST /api/app/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n',
  );
  await fc.assert(
    fc.asyncProperty(start, fc.uint8Array({ maxLength: 400 }), async (head, bytes) => {
      // The blank lines end whatever was begun; the last request has the server close a connection still open.
      const last = '\r\n\r\nGET /api/app/ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
      const received = await api.raw(Buffer.concat([Buffer.from(head), bytes, Buffer.from(last)]), (text) =>
        text.includes('HTTP/1.1'),
      );
      expect(received).not.toMatch(/^HTTP\/1\.1 500/);
    }),
    { numRuns: runs },
  );
  expect(await api.get('ping')).toEqual({ code: 0 });
});

test('nothing of it was taken for a defect', () => {
  expect(api.log.lines.filter((line) => line.level === 'error')).toEqual([]);
});

/** Percent-encodes; lone surrogates, which cannot be, become a question mark. */
const encode = (text: string): string => encodeURIComponent(Buffer.from(text).toString());
