import type { PrimaryMessage, RunReport, WorkerHello, WorkerMessage } from '@carillon/contract';
import {
  type ActiveJob,
  type Cancel,
  type ChannelLink,
  type ClusterChannel,
  isClaimed,
  type LinkHandlers,
  reconcileWorker,
} from '@carillon/core';
import type { OfficeContext } from '../office/context.js';
import type { Dispatcher } from '../launch/dispatcher.js';
import type { JobEnder } from '../completion/job-ender.js';
import type { LogWatch } from '../live/log-watch.js';
import type { Relocation } from './relocation.js';
import { WorkerRecords } from './worker-records.js';
import { type WorkerEntry, WorkerRegistry } from './worker-registry.js';

const reviewEveryMs = 500;

/** Who hears of what workers do. */
export interface WorkforceListener {
  /** A job's live view changed. */
  onJob(job: ActiveJob): void;
  /** A worker joined: there may be room for queued jobs. */
  onRoom(): void;
}

export interface WorkforceDeps {
  office: OfficeContext;
  channel: ClusterChannel;
  dispatcher: Dispatcher;
  ender: JobEnder;
  relocation: Relocation;
  logs: LogWatch;
}

/**
 * Watches the workers: takes their links, hears their beats, and decides what a silence, a restart or a loss
 * means for their jobs.
 */
export class WorkforceService {
  readonly registry: WorkerRegistry;
  readonly #office: OfficeContext;
  readonly #channel: ClusterChannel;
  readonly #dispatcher: Dispatcher;
  readonly #ender: JobEnder;
  readonly #relocation: Relocation;
  readonly #logs: LogWatch;
  readonly #records: WorkerRecords;
  readonly #listener: WorkforceListener;
  #review: Cancel | undefined;

  constructor(deps: WorkforceDeps, listener: WorkforceListener) {
    const { office } = deps;
    this.#office = office;
    this.#channel = deps.channel;
    this.#dispatcher = deps.dispatcher;
    this.#ender = deps.ender;
    this.#relocation = deps.relocation;
    this.#logs = deps.logs;
    this.#records = new WorkerRecords(office);
    this.#listener = listener;
    const { silentAfterMs, deadJobTimeoutMs } = office.settings;
    this.registry = new WorkerRegistry({ silentAfterMs, lostAfterMs: deadJobTimeoutMs });
    const now = office.clock.monotonicMs();
    for (const record of office.state.servers.newestFirst()) this.registry.remember(record, now);
  }

  start(): void {
    this.#channel.accept((link, hello) => this.#join(link, hello));
    this.#review = this.#office.clock.every(reviewEveryMs, () => this.#reviewHealth());
  }

  stop(): void {
    this.#review?.();
    this.#channel.accept(undefined);
    this.#channel.closeLinks('this node is no longer the primary');
  }

  #join(link: ChannelLink<PrimaryMessage>, hello: WorkerHello): LinkHandlers<WorkerMessage> {
    const { clock, log, session } = this.#office;
    const record = this.#records.of(hello);
    const before = this.registry.get(record.id);
    if (before === undefined || before.health !== 'alive') this.#records.note('server_enable', record);
    if (before?.link !== undefined && before.boot !== hello.node.boot) {
      log.log(
        'warn',
        'A worker has the node id of one that is connected: if both run, one data directory is a copy',
        {
          worker: record.id,
          hostnames: [before.record.hostname, record.hostname],
        },
      );
    }
    const entry = this.registry.join(hello, link, record, clock.monotonicMs());
    log.log('info', 'A worker joined', { worker: record.id, hostname: record.hostname });
    link.send({ type: 'welcome', term: session.term });
    this.#records.remember(record);
    this.#listener.onRoom();
    this.#reconcile(entry, hello).catch((error: unknown) => {
      if (session.signal.aborted) return;
      log.log('error', 'The jobs of a worker could not be checked; it is asked to connect again', {
        worker: record.id,
        error: String(error),
      });
      link.close('reconciliation failed');
    });
    return {
      onMessage: (message) => this.#onMessage(entry, message),
      onClose: (reason) => this.#onClose(entry, reason),
    };
  }

  async #reconcile(entry: WorkerEntry, hello: WorkerHello): Promise<void> {
    const { state } = this.#office;
    const jobs = state.jobsOfNode(entry.record.id);
    const findings = reconcileWorker(jobs, hello.node.boot, hello.runs);
    for (const { job, report } of findings.held) {
      this.#applyReport(entry, report);
      this.#logs.onStarted(job);
    }
    for (const stray of findings.strays) {
      entry.link?.send({
        type: 'abort',
        job: stray.job,
        attempt: stray.attempt,
        kind: 'manual',
        reason: 'The job has ended',
      });
    }
    for (const job of findings.orphaned) await this.#ender.endLost(job, entry.record.hostname);
    for (const job of findings.unclear) await this.#clarify(job, entry);
  }

  /** A dispatched run that the worker does not hold: either the ticket is under way, or an earlier boot died with it. */
  async #clarify(job: ActiveJob, entry: WorkerEntry): Promise<void> {
    const { store, session, state, journal } = this.#office;
    const run = { job: job.fields.id, attempt: job.attempt };
    const revocation = await store.revoke(session, run);
    const current = state.jobs.get(run.job);
    if (current?.state !== 'dispatched' || current.attempt !== run.attempt) return;
    if (revocation.kind === 'claimed') {
      if (revocation.boot !== entry.boot) await this.#ender.endLost(current, entry.record.hostname);
      return;
    }
    // A leaving worker takes no tickets, however long it stays.
    if (current.abort !== undefined || entry.draining) {
      await this.#relocation.move(current, entry.record.hostname);
      return;
    }
    await journal.commit([
      { type: 'job', job: current },
      { type: 'dispatch', run, node: current.node },
    ]);
    this.#dispatcher.send(current);
  }

  #onMessage(entry: WorkerEntry, message: WorkerMessage): void {
    entry.heardAtMs = this.#office.clock.monotonicMs();
    switch (message.type) {
      case 'hello':
        entry.link?.close('a second hello on one connection');
        return;
      case 'beat':
        entry.cpu = message.cpu;
        entry.mem = message.mem;
        for (const report of message.runs) this.#applyReport(entry, report);
        return;
      case 'run':
        this.#applyReport(entry, message.run);
        return;
      case 'log':
        this.#logs.onLog(message);
        return;
      case 'draining':
        entry.draining = true;
        this.#release(entry);
        return;
      case 'settled':
        return;
    }
  }

  #applyReport(entry: WorkerEntry, report: RunReport): void {
    const { state } = this.#office;
    const before = state.jobs.get(report.job);
    if (before === undefined || before.node !== entry.record.id) return;
    const job = state.applyReport(report, entry.boot ?? '');
    if (job === undefined) return;
    this.#listener.onJob(job);
    // Hints are lossy: what was asked for while the run was under way, or its worker was away, is said again.
    this.sendAbort(job);
    if (isClaimed(before)) return;
    this.#office.meter.onStarted(job);
    if (job.updates !== undefined) this.sendUpdate(job, job.updates);
    this.#logs.onStarted(job);
  }

  /** Tells the worker of a job to end it; a hint, repeated whenever the worker reports the run anew. */
  sendAbort(job: ActiveJob): void {
    if (job.abort === undefined) return;
    const run = { job: job.fields.id, attempt: job.attempt };
    this.registry
      .get(job.node)
      ?.link?.send({ type: 'abort', ...run, kind: job.abort.kind, reason: job.abort.reason });
  }

  /** Tells the worker of a job about changed settings; the stored job carries them as well. */
  sendUpdate(job: ActiveJob, settings: Readonly<Record<string, unknown>>): void {
    const run = { job: job.fields.id, attempt: job.attempt };
    this.registry.get(job.node)?.link?.send({ type: 'update', ...run, settings: { ...settings } });
  }

  #onClose(entry: WorkerEntry, reason: string): void {
    const { log, session } = this.#office;
    if (this.registry.get(entry.record.id) !== entry) return;
    entry.link = undefined;
    if (session.signal.aborted) return;
    const { id: worker, hostname } = entry.record;
    log.log('info', 'A worker disconnected', { worker, hostname, reason });
    if (entry.draining) this.#release(entry);
  }

  #reviewHealth(): void {
    for (const entry of this.registry.review(this.#office.clock.monotonicMs())) {
      const { id, hostname } = entry.record;
      const level = entry.health === 'alive' ? 'info' : 'warn';
      this.#office.log.log(level, `A worker is ${entry.health}`, { worker: id, hostname });
      for (const job of this.#office.state.jobsOfNode(id)) this.#markSilent(job, entry.health !== 'alive');
      if (entry.health !== 'lost') {
        this.#records.note(entry.health === 'alive' ? 'server_enable' : 'server_disable', entry.record);
      }
      if (entry.health === 'lost') void this.#lose(entry);
    }
  }

  #markSilent({ fields, state: before }: ActiveJob, silent: boolean): void {
    this.#office.state.markSilent(fields.id, silent);
    const job = this.#office.state.jobs.get(fields.id);
    if (job !== undefined && job.state !== before) this.#listener.onJob(job);
  }

  /** Ends the jobs of a worker that is gone for good and forgets the worker; it may come back as new. */
  async #lose(entry: WorkerEntry): Promise<void> {
    const { state, log, session } = this.#office;
    const hostname = entry.record.hostname;
    try {
      for (const job of state.jobsOfNode(entry.record.id)) {
        // It may come back while the jobs before this one are being ended, and holds the others still.
        if (this.registry.get(entry.record.id) !== entry || entry.health !== 'lost') return;
        if (job.state === 'dispatched') await this.#loseDispatched(job, hostname);
        // The next attempt of a failed job is not bound to this server.
        else if (job.state !== 'waiting' || job.attempt === 1) await this.#ender.endLost(job, hostname);
      }
      if (this.registry.get(entry.record.id) === entry && entry.health === 'lost') this.forget(entry);
    } catch (error) {
      if (session.signal.aborted) return;
      // The next review finds it lost once more, so that no job stays behind.
      entry.health = 'silent';
      log.log('error', 'The jobs of a lost worker could not be ended', {
        worker: entry.record.id,
        hostname,
        error: String(error),
      });
    }
  }

  async #loseDispatched(job: ActiveJob, hostname: string): Promise<void> {
    if ((await this.#relocation.move(job, hostname)) === 'claimed') await this.#ender.endLost(job, hostname);
  }

  /** A leaving worker starts nothing more: what it has not claimed goes elsewhere. */
  #release(entry: WorkerEntry): void {
    const { id, hostname } = entry.record;
    this.#relocation.release(id, hostname).then(
      () => this.#forgetIfGone(entry),
      (error: unknown) => {
        if (this.#office.session.signal.aborted) return;
        const reason = 'Jobs of a leaving worker could not be moved; it is asked to connect again';
        this.#office.log.log('warn', reason, { worker: id, hostname, error: String(error) });
        entry.link?.close('its jobs could not be moved');
      },
    );
  }

  #forgetIfGone(entry: WorkerEntry): void {
    if (this.registry.get(entry.record.id) !== entry || entry.link !== undefined) return;
    if (this.#hasJobs(entry)) return;
    this.#records.note('server_disable', entry.record);
    this.forget(entry);
  }

  #hasJobs(entry: WorkerEntry): boolean {
    return this.#office.state.countJobsOfNode(entry.record.id) > 0;
  }

  /** Takes a worker without jobs off the records; it may come back as new. */
  forget(entry: WorkerEntry): void {
    const { journal, queue } = this.#office;
    const id = entry.record.id;
    this.registry.remove(id);
    // Not before it is certain that this node may decide so: the worker may be at work for the next primary.
    journal
      .commit([{ type: 'delete', table: 'servers', id }])
      .then(() => queue.discardTickets(id))
      .catch(() => undefined);
  }
}
