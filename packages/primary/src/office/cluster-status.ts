import type { EventRecord, JobFields } from '@carillon/contract';
import type { PrimaryInfo } from '@carillon/core';
import type { WorkerEntry, WorkerRegistry } from '../membership/worker-registry.js';
import type { OfficeContext } from './context.js';

export interface StatusDeps {
  office: Pick<OfficeContext, 'state' | 'clock' | 'settings' | 'session'> & {
    store: Pick<OfficeContext['store'], 'checkHealth'>;
  };
  registry: WorkerRegistry;
  /** How this node is announced. */
  candidate: Omit<PrimaryInfo, 'term'>;
}

/** What a caller may see of the cluster. */
export interface StatusView {
  isVisible: (object: Pick<EventRecord | JobFields, 'category' | 'target'>) => boolean;
  /** Also each server by itself. */
  withNodes: boolean;
}

/** A store that answers later is as good as down for an answer about it. */
const storeTimeoutMs = 3_000;

/** How the cluster is, and what clients may know of its settings (behaviour reference 1.8, 2.3). */
export class ClusterStatus {
  readonly #deps: StatusDeps;
  readonly #sinceMs: number;

  constructor(deps: StatusDeps) {
    this.#deps = deps;
    this.#sinceMs = deps.office.clock.monotonicMs();
  }

  /** Resolves within a few seconds whatever the store does; never rejects. */
  async read(view: StatusView): Promise<Record<string, unknown>> {
    const store = await this.#store();
    const { office, candidate } = this.#deps;
    const { clock, state, settings } = office;
    const now = clock.nowMs() / 1000;
    const lastTick = state.tickMinute ?? 0;
    return {
      version: settings.notices.version,
      hostname: candidate.hostname,
      now,
      uptime: Math.floor((clock.monotonicMs() - this.#sinceMs) / 1000),
      last_tick: lastTick,
      tick_age: lastTick === 0 ? 0 : Math.max(0, now - lastTick),
      enabled: state.enabled,
      primary: { id: candidate.id, url: candidate.url, term: office.session.term },
      store,
      ...this.#serverFacts(view.withNodes),
      ...this.#counts(view),
      deliveries_waiting: state.deliveries.size,
    };
  }

  /** What clients may need to know of the settings; nothing that is secret, and nothing of single machines. */
  config(): Record<string, unknown> {
    const { candidate, office } = this.#deps;
    const { accounts, notices, ...settings } = office.settings;
    return {
      version: notices.version,
      master_hostname: candidate.hostname,
      config: {
        name: 'Carillon',
        base_app_url: notices.baseAppUrl,
        base_api_uri: '/api',
        default_privileges: accounts.defaultPrivileges,
        session_expire_days: accounts.sessionExpireDays,
        free_accounts: 0,
        external_users: 0,
        job_data_expire_days: settings.expireDays,
        list_row_max: settings.historyRows,
        max_jobs: settings.maxJobs,
        timezone: settings.timezone,
      },
    };
  }

  async #store(): Promise<{ ready: 0 | 1; latency_ms: number }> {
    const { clock, store } = this.#deps.office;
    const startedMs = clock.monotonicMs();
    const isReady = await new Promise<boolean>((resolve) => {
      const cancelTimer = clock.after(storeTimeoutMs, () => resolve(false));
      store
        .checkHealth()
        .then(
          () => resolve(true),
          () => resolve(false),
        )
        .finally(cancelTimer);
    });
    return { ready: isReady ? 1 : 0, latency_ms: Math.round(clock.monotonicMs() - startedMs) };
  }

  #serverFacts(withNodes: boolean): Record<string, unknown> {
    const entries = [...this.#deps.registry.all()];
    const count = (wanted: (entry: WorkerEntry) => boolean) => entries.filter(wanted).length;
    const versions = new Map<string, number>();
    for (const { version = 'unknown' } of entries) versions.set(version, (versions.get(version) ?? 0) + 1);
    const { state } = this.#deps.office;
    const nodes = entries.map(({ record, version, health, draining, link }) => ({
      id: record.id,
      hostname: record.hostname,
      master: record.master,
      version: version ?? 'unknown',
      health,
      draining: draining ? 1 : 0,
      disabled: link === undefined ? 1 : 0,
      active_jobs: state.countJobsOfNode(record.id),
    }));
    return {
      servers: {
        total: entries.length,
        ready: count(({ health, draining, link }) => health === 'alive' && !draining && link !== undefined),
        draining: count(({ draining }) => draining),
        silent: count(({ health }) => health === 'silent'),
        lost: count(({ health }) => health === 'lost'),
      },
      versions: Object.fromEntries(versions),
      ...(withNodes ? { nodes } : {}),
    };
  }

  #counts({ isVisible }: StatusView): Record<string, unknown> {
    const { state } = this.#deps.office;
    let [events, enabled] = [0, 0];
    for (const event of state.events.newestFirst()) {
      if (!isVisible(event)) continue;
      events += 1;
      if (event.enabled) enabled += 1;
    }
    const jobs = new Map<string, number>();
    for (const job of state.jobs.values()) {
      if (isVisible(job.fields)) jobs.set(job.state, (jobs.get(job.state) ?? 0) + 1);
    }
    return { events, events_enabled: enabled, jobs: Object.fromEntries(jobs) };
  }
}
