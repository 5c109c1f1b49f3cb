import { type PrivateRedis, RedisProxy, resultOf, startPrivateRedis } from '@carillon/testkit';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { RedisConnection, RedisQueueBackend } from 'bullmq';
import { Redis } from 'ioredis';
import { SystemClock } from '../../src/clock/index.js';
import { MemoryLogger } from '../../src/logger/index.js';
import { BullmqJobQueue } from '../../src/queue/index.js';

/*
 * BullMQ watches over its blocking reads, and connects anew when one is overdue: here while the consumer is closed.
 */

let server: PrivateRedis;
let proxy: RedisProxy;
let clients: Redis[];

beforeEach(async () => {
  server = await startPrivateRedis({ listen: 'unix' });
  proxy = await RedisProxy.start(server.url);
  clients = [];
});

afterEach(async () => {
  jest.restoreAllMocks();
  for (const client of clients) if (client.status !== 'end') client.disconnect();
  await proxy.close();
  await server.stop();
});

const connect = (options: { maxRetriesPerRequest: number | null; lazyConnect?: boolean }): Redis => {
  // Long enough to close the consumer and mend the network between two attempts.
  const path = proxy.url.replace(/^unix:/, '');
  const client = new Redis({ path, retryStrategy: () => 500, ...options });
  client.on('error', () => undefined);
  clients.push(client);
  return client;
};

test('a consumer that is closed after a read was overdue leaves no connection', async () => {
  const reconnect = jest.spyOn(RedisConnection.prototype, 'reconnect');
  const reads = jest.spyOn(RedisQueueBackend.prototype, 'waitForJob');
  const queue = new BullmqJobQueue({
    commands: connect({ maxRetriesPerRequest: 1 }),
    consumers: connect({ maxRetriesPerRequest: null, lazyConnect: true }),
    prefix: '{test}',
    clock: new SystemClock(),
    log: new MemoryLogger(),
  });
  const overdue = new Promise<RedisConnection>((resolve) => {
    reconnect.mockImplementationOnce(function (this: RedisConnection) {
      resolve(this);
      // From now on the real one.
      return this.reconnect();
    });
  });
  const consumer = queue.consumeResults(() => Promise.resolve(), 1);
  await queue.addResult(resultOf('j1'));
  while (await queue.hasResult({ job: 'j1', attempt: 1 }));
  // Only a read that the server holds becomes overdue.
  const watcher = new Redis({ path: server.url.replace(/^unix:/, '') });
  clients.push(watcher);
  while (!/blocked_clients:1\r/.test(await watcher.info('clients')));
  await proxy.cut();
  const client = await (await overdue).client;
  await consumer.close();
  await proxy.mend();
  // How often BullMQ still connects depends on where it was; the read that was overdue ends after the last time.
  await Promise.allSettled(reads.mock.results.map(({ value }) => value));
  while (client.status !== 'end') await new Promise((resolve) => setImmediate(resolve));
  await queue.close();
  // The queue's caller keeps its own; a closed one may be listed until the server has read that.
  while ((await connectionsOf(watcher)) > 2);
  expect(client.status).toBe('end');
}, 30_000);

async function connectionsOf(watcher: Redis): Promise<number> {
  return String(await watcher.client('LIST'))
    .trim()
    .split('\n').length;
}
