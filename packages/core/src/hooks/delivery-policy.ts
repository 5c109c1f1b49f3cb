import type { Delivery, DeliveryRow } from '@carillon/contract';
import type { SendResult } from '../ports/outbound.js';
import { shownUrl } from './hook-target.js';

/** Tries of a delivery unless `web_hook_custom_opts.retries` says otherwise. */
export const usualAttempts = 5;
/** A delivery that fails after this time is given up, however few tries it had. */
export const giveUpAfterMs = 3_600_000;
/** With more deliveries on their way, one that fails is given up: the outbox is held in memory. */
export const crowdedOutbox = 10_000;

/** How a failed delivery stands. */
export interface DeliveryStanding {
  /** Tries so far, with the one that just failed. */
  attempts: number;
  nowMs: number;
  /** Deliveries on their way, with this one. */
  outbox: number;
}

/** Does a delivery that failed come again? Only for failures that may pass. */
export function isTriedAgain(
  delivery: Delivery,
  result: Extract<SendResult, { sent: false }>,
  standing: DeliveryStanding,
): boolean {
  if (!result.retryable || standing.outbox > crowdedOutbox) return false;
  if (standing.nowMs - delivery.createdMs >= giveUpAfterMs) return false;
  const retries = delivery.type === 'hook' ? delivery.options.retries : undefined;
  return standing.attempts < (retries === undefined ? usualAttempts : retries + 1);
}

/** The record of a delivery that is over. */
export function deliveryRow(
  delivery: Delivery,
  ending: { code: number | string; description: string },
  standing: Pick<DeliveryStanding, 'attempts' | 'nowMs'>,
): DeliveryRow {
  return {
    id: delivery.id,
    type: delivery.type,
    action: delivery.action,
    event: delivery.event,
    ...(delivery.job === undefined ? {} : { job: delivery.job }),
    target: targetOf(delivery),
    attempts: standing.attempts,
    code: ending.code,
    description: ending.description,
    epoch: Math.floor(standing.nowMs / 1000),
    elapsed: Math.max(0, standing.nowMs - delivery.createdMs) / 1000,
  };
}

/** Where a delivery goes, fit to be shown. */
export function targetOf(delivery: Delivery): string {
  if (delivery.type === 'hook') return shownUrl(delivery.url);
  return [delivery.to, delivery.cc, delivery.bcc].filter((list) => list !== undefined).join(', ');
}

/** The text of the activity log for a delivery that was given up (behaviour reference 7.2). */
export function failureText(delivery: Delivery, description: string): string {
  if (delivery.type === 'mail' && delivery.action === 'recover_password') {
    return `Failed to send e-mail for a forgotten password: ${delivery.to}: ${description}`;
  }
  const about = delivery.job === undefined ? `event: ${delivery.event}` : `job: ${delivery.job}`;
  if (delivery.type === 'mail') return `Failed to send e-mail for ${about}: ${delivery.to}: ${description}`;
  return `Failed to deliver web hook for ${about}: ${targetOf(delivery)}: ${description}`;
}

/** The text of a mail that is not sent because of `max_emails_per_day`. */
export const mailCapText = (limit: number): string => `Maximum limit has been reached for today (${limit})`;
