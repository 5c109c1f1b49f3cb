import { mkdtemp, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  createProcessSampler,
  FileJobLog,
  FileResultSpool,
  MemoryLogger,
  NodeProcessLauncher,
  SystemClock,
} from '@carillon/adapters';
import type { JobResult } from '@carillon/contract';
import { Harness, jobFields, workerSettings } from './harness.js';

export const exampleDirectory = fileURLToPath(new URL('../../../../examples/plugins', import.meta.url));

/** Runs programs as jobs of a real worker: real processes, files and time. */
export class ExampleJobs {
  /** Of this run alone; `plugins` in it leads to the examples. */
  readonly directory: string;
  readonly #harness: Harness;
  readonly #stop: () => Promise<void>;
  #started = 0;

  private constructor(directory: string, harness: Harness, stop: () => Promise<void>) {
    this.directory = directory;
    this.#harness = harness;
    this.#stop = stop;
  }

  static async open(): Promise<ExampleJobs> {
    const directory = await realpath(await mkdtemp(join(tmpdir(), 'carillon-examples-')));
    // A command ends at the first space: the checkout may be anywhere.
    await symlink(exampleDirectory, join(directory, 'plugins'));
    const harness = new Harness({
      node: { ...workerSettings().node, id: `x${process.pid}` },
      process: { pid: process.pid, uid: process.getuid?.() ?? -1 },
      environment: process.env,
      workDirectory: directory,
    });
    const worker = harness.newWorker({
      clock: new SystemClock(),
      launcher: new NodeProcessLauncher({ scriptDirectory: join(directory, 'scripts') }),
      sampler: createProcessSampler(),
      logs: new FileJobLog(join(directory, 'logs')),
      spool: new FileResultSpool(join(directory, 'spool'), new MemoryLogger()),
    });
    await harness.elect();
    await worker.start();
    return new ExampleJobs(directory, harness, () => worker.stop());
  }

  async close(): Promise<void> {
    await this.#stop();
    await rm(this.directory, { recursive: true });
  }

  /** Starts a program of the examples, or one with an absolute path; answers the id of the job. */
  async start(program: string, params: object, env: Record<string, string> = {}): Promise<string> {
    this.#started += 1;
    const id = `j${this.#started}`;
    await this.#harness.dispatch(jobFields(id, { command: this.pathOf(program), params, env }));
    return id;
  }

  pathOf(program: string): string {
    return program.startsWith('/') ? program : join(this.directory, 'plugins', program);
  }

  /** The result of the job started last, when it is there. */
  async ended(): Promise<JobResult> {
    await this.#harness.results.reached(this.#started);
    const result = this.#harness.results.values[this.#started - 1];
    if (result === undefined) throw new Error('there is no result');
    return result;
  }

  async run(program: string, params: object, env?: Record<string, string>): Promise<JobResult> {
    await this.start(program, params, env);
    return this.ended();
  }

  async log(result: JobResult): Promise<string> {
    return (await this.#harness.archive.text(result.job)) ?? '';
  }

  /** Until the primary has heard that a job got that far. */
  async heard(job: string, progress: number): Promise<void> {
    const { primary } = this.#harness;
    const isTold = (): boolean =>
      primary.ofType('run').some(({ run }) => run.job === job && run.progress === progress);
    while (!isTold()) await primary.messages.reached(primary.messages.values.length + 1);
  }

  abort(job: string): void {
    this.#harness.primary.send({ type: 'abort', job, attempt: 1, kind: 'manual', reason: 'enough' });
  }
}
