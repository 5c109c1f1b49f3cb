import type { JobResult, RunRef, Ticket } from '@carillon/contract';

/** Something that runs until it is closed. */
export interface Consumer {
  /** Takes nothing new, waits for handlers in progress, then resolves. */
  close(): Promise<void>;
}

/**
 * Durable messages between primary and workers: at least once, in no particular order. A message is gone
 * only after its handler has resolved; a handler that rejects or dies gets the message again. A second add
 * of the same result while the first is still queued changes nothing; a ticket may then come twice.
 */
export interface JobQueue {
  /** Adds a work order to a node's own queue. */
  addTicket(node: string, ticket: Ticket): Promise<void>;
  /** Removes whatever is queued for a node that is gone for good. */
  discardTickets(node: string): Promise<void>;
  addResult(result: JobResult): Promise<void>;
  /** True while a result of this run is queued or being handled. */
  hasResult(run: RunRef): Promise<boolean>;
  /** Handles results, up to `concurrency` at a time. For the primary only. */
  consumeResults(handler: (result: JobResult) => Promise<void>, concurrency: number): Consumer;
}

/** The worker's side: its own queue of work orders. */
export interface TicketSource {
  /** The handler claims and starts; it must resolve in milliseconds, not when the job ends. */
  consumeTickets(node: string, handler: (ticket: Ticket) => Promise<void>): Consumer;
}

/** The worker's side: where results go. */
export interface ResultSink {
  addResult(result: JobResult): Promise<void>;
}

/**
 * Hints that a delivery of the outbox is due: at least once, in no particular order; what is true is in the outbox.
 * A handler that rejects gets the hint again after a wait that grows with each time.
 */
export interface DeliveryQueue {
  /** Adding an id that is still queued changes nothing. */
  addDelivery(id: string): Promise<void>;
  /** Handles hints, up to `concurrency` at a time. For the primary only. */
  consumeDeliveries(handler: (id: string) => Promise<void>, concurrency: number): Consumer;
}
