import { ClosedError, UnreachableError } from './errors.js';
import { Exchange } from './exchange.js';
import { type CallOptions, credentialHeaders, type Settings } from './options.js';
import { planStep, type Step } from './plan-step.js';
import { PrimaryRoute } from './primary-route.js';
import { delay } from './timer.js';

/** One call, whatever node it ends up at. */
export interface OutgoingCall {
  /** Path below the base URL. */
  path: string;
  /** With `?`, or empty. */
  query: string;
  /** JSON for a POST; undefined makes it a GET. */
  body: string | undefined;
  /** Repeating it after it may have been processed is harmless. */
  harmless: boolean;
  /** The answer is text, not JSON. */
  text: boolean;
}

type Done = Extract<Step, { kind: 'done' }>;

/** More hops than a failover can explain: wait instead of running in circles. */
const mostRedirects = 5;

/** Progress of one call over its attempts. */
interface Pursuit {
  startedMs: number;
  deadlineMs: number;
  pauses: number;
  /** Since the last pause. */
  redirects: number;
  /** Some node has answered anything. */
  heard: boolean;
}

/**
 * Brings calls to the primary: follows redirects with body and key, remembers the primary, and repeats
 * what may be repeated until the deadline.
 */
export class Caller {
  readonly settings: Settings;
  readonly route: PrimaryRoute;
  readonly #exchange: Exchange;
  readonly #open = new Set<AbortController>();
  #closed = false;

  constructor(settings: Settings) {
    this.settings = settings;
    this.#exchange = new Exchange(settings.ca);
    this.route = new PrimaryRoute(settings.urls, settings.route);
  }

  /** Throws ApiError, UnreachableError, ClosedError, or the signal's reason. */
  call(call: OutgoingCall, options: CallOptions = {}): Promise<Done> {
    return this.guard(options.signal, (signal) => this.#pursue(call, options, signal));
  }

  /** Runs something with a signal that is aborted by the caller's own signal and by `close`. */
  async guard<T>(outer: AbortSignal | undefined, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#closed) throw new ClosedError();
    outer?.throwIfAborted();
    const controller = new AbortController();
    const onAbort = (): void => controller.abort(outer?.reason);
    outer?.addEventListener('abort', onAbort, { once: true });
    this.#open.add(controller);
    try {
      return await run(controller.signal);
    } finally {
      this.#open.delete(controller);
      outer?.removeEventListener('abort', onAbort);
    }
  }

  /** Ends every call under way with ClosedError and all connections. */
  close(): void {
    this.#closed = true;
    for (const controller of this.#open) controller.abort(new ClosedError());
    this.#exchange.close();
  }

  async #pursue(call: OutgoingCall, options: CallOptions, signal: AbortSignal): Promise<Done> {
    const pursuit: Pursuit = {
      startedMs: this.settings.timer.monotonicMs(),
      deadlineMs: options.deadlineMs ?? this.settings.retry.deadlineMs,
      pauses: 0,
      redirects: 0,
      heard: false,
    };
    for (;;) {
      const base = this.route.current();
      const step = await this.#attempt(call, base, options, signal);
      if (step.kind === 'done') return step;
      if (step.kind === 'fail') throw step.error;
      if (step.kind === 'redirect' && pursuit.redirects < mostRedirects) {
        pursuit.redirects += 1;
        pursuit.heard = true;
        this.route.moveTo(step.base);
        continue;
      }
      await this.#wait(step, base, call, pursuit, signal);
    }
  }

  async #attempt(call: OutgoingCall, base: string, options: CallOptions, signal: AbortSignal): Promise<Step> {
    const { settings } = this;
    const outcome = await this.#exchange.send({
      url: `${base}${call.path}${call.query}`,
      method: call.body === undefined ? 'GET' : 'POST',
      headers: {
        'user-agent': 'carillon-client',
        ...credentialHeaders(settings),
        ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(call.body === undefined ? {} : { body: call.body }),
      timeoutMs: options.timeoutMs ?? settings.timeoutMs,
      connectTimeoutMs: settings.connectTimeoutMs,
      signal,
    });
    const { allowInsecureRedirect } = settings;
    return planStep(outcome, { base, path: call.path, text: call.text, allowInsecureRedirect });
  }

  /** Resolves when the next attempt may be made; throws when there shall be none. */
  async #wait(
    step: Exclude<Step, { kind: 'done' | 'fail' }>,
    base: string,
    call: OutgoingCall,
    pursuit: Pursuit,
    signal: AbortSignal,
  ): Promise<void> {
    const { retry, timer } = this.settings;
    const reason = step.kind === 'redirect' ? 'Too many redirects' : step.reason;
    const refused = step.kind === 'again' && !step.heard;
    const giveUp = (): Error => {
      if (step.kind === 'unsure' && step.error !== undefined) return step.error;
      const message = refused ? `Cannot connect to ${base}: ${reason}` : `No answer from ${base}: ${reason}`;
      return new UnreachableError(message, {
        url: base,
        mayHaveBeenProcessed: step.kind === 'unsure',
        refused,
      });
    };

    if (step.kind === 'unsure' && !call.harmless) throw giveUp();
    if (step.kind === 'again' && step.hopeless) throw giveUp();
    if (!refused) pursuit.heard = true;
    const another = this.route.fail(base);
    // A primary that was only just named by a redirect and is not there means: a failover is going on.
    if (refused && another && pursuit.redirects === 0) return;

    const elapsedMs = timer.monotonicMs() - pursuit.startedMs;
    const limitMs = pursuit.heard
      ? pursuit.deadlineMs
      : Math.min(retry.connectDeadlineMs, pursuit.deadlineMs);
    const askedMs = step.kind === 'again' ? step.afterMs : undefined;
    const pauseMs = askedMs ?? this.#backoffMs(pursuit.pauses);
    if (elapsedMs + pauseMs > limitMs) throw giveUp();
    pursuit.pauses += 1;
    pursuit.redirects = 0;
    await delay(timer, pauseMs, signal);
  }

  /** Grows by powers of two, with some scatter so that many clients do not come back at once. */
  #backoffMs(pauses: number): number {
    const { minDelayMs, maxDelayMs } = this.settings.retry;
    return Math.min(maxDelayMs, minDelayMs * 2 ** Math.min(pauses, 16)) * (0.75 + Math.random() / 4);
  }
}
