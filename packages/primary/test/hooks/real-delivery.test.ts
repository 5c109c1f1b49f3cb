import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  BullmqJobQueue,
  closeRedis,
  createRedis,
  GotWebHookSender,
  keySpace,
  MemoryLogger,
  NodemailerMailer,
  readProxySettings,
  RedisLease,
  RedisLogArchive,
  RedisStore,
  SystemClock,
} from '@carillon/adapters';
import { Collector, type PrivateRedis, SeededRandom, startPrivateRedis } from '@carillon/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { SMTPServer } from 'smtp-server';
import { Desk, officeOver } from './desk.js';

/** Outbox in Redis, hints over BullMQ, a real HTTP server and a real SMTP server. */

let redis: PrivateRedis;
beforeAll(async () => {
  redis = await startPrivateRedis({ listen: 'unix' });
});
afterAll(() => redis.stop());

const clock = new SystemClock();
const random = new SeededRandom(1);

/** A server that answers each request as told; keeps what was posted. */
async function startReceiver(statusOf: (count: number) => number) {
  const bodies = new Collector<string>();
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    bodies.add(Buffer.concat(chunks).toString());
    response.writeHead(statusOf(bodies.values.length)).end();
  };
  const server = createServer((request, response) => void take(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  return { url, bodies, close: () => new Promise<void>((resolve) => server.close(() => resolve())) };
}

async function startMailServer() {
  const texts = new Collector<string>();
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    authOptional: true,
    closeTimeout: 10,
    onData: (stream, _session, answer) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        texts.add(Buffer.concat(chunks).toString());
        answer();
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const port = (server.server.address() as AddressInfo).port;
  return { port, texts, close: () => new Promise<void>((resolve) => server.close(() => resolve())) };
}

/** A primary's desk over the shared Redis, in a new term. */
async function openDesk(mailPort: number) {
  const log = new MemoryLogger();
  const keys = keySpace('deliveries-test');
  const config = { url: redis.url, log };
  const commands = createRedis(config, 'commands');
  const consumers = createRedis(config, 'blocking');
  const subscriber = createRedis(config, 'subscribe');
  const redelivery = { firstRetryMs: 10, longestRetryMs: 50 };
  const queue = new BullmqJobQueue({ commands, consumers, prefix: keys.root, clock, log, redelivery });
  const lease = new RedisLease({ redis: commands, subscriber, keys, log });
  await commands.del(keys.lease);
  const answer = await lease.acquire(
    `t${random.hex(8)}`,
    { id: 'n', hostname: 'h', url: 'http://h' },
    600_000,
  );
  if (!answer.held) throw new Error('the lease was not free');
  const session = { term: answer.term, signal: new AbortController().signal };
  const store = new RedisStore({ redis: commands, keys });
  const archive = new RedisLogArchive(commands, keys.root, random);
  const office = await officeOver({ session, store, queue, archive, clock, log });
  const over = new Collector<string>();
  office.journal.observeDurable((changes) => {
    for (const change of changes) if (change.type === 'delivered') over.add(change.id);
  });
  const mailer = new NodemailerMailer({ host: '127.0.0.1', port: mailPort, options: {} });
  const desk = new Desk(office, { queue, hooks: new GotWebHookSender(readProxySettings({})), mailer });
  const close = async (): Promise<void> => {
    await desk.service.stop();
    await queue.close();
    await Promise.all([commands, consumers, subscriber].map((client) => closeRedis(client)));
  };
  return { desk, over, close };
}

test('web hooks and e-mails arrive, after failures that pass, and are recorded', async () => {
  const receiver = await startReceiver((count) => (count < 3 ? 503 : 200));
  const mails = await startMailServer();
  const { desk, over, close } = await openDesk(mails.port);
  desk.start();
  await desk.put(desk.hook(receiver.url), desk.mail());
  await over.reached(2);
  expect(receiver.bodies.values).toHaveLength(3);
  expect(new Set(receiver.bodies.values).size).toBe(1);
  expect(JSON.parse(receiver.bodies.values[0] ?? '')).toMatchObject({ action: 'job_start', id: 'j1' });
  expect(mails.texts.values).toHaveLength(1);
  expect(mails.texts.values[0]).toMatch(/^To: a@example\.com\r$/m);
  const rows = await desk.rows();
  expect(rows.map(({ type, code, attempts }) => [type, code, attempts]).toSorted()).toEqual([
    ['hook', 0, 3],
    ['mail', 0, 1],
  ]);
  expect(desk.office.state.stats.totals.emails_sent).toBe(1);
  await close();
  await Promise.all([receiver.close(), mails.close()]);
}, 20_000);

test('what one primary stored and could not send is sent by the next', async () => {
  const receiver = await startReceiver(() => 200);
  const mails = await startMailServer();
  const first = await openDesk(mails.port);
  const hook = first.desk.hook(receiver.url);
  await first.desk.put(hook);
  await first.close();
  expect(receiver.bodies.values).toEqual([]);
  const second = await openDesk(mails.port);
  expect(second.desk.outbox()).toEqual([hook.id]);
  second.desk.start();
  await second.over.reached(1);
  expect(receiver.bodies.values).toHaveLength(1);
  expect((await second.desk.rows())[0]).toMatchObject({ id: hook.id, code: 0 });
  await second.close();
  await Promise.all([receiver.close(), mails.close()]);
}, 20_000);
