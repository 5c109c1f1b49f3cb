import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import {
  CarillonError,
  type DeliveryRow,
  type HistoryRow,
  type JobFields,
  type JobState,
  type UserRecord,
} from '@carillon/contract';
import {
  type ActiveJob,
  type ActivityEntry,
  type Caller,
  type Change,
  ClusterState,
  defaultAccountSettings,
  defaultNoticeSettings,
  launchChanges,
  type LaunchRequest,
  type Member,
  type Page,
  planEventCreation,
  planEventDeletion,
  planEventUpdate,
  planKeyCreation,
  planLaunch,
  planSession,
  planUpcoming,
  ScheduleIndex,
  type Session,
  setupRecords,
  type Upcoming,
  type UpcomingWish,
  userIdOf,
  viewActiveJob,
} from '@carillon/core';
import { MemoryPasswordHasher } from '@carillon/adapters';
import { FakeClock, SeededRandom } from '@carillon/testkit';
import { createAccounts } from '../../src/accounts/index.js';
import { LogTokens } from '../../src/live/log-tokens.js';
import { ClusterStatus } from '../../src/office/cluster-status.js';
import { RecordService } from '../../src/catalog/record-service.js';
import { ServerService } from '../../src/membership/server-service.js';
import { WorkerRegistry } from '../../src/membership/worker-registry.js';
import { ExportService } from '../../src/transfer/export-service.js';
import { ImportService } from '../../src/transfer/import-service.js';
import type { OfficeSettings } from '../../src/index.js';
import type { EventUpdateOptions, LaunchAnswer, Office } from '../../src/office.js';
import { NoStore } from './no-store.js';

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The key the reference prints; it may do everything. */
export const adminKey = '0095f5b664b93304d5f8b1a61df605fb';
export const nowSec = 1_700_000_000;

const officeSettings: OfficeSettings = {
  lateWindowSec: 90,
  timezone: 'UTC',
  expireDays: 180,
  historyRows: 100,
  maxJobs: 0,
  eventUpdatesFromJobs: true,
  manualJobsTracked: false,
  silentAfterMs: 3_000,
  deadJobTimeoutMs: 120_000,
  maxEmailsPerDay: 0,
  accounts: defaultAccountSettings,
  notices: defaultNoticeSettings({
    version: 'test',
    hostname: 'primary.test',
    zone: 'UTC',
    baseAppUrl: 'http://cron.test',
  }),
};

/** Moves the wall clock by hand and lets no one wait; notes for how long they wanted to. */
export class HastyClock extends FakeClock {
  readonly waits: number[] = [];

  override after(delayMs: number, callback: () => void): () => void {
    let isCancelled = false;
    this.waits.push(delayMs);
    queueMicrotask(() => {
      if (!isCancelled) callback();
    });
    return () => {
      isCancelled = true;
    };
  }
}

/** An office over memory alone: the real state and the real rules, without a store, workers or a schedule. */
export class FakeOffice implements Office {
  readonly term = new AbortController();
  readonly session: Session = { term: 7, signal: this.term.signal };
  readonly state = new ClusterState();
  readonly members: Member[] = [];
  readonly completed = new Map<string, JobFields>();
  readonly rows: HistoryRow[] = [];
  readonly deliveryRows: DeliveryRow[] = [];
  readonly logs = new Map<string, { gzip: boolean; bytes: Buffer }>();
  readonly launches: LaunchRequest[] = [];
  readonly updates: EventUpdateOptions[] = [];
  readonly aborts: string[] = [];
  /** Milliseconds of quiet that were asked for. */
  readonly stepDowns: number[] = [];
  /** Thrown by every read and write of the store. */
  storeFault: Error | undefined;
  /** Awaited by every write: keeps requests under way. */
  gate: Promise<void> = Promise.resolve();
  readonly #random = new SeededRandom(1);
  /** As the journal of a primary: in memory at once, durable later. */
  readonly #journal = {
    commit: async (changes: readonly Change[]): Promise<void> => {
      this.apply(changes);
      await this.#write();
    },
  };
  /** What was noted, newest first. */
  readonly activities: ActivityEntry[] = [];
  /** What followed from changed records: `catch up EVENT` and `room`. */
  readonly effects: string[] = [];
  /** The real service: its rules and its commits are those of a primary. */
  readonly records = new RecordService({
    office: {
      state: this.state,
      clock: new FakeClock(nowSec * 1000),
      random: this.#random,
      settings: officeSettings,
      newId: (prefix) => this.#newId(prefix),
      journal: this.#journal,
    },
    digest: { sha256 },
    abortAll: async (jobs, { reason }) => {
      this.aborts.push(...jobs.map((job) => `${job.fields.id}: ${reason}`));
    },
    catchUp: (event) => void this.effects.push(`catch up ${event}`),
    onRoom: () => void this.effects.push('room'),
  });
  readonly passwords = new MemoryPasswordHasher();
  /** Of the accounts. */
  readonly clock = new HastyClock(nowSec * 1000);
  /** The real services. */
  readonly accounts = createAccounts({
    office: {
      state: this.state,
      clock: this.clock,
      random: this.#random,
      settings: officeSettings,
      newId: (prefix) => this.#newId(prefix),
      journal: this.#journal,
    },
    digest: { sha256 },
    passwords: this.passwords,
  });
  readonly logTokens = new LogTokens({ clock: this.clock, random: this.#random, digest: { sha256 } });
  #ids = 0;
  #seq = 0;

  readonly registry = new WorkerRegistry({ silentAfterMs: 3_000, lostAfterMs: 120_000 });
  /** The real service over workers that a test registers. */
  readonly servers = new ServerService({
    office: {
      state: this.state,
      clock: new FakeClock(nowSec * 1000),
      settings: officeSettings,
      journal: { commit: async (changes) => this.apply(changes) },
    },
    registry: this.registry,
    forget: (entry) => this.registry.remove(entry.record.id),
  });

  readonly #transferOffice = {
    state: this.state,
    clock: new FakeClock(nowSec * 1000),
    random: this.#random,
    settings: officeSettings,
    session: this.session,
    store: new NoStore(),
    journal: { commit: async (changes: readonly Change[]) => this.apply(changes), observe: () => undefined },
  };
  /** The real services over memory; nothing is ever put aside or copied. */
  readonly exports = new ExportService(this.#transferOffice);
  readonly imports = new ImportService({
    office: this.#transferOffice,
    hostnames: () => this.hostnames(),
    onRoom: () => void this.effects.push('room'),
  });
  readonly cluster = new ClusterStatus({
    office: {
      state: this.state,
      clock: new FakeClock(nowSec * 1000),
      settings: officeSettings,
      session: this.session,
      store: { checkHealth: () => this.#write() },
    },
    registry: this.registry,
    candidate: { id: 'node1', hostname: 'primary.test', url: 'http://primary.test' },
  });

  constructor() {
    this.apply(setupRecords({ hostname: 'primary.test', nowSec }));
    this.addKey('admin', adminKey, { admin: 1 });
    this.addMember('node1', 'primary.test');
  }

  apply(changes: readonly Change[]): void {
    for (const change of changes) {
      this.state.applyChange(change);
      if (change.type === 'activity') this.activities.unshift(change.entry);
    }
  }

  addKey(title: string, key: string, privileges: Record<string, unknown>, active: 0 | 1 = 1): string {
    const id = `k${title}`;
    const seq = this.state.api_keys.nextSeq;
    const change = planKeyCreation({ id, title, keyHash: sha256(key), privileges, nowSec, seq });
    if (change.type === 'put' && change.table === 'api_keys') change.record.active = active;
    this.apply([change]);
    return id;
  }

  /** A user whose password is `geheim12`. */
  addUser(
    username: string,
    privileges: Record<string, unknown> = {},
    fields: Partial<UserRecord> = {},
  ): void {
    const record: UserRecord = {
      id: userIdOf(username),
      username,
      full_name: username,
      email: `${username}@example.com`,
      active: 1,
      privileges,
      password: 'new:0:21mieheg',
      salt: '',
      created: nowSec,
      modified: nowSec,
      ...fields,
    };
    this.apply([{ type: 'put', table: 'users', seq: this.state.users.nextSeq, record }]);
  }

  /** A session of the user; answers its id. */
  addSession(username: string): string {
    const id = `session-of-${username}`;
    const user = this.state.users.get(userIdOf(username));
    if (user === undefined) throw new Error(`No such user: ${username}`);
    const start = { user, idHash: sha256(id), ip: '', useragent: '', nowSec };
    this.apply(planSession(start, this.state, defaultAccountSettings).changes);
    return id;
  }

  addMember(id: string, hostname: string): void {
    this.members.push({ id, hostname, groups: [], available: true, slots: 0, cpu: 0, mem: 0 });
  }

  /** Creates an event by its settings, without checks that the tests do not need. */
  addEvent(settings: Record<string, unknown>): string {
    const id = typeof settings['id'] === 'string' ? settings['id'] : this.#newId('e');
    const record = {
      id,
      title: id,
      enabled: 1 as const,
      category: 'general',
      plugin: 'shellplug',
      target: 'allgrp',
      params: {},
      timezone: 'UTC',
      max_children: 0,
      timeout: 3600,
      created: nowSec,
      modified: nowSec,
      ...settings,
    };
    this.apply([{ type: 'put', table: 'events', seq: this.state.events.nextSeq, record }]);
    return id;
  }

  async createEvent(fields: Record<string, unknown>, caller: Caller): Promise<string> {
    await this.#write();
    const record = planEventCreation(fields, this.#context(caller));
    this.apply([{ type: 'put', table: 'events', seq: this.state.events.nextSeq, record }]);
    return record.id;
  }

  async updateEvent(
    id: string,
    changes: Record<string, unknown>,
    options: EventUpdateOptions,
    caller: Caller,
  ): Promise<void> {
    await this.#write();
    this.updates.push(options);
    const entry = this.state.events.entry(id);
    if (entry === undefined) throw new CarillonError('event', `Failed to locate event: ${id}`);
    const record = planEventUpdate(entry.record, changes, this.#context(caller));
    this.apply([{ type: 'put', table: 'events', seq: entry.seq, record }]);
  }

  async deleteEvent(id: string): Promise<void> {
    await this.#write();
    planEventDeletion(id, this.state);
    this.apply([
      { type: 'delete', table: 'events', id },
      { type: 'forget-event', event: id },
    ]);
  }

  async launch(request: LaunchRequest): Promise<LaunchAnswer> {
    await this.#write();
    this.launches.push(request);
    const plan = planLaunch(request, {
      state: this.state,
      members: this.members,
      nowMs: nowSec * 1000,
      maxJobs: 0,
      random: this.#random,
      newJobId: () => this.#newId('j'),
      nextSeq: this.#seq + 1,
    });
    this.#seq += plan.kind === 'launch' ? plan.jobs.length : 1;
    if (plan.kind === 'refuse') throw new CarillonError('event', `Failed to launch event: ${plan.reason}`);
    this.apply(launchChanges(request.event, plan));
    if (plan.kind === 'queue') return { ids: [plan.job.fields.id], queue: plan.length };
    return { ids: plan.jobs.map((job) => job.fields.id) };
  }

  queueLength(event: string): number {
    return this.state.jobsOfEvent(event).filter((job) => job.state === 'queued').length;
  }

  activeJob(id: string): (JobFields & { state: JobState }) | undefined {
    const job = this.state.jobs.get(id);
    return job === undefined ? undefined : this.#view(job);
  }

  activeJobsOf(event: string): (JobFields & { state: JobState })[] {
    return this.state.jobsOfEvent(event).map((job) => this.#view(job));
  }

  *activeJobs(): IterableIterator<JobFields & { state: JobState }> {
    for (const job of this.state.jobs.values()) yield this.#view(job);
  }

  async completedJob(id: string): Promise<JobFields | undefined> {
    await this.#write();
    return this.completed.get(id);
  }

  async history(event: string | undefined, offset: number, limit: number): Promise<Page<HistoryRow>> {
    await this.#write();
    const rows = this.rows.filter((row) => event === undefined || row.event === event);
    return { rows: rows.slice(offset, offset + limit), length: rows.length };
  }

  async activity(offset: number, limit: number): Promise<Page<ActivityEntry>> {
    await this.#write();
    const rows = this.activities.slice(offset, offset + limit);
    return { rows, length: this.activities.length };
  }

  upcoming(wish: UpcomingWish): Upcoming {
    const index = new ScheduleIndex('UTC');
    for (const event of this.state.events.newestFirst()) index.put(event);
    return planUpcoming({ state: this.state, index, nowMs: nowSec * 1000 }, wish);
  }

  async deleteJob(job: JobFields): Promise<void> {
    await this.#write();
    this.completed.delete(job.id);
    this.logs.delete(job.id);
    const kept = this.rows.filter((row) => row.id !== job.id);
    this.rows.splice(0, this.rows.length, ...kept);
  }

  async deliveries(offset: number, limit: number): Promise<Page<DeliveryRow>> {
    await this.#write();
    return { rows: this.deliveryRows.slice(offset, offset + limit), length: this.deliveryRows.length };
  }

  async updateJob(id: string, settings: Record<string, unknown>): Promise<void> {
    await this.#write();
    const job = this.state.jobs.get(id);
    if (job === undefined) throw new CarillonError('job', `Failed to locate job: ${id}`);
    this.apply([{ type: 'job', job: { ...job, fields: { ...job.fields, ...settings } } }]);
  }

  async abortJob(id: string): Promise<void> {
    await this.#write();
    this.aborts.push(id);
  }

  async abortJobs(
    ids: readonly string[],
    _caller: Caller,
    { noRewind }: { noRewind: boolean },
  ): Promise<void> {
    await this.#write();
    this.aborts.push(...ids.map((id) => (noRewind ? `${id} without rewind` : id)));
  }

  async flushQueue(event: string): Promise<void> {
    await this.#write();
    const queued = this.state.jobsOfEvent(event).filter((job) => job.state === 'queued');
    this.aborts.push(...queued.map((job) => job.fields.id));
  }

  async setEnabled(enabled: 0 | 1): Promise<void> {
    await this.#write();
    this.apply([{ type: 'switch', enabled }]);
  }

  async stepDown(quietMs: number): Promise<void> {
    await this.#write();
    this.stepDowns.push(quietMs);
  }

  async jobLog(id: string): Promise<{ gzip: boolean; bytes: AsyncIterable<Uint8Array> } | undefined> {
    await this.#write();
    const log = this.logs.get(id);
    return log === undefined ? undefined : { gzip: log.gzip, bytes: chunksOf(log.bytes) };
  }

  hostnames(): string[] {
    return this.members.map((member) => member.hostname);
  }

  /** Ends an active job: its record, its row and its log are there afterwards. */
  finish(id: string, logText = `Log of ${id}\n`): void {
    const job = this.state.jobs.get(id);
    if (job === undefined) throw new Error(`No such job: ${id}`);
    const { fields } = job;
    const record: JobFields = {
      ...fields,
      complete: 1,
      code: 0,
      description: '',
      time_end: nowSec,
      elapsed: 1,
    };
    const row: HistoryRow = {
      id,
      code: 0,
      event: fields.event,
      event_title: fields.event_title,
      category: fields.category,
      category_title: fields.category_title,
      plugin: fields.plugin,
      plugin_title: fields.plugin_title,
      hostname: fields.hostname,
      target: fields.target,
      time_start: fields.time_start ?? nowSec,
      elapsed: 1,
      perf: '',
      cpu: {},
      mem: {},
      log_file_size: logText.length,
      action: 'job_complete',
      epoch: nowSec,
    };
    this.apply([{ type: 'finish', record, row, expireSec: 100, rowMax: 100, day: '2023-11-14' }]);
    this.completed.set(id, record);
    this.rows.unshift(row);
    this.logs.set(id, { gzip: true, bytes: gzipSync(logText) });
  }

  #view(job: ActiveJob) {
    return viewActiveJob(job, nowSec * 1000);
  }

  async #write(): Promise<void> {
    await this.gate;
    if (this.storeFault !== undefined) throw this.storeFault;
  }

  #context(caller: Caller) {
    return {
      state: this.state,
      caller,
      nowSec,
      newEventId: () => this.#newId('e'),
      defaultTimezone: 'UTC',
    };
  }

  #newId(prefix: string): string {
    this.#ids += 1;
    return `${prefix}new${String(this.#ids).padStart(7, '0')}`;
  }
}

async function* chunksOf(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 7) yield bytes.subarray(at, at + 7);
}
