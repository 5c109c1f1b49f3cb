import { afterEach, describe, expect, test } from '@jest/globals';
import { stopAll, TestApi } from '../support/api-server.js';
import { FakeOffice, nowSec } from '../support/fake-office.js';

afterEach(stopAll);

const over = { code: 'session', description: 'Session has expired or is invalid.' };

async function start() {
  const office = new FakeOffice();
  office.addUser('Ann', { admin: 1 });
  office.addUser('Bob', { run_events: 1 });
  const api = await TestApi.start({ office });
  const as = (session: string, name: string, params: unknown = {}) =>
    api.call(name, params, { key: null, headers: { 'X-Session-ID': session } });
  const canLogIn = async (username: string, password: string) =>
    (await api.call('user_login', { username, password }, { key: null }))['code'] === 0;
  return { office, api, as, canLogIn };
}

describe('what administrators do, by key or by session', () => {
  test('list and look up users, without anything made of a password', async () => {
    const { api, as, office } = await start();
    office.addUser('albert');
    const answer = await api.get('user_admin_get_users', 'limit=2');
    expect(answer).toMatchObject({
      rows: [{ username: 'Ann' }, { username: 'Bob' }],
      list: { length: 3 },
    });
    expect(await api.get('user_admin_get_users', 'offset=2')).toMatchObject({
      rows: [{ username: 'albert' }],
    });
    const one = await as(office.addSession('Ann'), 'user_admin_get_user', { username: 'b.o.b' });
    expect(one).toMatchObject({ code: 0, user: { username: 'Bob', privileges: { run_events: 1 } } });
    expect(JSON.stringify([answer, one])).not.toMatch(/new:0|password|salt/);
    expect(await api.get('user_admin_get_user', 'username=carl')).toEqual({
      code: 'user',
      description: 'Failed to load user: carl',
    });
  });

  test('create a user, who can then log in', async () => {
    const { api, office, canLogIn } = await start();
    const fields = {
      username: 'Carl',
      password: 'geheim77',
      full_name: 'Carl <i>Ex</i>',
      email: 'c@x.example',
    };
    expect(await api.call('user_admin_create', fields)).toEqual({ code: 0 });
    expect(await canLogIn('carl', 'geheim77')).toBe(true);
    expect(office.state.users.get('carl')).toMatchObject({
      full_name: 'Carl Ex',
      privileges: { create_events: 1, edit_events: 1, delete_events: 1, run_events: 0, abort_events: 0 },
    });
    expect(await api.call('user_admin_create', { ...fields, username: 'c-arl' })).toEqual({
      code: 'user_exists',
      description: 'User already exists: c-arl',
    });
    const note = office.activities.find((entry) => entry.action === 'user_create');
    expect(note).toMatchObject({ api_key: 'kadmin', user: { username: 'Carl' } });
    expect(JSON.stringify(office.activities)).not.toMatch(/geheim|new:/);
  });

  test('of two who create the same user at the same time one is refused', async () => {
    const { api } = await start();
    const fields = { username: 'Carl', password: 'geheim77' };
    const answers = await Promise.all([1, 2].map(() => api.call('user_admin_create', fields)));
    expect(answers.map((answer) => answer['code']).sort()).toEqual([0, 'user_exists']);
  });

  test('a new password counts at once and ends all sessions', async () => {
    const { api, as, office, canLogIn } = await start();
    const [bob, ann] = [office.addSession('Bob'), office.addSession('Ann')];
    const fields = { username: 'bob', new_password: 'geheim77' };
    expect(await api.call('user_admin_update', fields)).toMatchObject({ code: 0, user: { username: 'Bob' } });
    expect(await as(bob, 'get_schedule')).toEqual(over);
    expect(await as(ann, 'get_schedule')).toMatchObject({ code: 0 });
    expect(await canLogIn('bob', 'geheim12')).toBe(false);
    expect(await canLogIn('bob', 'geheim77')).toBe(true);
    expect(office.activities.find((entry) => entry.action === 'user_update')).toMatchObject({
      user: { username: 'Bob', password_changed: 1 },
    });
  });

  test('disabling and deleting end sessions; other changes do not', async () => {
    const { api, as, office, canLogIn } = await start();
    const session = office.addSession('Bob');
    await api.call('user_admin_update', { username: 'Bob', privileges: { admin: 1 } });
    expect(await as(session, 'get_api_keys')).toMatchObject({ code: 0 });
    await api.call('user_admin_update', { username: 'Bob', active: 0 });
    expect(await as(session, 'get_schedule')).toEqual(over);
    expect(await canLogIn('Bob', 'geheim12')).toBe(false);
    await api.call('user_admin_update', { username: 'Bob', active: 1 });
    // A session that has ended does not come back.
    expect(await as(session, 'get_schedule')).toEqual(over);
    const again = office.addSession('Bob');
    expect(await api.call('user_admin_delete', { username: 'Bob' })).toEqual({ code: 0 });
    expect(await as(again, 'get_schedule')).toEqual(over);
    expect(office.state.sessions.size).toBe(0);
    expect(await api.call('user_admin_delete', { username: 'Bob' })).toEqual({
      code: 'user',
      description: 'User not found: Bob',
    });
    expect(await api.call('user_admin_update', { username: 'Bob' })).toMatchObject({ code: 'user' });
  });

  test('unlock an account', async () => {
    const { api, office, canLogIn } = await start();
    office.addUser('Bob', {}, { locked_until: nowSec + 100, fl_count: 6, fl_date_code: 1 });
    expect(await canLogIn('Bob', 'geheim12')).toBe(false);
    await api.call('user_admin_update', { username: 'Bob', unlock: 1 });
    expect(await canLogIn('Bob', 'geheim12')).toBe(true);
  });

  test('check whether there is a user', async () => {
    const { api } = await start();
    expect(await api.call('check_user_exists', { username: 'b-o-b' })).toEqual({
      code: 0,
      user_exists: true,
    });
    expect(await api.call('check_user_exists', { username: 'carl' })).toEqual({
      code: 0,
      user_exists: false,
    });
    expect(await api.call('check_user_exists', { username: 'carl' }, { key: null })).toMatchObject({
      code: 'session',
    });
  });
});

describe('what users do with themselves', () => {
  test('a new password ends their other sessions, and not this one', async () => {
    const { as, office, api, canLogIn } = await start();
    const other = office.addSession('Bob');
    const login = await api.call('user_login', { username: 'Bob', password: 'geheim12' }, { key: null });
    const session = String(login['session_id']);
    const fields = {
      username: 'Bob',
      old_password: 'geheim12',
      new_password: 'geheim77',
      email: 'b@x.example',
    };
    expect(
      await as(session, 'user_update', { ...fields, privileges: { admin: 1 }, active: 0 }),
    ).toMatchObject({
      code: 0,
      user: { username: 'Bob', email: 'b@x.example', active: 1, privileges: { run_events: 1 } },
    });
    expect(await as(other, 'get_schedule')).toEqual(over);
    expect(await as(session, 'get_schedule')).toMatchObject({ code: 0 });
    expect(await canLogIn('Bob', 'geheim77')).toBe(true);
  });

  test('need their password; a wrong one counts as a failed login', async () => {
    const { as, office } = await start();
    const session = office.addSession('Bob');
    const fields = { username: 'Bob', old_password: 'geheim13', full_name: 'B' };
    for (let count = 1; count <= 6; count += 1) {
      expect(await as(session, 'user_update', fields)).toEqual({
        code: 'user',
        description: 'Your password is incorrect.',
      });
    }
    expect(await as(session, 'user_update', { ...fields, old_password: 'geheim12' })).toMatchObject({
      code: 'login',
      description: expect.stringContaining('locked out'),
    });
    expect(await as(session, 'user_delete', { username: 'Ann', password: 'geheim12' })).toEqual({
      code: 'user',
      description: 'Username mismatch.',
    });
  });

  test('delete their own account', async () => {
    const { as, office } = await start();
    const session = office.addSession('Bob');
    const wrong = { username: 'Bob', password: 'geheim13' };
    expect(await as(session, 'user_delete', wrong)).toEqual({
      code: 'login',
      description: 'Your password is incorrect.',
    });
    expect(await as(session, 'user_delete', { ...wrong, password: 'geheim12' })).toEqual({ code: 0 });
    expect(office.state.users.get('bob')).toBeUndefined();
    expect(await as(session, 'get_schedule')).toEqual(over);
  });
});

describe('a forgotten password', () => {
  const keyOf = (office: FakeOffice): string => {
    const [delivery] = [...office.state.deliveries.values()].reverse();
    return /--recovery-key ([0-9a-f]{64})/.exec(delivery?.type === 'mail' ? delivery.body : '')?.[1] ?? '';
  };

  test('is replaced with the key of a mail, once; sessions end and the lock is lifted', async () => {
    const { api, as, office, canLogIn } = await start();
    office.addUser('Bob', {}, { locked_until: nowSec + 1_000 });
    const session = office.addSession('Bob');
    const ask = { username: 'bob', email: 'bob@EXAMPLE.com' };
    expect(await api.call('user_forgot_password', ask, { key: null })).toEqual({ code: 0 });
    const key = keyOf(office);
    const delivery = [...office.state.deliveries.values()][0];
    expect(delivery).toMatchObject({ type: 'mail', to: 'Bob@example.com', event: '' });
    expect(JSON.stringify(office.state.users.get('bob'))).not.toContain(key);
    const reset = { username: 'Bob', new_password: 'geheim77', key: key.toUpperCase() };
    expect(await api.call('user_reset_password', reset, { key: null })).toEqual({ code: 0 });
    expect(await as(session, 'get_schedule')).toEqual(over);
    expect(await canLogIn('Bob', 'geheim77')).toBe(true);
    expect(await api.call('user_reset_password', reset, { key: null })).toEqual({
      code: 'login',
      description: 'Password reset failed.',
    });
  });

  test('the answer is the same in words and time whether a mail is sent or not, and few are sent', async () => {
    const { api, office } = await start();
    office.addUser('Off', {}, { active: 0 });
    for (const ask of [
      { username: 'Bob', email: 'bob@example.com' },
      { username: 'Bob', email: 'other@example.com' },
      { username: 'Off', email: 'off@example.com' },
      { username: 'nobody', email: 'bob@example.com' },
    ]) {
      office.clock.waits.length = 0;
      expect(await api.call('user_forgot_password', ask, { key: null })).toEqual({ code: 0 });
      expect(office.clock.waits).toEqual([1_000]);
    }
    expect(office.state.deliveries.size).toBe(1);
    for (let count = 1; count <= 5; count += 1) {
      await api.call('user_forgot_password', { username: 'Bob', email: 'bob@example.com' }, { key: null });
    }
    expect(office.state.deliveries.size).toBe(3);
  });

  test('a key is good for a day, for its user, and for one of two who use it at once', async () => {
    const { api, office } = await start();
    await api.call('user_forgot_password', { username: 'Bob', email: 'bob@example.com' }, { key: null });
    const reset = { username: 'Bob', new_password: 'geheim77', key: keyOf(office) };
    const failed = { code: 'login', description: 'Password reset failed.' };
    expect(await api.call('user_reset_password', { ...reset, username: 'Ann' }, { key: null })).toEqual(
      failed,
    );
    const answers = await Promise.all(
      [1, 2].map(() => api.call('user_reset_password', reset, { key: null })),
    );
    expect(answers.map((answer) => answer['code']).sort()).toEqual([0, 'login']);
    await api.call('user_forgot_password', { username: 'Bob', email: 'bob@example.com' }, { key: null });
    office.clock.jump(86_400_000);
    expect(await api.call('user_reset_password', { ...reset, key: keyOf(office) }, { key: null })).toEqual(
      failed,
    );
  });
});

describe('the cluster', () => {
  test('status tells administrators of each server, others of numbers', async () => {
    const { api, as, office } = await start();
    office.addEvent({ id: 'e1' });
    const answer = await api.get('status');
    expect(answer).toMatchObject({
      code: 0,
      version: 'test',
      hostname: 'primary.test',
      now: nowSec,
      primary: { id: 'node1', url: 'http://primary.test', term: 7 },
      store: { ready: 1 },
      servers: { total: 0, ready: 0 },
      nodes: [],
      events: 1,
      events_enabled: 1,
      jobs: {},
    });
    expect(await as(office.addSession('Bob'), 'status')).not.toHaveProperty('nodes');
    office.storeFault = new Error('down');
    expect(await api.get('status')).toMatchObject({ code: 0, store: { ready: 0 } });
    expect(await api.get('status', '', { key: null })).toMatchObject({ code: 'session' });
  });

  test('config holds no secret', async () => {
    const { api } = await start();
    const answer = await api.get('config');
    expect(answer).toMatchObject({ code: 0, version: 'test', config: { session_expire_days: 30 } });
    expect(JSON.stringify(answer)).not.toMatch(/smtp|secret|password|redis/i);
  });
});
