import {
  type Cancel,
  type Clock,
  type Lease,
  type LeaseTiming,
  leaseTiming,
  type Logger,
  type PrimaryInfo,
  type Random,
  type Session,
} from '@carillon/core';

/** What runs while the lease is held. */
export interface Tenure {
  /** Stops everything that writes as primary. Called once, when the term is over; must not throw. */
  close(): Promise<void>;
}

export interface CandidacyDeps {
  lease: Lease;
  clock: Clock;
  random: Random;
  log: Logger;
  candidate: Omit<PrimaryInfo, 'term'>;
  ttlMs: number;
  /** Called with each new term; when it rejects the lease is given up. */
  takeOffice: (session: Session) => Promise<Tenure>;
}

interface Term {
  session: Session;
  controller: AbortController;
  /** Monotonic time until which the lease may be trusted. */
  trustedUntilMs: number;
  token: string;
  tenure: Promise<Tenure | undefined>;
  cancels: Cancel[];
}

/**
 * Competes for the lease for as long as it runs: follower until the lease is free, leader while it can be
 * renewed, follower again afterwards. Leader-only work exists between `takeOffice` and `close`, and a new
 * term never starts before the old tenure has closed.
 */
export class Candidacy {
  readonly #deps: CandidacyDeps;
  readonly #timing: LeaseTiming;
  #term: Term | undefined;
  #holder: PrimaryInfo | undefined;
  #lastTermHeardOf = 0;
  #running = false;
  /** Settles when no request for the lease is under way. */
  #request: Promise<void> = Promise.resolve();
  #attempting = false;
  /** Until then this node does not compete: it stepped down by request. */
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #nextTry: Cancel | undefined;
  #unobserve: Cancel | undefined;
  #closing: Promise<void> = Promise.resolve();
  /** Kept until an answer arrives, so that a repeated request after a lost reply finds its own lease. */
  #token: string | undefined;

  constructor(deps: CandidacyDeps) {
    this.#deps = deps;
    this.#timing = leaseTiming(deps.ttlMs);
  }

  /** Resolves when the lease has been asked for once: who is the primary is known then, if the store could tell. */
  start(): Promise<void> {
    this.#running = true;
    this.#unobserve = this.#deps.lease.observe((holder) => this.#onAnnouncement(holder));
    return this.#attempt();
  }

  /** The term being served, while the lease may be trusted (checked against monotonic time on each call). */
  trustedSession(): Session | undefined {
    const term = this.#term;
    if (term === undefined || term.controller.signal.aborted) return undefined;
    if (this.#deps.clock.monotonicMs() < term.trustedUntilMs) return term.session;
    this.#endTerm('the lease could not be renewed in time');
    return undefined;
  }

  /** The holder as last heard of. */
  holder(): PrimaryInfo | undefined {
    return this.#holder;
  }

  /** Gives up the lease at once and does not compete for `quietMs`, so that another node takes over. */
  async stepDown(quietMs: number): Promise<void> {
    this.#notBeforeMs = this.#deps.clock.monotonicMs() + quietMs;
    this.#endTerm('stepping down');
    await this.#closing;
  }

  /**
   * Ends the session's term by the leader's own observation, for example a refused write. Harmless when that term is
   * over: a write may fail later than that, and must not cost the next term.
   */
  abandon(session: Session, reason: string): void {
    if (this.#term?.session === session) this.#withdraw(reason);
  }

  /** Hands over and stops competing. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#nextTry?.();
    this.#unobserve?.();
    this.#endTerm('stopping');
    await this.#request.catch(() => undefined);
    await this.#closing;
  }

  #onAnnouncement(holder: PrimaryInfo | undefined): void {
    this.#hearOf(holder);
    if (holder === undefined) void this.#attempt();
  }

  /** Who follows has the change of the primary in its log as well, once. */
  #hearOf(holder: PrimaryInfo | undefined): void {
    this.#holder = holder;
    if (holder === undefined || holder.id === this.#deps.candidate.id) return;
    const { term, hostname, id, url } = holder;
    if (term <= this.#lastTermHeardOf) return;
    this.#lastTermHeardOf = term;
    this.#deps.log.log('info', 'Another node is the primary', {
      term,
      primary: hostname,
      primaryId: id,
      url,
    });
  }

  #schedule(): void {
    this.#nextTry?.();
    if (!this.#running) return;
    const delay = this.#timing.tryEveryMs + this.#deps.random.integer(this.#timing.jitterMs + 1);
    this.#nextTry = this.#deps.clock.after(delay, () => void this.#attempt());
  }

  async #attempt(): Promise<void> {
    if (this.#attempting || this.#term !== undefined || !this.#running) return;
    this.#attempting = true;
    try {
      await this.#closing;
      if (this.#competes()) {
        this.#request = this.#tryOnce();
        await this.#request;
      } else if (this.#running) this.#hearOf(await this.#deps.lease.holder());
    } catch (error) {
      this.#holder = undefined;
      this.#deps.log.log('debug', 'The lease could not be asked for', { error: String(error) });
    } finally {
      this.#attempting = false;
      if (this.#term === undefined) this.#schedule();
    }
  }

  #competes(): boolean {
    return this.#running && this.#deps.clock.monotonicMs() >= this.#notBeforeMs;
  }

  async #tryOnce(): Promise<void> {
    this.#token ??= this.#deps.random.hex(16);
    const token = this.#token;
    const askedAtMs = this.#deps.clock.monotonicMs();
    const answer = await this.#deps.lease.acquire(token, this.#deps.candidate, this.#deps.ttlMs);
    this.#token = undefined;
    if (!answer.held) {
      this.#hearOf(answer.holder);
      return;
    }
    // It was asked to stop or to make way while the request was under way.
    if (!this.#competes()) {
      await this.#deps.lease.resign(token);
      return;
    }
    this.#beginTerm(token, answer.term, askedAtMs);
  }

  #beginTerm(token: string, number: number, askedAtMs: number): void {
    const { clock, log, candidate, takeOffice } = this.#deps;
    const controller = new AbortController();
    const session: Session = { term: number, signal: controller.signal };
    const term: Term = {
      session,
      controller,
      token,
      trustedUntilMs: askedAtMs + this.#timing.trustMs,
      tenure: Promise.resolve(undefined),
      cancels: [],
    };
    this.#term = term;
    this.#holder = { ...candidate, term: number };
    log.log('info', 'This node is the primary', { term: number });
    term.cancels.push(clock.every(this.#timing.renewEveryMs, () => void this.#renew(term)));
    this.#watchTrust(term);
    term.tenure = takeOffice(session).catch((error: unknown) => {
      log.log('error', 'Office could not be taken', { term: number, error: String(error) });
      if (this.#term === term) this.#withdraw('the state could not be loaded');
      return undefined;
    });
  }

  /** A timer of its own: a pending renewal must not keep the node believing in a lease that is over. */
  #watchTrust(term: Term): void {
    const remaining = term.trustedUntilMs - this.#deps.clock.monotonicMs();
    const cancel = this.#deps.clock.after(Math.max(0, remaining), () => {
      term.cancels = term.cancels.filter((other) => other !== cancel);
      if (this.#term !== term) return;
      if (this.trustedSession() !== undefined) this.#watchTrust(term);
    });
    term.cancels.push(cancel);
  }

  async #renew(term: Term): Promise<void> {
    const askedAtMs = this.#deps.clock.monotonicMs();
    try {
      const held = await this.#deps.lease.renew(term.token, this.#deps.ttlMs);
      if (this.#term !== term) return;
      if (held) term.trustedUntilMs = Math.max(term.trustedUntilMs, askedAtMs + this.#timing.trustMs);
      else this.#endTerm('the lease is held by nobody or by another node');
    } catch (error) {
      const { term: number } = term.session;
      this.#deps.log.log('warn', 'The lease could not be renewed', { term: number, error: String(error) });
    }
  }

  /** Ends the term after a failure; gives other nodes the first chance and does not spin. */
  #withdraw(reason: string): void {
    this.#notBeforeMs = this.#deps.clock.monotonicMs() + 2 * this.#timing.renewEveryMs;
    this.#endTerm(reason);
  }

  #endTerm(reason: string): void {
    const term = this.#term;
    if (term === undefined) return;
    this.#term = undefined;
    this.#holder = undefined;
    for (const cancel of term.cancels) cancel();
    term.controller.abort(new Error(`Term ${term.session.term} is over: ${reason}`));
    this.#deps.log.log('info', 'This node is no longer the primary', { term: term.session.term, reason });
    this.#closing = this.#close(term);
    this.#schedule();
  }

  async #close(term: Term): Promise<void> {
    const tenure = await term.tenure;
    await tenure?.close().catch((error: unknown) => {
      this.#deps.log.log('error', 'Leader services did not stop cleanly', { error: String(error) });
    });
    await this.#deps.lease.resign(term.token).catch((error: unknown) => {
      this.#deps.log.log('warn', 'The lease could not be given up; it will run out', {
        error: String(error),
      });
    });
  }
}
