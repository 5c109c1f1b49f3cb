import {
  type AbortRequest,
  type ActiveJob,
  type Caller,
  type Change,
  type Digest,
  type IdPrefix,
  planApiKeyCreation,
  planApiKeyDeletion,
  planApiKeyUpdate,
  planCategoryCreation,
  planCategoryDeletion,
  planCategoryUpdate,
  planPluginCreation,
  planPluginDeletion,
  planPluginUpdate,
  planServerGroupCreation,
  planServerGroupDeletion,
  planServerGroupUpdate,
  publicApiKey,
  publicPlugin,
} from '@carillon/core';
import type { OfficeContext } from '../office/context.js';
import type { Journal } from '../office/journal.js';
import { activityChange } from './activity-change.js';

type Fields = Readonly<Record<string, unknown>>;

export interface RecordDeps {
  office: Pick<OfficeContext, 'state' | 'clock' | 'settings' | 'newId' | 'random'> & {
    journal: Pick<Journal, 'commit'>;
  };
  digest: Digest;
  abortAll: (jobs: readonly ActiveJob[], request: AbortRequest) => Promise<void>;
  /** A catch-up event may go on with what it is behind. */
  catchUp: (event: string) => void;
  /** There may be room for queued jobs. */
  onRoom: () => void;
}

/**
 * Creates, changes and deletes categories, plugins, server groups and API keys (behaviour reference 2.3), with what
 * follows for jobs. All writes are durable when they resolve; throws CarillonError for what is refused.
 */
export class RecordService {
  readonly #deps: RecordDeps;

  constructor(deps: RecordDeps) {
    this.#deps = deps;
  }

  /** Answers the id. */
  async createCategory(fields: Fields, caller: Caller): Promise<string> {
    const record = planCategoryCreation(fields, this.#context('c', caller));
    const seq = this.#deps.office.state.categories.nextSeq;
    await this.#commit({ type: 'put', table: 'categories', seq, record }, 'cat_create', caller, {
      cat: record,
    });
    return record.id;
  }

  async updateCategory(fields: Fields, caller: Caller): Promise<void> {
    const { state } = this.#deps.office;
    const record = planCategoryUpdate(fields, this.#context('c', caller));
    const seq = state.categories.entry(record.id)?.seq ?? state.categories.nextSeq;
    await this.#commit({ type: 'put', table: 'categories', seq, record }, 'cat_update', caller, {
      cat: submitted(fields, record),
    });
    await this.#afterSwitch(fields, record.enabled, {
      reason: `Category '${record.title}' has been disabled.`,
      isOf: (item) => item.category === record.id,
    });
  }

  async deleteCategory(id: string, caller: Caller): Promise<void> {
    const cat = planCategoryDeletion(id, this.#deps.office.state);
    await this.#commit({ type: 'delete', table: 'categories', id }, 'cat_delete', caller, { cat });
  }

  async createPlugin(fields: Fields, caller: Caller): Promise<{ id: string; warnings: string[] }> {
    const { record, warnings } = planPluginCreation(fields, this.#context('p', caller));
    const seq = this.#deps.office.state.plugins.nextSeq;
    await this.#commit({ type: 'put', table: 'plugins', seq, record }, 'plugin_create', caller, {
      plugin: publicPlugin(record),
    });
    return { id: record.id, warnings };
  }

  /** Answers what the author should be told. */
  async updatePlugin(fields: Fields, caller: Caller): Promise<string[]> {
    const { state } = this.#deps.office;
    const { record, warnings } = planPluginUpdate(fields, this.#context('p', caller));
    const seq = state.plugins.entry(record.id)?.seq ?? state.plugins.nextSeq;
    await this.#commit({ type: 'put', table: 'plugins', seq, record }, 'plugin_update', caller, {
      plugin: submitted(fields, publicPlugin(record)),
    });
    await this.#afterSwitch(fields, record.enabled, {
      reason: `Plugin '${record.title}' has been disabled.`,
      isOf: (item) => item.plugin === record.id,
    });
    return warnings;
  }

  async deletePlugin(id: string, caller: Caller): Promise<void> {
    const plugin = planPluginDeletion(id, this.#deps.office.state);
    await this.#commit({ type: 'delete', table: 'plugins', id }, 'plugin_delete', caller, {
      plugin: publicPlugin(plugin),
    });
  }

  /** Answers the id. */
  async createServerGroup(fields: Fields, caller: Caller): Promise<string> {
    const record = planServerGroupCreation(fields, this.#context('g', caller));
    const seq = this.#deps.office.state.server_groups.nextSeq;
    await this.#commit({ type: 'put', table: 'server_groups', seq, record }, 'group_create', caller, {
      group: record,
    });
    this.#deps.onRoom();
    return record.id;
  }

  async updateServerGroup(fields: Fields, caller: Caller): Promise<void> {
    const { state } = this.#deps.office;
    const record = planServerGroupUpdate(fields, state);
    const seq = state.server_groups.entry(record.id)?.seq ?? state.server_groups.nextSeq;
    await this.#commit({ type: 'put', table: 'server_groups', seq, record }, 'group_update', caller, {
      group: record,
    });
    this.#deps.onRoom();
  }

  async deleteServerGroup(id: string, caller: Caller): Promise<void> {
    const group = planServerGroupDeletion(id, this.#deps.office.state);
    await this.#commit({ type: 'delete', table: 'server_groups', id }, 'group_delete', caller, { group });
  }

  /** Answers the key: the only time it is known in clear, unless the caller chose it. */
  async createApiKey(fields: Fields, caller: Caller): Promise<{ id: string; key: string }> {
    const { office, digest } = this.#deps;
    const key = textOf(fields, 'key') ?? office.random.hex(16);
    const record = planApiKeyCreation(fields, digest.sha256(key), this.#context('k', caller));
    const seq = office.state.api_keys.nextSeq;
    await this.#commit({ type: 'put', table: 'api_keys', seq, record }, 'apikey_create', caller, {
      api_key: publicApiKey(record),
      changed_by: caller.id,
    });
    return { id: record.id, key };
  }

  async updateApiKey(fields: Fields, caller: Caller): Promise<void> {
    const { office, digest } = this.#deps;
    const key = textOf(fields, 'key');
    const hash = key === undefined ? undefined : digest.sha256(key);
    const record = planApiKeyUpdate(fields, hash, this.#context('k', caller));
    const seq = office.state.api_keys.entry(record.id)?.seq ?? office.state.api_keys.nextSeq;
    await this.#commit({ type: 'put', table: 'api_keys', seq, record }, 'apikey_update', caller, {
      api_key: { ...publicApiKey(record), ...(key === undefined ? {} : { key_changed: 1 }) },
      changed_by: caller.id,
    });
  }

  async deleteApiKey(id: string, caller: Caller): Promise<void> {
    const record = planApiKeyDeletion(id, this.#deps.office.state);
    await this.#commit({ type: 'delete', table: 'api_keys', id }, 'apikey_delete', caller, {
      api_key: publicApiKey(record),
      changed_by: caller.id,
    });
  }

  /** What a changed category or plugin means for its jobs and events. */
  async #afterSwitch(
    fields: Fields,
    enabled: 0 | 1,
    about: { reason: string; isOf: (item: { category: string; plugin: string }) => boolean },
  ): Promise<void> {
    const { office, abortAll, catchUp, onRoom } = this.#deps;
    const { state } = office;
    if (!enabled && fields['abort_jobs']) {
      const jobs = [...state.jobs.values()].filter(
        (job) => about.isOf(job.fields) && !job.fields['detached'],
      );
      await abortAll(jobs, { reason: about.reason, kind: 'disabled' });
    }
    if (enabled) onRoom();
    if (!fields['enabled']) return;
    for (const event of state.events.newestFirst()) {
      if (event.catch_up && event.enabled && about.isOf(event)) catchUp(event.id);
    }
  }

  /**
   * One commit of the change and its note. `api_key` in the note is who did it, except where a key is what was changed
   * (behaviour reference 3.6): there `changed_by` says who.
   */
  #commit(
    change: Change,
    action: string,
    caller: Caller,
    data: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const { office } = this.#deps;
    return office.journal.commit([change, activityChange(office, action, caller, data)]);
  }

  #context(prefix: IdPrefix, caller: Caller) {
    const { state, clock, newId } = this.#deps.office;
    return { state, caller, nowSec: Math.floor(clock.nowMs() / 1000), newId: () => newId(prefix) };
  }
}

/** What a request changed, as it was stored, and of which record. */
function submitted(fields: Fields, record: { id: string; title: string; modified: number }): Fields {
  const stored = Object.entries(record).filter(([name]) => Object.hasOwn(fields, name));
  const { id, title, modified } = record;
  return { ...Object.fromEntries(stored), id, title, modified };
}

function textOf(fields: Fields, name: string): string | undefined {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  return typeof value === 'string' ? value : undefined;
}
