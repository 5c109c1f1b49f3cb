import { afterEach, describe, expect, test } from '@jest/globals';
import { type ApiCallName, apiCalls, compileSchema } from '@carillon/contract';
import { type Reply, stopAll, objectOf, TestApi } from '../support/api-server.js';
import { adminKey } from '../support/fake-office.js';
import { referenceOffice } from '../support/reference-state.js';

/** Requests are sent, and answers compared, as the API reference prints them. */

afterEach(stopAll);

/** The answer of a successful call, with the fields and types the contract promises. */
function expectSuccess(name: ApiCallName, reply: Reply): Record<string, unknown> {
  expect(reply.status).toBe(200);
  expect(reply.headers['content-type']).toBe('application/json');
  const answer = objectOf(reply.text);
  expect(answer).toMatchObject({ code: 0 });
  expect({ answer, fits: compileSchema(apiCalls[name].response)(answer) }).toEqual({ answer, fits: true });
  return answer;
}

async function start() {
  const office = referenceOffice();
  const api = await TestApi.start({ office });
  /** Runs the event of the examples; the job's id. */
  const run = async (): Promise<string> => {
    const { ids } = await api.call('run_event', { id: '3c182051' });
    return String(Array.isArray(ids) ? ids[0] : '');
  };
  return { office, api, run };
}

const createText = `{
	"catch_up": 1,
	"category": "43f8c57e",
	"cpu_limit": 100,
	"cpu_sustain": 0,
	"detached": 0,
	"enabled": 1,
	"log_max_size": 0,
	"max_children": 1,
	"memory_limit": 0,
	"memory_sustain": 0,
	"modified": 1451185588,
	"multiplex": 0,
	"notes": "This event handles database maintenance.",
	"notify_fail": "",
	"notify_success": "",
	"params": {
		"db_host": "idb01.mycompany.com",
		"verbose": 1,
		"cust": "Sales"
	},
	"plugin": "test",
	"retries": 0,
	"retry_delay": 30,
	"target": "db1.int.myserver.com",
	"timeout": 3600,
	"timezone": "America/New_York",
	"timing": {
		"hours": [ 21 ],
		"minutes": [ 20, 40 ]
	},
	"title": "DB Reindex",
	"web_hook": "http://myserver.com/notify-chronos.php"
}`;

const updateText = `{
	"id": "3c182051",
	"reset_cursor": 1451185588,
	"abort_jobs": 0,
	"catch_up": 1,
	"category": "43f8c57e",
	"cpu_limit": 100,
	"cpu_sustain": 0,
	"detached": 0,
	"enabled": 1,
	"log_max_size": 0,
	"max_children": 1,
	"memory_limit": 0,
	"memory_sustain": 0,
	"multiplex": 0,
	"notes": "This event handles database maintenance.",
	"notify_fail": "",
	"notify_success": "",
	"params": {
		"db_host": "idb01.mycompany.com",
		"verbose": 1,
		"cust": "Marketing"
	},
	"plugin": "test",
	"retries": 0,
	"retry_delay": 30,
	"target": "db1.int.myserver.com",
	"timeout": 3600,
	"timezone": "America/New_York",
	"timing": {
		"hours": [ 21 ],
		"minutes": [ 20, 40 ]
	},
	"title": "DB Reindex",
	"username": "admin",
	"web_hook": "http://myserver.com/notify-chronos.php"
}`;

const runText = `{
	"id": "3c182051",
	"category": "43f8c57e",
	"cpu_limit": 100,
	"cpu_sustain": 0,
	"detached": 0,
	"log_max_size": 0,
	"max_children": 1,
	"memory_limit": 0,
	"memory_sustain": 0,
	"multiplex": 0,
	"notify_fail": "",
	"notify_success": "",
	"params": {
		"db_host": "idb01.mycompany.com",
		"verbose": 1,
		"cust": "Marketing"
	},
	"plugin": "test",
	"retries": 0,
	"retry_delay": 30,
	"target": "db1.internal.myserver.com",
	"timeout": 3600,
	"title": "DB Reindex",
	"username": "admin",
	"web_hook": "http://myserver.com/notify-chronos.php"
}`;

describe('API keys', () => {
  const requestHead = `GET /api/app/get_schedule/v1?api_key=${adminKey} HTTP/1.1
Host: myserver.com
X-API-Key: ${adminKey}
Content-Type: application/json
`.replaceAll('\n', '\r\n');
  const body = `{"offset": 0, "limit": 50, "api_key": "${adminKey}"}`;

  test('the raw request with the key in all three places', async () => {
    const { api } = await start();
    const received = await api.raw(
      `${requestHead}Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    );
    expect(received).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(received).toContain('"length":3');
  });

  test('the raw request as printed, without the length of its body, is answered too', async () => {
    const { api } = await start();
    const received = await api.raw(`${requestHead}\r\n${body}`);
    expect(received).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(received).toContain('"length":3');
  });

  test.each([
    ['header', { headers: { 'X-API-Key': adminKey } }, '{}', ''],
    ['query string', {}, '{}', `?api_key=${adminKey}`],
    ['body', {}, `{"api_key":"${adminKey}"}`, ''],
  ])('a key in the %s is enough', async (_place, options, text, query) => {
    const { api } = await start();
    const headers = { 'Content-Type': 'application/json', ...('headers' in options ? options.headers : {}) };
    const path = `/api/app/get_event_history/v1${query}`;
    const given = JSON.stringify({ ...objectOf(text), id: '3c182051' });
    const reply = await api.send(path, { method: 'POST', headers, body: given, key: null });
    expectSuccess('get_event_history', reply);
  });

  test('without a key the error is the printed one', async () => {
    const { api } = await start();
    const reply = await api.send('/api/app/get_schedule/v1', { key: null });
    expect(reply.status).toBe(200);
    expect(objectOf(reply.text)).toEqual({
      code: 'session',
      description: 'No Session ID or API Key could be found',
    });
  });
});

describe('get_schedule', () => {
  test('by POST, newest first, with the list header', async () => {
    const { api } = await start();
    const answer = expectSuccess(
      'get_schedule',
      await api.post('get_schedule', '{\n\t"offset": 0,\n\t"limit": 1000\n}'),
    );
    expect(answer['rows']).toMatchObject([{ id: '3c182051' }, { id: '29bf12db' }, { id: '540cf457' }]);
    expect(answer['list']).toEqual({ page_size: 50, first_page: 0, last_page: 0, length: 3, type: 'list' });
  });

  test('by GET with a query string', async () => {
    const { api } = await start();
    const reply = await api.send('/api/app/get_schedule/v1?offset=1&limit=1');
    const answer = expectSuccess('get_schedule', reply);
    expect(answer['rows']).toMatchObject([
      { id: '29bf12db', title: 'Rebuild Indexes', timing: { minutes: [10] } },
    ]);
    expect(answer['list']).toMatchObject({ length: 3 });
  });
});

describe('get_event', () => {
  test('by id', async () => {
    const { api } = await start();
    const answer = expectSuccess('get_event', await api.post('get_event', '{\n\t"id": "540cf457"\n}'));
    expect(answer).toMatchObject({ event: { id: '540cf457', title: 'Backup Logs to S3', enabled: 0 } });
    expect(answer).not.toHaveProperty('queue');
    expect(answer).not.toHaveProperty('jobs');
  });

  test('by exact title, with its active jobs', async () => {
    const { api, run } = await start();
    const id = await run();
    const answer = expectSuccess('get_event', await api.send('/api/app/get_event/v1?title=Test%20Event%202'));
    expect(answer['jobs']).toMatchObject([{ id, event: '3c182051' }]);
    expect(await api.get('get_event', 'title=test%20event%202')).toMatchObject({ code: 'event' });
  });

  test('an empty id leaves the choice to the title', async () => {
    const { api } = await start();
    expect(await api.get('get_event', 'id=&title=Test%20Event%202')).toMatchObject({
      event: { id: '3c182051' },
    });
    expect(await api.call('get_event', { id: '', title: '' })).toEqual({
      code: 'event',
      description: 'Failed to locate event: No criteria specified',
    });
  });

  test('queue is there when the event allows queueing', async () => {
    const { api, office } = await start();
    office.addEvent({ id: 'queued', queue: 1 });
    expectSuccess('get_event', await api.send('/api/app/get_event/v1?id=queued'));
    expect(await api.get('get_event', 'id=queued')).toMatchObject({ code: 0, queue: 0 });
  });
});

describe('create_event', () => {
  test('as printed', async () => {
    const { api } = await start();
    const { id } = expectSuccess('create_event', await api.post('create_event', createText));
    expect(await api.call('get_event', { id })).toMatchObject({
      code: 0,
      event: { title: 'DB Reindex', timing: { hours: [21], minutes: [20, 40] }, api_key: 'kadmin' },
    });
  });
});

describe('update_event', () => {
  test('the short example, whose trailing comma makes it malformed, gets a clear error', async () => {
    const { api } = await start();
    const reply = await api.post('update_event', '{\n\t"id": "3c182051",\n\t"enabled": 0,\n}');
    expect(reply.status).toBe(400);
    expect(objectOf(reply.text)).toEqual({
      code: 'api',
      description: expect.stringMatching(/^Malformed JSON in the request body \(at position \d+\)$/),
    });
  });

  test('the short example without the comma', async () => {
    const { api } = await start();
    expectSuccess('update_event', await api.post('update_event', '{"id": "3c182051", "enabled": 0}'));
    expect(await api.call('get_event', { id: '3c182051' })).toMatchObject({
      event: { enabled: 0, title: 'Test Event 2' },
    });
  });

  test('everything updated', async () => {
    const { api, office } = await start();
    expect(expectSuccess('update_event', await api.post('update_event', updateText))).toEqual({ code: 0 });
    expect(office.updates).toEqual([{ resetCursor: 1_451_185_588, abortJobs: false }]);
    const { event } = await api.call('get_event', { id: '3c182051' });
    expect(event).toMatchObject({ title: 'DB Reindex', params: { cust: 'Marketing' }, username: 'admin' });
    expect(event).not.toHaveProperty('reset_cursor');
    expect(event).not.toHaveProperty('abort_jobs');
  });
});

describe('delete_event', () => {
  test('as printed', async () => {
    const { api } = await start();
    expect(expectSuccess('delete_event', await api.post('delete_event', '{\n\t"id": "3c182051"\n}'))).toEqual(
      { code: 0 },
    );
    expect(await api.call('get_event', { id: '3c182051' })).toMatchObject({ code: 'event' });
  });

  test('refused while a job is active', async () => {
    const { api, run } = await start();
    await run();
    expect(await api.call('delete_event', { id: '3c182051' })).toEqual({
      code: 'event',
      description: 'Failed to delete event: Still has running jobs',
    });
  });
});

describe('history', () => {
  test('get_event_history and get_history as printed', async () => {
    const { api, office, run } = await start();
    const ids = [await run(), await run()];
    for (const id of ids) office.finish(id);
    const one = await api.post(
      'get_event_history',
      '{\n\t"id": "3c182051",\n\t"offset": 0,\n\t"limit": 100\n}',
    );
    const all = await api.post('get_history', '{\n\t"offset": 0,\n\t"limit": 100\n}');
    const rows = [
      { id: ids[1], code: 0 },
      { id: ids[0], code: 0 },
    ];
    expect(expectSuccess('get_event_history', one)).toMatchObject({ rows, list: { length: 2 } });
    expect(expectSuccess('get_history', all)).toMatchObject({ rows, list: { length: 2 } });
  });
});

describe('run_event', () => {
  test('by id', async () => {
    const { api, office } = await start();
    const answer = expectSuccess('run_event', await api.post('run_event', '{\n\t"id": "3c182051"\n}'));
    expect(answer).toEqual({ code: 0, ids: [expect.stringMatching(/^j\w+$/)] });
    expect(office.launches).toMatchObject([{ overrides: {}, source: 'API Key (admin)', api_key: 'kadmin' }]);
  });

  test('with everything customised', async () => {
    const { api } = await start();
    const { ids } = expectSuccess('run_event', await api.post('run_event', runText));
    const { job } = await api.call('get_job_status', { id: Array.isArray(ids) ? ids[0] : '' });
    // All of it is honoured: the id names the event, the title is the job's.
    const { id: event, title, ...settings } = objectOf(runText);
    const hostname = 'db1.internal.myserver.com';
    expect(job).toMatchObject({ ...settings, event, event_title: title, hostname });
  });

  test('one job for each server of a group with multiplexing', async () => {
    const { api } = await start();
    const { ids } = await api.call('run_event', { id: '3c182051', multiplex: 1 });
    expect(ids).toEqual([
      expect.stringMatching(/^j\w+$/),
      expect.stringMatching(/^j\w+$/),
      expect.stringMatching(/^j\w+$/),
    ]);
    expect(new Set(Object(ids)).size).toBe(3);
  });

  test('queue is there when the event allows queueing, also when nothing had to wait', async () => {
    const { api, office } = await start();
    office.addEvent({ id: 'queued', queue: 1, max_children: 1 });
    const ids = [expect.stringMatching(/^j\w+$/)];
    expect(await api.call('run_event', { id: 'queued' })).toEqual({ code: 0, ids, queue: 0 });
    expect(await api.call('run_event', { id: 'queued' })).toEqual({ code: 0, ids, queue: 1 });
    expect(await api.call('run_event', { id: 'queued' })).toEqual({ code: 0, ids, queue: 2 });
  });

  test('by title, from a query string, with single parameters', async () => {
    const { api } = await start();
    const query = 'title=Test%20Event%202&params/cust=Acme&params/extra=yes&timeout=5';
    const { ids } = expectSuccess('run_event', await api.send(`/api/app/run_event/v1?${query}`));
    const { job } = await api.call('get_job_status', { id: Array.isArray(ids) ? ids[0] : '' });
    expect(job).toMatchObject({
      timeout: 5,
      params: { cust: 'Acme', extra: 'yes', db_host: 'idb01.mycompany.com' },
    });
  });

  test('post_data=1 hands the body to the job', async () => {
    const { api } = await start();
    const hook = { action: 'push', api_key: adminKey, title: 'not an override' };
    const path = `/api/app/run_event/v1?id=3c182051&post_data=1&api_key=${adminKey}`;
    const headers = { 'Content-Type': 'application/json' };
    const reply = await api.send(path, { method: 'POST', headers, body: JSON.stringify(hook), key: null });
    const { ids } = expectSuccess('run_event', reply);
    const { job } = await api.call('get_job_status', { id: Array.isArray(ids) ? ids[0] : '' });
    const data = { action: 'push', title: 'not an override' };
    expect(job).toMatchObject({ event_title: 'Test Event 2', post_data: data, params: { post_data: data } });
    expect(JSON.stringify(job)).not.toContain(adminKey);
  });
});

describe('jobs', () => {
  test('get_job_status, active and completed', async () => {
    const { api, office, run } = await start();
    const id = await run();
    const active = expectSuccess('get_job_status', await api.post('get_job_status', JSON.stringify({ id })));
    expect(active).toMatchObject({ job: { id, category_title: 'Test Cat', params: { cust: 'Sales' } } });
    expect(active['job']).not.toHaveProperty('complete');
    office.finish(id);
    const reply = await api.send(`/api/app/get_job_status/v1?id=${id}`);
    expect(expectSuccess('get_job_status', reply)).toMatchObject({ job: { id, complete: 1, code: 0 } });
    expect(await api.call('get_job_status', { id: 'jiinxhh5203' })).toEqual({
      code: 'job',
      description: 'Failed to fetch job details: Job not found: jiinxhh5203',
    });
  });

  test('get_active_jobs', async () => {
    const { api, run } = await start();
    const ids = [await run(), await run()];
    const { jobs } = expectSuccess('get_active_jobs', await api.send('/api/app/get_active_jobs/v1'));
    expect(Object.keys(Object(jobs))).toEqual(ids);
  });

  test('update_job', async () => {
    const { api, run } = await start();
    const id = await run();
    const text = `{\n\t"id": "${id}",\n\t"timeout": 300,\n\t"notify_success": "email@server.com",\n\t"hostname": "evil"\n}`;
    expect(expectSuccess('update_job', await api.post('update_job', text))).toEqual({ code: 0 });
    const { job } = await api.call('get_job_status', { id });
    expect(job).toMatchObject({ timeout: 300, notify_success: 'email@server.com' });
    expect(job).not.toMatchObject({ hostname: 'evil' });
  });

  test('abort_job', async () => {
    const { api, office, run } = await start();
    const id = await run();
    expect(expectSuccess('abort_job', await api.post('abort_job', `{"id": "${id}"}`))).toEqual({ code: 0 });
    expect(office.aborts).toEqual([id]);
    expect(await api.call('abort_job', { id: 'jiinxhh5203' })).toEqual({
      code: 'job',
      description: 'Failed to locate job: jiinxhh5203',
    });
  });
});

describe('master state', () => {
  test('switched off and read', async () => {
    const { api } = await start();
    expectSuccess('get_master_state', await api.send('/api/app/get_master_state/v1'));
    expect(await api.get('get_master_state')).toMatchObject({ code: 0, state: { enabled: 1 } });
    expect(
      expectSuccess('update_master_state', await api.post('update_master_state', '{"enabled": 0}')),
    ).toEqual({ code: 0 });
    expect(await api.get('get_master_state')).toMatchObject({ state: { enabled: 0 } });
    expectSuccess('update_master_state', await api.post('update_master_state', '{\n\t"enabled": 1\n}'));
    expect(await api.get('get_master_state')).toMatchObject({ state: { enabled: 1 } });
  });
});
