import type { Delivery, DeliveryRow, EventRecord, HistoryRow, JobFields } from '@carillon/contract';
import type { ActiveJob, Change, ClusterState } from '@carillon/core';
import { tableNames } from '@carillon/core';

/** An event record with the given settings over plain ones. */
export function eventOf(id: string, settings: Partial<EventRecord> = {}): EventRecord {
  return {
    id,
    title: `Event ${id}`,
    enabled: 1,
    category: 'general',
    plugin: 'testplug',
    target: 'allgrp',
    params: {},
    timezone: 'UTC',
    max_children: 1,
    timeout: 3600,
    created: 1_700_000_000,
    modified: 1_700_000_000,
    ...settings,
  };
}

/** An active job of event `e1`. */
export function jobOf(id: string, settings: Partial<ActiveJob> = {}): ActiveJob {
  const fields: JobFields = {
    id,
    event: 'e1',
    event_title: 'Event e1',
    category: 'general',
    category_title: 'General',
    plugin: 'testplug',
    plugin_title: 'Test',
    nice_target: 'All',
    target: 'allgrp',
    params: { empty: [], big: 1_234_567_890_123_456 },
    command: 'true',
    now: 1_700_000_040,
    hostname: 'one',
  };
  return { state: 'dispatched', attempt: 1, seq: 1, node: 'n1', fields, ...settings };
}

/** The changes that make a job active and claimable. */
export function dispatchOf(job: ActiveJob): Change[] {
  const run = { job: job.fields.id, attempt: job.attempt };
  return [
    { type: 'job', job },
    { type: 'dispatch', run, node: job.node },
  ];
}

export interface FinishSettings {
  code?: number;
  elapsed?: number;
  rowMax?: number;
  day?: string;
  event?: string;
}

/** The change that ends a job. */
export function finishOf(id: string, settings: FinishSettings = {}): Extract<Change, { type: 'finish' }> {
  const { code = 0, elapsed = 1.5, rowMax = 100, day = '2026-01-01', event = 'e1' } = settings;
  const fields = jobOf(id).fields;
  const row: HistoryRow = {
    id,
    code,
    event,
    event_title: `Event ${event}`,
    category: 'general',
    category_title: 'General',
    plugin: 'testplug',
    plugin_title: 'Test',
    hostname: 'one',
    target: 'allgrp',
    time_start: 1_700_000_040.25,
    elapsed,
    perf: '',
    cpu: {},
    mem: {},
    log_file_size: 10,
    action: 'job_complete',
    epoch: 1_700_000_042,
  };
  const record: JobFields = { ...fields, event, complete: 1, code, elapsed };
  return { type: 'finish', record, row, expireSec: 3600, rowMax, day };
}

/** A web hook that is due; even numbers make it an e-mail. */
export function deliveryOf(id: string, number = 1): Delivery {
  const base = { id, createdMs: 1_700_000_042_000 + number, event: 'e1', job: 'j1' };
  if (number % 2 === 0) {
    const texts = { to: 'a@example.com', from: 'b@example.com', subject: 'Ünïcode', body: '\u2028 "quoted"' };
    return { ...base, type: 'mail', action: 'job_fail', headers: { 'X-A': '1' }, html: false, ...texts };
  }
  const options = { follow: 0, rejectUnauthorized: true, timeoutMs: 30_000 };
  const target = { url: 'http://h/', headers: {}, body: '{}\n' };
  return { ...base, type: 'hook', action: 'job_complete', options, ...target };
}

/** The record of a delivery that is over. */
export function deliveryRowOf(id: string, code: number | string = 0): DeliveryRow {
  const about = { id, type: 'hook' as const, action: 'job_complete', event: 'e1', job: 'j1' };
  return { ...about, target: 'http://h/', attempts: 1, code, description: '', epoch: 1, elapsed: 0.5 };
}

/** All that a state holds, in a form that can be compared; totals rounded to what is stored. */
export function describeState(state: ClusterState): Record<string, unknown> {
  const tables = tableNames.map((table) => [
    table,
    state[table].page(0, state[table].size).map(({ seq, record }) => ({ seq, record })),
  ]);
  const { jobs_elapsed, ...counts } = state.stats.totals;
  return {
    tables: Object.fromEntries(tables),
    enabled: state.enabled,
    tickMinute: state.tickMinute,
    cursors: [...state.cursors].sort(),
    redos: [...state.redos].sort(),
    robins: [...state.robins].sort(),
    jobs: [...state.jobs],
    deliveries: [...state.deliveries].sort(),
    jobsOfEvents: ['e1', 'e2', 'e3'].map((event) => state.jobsOfEvent(event).map((job) => job.fields.id)),
    stats: { day: state.stats.day, ...counts, elapsedMs: Math.round(jobs_elapsed * 1000) },
  };
}
