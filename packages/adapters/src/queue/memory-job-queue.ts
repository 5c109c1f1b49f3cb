import { type JobResult, type RunRef, runId, type Ticket } from '@carillon/contract';
import type { Clock, Consumer, DeliveryQueue, JobQueue, ResultSink, TicketSource } from '@carillon/core';

type Handler<Message> = (message: Message) => Promise<void>;

interface Taker<Message> {
  handler: Handler<Message>;
  concurrency: number;
  busy: number;
  closed: boolean;
  /** Calls of `close` waiting for handlers in progress. */
  idle: (() => void)[];
}

/** One queue: messages by id, in order of arrival. */
class Board<Message> {
  readonly #clock: Clock;
  /** Wait after a message failed that many times. */
  readonly #retryMs: (failures: number) => number;
  /** Every message that is not gone, also one that is being handled. */
  readonly #messages = new Map<string, { text: string; failures: number }>();
  readonly #waiting: string[] = [];
  readonly #takers = new Set<Taker<Message>>();

  constructor(clock: Clock, retryMs: (failures: number) => number) {
    this.#clock = clock;
    this.#retryMs = retryMs;
  }

  add(id: string, message: Message): void {
    if (this.#messages.has(id)) return;
    this.#messages.set(id, { text: JSON.stringify(message), failures: 0 });
    this.#waiting.push(id);
    this.#deal();
  }

  has(id: string): boolean {
    return this.#messages.has(id);
  }

  clear(): void {
    this.#messages.clear();
    this.#waiting.length = 0;
  }

  consume(handler: Handler<Message>, concurrency: number): Consumer {
    const taker: Taker<Message> = { handler, concurrency, busy: 0, closed: false, idle: [] };
    this.#takers.add(taker);
    this.#deal();
    return {
      close: async () => {
        taker.closed = true;
        this.#takers.delete(taker);
        if (taker.busy > 0) await new Promise<void>((resolve) => taker.idle.push(resolve));
      },
    };
  }

  #deal(): void {
    for (const taker of this.#takers) {
      while (taker.busy < taker.concurrency) {
        const id = this.#waiting.shift();
        if (id === undefined) return;
        taker.busy += 1;
        void this.#handle(taker, id);
      }
    }
  }

  async #handle(taker: Taker<Message>, id: string): Promise<void> {
    // Handlers never run inside the call that added the message.
    await Promise.resolve();
    const message = this.#messages.get(id);
    try {
      if (message !== undefined && !taker.closed) {
        await taker.handler(JSON.parse(message.text));
        // The same id may have been discarded and added again meanwhile; that one is another message.
        if (this.#messages.get(id) === message) this.#messages.delete(id);
      } else if (message !== undefined) this.#waiting.unshift(id);
    } catch {
      const failures = (message?.failures ?? 0) + 1;
      if (message !== undefined) message.failures = failures;
      this.#clock.after(this.#retryMs(failures), () => this.#again(id));
    }
    taker.busy -= 1;
    if (taker.busy === 0) for (const resolve of taker.idle.splice(0)) resolve();
    this.#deal();
  }

  #again(id: string): void {
    if (!this.#messages.has(id) || this.#waiting.includes(id)) return;
    this.#waiting.push(id);
    this.#deal();
  }
}

export interface MemoryJobQueueOptions {
  clock: Clock;
  /** Wait after a handler rejected; for deliveries the first wait, doubled each time up to a minute. */
  retryMs?: number;
}

/**
 * The same promises within one process: give one instance to the primary and to all workers. Messages are copied, so
 * that nobody shares objects; handlers run in order of arrival, one microtask after the add.
 */
export class MemoryJobQueue implements JobQueue, TicketSource, ResultSink, DeliveryQueue {
  readonly #options: MemoryJobQueueOptions;
  readonly #tickets = new Map<string, Board<Ticket>>();
  readonly #results: Board<JobResult>;
  readonly #deliveries: Board<string>;

  constructor(options: MemoryJobQueueOptions) {
    this.#options = options;
    this.#results = this.#board();
    const firstMs = options.retryMs ?? 1_000;
    this.#deliveries = new Board(options.clock, (failures) =>
      Math.min(60_000, firstMs * 2 ** (failures - 1)),
    );
  }

  addTicket(node: string, ticket: Ticket): Promise<void> {
    this.#ticketsOf(node).add(runId(ticket), ticket);
    return Promise.resolve();
  }

  discardTickets(node: string): Promise<void> {
    this.#tickets.get(node)?.clear();
    return Promise.resolve();
  }

  addResult(result: JobResult): Promise<void> {
    this.#results.add(runId(result), result);
    return Promise.resolve();
  }

  hasResult(run: RunRef): Promise<boolean> {
    return Promise.resolve(this.#results.has(runId(run)));
  }

  consumeResults(handler: (result: JobResult) => Promise<void>, concurrency: number): Consumer {
    return this.#results.consume(handler, concurrency);
  }

  addDelivery(id: string): Promise<void> {
    this.#deliveries.add(id, id);
    return Promise.resolve();
  }

  consumeDeliveries(handler: (id: string) => Promise<void>, concurrency: number): Consumer {
    return this.#deliveries.consume(handler, concurrency);
  }

  consumeTickets(node: string, handler: (ticket: Ticket) => Promise<void>): Consumer {
    return this.#ticketsOf(node).consume(handler, 50);
  }

  #ticketsOf(node: string): Board<Ticket> {
    let board = this.#tickets.get(node);
    if (board === undefined) {
      board = this.#board();
      this.#tickets.set(node, board);
    }
    return board;
  }

  #board<Message>(): Board<Message> {
    return new Board<Message>(this.#options.clock, () => this.#options.retryMs ?? 100);
  }
}
