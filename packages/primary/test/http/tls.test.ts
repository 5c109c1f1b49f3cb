import { get } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { connect, TLSSocket } from 'node:tls';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createTestAuthority } from '@carillon/testkit';
import fc from 'fast-check';
import { FakeStanding, stopAll, TestApi } from '../support/api-server.js';
import { adminKey } from '../support/fake-office.js';

afterEach(stopAll);

const authority = createTestAuthority();
const certificate = authority.issue('127.0.0.1', 'localhost');

interface TlsReply {
  status: number | undefined;
  location: string | undefined;
  text: string;
  subject: string;
}

function ask(port: number, path: string, ca: string = authority.ca): Promise<TlsReply> {
  return new Promise((resolve, reject) => {
    const headers = { 'X-API-Key': adminKey };
    get({ host: '127.0.0.1', port, path, ca, headers, agent: false }, (answer) => {
      const { socket } = answer;
      const peer = socket instanceof TLSSocket ? socket.getPeerCertificate() : undefined;
      let text = '';
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
      answer.on('end', () => {
        const { statusCode: status, headers: received } = answer;
        resolve({ status, location: received.location, text, subject: String(peer?.subject.CN) });
      });
    }).on('error', reject);
  });
}

describe('a node that serves over TLS', () => {
  test('answers the API to those who trust its authority', async () => {
    const api = await TestApi.start({ certificate });
    expect(await ask(api.port, '/api/app/ping')).toMatchObject({ status: 200, text: '{"code":0}\n' });
    await expect(ask(api.port, '/api/app/ping', createTestAuthority().ca)).rejects.toThrow(/certificate/i);
  });

  test('old versions of the protocol are refused', async () => {
    const api = await TestApi.start({ certificate });
    const failure = await new Promise<Error>((resolve, reject) => {
      const socket = connect(
        { host: '127.0.0.1', port: api.port, ca: authority.ca, maxVersion: 'TLSv1.1', minVersion: 'TLSv1' },
        () => reject(new Error('connected')),
      );
      socket.once('error', resolve);
    });
    expect(failure.message).toMatch(/protocol|version|alert/i);
  });

  test('a renewed certificate serves new connections; a broken one is refused and changes nothing', async () => {
    const api = await TestApi.start({ certificate });
    expect((await ask(api.port, '/api/app/ping')).subject).toBe('127.0.0.1');
    expect(() => api.http.renewCertificate({ cert: 'nonsense', key: certificate.key })).toThrow();
    expect((await ask(api.port, '/api/app/ping')).subject).toBe('127.0.0.1');
    api.http.renewCertificate(authority.issue('renewed.test', '127.0.0.1'));
    expect((await ask(api.port, '/api/app/ping')).subject).toBe('renewed.test');
  });

  test('any bytes in place of a handshake end neither it nor its answers', async () => {
    const api = await TestApi.start({ certificate });
    const start = fc.constantFrom(
      '',
      'GET / HTTP/1.1\r\n\r\n',
      '\x16\x03\x01\x00\x05',
      '\x16\x03\x01\xff\xff',
      '\x80\x2e\x01',
    );
    await fc.assert(
      fc.asyncProperty(start, fc.uint8Array({ maxLength: 200 }), async (head, bytes) => {
        await new Promise<void>((resolve) => {
          const socket = connectPlain(api.port, '127.0.0.1');
          socket.on('error', () => undefined);
          socket.once('close', () => resolve());
          socket.resume();
          socket.write(head, 'latin1');
          socket.end(bytes);
        });
      }),
      { numRuns: 80 },
    );
    expect((await ask(api.port, '/api/app/ping')).status).toBe(200);
  });

  test('a handshake that does not go on is cut off', async () => {
    const api = await TestApi.start({ certificate, limits: { handshakeMs: 50 } });
    await api.raw('\x16\x03\x01');
  });
});

describe('two nodes over TLS', () => {
  const path = '/api/app/get_event/v1?id=nothing';

  async function pair(nonPrimary: 'redirect' | 'forward', ca: string = authority.ca) {
    const primary = await TestApi.start({ certificate });
    const known = { id: 'node1', hostname: 'h', url: `https://127.0.0.1:${primary.port}`, term: 7 };
    const standing = new FakeStanding('node2', undefined, known);
    return { known, other: await TestApi.start({ certificate, standing, nonPrimary, ca }) };
  }

  test('a redirect leads to the https address of the primary', async () => {
    const { known, other } = await pair('redirect');
    expect(await ask(other.port, path)).toMatchObject({ status: 302, location: `${known.url}${path}` });
  });

  test('a request is forwarded over TLS, to a primary whose certificate is good', async () => {
    const { other } = await pair('forward');
    const { status, text } = await ask(other.port, path);
    expect([status, text]).toEqual([200, expect.stringContaining('"code":"event"')]);
  });

  test('and to no other', async () => {
    const { other } = await pair('forward', createTestAuthority().ca);
    expect((await ask(other.port, path)).status).toBe(503);
    expect(other.log.lines).toContainEqual(
      expect.objectContaining({ level: 'warn', message: 'A request could not be forwarded' }),
    );
  });
});
