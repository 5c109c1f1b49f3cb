import { runCli } from '@carillon/cli';
import { createClient } from '@carillon/client';
import { type LogLine, type PrimaryProcess, TestCluster } from '@carillon/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

/*
 * An operator makes the first user with the API key of the first start; the user logs in, and the session outlives the
 * primary and ends with the password: real nodes, real Redis, real hashes.
 */

const serves = (line: LogLine) => line.message === 'The API is served by this node';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start();
}, 60_000);
afterAll(() => cluster?.close(), 60_000);

/** Runs the command line against a node with the key of an administrator. */
async function carillon(primary: PrimaryProcess, argv: string[], password: string): Promise<string> {
  let out = '';
  const exitCode = await runCli(argv, {
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (out += text) },
    env: { CARILLON_URL: primary.url, CARILLON_API_KEY: cluster.apiKey },
    isTTY: false,
    readSecret: async () => password,
  });
  return exitCode === 0 ? out : `exit code ${exitCode}: ${out}`;
}

test('a user is made, logs in, and has a session that outlives the primary and ends with the password', async () => {
  const first = await cluster.primary('p1');
  first.start();
  await first.waitForLine(serves);
  const created = await carillon(first, ['user', 'create', 'Ann', '--admin'], 'correct horse');
  expect(created).toBe('Created user Ann\n');
  const anonymous = createClient({ url: first.url });
  const { session_id: sessionId } = await anonymous.userLogin({ username: 'ann', password: 'correct horse' });
  await expect(anonymous.userLogin({ username: 'ann', password: 'correct house' })).rejects.toMatchObject({
    code: 'login',
  });
  anonymous.close();
  await first.kill9();
  const second = await cluster.primary('p2');
  second.start();
  await second.waitForLine(serves);
  const session = createClient({ url: second.url, sessionId });
  expect(await session.userResumeSession()).toMatchObject({ username: 'Ann', session_id: sessionId });
  expect((await session.getApiKeys()).rows).not.toEqual([]);
  expect(await session.status()).toMatchObject({ primary: { id: expect.any(String) }, store: { ready: 1 } });
  const edited = await carillon(second, ['user', 'edit', 'ann', '--password'], 'battery staple');
  expect(edited).toBe('Changed user Ann\n');
  await expect(session.getSchedule()).rejects.toMatchObject({ code: 'session' });
  session.close();
  expect(await second.stop()).toBe(0);
}, 60_000);
