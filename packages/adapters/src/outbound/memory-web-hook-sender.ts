import type { Clock, HookRequest, SendResult, WebHookSender } from '@carillon/core';
import { aborted, timedOut } from './attempt.js';
import { hookResult } from './hook-status.js';

/** What a receiver in memory does: answers, never answers, or is not there. */
export type HookReply = { status: number; location?: string } | 'silent' | 'dead';

/** Web hooks that go nowhere: kept in order, answered as the test says. */
export class MemoryWebHookSender implements WebHookSender {
  /** All requests that reached a receiver. */
  readonly received: HookRequest[] = [];
  /** Decides about each request; by default all are taken. */
  reply: (request: HookRequest) => HookReply = () => ({ status: 200 });
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async post(request: HookRequest, signal: AbortSignal): Promise<SendResult> {
    if (signal.aborted) return aborted;
    if (!/^https?:\/\/[\w.[\]:-]+(\/|$)/.test(request.url) || /:\d{6,}|:[7-9]\d{4}/.test(request.url)) {
      return { sent: false, code: 'ERR_INVALID_URL', description: 'Invalid URL', retryable: false };
    }
    const reply = this.reply(request);
    if (reply === 'dead') {
      return { sent: false, code: 'ECONNREFUSED', description: 'Connection refused', retryable: true };
    }
    this.received.push(structuredClone(request));
    if (reply === 'silent') return this.#wait(request.timeoutMs, signal);
    if (reply.location !== undefined && request.follow > 0) {
      return this.post({ ...request, url: reply.location, follow: request.follow - 1 }, signal);
    }
    return hookResult(reply.status);
  }

  #wait(limitMs: number, signal: AbortSignal): Promise<SendResult> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(limitMs, () => resolve(timedOut(limitMs)));
      signal.addEventListener('abort', () => {
        cancel();
        resolve(aborted);
      });
    });
  }
}
