import type { Lease, PrimaryInfo } from '@carillon/core';
import { describe, expect, test } from '@jest/globals';
import { Collector } from './deferred.js';

/** One lease that several nodes compete for. */
export interface LeaseSubject {
  /** The lease as another node sees it; a new instance with each call. */
  lease(): Lease;
  /** Ends the present lease as if its time were over. */
  expire(): Promise<void>;
  /** Resolves when announcements reach all observers added so far. */
  listening(): Promise<void>;
  close(): Promise<void>;
}

const candidate = (id: string) => ({ id, hostname: `${id}.example`, url: `http://${id}.example:3012` });
/** Far longer than any test. */
const ttlMs = 60_000;

type Run = (body: (subject: LeaseSubject) => Promise<void>) => () => Promise<void>;

/** What every implementation of Lease must do; `open` makes a free one. */
export function leaseConformance(name: string, open: () => Promise<LeaseSubject>): void {
  const run: Run = (body) => async () => {
    const subject = await open();
    try {
      await body(subject);
    } finally {
      await subject.close();
    }
  };
  describe(`${name}: holding`, () => describeHolding(run));
  describe(`${name}: ending`, () => describeEnding(run));
  describe(`${name}: announcements`, () => describeAnnouncements(run));
}

function describeHolding(run: Run): void {
  test(
    'the first candidate holds it, others learn of the holder',
    run(async (subject) => {
      const [one, two] = [subject.lease(), subject.lease()];
      expect(await one.holder()).toBeUndefined();
      const won = await one.acquire('t1', candidate('n1'), ttlMs);
      if (!won.held) throw new Error('the free lease was refused');
      const holder: PrimaryInfo = { ...candidate('n1'), term: won.term };
      expect(await two.acquire('t2', candidate('n2'), ttlMs)).toEqual({ held: false, holder });
      expect(await two.holder()).toEqual(holder);
    }),
  );

  test(
    'repeated with its token, acquire answers with the same term',
    run(async (subject) => {
      const [one, two] = [subject.lease(), subject.lease()];
      const first = await one.acquire('t1', candidate('n1'), ttlMs);
      expect(await one.acquire('t1', candidate('n1'), ttlMs)).toEqual(first);
      expect(await two.acquire('t1', candidate('n1'), ttlMs)).toEqual(first);
    }),
  );

  test(
    'of many candidates at once exactly one holds it',
    run(async (subject) => {
      const leases = Array.from({ length: 5 }, () => subject.lease());
      const answers = await Promise.all(
        Array.from({ length: 50 }, async (_, index) => {
          const lease = leases[index % leases.length] ?? subject.lease();
          return lease.acquire(`t${index}`, candidate(`n${index}`), ttlMs);
        }),
      );
      expect(answers.filter((answer) => answer.held)).toHaveLength(1);
    }),
  );

  test(
    'only the token that holds it renews it',
    run(async (subject) => {
      const lease = subject.lease();
      expect(await lease.renew('t1', ttlMs)).toBe(false);
      await lease.acquire('t1', candidate('n1'), ttlMs);
      expect(await lease.renew('t1', ttlMs)).toBe(true);
      expect(await lease.renew('t2', ttlMs)).toBe(false);
    }),
  );
}

function describeEnding(run: Run): void {
  test(
    'resigning frees it, and the next term is larger',
    run(async (subject) => {
      const [one, two] = [subject.lease(), subject.lease()];
      const first = await one.acquire('t1', candidate('n1'), ttlMs);
      await two.resign('t2');
      expect((await two.acquire('t2', candidate('n2'), ttlMs)).held).toBe(false);
      await one.resign('t1');
      await one.resign('t1');
      expect(await two.holder()).toBeUndefined();
      expect(await one.renew('t1', ttlMs)).toBe(false);
      const second = await two.acquire('t2', candidate('n2'), ttlMs);
      if (!first.held || !second.held) throw new Error('the free lease was refused');
      expect(second.term).toBeGreaterThan(first.term);
    }),
  );

  test(
    'when its time is over it is nobody’s, and the next term is larger',
    run(async (subject) => {
      const [one, two] = [subject.lease(), subject.lease()];
      const terms: number[] = [];
      for (let round = 0; round < 5; round += 1) {
        const lease = round % 2 === 0 ? one : two;
        const answer = await lease.acquire(`t${round}`, candidate('n1'), ttlMs);
        if (!answer.held) throw new Error('the free lease was refused');
        terms.push(answer.term);
        await subject.expire();
        expect(await two.holder()).toBeUndefined();
        expect(await lease.renew(`t${round}`, ttlMs)).toBe(false);
      }
      expect(terms).toEqual([...new Set(terms)].sort((a, b) => a - b));
    }),
  );

  test(
    'a token whose lease is over starts a new term',
    run(async (subject) => {
      const lease = subject.lease();
      const first = await lease.acquire('t1', candidate('n1'), ttlMs);
      await subject.expire();
      const second = await lease.acquire('t1', candidate('n1'), ttlMs);
      if (!first.held || !second.held) throw new Error('the free lease was refused');
      expect(second.term).toBeGreaterThan(first.term);
    }),
  );
}

function describeAnnouncements(run: Run): void {
  test(
    'observers hear of a new holder and of a resignation, until they are cancelled',
    run(async (subject) => {
      const [one, two] = [subject.lease(), subject.lease()];
      const heard = new Collector<PrimaryInfo | undefined>();
      const cancelled = new Collector<PrimaryInfo | undefined>();
      const cancel = two.observe((holder) => cancelled.add(holder));
      two.observe((holder) => heard.add(holder));
      await subject.listening();
      const won = await one.acquire('t1', candidate('n1'), ttlMs);
      if (!won.held) throw new Error('the free lease was refused');
      await Promise.all([heard.reached(1), cancelled.reached(1)]);
      cancel();
      cancel();
      await one.renew('t1', ttlMs);
      await one.resign('t1');
      await heard.reached(2);
      expect(heard.values).toEqual([{ ...candidate('n1'), term: won.term }, undefined]);
      expect(cancelled.values).toHaveLength(1);
    }),
  );
}
