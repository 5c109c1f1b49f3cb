#!/usr/bin/env node
// The stories, each a test of a cluster of real processes, on other Redis than one plain server.
//   npm run stories -- [--redis sentinel,cluster] [--only PATTERN]
//     --redis  plain: one server; sentinel: a master, two replicas, three sentinels, and nodes that wait for one
//              replica; cluster: three masters. One run for each
//     --only   regular expression for names of files in packages/node/test/story
// Stories that cut nodes off from Redis run in network namespaces, which need Linux, root and iproute2; they are skipped where
// these cannot be had. What jest says goes to the standard error output; a table and the tests that did not pass to the
// standard output. Exit code 1 when a test failed. Needs a built checkout and redis-server.
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { redisShapes } from '../packages/testkit/dist/redis/index.js';
import { runForResults } from './lib/run-tests.mjs';
import { notPassed, shapeRow, storyOptions, tableOf } from './lib/stories.mjs';

const limitMs = 3_600_000;
const lingerMs = 15_000;

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = 'packages/node/test/story';
const fetchedRedis = path.join(root, '.cache/redis/bin');

const { shapes, files } = storyOptions(process.argv.slice(2), {
  known: redisShapes,
  present: readdirSync(path.join(root, folder)),
});
if (process.env.CARILLON_REDIS_SERVER === undefined && existsSync(fetchedRedis)) {
  process.env.CARILLON_REDIS_SERVER = path.join(fetchedRedis, 'redis-server');
  process.env.PATH = `${fetchedRedis}:${process.env.PATH}`;
}
process.chdir(root);
const directory = mkdtempSync(path.join(tmpdir(), 'carillon-stories-'));
try {
  const rows = [];
  for (const shape of shapes) rows.push(await runOn(shape));
  process.stdout.write(tableOf(rows));
  process.exitCode = rows.every(({ failed }) => failed === 0) ? 0 : 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}

async function runOn(shape) {
  process.env.CARILLON_TEST_REDIS = shape;
  const resultsFile = path.join(directory, `${shape}.json`);
  const startedMs = performance.now();
  const { results, isClean } = await runForResults({
    file: process.execPath,
    args: [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      'node_modules/jest/bin/jest.js',
      ...['--ci', '--json', `--outputFile=${resultsFile}`],
      // Several servers of Redis and several nodes are much for one machine.
      ...['--maxWorkers', '1', '--runTestsByPath'],
      ...files.map((name) => path.join(folder, name)),
    ],
    resultsFile,
    lingerMs,
    limitMs,
  });
  for (const line of notPassed(results)) process.stdout.write(`${shape}: ${line}\n`);
  return shapeRow(shape, results, isClean, performance.now() - startedMs);
}
