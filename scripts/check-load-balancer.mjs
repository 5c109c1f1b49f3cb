/**
 * Runs docker/haproxy.cfg on loopback in front of two stand-in nodes and checks where requests go when the primary
 * moves, dies, or is missing. Needs haproxy (Debian: apt-get install haproxy); not part of ./scripts/test.
 *
 *   node scripts/check-load-balancer.mjs [PATH OF HAPROXY]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { localHaproxyConfig } from './lib/haproxy-config.mjs';

const haproxy = process.argv[2] ?? 'haproxy';
const directory = mkdtempSync(join(tmpdir(), 'carillon-lb-'));

/** A node that says of itself what `state` says, and answers every call with its name and the body it got. */
async function standIn(name) {
  const state = { primary: false, ready: true };
  const answer = async (request, response) => {
    const body = await text(request);
    const health = { '/health/primary': state.primary, '/health/ready': state.ready }[request.url];
    response.statusCode = health === false ? 503 : 200;
    response.end(`${name}:${request.method}:${body}`);
  };
  const server = createServer((request, response) => void answer(request, response));
  const listen = async (port) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  await listen(0);
  const { port } = server.address();
  return {
    state,
    port,
    start: () => listen(port),
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function render(port, nodes) {
  const file = join(directory, 'haproxy.cfg');
  writeFileSync(
    file,
    localHaproxyConfig(
      port,
      nodes.map((node) => node.port),
    ),
  );
  return file;
}

const failures = [];
/** Asks until the answer is the expected one; reports how long that took. */
async function expectAnswer(what, ask, expected, limitMs = 5000) {
  const begin = performance.now();
  let answer;
  while (performance.now() - begin < limitMs) {
    answer = await ask().catch((error) => `failed: ${error.cause?.code ?? error.message}`);
    if (answer === expected) {
      console.log(`ok    ${what}: after ${Math.round(performance.now() - begin)} ms`);
      return;
    }
    await wait(20);
  }
  failures.push(what);
  console.log(`FAIL  ${what}: expected ${expected}, got ${answer}`);
}

const nodes = [await standIn('one'), await standIn('two')];
const [one, two] = nodes;
const port = await freePort();
one.state.primary = true;
const file = render(port, nodes);
const child = spawn(haproxy, ['-f', file], { stdio: ['ignore', 'ignore', 'pipe'] });
child.stderr.on('data', (text) => process.env.VERBOSE && process.stderr.write(text));
const failedToStart = once(child, 'error').then(([error]) => {
  throw new Error(`cannot run ${haproxy}: ${error.message}`);
});

const call = async (init) => (await fetch(`http://127.0.0.1:${port}/api/app/ping/v1`, init)).text();
const post = () => call({ method: 'POST', body: 'text' });

async function story() {
  // Before its first checks HAProxy takes every node for the primary.
  const twenty = async () => [...new Set(await Promise.all(Array.from({ length: 20 }, post)))].join();
  await expectAnswer('requests go to the primary alone', twenty, 'one:POST:text');
  one.state.primary = false;
  two.state.primary = true;
  await expectAnswer('the primary moves', twenty, 'two:POST:text');
  two.state.primary = false;
  await two.stop();
  one.state.primary = true;
  await expectAnswer('the primary dies, the other takes over', post, 'one:POST:text');
  one.state.primary = false;
  await expectAnswer('no primary: a ready node answers', post, 'one:POST:text', 3000);
  await two.start();
  one.state.ready = false;
  await expectAnswer('only the ready one', post, 'two:POST:text');
  two.state.ready = false;
  const refusal = async () => {
    const response = await fetch(`http://127.0.0.1:${port}/x`);
    const body = await response.text();
    return `${response.status} ${response.headers.get('retry-after')} ${response.headers.get('content-type')} ${body}`;
  };
  const text = '503 1 application/json {"code":"unavailable","description":"No node is ready."}';
  await expectAnswer('no node is ready', refusal, text);
  one.state.primary = true;
  await expectAnswer('a primary is back', post, 'one:POST:text');
}

try {
  await Promise.race([story(), failedToStart]);
} finally {
  child.kill('SIGTERM');
  await Promise.all(nodes.map((node) => node.stop()));
  rmSync(directory, { recursive: true, force: true });
}
process.exitCode = failures.length > 0 ? 1 : 0;
