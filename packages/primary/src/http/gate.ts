import type { IncomingMessage } from 'node:http';
import { CarillonError } from '@carillon/contract';
import { Admission, type AdmissionRules, type Caller, type Clock, type Seal } from '@carillon/core';
import { networkOf, TrustedProxies } from './request/client-address.js';
import { vouchedAddress, vouchFor } from './request/vouched-address.js';

export interface GateDeps {
  readonly rules: AdmissionRules;
  /** Addresses and networks of proxies whose X-Forwarded-For is believed. */
  readonly trustedProxies?: readonly string[];
  /** Under which nodes tell each other where the requests come from that they pass on; default: they do not. */
  readonly seal?: Seal;
  readonly clock: Clock;
}

/** The limits of one node, for all its ways in: requests and live clients count together (docs/security.md). */
export class Gate {
  readonly #admission: Admission;
  readonly #proxies: TrustedProxies;
  readonly #seal: Seal | undefined;
  readonly #clock: Clock;
  readonly #countsRequests: boolean;
  #last = { address: '', network: '' };

  constructor({ rules, trustedProxies = [], seal, clock }: GateDeps) {
    this.#admission = new Admission(rules);
    this.#proxies = new TrustedProxies(trustedProxies);
    this.#seal = seal;
    this.#clock = clock;
    this.#countsRequests = rules.perAddress !== undefined;
  }

  /** Counts a request. Throws RateError. */
  admit(request: IncomingMessage): void {
    if (this.#countsRequests) this.#admission.request(this.#clientOf(request), this.#clock.monotonicMs());
  }

  /**
   * The caller that `find` finds by the request's credential. Throws what `find` throws, or RateError in its place
   * when the address has failed too often, or the caller asks too often.
   */
  identify(request: IncomingMessage, find: () => Caller): Caller {
    let caller: Caller;
    try {
      caller = find();
    } catch (error) {
      // A request without a credential is no guess.
      const isGuess = error instanceof CarillonError && error.code !== 'session';
      if (isGuess) this.#admission.fail(this.#clientOf(request), this.#clock.monotonicMs());
      throw error;
    }
    const name = `${caller.kind} ${caller.id}`;
    this.#admission.accept(this.#clientOf(request), name, this.#clock.monotonicMs());
    return caller;
  }

  /** Before a password is looked at. Throws RateError when the address has failed too often; counts nothing. */
  beforeTry(request: IncomingMessage): void {
    this.#admission.beforeTry(this.#clientOf(request), this.#clock.monotonicMs());
  }

  /** What to tell a client whose call has failed: the error, or, where it is one failed login too many, RateError. */
  count(request: IncomingMessage, error: unknown): unknown {
    if (!(error instanceof CarillonError) || error.code !== 'login') return error;
    try {
      this.#admission.fail(this.#clientOf(request), this.#clock.monotonicMs());
      return error;
    } catch (refusal) {
      return refusal;
    }
  }

  /** Where the request comes from: an address beyond the nodes of the cluster and the trusted proxies. */
  addressOf(request: IncomingMessage): string {
    const vouched = this.#seal && vouchedAddress(request, this.#clock.nowMs(), this.#seal);
    return vouched ?? this.#proxies.clientOf(request);
  }

  /** What another node believes about where the request comes from; undefined without a seal. */
  vouchFor(request: IncomingMessage): string | undefined {
    return this.#seal && vouchFor(this.addressOf(request), this.#clock.nowMs(), this.#seal);
  }

  #clientOf(request: IncomingMessage): string {
    const address = this.addressOf(request);
    // Most requests come from where the last one came from: a load balancer, or one busy client.
    if (address !== this.#last.address) this.#last = { address, network: networkOf(address) };
    return this.#last.network;
  }
}
