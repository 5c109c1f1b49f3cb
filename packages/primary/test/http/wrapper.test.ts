import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from '@jest/globals';
import { FencedError } from '@carillon/core';
import { objectOf, stopAll, TestApi } from '../support/api-server.js';
import { adminKey } from '../support/fake-office.js';
import { referenceOffice } from '../support/reference-state.js';

afterEach(stopAll);

const start = async (options: Parameters<typeof TestApi.start>[0] = {}) => {
  const office = referenceOffice();
  return { office, api: await TestApi.start({ office, ...options }) };
};

describe('paths (behaviour reference 1.1)', () => {
  test.each([
    ['/api/app/ping', { code: 0 }],
    ['/api/app/ping/', { code: 0 }],
    ['/api/app/ping/v1', { code: 0 }],
    ['/api/app/ping/anything/more', { code: 0 }],
    ['http://elsewhere/api/app/ping/v1', { code: 0 }],
    ['/api/app/Ping', { code: 1, description: 'Unsupported API: app/api_Ping' }],
    ['/api/app/toString/v1', { code: 1, description: 'Unsupported API: app/api_toString' }],
    ['/api/app/__proto__/v1', { code: 1, description: 'Unsupported API: app/api___proto__' }],
    ['/api/app/get_nothing/v1', { code: 1, description: 'Unsupported API: app/api_get_nothing' }],
    ['/api/app', { code: 1, description: 'Invalid API URL: /api/app' }],
    ['/api/app/', { code: 1, description: 'Invalid API URL: /api/app/' }],
    ['/api/app/?x=1', { code: 1, description: 'Invalid API URL: /api/app/' }],
    ['/api/APP/ping', { code: 1, description: 'Invalid API URL: /api/APP/ping' }],
    ['/api/foo', { code: 1, description: 'Unsupported API: foo' }],
  ])('%s', async (path, expected) => {
    const { api } = await start();
    const reply = await api.send(path);
    expect(reply.status).toBe(200);
    expect(objectOf(reply.text)).toEqual(expected);
  });

  test.each(['/api', '/api/', '/', '/zzz/api/app/ping', '/API/app/ping'])(
    '%s is no API path',
    async (path) => {
      const { api } = await start();
      const reply = await api.send(path);
      expect(reply.status).toBe(404);
      expect(reply.headers['content-type']).toMatch(/^text\/plain/);
      expect(reply.text).toBe(`404 Not Found: ${path}\n`);
    },
  );
});

describe('answers (behaviour reference 1.4)', () => {
  test('headers, compact JSON and a line end', async () => {
    const { api } = await start();
    const reply = await api.send('/api/app/ping/v1');
    expect(reply.text).toBe('{"code":0}\n');
    expect(reply.headers).toMatchObject({
      'content-type': 'application/json',
      'content-length': '11',
      'access-control-allow-origin': '*',
      server: 'Carillon',
    });
  });

  test('pretty=1 indents with tabs', async () => {
    const { api } = await start();
    expect((await api.send('/api/app/ping/v1?pretty=1')).text).toBe('{\n\t"code": 0\n}\n');
  });

  test.each(['PUT', 'DELETE', 'PATCH', 'POST'])('method %s runs the call as well', async (method) => {
    const { api } = await start();
    expect(objectOf((await api.send('/api/app/get_master_state', { method })).text)).toMatchObject({
      code: 0,
    });
  });

  test('HEAD has the headers alone', async () => {
    const { api } = await start();
    const reply = await api.send('/api/app/ping/v1', { method: 'HEAD' });
    expect(reply).toMatchObject({ status: 200, text: '' });
    expect(reply.headers['content-length']).toBe('11');
  });

  test.each([
    [{}, '*', '*'],
    [
      { Origin: 'https://ui.test', 'Access-Control-Request-Headers': 'x-api-key' },
      'https://ui.test',
      'x-api-key',
    ],
  ])('OPTIONS %j', async (headers, origin, allowed) => {
    const { api } = await start();
    const reply = await api.send('/api/app/get_event/v1', { method: 'OPTIONS', headers, key: null });
    expect(reply).toMatchObject({ status: 200, text: '' });
    expect(reply.headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'POST, GET, HEAD, OPTIONS',
      'access-control-allow-headers': allowed,
      'access-control-max-age': '1728000',
      'content-length': '0',
    });
  });

  test('large answers are compressed for those who accept it, small ones are not', async () => {
    const { api, office } = await start();
    for (let n = 0; n < 100; n += 1) office.addEvent({ id: `big${n}`, notes: 'n'.repeat(500) });
    const path = '/api/app/get_schedule/v1?limit=100';
    const plain = await api.send(path);
    const packed = await api.send(path, { headers: { 'Accept-Encoding': 'deflate, gzip' } });
    expect(plain.headers).not.toHaveProperty('content-encoding');
    expect(packed.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept-Encoding' });
    expect(gunzipSync(packed.bytes).toString()).toBe(plain.text);
    const refused = await api.send(path, { headers: { 'Accept-Encoding': 'gzip;q=0' } });
    expect(refused.headers).not.toHaveProperty('content-encoding');
    const small = await api.send('/api/app/ping', { headers: { 'Accept-Encoding': 'gzip' } });
    expect(small.headers).not.toHaveProperty('content-encoding');
  });
});

describe('JSONP', () => {
  test('wraps successes and errors for GET', async () => {
    const { api } = await start();
    const reply = await api.send('/api/app/ping/v1?callback=my.fn_$1');
    expect(reply.text).toBe('/**/my.fn_$1({"code":0});\n');
    expect(reply.headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'x-content-type-options': 'nosniff',
    });
    const error = await api.send('/api/app/get_event/v1?callback=fn', { key: null });
    expect(error.text).toMatch(/^\/\*\*\/fn\(\{"code":"session",.*\}\);\n$/);
    expect((await api.send('/api/app/nothing?callback=fn')).text).toMatch(/^\/\*\*\/fn\(\{"code":1,/);
  });

  test('escapes line separators', async () => {
    const { api, office } = await start();
    office.addEvent({ id: 'separators', notes: 'a\u2028b\u2029c' });
    const reply = await api.send('/api/app/get_event/v1?id=separators&callback=fn');
    expect(reply.text).toContain('a\\u2028b\\u2029c');
  });

  test.each(['alert(1)', '', '1a', 'a b', '<script>', 'a'.repeat(129)])('refuses %j', async (callback) => {
    const { api } = await start();
    const reply = await api.send(`/api/app/ping/v1?callback=${encodeURIComponent(callback)}`);
    expect(reply.headers['content-type']).toBe('application/json');
    expect(objectOf(reply.text)).toEqual({ code: 'api', description: 'Malformed parameter value: callback' });
  });

  test('is ignored for POST', async () => {
    const { api } = await start();
    expect((await api.send('/api/app/ping/v1?callback=fn', { method: 'POST' })).text).toBe('{"code":0}\n');
  });
});

describe('bodies (behaviour reference 1.2)', () => {
  const post = (api: TestApi, type: string, body: string | Buffer, name = 'get_event') =>
    api.send(`/api/app/${name}/v1`, { method: 'POST', headers: { 'Content-Type': type }, body });

  test.each(['application/json', 'text/plain', 'text/javascript; charset=utf-8', 'application/vnd.api+JSON'])(
    '%s is JSON',
    async (type) => {
      const { api } = await start();
      expect(objectOf((await post(api, type, '{"id":"3c182051"}')).text)).toMatchObject({ code: 0 });
    },
  );

  test.each(['[]', '1', 'null', '"text"', 'true'])('JSON %s is no parameters', async (body) => {
    const { api } = await start();
    const answer = objectOf((await post(api, 'application/json', body)).text);
    expect(answer).toMatchObject({ description: 'Failed to locate event: No criteria specified' });
  });

  test('a byte order mark is skipped', async () => {
    const { api } = await start();
    expect(objectOf((await post(api, 'application/json', '\uFEFF{"id":"3c182051"}')).text)).toMatchObject({
      code: 0,
    });
  });

  test('a form is text, with numbers where numbers are wanted', async () => {
    const { api } = await start();
    const type = 'application/x-www-form-urlencoded';
    const form =
      'title=Form&enabled=1&category=general&plugin=shellplug&target=allgrp&timeout=60&params/script=date';
    const { id } = objectOf((await post(api, type, form, 'create_event')).text);
    expect(await api.get('get_event', `id=${String(id)}`)).toMatchObject({
      event: { title: 'Form', enabled: 1, timeout: 60, params: { script: 'date' } },
    });
  });

  test('a repeated form field is refused, not guessed', async () => {
    const { api } = await start();
    const reply = await post(api, 'application/x-www-form-urlencoded', 'id=a&id=b');
    expect(objectOf(reply.text)).toEqual({
      code: 'api',
      description: 'Malformed parameter type: id (object)',
    });
  });

  test('multipart is refused by name', async () => {
    const { api } = await start();
    const reply = await post(api, 'multipart/form-data; boundary=x', '--x\r\n\r\n--x--\r\n');
    expect(reply.status).toBe(200);
    expect(objectOf(reply.text)).toMatchObject({
      code: 'api',
      description: expect.stringContaining('multipart/form-data'),
    });
  });

  test('other types have no parameters', async () => {
    const { api } = await start();
    const reply = await post(api, 'application/octet-stream', '{"id":"3c182051"}');
    expect(objectOf(reply.text)).toMatchObject({
      description: 'Failed to locate event: No criteria specified',
    });
  });

  test('a body nested too deeply is refused, not stored', async () => {
    const { api } = await start();
    const reply = await post(api, 'application/json', `{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`);
    expect(reply.status).toBe(400);
    expect(objectOf(reply.text)).toMatchObject({
      code: 'api',
      description: expect.stringContaining('nested'),
    });
  });

  test('__proto__ is dropped at every depth', async () => {
    const { api } = await start();
    const text = '{"id":"3c182051","__proto__":{"x":1},"params":{"__proto__":{"y":1},"cust":"A"}}';
    expect(objectOf((await post(api, 'application/json', text, 'update_event')).text)).toEqual({ code: 0 });
    const reply = await api.send('/api/app/get_event/v1?id=3c182051');
    expect(reply.text).toContain('"params":{"cust":"A"}');
    expect(reply.text).not.toContain('__proto__');
  });

  test('too large, announced: 413 and the connection is closed', async () => {
    const { api } = await start({ maxBodyBytes: 1000 });
    const reply = await post(api, 'application/json', `{"id":"${'x'.repeat(2000)}"}`);
    expect(reply.status).toBe(413);
    expect(reply.headers['connection']).toBe('close');
    expect(objectOf(reply.text)).toEqual({
      code: 'too_large',
      description: 'The request body is larger than 1000 bytes',
    });
  });

  test('too large, in chunks: 413', async () => {
    const { api } = await start({ maxBodyBytes: 1000 });
    const reply = await api.send('/api/app/get_event/v1', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' },
      body: 'x'.repeat(3000),
    });
    expect(reply.status).toBe(413);
  });

  test('an upload that stalls is refused when its time is over', async () => {
    const { api } = await start();
    const request =
      'POST /api/app/get_event/v1 HTTP/1.1\r\nHost: x\r\nContent-Type: text/json\r\nContent-Length: 99\r\n\r\n{';
    const received = new Promise<void>((resolve) => api.http.server.once('request', () => resolve()));
    const answer = api.raw(request);
    await received;
    await api.clock.advanceSettling(30_000);
    await api.clock.advanceSettling(1_000);
    expect(await answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*not received in time/);
  });
});

describe('merging query and body (behaviour reference 1.3)', () => {
  test('reads: the query wins', async () => {
    const { api } = await start();
    const reply = await api.post('get_event', '{"id":"540cf457"}');
    expect(objectOf(reply.text)).toMatchObject({ event: { id: '540cf457' } });
    const headers = { 'Content-Type': 'application/json' };
    const both = await api.send('/api/app/get_event/v1?id=3c182051', {
      method: 'POST',
      headers,
      body: '{"id":"540cf457"}',
    });
    expect(objectOf(both.text)).toMatchObject({ event: { id: '3c182051' } });
  });

  test('run_event: the body wins, and control keys reach no job', async () => {
    const { api, office } = await start();
    office.addUser('ann', { admin: 1 });
    const session = office.addSession('ann');
    const path = `/api/app/run_event/v1?id=3c182051&timeout=5&pretty=1&callback=x&session_id=${session}&api_key=${adminKey}`;
    const headers = { 'Content-Type': 'application/json' };
    await api.send(path, { method: 'POST', headers, body: `{"timeout":9,"api_key":"${adminKey}"}` });
    expect(office.launches.map((launch) => launch.overrides)).toEqual([{ timeout: 9 }]);
  });

  test('writes: only the body counts', async () => {
    const { api } = await start();
    expect(await api.get('update_master_state', 'enabled=0')).toEqual({
      code: 'api',
      description: 'Missing parameter: enabled',
    });
    expect(await api.get('get_master_state')).toMatchObject({ state: { enabled: 1 } });
  });
});

describe('order of checks: authentication, parameters, privilege, look-up', () => {
  test('an anonymous caller learns nothing of parameters', async () => {
    const { api } = await start();
    expect(await api.call('create_event', {}, { key: null })).toMatchObject({ code: 'session' });
    expect(await api.call('get_event', { id: '3c182051' }, { key: 'nonsense' })).toEqual({
      code: 'api',
      description: 'Invalid API Key',
    });
  });

  test('an object as required parameter is refused', async () => {
    const { api } = await start();
    expect(await api.call('delete_event', { id: { toString: 1 } })).toEqual({
      code: 'api',
      description: 'Malformed parameter: id',
    });
  });

  test('parameters before privilege, privilege before look-up', async () => {
    const { api, office } = await start();
    office.addKey('reader', 'readerkey', {});
    const key = 'readerkey';
    expect(await api.call('delete_event', {}, { key })).toMatchObject({
      description: 'Missing parameter: id',
    });
    expect(await api.call('delete_event', { id: 'nothing' }, { key })).toEqual({
      code: 'api',
      description:
        "API Key ('reader') does not have the required privileges to perform this action (delete_events).",
    });
  });

  test('a disabled key', async () => {
    const { api, office } = await start();
    office.addKey('old', 'oldkey', { admin: 1 }, 0);
    expect(await api.get('get_schedule', '', { key: 'oldkey' })).toEqual({
      code: 'api',
      description: 'API Key is disabled: old',
    });
  });
});

describe('failures', () => {
  test('an unexpected error is told by reference and logged once', async () => {
    const { api, office } = await start();
    office.activeJobsOf = () => {
      throw new Error('a defect');
    };
    const reply = await api.send('/api/app/get_event/v1?id=3c182051');
    expect(reply.status).toBe(500);
    const { description } = objectOf(reply.text);
    const reference = /^Internal error, reference (\w+)$/.exec(String(description))?.[1];
    const logged = api.log.lines.filter((line) => line.level === 'error');
    expect(logged).toMatchObject([{ fields: { call: 'get_event', reference } }]);
    expect(reply.text).not.toContain('a defect');
  });

  test('a lost store is "unavailable", to be repeated', async () => {
    const { api, office } = await start();
    office.storeFault = new Error('Connection is closed');
    const reply = await api.send('/api/app/get_history/v1');
    expect(reply.status).toBe(503);
    expect(reply.headers['retry-after']).toBe('1');
    expect(objectOf(reply.text)).toMatchObject({ code: 'unavailable' });
  });

  test('so is a write of a term that is over', async () => {
    const { api, office } = await start();
    office.storeFault = new FencedError(7);
    const reply = await api.post('delete_event', '{"id":"3c182051"}');
    expect(reply.status).toBe(503);
    expect(objectOf(reply.text)).toMatchObject({ code: 'unavailable' });
  });

  test('a request that takes too long gets a 503, and the late result no second answer', async () => {
    const { api, office } = await start();
    let release = () => {};
    office.gate = new Promise((resolve) => {
      release = () => resolve();
    });
    const received = new Promise<void>((resolve) => api.http.server.once('request', () => resolve()));
    const answer = api.send('/api/app/get_history/v1');
    await received;
    api.clock.advance(30_000);
    const reply = await answer;
    expect(reply.status).toBe(503);
    expect(objectOf(reply.text)).toMatchObject({ code: 'unavailable' });
    release();
    expect(await api.get('get_history')).toMatchObject({ code: 0 });
    expect(api.clock.pending).toBe(0);
  });
});

describe('job logs', () => {
  test('compressed for those who accept it, plain for others, empty before the start', async () => {
    const { api, office } = await start();
    const { ids } = await api.call('run_event', { id: '3c182051' });
    const id = String(Array.isArray(ids) ? ids[0] : '');
    const path = `/api/app/get_job_log/v1?id=${id}`;
    expect(await api.send(path)).toMatchObject({ status: 200, text: '' });
    office.logs.set(id, { gzip: false, bytes: Buffer.from('so far') });
    expect(await api.send(path)).toMatchObject({ status: 200, text: 'so far' });
    office.finish(id, 'the whole log ✔\n');
    const plain = await api.send(path);
    expect(plain.text).toBe('the whole log ✔\n');
    expect(plain.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'x-content-type-options': 'nosniff',
    });
    const packed = await api.send(path, { headers: { 'Accept-Encoding': 'gzip' } });
    expect(packed.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(packed.bytes).toString()).toBe('the whole log ✔\n');
    const download = await api.send(`${path}&download=1`);
    expect(download.headers['content-disposition']).toBe(`attachment; filename=Carillon-Job-Log-${id}.txt`);
    expect(await api.send(path, { method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
  });

  test('errors are JSON', async () => {
    const { api, office } = await start();
    const { ids } = await api.call('run_event', { id: '3c182051' });
    const id = String(Array.isArray(ids) ? ids[0] : '');
    office.finish(id);
    office.logs.clear();
    expect(await api.get('get_job_log', 'id=nothing')).toMatchObject({ code: 'job' });
    expect(await api.get('get_job_log', `id=${id}`)).toMatchObject({ code: 'job' });
    expect(await api.get('get_job_log')).toMatchObject({ description: 'Missing parameter: id' });
  });

  test('a log that cannot be read is "unavailable"', async () => {
    const { api, office } = await start();
    const { ids } = await api.call('run_event', { id: '3c182051' });
    const id = String(Array.isArray(ids) ? ids[0] : '');
    office.jobLog = () => Promise.resolve({ gzip: false, bytes: failing() });
    expect(await api.get('get_job_log', `id=${id}`)).toMatchObject({ code: 'unavailable' });
  });
});

async function* failing(): AsyncGenerator<Uint8Array> {
  await Promise.reject(new Error('the store is gone'));
  yield Buffer.alloc(0);
}
