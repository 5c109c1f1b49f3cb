import { afterEach, describe, expect, test } from '@jest/globals';
import { stopAll, TestApi } from '../support/api-server.js';
import { FakeOffice } from '../support/fake-office.js';

/** Calls about all jobs that match (behaviour reference 2.2). */

afterEach(stopAll);

async function start() {
  const office = new FakeOffice();
  const api = await TestApi.start({ office });
  const run = async (event: string, more: Record<string, unknown> = {}): Promise<string> => {
    const { ids } = await api.call('run_event', { id: event, ...more });
    return String(Array.isArray(ids) ? ids[0] : '');
  };
  for (const id of ['one', 'two']) office.addEvent({ id });
  office.addEvent({ id: 'apart', detached: 1 });
  return { office, api, run };
}

describe('abort_jobs', () => {
  test('aborts what matches all criteria, and without any everything but detached jobs', async () => {
    const { office, api, run } = await start();
    const first = await run('one', { retries: 3 });
    const second = await run('one');
    const third = await run('two');
    await run('apart');
    expect(await api.call('abort_jobs', { event: 'one', retries: 3 })).toEqual({ code: 0, count: 1 });
    expect(await api.call('abort_jobs', { event: 'one', no_rewind: 1 })).toEqual({ code: 0, count: 2 });
    expect(await api.call('abort_jobs', { event: 'nobody' })).toEqual({ code: 0, count: 0 });
    expect(await api.call('abort_jobs', { constructor: 1 })).toEqual({ code: 0, count: 0 });
    expect(await api.call('abort_jobs')).toEqual({ code: 0, count: 3 });
    expect(office.aborts).toEqual([
      first,
      `${first} without rewind`,
      `${second} without rewind`,
      first,
      second,
      third,
    ]);
  });
});

describe('update_jobs', () => {
  test('changes the documented settings of what matches', async () => {
    const { office, api, run } = await start();
    const first = await run('one');
    const second = await run('two');
    const updates = { timeout: 9, hostname: 'evil' };
    expect(await api.call('update_jobs', { event: 'one', updates })).toEqual({ code: 0, count: 1 });
    expect(office.state.jobs.get(first)?.fields).toMatchObject({ timeout: 9, hostname: 'primary.test' });
    expect(office.state.jobs.get(second)?.fields.timeout).toBe(3600);
  });

  test.each([
    [{}, 'Missing parameter: updates'],
    [{ updates: null }, 'Null parameter: updates'],
    [{ updates: [] }, 'Malformed parameter: updates'],
    [{ updates: { timeout: -1 } }, 'Malformed parameter value: timeout'],
    [{ updates: { web_hook: 'ftp://x' } }, 'Malformed parameter value: web_hook'],
  ])('%j is refused', async (params, description) => {
    const { api } = await start();
    expect(await api.call('update_jobs', params)).toEqual({ code: 'api', description });
  });
});

describe('flush_event_queue', () => {
  test('aborts the queued jobs of the event alone', async () => {
    const { office, api, run } = await start();
    office.addEvent({ id: 'narrow', max_children: 1, queue: 1 });
    await run('narrow');
    const queued = await run('narrow');
    await run('one');
    expect(await api.call('flush_event_queue', { id: 'narrow' })).toEqual({ code: 0 });
    expect(office.aborts).toEqual([queued]);
    expect(await api.call('flush_event_queue', { id: 'nobody' })).toEqual({
      code: 'event',
      description: 'Failed to locate event: nobody',
    });
  });
});
