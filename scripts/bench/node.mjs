import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createApi } from './api.mjs';

const program = fileURLToPath(new URL('../../packages/node/bin/carillon.js', import.meta.url));
const fetchedRedis = fileURLToPath(new URL('../../.cache/redis/bin/redis-server', import.meta.url));
const startTimeoutMs = 30_000;

/** The Redis that is named, else the one that scripts/start had to fetch, else the one on the PATH. */
export const redisProgram =
  process.env.CARILLON_REDIS_SERVER || (fs.existsSync(fetchedRedis) ? fetchedRedis : 'redis-server');

/** Starts the program as a node with the given settings; what it says goes to standard error. */
export function spawnNode(settings) {
  return spawn(process.execPath, [...process.execArgv, program, 'start'], {
    env: { ...process.env, CARILLON_LOG_LEVEL: 'warn', ...settings },
    stdio: ['ignore', 2, 2],
  });
}

/** Starts an all-in-one node with its own Redis in a fresh directory; `stop` ends it and removes everything. */
export async function startNode() {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'carillon-bench-'));
  const port = await freePort();
  const key = '0123456789abcdef0123456789abcdef';
  const child = spawnNode({
    CARILLON_DATA_DIR: directory,
    CARILLON_HTTP_PORT: String(port),
    CARILLON_BOOTSTRAP_API_KEY: key,
    ...(fs.existsSync(redisProgram) ? { CARILLON_REDIS_SERVER: redisProgram } : {}),
  });
  const startedMs = performance.now();
  const api = createApi(port, key);
  const exited = once(child, 'exit');
  const stop = async () => {
    api.close();
    child.kill('SIGTERM');
    await exited;
    fs.rmSync(directory, { recursive: true, force: true });
  };
  try {
    await becomesReady(api, child);
  } catch (error) {
    await stop();
    throw error;
  }
  const startupMs = Math.round(performance.now() - startedMs);
  return { api, port, key, startupMs, stop, pids: () => familyOf(child.pid, directory) };
}

/** The node, its children, and the Redis that lives in its directory; by names of no meaning. */
function familyOf(pid, directory) {
  const family = new Set([pid]);
  for (const name of fs.readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const command = fs.readFileSync(`/proc/${name}/cmdline`, 'utf8');
      const stat = fs.readFileSync(`/proc/${name}/stat`, 'latin1');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      if (parent === pid || (command.includes('redis') && command.includes(directory)))
        family.add(Number(name));
    } catch {
      // Gone meanwhile.
    }
  }
  return Object.fromEntries([...family].map((member) => [String(member), member]));
}

/** Resolves when the node answers as the primary. */
export async function becomesReady(api, child) {
  const deadline = Date.now() + startTimeoutMs;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`The node ended with code ${child.exitCode}`);
    const answer = await api.call('get_master_state', {}).catch(() => undefined);
    if (answer?.code === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`The node did not answer within ${startTimeoutMs} ms`);
}

export async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
