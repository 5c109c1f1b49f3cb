import { connect, createServer } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { PrimaryInfo } from '@carillon/core';
import { FakeStanding, objectOf, stopAll, TestApi } from '../support/api-server.js';
import { referenceOffice } from '../support/reference-state.js';

afterEach(stopAll);

const description = 'This API call can only be invoked on the master server.';
const unanswered = 'The primary did not answer. The request may or may not have been carried out.';
const infoOf = (url: string, id = 'node1'): PrimaryInfo => ({ id, hostname: 'primary.test', url, term: 7 });

/** A node that is not the primary; `url` is where it believes the primary to be. */
const startOther = (url: string | undefined, nonPrimary: 'redirect' | 'forward', id = 'node1') =>
  TestApi.start({
    nonPrimary,
    standing: new FakeStanding('node2', undefined, url === undefined ? undefined : infoOf(url, id)),
  });

describe('redirect', () => {
  test.each(['GET', 'POST', 'HEAD'])(
    '%s: 302 with path and query, without looking at the key',
    async (method) => {
      const api = await startOther('http://primary.test:3012', 'redirect');
      const path = '/api/app/get_event/v1?id=%2F&x=1';
      const reply = await api.send(path, { method, key: null });
      const location = `http://primary.test:3012${path}`;
      expect(reply.status).toBe(302);
      expect(reply.headers['location']).toBe(location);
      if (method !== 'HEAD') expect(objectOf(reply.text)).toEqual({ code: 'master', description, location });
    },
  );

  test('a base path of the primary is kept', async () => {
    const api = await startOther('https://lb.test/carillon', 'redirect');
    const reply = await api.send('/api/app/get_schedule/v1');
    expect(reply.headers['location']).toBe('https://lb.test/carillon/api/app/get_schedule/v1');
  });

  test('ping and unknown calls are answered by any node', async () => {
    const api = await startOther('http://primary.test:3012', 'redirect');
    expect(await api.get('ping', '', { key: null })).toEqual({ code: 0 });
    expect(await api.get('nothing')).toMatchObject({ code: 1 });
  });
});

describe.each(['redirect', 'forward'] as const)('%s, without a primary', (nonPrimary) => {
  test('503, to be repeated', async () => {
    const api = await startOther(undefined, nonPrimary);
    const reply = await api.post('run_event', '{"id":"x"}');
    expect(reply.status).toBe(503);
    expect(reply.headers['retry-after']).toBe('1');
    expect(objectOf(reply.text)).toEqual({ code: 'master', description });
  });

  test('the same while this node itself takes office', async () => {
    const api = await startOther('http://self.test', nonPrimary, 'node2');
    const reply = await api.send('/api/app/get_schedule/v1');
    expect(reply.status).toBe(503);
    expect(reply.headers).not.toHaveProperty('location');
  });
});

describe('forward', () => {
  async function pair() {
    const primary = await TestApi.start({ office: referenceOffice() });
    const other = await startOther(primary.url, 'forward');
    return { primary, other };
  }

  test('GET and POST with body, headers and key', async () => {
    const { primary, other } = await pair();
    expect(await other.get('get_event', 'id=3c182051')).toMatchObject({ code: 0, event: { id: '3c182051' } });
    const reply = await other.post('run_event', '{"id":"3c182051","timeout":7}');
    expect(reply.status).toBe(200);
    expect(primary.office.launches).toMatchObject([{ overrides: { timeout: 7 } }]);
    expect(await other.call('get_event', { id: '3c182051' }, { key: 'wrong' })).toMatchObject({
      code: 'api',
    });
  });

  test('large bodies and answers are streamed whole', async () => {
    const { other } = await pair();
    const notes = 'n'.repeat(60_000);
    expect(await other.call('update_event', { id: '3c182051', notes, extra: 'x'.repeat(2_000_000) })).toEqual(
      { code: 0 },
    );
    const answer = await other.get('get_event', 'id=3c182051');
    expect(answer).toMatchObject({ event: { notes } });
  });

  test('HEAD, logs and errors come through', async () => {
    const { primary, other } = await pair();
    const { ids } = await other.call('run_event', { id: '3c182051' });
    const id = String(Array.isArray(ids) ? ids[0] : '');
    primary.office.finish(id, 'the log\n');
    expect((await other.send(`/api/app/get_job_log/v1?id=${id}`)).text).toBe('the log\n');
    expect(await other.send('/api/app/get_schedule/v1', { method: 'HEAD' })).toMatchObject({
      status: 200,
      text: '',
    });
    const malformed = await other.post('update_event', '{');
    expect(malformed.status).toBe(400);
  });

  test('tells the primary whom it forwards for', async () => {
    const { primary, other } = await pair();
    const seen = new Promise<Record<string, unknown>>((resolve) => {
      primary.http.server.once('request', (request: { headers: Record<string, unknown> }) =>
        resolve(request.headers),
      );
    });
    await other.get('get_schedule', '', { headers: { 'X-Forwarded-For': '10.0.0.9', Connection: 'close' } });
    expect(await seen).toMatchObject({
      'x-forwarded-for': '10.0.0.9, 127.0.0.1',
      'x-forwarded-host': `127.0.0.1:${other.port}`,
      'x-forwarded-proto': 'http',
      'x-carillon-forwarded': 'node2',
      connection: 'keep-alive',
    });
  });

  test('never goes round in circles', async () => {
    const first = await startOther(undefined, 'forward');
    const second = await startOther(first.url, 'forward', 'node9');
    first.standing.known = infoOf(second.url, 'node8');
    const reply = await first.send('/api/app/get_schedule/v1');
    expect(reply.status).toBe(503);
    expect(reply.headers['retry-after']).toBe('1');
  });

  test('a primary that cannot be reached: 503', async () => {
    const closed = await TestApi.start();
    await closed.stop();
    const other = await startOther(closed.url, 'forward');
    const reply = await other.post('run_event', '{"id":"3c182051"}');
    expect(reply.status).toBe(503);
    expect(reply.headers['retry-after']).toBe('1');
    expect(objectOf(reply.text)).toEqual({ code: 'master', description });
  });

  test('a primary that takes the request and dies: 503, and the client is told that it may have been carried out', async () => {
    const dying = createServer((socket) => socket.once('data', () => socket.destroy()));
    const port = await listenAnywhere(dying);
    const other = await startOther(`http://127.0.0.1:${port}`, 'forward');
    const reply = await other.post('run_event', '{"id":"x"}');
    expect(reply.status).toBe(503);
    expect(objectOf(reply.text)).toEqual({ code: 'unavailable', description: unanswered });
    await closeServer(dying);
  });

  test('a primary that never answers: 503 when the time is over', async () => {
    const { silent, reached, port } = await startSilent();
    const other = await startOther(`http://127.0.0.1:${port}`, 'forward');
    const answer = other.send('/api/app/get_schedule/v1');
    await reached;
    other.clock.advance(35_000);
    expect((await answer).status).toBe(503);
    expect(other.clock.pending).toBe(0);
    await closeServer(silent);
  });

  test('a primary that says nothing any more: 503 soon after another node has become the primary', async () => {
    const { silent, reached, port } = await startSilent();
    const other = await startOther(`http://127.0.0.1:${port}`, 'forward');
    const answer = other.post('run_event', '{"id":"x"}');
    let answered = false;
    void answer.then(() => {
      answered = true;
    });
    await reached;
    // The same one again, or none for a while, is no reason.
    other.standing.known = undefined;
    other.clock.advance(5_000);
    other.standing.known = { ...infoOf('http://elsewhere.test'), term: 8 };
    other.clock.advance(5_000);
    other.standing.known = infoOf('http://elsewhere.test', 'node3');
    other.clock.advance(1_000);
    await other.get('ping', '', { key: null });
    expect(answered).toBe(false);
    other.clock.advance(1_000);
    const reply = await answer;
    expect(reply.status).toBe(503);
    expect(objectOf(reply.text)).toEqual({ code: 'unavailable', description: unanswered });
    expect(other.clock.pending).toBe(0);
    await closeServer(silent);
  });

  test('an answer that breaks off cuts the client off', async () => {
    const broken = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"code":', () => socket.destroy());
      });
    });
    const port = await listenAnywhere(broken);
    const other = await startOther(`http://127.0.0.1:${port}`, 'forward');
    await expect(other.send('/api/app/get_schedule/v1')).rejects.toThrow();
    await closeServer(broken);
  });

  test('a stopping node lets its forwarded requests finish', async () => {
    const { primary, other } = await pair();
    let release = () => {};
    primary.office.gate = new Promise((resolve) => {
      release = () => resolve();
    });
    const reached = new Promise<void>((resolve) => primary.http.server.once('request', () => resolve()));
    const answer = other.send('/api/app/get_history/v1');
    await reached;
    const closed = other.http.close(10_000);
    release();
    expect((await answer).status).toBe(200);
    await closed;
  });

  test('a client that goes away takes its forwarded request with it', async () => {
    let asked = () => {};
    let left = () => {};
    const reached = new Promise<void>((resolve) => {
      asked = () => resolve();
    });
    const gone = new Promise<void>((resolve) => {
      left = () => resolve();
    });
    const silent = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', asked);
      socket.once('close', left);
    });
    const port = await listenAnywhere(silent);
    const other = await startOther(`http://127.0.0.1:${port}`, 'forward');
    const client = connect(other.port, '127.0.0.1', () => {
      client.write('GET /api/app/get_schedule/v1 HTTP/1.1\r\nHost: x\r\n\r\n');
    });
    await reached;
    client.destroy();
    await gone;
    await closeServer(silent);
  });

  test('an office lost while the body was on its way: refused, not lost', async () => {
    const api = await TestApi.start({ office: referenceOffice(), nonPrimary: 'forward' });
    const received = new Promise<void>((resolve) => api.http.server.once('request', () => resolve()));
    let written = '';
    const client = connect(api.port, '127.0.0.1', () => {
      client.write(
        'POST /api/app/run_event HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n',
      );
    });
    client.on('data', (chunk) => {
      written += chunk.toString();
    });
    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
    await received;
    api.standing.current = undefined;
    api.standing.known = infoOf('http://127.0.0.1:1');
    client.write('{}');
    await closed;
    expect(written).toMatch(/^HTTP\/1\.1 503 /);
  });
});

/** A server that takes requests and answers none; `reached` resolves with the first. */
async function startSilent() {
  let asked = () => {};
  const reached = new Promise<void>((resolve) => {
    asked = () => resolve();
  });
  const silent = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', asked);
  });
  return { silent, reached, port: await listenAnywhere(silent) };
}

const listenAnywhere = (server: ReturnType<typeof createServer>) =>
  new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });

const closeServer = (server: ReturnType<typeof createServer>) =>
  new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
