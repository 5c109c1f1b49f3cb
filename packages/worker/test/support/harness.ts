import { gunzipSync } from 'node:zlib';
import type { JobFields, JobResult, PrimaryMessage, WorkerHello, WorkerMessage } from '@carillon/contract';
import {
  AllowListSanitizer,
  MemoryChannel,
  MemoryJobLog,
  MemoryJobQueue,
  MemoryLease,
  MemoryLeaseBoard,
  MemoryLogArchive,
  MemoryLogger,
  MemoryResultSpool,
} from '@carillon/adapters';
import type { ChannelLink, LogArchive } from '@carillon/core';
import { Collector, FakeClock, ScriptedDetached, ScriptedLauncher, SeededRandom } from '@carillon/testkit';
import { createWorker, type Worker, type WorkerDeps, type WorkerSettings } from '@carillon/worker';
import { FakeClaims } from './fake-claims.js';

export const primaryUrl = 'http://primary:3012';
export const startMs = Date.UTC(2024, 0, 2, 3, 4, 5);

/** A job of a plugin; `more` changes it. */
export const jobFields = (id: string, more: Record<string, unknown> = {}): JobFields => ({
  id,
  event: 'e1',
  event_title: 'Event One',
  category: 'general',
  category_title: 'General',
  plugin: 'p1',
  plugin_title: 'Plugin',
  nice_target: 'box',
  target: 'box',
  params: {},
  command: '/opt/plugin --id $JOB_ID',
  now: 1_704_164_640,
  hostname: 'box.local',
  ...more,
});

/** A shell job. */
export const shellJob = (id: string, script: string, more: Record<string, unknown> = {}): JobFields =>
  jobFields(id, { command: 'builtin:shell', params: { script }, ...more });

export const workerSettings = (more: Partial<WorkerSettings> = {}): WorkerSettings => ({
  node: {
    id: 'n1',
    hostname: 'box.local',
    ip: '10.0.0.1',
    groups: ['web'],
    master: 0,
    slots: 4,
    version: '1.2.3',
  },
  process: { pid: 77, uid: 0 },
  environment: { PATH: '/usr/bin:/bin', CARILLON_CLUSTER_SECRET: 'secret' },
  hiddenVariables: [],
  workDirectory: '/jobs',
  builtins: new Map([['url', { file: '/node', args: ['url.js'] }]]),
  killTimeoutMs: 10_000,
  sampleIntervalMs: 1000,
  limits: {
    memoryBytes: 0,
    memorySustainSec: 0,
    cpuPercent: 0,
    cpuSustainSec: 0,
    cpuGraceSec: 0,
    logBytes: 0,
  },
  expireDays: 180,
  zone: 'UTC',
  reportGraceMs: 5000,
  ...more,
});

/** An archive that can be away, and remembers the order of what it was told. */
export class TestArchive implements LogArchive {
  readonly #inner: MemoryLogArchive;
  readonly expireSec = new Map<string, number>();
  away = false;

  constructor(clock: FakeClock) {
    this.#inner = new MemoryLogArchive(clock);
  }

  async put(job: string, chunks: AsyncIterable<Uint8Array>, expireSec: number): Promise<void> {
    if (this.away) throw new Error('the archive is away');
    this.expireSec.set(job, expireSec);
    await this.#inner.put(job, chunks, expireSec);
  }

  get(job: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    return this.#inner.get(job);
  }

  remove(job: string): Promise<void> {
    return this.#inner.remove(job);
  }

  keepUntil(job: string, untilSec: number): Promise<void> {
    return this.#inner.keepUntil(job, untilSec);
  }

  sweep(limit: number): Promise<number> {
    return this.#inner.sweep(limit);
  }

  /** An archived log as text. */
  async text(job: string): Promise<string | undefined> {
    const chunks = await this.#inner.get(job);
    if (chunks === undefined) return undefined;
    const parts: Uint8Array[] = [];
    for await (const chunk of chunks) parts.push(chunk);
    return gunzipSync(Buffer.concat(parts)).toString();
  }
}

/** What a test primary has seen of its workers. */
export class TestPrimary {
  readonly hellos = new Collector<WorkerHello>();
  readonly messages = new Collector<WorkerMessage>();
  readonly closings = new Collector<string>();
  link: ChannelLink<PrimaryMessage> | undefined;

  accept(channel: MemoryChannel, url = primaryUrl): void {
    channel.node(url).accept((link, hello) => {
      this.link = link;
      this.hellos.add(hello);
      link.send({ type: 'welcome', term: 1 });
      return {
        onMessage: (message) => this.messages.add(message),
        onClose: (reason) => this.closings.add(reason),
      };
    });
  }

  send(message: PrimaryMessage): void {
    this.link?.send(message);
  }

  ofType<T extends WorkerMessage['type']>(type: T): Extract<WorkerMessage, { type: T }>[] {
    return this.messages.values.filter(
      (message): message is Extract<WorkerMessage, { type: T }> => message.type === type,
    );
  }
}

/** A worker on memory adapters, with a clock moved by hand. */
export class Harness {
  readonly clock = new FakeClock(startMs);
  readonly logger = new MemoryLogger();
  readonly launcher = new ScriptedLauncher();
  readonly detached = new ScriptedDetached();
  readonly logs = new MemoryJobLog();
  readonly archive = new TestArchive(this.clock);
  readonly spool = new MemoryResultSpool();
  readonly queue = new MemoryJobQueue({ clock: this.clock });
  readonly claims = new FakeClaims();
  readonly board = new MemoryLeaseBoard(this.clock);
  readonly lease = new MemoryLease(this.board);
  readonly channel = new MemoryChannel();
  readonly primary = new TestPrimary();
  readonly results = new Collector<JobResult>();
  /** What the next calls of addResult do instead. */
  readonly resultFailures: Error[] = [];
  /** True: addResult always fails. */
  resultsAway = false;
  readonly settings: WorkerSettings;
  #worker: Worker | undefined;
  #boots = 0;

  constructor(settings: Partial<WorkerSettings> = {}) {
    this.settings = workerSettings(settings);
  }

  get worker(): Worker {
    this.#worker ??= this.newWorker();
    return this.#worker;
  }

  /** A worker on the same adapters, as after a restart of the process. */
  newWorker(more: Partial<WorkerDeps> = {}): Worker {
    this.#boots += 1;
    this.#worker = createWorker(
      {
        clock: this.clock,
        random: new SeededRandom(this.#boots),
        logger: this.logger,
        launcher: this.launcher,
        detached: this.detached.open(),
        sampler: this.launcher,
        logs: this.logs,
        archive: this.archive,
        spool: this.spool,
        sanitizer: new AllowListSanitizer(),
        tickets: this.queue,
        results: { addResult: (result) => this.#addResult(result) },
        claims: this.claims,
        lease: this.lease,
        channel: this.channel,
        ...more,
      },
      this.settings,
    );
    return this.#worker;
  }

  /** Makes somebody the primary, who takes links. */
  async elect(url = primaryUrl, primary = this.primary): Promise<void> {
    primary.accept(this.channel, url);
    await this.lease.acquire(url, { id: url, hostname: url, url }, 3_600_000);
    await this.settle();
  }

  /** Dispatches a job to the worker. */
  async dispatch(job: JobFields, attempt = 1): Promise<void> {
    this.claims.dispatch({ job: job.id, attempt }, job);
    await this.queue.addTicket(this.settings.node.id, { job: job.id, attempt, term: 1 });
  }

  /** Lets all chains of promises run. */
  settle(): Promise<void> {
    return this.clock.advanceSettling(0);
  }

  async #addResult(result: JobResult): Promise<void> {
    const failure = this.resultFailures.shift();
    if (failure !== undefined) throw failure;
    if (this.resultsAway) throw new Error('the queue is away');
    this.results.add(structuredClone(result));
  }
}
