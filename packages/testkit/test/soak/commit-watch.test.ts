import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createRedis, keySpace, MemoryLogger, RedisStore } from '@carillon/adapters';
import { CommitWatch, type PrivateRedis, startPrivateRedis } from '@carillon/testkit';

const keys = keySpace();
const minute = 1_800_000_000;

let server: PrivateRedis;
let redis: ReturnType<typeof createRedis>;
let watch: CommitWatch;

beforeEach(async () => {
  server = await startPrivateRedis({ listen: 'tcp' });
  redis = createRedis({ url: server.url, log: new MemoryLogger() }, 'commands');
  watch = await CommitWatch.start(server);
});

afterEach(async () => {
  watch.close();
  redis.disconnect();
  await server.stop();
});

/** Begins a term as the script of the lease does. */
const beginTerm = (term: number, at = redis): Promise<unknown> =>
  at.eval("return redis.call('SET', KEYS[1], ARGV[1])", 1, keys.term, term);

/** Writes as the script of commits does, but without looking at the term. */
const unfenced = (term: number): Promise<unknown> =>
  redis.eval(
    "return redis.call('HSET', KEYS[2], 'number', ARGV[3])",
    2,
    keys.term,
    keys.sequence,
    term,
    'session',
    1,
  );

const commitTick = async (term: number, at: number): Promise<void> => {
  const session = { term, signal: new AbortController().signal };
  const store = new RedisStore({ redis, keys });
  await store.load(session);
  await store.commit(session, [{ type: 'tick', minute: at }]);
};

test('a real commit is seen, is not late, and tells of the tick', async () => {
  await beginTerm(5);
  await commitTick(5, minute);
  expect(await watch.waitForTick(minute)).toBe(minute);
  await commitTick(5, minute + 60);
  expect(await watch.waitForTick(minute + 60)).toBe(minute + 60);
  expect(watch).toMatchObject({ commits: 2, terms: 1, late: [] });
});

test('a commit that is applied after a later term has begun is found', async () => {
  await beginTerm(5);
  await unfenced(5);
  await beginTerm(6);
  await unfenced(5);
  await commitTick(6, minute);
  await watch.waitForTick(minute);
  expect(watch.late).toEqual([{ term: 5, present: 6 }]);
});

test('of several servers all are seen, and it is the one with the keys that is asked', async () => {
  const other = await startPrivateRedis({ listen: 'unix' });
  const there = createRedis({ url: other.url, log: new MemoryLogger() }, 'commands');
  const both = await CommitWatch.start({
    servers: [server.url, other.url],
    holder: () => other.holder(),
  });
  await beginTerm(5);
  await beginTerm(6, there);
  // What a server that has been replaced still does is too late.
  await unfenced(5);
  await commitTick(5, minute);
  await both.waitForTick(minute);
  expect(both).toMatchObject({ terms: 2, commits: 2 });
  expect(both.late).toEqual([5, 5].map((term) => ({ term, present: 6 })));
  await there.rpush(keys.activity, '{"action":"there"}');
  expect(await both.activity()).toEqual([{ action: 'there' }]);
  both.close();
  there.disconnect();
  await other.stop();
});
