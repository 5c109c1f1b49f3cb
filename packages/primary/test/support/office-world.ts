import type {
  EventRecord,
  JobFields,
  JobOutcome,
  PrimaryMessage,
  RunReport,
  Ticket,
  WorkerMessage,
} from '@carillon/contract';
import {
  MemoryChannel,
  MemoryJobQueue,
  MemoryLease,
  MemoryLeaseBoard,
  MemoryLogArchive,
  MemoryLogger,
  MemoryMailer,
  MemoryPasswordHasher,
  MemoryRunClaims,
  MemoryStore,
  MemoryStoreBoard,
  MemoryWebHookSender,
} from '@carillon/adapters';
import {
  type Caller,
  type ChannelLink,
  type Consumer,
  defaultAccountSettings,
  defaultNoticeSettings,
} from '@carillon/core';
import { FakeClock, SeededRandom } from '@carillon/testkit';
import { type Meter, type OfficeSettings, Primary } from '../../src/index.js';
import type { LeaderOffice } from '../../src/office/leader-office.js';

/** The administrator of all tests. */
export const admin: Caller = { kind: 'api_key', id: 'kadmin', title: 'Admin', privileges: { admin: 1 } };

/** Half a minute before a full minute. */
export const startMs = 1_700_000_010_000;

const testUrl = (name: string) => `http://${name}`;

/** A cluster in memory: shared store, queues and channel, a clock moved by hand, any number of nodes. */
export class OfficeWorld {
  readonly clock = new FakeClock(startMs);
  readonly log = new MemoryLogger();
  readonly leaseBoard = new MemoryLeaseBoard(this.clock);
  readonly storeBoard = new MemoryStoreBoard(this.leaseBoard);
  readonly queue = new MemoryJobQueue({ clock: this.clock });
  readonly archive = new MemoryLogArchive(this.clock);
  readonly hooks = new MemoryWebHookSender(this.clock);
  readonly passwords = new MemoryPasswordHasher();
  readonly mailer = new MemoryMailer(this.clock);
  /** Most e-mails a day of primaries started from now on; 0 = no limit. */
  maxEmailsPerDay = 0;
  /** Of primaries started from now on. */
  meter: Meter | undefined;
  readonly channel = new MemoryChannel();
  readonly stores = new Map<string, MemoryStore>();
  readonly leases = new Map<string, MemoryLease>();
  #seed = 1;

  /** Starts a primary-eligible node and lets it take office when it can. */
  async primary(name: string, settings: Partial<OfficeSettings> = {}): Promise<Primary> {
    const store = new MemoryStore(this.storeBoard);
    const lease = new MemoryLease(this.leaseBoard);
    this.stores.set(name, store);
    this.leases.set(name, lease);
    this.#seed += 1;
    const primary = new Primary({
      lease,
      store,
      queue: this.queue,
      archive: this.archive,
      outbound: { queue: this.queue, hooks: this.hooks, mailer: this.mailer },
      channel: this.channel.node(testUrl(name)),
      clock: this.clock,
      random: new SeededRandom(this.#seed),
      digest: { sha256: (text) => `hash of ${text}` },
      passwords: this.passwords,
      log: this.log,
      ...(this.meter === undefined ? {} : { meter: this.meter }),
      candidate: { id: name, hostname: name, url: testUrl(name) },
      leaseTtlMs: 2_500,
      settings: {
        lateWindowSec: 90,
        timezone: 'UTC',
        expireDays: 180,
        historyRows: 100,
        maxJobs: 0,
        eventUpdatesFromJobs: true,
        manualJobsTracked: false,
        silentAfterMs: 3_000,
        deadJobTimeoutMs: 120_000,
        maxEmailsPerDay: this.maxEmailsPerDay,
        accounts: defaultAccountSettings,
        notices: defaultNoticeSettings({
          version: 'test',
          hostname: name,
          zone: 'UTC',
          baseAppUrl: 'http://cron.test',
        }),
        ...settings,
      },
      bootstrapKey: 'bootstrap',
      onAdminKey: async () => undefined,
    });
    void primary.start();
    await this.clock.advanceSettling(10);
    return primary;
  }

  /** Starts a worker that does nothing but what the test tells it, and connects it to the node. */
  async worker(name: string, primary: string, boot = `${name}-boot`): Promise<TestWorker> {
    const worker = new TestWorker(this, name, boot);
    await worker.connect(primary);
    return worker;
  }

  /** Lets everything that is under way come to rest. */
  async settle(): Promise<void> {
    await this.clock.advanceSettling(0);
    await this.clock.advanceSettling(0);
  }

  /** Lets time pass in steps, in which the workers beat. */
  async pass(ms: number, ...workers: readonly TestWorker[]): Promise<void> {
    const endMs = this.clock.nowMs() + ms;
    while (this.clock.nowMs() < endMs) {
      for (const worker of workers) worker.beat();
      await this.clock.advanceSettling(Math.min(2_000, endMs - this.clock.nowMs()));
    }
    await this.settle();
  }

  /** To the next full minute with beating workers, and what then happens. */
  passMinute(...workers: readonly TestWorker[]): Promise<void> {
    return this.pass(60_000 - (this.clock.nowMs() % 60_000), ...workers);
  }

  /** Texts of the warnings in the activity log, newest first. */
  warnings(): unknown[] {
    const entries = this.storeBoard.activity().filter((entry) => entry.action === 'warning');
    return entries.map((entry) => entry['description']);
  }

  /** To the next full minute, and what then happens. */
  async toNextMinute(): Promise<void> {
    await this.clock.advanceSettling(60_000 - (this.clock.nowMs() % 60_000));
    await this.settle();
  }
}

/** A worker under the test's control: claims what it gets, ends runs when told. */
export class TestWorker {
  readonly name: string;
  readonly boot: string;
  /** Runs claimed and not settled, by job. */
  readonly held = new Map<string, { attempt: number; job: JobFields }>();
  /** Ticket handlings that ended in a claim. */
  readonly claimed: string[] = [];
  readonly received: PrimaryMessage[] = [];
  isDraining = false;
  readonly #world: OfficeWorld;
  readonly #claims: MemoryRunClaims;
  #link: ChannelLink<WorkerMessage> | undefined;
  #controller = new AbortController();
  #consumer: Consumer | undefined;

  constructor(world: OfficeWorld, name: string, boot: string) {
    this.#world = world;
    this.name = name;
    this.boot = boot;
    this.#claims = new MemoryRunClaims(world.storeBoard);
  }

  get isConnected(): boolean {
    return this.#link !== undefined;
  }

  async connect(primary: string): Promise<void> {
    const handlers = {
      onMessage: (message: PrimaryMessage) => void this.received.push(message),
      onClose: () => void (this.#link = undefined),
    };
    this.#link = await this.#world.channel.connect(testUrl(primary), handlers, this.#controller.signal);
    this.#link.send({
      type: 'hello',
      node: {
        id: this.name,
        boot: this.boot,
        hostname: this.name,
        ip: '127.0.0.1',
        groups: [],
        master: 0,
        slots: 0,
        version: 'test',
      },
      runs: [...this.held].map(([job, { attempt }]): RunReport => ({ job, attempt })),
      draining: this.isDraining,
    });
    await this.#world.settle();
  }

  /** Takes tickets from now on. */
  async work(): Promise<void> {
    this.#consumer = this.#world.queue.consumeTickets(this.name, (ticket) => this.#claim(ticket));
    await this.#world.settle();
  }

  /** Takes no more tickets, without saying so. */
  async stopWorking(): Promise<void> {
    await this.#consumer?.close();
    this.#consumer = undefined;
  }

  beat(): void {
    this.#link?.send({ type: 'beat', cpu: 1, mem: 1, runs: [] });
  }

  /** Says that it takes no more jobs. */
  async leave(): Promise<void> {
    await this.#consumer?.close();
    this.isDraining = true;
    this.#link?.send({ type: 'draining' });
    await this.#world.settle();
  }

  report(report: RunReport): void {
    this.#link?.send({ type: 'run', run: report });
  }

  /** Ends a run and hands in its result. */
  async settle(
    job: string,
    outcome: JobOutcome = { code: 0, description: '' },
    reported: Record<string, unknown> = {},
  ): Promise<void> {
    const run = this.held.get(job);
    if (run === undefined) throw new Error(`${this.name} holds no run of ${job}`);
    this.held.delete(job);
    await this.#world.queue.addResult({
      job,
      attempt: run.attempt,
      node: this.name,
      hostname: this.name,
      time_start: this.#world.clock.nowMs() / 1000 - 1,
      time_end: this.#world.clock.nowMs() / 1000,
      pid: 4711,
      outcome,
      log_file_size: 10,
      reported,
    });
    await this.#world.settle();
  }

  /** As a killed process: no more messages, no more tickets, what it held is gone. */
  async die(): Promise<void> {
    this.#controller.abort();
    await this.#consumer?.close();
    this.held.clear();
    await this.#world.settle();
  }

  async #claim(ticket: Ticket): Promise<void> {
    const worker = { node: this.name, boot: this.boot, nonce: `${ticket.job}-${ticket.attempt}` };
    const outcome = await this.#claims.claim(ticket, worker);
    if (!outcome.claimed) return;
    this.held.set(ticket.job, { attempt: ticket.attempt, job: outcome.job });
    this.claimed.push(ticket.job);
    this.report({ job: ticket.job, attempt: ticket.attempt, pid: 4711 });
  }
}

/** The office of a node, or a failure of the test. */
export function officeOf(primary: Primary): LeaderOffice {
  const office = primary.office();
  if (office === undefined) throw new Error('This node is not the primary');
  return office;
}

/** An event on all servers that is due every minute, unless told otherwise. */
export function newEvent(fields: Partial<EventRecord> = {}): Record<string, unknown> {
  return {
    title: 'Minutely',
    enabled: 1,
    category: 'general',
    plugin: 'shellplug',
    target: 'allgrp',
    timing: {},
    timezone: 'UTC',
    ...fields,
  };
}

/** Settings of an event that only runs when asked to. */
export const onDemand = { timing: false as const };

/** A primary `p1`, a worker `w1` that takes no tickets yet, and a job that was dispatched to it. */
export async function dispatchedJob() {
  const world = new OfficeWorld();
  const office = officeOf(await world.primary('p1'));
  const worker = await world.worker('w1', 'p1');
  const id = await office.createEvent(newEvent(onDemand), admin);
  const job = (await office.launch({ event: id, overrides: {}, now: 5 })).ids[0] ?? '';
  return { world, office, worker, id, job };
}

/** As `dispatchedJob`, and the worker has claimed it. */
export async function runningJob() {
  const started = await dispatchedJob();
  await started.worker.work();
  return started;
}
