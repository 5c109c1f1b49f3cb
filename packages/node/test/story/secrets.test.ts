import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createRedis, MemoryLogger } from '@carillon/adapters';
import { type CarillonClient, createClient } from '@carillon/client';
import { apiCalls, callPath } from '@carillon/contract';
import {
  Collector,
  hasJoined,
  isServing,
  type NodeProcess,
  type PrimaryProcess,
  redisShape,
  startShapedRedis,
  TestCluster,
} from '@carillon/testkit';
import { SMTPServer } from 'smtp-server';

/*
 * Real nodes that are told a recognisable secret wherever one can be told, and then everything they let out: logs,
 * answers, metrics, activity, records in Redis, files, process arguments, environments and logs of jobs. The tests of this file are one
 * story and run in order.
 */

const secrets = {
  redisPassword: 'sesame-redis-password',
  clusterSecret: 'sesame-cluster-secret',
  mailPassword: 'sesame-mail-password',
  s3Key: 'sesame-s3-secret-key',
  adminKey: '5e5a3e00000000000000000000000001',
  createdKey: '5e5a3e00000000000000000000000002',
  wrongKey: '5e5a3e00000000000000000000000003',
  universalHeader: 'sesame-universal-header',
  customData: 'sesame-hook-data',
  eventHeader: 'sesame-event-header',
  hookPassword: 'sesame-hook-password',
} as const;
type SecretName = keyof typeof secrets;
/** What a job is given on purpose. */
const jobSecret = 'sesame-of-jobs';

const digests = [secrets.adminKey, secrets.createdKey].map((key) =>
  createHash('sha256').update(key).digest('hex'),
);

let cluster: TestCluster;
let receiver: Server;
let bucket: Server;
let mailServer: SMTPServer;
let redis: ReturnType<typeof createRedis>;
let node: PrimaryProcess;
let worker: NodeProcess;
let client: CarillonClient;
let event: string;
const others: NodeProcess[] = [];
const hooks = new Collector<{ header: unknown; body: string }>();
const mails = new Collector<string>();
const answers: { of: string; text: string }[] = [];
const jobs: string[] = [];

const portOf = (server: Server): number => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
};

async function startReceiver(): Promise<Server> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      hooks.add({ header: request.headers['x-secret'], body });
      // One of them refuses, so that failures are logged as well.
      response.statusCode = request.url === '/refuse' ? 403 : 200;
      response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** As much of S3 as the archive needs, whatever the signature. */
async function startBucket(): Promise<Server> {
  const objects = new Map<string, Buffer>();
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.method === 'PUT') objects.set(path, Buffer.concat(chunks));
      const found = objects.get(path);
      response.statusCode = found === undefined ? 404 : 200;
      response.setHeader('ETag', '"x"');
      response.end(request.method === 'GET' ? found : undefined);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function startMailServer(): Promise<SMTPServer> {
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: ({ password }, _session, answer) =>
      password === secrets.mailPassword ? answer(null, { user: 'ann' }) : answer(new Error('wrong')),
    onData: (stream, _session, answer) => {
      let text = '';
      stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
      stream.on('end', () => {
        mails.add(text);
        answer();
      });
    },
  });
  server.on('error', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  return server;
}

function peerSettings(): Record<string, unknown> {
  const address = mailServer.server.address();
  const hook = `http://127.0.0.1:${portOf(receiver)}`;
  return {
    smtp_hostname: '127.0.0.1',
    smtp_port: typeof address === 'object' ? address?.port : 0,
    mail_options: { auth: { user: 'ann', pass: secrets.mailPassword } },
    universal_web_hook: `${hook}/universal [header: X-Secret: ${secrets.universalHeader}]`,
    web_hook_custom_data: { token: secrets.customData },
    web_hook_custom_opts: { retries: 0 },
    job_env: { GIVEN_TO_JOBS: jobSecret },
    track_manual_jobs: true,
  };
}

beforeAll(async () => {
  cluster = await TestCluster.start(
    await startShapedRedis(redisShape(), { password: secrets.redisPassword }),
  );
  [receiver, bucket, mailServer] = await Promise.all([startReceiver(), startBucket(), startMailServer()]);
  redis = createRedis({ url: await cluster.redis.holder(), log: new MemoryLogger() }, 'commands');
  const settings = join(cluster.directory, 'settings.json');
  writeFileSync(settings, JSON.stringify(peerSettings()));
  const environment = {
    CARILLON_CLUSTER_SECRET: secrets.clusterSecret,
    CARILLON_LOG_ARCHIVE: `s3://logs?region=test&endpoint=http://127.0.0.1:${portOf(bucket)}`,
    AWS_ACCESS_KEY_ID: 'an-id',
    AWS_SECRET_ACCESS_KEY: secrets.s3Key,
    CARILLON_LOG_LEVEL: 'debug',
    CARILLON_CONFIG: settings,
  };
  node = await cluster.primary('p1', {
    ...environment,
    CARILLON_ROLES: 'primary,worker',
    CARILLON_BOOTSTRAP_API_KEY: secrets.adminKey,
  });
  worker = cluster.worker('w1', environment);
  node.start();
  await node.waitForLine(isServing);
  worker.start();
  await Promise.all([node.waitForLine(hasJoined('p1')), node.waitForLine(hasJoined('w1'))]);
  client = createClient({ url: node.url, apiKey: secrets.adminKey, retry: { deadlineMs: 0 } });
  others.push(node, worker);
}, 60_000);

afterAll(async () => {
  client?.close();
  await cluster?.close();
  redis?.disconnect();
  for (const server of [receiver, bucket]) {
    server?.closeAllConnections();
    server?.close();
  }
  await new Promise<void>((resolve) => mailServer?.close(() => resolve()));
}, 60_000);

/** Names of the secrets that a text gives away, `except` for those that belong there. */
function leaks(text: string, except: readonly SecretName[] = []): string[] {
  const found = Object.entries(secrets).filter(
    ([name, secret]) => !except.some((allowed) => allowed === name) && text.includes(secret),
  );
  return found.map(([name]) => name);
}

async function ask(path: string, init: RequestInit = {}): Promise<string> {
  const response = await fetch(`${node.url}${path}`, {
    headers: { 'X-API-Key': secrets.adminKey, 'Content-Type': 'application/json' },
    ...init,
  });
  const text = await response.text();
  answers.push({ of: path, text: `${JSON.stringify([...response.headers])}\n${text}` });
  return text;
}

const script = ['#!/bin/sh', 'env', '[ "$JOB_HOSTNAME" = w1 ] || exit 3'].join('\n');

async function runTo(hostname: string, more: Record<string, unknown> = {}): Promise<string> {
  const { ids } = await client.runEvent({ id: event, target: hostname, ...more });
  const id = String(ids[0]);
  jobs.push(id);
  await client.waitForJob(id);
  return id;
}

describe('secrets that a node was told', () => {
  test('are used: hooks carry their headers, mail is accepted, logs are archived', async () => {
    await client.call('create_api_key', {
      title: 'Helper',
      key: secrets.createdKey,
      privileges: { run_events: 1 },
    });
    const hook = `http://127.0.0.1:${portOf(receiver)}`;
    const created = await client.createEvent({
      title: 'Tells what it sees',
      enabled: 1,
      category: 'general',
      plugin: 'shellplug',
      target: 'allgrp',
      params: { script },
      notify_success: 'ann@example.test',
      notify_fail: 'ann@example.test',
      web_hook: `${hook}/refuse [header: X-Secret: ${secrets.eventHeader}]`,
    });
    event = created.id;
    await runTo('w1');
    await runTo('p1');
    // Of each job its start and its end, to two places.
    await hooks.reached(8);
    await mails.reached(2);
    const headers = hooks.values.map(({ header }) => header);
    expect(new Set(headers)).toEqual(new Set([secrets.eventHeader, secrets.universalHeader]));
    expect(hooks.values.some(({ body }) => body.includes(secrets.customData))).toBe(true);
    expect((await client.jobLog(jobs[0] ?? '')).length).toBeGreaterThan(100);
  }, 60_000);

  test('errors of all kinds are provoked', async () => {
    const wrong = { headers: { 'X-API-Key': secrets.wrongKey } };
    await ask('/api/app/get_schedule/v1', wrong);
    await ask(`/api/app/get_schedule/v1?api_key=${secrets.wrongKey}`, { headers: {} });
    const post = { method: 'POST', headers: { 'Content-Type': 'application/json' } };
    await ask('/api/app/run_event/v1', { ...post, body: `{"api_key":"${secrets.createdKey}","id":` });
    await ask('/api/app/run_event/v1', {
      ...post,
      body: JSON.stringify({ api_key: secrets.createdKey, id: [1] }),
    });
    await ask(`/api/app/no_such/v1?api_key=${secrets.adminKey}`);
    // The key travels with the parameters, and must not become one of the job's.
    const body = JSON.stringify({ api_key: secrets.createdKey, id: event, target: 'w1' });
    const started: { ids?: string[] } = JSON.parse(await ask('/api/app/run_event/v1', { ...post, body }));
    const query = `id=${event}&target=w1&api_key=${secrets.createdKey}&post_data=1`;
    const posted: { ids?: string[] } = JSON.parse(
      await ask(`/api/app/run_event/v1?${query}`, { ...post, body }),
    );
    for (const id of [...(started.ids ?? []), ...(posted.ids ?? [])]) {
      jobs.push(id);
      await client.waitForJob(id);
    }
    expect(jobs).toHaveLength(4);
    const sealed = `http://ann:${secrets.hookPassword}@127.0.0.1:1/hook?key=${secrets.hookPassword}`;
    const failed = node.waitForNextLine(({ message }) => /hook/i.test(message));
    await runTo('w1', { web_hook: sealed });
    await failed;
    const stray = createClient({ url: node.url, apiKey: secrets.wrongKey, retry: { deadlineMs: 0 } });
    const refusal = await stray.watchJob(jobs[0] ?? '', {}).catch(String);
    answers.push({ of: 'live', text: String(refusal) });
    stray.close();

    // Nodes that cannot start or join say why, without what they were told.
    const stranger = cluster.worker('w2', {
      CARILLON_CLUSTER_SECRET: `${secrets.clusterSecret} but wrong`,
      CARILLON_LOG_LEVEL: 'debug',
    });
    stranger.start();
    await stranger.waitForLine(({ error }) => /check the cluster secret/.test(String(error)));
    const confused = await cluster.primary('p9', {
      CARILLON_REDIS_URL: `redsi://:${secrets.redisPassword}@127.0.0.1:1`,
      CARILLON_BOOTSTRAP_API_KEY: `${secrets.adminKey}0`,
    });
    confused.start();
    await confused.waitForLine(({ message }) => message.includes('CARILLON_REDIS_URL'));
    others.push(stranger, confused);
  }, 60_000);

  test('are in no log of a node', () => {
    expect(others.every(({ output }) => output.length > 100)).toBe(true);
    for (const { name, output } of others) expect([name, leaks(output)]).toEqual([name, []]);
  });

  test('are in no arguments of a process', () => {
    const own = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    const lines = own.map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return '';
      }
    });
    expect(lines.some((line) => line.includes('carillon.js start'))).toBe(true);
    for (const line of lines) expect([line, leaks(line)]).toEqual([line, []]);
  });

  test('are in no answer, metrics and activity included', async () => {
    const id = jobs[0] ?? '';
    const paths = [
      '/metrics',
      '/health/live',
      '/health/ready',
      '/health/primary',
      '/api/openapi.json',
      '/nowhere',
    ];
    for (const [name, call] of Object.entries(apiCalls)) {
      if (!call.methods.some((method) => method === 'GET')) continue;
      if (/^(run_event|get_event|get_schedule)$/.test(name)) continue;
      paths.push(`${callPath(name as keyof typeof apiCalls)}?id=${/event|history/.test(name) ? event : id}`);
    }
    for (const job of jobs) {
      for (const name of ['get_job_status', 'get_job_details', 'get_job_log'] as const) {
        paths.push(`${callPath(name)}?id=${job}`);
      }
    }
    for (const path of paths) await ask(path);
    expect(paths.length).toBeGreaterThan(25);
    for (const { of, text } of answers) expect([of, leaks(text)]).toEqual([of, []]);
    // The event itself has the header that its author gave it, and nothing else.
    const events = `${await ask(`/api/app/get_event/v1?id=${event}`)}${await ask('/api/app/get_schedule/v1')}`;
    expect(leaks(events, ['eventHeader'])).toEqual([]);
    const shown = answers.map(({ text }) => text).join('\n');
    for (const digest of digests) expect(shown).not.toContain(digest);
  }, 30_000);

  test('are in no message that goes out', () => {
    for (const { body } of hooks.values) expect(leaks(body, ['customData'])).toEqual([]);
    expect(mails.values.length).toBeGreaterThan(1);
    for (const mail of mails.values) expect(leaks(mail)).toEqual([]);
  });

  test('are in no record in Redis but the event whose author gave it', async () => {
    const keys = await redis.keys('*');
    expect(keys.length).toBeGreaterThan(10);
    for (const key of keys) {
      const text = JSON.stringify(await valueOf(key));
      const isEvents = /:events?$/.test(key);
      expect([key, leaks(text, isEvents ? ['eventHeader'] : [])]).toEqual([key, []]);
    }
  });

  test('are in no file of a node', () => {
    let files = 0;
    for (const { name } of [node, worker]) {
      const root = cluster.dataDirectory(name);
      for (const path of readdirSync(root, { recursive: true, withFileTypes: true })) {
        if (!path.isFile()) continue;
        const file = join(path.parentPath, path.name);
        // What the node keeps for its owner alone.
        if (file === join(root, 'admin-api-key')) continue;
        files += 1;
        expect([file, leaks(readFileSync(file, 'latin1'))]).toEqual([file, []]);
      }
    }
    expect(files).toBeGreaterThan(1);
  });

  test('a job sees what was given to jobs, and its environment has nothing of the node', async () => {
    const logs = await Promise.all(jobs.map((id) => client.jobLog(id)));
    for (const log of logs) {
      expect(log).toContain(`GIVEN_TO_JOBS=${jobSecret}`);
      const names = [...log.matchAll(/^(CARILLON\w*|AWS\w*)=/gm)].map(([, name]) => name);
      expect(names).toEqual(expect.arrayContaining(['CARILLON', 'CARILLON_RUN']));
    }
  });
});

async function valueOf(key: string): Promise<unknown> {
  switch (await redis.type(key)) {
    case 'string':
      return redis.get(key);
    case 'hash':
      return redis.hgetall(key);
    case 'list':
      return redis.lrange(key, 0, -1);
    case 'set':
      return redis.smembers(key);
    case 'zset':
      return redis.zrange(key, '0', '-1');
    case 'stream':
      return redis.xrange(key, '-', '+');
    default:
      throw new Error(`${key} has a type of its own`);
  }
}
