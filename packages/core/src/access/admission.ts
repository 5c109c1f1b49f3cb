import { RateError } from '@carillon/contract';
import { type BucketRule, BucketTable } from './token-bucket.js';

/** Limits of what one client may ask; a rule that is absent limits nothing. */
export interface AdmissionRules {
  /** Requests of one caller. */
  readonly perCaller?: BucketRule;
  /** Requests from one address, with or without a credential. */
  readonly perAddress?: BucketRule;
  /** Wrong credentials from one address. */
  readonly failures?: BucketRule;
  /** Most addresses, callers and pairs of both that are remembered, each; default 10,000. */
  readonly mostEntries?: number;
}

const presetMostEntries = 10_000;

/**
 * Who may ask now (docs/security.md, Limits). All times are those of a monotonic clock, milliseconds; refusals are
 * RateError with the seconds to wait. Memory is bounded whatever comes.
 *
 * An address that has guessed too often learns no more: right and wrong credentials are refused alike. Callers that
 * were accepted there before go on, so that one bad client behind a load balancer does not lock out its neighbours.
 */
export class Admission {
  readonly #perCaller: BucketTable | undefined;
  readonly #perAddress: BucketTable | undefined;
  readonly #failures: BucketTable | undefined;
  readonly #accepted = new Set<string>();
  readonly #mostEntries: number;

  constructor({ perCaller, perAddress, failures, mostEntries = presetMostEntries }: AdmissionRules) {
    const table = (rule: BucketRule | undefined): BucketTable | undefined =>
      rule === undefined ? undefined : new BucketTable(rule, mostEntries);
    this.#mostEntries = mostEntries;
    this.#perCaller = table(perCaller);
    this.#perAddress = table(perAddress);
    this.#failures = table(failures);
  }

  /** Entries that are held, for tests of the bound. */
  get size(): number {
    return [this.#perCaller, this.#perAddress, this.#failures, this.#accepted].reduce(
      (sum, part) => sum + (part?.size ?? 0),
      0,
    );
  }

  /** A request has come from the address; it is counted. Throws RateError. */
  request(address: string, nowMs: number): void {
    refuseIfEarly(this.#perAddress?.take(address, nowMs), 'Too many requests from this address');
  }

  /**
   * The address gave a right credential of `caller`. Throws RateError when the caller asks too often, or when it is new
   * at an address that has guessed too often.
   */
  accept(address: string, caller: string, nowMs: number): void {
    if (this.#failures !== undefined) this.#meet(`${address} ${caller}`, address, nowMs);
    refuseIfEarly(this.#perCaller?.take(caller, nowMs), 'Too many requests with this API key');
  }

  /** The address gave a wrong credential. Throws RateError, which is to be told instead, when it did so too often. */
  fail(address: string, nowMs: number): void {
    refuseIfEarly(this.#failures?.take(address, nowMs), tooManyFailures);
  }

  /** Whether the address may try a credential that is costly to check. Throws RateError; counts nothing. */
  beforeTry(address: string, nowMs: number): void {
    refuseIfEarly(this.#failures?.wait(address, nowMs), tooManyFailures);
  }

  #meet(pair: string, address: string, nowMs: number): void {
    if (this.#accepted.has(pair)) return;
    this.beforeTry(address, nowMs);
    this.#accepted.add(pair);
    if (this.#accepted.size <= this.#mostEntries) return;
    const [oldest] = this.#accepted;
    if (oldest !== undefined) this.#accepted.delete(oldest);
  }
}

const tooManyFailures = 'Too many failed authentications from this address';

function refuseIfEarly(waitMs: number | undefined, what: string): void {
  if (waitMs !== undefined && waitMs > 0) throw new RateError(what, Math.ceil(waitMs / 1000));
}
