import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CommandExample, commandExamples, runCli, wordsOf } from '@carillon/cli';
import {
  generatePeerExport,
  hasJoined,
  isServing,
  type NodeProcess,
  type PrimaryProcess,
  TestCluster,
} from '@carillon/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

/*
 * Every command of docs/cli.md, run against real nodes in the order of the examples.
 */

let cluster: TestCluster;
let primaries: PrimaryProcess[];
let workers: NodeProcess[];
/** The job that was started last. */
let job = '';

beforeAll(async () => {
  cluster = await TestCluster.start();
  const [first, second] = [await cluster.primary('p1'), await cluster.primary('p2')];
  primaries = [first, second];
  workers = ['w1', 'w2'].map((name) => cluster.worker(name));
  first.start();
  await first.waitForLine(isServing);
  for (const node of [second, ...workers]) node.start();
  for (const { name } of workers) await first.waitForLine(hasJoined(name));
  await second.waitForLine(({ message }) => message === 'The node runs');
  writeFiles(cluster.directory);
}, 60_000);

afterAll(() => cluster?.close(), 60_000);

function writeFiles(directory: string): void {
  const write = (name: string, text: string): void => writeFileSync(join(directory, name), text);
  const plugin = { id: 'disk_usage', title: 'Disk usage', command: '/bin/df', params: [] };
  write('plugin.json', JSON.stringify(plugin));
  write('cronicle.txt', generatePeerExport(1, { events: 2, rows: 2, nowSec: 1_800_000_000 }).text);
  write('crontab.txt', '15 3 * * * /usr/bin/true\n');
  mkdirSync(join(directory, 'schedule'));
  write('schedule/carillon.yaml', 'owner: team\n');
  write(
    'schedule/events.yaml',
    [
      'categories:',
      '  - title: Reports',
      'groups:',
      '  - {title: Database, regexp: ^db}',
      'plugins:',
      '  - title: Report',
      '    command: /bin/echo',
      '    params: [{id: name, type: text, title: Name, value: ""}]',
      'events:',
      '  - title: Weekly report',
      '    category: Reports',
      '    target: Database',
      '    plugin: Report',
      '    cron: "0 5 * * 1"',
      '    params: {name: week}',
      '    chain: Tidy up',
      '  - title: Tidy up',
      '    params:',
      '      script: |',
      '        #!/bin/sh',
      '        echo tidy ${HOME}',
      '',
    ].join('\n'),
  );
}

interface Ran {
  exitCode: number;
  out: string;
  err: string;
}

async function run(argv: readonly string[]): Promise<Ran> {
  let [out, err] = ['', ''];
  const exitCode = await runCli(argv, {
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    env: { CARILLON_URL: primaries[0]?.url, CARILLON_API_KEY: cluster.apiKey },
    isTTY: false,
    cwd: cluster.directory,
    timeZone: 'UTC',
    readSecret: () => Promise.resolve('correct horse'),
  });
  return { exitCode, out, err };
}

/** When w1 is there again after its restart. */
let back: Promise<unknown> | undefined;

/** What has to happen before a command can do what it shows. */
const before = new Map<string, () => Promise<unknown>>([
  [
    'job list',
    async () => {
      // What comes next is about a job that a worker holds.
      const client = cluster.client(...primaries);
      const running = new AbortController();
      const onJob = (seen: { state: string }): void => {
        if (seen.state === 'running') running.abort();
      };
      await client.watchJob(job, { onJob }, { signal: running.signal }).catch(() => undefined);
    },
  ],
  [
    'apply schedule --prune',
    async () =>
      writeFileSync(join(cluster.directory, 'schedule/events.yaml'), 'events: [{title: Tidy up}]\n'),
  ],
  [
    'server drain w1 --restart',
    () => {
      back = primaries[0]?.waitForNextLine(hasJoined('w1'));
      return Promise.resolve();
    },
  ],
  ['drain w1 --grace 30', () => back ?? Promise.reject(new Error('w1 was not restarted'))],
  [
    'server remove w2',
    async () => {
      const left = primaries[0]?.waitForNextLine(
        (line) => line.message.includes('worker') && line['hostname'] === 'w2',
      );
      await workers[1]?.kill9();
      await left;
    },
  ],
]);

/** Commands that only read: they are run once more with --json. */
const reads = /^(\S+ )?(status|scheduler|list|show|history|upcoming|activity|deliveries|plan)\b/;

test.each(commandExamples)(
  'carillon $line',
  async ({ line, exitCode = 0 }: CommandExample) => {
    await before.get(line)?.();
    const argv = wordsOf(line).map((word) => (word === 'JOB' ? job : word));
    const ran = await run(argv);
    expect({ ...ran, exitCode: ran.exitCode }).toEqual({ ...ran, exitCode });
    job = /Started job (\w+)/.exec(`${ran.out}${ran.err}`)?.[1] ?? job;
    if (!reads.test(line)) return;
    const json = await run([...argv, '--json']);
    expect(json.exitCode).toBe(exitCode);
    expect(() => JSON.parse(json.out)).not.toThrow();
  },
  60_000,
);
