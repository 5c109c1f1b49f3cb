import {
  type DetachedLauncher,
  type DetachedNotes,
  type DetachedProcess,
  type ProcessSpec,
  SpawnError,
} from '@carillon/core';
import { describe, expect, test } from '@jest/globals';
import { allText, readUntil } from './process-conformance.js';

export interface DetachedSubject {
  /** Another launcher for the same processes, as a worker that was started again has. */
  open(): DetachedLauncher;
  /** An existing directory. */
  cwd: string;
  close(): Promise<void>;
}

const path = globalThis.process.env['PATH'] ?? '/usr/bin:/bin';
const notes: DetachedNotes = { run: 'which run', checkpoint: 'none' };
const fromStart = { stdout: 0, stderr: 0 };

interface World {
  subject: DetachedSubject;
  launcher: DetachedLauncher;
  launch: (program: string | ProcessSpec['program'], more?: Partial<ProcessSpec>) => Promise<DetachedProcess>;
  /** Lets go of a process and follows it with a new launcher. */
  adopt: (process: DetachedProcess, name?: string, from?: typeof fromStart) => Promise<DetachedProcess>;
}

/** What every implementation of DetachedLauncher must do with real processes. */
export function detachedConformance(name: string, open: () => Promise<DetachedSubject>): void {
  const withWorld = (body: (world: World) => Promise<void>) => async (): Promise<void> => {
    const subject = await open();
    const launcher = subject.open();
    const followed: DetachedProcess[] = [];
    const launch: World['launch'] = async (program, more = {}) => {
      const spec = {
        program: typeof program === 'string' ? { kind: 'script' as const, source: program } : program,
        name: `run-${followed.length + 1}`,
        cwd: subject.cwd,
        env: { PATH: path, CARILLON_RUN: `detached-${globalThis.process.pid}` },
        stdin: () => '',
        ...more,
      };
      const process = await launcher.launch(spec, notes);
      followed.push(process);
      return process;
    };
    const adopt: World['adopt'] = async (process, run = 'run-1', from = fromStart) => {
      process.letGo();
      const adopted = await subject.open().adopt(run, from);
      if (adopted === undefined) throw new Error('nothing to adopt');
      followed.push(adopted);
      return adopted;
    };
    try {
      await body({ subject, launcher, launch, adopt });
    } finally {
      for (const process of followed) {
        process.signalGroup('SIGKILL');
        process.letGo();
      }
      await subject.close();
    }
  };
  describe(`${name}: running`, () => describeRunning(withWorld));
  describe(`${name}: ending`, () => describeEnding(withWorld));
  describe(`${name}: another launcher`, () => describeAdoption(withWorld));
  describe(`${name}: failures`, () => describeFailures(withWorld));
}

type WithWorld = (body: (world: World) => Promise<void>) => () => Promise<void>;

function describeRunning(withWorld: WithWorld): void {
  test(
    'output, errors, exit code, directory, environment and input',
    withWorld(async ({ launch, subject }) => {
      const source = '#!/bin/sh\npwd; echo "$GREETING"; cat; echo oops >&2; exit 3';
      const process = await launch(source, {
        env: { GREETING: 'hi', PATH: path },
        stdin: (pid) => `in\n${pid}\n`,
      });
      const [out, err] = await Promise.all([allText(process.stdout), allText(process.stderr)]);
      expect(out).toBe(`${subject.cwd}\nhi\nin\n${process.pid}\n`);
      expect(err).toBe('oops\n');
      const nearMs = { atMs: expect.any(Number) };
      expect(await process.exited).toEqual({ code: 3, signal: null, ...nearMs });
    }),
  );

  test(
    'output is followed while it comes',
    withWorld(async ({ launch, subject }) => {
      const flag = `${subject.cwd}/go-on`;
      const wait = `while [ ! -e ${flag} ]; do sleep 0.01; done`;
      const process = await launch(`#!/bin/sh\necho one; ${wait}; echo two`);
      expect(await readUntil(process.stdout, 'one\n')).toBe('one\n');
      const rest = allText(process.stdout);
      await allText((await launch({ kind: 'exec', file: 'touch', args: [flag] })).stdout);
      expect(await rest).toBe('two\n');
    }),
  );

  test(
    'arguments are passed as they are, and a name that a shell knows is a program all the same',
    withWorld(async ({ launch }) => {
      const args = ['%s|', 'a b', '$HOME', '*', '"q"'];
      const process = await launch({ kind: 'exec', file: 'printf', args });
      expect(await allText(process.stdout)).toBe('a b|$HOME|*|"q"|');
    }),
  );

  test(
    'large output arrives whole at a reader that takes its time',
    withWorld(async ({ launch }) => {
      const process = await launch('#!/bin/sh\nhead -c 5000000 /dev/zero; echo done >&2');
      let bytes = 0;
      for await (const chunk of process.stdout) {
        bytes += chunk.length;
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(bytes).toBe(5_000_000);
      expect(await allText(process.stderr)).toBe('done\n');
    }),
  );

  test(
    'no descriptor of the keeper, and no ignored signal, reaches the program',
    withWorld(async ({ launch }) => {
      const source =
        '#!/bin/sh\nls -l /proc/self/fd | grep -e status -e socket; grep SigIgn /proc/self/status';
      expect(await allText((await launch(source)).stdout)).toMatch(/^SigIgn:\s0+\n$/);
    }),
  );
}

function describeEnding(withWorld: WithWorld): void {
  test.each([
    ['SIGTERM', 'kill -TERM $$'],
    ['SIGKILL', 'kill -KILL $$'],
    ['SIGSEGV', 'kill -SEGV $$'],
  ])('%s from outside is told from an exit, and no shell remarks on it', (signal, source) =>
    withWorld(async ({ launch }) => {
      const process = await launch(`#!/bin/sh\n${source}`);
      expect(await process.exited).toMatchObject({ code: null, signal });
      expect(await allText(process.stderr)).toBe('');
    })(),
  );

  test(
    'a signal reaches the whole group, and then nothing is left to signal',
    withWorld(async ({ launch }) => {
      const process = await launch('#!/bin/sh\nsleep 1000 & sleep 1000 & echo ready; wait');
      await readUntil(process.stdout, 'ready');
      expect(process.signalGroup(0)).toBe(true);
      expect(process.signalGroup('SIGTERM')).toBe(true);
      expect(await process.exited).toMatchObject({ code: null, signal: 'SIGTERM' });
      while (process.signalGroup(0)) await new Promise((resolve) => setImmediate(resolve));
      expect(process.signalGroup('SIGKILL')).toBe(false);
    }),
  );

  test(
    'a program may clean up after SIGTERM, and its own exit code counts',
    withWorld(async ({ launch }) => {
      const process = await launch('#!/bin/sh\ntrap "echo bye; exit 5" TERM; echo ready; sleep 1000 & wait');
      await readUntil(process.stdout, 'ready');
      process.signalGroup('SIGTERM');
      expect(await process.exited).toMatchObject({ code: 5, signal: null });
    }),
  );

  test(
    'SIGKILL to the group leaves no status, and is known as such',
    withWorld(async ({ launch }) => {
      const process = await launch('#!/bin/sh\necho ready; sleep 1000');
      await readUntil(process.stdout, 'ready\n');
      process.signalGroup('SIGKILL');
      expect(await process.exited).toEqual({ code: null, signal: 'SIGKILL' });
      expect(await allText(process.stdout)).toBe('');
    }),
  );

  test(
    'members that ignore SIGTERM are reached by SIGKILL after their leader has gone',
    withWorld(async ({ launch }) => {
      const stubborn = 'sh -c "trap \'\' TERM; echo ready; while :; do sleep 1; done"';
      const process = await launch(`#!/bin/sh\n${stubborn} &\nwait`);
      await readUntil(process.stdout, 'ready');
      process.signalGroup('SIGTERM');
      await process.exited;
      expect(process.signalGroup(0)).toBe(true);
      process.signalGroup('SIGKILL');
      while (process.signalGroup(0)) await new Promise((resolve) => setImmediate(resolve));
    }),
  );
}

function describeAdoption(withWorld: WithWorld): void {
  test(
    'a process goes on when it is let go, and another launcher follows it from an offset',
    withWorld(async ({ launch, adopt, subject }) => {
      const flag = `${subject.cwd}/go-on`;
      const wait = `while [ ! -e ${flag} ]; do sleep 0.01; done`;
      const process = await launch(`#!/bin/sh\necho one; ${wait}; echo two; echo err >&2; exit 7`);
      await readUntil(process.stdout, 'one\n');
      const adopted = await adopt(process, 'run-1', { stdout: 2, stderr: 0 });
      expect(adopted.pid).toBe(process.pid);
      expect(await allText(process.stdout)).toBe('');
      expect(await readUntil(adopted.stdout, 'e\n')).toBe('e\n');
      const rest = Promise.all([allText(adopted.stdout), allText(adopted.stderr)]);
      await launch({ kind: 'exec', file: 'touch', args: [flag] });
      expect(await rest).toEqual(['two\n', 'err\n']);
      expect(await adopted.exited).toMatchObject({ code: 7, signal: null });
      const again = await allText(subject.open().recorded('run-1', 'stdout', 6));
      expect(again).toBe('one\ntw');
    }),
  );

  test(
    'what ended while nobody watched is known with its time, its output and its code',
    withWorld(async ({ launch, adopt }) => {
      const beforeMs = Date.now();
      const process = await launch('#!/bin/sh\necho out; exit 4');
      await process.exited;
      const adopted = await adopt(process);
      expect(await allText(adopted.stdout)).toBe('out\n');
      const exit = await adopted.exited;
      expect(exit).toMatchObject({ code: 4, signal: null });
      expect(Math.abs((exit.atMs ?? 0) - beforeMs)).toBeLessThan(60_000);
      while (adopted.signalGroup(0)) await new Promise((resolve) => setImmediate(resolve));
      expect(adopted.signalGroup('SIGTERM')).toBe(false);
    }),
  );

  test(
    'an adopted tree is ended by signals, orphans of its keeper included',
    withWorld(async ({ launch, adopt }) => {
      const process = await launch('#!/bin/sh\n(trap "" TERM; echo ready; sleep 1000) & sleep 1000');
      await readUntil(process.stdout, 'ready');
      const adopted = await adopt(process);
      expect(adopted.signalGroup('SIGTERM')).toBe(true);
      expect(await adopted.exited).toMatchObject({ signal: 'SIGTERM' });
      expect(adopted.signalGroup(0)).toBe(true);
      adopted.signalGroup('SIGKILL');
      while (adopted.signalGroup(0)) await new Promise((resolve) => setImmediate(resolve));
    }),
  );

  test(
    'a process killed while nobody watched is known as killed',
    withWorld(async ({ launch, adopt }) => {
      const process = await launch('#!/bin/sh\necho ready; sleep 1000');
      await readUntil(process.stdout, 'ready');
      process.letGo();
      globalThis.process.kill(-process.pid, 'SIGKILL');
      const adopted = await adopt(process);
      expect(await adopted.exited).toEqual({ code: null, signal: 'SIGKILL' });
    }),
  );

  test(
    'notes are kept and replaced; what is removed is listed no more',
    withWorld(async ({ launch, launcher, subject }) => {
      await launch('#!/bin/sh\n:');
      await launch('#!/bin/sh\n:');
      await launcher.keepNote('run-2', 'checkpoint', 'second');
      const listed = (await subject.open().list()).sort((a, b) => (a.name < b.name ? -1 : 1));
      expect(listed).toEqual([
        { name: 'run-1', notes },
        { name: 'run-2', notes: { ...notes, checkpoint: 'second' } },
      ]);
      await launcher.remove('run-1');
      await launcher.remove('run-1');
      await launcher.keepNote('run-1', 'run', 'too late');
      expect((await subject.open().list()).map(({ name }) => name)).toEqual(['run-2']);
      expect(await subject.open().adopt('run-1', fromStart)).toBeUndefined();
    }),
  );
}

function describeFailures(withWorld: WithWorld): void {
  test.each<[string, ProcessSpec['program'], Partial<ProcessSpec>, RegExp, string]>([
    ['unknown command', { kind: 'exec', file: '/no/such', args: [] }, {}, /not found: \/no\/such/, 'ENOENT'],
    ['unknown name', { kind: 'exec', file: 'no-such', args: [] }, {}, /not found: no-such/, 'ENOENT'],
    ['empty command', { kind: 'exec', file: '', args: [] }, {}, /empty/, 'EINVAL'],
    ['not executable', { kind: 'exec', file: '/etc/passwd', args: [] }, {}, /Permission denied/, 'EACCES'],
    [
      'missing directory',
      { kind: 'exec', file: 'echo', args: [] },
      { cwd: '/no/such/dir' },
      /Working directory does not exist: \/no\/such\/dir/,
      'ENOENT',
    ],
    [
      'missing interpreter',
      { kind: 'script', source: '#!/no/such\nx' },
      {},
      /Interpreter not found/,
      'ENOENT',
    ],
    [
      'Windows line ends',
      { kind: 'script', source: '#!/bin/sh\r\nx' },
      {},
      /Interpreter not found: .*\\r/,
      'ENOENT',
    ],
    [
      'too much environment',
      { kind: 'exec', file: 'echo', args: [] },
      { env: { BIG: 'x'.repeat(200_000) } },
      /too long/,
      'E2BIG',
    ],
  ])('%s', (_name, program, more, message, reason) =>
    withWorld(async ({ launch, subject }) => {
      const failure: unknown = await launch(program, more).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(SpawnError);
      expect(failure).toMatchObject({ message: expect.stringMatching(message), reason });
      expect(await subject.open().list()).toEqual([]);
    })(),
  );

  test(
    'a name is launched once',
    withWorld(async ({ launch, subject }) => {
      const records = `${subject.cwd}/records`;
      const source = `#!/bin/sh\necho started >> ${records}`;
      await (await launch(source, { name: 'same' })).exited;
      await expect(launch(source, { name: 'same' })).rejects.toThrow();
      const process = await launch({ kind: 'exec', file: 'cat', args: [records] });
      expect(await allText(process.stdout)).toBe('started\n');
      expect((await subject.open().list()).map(({ name }) => name).sort()).toEqual(['run-2', 'same']);
    }),
  );
}
