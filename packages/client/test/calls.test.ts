import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { apiCalls } from '@carillon/contract';
import {
  ApiError,
  type CarillonClient,
  ClosedError,
  createClient,
  type JsonCallName,
  UnreachableError,
} from '../src/index.js';
import { deadUrl, hangUp, json, QuickTimer, redirect, TestServer } from './test-server.js';

const key = '0095f5b664b93304d5f8b1a61df605fb';
const noPrimary = json({ code: 'master', description: 'No primary' }, 503, { 'retry-after': '1' });

let primary: TestServer;
let other: TestServer;
let timer: QuickTimer;
const clients: CarillonClient[] = [];

const open = (options: Partial<Parameters<typeof createClient>[0]> = {}): CarillonClient => {
  const client = createClient({ url: primary.url, apiKey: key, timer, ...options });
  clients.push(client);
  return client;
};

beforeEach(async () => {
  timer = new QuickTimer();
  primary = await new TestServer().start();
  other = await new TestServer().start();
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await Promise.all([primary.stop(), other.stop()]);
});

describe('a call', () => {
  test('is a POST with a JSON body and the key in its header', async () => {
    primary.answer(json({ code: 0, id: 'e1' }));
    const params = { title: 'A', enabled: 1, category: 'general', plugin: 'shellplug', target: 'allgrp' };
    expect((await open().createEvent(params)).id).toBe('e1');
    expect(primary.seen).toHaveLength(1);
    expect(primary.seen[0]).toMatchObject({ method: 'POST', url: '/api/app/create_event/v1', key });
    expect(JSON.parse(primary.seen[0]?.body ?? '')).toEqual(params);
  });

  test('about users goes to their own path, with the session where there is one', async () => {
    primary.answer(redirect(() => other.url));
    other.answer(json({ code: 0, username: 'ann' }));
    const client = createClient({ url: primary.url, sessionId: ' s1 ', timer });
    clients.push(client);
    expect(await client.userResumeSession()).toMatchObject({ username: 'ann' });
    const expected = { method: 'POST', url: '/api/user/resume_session/v1', session: 's1', key: undefined };
    expect([primary.seen[0], other.seen[0]]).toMatchObject([expected, expected]);
    expect(() => createClient({ url: primary.url, sessionId: 'a\nb' })).toThrow(/session id/);
  });

  test('that logs in is not repeated when nobody knows what became of it', async () => {
    primary.answer(hangUp);
    const login = open().userLogin({ username: 'ann', password: 'geheim12' });
    await expect(login).rejects.toMatchObject({ mayHaveBeenProcessed: true });
    expect(primary.seen).toHaveLength(1);
  });

  test('keeps a path of the base URL', async () => {
    await open({ url: `${primary.url}/jobs/` }).ping();
    expect(primary.seen[0]?.url).toBe('/jobs/api/app/ping/v1');
  });

  test('that is refused rejects with code, description and status, and is not repeated', async () => {
    primary.answer(json({ code: 'event', description: 'Failed to locate event: x' }));
    const call = open().getEvent({ id: 'x' });
    await expect(call).rejects.toBeInstanceOf(ApiError);
    await expect(call).rejects.toMatchObject({
      code: 'event',
      description: 'Failed to locate event: x',
      httpStatus: 200,
    });
    expect(primary.seen).toHaveLength(1);
  });

  test.each([
    ['a web page', 200, '<html>hello</html>'],
    ['a JSON text without a code', 200, '{"hello":1}'],
    ['a web page with 404', 404, 'Not Found'],
  ])('that is answered by %s says so', async (_what, status, body) => {
    primary.answer((_request, response) => response.writeHead(status).end(body));
    await expect(open().ping()).rejects.toMatchObject({ code: 'http', httpStatus: status });
    await expect(open().ping()).rejects.toThrow('is this a Carillon server?');
  });

  test('rejects with the reason of its signal', async () => {
    const controller = new AbortController();
    primary.answer(() => controller.abort(new Error('enough')));
    await expect(open().ping({}, { signal: controller.signal })).rejects.toThrow('enough');
  });

  test('rejects when the client is closed meanwhile, and afterwards', async () => {
    const client = open();
    primary.answer(() => client.close());
    await expect(client.ping()).rejects.toBeInstanceOf(ClosedError);
    await expect(client.ping()).rejects.toBeInstanceOf(ClosedError);
  });
});

describe('a redirect', () => {
  test('is followed with method, body and key, and the primary is remembered', async () => {
    primary.answer(json({ code: 0, ids: ['j1'] }));
    other.answer(redirect(() => primary.url));
    const client = open({ url: other.url });
    expect((await client.runEvent({ id: 'e1' })).ids).toEqual(['j1']);
    await client.runEvent({ id: 'e1' });
    expect(client.url).toBe(primary.url);
    expect(other.seen).toHaveLength(1);
    expect(primary.seen.map((seen) => [seen.method, seen.key, seen.body])).toEqual([
      ['POST', key, '{"id":"e1"}'],
      ['POST', key, '{"id":"e1"}'],
    ]);
  });

  test('leads to where the announced node is reached', async () => {
    primary.answer(json({ code: 0, ids: ['j1'] }));
    other.answer(redirect(() => 'http://10.1.2.3:3012'));
    const asked: string[] = [];
    const route = (announced: string): string => {
      asked.push(announced);
      return primary.url;
    };
    const client = open({ url: other.url, route });
    expect((await client.runEvent({ id: 'e1' })).ids).toEqual(['j1']);
    expect([asked, client.url]).toEqual([['http://10.1.2.3:3012'], primary.url]);
  });

  test.each(['/login', 'ftp://127.0.0.1/api/app/ping/v1', 'http://::ffff:10.0.0.5:3012/api/app/ping/v1'])(
    'to %s is not followed',
    async (location) => {
      primary.answer((_request, response) => response.writeHead(302, { location }).end());
      await expect(open().ping()).rejects.toThrow(`Refusing to follow a redirect`);
      expect(primary.seen).toHaveLength(1);
    },
  );

  test('to a primary that has died leads back to the configured URL', async () => {
    const dead = await deadUrl();
    other.answer(
      redirect(() => dead),
      redirect(() => primary.url),
    );
    primary.answer(json({ code: 0, state: { enabled: 1 } }));
    const client = open({ url: other.url });
    expect((await client.getMasterState()).state.enabled).toBe(1);
    expect(other.seen).toHaveLength(2);
    expect(timer.pauses).toHaveLength(1);
  });

  test('in a circle ends with the deadline', async () => {
    other.answer(redirect(() => primary.url));
    primary.answer(redirect(() => other.url));
    await expect(open({ retry: { deadlineMs: 1000 } }).ping()).rejects.toThrow('Too many redirects');
    expect(timer.pauses.length).toBeGreaterThan(0);
  });

  test('a remembered primary that is gone is forgotten at once, without a pause', async () => {
    // No idle connection is left that could break under the next request.
    primary.answer(json({ code: 0 }, 200, { connection: 'close' }));
    other.answer(
      redirect(() => primary.url),
      json({ code: 0 }),
    );
    const client = open({ url: other.url });
    await client.updateMasterState({ enabled: 1 });
    await primary.stop();
    await client.updateMasterState({ enabled: 1 });
    expect(other.seen).toHaveLength(2);
    expect(timer.pauses).toEqual([]);
  });
});

describe('retries', () => {
  test('503 is repeated after the time the server asks for, also for writes', async () => {
    primary.answer(noPrimary, noPrimary, json({ code: 0, ids: ['j1'] }));
    expect((await open().runEvent({ id: 'e1' })).ids).toEqual(['j1']);
    expect(timer.pauses).toEqual([1000, 1000]);
  });

  test('the 200 answer of a node without a primary is repeated', async () => {
    primary.answer(json({ code: 'master', description: 'x' }), json({ code: 0, ids: ['j1'] }));
    expect((await open().runEvent({ id: 'e1' })).ids).toEqual(['j1']);
  });

  test('no primary until the deadline', async () => {
    primary.answer(noPrimary);
    const call = open({ retry: { deadlineMs: 3500 } }).getSchedule();
    await expect(call).rejects.toMatchObject({ name: 'UnreachableError', refused: false });
    expect(timer.pauses).toEqual([1000, 1000, 1000]);
  });

  test('a refused connection is repeated, with the next URL first', async () => {
    const client = open({ urls: [await deadUrl(), primary.url], url: await deadUrl() });
    await client.updateMasterState({ enabled: 1 });
    expect(primary.seen).toHaveLength(1);
    expect(timer.pauses).toEqual([]);
  });

  test('pauses grow, and nobody there is reported as refused', async () => {
    const url = await deadUrl();
    const call = open({ url, retry: { deadlineMs: 60_000, connectDeadlineMs: 2000 } }).ping();
    await expect(call).rejects.toMatchObject({ refused: true, mayHaveBeenProcessed: false, url });
    expect(timer.pauses[1]).toBeGreaterThan(timer.pauses[0] ?? Number.POSITIVE_INFINITY);
    expect(timer.monotonicMs()).toBeLessThanOrEqual(2000);
  });

  test('a deadline of 0 means one attempt', async () => {
    await expect(open({ url: await deadUrl(), retry: { deadlineMs: 0 } }).ping()).rejects.toThrow(
      UnreachableError,
    );
    expect(timer.pauses).toEqual([]);
  });

  test('a broken connection: reads are repeated', async () => {
    primary.answer(hangUp, json({ code: 0, jobs: {} }));
    expect((await open().getActiveJobs()).jobs).toEqual({});
  });

  test('a broken connection: writes are not repeated and say that they may have been done', async () => {
    primary.answer(hangUp, json({ code: 0, ids: ['j1'] }));
    await expect(open().runEvent({ id: 'e1' })).rejects.toMatchObject({ mayHaveBeenProcessed: true });
    expect(primary.seen).toHaveLength(1);
  });

  test('a broken connection: writes are repeated when asked for', async () => {
    primary.answer(hangUp, json({ code: 0, ids: ['j1'] }));
    expect((await open({ retryWrites: true }).runEvent({ id: 'e1' })).ids).toEqual(['j1']);
  });

  const asText = ['get_job_log', 'get_live_job_log'];
  /** Harmless when repeated: they only read, or leave something that goes away by itself. */
  const repeatable = [
    'ping',
    'status',
    'config',
    'check_user_exists',
    'user_resume_session',
    'begin_export',
    'read_export',
    'begin_import',
    'add_to_import',
  ];
  const isRepeated = (name: string): boolean => /^(user_admin_)?get_/.test(name) || repeatable.includes(name);
  test.each(Object.keys(apiCalls).filter((name) => !asText.includes(name)) as JsonCallName[])(
    'after a broken connection %s is repeated only when that is harmless',
    async (name) => {
      primary.answer(hangUp, json({ code: 0 }));
      // The connection breaks whatever the parameters are.
      const called = open().call(name, {} as never);
      if (isRepeated(name)) await called;
      else await expect(called).rejects.toMatchObject({ mayHaveBeenProcessed: true });
      expect(primary.seen).toHaveLength(isRepeated(name) ? 2 : 1);
    },
  );

  test('a write that may not be durable is not repeated, a read is', async () => {
    const unavailable = json({ code: 'unavailable', description: 'Not durable' }, 503);
    primary.answer(unavailable, json({ code: 0 }));
    await expect(open().abortJob({ id: 'j1' })).rejects.toMatchObject({ code: 'unavailable' });
    primary.answer(unavailable, json({ code: 0, state: { enabled: 0 } }));
    await open().getMasterState();
  });

  test('a node that does not speak TLS is unreachable by https', async () => {
    const call = open({ url: primary.url.replace('http', 'https'), retry: { deadlineMs: 0 } }).ping();
    await expect(call).rejects.toBeInstanceOf(UnreachableError);
  });
});

describe('lists', () => {
  const rows = (...ids: string[]) => ids.map((id) => ({ id }));
  const page = (ids: string[], length: number) => json({ code: 0, rows: rows(...ids), list: { length } });

  test('are read page by page, without repeating what new rows have pushed down', async () => {
    primary.answer(page(['c', 'b'], 3), page(['b', 'a'], 4));
    const seen: string[] = [];
    for await (const event of open().schedule()) seen.push(event.id);
    expect(seen).toEqual(['c', 'b', 'a']);
    expect(primary.seen.map((request) => JSON.parse(request.body).offset)).toEqual([0, 2]);
  });

  test('rows without an id are told apart as well', async () => {
    const entry = (epoch: number) => ({ action: 'warning', epoch });
    primary.answer(
      json({ code: 0, rows: [entry(3), entry(2)], list: { length: 3 } }),
      json({ code: 0, rows: [entry(2), entry(1)], list: { length: 4 } }),
    );
    const seen: number[] = [];
    for await (const { epoch } of open().activity()) seen.push(epoch);
    expect(seen).toEqual([3, 2, 1]);

    const launch = (event: string, epoch: number) => ({ event, epoch });
    primary.answer(json({ code: 0, rows: [launch('a', 60), launch('b', 60)], list: { length: 2 } }));
    const due: string[] = [];
    for await (const { event } of open().upcoming(2)) due.push(event);
    expect(due).toEqual(['a', 'b']);
    expect(JSON.parse(primary.seen.at(-1)?.body ?? '')).toMatchObject({ hours: 2, offset: 0 });

    primary.answer(page(['d1'], 1));
    for await (const { id } of open().deliveries('j1')) due.push(id);
    expect(due).toEqual(['a', 'b', 'd1']);
    expect(JSON.parse(primary.seen.at(-1)?.body ?? '')).toMatchObject({ job: 'j1' });
  });

  test('an empty page ends the list, whatever its length says', async () => {
    primary.answer(page(['a'], 9), page([], 9));
    const seen: string[] = [];
    for await (const row of open().history('e1')) seen.push(row.id);
    expect(seen).toEqual(['a']);
    expect(primary.seen[0]?.url).toBe('/api/app/get_event_history/v1');
  });
});

describe('the log of a job', () => {
  test('is text, even when it looks like JSON', async () => {
    primary.answer((_request, response) =>
      response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end('{"code":"x"}\n'),
    );
    expect(await open().jobLog('j1')).toBe('{"code":"x"}\n');
    expect(primary.seen[0]).toMatchObject({ method: 'GET', url: '/api/app/get_job_log/v1?id=j1', key });
  });

  test('may be refused', async () => {
    primary.answer(json({ code: 'job', description: 'Failed to fetch job log' }));
    await expect(open().jobLog('j1')).rejects.toMatchObject({ code: 'job' });
  });
});

test.each([
  [{}, 'give a url'],
  [{ url: 'localhost:3012' }, 'Not an http or https URL'],
  [{ url: 'http://a', apiKey: 'a\nb' }, 'API key'],
])('unusable options %j are refused', (options, text) => {
  expect(() => createClient(options)).toThrow(text);
});
