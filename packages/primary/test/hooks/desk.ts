import type { Delivery, DeliveryRow } from '@carillon/contract';
import { MemoryLease, MemoryStore } from '@carillon/adapters';
import {
  type ActivityEntry,
  type Clock,
  createIdSource,
  defaultAccountSettings,
  defaultNoticeSettings,
  type JobQueue,
  type LogArchive,
  type Logger,
  planCompletionNotices,
  planStartNotices,
  type Session,
  type Store,
} from '@carillon/core';
import { jobOf, SeededRandom } from '@carillon/testkit';
import { DeliveryService, type OutboundPorts } from '../../src/hooks/delivery-service.js';
import { noticeContext } from '../../src/hooks/notice-context.js';
import type { OfficeContext } from '../../src/office/context.js';
import { createDayOf } from '../../src/office/day.js';
import { Journal } from '../../src/office/journal.js';
import type { OfficeWorld } from '../support/office-world.js';

export const hookUrl = 'http://hook.test/x';

/** What an office stands on. */
export interface DeskParts {
  session: Session;
  store: Store;
  queue: JobQueue;
  archive: LogArchive;
  clock: Clock;
  log: Logger;
}

/** The context of an office, its state loaded. `onFailure` is called when a write fails. */
export async function officeOver(
  parts: DeskParts,
  settings: Partial<OfficeContext['settings']> = {},
  onFailure: () => void = () => undefined,
): Promise<OfficeContext> {
  const { session, store, queue, archive, clock, log } = parts;
  const state = await store.load(session);
  const random = new SeededRandom(session.term);
  const dayOf = createDayOf('UTC');
  return {
    session,
    store,
    queue,
    archive,
    clock,
    log,
    state,
    journal: new Journal(store, session, state, onFailure),
    random,
    settings: { ...plainSettings, ...settings },
    newId: createIdSource(clock, random),
    today: () => dayOf(clock.nowMs()),
  };
}

/** An office of one term with nothing in it but the deliveries. */
export class Desk {
  readonly office: OfficeContext;
  readonly service: DeliveryService;

  constructor(office: OfficeContext, outbound: OutboundPorts) {
    this.office = office;
    this.service = new DeliveryService(office, outbound);
  }

  start(): this {
    this.service.start();
    return this;
  }

  /** A web hook of a job that was started. */
  hook(url = hookUrl, retries?: number): Delivery {
    const fields = { ...jobOf('j1').fields, web_hook: url };
    return withRetries(only(planStartNotices(fields, noticeContext(this.office))), retries);
  }

  /** An e-mail about a job that failed. */
  mail(to = 'a@example.com'): Delivery {
    const fields = { ...jobOf('j1').fields, code: 1, notify_fail: to };
    return only(planCompletionNotices(fields, { failMail: true }, noticeContext(this.office)));
  }

  /** Stores deliveries. */
  async put(...deliveries: Delivery[]): Promise<void> {
    await this.office.journal.commit(deliveries.map((delivery) => ({ type: 'delivery', delivery })));
  }

  async rows(): Promise<DeliveryRow[]> {
    return (await this.office.store.readDeliveries(0, 1000)).rows;
  }

  async activity(): Promise<ActivityEntry[]> {
    return (await this.office.store.readActivity(0, 1000)).rows;
  }

  /** Ids in the outbox. */
  outbox(): string[] {
    return [...this.office.state.deliveries.keys()];
  }
}

/** A desk in memory. */
export class WorldDesk extends Desk {
  readonly store: MemoryStore;
  readonly #world: OfficeWorld;
  readonly #end: () => void;

  private constructor(office: OfficeContext, store: MemoryStore, world: OfficeWorld, end: () => void) {
    super(office, outboundOf(world));
    this.store = store;
    this.#world = world;
    this.#end = end;
  }

  /** Begins a new term, which ends the one before. */
  static async open(
    world: OfficeWorld,
    settings: Partial<OfficeContext['settings']> = {},
  ): Promise<WorldDesk> {
    world.leaseBoard.expire();
    const lease = new MemoryLease(world.leaseBoard);
    const node = { id: 'p1', hostname: 'p1', url: 'http://p1' };
    const answer = await lease.acquire(`t${world.leaseBoard.term}`, node, 600_000_000);
    if (!answer.held) throw new Error('the lease was not free');
    const controller = new AbortController();
    const session = { term: answer.term, signal: controller.signal };
    const store = new MemoryStore(world.storeBoard);
    const end = (): void => controller.abort();
    const office = await officeOver({ ...world, session, store }, settings, end);
    return new WorldDesk(office, store, world, end);
  }

  /** Stores deliveries and lets happen what then happens. */
  override async put(...deliveries: Delivery[]): Promise<void> {
    await super.put(...deliveries);
    await this.#world.settle();
  }

  /** As when the lease is lost: nothing can be written any more. */
  lose(): void {
    this.#end();
  }
}

const outboundOf = ({ queue, hooks, mailer }: OfficeWorld): OutboundPorts => ({ queue, hooks, mailer });

const plainSettings: OfficeContext['settings'] = {
  lateWindowSec: 90,
  timezone: 'UTC',
  expireDays: 180,
  historyRows: 1000,
  maxJobs: 0,
  eventUpdatesFromJobs: false,
  manualJobsTracked: false,
  silentAfterMs: 3_000,
  deadJobTimeoutMs: 120_000,
  maxEmailsPerDay: 0,
  accounts: defaultAccountSettings,
  notices: defaultNoticeSettings({
    version: 'test',
    hostname: 'p1',
    zone: 'UTC',
    baseAppUrl: 'http://cron.test',
  }),
};

function only(deliveries: Delivery[]): Delivery {
  const [delivery] = deliveries;
  if (delivery === undefined) throw new Error('nothing was planned');
  return delivery;
}

function withRetries(delivery: Delivery, retries: number | undefined): Delivery {
  if (delivery.type !== 'hook' || retries === undefined) return delivery;
  return { ...delivery, options: { ...delivery.options, retries } };
}
