import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createApi } from './api.mjs';

const program = fileURLToPath(new URL('../../packages/node/bin/carillon.js', import.meta.url));
const startTimeoutMs = 30_000;

/** Starts an all-in-one node with its own Redis in a fresh directory; `stop` ends it and removes everything. */
export async function startNode() {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'carillon-bench-'));
  const port = await freePort();
  const key = '0123456789abcdef0123456789abcdef';
  const child = spawn(process.execPath, [...process.execArgv, program, 'start'], {
    env: {
      ...process.env,
      CARILLON_DATA_DIR: directory,
      CARILLON_HTTP_PORT: String(port),
      CARILLON_BOOTSTRAP_API_KEY: key,
      CARILLON_LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 2, 2],
  });
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
  return { api, stop };
}

/** Ready: the node is primary and a first job has run. */
async function becomesReady(api, child) {
  const deadline = Date.now() + startTimeoutMs;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`The node ended with code ${child.exitCode}`);
    const answer = await api.call('get_master_state', {}).catch(() => undefined);
    if (answer?.code === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`The node did not answer within ${startTimeoutMs} ms`);
}

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
