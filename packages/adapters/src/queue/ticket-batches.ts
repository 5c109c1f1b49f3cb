import type { Ticket } from '@carillon/contract';

/** Tickets for one node that were added in one turn of the event loop travel together. */
export class TicketBatches {
  readonly #send: (node: string, tickets: readonly Ticket[]) => Promise<void>;
  readonly #longest: number;
  readonly #open = new Map<string, { tickets: Ticket[]; sent: Promise<void> }>();

  constructor(longest: number, send: (node: string, tickets: readonly Ticket[]) => Promise<void>) {
    this.#longest = longest;
    this.#send = send;
  }

  /** Resolves and rejects as the batch does that the ticket is in. */
  add(node: string, ticket: Ticket): Promise<void> {
    let batch = this.#open.get(node);
    if (batch === undefined || batch.tickets.length >= this.#longest) {
      const tickets: Ticket[] = [];
      batch = { tickets, sent: this.#sendLater(node, tickets) };
      this.#open.set(node, batch);
    }
    batch.tickets.push(ticket);
    return batch.sent;
  }

  async #sendLater(node: string, tickets: Ticket[]): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#open.get(node)?.tickets === tickets) this.#open.delete(node);
    await this.#send(node, tickets);
  }
}
