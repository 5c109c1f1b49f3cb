import {
  type Caller,
  ClusterState,
  planCategoryCreation,
  planCategoryDeletion,
  planCategoryUpdate,
  planEventCreation,
  planEventDeletion,
  planEventUpdate,
  planPluginCreation,
  planPluginDeletion,
  planPluginUpdate,
  planServerGroupCreation,
  planServerGroupDeletion,
  planServerGroupUpdate,
  setupRecords,
} from '@carillon/core';
import type { KindName } from '../../src/declare/kinds.js';
import type { Change, Present, PresentRecord } from '../../src/declare/plan.js';

const caller: Caller = { kind: 'api_key', id: 'k1', title: 'Test', privileges: { admin: 1 } };
const tables = {
  group: 'server_groups',
  category: 'categories',
  plugin: 'plugins',
  event: 'events',
} as const satisfies Record<KindName, string>;

/** The rules of the real cluster over memory: what they refuse throws. */
export class RuleCluster {
  readonly state = new ClusterState();
  #nowSec = 1_700_000_000;
  #lastId = 0;

  constructor() {
    for (const change of setupRecords({ hostname: 'primary', nowSec: this.#nowSec })) {
      this.state.applyChange(change);
    }
  }

  get present(): Present {
    const rows = (kind: KindName) =>
      this.state[tables[kind]]
        .page(0, 10_000)
        .map(({ record }): PresentRecord => ({ ...structuredClone(record) }));
    return { group: rows('group'), category: rows('category'), plugin: rows('plugin'), event: rows('event') };
  }

  /** Carries out a change as the API would. */
  run({ action, kind, request }: Pick<Change, 'action' | 'kind' | 'request'>): void {
    this.#nowSec += 1;
    const table = tables[kind];
    const id = String(request['id']);
    if (action === 'delete') {
      this.#checkDeletion(kind, id);
      this.state.applyChange({ type: 'delete', table, id });
      return;
    }
    const record = this.#record(action, kind, JSON.parse(JSON.stringify(request)));
    const { nextSeq } = this.state[table];
    const seq = this.state[table].entry(record.id)?.seq ?? nextSeq;
    this.state.applyChange({ type: 'put', table, seq, record } as never);
  }

  /** Answers the calls of a schedule as a server; undefined for others. Throws what the rules refuse. */
  answer(name: string, params: Record<string, unknown>): Record<string, unknown> | undefined {
    const { event, group, category, plugin } = this.present;
    const lists: Record<string, readonly PresentRecord[]> = {
      get_schedule: event,
      get_server_groups: group,
      get_categories: category,
      get_plugins: plugin,
    };
    const rows = lists[name];
    if (rows !== undefined) {
      const offset = Number(params['offset'] ?? 0);
      return { rows: rows.slice(offset), list: { length: rows.length } };
    }
    const [, action, noun] = /^(create|update|delete)_(server_group|category|plugin|event)$/.exec(name) ?? [];
    if (action === undefined) return undefined;
    const kind = noun === 'server_group' ? 'group' : (noun as KindName);
    this.run({ action: action as Change['action'], kind, request: params });
    return { id: params['id'] };
  }

  #record(action: 'create' | 'update', kind: KindName, fields: Record<string, unknown>): { id: string } {
    const { state } = this;
    const newId = (): string => `made${++this.#lastId}`;
    const context = { state, caller, nowSec: this.#nowSec, newId };
    const isNew = action === 'create';
    switch (kind) {
      case 'group':
        return isNew ? planServerGroupCreation(fields, context) : planServerGroupUpdate(fields, state);
      case 'category':
        return isNew ? planCategoryCreation(fields, context) : planCategoryUpdate(fields, context);
      case 'plugin':
        return (isNew ? planPluginCreation(fields, context) : planPluginUpdate(fields, context)).record;
      case 'event': {
        const events = { ...context, newEventId: newId, defaultTimezone: 'Europe/London' };
        if (isNew) return planEventCreation(fields, events);
        const current = state.events.get(String(fields['id']));
        if (current === undefined) throw new Error('no such event');
        const { id: _id, ...changes } = fields;
        return planEventUpdate(current, changes, events);
      }
    }
  }

  #checkDeletion(kind: KindName, id: string): void {
    const { state } = this;
    if (kind === 'group') planServerGroupDeletion(id, state);
    else if (kind === 'category') planCategoryDeletion(id, state);
    else if (kind === 'plugin') planPluginDeletion(id, state);
    else planEventDeletion(id, state);
  }
}
