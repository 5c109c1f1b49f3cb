import { afterEach, describe, expect, test } from '@jest/globals';
import { stopAll, TestApi } from '../support/api-server.js';
import { FakeOffice } from '../support/fake-office.js';

afterEach(stopAll);

const failed = { code: 'auth', description: 'Authentication failed.' };

async function start() {
  const office = new FakeOffice();
  office.addEvent({ id: 'mine' });
  office.addUser('Ann', {});
  const headers = { 'X-Session-ID': office.addSession('Ann') };
  const api = await TestApi.start({ office });
  const run = async () => String(((await api.call('run_event', { id: 'mine' })) as { ids: string[] }).ids[0]);
  const job = await run();
  office.logs.set(job, { gzip: false, bytes: Buffer.from('so far\n') });
  const asAnn = (name: string, params: unknown) => api.call(name, params, { key: null, headers });
  const read = async (name: string, id: string, token: unknown) => {
    const answer = await api.send(`/api/app/${name}/v1?id=${id}&t=${String(token)}`, { key: null });
    const isText = answer.headers['content-type'] === 'text/plain; charset=utf-8';
    return isText ? answer.text : (JSON.parse(answer.text) as unknown);
  };
  const token = async () => (await asAnn('get_log_watch_auth', { id: job }))['token'];
  return { office, api, run, job, asAnn, read, token };
}

describe('a token for the log of a job (behaviour reference 2.2)', () => {
  test('opens that log without anything else', async () => {
    const { job, read, token } = await start();
    const good = await token();
    expect(good).toMatch(/^\w{64}$/);
    expect(await read('get_live_job_log', job, good)).toBe('so far\n');
    expect(await read('get_job_log', job, good)).toBe('so far\n');
  });

  test('opens no other log, and no other call', async () => {
    const { api, run, read, token, job } = await start();
    const good = await token();
    expect(await read('get_job_log', await run(), good)).toEqual(failed);
    expect(await read('get_job_log', 'x', good)).toEqual(failed);
    const status = await api.get('get_job_status', `id=${job}&t=${String(good)}`, { key: null });
    expect(status).toMatchObject({ code: 'session' });
  });

  test.each(['x', '0'.repeat(64), '__proto__'])('%s is none, whatever key comes with it', async (bad) => {
    const { api, job } = await start();
    expect(await api.get('get_job_log', `id=${job}&t=${bad}`)).toEqual(failed);
  });

  test('ends after an hour', async () => {
    const { office, job, read, token } = await start();
    const good = await token();
    office.clock.advance(3_599_999);
    expect(await read('get_job_log', job, good)).toBe('so far\n');
    office.clock.advance(1);
    expect(await read('get_job_log', job, good)).toEqual(failed);
  });

  test('ends with the session of whoever asked for it', async () => {
    const { job, asAnn, read, token } = await start();
    const good = await token();
    await asAnn('user_logout', {});
    expect(await read('get_job_log', job, good)).toMatchObject({ code: 'session' });
  });

  test('gives what its owner may when it is used', async () => {
    const { api, job, read, token } = await start();
    const good = await token();
    await api.call('user_admin_update', { username: 'Ann', privileges: { cat_limit: 1 } });
    expect(await read('get_job_log', job, good)).toMatchObject({
      code: 'user',
      description: expect.stringContaining('(cat_general)'),
    });
  });

  test('of a completed job comes with its details', async () => {
    const { office, job, asAnn, read } = await start();
    office.finish(job, 'all of it\n');
    const { token: good } = await asAnn('get_job_details', { id: job });
    expect(await read('get_job_log', job, good)).toBe('all of it\n');
    expect(await read('get_live_job_log', job, good)).toMatchObject({ code: 'job' });
    expect(await asAnn('get_log_watch_auth', { id: job })).toEqual({
      code: 'job',
      description: `Failed to locate job for log watch auth: ${job}`,
    });
  });

  test('is kept as a digest, and only ten thousand are', async () => {
    const { office, read, job, token } = await start();
    const first = await token();
    const credential = { kind: 'session', hash: 'x' } as const;
    for (let count = 1; count <= 10_000; count += 1) office.logTokens.issue('other', credential);
    expect(await read('get_job_log', job, first)).toEqual(failed);
    expect(await read('get_job_log', job, await token())).toBe('so far\n');
  });
});
