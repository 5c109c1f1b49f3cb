import type { Delivery } from '@carillon/contract';
import {
  type Cancel,
  type Change,
  type Consumer,
  deliveryRow,
  type DeliveryQueue,
  failureText,
  hostOfUrl,
  isTriedAgain,
  mailCapText,
  type Mailer,
  type SendResult,
  type WebHookSender,
} from '@carillon/core';
import type { OfficeContext } from '../office/context.js';
import { DeliveryLines } from './delivery-lines.js';

/** The ways out. */
export interface OutboundPorts {
  queue: DeliveryQueue;
  hooks: WebHookSender;
  mailer: Mailer;
}

const deliveriesAtOnce = 64;
const perReceiverAtOnce = 4;
const repairEveryMs = 10_000;
/** Longer than the longest wait of the queue: a hint that has not come again by then is lost. */
const lostAfterMs = 90_000;
const longestDescription = 500;

/**
 * Sends what is in the outbox, each at least once: whatever is stored and not yet recorded as over is sent by this
 * primary or the next. No job waits for it. Failures that may pass come again with growing waits until the rule gives
 * them up (`isTriedAgain`); the count of tries begins anew with each primary, the time does not.
 */
export class DeliveryService {
  readonly #office: OfficeContext;
  readonly #ports: OutboundPorts;
  readonly #lines = new DeliveryLines(perReceiverAtOnce);
  /** One for each delivery that is being sent. */
  readonly #underWay = new Set<AbortController>();
  readonly #busy = new Set<string>();
  /** Failed tries of those that come again. */
  readonly #tries = new Map<string, number>();
  /** Monotonic time of the last sign of each hint; of all that are in the outbox for certain, and of no others. */
  readonly #hintedAtMs = new Map<string, number>();
  #mailsUnderWay = 0;
  #isClosed = false;
  #consumer: Consumer | undefined;
  #repair: Cancel | undefined;

  constructor(office: OfficeContext, ports: OutboundPorts) {
    this.#office = office;
    this.#ports = ports;
    office.journal.observeDurable((changes) => {
      for (const change of changes) if (change.type === 'delivery') this.#hint(change.delivery.id);
    });
  }

  /** Takes up what earlier terms left, and whatever comes. */
  start(): void {
    this.#consumer = this.#ports.queue.consumeDeliveries((id) => this.#handle(id), deliveriesAtOnce);
    for (const id of this.#office.state.deliveries.keys()) this.#hint(id);
    this.#repair = this.#office.clock.every(repairEveryMs, () => this.#hintLost());
  }

  /** Breaks off what is under way; it stays in the outbox. */
  async stop(): Promise<void> {
    this.#repair?.();
    this.#isClosed = true;
    for (const attempt of this.#underWay) attempt.abort();
    await this.#consumer?.close();
  }

  #hint(id: string): void {
    if (this.#isClosed) return;
    this.#hintedAtMs.set(id, this.#office.clock.monotonicMs());
    this.#ports.queue.addDelivery(id).catch((error: unknown) => {
      if (this.#isClosed) return;
      this.#office.log.log('warn', 'A delivery could not be queued; it is tried again', {
        delivery: id,
        error: String(error),
      });
    });
  }

  /** Its earlier hint may not be off the queue yet, which then takes no other: it is looked after sooner than usual. */
  #call(id: string): void {
    this.#hint(id);
    this.#hintedAtMs.set(id, this.#office.clock.monotonicMs() - lostAfterMs + repairEveryMs);
  }

  #hintLost(): void {
    const now = this.#office.clock.monotonicMs();
    for (const [id, hintedAtMs] of this.#hintedAtMs) {
      if (this.#busy.has(id) || this.#lines.isWaiting(id)) continue;
      if (now - hintedAtMs > lostAfterMs) this.#hint(id);
    }
  }

  /** Rejects when the delivery has to come again. */
  async #handle(id: string): Promise<void> {
    const { state, session } = this.#office;
    if (this.#isClosed || session.signal.aborted) throw new Error('The office is being closed');
    const delivery = state.deliveries.get(id);
    if (delivery === undefined || this.#busy.has(id)) return;
    const line = delivery.type === 'hook' ? hostOfUrl(delivery.url) : delivery.type;
    // Its turn is announced by a new hint, so that it occupies nothing meanwhile.
    if (!this.#lines.enter(line, id)) return;
    this.#busy.add(id);
    try {
      await this.#deliver(delivery);
    } finally {
      this.#busy.delete(id);
      const next = this.#lines.leave(line);
      if (next !== undefined) this.#call(next);
    }
  }

  async #deliver(delivery: Delivery): Promise<void> {
    const { state, clock } = this.#office;
    const { id } = delivery;
    const result = await this.#attempt(delivery);
    if (result.sent) return this.#end(delivery, { code: 0, description: result.description });
    if (this.#isClosed) throw new Error('The office is being closed');
    const attempts = (this.#tries.get(id) ?? 0) + 1;
    const standing = { attempts, nowMs: clock.nowMs(), outbox: state.deliveries.size };
    if (!isTriedAgain(delivery, result, standing)) return this.#end(delivery, result);
    this.#tries.set(id, attempts);
    this.#hintedAtMs.set(id, clock.monotonicMs());
    throw new Error(`${delivery.type} ${id}: ${shorten(result.description)}`);
  }

  async #attempt(delivery: Delivery): Promise<SendResult> {
    const attempt = new AbortController();
    this.#underWay.add(attempt);
    try {
      return await this.#send(delivery, attempt.signal);
    } finally {
      this.#underWay.delete(attempt);
    }
  }

  async #send(delivery: Delivery, signal: AbortSignal): Promise<SendResult> {
    switch (delivery.type) {
      case 'hook': {
        const { url, headers, body, options } = delivery;
        const { timeoutMs, follow, rejectUnauthorized } = options;
        const request = { url, headers, body, timeoutMs, follow, rejectUnauthorized };
        return this.#ports.hooks.post(request, signal);
      }
      case 'mail': {
        const limit = this.#office.settings.maxEmailsPerDay;
        if (limit > 0 && this.#mailsToday() + this.#mailsUnderWay >= limit) {
          return { sent: false, code: 'limit', description: mailCapText(limit), retryable: false };
        }
        this.#mailsUnderWay += 1;
        try {
          return await this.#ports.mailer.send(delivery, signal);
        } finally {
          this.#mailsUnderWay -= 1;
        }
      }
      default:
        // Stored by another version.
        return { sent: false, code: 'unknown', description: 'Unknown kind of delivery', retryable: false };
    }
  }

  #mailsToday(): number {
    const { stats } = this.#office.state;
    return stats.day === this.#office.today() ? stats.totals.emails_sent : 0;
  }

  /** Records that a delivery is over, and what of it belongs into the activity log and the totals. */
  async #end(delivery: Delivery, ending: { code: number | string; description: string }): Promise<void> {
    const { journal, clock, settings, log } = this.#office;
    const { id, type } = delivery;
    const nowMs = clock.nowMs();
    const description = shorten(ending.description);
    const attempts = (this.#tries.get(id) ?? 0) + 1;
    const row = deliveryRow(delivery, { code: ending.code, description }, { attempts, nowMs });
    const changes: Change[] = [{ type: 'delivered', id, row, rowMax: settings.historyRows }];
    if (ending.code === 0) {
      if (type === 'mail') {
        changes.push({ type: 'count', day: this.#office.today(), counter: 'emails_sent', by: 1 });
      }
    } else {
      const text = failureText(delivery, description);
      const action = type === 'mail' ? 'error' : 'warning';
      const entry = { action, epoch: Math.floor(nowMs / 1000), description: text };
      changes.push({ type: 'activity', entry, rowMax: settings.historyRows });
      const { event, job } = delivery;
      log.log('warn', text, { delivery: id, event, ...(job === undefined ? {} : { job }), attempts });
    }
    await journal.commit(changes);
    this.#tries.delete(id);
    this.#hintedAtMs.delete(id);
  }
}

const shorten = (text: string): string =>
  text.length <= longestDescription ? text : `${text.slice(0, longestDescription)}…`;
