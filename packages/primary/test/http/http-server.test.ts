import { connect } from 'node:net';
import { openApiDocument } from '@carillon/contract';
import { afterEach, describe, expect, test } from '@jest/globals';
import { FakeStanding, objectOf, stopAll, TestApi } from '../support/api-server.js';

afterEach(stopAll);

describe('health', () => {
  test('the description of the API needs no key, and is that of the contract', async () => {
    const api = await TestApi.start();
    const answer = await api.send('/api/openapi.json', { key: null });
    expect(answer.status).toBe(200);
    expect(objectOf(answer.text)).toEqual(openApiDocument('1.2.3'));
  });

  test('live and metrics', async () => {
    const api = await TestApi.start();
    expect(objectOf((await api.send('/health/live', { key: null })).text)).toEqual({ status: 'live' });
    const metrics = await api.send('/metrics', { key: null });
    expect(metrics.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(metrics.text).toBe('# no metrics\n');
  });

  test('ready follows the store; the reason goes to the log alone', async () => {
    const api = await TestApi.start();
    expect((await api.send('/health/ready')).status).toBe(200);
    api.ready = () => Promise.reject(new Error('store at secret.host refused'));
    const reply = await api.send('/health/ready');
    expect(reply.status).toBe(503);
    expect(reply.text).not.toContain('secret.host');
    expect(api.log.lines).toMatchObject([{ fields: { error: expect.stringContaining('secret.host') } }]);
  });

  test('a readiness check that hangs is a no', async () => {
    const api = await TestApi.start();
    const asked = new Promise<void>((resolve) => {
      api.ready = () => {
        resolve();
        return new Promise(() => undefined);
      };
    });
    const answer = api.send('/health/ready');
    await asked;
    await api.clock.advanceSettling(3_000);
    expect((await answer).status).toBe(503);
  });

  test('primary is 200 on the primary alone', async () => {
    const primary = await TestApi.start();
    expect((await primary.send('/health/primary')).status).toBe(200);
    const known = { id: 'node1', hostname: 'h', url: primary.url, term: 7 };
    const other = await TestApi.start({ standing: new FakeStanding('node2', undefined, known) });
    const reply = await other.send('/health/primary');
    expect(reply.status).toBe(503);
    expect(objectOf(reply.text)).toEqual({ status: 'not primary', primary: primary.url });
  });
});

describe('pages', () => {
  test('a path that cannot be decoded', async () => {
    const api = await TestApi.start();
    expect((await api.send('/%E0%A4%A')).status).toBeLessThan(500);
  });

  test('a page that fails is a 500 without details', async () => {
    const api = await TestApi.start();
    api.standing.office = () => {
      throw new Error('a defect');
    };
    const reply = await api.send('/health/primary');
    expect(reply.status).toBe(500);
    expect(reply.text).not.toContain('a defect');
    expect(api.log.lines.filter((line) => line.level === 'error')).toHaveLength(1);
  });
});

describe('the server', () => {
  test.each([
    ['nonsense\r\n\r\n', 400],
    ['GET / HTTP/9.9\r\n\r\n', 400],
    ['GET /api/app/ping HTTP/1.1\r\n\r\n', 400],
    [
      'POST /api/app/ping HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      400,
    ],
    [`GET /api/app/ping HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`, 431],
  ])('%j gets status %d', async (bytes, status) => {
    const api = await TestApi.start();
    expect(await api.raw(bytes)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(await api.get('ping')).toEqual({ code: 0 });
  });

  test('an upgrade nobody wants is refused', async () => {
    const api = await TestApi.start();
    const bytes = 'GET /elsewhere HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    expect(await api.raw(bytes)).toMatch(/^HTTP\/1\.1 404 /);
  });

  test('a port in use is reported', async () => {
    const first = await TestApi.start();
    const second = await TestApi.start();
    await second.stop();
    await expect(second.http.listen(first.port, '127.0.0.1')).rejects.toThrow(/EADDRINUSE/);
  });

  test('closing lets requests under way finish', async () => {
    const api = await TestApi.start();
    let release = () => {};
    api.office.gate = new Promise((resolve) => {
      release = () => resolve();
    });
    const received = new Promise<void>((resolve) => api.http.server.once('request', () => resolve()));
    const answer = api.send('/api/app/get_history/v1', { headers: { Connection: 'keep-alive' } });
    await received;
    const closed = api.http.close(10_000);
    release();
    expect((await answer).status).toBe(200);
    await closed;
    expect(api.clock.pending).toBe(0);
  });

  test('closing cuts what is left at the deadline', async () => {
    const api = await TestApi.start();
    api.office.gate = new Promise(() => undefined);
    const received = new Promise<void>((resolve) => api.http.server.once('request', () => resolve()));
    const answer = api.raw(
      'GET /api/app/get_history/v1?api_key=0095f5b664b93304d5f8b1a61df605fb HTTP/1.1\r\nHost: x\r\n\r\n',
    );
    await received;
    const closed = api.http.close(1_000);
    api.clock.advance(1_000);
    await closed;
    expect(await answer).toBe('');
  });

  test('a keep-alive connection that is in use is told to close', async () => {
    const api = await TestApi.start();
    let received = '';
    const socket = connect(api.port, '127.0.0.1');
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    await new Promise<void>((resolve) => {
      socket.on('data', (chunk) => {
        received += chunk.toString();
        resolve();
      });
      socket.write('GET /api/app/ping HTTP/1.1\r\nHost: x\r\n\r\n');
    });
    expect(received).toMatch(/Connection: keep-alive/i);
    const done = api.http.close(1_000);
    await closed;
    await done;
  });
});
