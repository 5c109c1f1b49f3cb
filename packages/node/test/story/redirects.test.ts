import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TestCluster } from '@carillon/testkit';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';

/*
 * How HTTP clients treat a POST that a node answers with 302: the facts of the table in docs/load-balancers.md. The primary
 * announces the address of a recorder, to which the other node then redirects.
 */

const body = '{"id":"none"}';
const key = 'the-key';

let cluster: TestCluster;
let recorder: Server;
let url: string;
/** What arrived where the redirect leads. */
let arrived: { method: string; body: string; key: unknown }[];

beforeAll(async () => {
  recorder = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    request.on('end', () => {
      arrived.push({ method: request.method ?? '', body: text, key: request.headers['x-api-key'] });
      response.end('{"code":0}\n');
    });
  }).listen(0, '127.0.0.1');
  await once(recorder, 'listening');
  const { port } = recorder.address() as AddressInfo;
  cluster = await TestCluster.start();
  const primary = await cluster.primary('p1', { CARILLON_PUBLIC_URL: `http://127.0.0.1:${port}` });
  primary.start();
  await primary.waitForLine(({ message }) => message === 'The API is served by this node');
  const other = await cluster.primary('p2');
  other.start();
  await other.waitForLine(({ message }) => message === 'Another node is the primary');
  url = `${other.url}/api/app/run_event/v1`;
}, 60_000);

afterAll(async () => {
  recorder.close();
  await cluster.close();
}, 30_000);

beforeEach(() => {
  arrived = [];
});

const has = (program: string): boolean => spawnSync(program, ['--version']).error === undefined;

/** Runs a program to its end, whatever its exit code is. */
async function run(program: string, ...args: string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'ignore'] });
  await once(child, 'close');
}

const headers = { 'X-API-Key': key, 'Content-Type': 'application/json' };
const header = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);

const curl = (...more: string[]) =>
  run('curl', '-s', '-m', '20', ...more, ...header.flatMap((line) => ['-H', line]), '-d', body, url);

const python = `
import sys, urllib.request
request = urllib.request.Request(sys.argv[1], sys.argv[2].encode(), {'X-API-Key': sys.argv[3], 'Content-Type': 'application/json'})
urllib.request.urlopen(request, timeout=20).read()
`;

const got = `
import got from 'got';
await got.post(process.argv[1], {
  body: process.argv[2], headers: JSON.parse(process.argv[3]), methodRewriting: process.argv[4] === 'true', retry: { limit: 0 },
});
`;
const runGot = (rewriting: boolean) =>
  run(
    process.execPath,
    '--input-type=module',
    '-e',
    got,
    url,
    body,
    JSON.stringify(headers),
    String(rewriting),
  );

const asGet = [{ method: 'GET', body: '', key }];
const asPost = [{ method: 'POST', body, key }];

/** Client as the table calls it, what it needs, how it is called, and what arrives. */
const clients: [string, string, () => Promise<unknown>, typeof arrived][] = [
  ['curl `-d …`', 'curl', () => curl(), []],
  ['curl `-L -d …`', 'curl', () => curl('-L'), asGet],
  ['curl `-L --post302 -d …`', 'curl', () => curl('-L', '--post302'), asPost],
  [
    'wget `--post-data`',
    'wget',
    () =>
      run(
        'wget',
        '-q',
        '-T',
        '20',
        '-t',
        '1',
        '-O',
        '/dev/null',
        ...header.map((line) => `--header=${line}`),
        `--post-data=${body}`,
        url,
      ),
    asGet,
  ],
  ['Python `urllib.request`', 'python3', () => run('python3', '-c', python, url, body, key), asGet],
  [
    'Node `fetch`',
    process.execPath,
    () => fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(20_000) }),
    asGet,
  ],
  ['Node `got`', process.execPath, () => runGot(true), asGet],
  ['Node `got` without rewriting', process.execPath, () => runGot(false), asPost],
];

for (const [name, program, call, expected] of clients) {
  (has(program) ? test : test.skip)(
    `a redirected POST of ${name}`,
    async () => {
      await call();
      expect(arrived).toEqual(expected);
    },
    30_000,
  );
}

test('the table says the same', () => {
  const table = readFileSync(new URL('../../../../docs/load-balancers.md', import.meta.url), 'utf8');
  for (const [name, , , expected] of clients) {
    const row = table.split('\n').find((line) => line.startsWith(`| ${name} |`));
    if (row === undefined) continue;
    expect(row.split('|')[2]?.trim()).toBe(expected.length === 0 ? 'not followed' : 'GET, body dropped');
    expect(row).toMatch(/tested \|$/);
  }
  expect(table.match(/tested \|$/gm)).toHaveLength(6);
});
