import type { PrimaryMessage, ServerRecord, WorkerHello } from '@carillon/contract';
import {
  type ChannelLink,
  type Member,
  type MemberHealth,
  memberHealth,
  type SilenceLimits,
} from '@carillon/core';

/** A worker as the primary sees it. */
export interface WorkerEntry {
  record: ServerRecord;
  /** Of the last hello; undefined until the worker has said hello in this term. */
  boot: string | undefined;
  /** Of its program; undefined like `boot`. */
  version: string | undefined;
  link: ChannelLink<PrimaryMessage> | undefined;
  /** Monotonic time of the last sign of life. */
  heardAtMs: number;
  /** Monotonic time since which this boot of it is known. */
  knownSinceMs: number;
  health: MemberHealth;
  draining: boolean;
  /** The worker process itself: percent of one core, bytes. */
  cpu: number;
  mem: number;
}

/** Workers by node id. Knows who is there; decides nothing about jobs. */
export class WorkerRegistry {
  readonly #workers = new Map<string, WorkerEntry>();
  readonly #limits: SilenceLimits;

  constructor(limits: SilenceLimits) {
    this.#limits = limits;
  }

  get(id: string): WorkerEntry | undefined {
    return this.#workers.get(id);
  }

  all(): IterableIterator<WorkerEntry> {
    return this.#workers.values();
  }

  /** A worker known from an earlier term counts as alive for as long as it may take to come back. */
  remember(record: ServerRecord, nowMs: number): void {
    this.#workers.set(record.id, {
      record,
      boot: undefined,
      version: undefined,
      link: undefined,
      heardAtMs: nowMs,
      knownSinceMs: nowMs,
      health: 'alive',
      draining: false,
      cpu: 0,
      mem: 0,
    });
  }

  /** Registers the worker behind a new link; an older link of the same node is closed. */
  join(
    hello: WorkerHello,
    link: ChannelLink<PrimaryMessage>,
    record: ServerRecord,
    nowMs: number,
  ): WorkerEntry {
    const old = this.#workers.get(record.id);
    old?.link?.close('replaced by a newer connection');
    const entry: WorkerEntry = {
      record,
      boot: hello.node.boot,
      version: hello.node.version,
      link,
      heardAtMs: nowMs,
      knownSinceMs: old?.boot === hello.node.boot ? old.knownSinceMs : nowMs,
      health: 'alive',
      draining: hello.draining,
      cpu: old?.cpu ?? 0,
      mem: old?.mem ?? 0,
    };
    this.#workers.set(record.id, entry);
    return entry;
  }

  remove(id: string): void {
    this.#workers.delete(id);
  }

  /** Updates the health of all workers; returns those whose health changed. */
  review(nowMs: number): WorkerEntry[] {
    const changed: WorkerEntry[] = [];
    for (const worker of this.#workers.values()) {
      const health = memberHealth(nowMs - worker.heardAtMs, this.#limits);
      if (health === worker.health) continue;
      worker.health = health;
      changed.push(worker);
    }
    return changed;
  }

  /** All workers as the launch rules see them. */
  members(): Member[] {
    const members: Member[] = [];
    for (const { record, health, draining, cpu, mem } of this.#workers.values()) {
      const available = health === 'alive' && !draining;
      const { id, hostname, groups, slots } = record;
      members.push({ id, hostname, groups, slots, available, cpu, mem });
    }
    return members;
  }
}
