import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DetachedProcess, ProcessSpec } from '@carillon/core';
import { allText, detachedConformance, readUntil } from '@carillon/testkit';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { keeperScript, parseStatus } from '../../src/process/detached/keeper.js';
import { FileDetachedLauncher, NodeProcessLauncher } from '../../src/process/index.js';

const freshDirectory = async (): Promise<string> =>
  realpath(await mkdtemp(join(tmpdir(), 'carillon-detached-')));

detachedConformance('FileDetachedLauncher', async () => {
  const cwd = await freshDirectory();
  return {
    cwd,
    open: () => new FileDetachedLauncher(join(cwd, 'detached')),
    close: () => rm(cwd, { recursive: true }),
  };
});

test.each([
  ['', { started: false, exit: undefined }],
  ['star', { started: false, exit: undefined }],
  ['started\n', { started: true, exit: undefined }],
  ['started\nexit 1', { started: true, exit: undefined }],
  ['started\nexit 0\n', { started: true, exit: { code: 0, signal: null } }],
  ['started\nexit 143\n', { started: true, exit: { code: null, signal: 'SIGTERM' } }],
  ['started\nexit 134\n', { started: true, exit: { code: null, signal: 'SIGABRT' } }],
  ['started\nexit 128\n', { started: true, exit: { code: 128, signal: null } }],
  ['started\nexit 255\n', { started: true, exit: { code: 255, signal: null } }],
])('status %j', (text, status) => expect(parseStatus(text)).toEqual(status));

describe('with a launcher', () => {
  let directory: string;
  let parent: string;
  let launcher: FileDetachedLauncher;
  let followed: DetachedProcess[];
  beforeEach(async () => {
    directory = await freshDirectory();
    parent = join(directory, 'detached');
    launcher = new FileDetachedLauncher(parent);
    followed = [];
  });
  afterEach(async () => {
    for (const process of followed) {
      process.signalGroup('SIGKILL');
      process.letGo();
    }
    await rm(directory, { recursive: true });
  });

  const launch = async (source: string, more: Partial<ProcessSpec> = {}): Promise<DetachedProcess> => {
    const child = await launcher.launch(
      {
        program: { kind: 'script', source },
        name: 'r1',
        cwd: directory,
        env: { PATH: process.env['PATH'] ?? '', CARILLON_RUN: `detached-${process.pid}:r1` },
        stdin: () => '',
        ...more,
      },
      { run: 'run', checkpoint: '' },
    );
    followed.push(child);
    return child;
  };
  const readRecord = async (): Promise<Record<string, unknown>> =>
    JSON.parse(await readFile(join(parent, 'r1', 'record.json'), 'utf8'));
  const changeRecord = async (change: Record<string, unknown>): Promise<void> =>
    writeFile(join(parent, 'r1', 'record.json'), JSON.stringify({ ...(await readRecord()), ...change }));

  test('a process that has the number of an ended one is neither believed nor signalled', async () => {
    const child = await launch('#!/bin/sh\necho ready; exec sleep 1000');
    await readUntil(child.stdout, 'ready');
    child.signalGroup('SIGKILL');
    await child.exited;
    const stranger = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' });
    const { startTicks } = await readRecord();
    // The stranger started later, if only by a tick.
    await changeRecord({ pid: stranger.pid, startTicks: String(Number(startTicks) - 1) });
    const adopted = await launcher.adopt('r1', { stdout: 0, stderr: 0 });
    if (adopted === undefined) throw new Error('not adopted');
    followed.push(adopted);
    expect(adopted.signalGroup('SIGKILL')).toBe(false);
    expect(await adopted.exited).toEqual({ code: null, signal: 'SIGKILL' });
    const exited = once(stranger, 'exit');
    stranger.kill('SIGTERM');
    expect(await exited).toEqual([null, 'SIGTERM']);
  });

  test('the program outlives its keeper, is still known, and can be ended', async () => {
    const child = await launch('#!/bin/sh\necho ready; exec sleep 1000');
    await readUntil(child.stdout, 'ready');
    process.kill(child.pid, 'SIGKILL');
    child.letGo();
    const adopted = await launcher.adopt('r1', { stdout: 0, stderr: 0 });
    expect(adopted?.signalGroup(0)).toBe(true);
    expect(adopted?.signalGroup('SIGTERM')).toBe(true);
    expect(await adopted?.exited).toEqual({ code: null, signal: 'SIGKILL' });
  });

  test('processes of an earlier boot of the machine are not looked for', async () => {
    const child = await launch('#!/bin/sh\n:');
    await child.exited;
    await changeRecord({ space: 'elsewhere' });
    expect(await launcher.adopt('r1', { stdout: 0, stderr: 0 })).toBeUndefined();
  });

  test('a keeper whose worker died before it gave leave starts nothing', async () => {
    const keeper = spawn('/bin/sh', ['-c', keeperScript, 'carillon', '/usr/bin/touch', `${directory}/ran`], {
      stdio: ['ignore', 'ignore', 'ignore', 'ignore', 'pipe'],
    });
    keeper.stdio[4]?.destroy();
    await once(keeper, 'exit');
    await expect(stat(join(directory, 'ran'))).rejects.toThrow('ENOENT');
  });

  test('a run that got no leave is not adopted, and one without a record is removed', async () => {
    const child = await launch('#!/bin/sh\n:');
    await child.exited;
    await writeFile(join(parent, 'r1', 'status'), '');
    expect(await launcher.adopt('r1', { stdout: 0, stderr: 0 })).toBeUndefined();
    await mkdir(join(parent, 'r2'));
    expect((await launcher.list()).map(({ name }) => name)).toEqual(['r1']);
    await expect(stat(join(parent, 'r2'))).rejects.toThrow('ENOENT');
  });

  test('as root a script runs as another user, who sees nothing of the files of the run', async () => {
    if (process.getuid?.() !== 0) return;
    const user = await new NodeProcessLauncher({ scriptDirectory: join(directory, 's') }).resolveUser(
      'nobody',
    );
    await chmod(directory, 0o755);
    const ids = { uid: user?.uid ?? -1, gid: user?.gid ?? -1 };
    const source = `#!/bin/sh\nid -un; id -G; cat; ls ${parent}/r1 2>/dev/null || echo private`;
    const child = await launch(source, { ...ids, stdin: () => 'input\n' });
    expect(await allText(child.stdout)).toBe(`nobody\n${ids.gid}\ninput\nprivate\n`);
    expect(await child.exited).toMatchObject({ code: 0 });
  });

  test('output that a program empties by opening it anew goes on from its new start', async () => {
    const flag = join(directory, 'go-on');
    const wait = `while [ ! -e ${flag} ]; do sleep 0.01; done`;
    const child = await launch(`#!/bin/sh\necho a long first line >&2; ${wait}; echo short > /dev/stderr`);
    await readUntil(child.stderr, 'a long first line\n');
    await writeFile(flag, '');
    expect(await allText(child.stderr)).toBe('short\n');
  });
});
