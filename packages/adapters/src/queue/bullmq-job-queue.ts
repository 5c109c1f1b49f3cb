import { createHash } from 'node:crypto';
import { type JobResult, type RunRef, runId, type Ticket } from '@carillon/contract';
import type {
  Clock,
  Consumer,
  DeliveryQueue,
  JobQueue,
  Logger,
  ResultSink,
  TicketSource,
} from '@carillon/core';
import { type JobsOptions, Queue } from 'bullmq';
import type { Cluster, Redis } from 'ioredis';
import { RationedLog } from '../logger/rationed-log.js';
import type { ReplicaConfirmation } from '../redis/replica-confirmation.js';
import { Slots } from '../slots.js';
import { TicketBatches } from './ticket-batches.js';
import { BullmqConsumer, defaultRedelivery, type RedeliverySettings } from './bullmq-consumer.js';

export interface BullmqJobQueueOptions {
  /** For adding and asking: a connection whose commands fail soon when Redis is away. Stays the caller's. */
  commands: Redis | Cluster;
  /**
   * For consuming: a connection that never gives up (`maxRetriesPerRequest: null`, no time limits). Consumers
   * duplicate it, two connections each; it may be lazy.
   */
  consumers: Redis | Cluster;
  /** Of all keys; with Redis Cluster one hash tag, such as `{carillon}`. */
  prefix: string;
  clock: Clock;
  log: Logger;
  /** How it is made sure that an added result lasts; the caller's, over `commands`. Without, by nothing more. */
  confirmation?: ReplicaConfirmation;
  /** For all queues; what is not given is the default of each. */
  redelivery?: Partial<RedeliverySettings>;
}

/** Tickets a worker handles at one time: claims wait for Redis, not for each other. */
const ticketsAtOnce = 50;
const resultsQueue = 'results';
const deliveriesQueue = 'deliveries';
const ticketQueue = (node: string): string => `node-${node}`;

/** Attempts are for ever: a handler that rejects means that Redis or the primary is in trouble, not the message. */
const messageOptions = {
  attempts: 1_000_000_000,
  backoff: { type: 'custom' },
  removeOnComplete: true,
  removeOnFail: true,
  stackTraceLimit: 1,
} as const satisfies JobsOptions;

/** The same for the same tickets. */
function messageId(tickets: readonly Ticket[]): string {
  const ids = tickets.map(runId);
  if (ids.length === 1) return ids[0] ?? '';
  return `${ids.length}-${createHash('sha256').update(ids.join(' ')).digest('base64url')}`;
}

/** Whoever did not take a delivery is left in peace for a while. */
const deliveryWaits = { firstRetryMs: 1_000, longestRetryMs: 60_000 } as const;

/**
 * Messages over BullMQ: one queue of tickets per node, one of results, one of deliveries. The id of a message is that
 * of its run or delivery, so that a second add changes nothing while the first is queued; tickets that are added
 * together travel as one message, whose id stands for these. All queues share the `commands` connection.
 */
export class BullmqJobQueue implements JobQueue, TicketSource, ResultSink, DeliveryQueue {
  readonly #options: BullmqJobQueueOptions;
  readonly #log: RationedLog;
  readonly #queues = new Map<string, Queue>();
  readonly #consumers = new Set<Consumer>();
  readonly #batches = new TicketBatches(ticketsAtOnce, (node, tickets) => this.#addTickets(node, tickets));

  constructor(options: BullmqJobQueueOptions) {
    this.#options = options;
    this.#log = new RationedLog(options.log, options.clock);
    // Not 0: BullMQ adds to the limit.
    options.commands.setMaxListeners(Number.POSITIVE_INFINITY);
  }

  async addTicket(node: string, ticket: Ticket): Promise<void> {
    await this.#batches.add(node, ticket);
  }

  async #addTickets(node: string, tickets: readonly Ticket[]): Promise<void> {
    const options = { ...messageOptions, jobId: messageId(tickets) };
    await this.#queue(ticketQueue(node)).add('tickets', tickets, options);
  }

  async discardTickets(node: string): Promise<void> {
    const name = ticketQueue(node);
    const queue = this.#queue(name);
    await queue.obliterate({ force: true });
    this.#queues.delete(name);
    await queue.close();
  }

  async addResult(result: JobResult): Promise<void> {
    const add = () =>
      this.#queue(resultsQueue).add('result', result, { ...messageOptions, jobId: runId(result) });
    await (this.#options.confirmation?.confirmed(add) ?? add());
  }

  /** A message's record exists exactly from its add to the end of its handler. */
  async hasResult(run: RunRef): Promise<boolean> {
    return (await this.#options.commands.exists(this.#queue(resultsQueue).toKey(runId(run)))) === 1;
  }

  consumeResults(handler: (result: JobResult) => Promise<void>, concurrency: number): Consumer {
    return this.#consume(resultsQueue, handler, concurrency);
  }

  async addDelivery(id: string): Promise<void> {
    await this.#queue(deliveriesQueue).add('delivery', { id }, { ...messageOptions, jobId: id });
  }

  consumeDeliveries(handler: (id: string) => Promise<void>, concurrency: number): Consumer {
    return this.#consume<{ id: string }>(
      deliveriesQueue,
      ({ id }) => handler(id),
      concurrency,
      deliveryWaits,
    );
  }

  consumeTickets(node: string, handler: (ticket: Ticket) => Promise<void>): Consumer {
    const name = ticketQueue(node);
    // Discarding pauses the queue first; were it cut off there, a node that returns would wait for ever.
    this.#queue(name)
      .resume()
      .catch((error: unknown) => this.#log.report('warn', `Queue ${name}: could not be resumed`, error));
    const slots = new Slots(ticketsAtOnce);
    return this.#consume<readonly Ticket[]>(
      name,
      async (tickets) => {
        const ends = await Promise.allSettled(tickets.map((ticket) => slots.use(() => handler(ticket))));
        // All of them come again when one does: those that are through are dropped by their claims.
        for (const end of ends) if (end.status === 'rejected') throw end.reason;
      },
      ticketsAtOnce,
    );
  }

  /** Closes all consumers and lets go of the connections given, which stay open. At most five seconds. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.#consumers, (consumer) => consumer.close()));
    const queues = [...this.#queues.values()];
    this.#queues.clear();
    await Promise.all(queues.map((queue) => queue.close()));
  }

  #consume<Message>(
    queue: string,
    handler: (message: Message) => Promise<void>,
    concurrency: number,
    waits: Partial<RedeliverySettings> = {},
  ): Consumer {
    const { consumers: connection, prefix, clock, redelivery } = this.#options;
    const inner = new BullmqConsumer<Message>({
      queue,
      prefix,
      concurrency,
      // A handler that throws at once counts as one that rejects.
      handler: async (message) => handler(message),
      connection,
      redelivery: { ...defaultRedelivery, ...waits, ...redelivery },
      clock,
      log: this.#log,
    });
    const consumer: Consumer = {
      close: async () => {
        await inner.close();
        this.#consumers.delete(consumer);
      },
    };
    this.#consumers.add(consumer);
    return consumer;
  }

  #queue(name: string): Queue {
    const known = this.#queues.get(name);
    if (known !== undefined) return known;
    const queue = new Queue(name, {
      connection: this.#options.commands,
      prefix: this.#options.prefix,
      // With these two a queue made while Redis is away fails its calls and works later; otherwise it is broken
      // for good.
      skipVersionCheck: true,
      skipWaitingForReady: true,
      // Nobody reads BullMQ's event streams; by default each queue keeps 10,000 entries.
      streams: { events: { maxLen: 1 } },
    });
    queue.on('error', (error) => this.#log.report('warn', 'Queues: trouble with Redis', error));
    this.#queues.set(name, queue);
    return queue;
  }
}
