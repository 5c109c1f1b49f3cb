import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { type CarillonClient, createClient } from '@carillon/client';
import { type EventWrite, floorMinute, type RunRecords } from '../checker/index.js';
import { type FaultyCluster, JobRecords } from '../cluster/index.js';
import { CommitWatch } from './commit-watch.js';
import { excusesOf, gatherEnded } from './gather.js';
import { injectFault } from './inject-fault.js';
import { readLines } from './job-script.js';
import { Lane } from './lane.js';
import { Ledger } from './ledger.js';
import { type Fault, pauseBefore, planFaults } from './plan-faults.js';
import { soakEvents } from './schedule.js';

/** A fault that was injected. */
export interface InjectedFault extends Fault {
  /** Seconds since the start of the run. */
  atSec: number;
}

/** Time from the loss of a leader to the next one that serves, for faults that end a term. */
export interface Failover {
  kind: Fault['kind'];
  ms: number;
}

export interface SoakRunOptions {
  seed: number;
  durationMs: number;
  /** Scheduled events of each kind. */
  each: number;
  lanes: number;
  tell: (line: string) => void;
}

/** Jobs that have not ended by then have no end: enough for a machine that does much else. */
const drainLimitMs = 300_000;
/** Calls of the lanes give up soon, because what is in doubt is a finding too; the verdict waits for its answers. */
const patienceMs = { lanes: 30_000, verdict: 300_000 };

/** Clients and faults at work on one cluster, and the records they leave. */
export class SoakRun {
  readonly ledger = new Ledger();
  readonly faults: InjectedFault[] = [];
  readonly failovers: Failover[] = [];
  readonly #cluster: FaultyCluster;
  readonly #options: SoakRunOptions;
  readonly #clients: CarillonClient[] = [];
  readonly #records: JobRecords;
  readonly #startedMs = Date.now();

  constructor(cluster: FaultyCluster, options: SoakRunOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.#records = new JobRecords(cluster.cluster.directory, 'soak');
  }

  /** Creates the events, works and injects faults for the time given, lets everything end, and answers the records. */
  async run(): Promise<RunRecords & { commits: number; terms: number }> {
    const watch = await CommitWatch.start(this.#cluster.cluster.redis);
    try {
      const lanes = await this.#prepareLanes();
      const over = new AbortController();
      const timer = setTimeout(() => over.abort(), this.#options.durationMs);
      try {
        await Promise.all([...lanes.map((lane) => lane.work(over.signal)), this.#injectFaults(over.signal)]);
      } finally {
        clearTimeout(timer);
        over.abort();
      }
      this.#options.tell('The faults are over; waiting for the end of all jobs');
      return await this.#settle(watch);
    } finally {
      watch.close();
      this.#records.close();
      for (const client of this.#clients) client.close();
    }
  }

  async #prepareLanes(): Promise<Lane[]> {
    const { seed, each, lanes } = this.#options;
    const events = soakEvents(this.#records.path, each);
    const made: Lane[] = [];
    for (let n = 0; n < lanes; n += 1) {
      const own = events.filter((_event, index) => index % lanes === n);
      const lane = new Lane(`l${n}`, seed + n, this.#newClient(patienceMs.lanes), this.ledger, own);
      await lane.prepare();
      made.push(lane);
    }
    return made;
  }

  async #injectFaults(signal: AbortSignal): Promise<void> {
    const pause = (ms: number): Promise<unknown> => delay(ms, undefined, { signal }).catch(() => undefined);
    for (const fault of planFaults(this.#options.seed)) {
      await pause(pauseBefore(fault, Date.now()));
      if (signal.aborted) return;
      const atSec = (Date.now() - this.#startedMs) / 1000;
      this.faults.push({ ...fault, atSec });
      this.#options.tell(`${atSec.toFixed(1)} s: ${fault.kind} for ${fault.lastsMs} ms`);
      this.#measureFailover(fault);
      const undo = await injectFault(this.#cluster, fault);
      await pause(fault.lastsMs);
      await undo();
    }
  }

  /** Of faults that hit the leader alone; a term that goes on is not measured. */
  #measureFailover({ kind }: Fault): void {
    if (!kind.startsWith('leader')) return;
    const startedMs = Date.now();
    const lostTerm = this.#cluster.term;
    const nextFault = this.faults.length;
    const served = this.#cluster.nextLeader(lostTerm).then(() => {
      if (this.faults.length === nextFault) this.failovers.push({ kind, ms: Date.now() - startedMs });
    });
    served.catch(() => undefined);
  }

  async #settle(watch: CommitWatch): Promise<RunRecords & { commits: number; terms: number }> {
    await this.#heal();
    const client = this.#newClient(patienceMs.verdict);
    await client.getMasterState();
    const settledMinute = await watch.waitForTick(floorMinute(Date.now() / 1000));
    await client.updateMasterState({ enabled: 0 });
    const lastMinute = floorMinute(Date.now() / 1000);
    const active = await this.#drain(client);
    const stored: Readonly<Record<string, unknown>>[] = [];
    for await (const event of client.schedule()) stored.push(event);
    return {
      writes: inOrder(this.ledger.writes),
      runs: this.ledger.runs,
      aborted: this.ledger.aborted,
      lines: readLines(this.#records.read()),
      ended: await gatherEnded(client),
      active,
      excuses: excusesOf(await watch.activity()),
      stored,
      lateCommits: watch.late,
      settledMinute,
      lastMinute,
      commits: watch.commits,
      terms: watch.terms,
    };
  }

  async #heal(): Promise<void> {
    this.#cluster.mend();
    for (const { process } of this.#cluster.nodes) {
      process.resume();
      if (!process.isRunning) process.start();
    }
  }

  /** Waits for all jobs; answers those that do not end. */
  async #drain(client: CarillonClient): Promise<string[]> {
    const signal = AbortSignal.timeout(drainLimitMs);
    setMaxListeners(0, signal);
    for (;;) {
      const ids = Object.keys((await client.getActiveJobs()).jobs);
      if (ids.length === 0 || signal.aborted) return ids;
      const ends = ids.map((id) => client.waitForJob(id, { signal, deadlineMs: patienceMs.verdict }));
      await Promise.all(ends).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
    }
  }

  #newClient(deadlineMs: number): CarillonClient {
    const client = createClient({
      ...this.#cluster.clientOptions(),
      apiKey: this.#cluster.cluster.apiKey,
      timeoutMs: 8_000,
      retry: { deadlineMs },
    });
    this.#clients.push(client);
    return client;
  }
}

/** Lanes write side by side, each of its events one after the other. */
const inOrder = (writes: readonly EventWrite[]): EventWrite[] =>
  [...writes].sort((one, other) => one.askedSec - other.askedSec);
