import { connect } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { type AdmissionRules } from '@carillon/core';
import { FakeClock } from '@carillon/testkit';
import { HmacSeal } from '@carillon/adapters';
import { Gate } from '../../src/http/index.js';
import {
  FakeStanding,
  objectOf,
  type Reply,
  type SendOptions,
  stopAll,
  TestApi,
} from '../support/api-server.js';
import { nowSec } from '../support/fake-office.js';
import { referenceOffice } from '../support/reference-state.js';

afterEach(stopAll);

async function start(rules: AdmissionRules, trustedProxies: string[] = []) {
  const gateClock = new FakeClock(nowSec * 1000);
  const gate = new Gate({ rules, trustedProxies, clock: gateClock });
  const api = await TestApi.start({ office: referenceOffice(), gate });
  const ask = (options?: SendOptions): Promise<Reply> => api.send('/api/app/get_schedule/v1', options);
  return { api, ask, gateClock };
}

const from = (address: string, more: SendOptions = {}): SendOptions => ({
  ...more,
  headers: { 'X-Forwarded-For': address },
});
const wrong: SendOptions = { key: 'f'.repeat(32) };

function expectRefused(reply: Reply, what: string, seconds: number): void {
  expect(reply.status).toBe(429);
  expect(reply.headers['retry-after']).toBe(String(seconds));
  expect(objectOf(reply.text)).toEqual({
    code: 'rate_limit',
    description: `${what}. Please try again in ${seconds} s.`,
  });
}

describe('rate limits', () => {
  test('without rules there are none', async () => {
    const { ask } = await start({});
    for (let n = 0; n < 50; n += 1) expect((await ask(wrong)).status).toBe(200);
  });

  test('of one key: 429 with Retry-After, and on it goes after that time', async () => {
    const { ask, gateClock, api } = await start({ perCaller: { perSec: 0.5, burst: 2 } });
    expect([(await ask()).status, (await ask()).status]).toEqual([200, 200]);
    expectRefused(await ask(), 'Too many requests with this API key', 2);
    // A ping needs no key.
    expect(await api.get('ping')).toEqual({ code: 0 });
    gateClock.advance(2_000);
    expect((await ask()).status).toBe(200);
  });

  test('of one address, whether there is a key or not', async () => {
    const { ask, api } = await start({ perAddress: { perSec: 1, burst: 2 } });
    await ask();
    await ask({ key: null });
    expectRefused(await api.send('/api/app/ping'), 'Too many requests from this address', 1);
    // What load balancers and monitors ask is not counted.
    expect((await api.send('/health/live')).status).toBe(200);
  });

  test('wrong passwords count as wrong keys do; who is signed in goes on, and may leave', async () => {
    const { api } = await start({ failures: { perSec: 1, burst: 2 } });
    api.office.addUser('Ann', {});
    const send = (name: string, params: object, session?: string) =>
      api.send(`/api/user/${name}`, {
        method: 'POST',
        key: null,
        headers: {
          'Content-Type': 'application/json',
          ...(session === undefined ? {} : { 'X-Session-ID': session }),
        },
        body: JSON.stringify(params),
      });
    const right = { username: 'Ann', password: 'geheim12' };
    const signedIn = objectOf((await send('login', right)).text);
    const session = String(signedIn['session_id']);
    const mine = { key: null, headers: { 'X-Session-ID': session } };
    expect((await api.send('/api/app/get_schedule/v1', mine)).status).toBe(200);
    for (let n = 0; n < 2; n += 1) {
      const reply = await send('login', { ...right, password: 'other' });
      expect([reply.status, objectOf(reply.text)['code']]).toEqual([200, 'login']);
    }
    const what = 'Too many failed authentications from this address';
    expectRefused(await send('login', right), what, 1);
    expectRefused(
      await send('reset_password', { username: 'Ann', new_password: 'geheim13', key: 'a'.repeat(64) }),
      what,
      1,
    );
    expect((await api.send('/api/app/get_schedule/v1', mine)).status).toBe(200);
    for (const name of ['resume_session', 'logout']) {
      expect(objectOf((await send(name, {}, session)).text)).toMatchObject({ code: 0 });
    }
    expect(await api.get('ping')).toEqual({ code: 0 });
  });

  test('a refused write is not carried out', async () => {
    const { api } = await start({ perCaller: { perSec: 1, burst: 1 } });
    const first = await api.call('run_event', { id: '3c182051' });
    expect(first['code']).toBe(0);
    const jobs = api.office.state.jobs.size;
    expect(await api.call('run_event', { id: '3c182051' })).toMatchObject({ code: 'rate_limit' });
    expect(api.office.state.jobs.size).toBe(jobs);
  });
});

describe('failed authentications', () => {
  const failures = { perSec: 1, burst: 3 };
  const tooMany = 'Too many failed authentications from this address';

  test('are answered as such up to the limit, then 429; a right key that is new there is refused as well', async () => {
    const { ask } = await start({ failures });
    for (let n = 0; n < 3; n += 1) expect(objectOf((await ask(wrong)).text)['code']).toBe('api');
    expectRefused(await ask(wrong), tooMany, 1);
    expectRefused(await ask(), tooMany, 1);
  });

  test('do not keep out a caller that was accepted there before, nor those of other addresses', async () => {
    const { ask } = await start({ failures }, ['127.0.0.1']);
    expect((await ask(from('192.0.2.1'))).status).toBe(200);
    for (let n = 0; n < 5; n += 1) await ask(from('192.0.2.1', wrong));
    expect((await ask(from('192.0.2.1'))).status).toBe(200);
    expect((await ask(from('192.0.2.2'))).status).toBe(200);
  });

  test('a request without a key is no guess', async () => {
    const { ask } = await start({ failures });
    for (let n = 0; n < 9; n += 1) expect(objectOf((await ask({ key: null })).text)['code']).toBe('session');
    expect((await ask()).status).toBe(200);
  });
});

describe('the address of a client', () => {
  const rules: AdmissionRules = { perAddress: { perSec: 1, burst: 1 } };
  /** Is the second request taken for one of the same client? */
  const same = async (proxies: string[], first: string, second: string): Promise<boolean> => {
    const { ask } = await start(rules, proxies);
    await ask(from(first));
    return (await ask(from(second))).status === 429;
  };

  test.each<[string, string[], string, string, boolean]>([
    ['X-Forwarded-For is not believed of just anyone', [], '192.0.2.1', '192.0.2.2', true],
    ['it is of a trusted proxy', ['127.0.0.1'], '192.0.2.1', '192.0.2.2', false],
    ['or of one in a trusted network', ['127.0.0.0/8'], '192.0.2.1', '192.0.2.2', false],
    [
      'what the client put there itself does not count',
      ['127.0.0.1'],
      '1.1.1.1, 192.0.2.1',
      '2.2.2.2, 192.0.2.1',
      true,
    ],
    ['through two proxies', ['127.0.0.1', '10.0.0.0/8'], '192.0.2.1, 10.1.1.1', '192.0.2.2, 10.2.2.2', false],
    ['nonsense is that of the proxy', ['127.0.0.1'], 'nonsense', 'unknown, more', true],
    [
      'all addresses of one IPv6 network are one client',
      ['127.0.0.1'],
      '2001:db8::1',
      '2001:db8:0:0:ffff::2',
      true,
    ],
    ['those of two are two', ['127.0.0.1'], '2001:db8:0:1::1', '2001:db8:0:2::1', false],
  ])('%s', async (_name, proxies, first, second, expected) => {
    expect(await same(proxies, first, second)).toBe(expected);
  });
});

describe('the address of a client of a node that forwards', () => {
  const rules: AdmissionRules = { perAddress: { perSec: 1, burst: 1 } };
  const seal = new HmacSeal('secret', 'test');
  const header = 'x-carillon-client-address';

  /** A primary that trusts no proxy, and a node before it that trusts the one on this machine. */
  async function pair(secretOfNode: string) {
    const clock = new FakeClock(nowSec * 1000);
    const gate = new Gate({ rules, seal, clock });
    const primary = await TestApi.start({ office: referenceOffice(), gate });
    const known = { id: 'node1', hostname: 'primary.test', url: primary.url, term: 1 };
    const node = await TestApi.start({
      nonPrimary: 'forward',
      standing: new FakeStanding('node2', undefined, known),
      gate: new Gate({
        rules: {},
        trustedProxies: ['127.0.0.1'],
        seal: new HmacSeal(secretOfNode, 'test'),
        clock,
      }),
    });
    return { primary, node };
  }

  const statusOf = async (api: TestApi, options: SendOptions): Promise<number> =>
    (await api.send('/api/app/get_schedule/v1', options)).status;

  test('is the one that the node vouches for', async () => {
    const { node } = await pair('secret');
    expect(await statusOf(node, from('192.0.2.1'))).toBe(200);
    expect(await statusOf(node, from('192.0.2.1'))).toBe(429);
    expect(await statusOf(node, from('192.0.2.2'))).toBe(200);
  });

  test('is that of the node when it does not know the secret', async () => {
    const { node } = await pair('another');
    expect(await statusOf(node, from('192.0.2.1'))).toBe(200);
    expect(await statusOf(node, from('192.0.2.2'))).toBe(429);
  });

  const ms = nowSec * 1000;
  const vouched = (time: number | string, address: string, of = `${time} ${address}`): string =>
    `${time} ${address} ${seal.of(of)}`;
  test.each<[string, string, boolean]>([
    ['is believed when it is fresh', vouched(ms - 30_000, '192.0.2.9'), true],
    ['is not when it is too old', vouched(ms - 30_001, '192.0.2.9'), false],
    ['is not when it is from the future', vouched(ms + 30_001, '192.0.2.9'), false],
    ['is not without a time', vouched('soon', '192.0.2.9'), false],
    ['is not when it is no address', vouched(ms, 'nobody'), false],
    ['is not with the proof of another one', vouched(ms, '192.0.2.9', `${ms} 192.0.2.8`), false],
    ['is not without a proof', `${ms} 192.0.2.9`, false],
    ['is not when it is nonsense', 'x', false],
  ])('%s', async (_name, value, isBelieved) => {
    const { primary } = await pair('secret');
    expect(await statusOf(primary, {})).toBe(200);
    expect(await statusOf(primary, { headers: { [header]: value } })).toBe(isBelieved ? 200 : 429);
  });

  test('cannot be vouched for by a client of the node', async () => {
    const { node } = await pair('secret');
    const headers = { [header]: `${ms} 192.0.2.9 ${'0'.repeat(64)}` };
    expect(await statusOf(node, { headers })).toBe(200);
    expect(await statusOf(node, {})).toBe(429);
  });
});

describe('slow and swollen requests', () => {
  const limits = { headersTimeoutMs: 600, requestTimeoutMs: 800, checkEveryMs: 20 };

  test.each([
    ['nothing at all', ''],
    ['a request line that does not end', 'GET /api/app/pi'],
    ['headers that do not end', 'GET /api/app/ping HTTP/1.1\r\nHost: x\r\nX-A: 1\r\n'],
  ])('%s is cut off when the time is over', async (_name, bytes) => {
    const api = await TestApi.start({ limits });
    const received = await api.raw(bytes);
    expect(received).toMatch(/^HTTP\/1\.1 408 /);
    expect(await api.get('ping')).toEqual({ code: 0 });
  });

  test('so is a drop of headers now and then', async () => {
    const api = await TestApi.start({ limits });
    const socket = connect(api.port, '127.0.0.1');
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => undefined);
    socket.resume();
    socket.write('GET /api/app/ping HTTP/1.1\r\n');
    const drip = setInterval(() => socket.write('X-A: 1\r\n'), 10);
    await closed;
    clearInterval(drip);
  });

  test('more headers than anyone needs are refused, whatever their size', async () => {
    const api = await TestApi.start();
    const many = 'a:1\r\n'.repeat(201);
    expect(await api.raw(`GET /api/app/ping HTTP/1.1\r\nHost: x\r\n${many}\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
    const some = 'a:1\r\n'.repeat(150);
    const text = `GET /api/app/ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${some}\r\n`;
    expect(await api.raw(text)).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('what browsers may make of answers', () => {
  test('no answer is sniffed, and pages run nothing', async () => {
    const { api } = await start({});
    for (const path of ['/api/app/ping', '/api/app/nothing', '/health/live', '/metrics', '/no/<script>']) {
      expect((await api.send(path)).headers['x-content-type-options']).toBe('nosniff');
    }
    for (const path of ['/health/live', '/metrics', '/api/openapi.json', '/no/<script>alert(1)</script>']) {
      const { headers } = await api.send(path);
      expect(headers['content-security-policy']).toContain("default-src 'none'");
      expect(headers['content-type']).not.toContain('html');
    }
  });

  test('a script element that a JSONP answer is copied into cannot be ended by it', async () => {
    const { api } = await start({});
    api.office.addEvent({ id: 'sly', notes: '</script><script>alert(1)</script><!--' });
    const { text } = await api.send('/api/app/get_event/v1?id=sly&callback=fn');
    expect(text).not.toContain('<');
    expect(objectOf(text.replace(/^\/\*\*\/fn\((.*)\);\n$/s, '$1'))).toMatchObject({
      event: { notes: '</script><script>alert(1)</script><!--' },
    });
  });
});
