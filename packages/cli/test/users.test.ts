import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { FakeCluster } from './fake-cluster.js';

let cluster: FakeCluster;
beforeEach(async () => {
  cluster = await new FakeCluster().start();
  cluster.answers.set('user_admin_get_users', { rows: [ann, bob], list: { length: 2 } });
  cluster.answers.set('user_admin_get_user', { user: bob });
  cluster.answers.set('user_admin_update', { user: bob });
  for (const name of ['user_admin_create', 'user_admin_delete', 'user_reset_password']) {
    cluster.answers.set(name, {});
  }
});
afterEach(() => cluster.stop());

const stamps = { created: 1_445_232_960, modified: 1_449_941_100 };
const ann = {
  username: 'Ann',
  full_name: 'Ann Ex',
  email: 'a@x.example',
  active: 1,
  privileges: { admin: 1 },
  ...stamps,
};
const bob = {
  username: 'Bob',
  full_name: 'Bob',
  email: '',
  active: 0,
  privileges: { run_events: 1, edit_events: 0, cat_limit: 1 },
  ...stamps,
};
const secret = { readSecret: async () => 'geheim12' };

describe('lists and one user', () => {
  test('a table, or JSON', async () => {
    const { out } = await cluster.run(['user', 'list']);
    expect(out.split('\n')).toEqual([
      'USER  NAME    E-MAIL       STATE     CREATED              MAY',
      'Ann   Ann Ex  a@x.example  active    2015-10-19 05:36:00  admin',
      'Bob   Bob                  disabled  2015-10-19 05:36:00  run_events, cat_limit',
      '',
    ]);
    expect(JSON.parse((await cluster.run(['user', 'list', '--json'])).out)).toHaveLength(2);
    cluster.answers.set('user_admin_get_users', { rows: [], list: { length: 0 } });
    expect(await cluster.run(['user', 'list'])).toMatchObject({
      exitCode: 0,
      out: '',
      err: 'There are no users: create one with: carillon user create\n',
    });
  });

  test.each([
    [{ locked_until: 5 }, 'locked for a time'],
    [{ force_password_reset: 1 }, 'locked'],
  ])('%j is %s', async (fields, state) => {
    cluster.answers.set('user_admin_get_users', { rows: [{ ...ann, ...fields }], list: { length: 1 } });
    expect((await cluster.run(['user', 'list'])).out).toContain(`  ${state}  `);
  });

  test('of many users all are listed', async () => {
    const names = Array.from({ length: 1_200 }, (_, index) => ({ ...bob, username: `u${index}` }));
    cluster.onCall = (name) => {
      if (name !== 'user_admin_get_users') return;
      const offset = Number(cluster.paramsOf(name).at(-1)?.['offset']);
      cluster.answers.set(name, { rows: names.slice(offset, offset + 500), list: { length: names.length } });
    };
    expect(JSON.parse((await cluster.run(['user', 'list', '--json'])).out)).toEqual(names);
  });

  test('one of them', async () => {
    expect((await cluster.run(['user', 'show', 'bob'])).out).toContain('username    Bob\n');
    expect(cluster.paramsOf('user_admin_get_user')).toEqual([{ username: 'bob' }]);
    expect(JSON.parse((await cluster.run(['user', 'show', 'bob', '--json'])).out)).toEqual(bob);
  });
});

describe('changes', () => {
  test('create asks for the password', async () => {
    const argv = ['user', 'create', 'Carl', '--email', 'c@x.example', '--full-name', 'Carl Ex'];
    const asked: string[] = [];
    const readSecret = async (prompt: string) => {
      asked.push(prompt);
      return 'geheim12';
    };
    expect(await cluster.run(argv, { readSecret })).toEqual({
      exitCode: 0,
      out: 'Created user Carl\n',
      err: '',
    });
    await cluster.run(['user', 'create', 'Dora', '--admin', '--allow', 'run_events'], { readSecret });
    expect(asked).toEqual(['Password for Carl: ', 'Password for Dora: ']);
    expect(cluster.paramsOf('user_admin_create')).toEqual([
      { username: 'Carl', password: 'geheim12', email: 'c@x.example', full_name: 'Carl Ex' },
      { username: 'Dora', password: 'geheim12', privileges: { run_events: 1, admin: 1 } },
    ]);
  });

  test('without a good password nothing is sent', async () => {
    const short = await cluster.run(['user', 'create', 'Carl'], { readSecret: async () => 'short' });
    expect(short).toMatchObject({ exitCode: 1, err: 'error: A password has at least 8 characters\n' });
    expect(await cluster.run(['user', 'create', 'Carl'])).toMatchObject({ exitCode: 1 });
    expect(cluster.calls).toEqual([]);
  });

  test.each<[string[], Record<string, unknown>]>([
    [['--disable'], { active: 0 }],
    [['--enable', '--unlock'], { active: 1, unlock: 1 }],
    [['--email', 'b@x.example', '--full-name', 'B'], { email: 'b@x.example', full_name: 'B' }],
    [['--password'], { new_password: 'geheim12' }],
    [['--allow', 'abort_events', '--deny', 'cat_limit'], { privileges: { run_events: 1, abort_events: 1 } }],
  ])('edit %j', async (argv, changes) => {
    const { exitCode, out } = await cluster.run(['user', 'edit', 'bob', ...argv], secret);
    expect({ exitCode, out }).toEqual({ exitCode: 0, out: 'Changed user Bob\n' });
    expect(cluster.paramsOf('user_admin_update')).toEqual([{ username: 'bob', ...changes }]);
  });

  test.each([[[]], [['--enable', '--disable']]])('edit %j is a mistake', async (argv) => {
    expect((await cluster.run(['user', 'edit', 'bob', ...argv])).exitCode).toBe(2);
    expect(cluster.calls).toEqual([]);
  });

  test('delete, and reset with the key of a mail', async () => {
    expect((await cluster.run(['user', 'delete', 'ann', 'bob', 'ann'])).out).toBe(
      'Deleted user ann\nDeleted user bob\n',
    );
    const key = 'a'.repeat(64);
    const { out } = await cluster.run(['user', 'reset', 'bob', '--recovery-key', key], secret);
    expect(out).toBe('The new password of bob counts from now on\n');
    expect(cluster.paramsOf('user_reset_password')).toEqual([
      { username: 'bob', new_password: 'geheim12', key },
    ]);
  });

  test('a refusal is told', async () => {
    const refusal = new Error('User not found: bob');
    refusal.name = 'user';
    cluster.answers.set('user_admin_delete', refusal);
    expect(await cluster.run(['user', 'delete', 'bob'])).toMatchObject({
      exitCode: 1,
      err: 'error: User not found: bob\n',
    });
  });
});
