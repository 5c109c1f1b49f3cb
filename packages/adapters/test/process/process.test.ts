import { chmod, mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createProcessSampler,
  ForkingStarter,
  NodeProcessLauncher,
  openStarter,
  parseStat,
  PidusageSampler,
  ProcSampler,
  type ProgramStarter,
  SpawnThread,
} from '../../src/process/index.js';
import { MemoryLogger } from '../../src/logger/index.js';
import type { ProcessSpec, RunningProcess } from '@carillon/core';
import {
  allText,
  bundledProgram,
  processConformance,
  readUntil,
  signalsOfThisProcess,
} from '@carillon/testkit';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

const freshDirectory = async (): Promise<string> =>
  realpath(await mkdtemp(join(tmpdir(), 'carillon-process-')));

const threadProgram = bundledProgram('spawn-thread.js');
const starters: [string, () => Promise<ProgramStarter>][] = [
  ['forks', () => Promise.resolve(new ForkingStarter())],
  ['forks in a thread', () => Promise.resolve(new SpawnThread(threadProgram))],
  [
    'posix_spawn',
    () => openStarter({ threadProgram, log: new MemoryLogger(), signals: signalsOfThisProcess() }),
  ],
];

for (const [name, open] of starters) {
  processConformance(`NodeProcessLauncher with ${name}`, async () => {
    const cwd = await freshDirectory();
    const starter = await open();
    const launcher = new NodeProcessLauncher({ scriptDirectory: join(cwd, 'scripts'), starter });
    const close = async (): Promise<void> => {
      await starter.close();
      await rm(cwd, { recursive: true });
    };
    return { launcher, cwd, close };
  });
}

describe.each(starters)('with %s', (_name, open) => {
  let directory: string;
  let started: RunningProcess[];
  let launcher: NodeProcessLauncher;
  let starter: ProgramStarter;
  const openLauncher = (): NodeProcessLauncher =>
    new NodeProcessLauncher({ scriptDirectory: join(directory, 'scripts'), starter });
  beforeEach(async () => {
    directory = await freshDirectory();
    started = [];
    starter = await open();
    launcher = openLauncher();
  });
  afterEach(async () => {
    for (const process of started) {
      process.signalGroup('SIGKILL');
      process.stopReading();
      await process.exited;
    }
    await starter.close();
    await rm(directory, { recursive: true });
  });
  const launch = async (source: string, more: Partial<ProcessSpec> = {}): Promise<RunningProcess> => {
    const child = await launcher.launch({
      program: { kind: 'script', source },
      name: `r${started.length}`,
      cwd: directory,
      env: { PATH: process.env['PATH'] ?? '' },
      stdin: () => '',
      ...more,
    });
    started.push(child);
    return child;
  };

  test('script files are private and gone after the exit; leftovers go at the next start', async () => {
    const child = await launch('#!/bin/sh\nstat -c %a "$0"');
    expect(await allText(child.stdout)).toBe('700\n');
    await child.exited;
    expect(await readdir(join(directory, 'scripts'))).toEqual([]);
    await writeFile(join(directory, 'scripts', 'old'), 'x');
    launcher = openLauncher();
    expect(await readdir(join(directory, 'scripts'))).toEqual([]);
  });

  test('as root a script runs as another user, without the groups of root', async () => {
    if (process.getuid?.() !== 0) return;
    const user = await launcher.resolveUser('nobody');
    await chmod(directory, 0o755);
    const ids = { uid: user?.uid ?? -1, gid: user?.gid ?? -1 };
    const child = await launch('#!/bin/sh\nid -un; id -G', ids);
    expect(await allText(child.stdout)).toBe(`nobody\n${ids.gid}\n`);
  });

  test('samples a tree: busy grandchildren, also short-lived ones and those whose parent has died', async () => {
    const sampler = createProcessSampler();
    expect(sampler).toBeInstanceOf(ProcSampler);
    const idle = await launch('#!/bin/sh\necho ready; exec sleep 1000');
    const busy = await launch('#!/bin/sh\nsh -c "while :; do :; done" & sleep 0.01; echo ready; wait');
    const forks = await launch('#!/bin/sh\necho ready; while :; do /bin/true; done');
    const orphan = await launch('#!/bin/sh\nsh -c "(while :; do :; done) & echo ready"; exec sleep 1000');
    for (const child of [idle, busy, forks, orphan]) await readUntil(child.stdout, 'ready');
    const pids = [idle, busy, forks, orphan].map((child) => child.pid);
    const first = await sampler.sample([...pids, 2 ** 30]);
    expect([...first.keys()]).toEqual(pids);
    for (const { mem } of first.values()) expect(mem).toBeGreaterThan(100_000);
    // Until each has had some time on a processor.
    const total = new Map<number, number>();
    const isSeen = (pid: number): boolean => (total.get(pid) ?? 0) > 0;
    while (!pids.slice(1).every(isSeen)) {
      await allText((await launch('#!/bin/sh\nexec sleep 0.2')).stdout);
      for (const [pid, { cpu }] of await sampler.sample(pids))
        total.set(pid, (total.get(pid) ?? 0) + (cpu ?? 0));
    }
    expect(total.get(idle.pid)).toBeLessThan(50);
  }, 30_000);

  test('pidusage samples the root process and leaves out what is gone', async () => {
    const sampler = new PidusageSampler();
    const child = await launch('#!/bin/sh\necho ready; exec sleep 1000');
    await readUntil(child.stdout, 'ready');
    const samples = await sampler.sample([child.pid, 2 ** 21]);
    expect([...samples.keys()]).toEqual([child.pid]);
    expect(samples.get(child.pid)).not.toHaveProperty('cpu');
    child.signalGroup('SIGKILL');
    await child.exited;
    expect((await sampler.sample([child.pid])).size).toBe(0);
  });
});

test('a process may have any name', () => {
  const tail = 'S 7 8 9 0 -1 0 1 2 3 4 10 20 30 40 20 0 1 0 999 5555 77 0';
  expect(parseStat(5, `5 (a) b (c) ) ${tail}`)).toEqual({
    pid: 5,
    parent: 7,
    group: 8,
    session: 9,
    ticks: 100,
    startTicks: 999,
    pages: 77,
  });
  expect(parseStat(5, '')).toBeUndefined();
});
