import {
  type Cancel,
  type Clock,
  type ClusterChannel,
  type Digest,
  type JobQueue,
  type Lease,
  type LogArchive,
  type Logger,
  type PasswordHasher,
  type PrimaryInfo,
  type Random,
  type Store,
} from '@carillon/core';
import type { OutboundPorts } from './hooks/delivery-service.js';
import { Candidacy } from './leadership/candidacy.js';
import type { Standing } from './office.js';
import type { LeaderOffice } from './office/leader-office.js';
import type { Meter } from './office/meter.js';
import type { OfficeSettings } from './office/settings.js';
import { takeOffice } from './office/take-office.js';

export interface PrimaryDeps {
  lease: Lease;
  store: Store;
  queue: JobQueue;
  archive: LogArchive;
  outbound: OutboundPorts;
  channel: ClusterChannel;
  clock: Clock;
  random: Random;
  digest: Digest;
  passwords: PasswordHasher;
  log: Logger;
  /** Counts what this node does as the primary. */
  meter?: Meter;
  /** How this node is announced while it is the primary. */
  candidate: Omit<PrimaryInfo, 'term'>;
  leaseTtlMs: number;
  settings: OfficeSettings;
  bootstrapKey: string | undefined;
  onAdminKey: (key: string) => Promise<void>;
}

/** A primary-eligible node: competes for the lease and holds office while it has it. */
export class Primary implements Standing {
  readonly nodeId: string;
  readonly #candidacy: Candidacy;
  readonly #watchers = new Set<(office: LeaderOffice | undefined) => void>();
  #office: LeaderOffice | undefined;

  constructor(deps: PrimaryDeps) {
    this.nodeId = deps.candidate.id;
    this.#candidacy = new Candidacy({
      lease: deps.lease,
      clock: deps.clock,
      random: deps.random,
      log: deps.log,
      candidate: deps.candidate,
      ttlMs: deps.leaseTtlMs,
      takeOffice: async (session) => {
        const open = await takeOffice(session, {
          ...deps,
          firstRun: {
            digest: deps.digest,
            hostname: deps.candidate.hostname,
            bootstrapKey: deps.bootstrapKey,
            onAdminKey: deps.onAdminKey,
          },
          onWriteFailure: (reason) => this.#candidacy.abandon(session, reason),
          leave: (quietMs) => this.#candidacy.stepDown(quietMs),
        });
        this.#setOffice(open.office);
        deps.log.log('info', 'The API is served by this node', { term: session.term });
        return {
          close: async () => {
            this.#setOffice(undefined);
            await open.close();
          },
        };
      },
    });
  }

  /** Resolves when it is known who the primary is, if the store could tell. */
  start(): Promise<void> {
    return this.#candidacy.start();
  }

  /** Hands over and stops; resolves when nothing runs any more. */
  stop(): Promise<void> {
    return this.#candidacy.stop();
  }

  /** Makes way for another node; competes again after `quietMs`. */
  stepDown(quietMs: number): Promise<void> {
    return this.#candidacy.stepDown(quietMs);
  }

  /** The office, while this node may trust its lease. */
  office(): LeaderOffice | undefined {
    return this.#candidacy.trustedSession() === undefined ? undefined : this.#office;
  }

  primary(): PrimaryInfo | undefined {
    return this.#candidacy.holder();
  }

  /** Calls with each office taken, and with undefined when it is left. */
  observe(watcher: (office: LeaderOffice | undefined) => void): Cancel {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  #setOffice(office: LeaderOffice | undefined): void {
    this.#office = office;
    for (const watcher of this.#watchers) watcher(office);
  }
}
