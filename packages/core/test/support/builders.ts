import type {
  CategoryRecord,
  EventRecord,
  JobFields,
  PluginRecord,
  ServerGroupRecord,
} from '@carillon/contract';
import {
  type ActiveJob,
  type Caller,
  type Change,
  ClusterState,
  type Member,
  type Random,
} from '@carillon/core';

/** An enabled event that runs every minute on group `web` unless told otherwise. */
export function anEvent(fields: Partial<EventRecord> = {}): EventRecord {
  return {
    id: 'e1',
    title: 'Nightly',
    enabled: 1,
    category: 'general',
    plugin: 'shellplug',
    target: 'web',
    params: {},
    timing: {},
    timezone: 'UTC',
    max_children: 0,
    timeout: 0,
    created: 1,
    modified: 1,
    ...fields,
  };
}

export function aCategory(fields: Partial<CategoryRecord> = {}): CategoryRecord {
  return { id: 'general', title: 'General', enabled: 1, max_children: 0, created: 1, modified: 1, ...fields };
}

export function aPlugin(fields: Partial<PluginRecord> = {}): PluginRecord {
  return {
    id: 'shellplug',
    title: 'Shell Script',
    enabled: 1,
    command: 'builtin:shell',
    params: [
      { id: 'script', type: 'textarea', title: 'Script', rows: 10, value: '#!/bin/sh' },
      { id: 'secret', type: 'hidden', title: 'Secret', value: 'from plugin' },
    ],
    created: 1,
    modified: 1,
    ...fields,
  };
}

export function aGroup(fields: Partial<ServerGroupRecord> = {}): ServerGroupRecord {
  return { id: 'web', title: 'Web Servers', regexp: '^web', master: 0, ...fields };
}

export function aMember(id: string, fields: Partial<Member> = {}): Member {
  return { id, hostname: id, groups: [], available: true, slots: 0, cpu: 0, mem: 0, ...fields };
}

export function aJob(
  id: string,
  fields: Partial<JobFields> = {},
  rest: Partial<Omit<ActiveJob, 'fields'>> = {},
): ActiveJob {
  return {
    state: 'running',
    attempt: 1,
    seq: 1,
    node: 'web1',
    ...rest,
    fields: {
      id,
      event: 'e1',
      event_title: 'Nightly',
      category: 'general',
      category_title: 'General',
      plugin: 'shellplug',
      plugin_title: 'Shell Script',
      nice_target: 'Web Servers',
      target: 'web',
      params: {},
      command: 'builtin:shell',
      now: 60,
      hostname: 'web1',
      ...fields,
    },
  };
}

/** A state with category, plugin and group of the builders, and the given events, first one oldest. */
export function aState(events: readonly EventRecord[] = [], more: readonly Change[] = []): ClusterState {
  const state = new ClusterState();
  const changes: Change[] = [
    { type: 'put', table: 'categories', seq: 1, record: aCategory() },
    { type: 'put', table: 'plugins', seq: 1, record: aPlugin() },
    { type: 'put', table: 'server_groups', seq: 1, record: aGroup() },
    ...events.map((record, index): Change => ({ type: 'put', table: 'events', seq: index + 1, record })),
    ...more,
  ];
  for (const change of changes) state.applyChange(change);
  return state;
}

export function apply(state: ClusterState, changes: readonly Change[]): void {
  for (const change of changes) state.applyChange(change);
}

export function aKey(privileges: Record<string, unknown>, title = 'CI'): Caller {
  return { kind: 'api_key', id: 'k1', title, privileges };
}

/** Numbers from a linear congruential generator: the same for the same seed. */
export function seededRandom(seed: number): Random {
  let last = seed >>> 0;
  const next = (): number => {
    last = (Math.imul(last, 1664525) + 1013904223) >>> 0;
    return last;
  };
  return {
    integer: (bound) => Math.floor((next() / 2 ** 32) * bound),
    hex: (bytes) =>
      Array.from({ length: bytes }, () => (next() >>> 24).toString(16).padStart(2, '0')).join(''),
  };
}
