import { afterEach, describe, expect, test } from '@jest/globals';
import { stopAll, TestApi } from '../support/api-server.js';
import { adminKey, FakeOffice, nowSec } from '../support/fake-office.js';

afterEach(stopAll);

const login = { username: 'Ann', password: 'geheim12' };
const wrong = { code: 'login', description: 'Username or password incorrect.' };
const locked = {
  code: 'login',
  description: 'Account is locked out.  Please reset your password to unlock it.',
};
const over = { code: 'session', description: 'Session has expired or is invalid.' };

async function start(privileges: Record<string, unknown> = { create_events: 1 }) {
  const office = new FakeOffice();
  office.addUser('Ann', privileges);
  const api = await TestApi.start({ office });
  const anonymous = (name: string, params: unknown = {}) => api.call(name, params, { key: null });
  const asSession = (session: unknown, name: string, params: unknown = {}) =>
    api.call(name, params, { key: null, headers: { 'X-Session-ID': String(session) } });
  const signIn = async () => String((await anonymous('user_login', login))['session_id']);
  return { office, api, anonymous, asSession, signIn };
}

describe('login', () => {
  test('answers a session, the user without secrets, and when it ends', async () => {
    const { anonymous } = await start();
    const answer = await anonymous('user_login', login);
    expect(answer).toEqual({
      code: 0,
      username: 'Ann',
      user: {
        username: 'Ann',
        full_name: 'Ann',
        email: 'Ann@example.com',
        active: 1,
        privileges: { create_events: 1 },
        created: nowSec,
        modified: nowSec,
      },
      session_id: expect.stringMatching(/^[0-9a-f]{64}$/),
      expires: nowSec + 30 * 86_400,
    });
  });

  test.each(['ann', 'A.N.N', 'a-nn'])('%s is the same user', async (username) => {
    const { anonymous } = await start();
    expect(await anonymous('user_login', { ...login, username })).toMatchObject({ code: 0, username: 'Ann' });
  });

  test('the session is stored as a digest, and noted without it', async () => {
    const { office, signIn } = await start();
    const session = await signIn();
    expect(office.state.sessions.size).toBe(1);
    expect(JSON.stringify([...office.state.sessions.newestFirst()])).not.toContain(session);
    expect(office.activities[0]).toEqual({
      action: 'user_login',
      epoch: nowSec,
      username: 'Ann',
      user: { username: 'Ann', full_name: 'Ann' },
      ip: expect.stringContaining('127.0.0.1'),
    });
  });

  test('a wrong password and a wrong name are refused in the same words, time and work', async () => {
    const { office, anonymous } = await start();
    for (const given of [
      { ...login, password: 'geheim13' },
      { ...login, username: 'Bob' },
    ]) {
      office.clock.waits.length = 0;
      office.passwords.checked.length = 0;
      expect(await anonymous('user_login', given)).toEqual(wrong);
      expect(office.clock.waits).toEqual([1_000]);
      expect(office.passwords.checked).toEqual([given.password]);
    }
  });

  test('a disabled account is told as such to whoever has the password, and to nobody else', async () => {
    const { office, anonymous } = await start();
    office.addUser('Ann', {}, { active: 0 });
    expect(await anonymous('user_login', login)).toEqual({
      code: 'login',
      description: 'User account is disabled: Ann',
    });
    expect(await anonymous('user_login', { ...login, password: 'other' })).toEqual(wrong);
  });

  test('a hash of Cronicle is replaced by one of our own at the first login', async () => {
    const { office, anonymous } = await start();
    office.addUser('Ann', {}, { password: 'old:ytlas21mieheg', salt: 'salty' });
    expect(await anonymous('user_login', { ...login, password: 'geheim13' })).toEqual(wrong);
    expect(office.state.users.get('ann')?.password).toBe('old:ytlas21mieheg');
    expect(await anonymous('user_login', login)).toMatchObject({ code: 0 });
    expect(office.state.users.get('ann')).toMatchObject({ password: 'new:1:21mieheg', salt: '' });
    expect(await anonymous('user_login', login)).toMatchObject({ code: 0 });
  });

  test('a password that is changed while it is compared is not believed', async () => {
    const { office, anonymous } = await start();
    const answer = anonymous('user_login', login);
    const { checked } = office.passwords;
    const push = checked.push.bind(checked);
    checked.push = (...given) => {
      office.addUser('Ann', {}, { password: 'new:0:other' });
      return push(...given);
    };
    expect(await answer).toEqual(wrong);
    expect(office.state.sessions.size).toBe(0);
  });
});

describe('lock-out', () => {
  const fail = { ...login, password: 'geheim13' };

  test('after the sixth failure the right password is refused, for an hour', async () => {
    const { office, anonymous } = await start();
    for (let count = 1; count <= 6; count += 1) expect(await anonymous('user_login', fail)).toEqual(wrong);
    expect(await anonymous('user_login', login)).toEqual(locked);
    office.passwords.checked.length = 0;
    await anonymous('user_login', login);
    expect(office.passwords.checked).toEqual([]);
    office.clock.jump(3_600_000);
    expect(await anonymous('user_login', login)).toMatchObject({ code: 0 });
    expect(office.state.users.get('ann')?.fl_count).toBeUndefined();
  });

  test('attempts made all at once are counted like those made one by one', async () => {
    const { anonymous, office } = await start();
    const answers = await Promise.all(Array.from({ length: 20 }, () => anonymous('user_login', fail)));
    expect(answers.filter((answer) => answer['description'] === wrong.description)).toHaveLength(6);
    expect(answers.filter((answer) => answer['description'] === locked.description)).toHaveLength(14);
    expect(office.passwords.checked).toHaveLength(6);
  });

  test('a name that nobody has is locked alike, and the failures of one name are not those of another', async () => {
    const { anonymous } = await start();
    const stranger = { username: 'nobody', password: 'x' };
    for (let count = 1; count <= 6; count += 1) {
      expect(await anonymous('user_login', stranger)).toEqual(wrong);
    }
    expect(await anonymous('user_login', stranger)).toEqual(locked);
    expect(await anonymous('user_login', login)).toMatchObject({ code: 0 });
  });

  test('the activity log is spared the flood, and never holds what was typed as a name by mistake', async () => {
    const { office, anonymous } = await start();
    for (let count = 1; count <= 6; count += 1) await anonymous('user_login', fail);
    for (let count = 1; count <= 9; count += 1) {
      await anonymous('user_login', { username: `myPassword${count}`, password: 'x' });
    }
    expect(
      office.activities.map((entry) => [entry['failures'], entry['locked'], entry['more_failures']]),
    ).toEqual([
      [6, 1, 4],
      [1, undefined, undefined],
    ]);
    office.clock.jump(10_000);
    await anonymous('user_login', { username: 'myPassword0', password: 'x' });
    expect(office.activities[0]).toMatchObject({ action: 'user_login_failed', more_failures: 9 });
    expect(JSON.stringify(office.activities)).not.toMatch(/myPassword|geheim/);
  });
});

describe('a session', () => {
  test.each([
    ['header', 'get_schedule', {}, { 'X-Session-ID': 'S' }, ''],
    ['body', 'get_schedule', { session_id: 'S' }, {}, ''],
    ['query', 'get_schedule', undefined, {}, 'session_id=S'],
  ])('is taken from the %s', async (_where, name, body, headers, query) => {
    const { api, signIn } = await start();
    const session = await signIn();
    const fill = (text: string) => text.replaceAll('"S"', `"${session}"`).replaceAll('=S', `=${session}`);
    const options = {
      key: null,
      headers: JSON.parse(fill(JSON.stringify(headers))) as Record<string, string>,
    };
    const answer =
      body === undefined
        ? await api.get(name, fill(query), options)
        : await api.call(name, JSON.parse(fill(JSON.stringify(body))), options);
    expect(answer).toMatchObject({ code: 0 });
  });

  test('is not taken from a cookie: what another site makes a browser send proves nothing', async () => {
    const { api, signIn } = await start();
    const headers = { Cookie: `session_id=${await signIn()}` };
    expect(await api.call('get_schedule', {}, { key: null, headers })).toMatchObject({ code: 'session' });
  });

  test('no answer sets a cookie', async () => {
    const { api } = await start();
    const answer = await api.post('user_login', JSON.stringify(login), { key: null });
    expect(answer.headers['set-cookie']).toBeUndefined();
  });

  test('counts before an API key, and gives what its user may', async () => {
    const { api, signIn } = await start();
    const headers = { 'X-Session-ID': await signIn() };
    expect(await api.call('get_api_keys', {}, { key: adminKey, headers })).toEqual({
      code: 'user',
      description: 'User is not an administrator: Ann',
    });
    expect(await api.call('delete_event', { id: 'x' }, { key: adminKey, headers })).toEqual({
      code: 'user',
      description:
        "User 'Ann' does not have the required account privileges to perform this action (delete_events).",
    });
    const answer = await api.call('get_schedule', {}, { key: adminKey, headers: { 'X-Session-ID': 'x' } });
    expect(answer).toEqual(over);
  });

  test('is resumed with the user, until it ends', async () => {
    const { office, api, anonymous, asSession, signIn } = await start();
    const session = await signIn();
    expect(await asSession(session, 'user_resume_session')).toMatchObject({
      code: 0,
      username: 'Ann',
      session_id: session,
      expires: nowSec + 30 * 86_400,
    });
    expect(await anonymous('user_resume_session')).toEqual({ code: 0 });
    expect(await asSession('x', 'user_resume_session')).toEqual(over);
    office.clock.jump(30 * 86_400_000);
    api.clock.jump(30 * 86_400_000);
    expect(await asSession(session, 'user_resume_session')).toEqual(over);
    expect(await asSession(session, 'get_schedule')).toEqual(over);
    // The next login clears it away.
    await signIn();
    expect(office.state.sessions.size).toBe(1);
  });

  test('ends with logout, which always succeeds', async () => {
    const { anonymous, asSession, signIn } = await start();
    const session = await signIn();
    expect(await asSession(session, 'user_logout')).toEqual({ code: 0 });
    expect(await asSession(session, 'get_schedule')).toEqual(over);
    expect(await asSession(session, 'user_logout')).toEqual({ code: 0 });
    expect(await anonymous('user_logout')).toEqual({ code: 0 });
  });

  test('makes what its user makes', async () => {
    const { office, asSession, signIn } = await start();
    const event = { title: 'A', enabled: 1, category: 'general', plugin: 'shellplug', target: 'allgrp' };
    const answer = await asSession(await signIn(), 'create_event', event);
    expect(office.state.events.get(String(answer['id']))).toMatchObject({ username: 'Ann' });
  });

  test('an API key is no session', async () => {
    const { api } = await start();
    const own = { username: 'Ann', old_password: 'geheim12' };
    expect(await api.call('user_update', own)).toEqual(over);
    expect(await api.call('user_delete', { username: 'Ann', password: 'geheim12' })).toEqual(over);
    expect(await api.call('get_schedule', {}, { key: null, headers: { 'X-Session-ID': adminKey } })).toEqual(
      over,
    );
  });
});

test.each(['login', 'nonsense', 'admin_get_users', 'api_user_login'])(
  'the calls of users are not among those of the application: %s',
  async (name) => {
    const { api } = await start();
    const answer = await api.send(`/api/app/${name === 'login' ? 'user_login' : name}/v1`);
    expect(JSON.parse(answer.text)).toMatchObject({ code: 1 });
    expect(JSON.parse((await api.send('/api/user/ping')).text)).toEqual({
      code: 1,
      description: 'Unsupported API: user/api_ping',
    });
  },
);
