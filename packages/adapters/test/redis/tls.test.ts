import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createServer, type Server } from 'node:tls';
import { closeRedis, createRedis } from '@carillon/adapters';
import {
  freePort,
  type PrivateCluster,
  type PrivateSentinel,
  startPrivateCluster,
  startPrivateSentinel,
} from '@carillon/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { MemoryLogger } from '../../src/logger/index.js';
import { loopbackCertificate } from './loopback-certificate.js';

/*
 * TLS to sentinels, servers and clusters: each server has something before it that speaks TLS.
 */

let sentinel: PrivateSentinel;
let cluster: PrivateCluster;
const servers: Server[] = [];
const sockets = new Set<Socket>();
/** Port of a server → port at which it is reached with TLS. */
const secured = new Map<number, number>();

beforeAll(async () => {
  [sentinel, cluster] = [await startPrivateSentinel(), await startPrivateCluster()];
  for (const url of [sentinel.url, cluster.url]) {
    for (const [, port] of url.matchAll(/:(\d+)/g)) await secure(Number(port));
  }
  await secure(await sentinel.masterPort());
}, 30_000);

afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
  await sentinel.stop();
  await cluster.stop();
}, 30_000);

async function secure(port: number): Promise<void> {
  const server = createServer(loopbackCertificate, (client) => {
    const target = connect(port, '127.0.0.1');
    for (const socket of [client, target]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
    }
    client.pipe(target).pipe(client);
  });
  server.on('tlsClientError', () => undefined);
  servers.push(server);
  secured.set(port, await freePort());
  server.listen(secured.get(port), '127.0.0.1');
  await once(server, 'listening');
}

const withTls = (url: string): string =>
  url.replace('redis', 'rediss').replace(/:(\d+)/g, (_, port) => `:${secured.get(Number(port))}`);

function open(url: string, authorities: string | undefined) {
  const log = new MemoryLogger();
  const route = ({ host, port }: { host: string; port: number }) => ({
    host,
    port: secured.get(port) ?? port,
  });
  return { log, redis: createRedis({ url: withTls(url), log, authorities, route }, 'commands') };
}

test.each([
  ['one server', async () => `redis://127.0.0.1:${await sentinel.masterPort()}`],
  ['sentinels', async () => sentinel.url],
  ['a cluster', async () => cluster.url],
])(
  '%s: with its authority it is used, without it is not',
  async (_, url) => {
    const trusting = open(await url(), loopbackCertificate.cert);
    expect(await trusting.redis.set('{carillon}:x', '1')).toBe('OK');
    await closeRedis(trusting.redis);
    const doubting = open(await url(), undefined);
    await expect(doubting.redis.set('{carillon}:x', '1')).rejects.toThrow();
    expect(doubting.log.lines[0]?.fields['error']).toMatch(/self-signed certificate/);
    await closeRedis(doubting.redis);
  },
  30_000,
);
