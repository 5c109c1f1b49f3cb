import { expect, test } from '@jest/globals';
import { admin, officeOf, OfficeWorld } from '../support/office-world.js';

const origin = { ip: '::1', useragent: 'test' };
const digest = (text: string) => `hash of ${text}`;

/** Logs in and lets the time of refusals pass. */
async function login(world: OfficeWorld, node: Parameters<typeof officeOf>[0], password = 'geheim12') {
  const answer = officeOf(node).accounts.sessions.login('ann', password, origin);
  answer.catch(() => undefined);
  await world.pass(1_000);
  return answer;
}

test('users, sessions and locks outlive the primary', async () => {
  const world = new OfficeWorld();
  const first = await world.primary('p1');
  await officeOf(first).accounts.users.create({ username: 'Ann', password: 'geheim12' }, admin);
  const { session_id: session = '' } = await login(world, first);
  for (let count = 1; count <= 6; count += 1) {
    await expect(login(world, first, 'geheim13')).rejects.toMatchObject({ code: 'login' });
  }
  await first.stop();
  const second = await world.primary('p2');
  const { sessions } = officeOf(second).accounts;
  expect(sessions.resume({ kind: 'session', hash: digest(session) })).toMatchObject({ username: 'Ann' });
  await expect(login(world, second)).rejects.toMatchObject({
    message: expect.stringContaining('locked out'),
  });
  await second.stop();
});

test('a refusal comes a second after the request, whatever was wrong', async () => {
  const world = new OfficeWorld();
  const primary = await world.primary('p1');
  await officeOf(primary).accounts.users.create({ username: 'Ann', password: 'geheim12' }, admin);
  for (const [name, password] of [
    ['ann', 'wrong'],
    ['bob', 'geheim12'],
  ] as const) {
    let isOver = false;
    const answer = officeOf(primary)
      .accounts.sessions.login(name, password, origin)
      .catch(() => {
        isOver = true;
      });
    await world.pass(999);
    expect(isOver).toBe(false);
    await world.pass(1);
    expect(isOver).toBe(true);
    await answer;
  }
  await primary.stop();
});

test('ending the sessions and changing the password are one write: when it fails, neither has happened', async () => {
  const world = new OfficeWorld();
  const first = await world.primary('p1');
  const { users } = officeOf(first).accounts;
  await users.create({ username: 'Ann', password: 'geheim12' }, admin);
  const { session_id: session = '' } = await login(world, first);
  world.stores.get('p1')?.failNextCommit(new Error('lost'), 'before');
  const change = users.update({ username: 'Ann', new_password: 'geheim77' }, admin);
  await expect(change).rejects.toMatchObject({ code: 'unavailable' });
  await first.stop();
  const second = await world.primary('p2');
  const office = officeOf(second);
  expect(office.accounts.sessions.resume({ kind: 'session', hash: digest(session) }).username).toBe('Ann');
  expect(await login(world, second)).toMatchObject({ username: 'Ann' });
  await second.stop();
});

test('the status of a real office', async () => {
  const world = new OfficeWorld();
  const primary = await world.primary('p1');
  await world.worker('w1', 'p1');
  const read = officeOf(primary).cluster.read({ isVisible: () => true, withNodes: true });
  await world.settle();
  expect(await read).toMatchObject({
    primary: { id: 'p1', url: 'http://p1', term: officeOf(primary).session.term },
    store: { ready: 1 },
    servers: { total: 1, ready: 1, draining: 0, silent: 0, lost: 0 },
    versions: { test: 1 },
    nodes: [{ id: 'w1', hostname: 'w1', version: 'test', health: 'alive' }],
  });
  await primary.stop();
});
