/**
 * Called by scripts/cluster, which sees to it that everything is there.
 *
 *   node scripts/cluster.mjs [--workers N] [--port PORT] [--data-dir DIR] [--check]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { LocalCluster } from './lib/local-cluster.mjs';
import { checkScaling } from './lib/scaling-check.mjs';

const usage = `Usage: ./scripts/cluster [options]

Runs the cluster of docker-compose.yml as processes of this machine: Redis, two nodes that can be primary, workers, and
HAProxy in front. While it runs, a number and Enter set how many workers there are. Ctrl-C ends everything.

  --workers N     workers at the start (default 3)
  --port PORT     of the load balancer (default 3012)
  --data-dir DIR  where data and logs are kept (default: a new directory, removed at the end)
  --check         launch jobs while workers come and go and the primary is killed, tell what became of them, and end;
                  the exit code is 1 when a job was lost
`;

const options = readOptions();
const say = (line) => console.error(line);
const isTemporary = options['data-dir'] === undefined;
const directory = isTemporary
  ? mkdtempSync(join(tmpdir(), 'carillon-cluster-'))
  : resolve(options['data-dir']);
const cluster = new LocalCluster({ directory, port: options.check ? 0 : options.port, say });

let stopped;
const stop = () => {
  stopped ??= cluster.stop();
  return stopped;
};
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    if (stopped === undefined) say('Stopping; running jobs get their grace …');
    stop().then(finish, fail);
  });
}

try {
  await cluster.start();
  if (options.check) await check();
  else await serve();
} catch (error) {
  if (stopped === undefined) fail(error);
}

async function check() {
  const { problems, ...summary } = await checkScaling(cluster, say);
  console.log(JSON.stringify({ ...summary, problems: problems.length }, undefined, 2));
  for (const problem of problems.slice(0, 20)) say(problem);
  if (problems.length > 0) process.exitCode = 1;
  await stop();
  finish();
}

async function serve() {
  await cluster.scale(options.workers);
  say(`
The API is at ${cluster.url}; logs and data are in ${directory}.

  export CARILLON_URL=${cluster.url} CARILLON_API_KEY=${cluster.apiKey}
  npx carillon server list

A number and Enter set how many workers there are; Ctrl-C ends everything.`);
  createInterface({ input: process.stdin }).on('line', (line) => {
    if (!/^\d{1,3}$/.test(line.trim())) return say('A number from 0 to 999, please');
    const count = Number(line);
    cluster.scale(count).then(() => say(`workers: ${cluster.workers}`), fail);
  });
}

function finish() {
  if (isTemporary) rmSync(directory, { recursive: true, force: true });
  process.exit();
}

function fail(error) {
  say(`error: ${error.message}`);
  process.exitCode = 1;
  stop().then(finish, finish);
}

function readOptions() {
  const number = (name, text, most) => {
    if (/^\d+$/.test(text) && Number(text) <= most) return Number(text);
    throw new Error(`--${name}: expected a whole number from 0 to ${most}, got ${text}`);
  };
  try {
    const { values } = parseArgs({
      options: {
        workers: { type: 'string', default: '3' },
        port: { type: 'string', default: '3012' },
        'data-dir': { type: 'string' },
        check: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(usage);
      process.exit(0);
    }
    const workers = number('workers', values.workers, 999);
    return { ...values, workers, port: number('port', values.port, 65_535) };
  } catch (error) {
    process.stderr.write(`${error.message}\n\n${usage}`);
    process.exit(2);
  }
}
