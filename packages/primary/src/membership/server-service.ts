import { type CallAnswer, CarillonError } from '@carillon/contract';
import { type Caller, groupsOfServer } from '@carillon/core';
import { activityChange } from '../catalog/activity-change.js';
import type { OfficeContext } from '../office/context.js';
import type { Journal } from '../office/journal.js';
import type { WorkerEntry, WorkerRegistry } from './worker-registry.js';

export type ServerView = CallAnswer<'get_servers'>['servers'][string];

export interface DrainOptions {
  /** True: a new worker process takes its place. */
  restart: boolean;
  /** Seconds running jobs get to finish; the worker's own setting when undefined. */
  graceSec: number | undefined;
}

export interface ServerDeps {
  office: Pick<OfficeContext, 'state' | 'clock' | 'settings'> & { journal: Pick<Journal, 'commit'> };
  registry: WorkerRegistry;
  /** Takes a server that has no jobs off the records. */
  forget: (entry: WorkerEntry) => void;
}

/** What administrators see of the workers and may do with them (behaviour reference 2.3). */
export class ServerService {
  readonly #deps: ServerDeps;

  constructor(deps: ServerDeps) {
    this.#deps = deps;
  }

  /** All workers; where several share a host name all but the first known have their id in the key. */
  list(): Map<string, ServerView> {
    const views = new Map<string, ServerView>();
    for (const entry of this.#deps.registry.all()) {
      const { id, hostname } = entry.record;
      views.set(views.has(hostname) ? `${hostname} (${id})` : hostname, this.#view(entry));
    }
    return views;
  }

  /**
   * Tells a worker to take no more jobs and to end with its last one. Resolves when the request is noted. Throws
   * CarillonError 1 when it is unknown or not connected, and `server` when several have that name.
   */
  async drain(name: string, options: DrainOptions, caller: Caller): Promise<void> {
    const entry = this.#find(name);
    const link = entry?.link;
    if (entry === undefined || link === undefined) {
      throw new CarillonError(1, `Could not locate server: ${name}`);
    }
    const { restart, graceSec } = options;
    // At once: no job is to be sent there while the message is on its way.
    entry.draining = true;
    link.send({ type: 'drain', restart, ...(graceSec === undefined ? {} : { graceSec }) });
    await this.#note(restart ? 'server_restart' : 'server_shutdown', entry, caller);
  }

  /** Throws CarillonError `server` when there is no such server, it has jobs or is connected. */
  async remove(name: string, caller: Caller): Promise<void> {
    const entry = this.#find(name);
    if (entry === undefined) throw refusal(`Server not found in cluster: ${name}`);
    if (this.#deps.office.state.countJobsOfNode(entry.record.id) > 0) {
      throw refusal('Failed to remove server: Still has running jobs');
    }
    if (entry.link !== undefined) {
      throw refusal('Failed to remove server: Still connected; shut it down first');
    }
    this.#deps.forget(entry);
    await this.#note('server_remove', entry, caller);
  }

  /** By id, else by host name. */
  #find(name: string): WorkerEntry | undefined {
    const { registry } = this.#deps;
    const byId = registry.get(name);
    if (byId !== undefined) return byId;
    const hostname = name.toLowerCase();
    const named = [...registry.all()].filter((entry) => entry.record.hostname === hostname);
    if (named.length > 1) {
      const ids = named.map((entry) => entry.record.id).join(', ');
      throw refusal(`Several servers are called ${hostname}. Give one of the IDs: ${ids}`);
    }
    return named[0];
  }

  #view(entry: WorkerEntry): ServerView {
    const { state, clock } = this.#deps.office;
    const { record, cpu, mem } = entry;
    return {
      id: record.id,
      hostname: record.hostname,
      ip: record.ip,
      master: record.master,
      groups: groupsOfServer(record, state.server_groups.newestFirst()),
      slots: record.slots,
      active_jobs: state.countJobsOfNode(record.id),
      draining: entry.draining ? 1 : 0,
      health: entry.health,
      disabled: entry.link === undefined ? 1 : 0,
      uptime: Math.floor((clock.monotonicMs() - entry.knownSinceMs) / 1000),
      data: { cpu, mem },
      created: record.created,
    };
  }

  #note(action: string, { record }: WorkerEntry, caller: Caller): Promise<void> {
    const { office } = this.#deps;
    const { id, hostname, ip } = record;
    return office.journal.commit([activityChange(office, action, caller, { id, hostname, ip })]);
  }
}

const refusal = (text: string) => new CarillonError('server', text);
