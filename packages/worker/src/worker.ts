import type { PrimaryMessage, WorkerHello, WorkerMessage } from '@carillon/contract';
import { type Cancel, type Consumer, scrubEnvironment } from '@carillon/core';
import { DetachedRuns } from './detached/detached-runs.js';
import { LogStreams } from './link/log-streams.js';
import { PrimaryLink } from './link/primary-link.js';
import { ProgressNotices } from './progress.js';
import { AbortService } from './run/abort.js';
import { createTicketHandler } from './run/claim.js';
import { LimitWatch } from './run/limits.js';
import { isDetachedJob } from './run/prepare.js';
import { ResultReporter } from './run/report.js';
import { RunTable } from './run/run-table.js';
import { Runner } from './run/runner.js';
import { Sampling } from './sampling.js';
import type { WorkerDeps, WorkerSettings } from './settings.js';

/** Text of behaviour reference 5.10. */
const shutdownReason = 'Shutting down server';
const secondsPerDay = 86_400;
/** Beyond the kill timeout, for processes to vanish and logs to be closed. */
const settleMs = 3000;

/** The data plane of one node. */
export interface Worker {
  /** New for every instance. */
  readonly boot: string;
  /** Runs held: claimed, and their result not yet handed in. */
  readonly runCount: number;
  /** True while there is a link to the primary. */
  readonly isConnected: boolean;
  /**
   * Goes on with the detached runs of earlier boots, hands in what they left behind (this waits for the store as long as it takes), then takes tickets
   * and connects to the primary.
   */
  start(): Promise<void>;
  /**
   * Takes no more tickets and ends when the last run has, detached ones included, however long that takes; before
   * `start` has been through it takes none at all. A drain cuts it short.
   */
  retire(): Promise<void>;
  /**
   * Takes no more tickets, lets running jobs finish for `graceMs`, aborts the rest, hands in all results and
   * closes the link. Detached jobs are neither waited for nor aborted: the next boot goes on with them. A second call can only shorten the grace. Results that cannot be handed in stay in the spool.
   */
  drain(graceMs: number): Promise<void>;
  /** `drain(0)`. */
  stop(): Promise<void>;
}

/** Builds a worker; nothing runs before `start`. */
export function createWorker(deps: WorkerDeps, settings: WorkerSettings): Worker {
  return new WorkerService(deps, settings);
}

class WorkerService implements Worker {
  readonly boot: string;
  readonly #deps: WorkerDeps;
  readonly #settings: WorkerSettings;
  readonly #runs = new RunTable();
  readonly #link: PrimaryLink;
  readonly #streams: LogStreams;
  readonly #progress: ProgressNotices;
  readonly #aborts: AbortService;
  readonly #detached: DetachedRuns;
  readonly #limits: LimitWatch;
  readonly #reporter: ResultReporter;
  readonly #runner: Runner;
  readonly #sampling: Sampling;
  #consumer: Consumer | undefined;
  #started: Promise<void> | undefined;
  #isRetired = false;
  #drained: Promise<void> | undefined;
  /** The grace of a drain is over: what is claimed now is not started any more. */
  #isOver = false;
  /** Nothing is left to wait for. */
  #isEnded = false;
  readonly #cancelDeadlines: Cancel[] = [];
  /** Some run has not ended although it was killed: the drain must end all the same. */
  #overdue: () => void = () => undefined;
  readonly #whenOverdue: Promise<void>;

  constructor(deps: WorkerDeps, settings: WorkerSettings) {
    const { clock, logger, logs } = deps;
    const runs = this.#runs;
    this.#deps = deps;
    this.#settings = settings;
    this.boot = deps.random.hex(8);
    this.#whenOverdue = new Promise((resolve) => {
      this.#overdue = resolve;
    });
    const send = (message: WorkerMessage): void => this.#link.send(message);
    this.#link = new PrimaryLink({
      ...deps,
      hello: () => this.#hello(),
      beat: () => this.#beat(),
      onMessage: (message) => this.#onMessage(message),
      onDown: () => this.#streams.clear(),
    });
    this.#streams = new LogStreams({ clock, logger, logs, runs, send });
    this.#progress = new ProgressNotices(clock, send);
    this.#aborts = new AbortService({
      ...deps,
      node: settings.node.id,
      killTimeoutMs: settings.killTimeoutMs,
      onRequested: (run) => this.#detached.onChanged(run),
    });
    this.#limits = new LimitWatch({ clock, aborts: this.#aborts, defaults: settings.limits });
    this.#detached = new DetachedRuns({
      ...deps,
      runs,
      zone: settings.zone,
      resume: (run, process, output) => this.#runner.resume(run, process, output),
    });
    this.#reporter = new ResultReporter({ ...deps, onSpooled: (result) => this.#detached.remove(result) });
    this.#sampling = new Sampling({
      ...deps,
      runs,
      pid: settings.process.pid,
      intervalMs: settings.sampleIntervalMs,
      onSample: (run, sample) => this.#limits.onSample(run, sample),
    });
    this.#runner = this.#createRunner(send);
  }

  get runCount(): number {
    return this.#runs.size;
  }

  get isConnected(): boolean {
    return this.#link.isUp;
  }

  start(): Promise<void> {
    this.#started ??= this.#start();
    return this.#started;
  }

  async retire(): Promise<void> {
    this.#isRetired = true;
    await this.#started;
    this.#link.send({ type: 'draining' });
    await this.#consumer?.close();
    await this.#runs.empty();
    await this.drain(0);
  }

  #createRunner(send: (message: WorkerMessage) => void): Runner {
    const settings = this.#settings;
    return new Runner({
      ports: this.#deps,
      settings,
      environment: scrubEnvironment(settings.environment, settings.hiddenVariables),
      runs: this.#runs,
      aborts: this.#aborts,
      detached: this.#detached,
      reporter: this.#reporter,
      onStarted: (run) => {
        this.#limits.start(run);
        send({ type: 'run', run: run.report() });
      },
      onOutput: (run) => {
        this.#limits.onOutput(run);
        this.#progress.onOutput(run);
        this.#streams.onOutput(run);
        this.#detached.onOutput(run);
      },
      onLogEnded: (run) => this.#streams.finish(run),
      onEnded: (run, reported) => {
        this.#limits.end(run);
        this.#progress.onEnded(run);
        if (reported) void this.#detached.remove(run.ref);
        if (reported) send({ type: 'settled', ...run.ref });
      },
    });
  }

  async #start(): Promise<void> {
    // Before hello: the primary takes runs that a new boot does not hold for lost, unless their result is there.
    await this.#detached.adoptAll();
    const expireSec = this.#settings.expireDays * secondsPerDay;
    const isHeld = (job: string): boolean => this.#runs.ofJob(job) !== undefined;
    await this.#reporter.replay(expireSec, isHeld);
    await this.#reporter.buryLostRuns(this.#settings.node.id, expireSec, isHeld);
    if (this.#drained !== undefined) return;
    if (!this.#isRetired) this.#consumer = this.#consume();
    this.#sampling.start();
    this.#link.start();
  }

  #consume(): Consumer {
    const { claims, random, logger, tickets } = this.#deps;
    const node = this.#settings.node.id;
    const handler = createTicketHandler({
      claims,
      random,
      logger,
      runs: this.#runs,
      node,
      boot: this.boot,
      start: (run) => {
        if (this.#isOver && !isDetachedJob(run.job)) {
          this.#aborts.request(run, 'shutdown', shutdownReason);
        }
        return this.#runner.start(run);
      },
    });
    return tickets.consumeTickets(node, handler);
  }

  drain(graceMs: number): Promise<void> {
    if (!this.#isEnded) this.#abortAfter(graceMs);
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  stop(): Promise<void> {
    return this.drain(0);
  }

  async #drain(): Promise<void> {
    this.#link.send({ type: 'draining' });
    this.#deps.logger.log('info', 'The worker takes no more jobs', { runs: this.#runs.size });
    await this.#consumer?.close();
    await Promise.race([this.#runs.empty((run) => this.#detached.mayLeave(run)), this.#whenOverdue]);
    for (const run of await this.#detached.leave()) {
      this.#limits.end(run);
      this.#progress.onEnded(run);
      this.#runs.delete(run);
    }
    // One may have ended, or been aborted, in that moment.
    await Promise.race([this.#runs.empty(), this.#whenOverdue]);
    this.#isEnded = true;
    for (const cancel of this.#cancelDeadlines.splice(0)) cancel();
    this.#reporter.stop();
    this.#sampling.stop();
    this.#streams.clear();
    await this.#link.stop('the worker is shutting down');
  }

  /** Aborts what runs after the grace, and bounds the time until everything is handed in. */
  #abortAfter(graceMs: number): void {
    const { clock } = this.#deps;
    const { killTimeoutMs, reportGraceMs } = this.#settings;
    const abortAll = (): void => {
      this.#isOver = true;
      const attached = this.#runs.all().filter((run) => !isDetachedJob(run.job));
      for (const run of attached) this.#aborts.request(run, 'shutdown', shutdownReason);
    };
    if (graceMs <= 0) abortAll();
    else this.#cancelDeadlines.push(clock.after(graceMs, abortAll));
    const endMs = Math.max(0, graceMs) + killTimeoutMs + settleMs;
    this.#cancelDeadlines.push(
      clock.after(endMs + reportGraceMs, () => this.#reporter.stop()),
      clock.after(endMs + reportGraceMs + settleMs, () => this.#overdue()),
    );
  }

  #hello(): WorkerHello {
    const runs = this.#runs.all().map((run) => run.report());
    const node = { ...this.#settings.node, boot: this.boot };
    return { type: 'hello', node, runs, draining: this.#isRetired || this.#drained !== undefined };
  }

  #beat(): WorkerMessage {
    const changed = this.#runs.all().filter((run) => run.hasNews());
    return { type: 'beat', ...this.#sampling.load, runs: changed.map((run) => run.report()) };
  }

  #update(message: Extract<PrimaryMessage, { type: 'update' }>): void {
    const run = this.#runs.get(message);
    if (run === undefined) return;
    run.update(message.settings);
    this.#limits.onUpdate(run);
    this.#detached.onChanged(run);
  }

  #onMessage(message: PrimaryMessage): void {
    switch (message.type) {
      case 'welcome':
        this.#deps.logger.log('info', 'Connected to the primary', { term: message.term });
        return;
      case 'abort': {
        const run = this.#runs.get(message);
        if (run !== undefined) this.#aborts.request(run, message.kind, message.reason);
        return;
      }
      case 'update':
        this.#update(message);
        return;
      case 'watch':
        this.#streams.watch(message.job, message.offset);
        return;
      case 'unwatch':
        this.#streams.unwatch(message.job);
        return;
      case 'drain':
        this.#deps.onDrainRequested?.(message);
    }
  }
}
