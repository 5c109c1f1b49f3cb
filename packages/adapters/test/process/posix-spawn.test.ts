import { EventEmitter, once } from 'node:events';
import { closeSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProcessExit, RunningProcess } from '@carillon/core';
import { allText, signalsOfThisProcess } from '@carillon/testkit';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  ExitWatch,
  ForkingStarter,
  type Libc,
  openLibc,
  PosixSpawner,
  type ProgramStarter,
} from '../../src/process/index.js';
import type { ProgramStart } from '../../src/process/start/start-program.js';
import { shellStart } from './shell-start.js';

let directory: string;
/** Starts the other way was asked for. */
let asked: ProgramStart[];
let spawner: PosixSpawner;
const otherwise: ProgramStarter = {
  start: (start) => {
    asked.push(start);
    return Promise.reject(new Error('the other way'));
  },
  close: () => Promise.resolve(),
};

beforeEach(async () => {
  asked = [];
  directory = await mkdtemp(join(tmpdir(), 'carillon-posix-'));
  spawner = new PosixSpawner({ libc: await openLibc(), otherwise, signals: signalsOfThisProcess() });
});
afterEach(async () => {
  await spawner.close();
  await rm(directory, { recursive: true });
});

const shell = (text: string, more: Partial<ProgramStart> = {}): ProgramStart =>
  shellStart(directory, text, more);
const start = (text: string, more: Partial<ProgramStart> = {}): Promise<RunningProcess> =>
  spawner.start(shell(text, more), () => '');
/** Those that are children of this process still, if only as zombies. */
async function uncollected(pids: readonly number[]): Promise<number[]> {
  // Each is listed with the thread that started it.
  const lists = (await readdir('/proc/self/task')).map((thread) =>
    readFile(`/proc/self/task/${thread}/children`, 'utf8').catch(() => ''),
  );
  const present = new Set((await Promise.all(lists)).join(' ').split(/\s+/).map(Number));
  return pids.filter((pid) => present.has(pid));
}
const openDescriptors = async (): Promise<number> => (await readdir('/proc/self/fd')).length;

describe('a process', () => {
  test('is started without a fork of this one, and leads a session of its own', async () => {
    const child = await start('read -r _ < /proc/self/stat; cut -d" " -f1,5,6 /proc/$$/stat');
    expect(await allText(child.stdout)).toBe(`${child.pid} ${child.pid} ${child.pid}\n`);
    expect(await child.exited).toEqual({ code: 0, signal: null });
    expect(asked).toEqual([]);
  });

  test('has its output as pipes, which programs can open by name', async () => {
    const child = await start('echo one > /dev/stdout; echo two > /dev/stderr');
    expect(await allText(child.stdout)).toBe('one\n');
    expect(await allText(child.stderr)).toBe('two\n');
  });

  test('blocks and ignores no signal, whatever this process does', async () => {
    const child = await start('exec grep -E "^Sig(Blk|Ign)" /proc/self/status');
    // Bits 31 and 32 are signals of the C library's own.
    expect(await allText(child.stdout)).toMatch(/SigBlk:\s+0+\nSigIgn:\s+0+(18)?0{7}\n/);
  });

  test('gets no more descriptors than from a fork, also while others are started', async () => {
    const list = 'ls /proc/$$/fd';
    const forked = await new ForkingStarter().start(shell(list), () => '');
    const expected = await allText(forked.stdout);
    const children = await Promise.all([start(list), start(list), start(list)]);
    expect(await Promise.all(children.map((child) => allText(child.stdout)))).toEqual([
      expected,
      expected,
      expected,
    ]);
  });

  test.each([1, 4096, 4097, 300_000])('gets %i bytes of input', async (bytes) => {
    const child = await spawner.start(shell('wc -c'), () => 'x'.repeat(bytes));
    expect((await allText(child.stdout)).trim()).toBe(String(bytes));
  });

  test('says the signal that ended it', async () => {
    const exits = ['TERM', 'KILL', 'ABRT', 'IO'].map(
      async (name) => (await start(`kill -${name} $$`)).exited,
    );
    expect((await Promise.all(exits)).map(({ signal }) => signal)).toEqual([
      'SIGTERM',
      'SIGKILL',
      'SIGABRT',
      'SIGIO',
    ]);
  });

  test('what it wrote before its exit can be read after it', async () => {
    const child = await start('head -c 60000 /dev/zero; echo oops >&2');
    expect(await child.exited).toEqual({ code: 0, signal: null });
    expect(Buffer.byteLength(await allText(child.stdout))).toBe(60_000);
    expect(await allText(child.stderr)).toBe('oops\n');
  });

  test('closed output does not hide that it runs', async () => {
    const child = await start('exec >&- 2>&-; read -r line; exit 4', {});
    await Promise.all([allText(child.stdout), allText(child.stderr)]);
    expect(await child.exited).toEqual({ code: 4, signal: null });
  });
});

describe('left to the other way', () => {
  test.each<[string, Partial<ProgramStart>]>([
    ['another user', { uid: 65_534 }],
    ['another group', { gid: 65_534 }],
    ['a missing directory', { cwd: '/no/such/directory' }],
    ['a missing program', { file: 'no-such-program' }],
    ['an environment that is too long', { env: { BIG: 'x'.repeat(200_000) } }],
    ['a NUL in the directory', { cwd: '/tmp\0/nowhere' }],
    ['a NUL in the environment', { env: { NAME: 'a\0b' } }],
  ])('%s', async (_name, more) => {
    const before = await openDescriptors();
    await expect(start('exit 0', more)).rejects.toThrow('the other way');
    expect(asked).toHaveLength(1);
    expect(await openDescriptors()).toBe(before);
  });

  test('a start for which there are no descriptors', async () => {
    const real = await openLibc();
    let pipes = 0;
    const scarce: Libc = {
      pipe: () => {
        pipes += 1;
        if (pipes === 3) throw Object.assign(new Error('pipe2 EMFILE'), { code: 'EMFILE' });
        return real.pipe();
      },
      spawn: (spawn) => real.spawn(spawn),
      collect: (pid) => real.collect(pid),
    };
    const before = await openDescriptors();
    const source = { script: { path: join(directory, 'script'), source: '#!/bin/sh\n' } };
    const scarceSpawner = new PosixSpawner({ libc: scarce, otherwise, signals: signalsOfThisProcess() });
    await expect(scarceSpawner.start(shell('', source), () => '')).rejects.toThrow('the other way');
    expect(await openDescriptors()).toBe(before);
    expect(await readdir(directory)).toEqual([]);
  });
});

describe('what has been started', () => {
  /** Of pipes, by the end that is given away. */
  const ownEnds = new Map<number, number>();
  const pids: number[] = [];
  const run = async (spawned: (pipes: Parameters<Libc['spawn']>[0]) => void): Promise<unknown> => {
    const real = await openLibc();
    const spawn = async (pipes: Parameters<Libc['spawn']>[0]): Promise<number> => {
      const pid = await real.spawn(pipes);
      pids.push(pid);
      spawned(pipes);
      return pid;
    };
    const pipe = (): [number, number] => {
      const [reading, writing] = real.pipe();
      ownEnds.set(writing, reading);
      return [reading, writing];
    };
    const faulty: Libc = { pipe, spawn, collect: (pid) => real.collect(pid) };
    const faultySpawner = new PosixSpawner({ libc: faulty, otherwise, signals: signalsOfThisProcess() });
    return faultySpawner
      .start(shell('echo ran >> runs; exec sleep 1000'), () => '')
      .catch((error: unknown) => error);
  };

  test('is not started again when an end of a pipe cannot be closed', async () => {
    const child = await run(({ stderr }) => closeSync(stderr));
    expect(child).toHaveProperty('pid');
    expect(await uncollected(pids)).toEqual(pids);
    const { signalGroup, exited } = child as RunningProcess;
    signalGroup.call(child, 'SIGKILL');
    await exited;
    expect(asked).toEqual([]);
  });

  test('is killed, collected and not started again when it cannot be read', async () => {
    const watched = signalsOfThisProcess();
    const before = watched.listenerCount('SIGCHLD');
    const failure = await run(({ stdout }) => closeSync(ownEnds.get(stdout) ?? -1));
    expect(failure).toHaveProperty('code', 'ERR_INVALID_FD_TYPE');
    expect(asked).toEqual([]);
    while (watched.listenerCount('SIGCHLD') > before) await once(watched, 'SIGCHLD');
    expect(await uncollected(pids)).toEqual([]);
  });
});

describe('a burst', () => {
  test.each([
    [4, 3],
    [1, 1],
    [100, 8],
  ])('leaves one of %i threads to others: %i starts at a time', async (threads, most) => {
    const ends: (() => void)[] = [];
    const hanging: Libc = {
      pipe: (await openLibc()).pipe.bind(await openLibc()),
      spawn: () =>
        new Promise((_resolve, reject) => {
          ends.push(() => reject(new Error('hung')));
        }),
      collect: () => undefined,
    };
    const few = new PosixSpawner({ libc: hanging, otherwise, signals: signalsOfThisProcess(), threads });
    const starts = Array.from({ length: 20 }, () => few.start(shell(''), () => '').catch(() => undefined));
    await new Promise((resolve) => setImmediate(resolve));
    expect(ends).toHaveLength(most);
    for (let n = 0; n < 20; n += 1) {
      ends[n]?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(starts);
    expect(asked).toHaveLength(20);
  });

  test('of three hundred scripts: each runs once, is collected, and leaves nothing open', async () => {
    const before = await openDescriptors();
    const numbers = Array.from({ length: 300 }, (_, n) => n);
    const pids = numbers.map(async (n) => {
      const path = join(directory, `script-${n}`);
      const source = `#!/bin/sh\necho ${n} >> "$0.ran"\nexit ${n % 7}\n`;
      const child = await start('', { file: path, args: [], script: { path, source } });
      const [exit] = await Promise.all([child.exited, allText(child.stdout), allText(child.stderr)]);
      expect(exit).toEqual({ code: n % 7, signal: null });
      expect(await readFile(`${path}.ran`, 'utf8')).toBe(`${n}\n`);
      return child.pid;
    });
    const started = await Promise.all(pids);
    expect(new Set(started).size).toBe(300);
    expect(asked).toEqual([]);
    expect(await openDescriptors()).toBe(before);
    expect(await uncollected(started)).toEqual([]);
  }, 60_000);
});

describe('the watch of exits', () => {
  const ended = new Map<number, number>();
  const signals = new EventEmitter();
  const collect = (pid: number): number | undefined => {
    if (pid === 13) throw new Error('waitpid ECHILD');
    return ended.get(pid);
  };
  let watch: ExitWatch;
  let exits: [number, ProcessExit][];
  const see = (pid: number): void => {
    watch.expect();
    watch.watch(pid, (exit) => exits.push([pid, exit]));
  };
  beforeEach(() => {
    ended.clear();
    exits = [];
    watch = new ExitWatch({ collect }, signals);
  });

  test('one signal may stand for several ends', () => {
    for (const pid of [1, 2, 3]) see(pid);
    ended.set(1, 0x0300).set(3, 9);
    signals.emit('SIGCHLD');
    expect(exits).toEqual([
      [1, { code: 3, signal: null }],
      [3, { code: null, signal: 'SIGKILL' }],
    ]);
    ended.set(2, 0);
    signals.emit('SIGCHLD');
    expect(exits).toHaveLength(3);
    expect(signals.listenerCount('SIGCHLD')).toBe(0);
  });

  test('an end that came before anybody asked is seen at once', () => {
    ended.set(4, 0);
    see(4);
    expect(exits).toEqual([[4, { code: 0, signal: null }]]);
    expect(signals.listenerCount('SIGCHLD')).toBe(0);
  });

  test('what somebody else has collected has ended, nobody knows how', () => {
    see(13);
    expect(exits).toEqual([[13, { code: null, signal: null }]]);
  });

  test('listens from before the start, and no longer than needed', () => {
    watch.expect();
    expect(signals.listenerCount('SIGCHLD')).toBe(1);
    watch.cancel();
    expect(signals.listenerCount('SIGCHLD')).toBe(0);
  });
});
