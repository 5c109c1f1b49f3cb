import { type ProcessLauncher, type ProcessSpec, type RunningProcess, SpawnError } from '@carillon/core';
import { describe, expect, test } from '@jest/globals';

export interface ProcessSubject {
  launcher: ProcessLauncher;
  /** An existing directory of its own. */
  cwd: string;
  close(): Promise<void>;
}

/** Everything a stream says. */
export async function allText(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts).toString();
}

/** Output until it contains `wanted`. */
export async function readUntil(chunks: AsyncIterable<Uint8Array>, wanted: string): Promise<string> {
  const iterator = chunks[Symbol.asyncIterator]();
  let text = '';
  while (!text.includes(wanted)) {
    const step = await iterator.next();
    if (step.done === true) throw new Error(`ended after ${JSON.stringify(text)}`);
    text += Buffer.from(step.value).toString();
  }
  return text;
}

type Launch = (
  program: string | ProcessSpec['program'],
  more?: Partial<ProcessSpec>,
) => Promise<RunningProcess>;

/** What every implementation of ProcessLauncher must do with real processes. */
export function processConformance(name: string, open: () => Promise<ProcessSubject>): void {
  const withLauncher =
    (body: (launch: Launch, subject: ProcessSubject) => Promise<void>) => async (): Promise<void> => {
      const subject = await open();
      const started: RunningProcess[] = [];
      let names = 0;
      const launch: Launch = async (program, more = {}) => {
        names += 1;
        const process = await subject.launcher.launch({
          program: typeof program === 'string' ? { kind: 'script', source: program } : program,
          name: `run-${names}`,
          cwd: subject.cwd,
          env: { PATH: path },
          stdin: () => '',
          ...more,
        });
        started.push(process);
        return process;
      };
      try {
        await body(launch, subject);
      } finally {
        for (const process of started) {
          process.signalGroup('SIGKILL');
          process.stopReading();
          await process.exited;
        }
        await subject.close();
      }
    };
  describe(`${name}: running`, () => describeRunning(withLauncher));
  describe(`${name}: ending`, () => describeEnding(withLauncher));
  describe(`${name}: failures`, () => describeFailures(withLauncher));
}

const path = globalThis.process.env['PATH'] ?? '/usr/bin:/bin';
type WithLauncher = (body: (launch: Launch, subject: ProcessSubject) => Promise<void>) => () => Promise<void>;

function describeRunning(withLauncher: WithLauncher): void {
  test(
    'output, errors, exit code, directory, environment and input',
    withLauncher(async (launch, { cwd }) => {
      const source = '#!/bin/sh\npwd; echo "$GREETING"; cat; echo oops >&2; exit 3';
      const process = await launch(source, {
        env: { GREETING: 'hi', PATH: path },
        stdin: (pid) => `in\n${pid}\n`,
      });
      const [out, err, exit] = await Promise.all([
        allText(process.stdout),
        allText(process.stderr),
        process.exited,
      ]);
      expect(out).toBe(`${cwd}\nhi\nin\n${process.pid}\n`);
      expect(err).toBe('oops\n');
      expect(exit).toEqual({ code: 3, signal: null });
    }),
  );

  test(
    'nothing of the own environment is inherited',
    withLauncher(async (launch) => {
      const process = await launch(
        { kind: 'exec', file: '/usr/bin/env', args: [] },
        { env: { ONLY: 'this' } },
      );
      expect(await allText(process.stdout)).toBe('ONLY=this\n');
    }),
  );

  test(
    'arguments are passed as they are',
    withLauncher(async (launch) => {
      const args = ['%s|', 'a b', '$HOME', '*', '"q"'];
      const process = await launch({ kind: 'exec', file: 'printf', args });
      expect(await allText(process.stdout)).toBe('a b|$HOME|*|"q"|');
    }),
  );

  test.each([
    ['with another interpreter', '#!/usr/bin/env node\nconsole.log(6*7)', '42\n'],
    ['without a #! line', 'echo plain', 'plain\n'],
    ['empty', '', ''],
  ])('a script %s', (_name, source, expected) =>
    withLauncher(async (launch) => {
      const process = await launch(source);
      expect(await allText(process.stdout)).toBe(expected);
      expect(await process.exited).toEqual({ code: 0, signal: null });
    })(),
  );

  test(
    'a process that never reads its input does not matter',
    withLauncher(async (launch) => {
      const process = await launch('#!/bin/sh\nexec true', { stdin: () => 'x'.repeat(1_000_000) });
      expect(await process.exited).toEqual({ code: 0, signal: null });
    }),
  );

  test(
    'the reader sets the pace, and all output arrives',
    withLauncher(async (launch) => {
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
    'forty starts at once all run',
    withLauncher(async (launch) => {
      const numbers = Array.from({ length: 40 }, (_, n) => n);
      const processes = await Promise.all(numbers.map((n) => launch(`#!/bin/sh\necho ${n}`)));
      expect(await Promise.all(processes.map((process) => allText(process.stdout)))).toEqual(
        numbers.map((n) => `${n}\n`),
      );
      expect(new Set(processes.map((process) => process.pid)).size).toBe(40);
    }),
  );
}

function describeEnding(withLauncher: WithLauncher): void {
  test(
    'a signal reaches the whole group, and then nothing is left to signal',
    withLauncher(async (launch) => {
      const process = await launch('#!/bin/sh\nsleep 1000 & sleep 1000 & echo ready; wait');
      await readUntil(process.stdout, 'ready');
      expect(process.signalGroup(0)).toBe(true);
      expect(process.signalGroup('SIGTERM')).toBe(true);
      expect(await process.exited).toEqual({ code: null, signal: 'SIGTERM' });
      // The streams end only when both children have let go of them.
      await Promise.all([allText(process.stdout), allText(process.stderr)]);
      // A zombie waits to be collected by whoever adopted it.
      while (process.signalGroup(0)) await new Promise((resolve) => setImmediate(resolve));
      expect(process.signalGroup('SIGKILL')).toBe(false);
    }),
  );

  test(
    'members that ignore SIGTERM are reached by SIGKILL after their leader has gone',
    withLauncher(async (launch) => {
      const process = await launch(
        '#!/bin/sh\nsh -c "trap \'\' TERM; echo ready; while :; do sleep 1; done" &\nwait',
      );
      await readUntil(process.stdout, 'ready');
      process.signalGroup('SIGTERM');
      await process.exited;
      expect(process.signalGroup(0)).toBe(true);
      process.signalGroup('SIGKILL');
      await allText(process.stdout);
    }),
  );

  test(
    'a background child delays neither the exit nor, once told to stop, the end of the streams',
    withLauncher(async (launch) => {
      const process = await launch('#!/bin/sh\nsleep 1000 &\necho bye');
      expect(await process.exited).toEqual({ code: 0, signal: null });
      const text = readUntil(process.stdout, 'bye\n');
      expect(await text).toBe('bye\n');
      process.stopReading();
      expect(await allText(process.stdout)).toBe('');
      expect(await allText(process.stderr)).toBe('');
    }),
  );

  test(
    'processes that left the group are found by their mark',
    withLauncher(async (launch, { launcher }) => {
      const marker = `node-${globalThis.process.pid}:j1`;
      const env = { PATH: path, CARILLON_RUN: `${marker}-1` };
      // Ready is said by the one that has left the group already.
      const source = "#!/bin/sh\nsetsid sh -c 'echo ready; exec sleep 1000' &\nexec sleep 1000";
      const process = await launch(source, { env });
      await readUntil(process.stdout, 'ready');
      expect(await launcher.killStrays(marker)).toBe(0);
      process.signalGroup('SIGKILL');
      await process.exited;
      expect(await launcher.killStrays(`${marker}-1-`, 'prefix')).toBe(0);
      expect(await launcher.findStrays(marker)).toEqual([]);
      expect((await launcher.findStrays(`${marker}-1`)).length).toBe(1);
      expect(await launcher.killStrays(`${marker}-`, 'prefix')).toBe(1);
      await allText(process.stdout);
    }),
  );
}

function describeFailures(withLauncher: WithLauncher): void {
  const spec = (more: Partial<ProcessSpec>): Partial<ProcessSpec> => more;
  test.each<[string, ProcessSpec['program'], Partial<ProcessSpec>, RegExp, string]>([
    [
      'unknown command',
      { kind: 'exec', file: '/no/such', args: [] },
      {},
      /Command not found: \/no\/such/,
      'ENOENT',
    ],
    ['empty command', { kind: 'exec', file: '', args: [] }, {}, /empty/, 'EINVAL'],
    ['NUL in an argument', { kind: 'exec', file: 'echo', args: ['a\0'] }, {}, /NUL/, 'EINVAL'],
    [
      'NUL in the directory',
      { kind: 'exec', file: 'echo', args: [] },
      spec({ cwd: '/tmp\0/nowhere' }),
      /null bytes/,
      'ERR_INVALID_ARG_VALUE',
    ],
    ['not executable', { kind: 'exec', file: '/etc/passwd', args: [] }, {}, /Permission denied/, 'EACCES'],
    [
      'missing directory',
      { kind: 'exec', file: 'echo', args: [] },
      spec({ cwd: '/no/such/dir' }),
      /Working directory does not exist: \/no\/such\/dir/,
      'ENOENT',
    ],
    [
      'a file as directory',
      { kind: 'exec', file: 'echo', args: [] },
      spec({ cwd: '/etc/passwd' }),
      /Working directory is not a directory/,
      'ENOTDIR',
    ],
    [
      'missing interpreter',
      { kind: 'script', source: '#!/no/such\nx' },
      {},
      /Interpreter not found: \/no\/such/,
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
      spec({ env: { BIG: 'x'.repeat(200_000) } }),
      /too long/,
      'E2BIG',
    ],
  ])('%s', (_name, program, more, message, reason) =>
    withLauncher(async (launch) => {
      const failure: unknown = await launch(program, more).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(SpawnError);
      expect(failure).toMatchObject({ message: expect.stringMatching(message), reason });
    })(),
  );

  test(
    'users and groups by name and number; unknown ones are undefined',
    withLauncher(async (_launch, { launcher }) => {
      const root = { uid: 0, gid: 0, username: 'root', home: '/root' };
      expect(await launcher.resolveUser('root')).toMatchObject(root);
      expect(await launcher.resolveUser(0)).toMatchObject(root);
      expect(await launcher.resolveUser('no-such-user')).toBeUndefined();
      expect(await launcher.resolveUser('../passwd:x\n')).toBeUndefined();
      expect(await launcher.resolveGroup('root')).toBe(0);
      expect(await launcher.resolveGroup('no-such-group')).toBeUndefined();
    }),
  );
}
