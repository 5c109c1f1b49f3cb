import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect, createServer, type Server } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type CarillonClient, createClient } from '@carillon/client';
import {
  createTestAuthority,
  freePort,
  hasJoined,
  isServing,
  type NodeProcess,
  type PrimaryProcess,
  redisShape,
  TestCluster,
} from '@carillon/testkit';

/*
 * A cluster in which nothing travels in the clear: clients, nodes, workers and Redis speak TLS. The tests of this file are
 * one story and run in order.
 */

const authority = createTestAuthority();
const program = fileURLToPath(new URL('../../bin/carillon.js', import.meta.url));

let cluster: TestCluster;
let redisFront: Server | undefined;
let caFile: string;
let first: PrimaryProcess;
let second: PrimaryProcess;
let worker: NodeProcess;
let client: CarillonClient;
let common: Record<string, string>;

/** Takes TLS off what comes and hands it on to a port of this machine. */
async function startTlsFront(port: number): Promise<Server> {
  const sockets = new Set<Socket>();
  const front = createServer(authority.issue('127.0.0.1'), (client) => {
    const target = createConnection(port, '127.0.0.1');
    for (const socket of [client, target]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        target.destroy();
      });
    }
    client.pipe(target).pipe(client);
  });
  front.on('close', () => sockets.forEach((socket) => socket.destroy()));
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  return front;
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

const fileOf = (name: string): string => join(cluster.directory, name);

function writeCertificate(name: string, { cert, key }: { cert: string; key: string }): void {
  writeFileSync(fileOf(`${name}.crt`), cert);
  writeFileSync(fileOf(`${name}.key`), key, { mode: 0o600 });
}

async function secured(name: string, more: Record<string, string> = {}): Promise<PrimaryProcess> {
  writeCertificate(name, authority.issue('127.0.0.1', 'localhost'));
  const port = await freePort();
  const environment = {
    ...common,
    CARILLON_HTTP_PORT: String(port),
    CARILLON_TLS_CERT: fileOf(`${name}.crt`),
    CARILLON_TLS_KEY: fileOf(`${name}.key`),
    ...more,
  };
  return cluster.primary(name, environment, `https://127.0.0.1:${port}`);
}

/** The names in the certificate that a node serves now. */
async function servedNames({ url }: PrimaryProcess): Promise<string | undefined> {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port), ca: authority.ca });
  await once(socket, 'secureConnect');
  const { subjectaltname } = socket.getPeerCertificate();
  socket.destroy();
  return subjectaltname;
}

beforeAll(async () => {
  cluster = await TestCluster.start();
  // No front can stand before servers that announce their own addresses.
  const plain = redisShape() === 'plain' ? new URL(cluster.redis.url) : undefined;
  if (plain !== undefined) redisFront = await startTlsFront(Number(plain.port));
  caFile = fileOf('ca.crt');
  writeFileSync(caFile, authority.ca);
  common = {
    CARILLON_REDIS_URL:
      redisFront === undefined ? cluster.redis.url : `rediss://127.0.0.1:${portOf(redisFront)}`,
    // What the connection to Redis trusts; the links between nodes have a setting of their own.
    NODE_EXTRA_CA_CERTS: caFile,
    CARILLON_TLS_CA: caFile,
  };
  first = await secured('p1');
  second = await secured('p2');
  worker = cluster.worker('w1', common);
  first.start();
  await first.waitForLine(isServing);
  second.start();
  worker.start();
  await first.waitForLine(hasJoined('w1'));
  await second.waitForLine((line) => line.message === 'The node runs');
  client = createClient({ url: second.url, apiKey: cluster.apiKey, ca: authority.ca });
}, 60_000);

afterAll(async () => {
  client?.close();
  await cluster?.close();
  if (redisFront?.listening === true) redisFront.close();
}, 60_000);

describe('a cluster over TLS', () => {
  test('a client is redirected to the https address of the primary, and watches a job there', async () => {
    const { id } = await client.createEvent({
      title: 'Secured',
      enabled: 1,
      category: 'general',
      plugin: 'shellplug',
      target: 'allgrp',
      params: { script: '#!/bin/sh\necho over TLS\n' },
    });
    expect(client.url).toBe(first.url);
    const { ids } = await client.runEvent({ id });
    let log = '';
    const job = await client.watchJob(String(ids[0]), { onLog: (text) => (log += text) });
    expect(job).toMatchObject({ complete: 1, code: 0, hostname: 'w1' });
    expect(log).toContain('over TLS');
  }, 30_000);

  test('plain HTTP and foreign authorities get nowhere', async () => {
    const plain = createClient({ url: first.url.replace('https', 'http'), retry: { deadlineMs: 0 } });
    await expect(plain.ping()).rejects.toThrow();
    plain.close();
    const strict = createClient({ url: first.url, ca: createTestAuthority().ca, retry: { deadlineMs: 0 } });
    await expect(strict.ping()).rejects.toThrow(/certificate/);
    strict.close();
  });

  test('a worker that does not know the authority does not join, and says why', async () => {
    const stranger = fileOf('stranger.crt');
    writeFileSync(stranger, createTestAuthority().ca);
    const apart = cluster.worker('w2', { ...common, CARILLON_TLS_CA: stranger });
    apart.start();
    const line = await apart.waitForLine(({ error }) => /certificate/.test(String(error)));
    expect(line.level).toBe('warn');
    expect(first.lines.some(hasJoined('w2'))).toBe(false);
    await apart.kill9();
  }, 30_000);

  test.each([
    ['--ca', (file: string) => [['--ca', file], {}] as const],
    ['CARILLON_CA', (file: string) => [[], { CARILLON_CA: file }] as const],
  ])(
    'commands trust the file of %s',
    async (_name, choice) => {
      const [options, more] = choice(caFile);
      const { PATH = '' } = process.env;
      const run = promisify(execFile);
      const env = { PATH, CARILLON_URL: second.url, CARILLON_API_KEY: cluster.apiKey };
      const argv = [program, 'event', 'list'];
      const { stdout } = await run(process.execPath, [...argv, ...options], { env: { ...env, ...more } });
      expect(stdout).toContain('Secured');
      await expect(run(process.execPath, argv, { env })).rejects.toMatchObject({
        code: 3,
        stderr: expect.stringContaining('--ca or CARILLON_CA'),
      });
    },
    30_000,
  );

  test('a renewed certificate is taken up on SIGHUP; a broken one is not, and is told', async () => {
    writeCertificate('p1', authority.issue('127.0.0.1', 'renewed.test'));
    const renewed = first.waitForNextLine((line) => line.message === 'A renewed certificate is in use');
    first.signal('SIGHUP');
    await renewed;
    expect(await servedNames(first)).toContain('renewed.test');
    writeFileSync(fileOf('p1.key'), authority.issue('127.0.0.1').key);
    const refused = first.waitForNextLine((line) => /certificate could not be renewed/.test(line.message));
    first.signal('SIGHUP');
    await refused;
    expect(await servedNames(first)).toContain('renewed.test');
    expect(await client.ping()).toMatchObject({ code: 0 });
  }, 30_000);

  test('a node that forwards does so over TLS', async () => {
    const forwarder = await secured('p3', { CARILLON_NON_PRIMARY: 'forward' });
    forwarder.start();
    await forwarder.waitForLine((line) => line.message === 'The node runs');
    const through = createClient({ url: forwarder.url, apiKey: cluster.apiKey, ca: authority.ca });
    expect((await through.getSchedule()).list.length).toBe(1);
    expect(through.url).toBe(forwarder.url);
    through.close();
    await forwarder.kill9();
  }, 30_000);

  test('the health check of the container speaks TLS with it', async () => {
    const check = fileURLToPath(new URL('../../../../docker/health-check.mjs', import.meta.url));
    const env = { CARILLON_HTTP_PORT: new URL(second.url).port };
    const run = promisify(execFile);
    await run(process.execPath, [check], { env: { ...env, CARILLON_TLS_CERT: 'given' } });
    await expect(run(process.execPath, [check], { env })).rejects.toMatchObject({ code: 1 });
  }, 30_000);

  test('a certificate that cannot be read stops the start, and the setting is named', async () => {
    const broken = await secured('p4', { CARILLON_TLS_KEY: fileOf('nowhere.key') });
    broken.start();
    const line = await broken.waitForLine((said) => said.message.includes('CARILLON_TLS_KEY'));
    expect(line.message).toMatch(/CARILLON_TLS_KEY: .*nowhere\.key cannot be read/);
  }, 30_000);
});
