import { readdirSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createProcessSampler } from '@carillon/adapters';
import type { JobFields } from '@carillon/contract';
import type { Worker } from '@carillon/worker';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Harness, jobFields, shellJob } from './support/harness.js';
import { openRealWorker, outputOf } from './support/real-worker.js';

/** Real processes, files and time; memory for what would be Redis and the network. */
describe('with real processes', () => {
  let harness: Harness;
  let directory: string;
  let worker: Worker;
  let close: () => Promise<void>;
  beforeEach(async () => {
    ({ harness, directory, worker, close } = await openRealWorker());
  });
  afterEach(() => close());

  const runAll = async (...jobs: JobFields[]): Promise<void> => {
    for (const job of jobs) await harness.dispatch(job);
    await harness.results.reached(jobs.length);
  };
  const output = (job: string): Promise<string> => outputOf(harness, job);

  test('fifty scripts: each output in its log, each result once, nothing left on disk', async () => {
    const jobs = Array.from({ length: 50 }, (_, n) =>
      shellJob(`j${n}`, `#!/bin/sh\necho "out $JOB_ID"\necho err ${n} >&2`),
    );
    await runAll(...jobs);
    const ids = harness.results.values.map((result) => result.job);
    expect(new Set(ids).size).toBe(50);
    expect(ids.length).toBe(50);
    for (const [n, { id }] of jobs.entries()) {
      expect((await output(id)).split('\n').sort()).toEqual(['', `err ${n}`, `out ${id}`]);
    }
    await worker.stop();
    for (const folder of ['scripts', 'logs', 'spool'])
      expect(await readdir(join(directory, folder))).toEqual([]);
  });

  test.each<[string, string, unknown, string]>([
    ['without #! line', 'echo plain', { code: 0, description: '' }, 'plain\n'],
    ['last line unterminated', "#!/bin/sh\nprintf 'a\\n\\nb'", { code: 0, description: '' }, 'a\n\nb\n'],
    [
      'failing with a reason',
      '#!/bin/sh\necho before; echo "cannot do it" >&2; exit 7',
      { code: 7, description: 'Script exited with code: 7: cannot do it' },
      '',
    ],
    [
      'killed by a signal',
      '#!/bin/sh\nkill -KILL $$',
      { code: 'SIGKILL', description: 'Script exited with code: SIGKILL' },
      '',
    ],
    ['with progress', "#!/bin/sh\necho '50%'; echo text", { code: 0, description: '' }, 'text\n'],
    ['reading the job', '#!/bin/sh\ngrep -o \'"id":"j1"\'', { code: 0, description: '' }, '"id":"j1"\n'],
    [
      'in the working directory',
      '#!/bin/sh\n[ "$PWD" = "$(pwd)" ] && echo same',
      { code: 0, description: '' },
      'same\n',
    ],
    [
      'with a daemon that stays behind',
      '#!/bin/sh\nsleep 1000 & echo "pid $!" >/dev/null; echo gone',
      { code: 0, description: '' },
      'gone\n',
    ],
  ])('a script %s', async (_name, script, outcome, text) => {
    await runAll(shellJob('j1', script));
    expect(harness.results.values[0]?.outcome).toEqual(outcome);
    if (text !== '') expect(await output('j1')).toBe(text);
    const pid = harness.results.values[0]?.pid ?? 0;
    try {
      // What a test left behind on purpose.
      if (_name.includes('stays behind')) process.kill(-pid, 'SIGKILL');
    } catch {
      // Nothing was.
    }
  });

  test('a plugin speaks JSON', async () => {
    const code = "console.log(JSON.stringify({progress:1,complete:1,code:0,description:'done',perf:'a=1'}))";
    const command = `${process.execPath} -e "${code}"`;
    await runAll(jobFields('j1', { command }));
    expect(harness.results.values[0]).toMatchObject({
      outcome: { code: 0, description: 'done' },
      reported: { progress: 1, perf: 'a=1' },
    });
  });

  test('a missing interpreter is a clear outcome', async () => {
    await runAll(shellJob('j1', '#!/no/such/interpreter\nx'));
    expect(harness.results.values[0]?.outcome).toEqual({
      code: 1,
      description: 'Script failed: Interpreter not found: /no/such/interpreter',
    });
  });

  test('an abort ends the whole tree', async () => {
    const script = '#!/bin/sh\nsleep 1000 & sleep 1000 & setsid sleep 1000 &\necho 50%; wait';
    await harness.dispatch(shellJob('j1', script));
    // Started, and its progress: by then the children exist.
    await harness.primary.messages.reached(2);
    const [notice] = harness.primary.ofType('run');
    harness.primary.send({ type: 'abort', job: 'j1', attempt: 1, kind: 'manual', reason: 'enough' });
    await harness.results.reached(1);
    expect(harness.results.values[0]?.outcome).toEqual({
      code: 1,
      description: 'Job Aborted: enough',
      abort_reason: 'enough',
      abort: 'manual',
    });
    expect(await createProcessSampler().sample([notice?.run.pid ?? 0])).toEqual(new Map());
    // Fails by running out of time when something of the tree lives on.
    const isThere = (pid: number): boolean => isMarked(pid, `n${process.pid}:j1-1`);
    while (processIds().some(isThere)) await new Promise((resolve) => setImmediate(resolve));
  });

  test('200 MB of output arrive whole, without being held in memory', async () => {
    const before = process.memoryUsage().rss;
    let peak = 0;
    const look = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().rss - before);
    }, 5);
    const line = 'x'.repeat(99);
    await runAll(shellJob('j1', `#!/bin/sh\nyes ${line} | head -n 2000000; echo end`));
    clearInterval(look);
    expect(harness.results.values[0]?.log_file_size).toBeGreaterThan(200_000_000);
    expect(peak).toBeLessThan(130_000_000);
    const text = await output('j1');
    expect(text.length).toBe(200_000_004);
    expect(text.endsWith(`${line}\nend\n`)).toBe(true);
  }, 60_000);
});

function processIds(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

/** True for a living process of this run: a zombie has no environment any more. */
function isMarked(pid: number, marker: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`CARILLON_RUN=${marker}`);
  } catch {
    return false;
  }
}
