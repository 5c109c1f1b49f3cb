import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCli, wordsOf } from '@carillon/cli';
import {
  generatePeerExport,
  hasJoined,
  isServing,
  type PrimaryProcess,
  TestCluster,
} from '@carillon/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

/*
 * Commands that stand in the text of documents, `like this`, run against real nodes. Blocks of commands are run by
 * documents.test.mjs, those of docs/cli.md by commands.test.ts.
 */

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const program = join(root, 'packages/node/bin/carillon.js');

/** What is meant by words that a reader replaces. */
const meaning: Readonly<Record<string, string>> = {
  '…': 'Made',
  COMMAND: 'status',
  DIR: 'schedule',
  EVENT: 'hello',
  FILE: 'crontab.txt',
  ID: 'hello',
  KEY: '5f0c1b7e',
  PLUGIN: 'old',
  '/tmp/cronicle.txt': 'cronicle.txt',
};

/** What a command ends with, when that is not 0. */
const exitCodes: Readonly<Record<string, number>> = {
  'plan DIR': 2,
  // Only the mail has a key that is good.
  'user reset NAME --recovery-key KEY': 1,
};

/** Named without what they need: their help is asked for. */
const named = new Set(['start', 'import crontab', 'user show', 'user create', 'user edit', 'user delete']);

/** What others need comes first; what leaves nobody to run jobs comes last. */
const order = [
  /^import cronicle/,
  /^user create NAME/,
  /^(?!server drain)/,
  /^server drain NAME --restart/,
  /./,
];
const rank = (line: string): number => order.findIndex((pattern) => pattern.test(line));

function documents(): string[] {
  const below = ['docs', 'examples'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  );
  return ['README.md', 'CONTRIBUTING.md', ...below.filter((name) => name.endsWith('.md'))];
}

/** `a|b|c` in a line stands for three lines. */
function alternatives(line: string): string[] {
  const [, before = '', either = '', after = ''] = /^(.*?)(\w+(?:\|\w+)+)(.*)$/.exec(line) ?? [];
  return either === '' ? [line] : either.split('|').map((word) => `${before}${word}${after}`);
}

const lines = documents().flatMap((document) => {
  const text = readFileSync(join(root, document), 'utf8').replaceAll(/^ *```[^]*?^ *```/gm, '');
  return [...text.matchAll(/`(?:npx )?carillon\s([^`]+)`/g)].flatMap(([, line = '']) =>
    alternatives(line.replaceAll(/\s+/g, ' ').trim()),
  );
});
const commands = [...new Set(lines)].sort((a, b) => rank(a) - rank(b));

let cluster: TestCluster;
let primary: PrimaryProcess;

beforeAll(async () => {
  cluster = await TestCluster.start();
  primary = await cluster.primary('p1');
  const workers = ['w1', 'w2'].map((name) => cluster.worker(name));
  for (const node of [primary, ...workers]) node.start();
  await primary.waitForLine(isServing);
  for (const { name } of workers) await primary.waitForLine(hasJoined(name));
  const write = (name: string, text: string): void => writeFileSync(join(cluster.directory, name), text);
  write('cronicle.txt', generatePeerExport(1, { events: 2, rows: 2, nowSec: 1_800_000_000 }).text);
  write('crontab.txt', '15 3 * * * /usr/bin/true\n');
  mkdirSync(join(cluster.directory, 'schedule'));
  write('schedule/all.yaml', 'owner: team\nevents: [{title: Weekly report}]\n');
  const client = cluster.client(primary);
  const params = { script: '#!/bin/sh\n' };
  await client.createEvent({
    ...{ id: 'hello', title: 'Say hello', enabled: 1, category: 'general', target: 'allgrp' },
    ...{ plugin: 'shellplug', params, managed_by: 'others' },
  });
  await client.createPlugin({ id: 'old', title: 'Old', enabled: 1, command: '/bin/own.js', params: [] });
}, 60_000);

afterAll(() => cluster?.close(), 60_000);

function argumentsOf(line: string): string[] {
  // A server is drained for good after the other one has been drained and started anew.
  const server = line.includes('--restart') ? 'w1' : 'w2';
  const name = line.startsWith('server') ? server : 'ann';
  const words = wordsOf(line).map((word) => (word === 'NAME' ? name : (meaning[word] ?? word)));
  return named.has(line) ? [...words, '--help'] : words;
}

interface Ran {
  exitCode: number | null;
  out: string;
  err: string;
}

/** `start` and `config` are of the program, not of the command line's package. */
function runProgram(argv: readonly string[]): Ran {
  const { PATH = '' } = process.env;
  const ran = spawnSync(process.execPath, [program, ...argv], {
    cwd: cluster.directory,
    env: { PATH },
    encoding: 'utf8',
  });
  return { exitCode: ran.status, out: ran.stdout, err: ran.stderr };
}

async function run(argv: readonly string[]): Promise<Ran> {
  if (argv[0] === 'start' || argv[0] === 'config') return runProgram(argv);
  let [out, err] = ['', ''];
  const exitCode = await runCli(argv, {
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    env: { CARILLON_URL: primary.url, CARILLON_API_KEY: cluster.apiKey },
    isTTY: false,
    cwd: cluster.directory,
    timeZone: 'UTC',
    readSecret: () => Promise.resolve('correct horse'),
    version: '1.2.3',
  });
  return { exitCode, out, err };
}

test.each(commands)(
  'carillon %s',
  async (line) => {
    const ran = await run(argumentsOf(line));
    const exitCode = exitCodes[line] ?? 0;
    expect({ ...ran, exitCode: ran.exitCode }).toEqual({ ...ran, exitCode });
    if (named.has(line)) expect(ran.out).toMatch(/^Usage/m);
  },
  30_000,
);

test('what is known of single commands is of commands that documents have', () => {
  const words = new Set(commands.flatMap(wordsOf));
  expect([...named, ...Object.keys(exitCodes)].filter((line) => !commands.includes(line))).toEqual([]);
  expect(Object.keys(meaning).filter((word) => !words.has(word))).toEqual([]);
});
