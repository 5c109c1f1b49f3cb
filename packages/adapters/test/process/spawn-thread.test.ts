import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { RunningProcess } from '@carillon/core';
import { allText, bundledProgram } from '@carillon/testkit';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { SpawnThread } from '../../src/process/index.js';
import type { ProgramStart } from '../../src/process/start/start-program.js';
import { shellStart } from './shell-start.js';

const program = bundledProgram('spawn-thread.js');
let thread: SpawnThread;
let directory: string;
beforeEach(async () => {
  thread = new SpawnThread(program);
  directory = await mkdtemp(join(tmpdir(), 'carillon-thread-'));
});
afterEach(async () => {
  await thread.close();
  await rm(directory, { recursive: true });
});

const shell = (text: string): ProgramStart => shellStart(directory, text);

test('what a process wrote before its exit is there when the exit is known', async () => {
  const child = await thread.start(shell('head -c 60000 /dev/zero; echo oops >&2'), () => '');
  expect(await child.exited).toEqual({ code: 0, signal: null });
  // Nothing is read from here on.
  child.stopReading();
  expect(Buffer.byteLength(await allText(child.stdout))).toBe(60_000);
  expect(await allText(child.stderr)).toBe('oops\n');
});

test('a reader that stops early lets the process go on to its end', async () => {
  const child = await thread.start(shell('trap "" PIPE; yes 2>/dev/null; exit 7'), () => '');
  for await (const chunk of child.stdout) {
    expect(chunk.length).toBeGreaterThan(0);
    break;
  }
  child.stopReading();
  expect(await child.exited).toEqual({ code: 7, signal: null });
});

test('while the reader waits a process cannot write on and on', async () => {
  const child = await thread.start(shell('yes | head -c 50000000; echo done >&2'), () => '');
  const errors = child.stderr[Symbol.asyncIterator]();
  const isDone = errors.next();
  const first = await child.stdout[Symbol.asyncIterator]().next();
  // Another process starts and ends meanwhile, and more than once.
  for (let n = 0; n < 5; n += 1) await (await thread.start(shell('exit 0'), () => '')).exited;
  let isOver = false;
  void isDone.then(() => {
    isOver = true;
  });
  await (await thread.start(shell('exit 0'), () => '')).exited;
  expect(isOver).toBe(false);
  const rest = await allText(child.stdout);
  expect((first.value?.length ?? 0) + rest.length).toBe(50_000_000);
  expect((await isDone).done).toBe(false);
  await child.exited;
});

test('a script that another fork holds open is started a moment later', async () => {
  const scripts = Array.from({ length: 30 }, (_, n) => n);
  const other = new SpawnThread(program);
  const start = (of: SpawnThread, name: string): Promise<RunningProcess> => {
    const path = join(directory, name);
    const script = { path, source: '#!/bin/sh\nexit 3\n' };
    return of.start({ ...shell(''), file: path, args: [], script }, () => '');
  };
  try {
    const both = scripts.flatMap((n) => [start(thread, `a${n}`), start(other, `b${n}`)]);
    const exits = await Promise.all((await Promise.all(both)).map((child) => child.exited));
    expect(exits.filter(({ code }) => code === 3)).toHaveLength(60);
  } finally {
    await other.close();
  }
});

test('nothing is started after the end', async () => {
  await thread.close();
  await expect(thread.start(shell('exit 0'), () => '')).rejects.toThrow('No process can be started');
});

test('a process whose thread ends goes down with it, and does not wait for ever', async () => {
  const built = pathToFileURL(join(import.meta.dirname, '../../dist/process/index.js')).href;
  const source = `
    import { Worker } from 'node:worker_threads';
    import { SpawnThread } from ${JSON.stringify(built)};
    let inner;
    const post = Worker.prototype.postMessage;
    Worker.prototype.postMessage = function (...message) { inner = this; return post.apply(this, message); };
    const child = await new SpawnThread(${JSON.stringify(program)}).start(${JSON.stringify(shell('exec sleep 1000'))}, () => '');
    process.on('exit', () => child.signalGroup('SIGKILL'));
    await inner.terminate();
    await child.exited;
  `;
  const main = join(directory, 'main.mjs');
  await writeFile(main, source);
  const failure = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
    execFile(process.execPath, [main], { timeout: 20_000 }, (error, _stdout, stderr) =>
      resolve({ code: error?.code, stderr }),
    );
  });
  expect(failure.code).toBe(1);
  expect(failure.stderr).toContain('The thread that starts processes ended with code');
}, 30_000);

test('in a burst the first processes are told of before the last ones are started', async () => {
  let started = 0;
  let startedWithFirst = 0;
  const burst = Array.from({ length: 60 }, async () => {
    const child = await thread.start(shell('exit 0'), () => '');
    started += 1;
    // What was told in one message is counted by then.
    if (started === 1) setImmediate(() => (startedWithFirst = started));
    await child.exited;
  });
  await Promise.all(burst);
  expect(startedWithFirst).toBeGreaterThan(0);
  expect(startedWithFirst).toBeLessThan(60);
});
