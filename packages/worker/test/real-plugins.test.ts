import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NodeProcessLauncher } from '@carillon/adapters';
import type { JobFields, JobOutcome } from '@carillon/contract';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Harness, jobFields, shellJob } from './support/harness.js';
import { openRealWorker, outputOf } from './support/real-worker.js';

/** The plugin protocol (behaviour reference 6) with real programs. */
describe('a plugin', () => {
  let harness: Harness;
  let directory: string;
  let close: () => Promise<void>;
  beforeEach(async () => {
    ({ harness, directory, close } = await openRealWorker());
  });
  afterEach(() => close());

  /** A program in the worker's directory. */
  const program = async (source: string): Promise<string> => {
    const path = join(directory, 'plugin');
    await writeFile(path, source);
    await chmod(path, 0o755);
    return path;
  };
  const run = async (job: JobFields): Promise<JobOutcome> => {
    await harness.dispatch(job);
    await harness.results.reached(1);
    return harness.results.values[0]?.outcome ?? { code: 'none', description: '' };
  };
  /** Runs a shell program as a plugin, not as a script. */
  const plugin = async (source: string, more: Record<string, unknown> = {}): Promise<JobOutcome> =>
    run(jobFields('j1', { command: await program(`#!/bin/sh\n${source}\n`), ...more }));
  const reported = (): Record<string, unknown> => harness.results.values[0]?.reported ?? {};

  test('gets the job as one line that is followed by the end, with the pid of its process', async () => {
    const outcome = await plugin(
      'read -r line; rest=$(cat)\n' +
        'case "$line" in *"\\"pid\\":$$"*) pid=same;; *) pid=other;; esac\n' +
        'echo "{\\"complete\\":1,\\"description\\":\\"$pid,${#rest}\\"}"',
    );
    expect(outcome).toEqual({ code: 0, description: 'same,0' });
  });

  test('need not read it', async () => {
    const params = { text: 'x'.repeat(500_000) };
    expect(await plugin('exec <&-; echo \'{"complete":1}\'', { params })).toEqual({
      code: 0,
      description: '',
    });
  });

  test('finds variables in the order of the reference, and its arguments', async () => {
    const command = `${await program('#!/bin/sh\necho "$1|$A|$JOB_ID|$SIZE|$TEXT"')} "for $JOB_EVENT_TITLE"`;
    await run(
      jobFields('j1', {
        command,
        env: { A: 'plugin', JOB_ID: 'plugin', SIZE: 'plugin' },
        params: { size: 3, text: 'in $A' },
      }),
    );
    expect(await outputOf(harness, 'j1')).toBe('for Event One|plugin|j1|3|in plugin\n');
  });

  test.each<[string, string, JobOutcome]>([
    ['completes, the exit code is ignored', 'echo \'{"complete":1}\'; exit 9', { code: 0, description: '' }],
    [
      'goes on after completion, and is waited for',
      'echo \'{"complete":1,"code":5,"description":"x"}\'; sleep 0.2; echo \'{"complete":1}\'; echo last',
      { code: 5, description: 'x' },
    ],
    [
      'fails without words',
      'echo \'{"complete":1,"code":5}\'',
      { code: 5, description: 'Unknown Error (no description provided)' },
    ],
    [
      'ends without a word',
      ':',
      { code: 1, description: 'Process exited without reporting job completion.', unknown: 1 },
    ],
    [
      'is killed',
      'kill -KILL $$',
      { code: 1, description: 'Process exited without reporting job completion.', unknown: 1 },
    ],
    [
      'leaves its completion to a background child',
      '(sleep 0.05; echo \'{"complete":1,"description":"late"}\') & exit 0',
      { code: 0, description: 'late' },
    ],
    [
      'reports without a newline',
      'printf \'{"complete":1,"description":"y"}\'',
      { code: 0, description: 'y' },
    ],
    [
      'writes a message in pieces',
      'printf \'{"comp\'; sleep 0.05; printf \'lete":1,"descr\'; sleep 0.05; echo \'iption":"z"}\'',
      { code: 0, description: 'z' },
    ],
  ])('%s', async (_name, source, outcome) => {
    expect(await plugin(source)).toEqual(outcome);
  });

  test('crashes with a code', async () => {
    const { code, description } = await plugin('exit 3');
    expect(code).toBe(3);
    expect(description).toBe(`Child ${harness.results.values[0]?.pid} crashed with code: 3`);
  });

  test.each<[string, Record<string, unknown>, string]>([
    [
      'a missing program',
      { command: '/no/such -x' },
      'Child spawn error: /no/such -x: Command not found: /no/such',
    ],
    [
      'a file that may not be executed',
      { command: '/etc/passwd -x', cwd: '/tmp' },
      'Child spawn error: /etc/passwd -x: Permission denied: /etc/passwd (in /tmp)',
    ],
    [
      'a missing directory',
      { command: 'true', cwd: '/no/such/dir' },
      'Child spawn error: true: Working directory does not exist: /no/such/dir',
    ],
    [
      'an unknown user',
      { command: 'true', uid: 'no-such-user' },
      'Plugin Error: User does not exist: no-such-user',
    ],
    [
      'an unknown group',
      { command: 'true', gid: 'no-such-group' },
      'Plugin Error: Group does not exist: no-such-group',
    ],
  ])('%s', async (_name, more, description) => {
    expect(await run(jobFields('j1', more))).toEqual({ code: 1, description });
    expect(harness.results.values[0]?.pid).toBe(0);
  });

  test('as another user: ids, groups, names and home', async () => {
    if (process.getuid?.() !== 0) return;
    await chmod(directory, 0o755);
    const outcome = await plugin(
      'echo "{\\"complete\\":1,\\"description\\":\\"$(id -u) $(id -G) $USER $USERNAME $HOME\\"}"',
      { uid: 'nobody', gid: 'daemon' },
    );
    const launcher = new NodeProcessLauncher({ scriptDirectory: join(directory, 'unused') });
    const user = await launcher.resolveUser('nobody');
    const group = await launcher.resolveGroup('daemon');
    expect(outcome.description).toBe(`${user?.uid} ${group} nobody nobody ${user?.home}`);
  });

  test('binary output is kept byte for byte', async () => {
    await plugin("printf 'a\\000\\377\\r\\n\\303\\n'; echo '{\"complete\":1}'");
    expect(Buffer.from((await outputOf(harness, 'j1')).slice(0, 3)).toString('hex')).toBe('6100efbfbd');
    expect(harness.results.values[0]?.outcome.code).toBe(0);
  });

  test('a table of 100 MB goes to the log, and the job ends well', async () => {
    const before = process.memoryUsage().rss;
    const outcome = await plugin(
      `printf '{"table":"'; head -c 100000000 /dev/zero | tr '\\0' x; echo '"}'; echo '{"complete":1,"label":"y"}'`,
    );
    expect(outcome).toEqual({
      code: 0,
      description: '',
      warning: 'Messages that were too long and went to the log instead: 1',
    });
    expect(reported()).toEqual({ label: 'y' });
    expect(harness.results.values[0]?.log_file_size).toBeGreaterThan(100_000_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000);
  }, 60_000);

  test('that uses more memory, CPU or time than it may is ended with all it started', async () => {
    const hungry = `${process.execPath} -e "const b = Buffer.alloc(90e6, 1); setInterval(() => b[0]++, 100)"`;
    await harness.dispatch(jobFields('j1', { command: hungry, memory_limit: 80_000_000 }));
    await harness.dispatch(
      shellJob('j2', '#!/bin/sh\nsh -c "while :; do :; done" & wait', { cpu_limit: 20 }),
    );
    await harness.dispatch(shellJob('j3', '#!/bin/sh\nsleep 1000 & wait', { timeout: 1 }));
    await harness.dispatch(shellJob('j4', '#!/bin/sh\nyes', { log_max_size: 1_000_000 }));
    await harness.results.reached(4);
    const reasons = harness.results.values.map(({ job, outcome }) => [
      job,
      outcome.abort,
      outcome.abort_reason,
    ]);
    expect(reasons.sort()).toEqual([
      ['j1', 'memory', 'Exceeded memory limit of 76.2 MB'],
      ['j2', 'cpu', 'Exceeded CPU limit of 20%'],
      ['j3', 'timeout', 'Exceeded maximum run time (1 second)'],
      ['j4', 'log', 'Exceeded log file size limit of 976.5 K'],
    ]);
    const j4 = harness.results.values.find(({ job }) => job === 'j4');
    expect(j4?.log_file_size).toBeLessThan(2_000_000);
    const j3 = harness.results.values.find(({ job }) => job === 'j3');
    expect((j3?.time_end ?? 0) - (j3?.time_start ?? 0)).toBeLessThan(2);
  }, 30_000);
});
