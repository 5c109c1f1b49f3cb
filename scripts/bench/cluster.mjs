import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { createApi } from './api.mjs';
import { becomesReady, freePort, redisProgram, spawnNode } from './node.mjs';

const startTimeoutMs = 30_000;
const stopTimeoutMs = 15_000;

/**
 * Starts a Redis, a primary and, unless told otherwise, a worker as processes of their own, so that each can be watched. `pids` names them;
 * `stop` ends them, aborts what still runs and removes everything.
 */
export async function startCluster({ hasWorker = true } = {}) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'carillon-bench-'));
  const children = [];
  const port = await freePort();
  const key = '0123456789abcdef0123456789abcdef';
  const secret = 'only for this measurement';
  const api = createApi(port, key);
  const stop = async () => {
    api.close();
    // The worker first, Redis last: each hands over to the next.
    for (const child of children.reverse()) await end(child);
    fs.rmSync(directory, { recursive: true, force: true });
  };
  try {
    const socket = path.join(directory, 'redis.socket');
    const redis = await startRedis(directory, socket, children);
    const shared = {
      CARILLON_REDIS_URL: `unix:${socket}`,
      CARILLON_CLUSTER_SECRET: secret,
      CARILLON_DRAIN_GRACE: '0',
    };
    const primary = spawnNode({
      ...shared,
      CARILLON_ROLES: 'primary',
      CARILLON_DATA_DIR: path.join(directory, 'primary'),
      CARILLON_HTTP_PORT: String(port),
      CARILLON_BOOTSTRAP_API_KEY: key,
    });
    children.push(primary);
    await becomesReady(api, primary);
    const found = { api, directory, stop, redisUrl: `unix:${socket}`, secret };
    const pids = { primary: primary.pid, redis: redis.pid };
    if (!hasWorker) return { ...found, pids };
    const worker = spawnNode({
      ...shared,
      CARILLON_ROLES: 'worker',
      CARILLON_DATA_DIR: path.join(directory, 'worker'),
    });
    children.push(worker);
    return { ...found, pids: { ...pids, worker: worker.pid } };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startRedis(directory, socket, children) {
  const settings = ['--port', '0', '--unixsocket', socket, '--dir', directory];
  const durability = ['--appendonly', 'yes', '--save', '', '--hz', '100', '--maxmemory-policy', 'noeviction'];
  const redis = spawn(redisProgram, [...settings, ...durability], { stdio: ['ignore', 'pipe', 2] });
  const signal = AbortSignal.timeout(startTimeoutMs);
  await once(redis, 'spawn', { signal });
  children.push(redis);
  const lines = createInterface({ input: redis.stdout });
  const ready = new Promise((resolve, reject) => {
    lines.on('line', (line) => /ready to accept connections/i.test(line) && resolve());
    redis.once('exit', (code) => reject(new Error(`${redisProgram} ended with code ${code}`)));
    signal.addEventListener('abort', () => reject(new Error(`Redis did not start in ${startTimeoutMs} ms`)));
  });
  await ready;
  return redis;
}

async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const limit = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
  await exited;
  clearTimeout(limit);
}
