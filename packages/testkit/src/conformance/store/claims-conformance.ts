import type { ClaimOutcome, RunClaims } from '@carillon/core';
import { describe, expect, test } from '@jest/globals';
import { dispatchOf, finishOf, jobOf } from './state-builders.js';
import { openStore, type StoreSubject, withSubject } from './store-subject.js';

const run = (job: string, attempt = 1) => ({ job, attempt });
const worker = (node = 'n1', boot = 'b1', nonce = 'x1') => ({ node, boot, nonce });

type Run = ReturnType<typeof withSubject>;

/** What every implementation of RunClaims must do, together with its Store; `open` makes an empty one. */
export function claimsConformance(name: string, open: () => Promise<StoreSubject>): void {
  const subject = withSubject(open);
  describe(`${name}: exclusivity`, () => describeExclusivity(subject));
  describe(`${name}: refusals`, () => describeRefusals(subject));
  describe(`${name}: after the claim`, () => describeAfterwards(subject));
}

const isClaim = (outcome: ClaimOutcome) => outcome.claimed;

function describeExclusivity(subject: Run): void {
  test(
    'of many claimers at once exactly one gets the run, with the job as stored',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      const job = jobOf('j1');
      await store.commit(session, dispatchOf(job));
      const claimers: RunClaims[] = Array.from({ length: 5 }, () => cluster.claims());
      const outcomes = await Promise.all(
        Array.from({ length: 50 }, async (_, index): Promise<ClaimOutcome> => {
          const claims = claimers[index % claimers.length] ?? cluster.claims();
          return claims.claim(run('j1'), worker('n1', `b${index}`, `x${index}`));
        }),
      );
      expect(outcomes.filter(isClaim)).toEqual([{ claimed: true, job: job.fields }]);
    }),
  );

  test(
    'repeated with the same boot and nonce it is claimed again, otherwise not',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      await store.commit(session, dispatchOf(jobOf('j1')));
      const claims = cluster.claims();
      expect(await claims.claim(run('j1'), worker())).toMatchObject({ claimed: true });
      expect(await cluster.claims().claim(run('j1'), worker())).toMatchObject({ claimed: true });
      expect(await claims.claim(run('j1'), worker('n1', 'b1', 'x2'))).toMatchObject({ claimed: false });
      expect(await claims.claim(run('j1'), worker('n1', 'b2', 'x1'))).toMatchObject({ claimed: false });
    }),
  );

  test(
    'either the revocation or the claim wins, never both',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      const claims = cluster.claims();
      const ids = Array.from({ length: 60 }, (_, index) => `j${index}`);
      await store.commit(
        session,
        ids.flatMap((id) => dispatchOf(jobOf(id))),
      );
      await Promise.all(
        ids.map(async (id, index) => {
          const claim = () => claims.claim(run(id), worker());
          const revoke = () => store.revoke(session, run(id));
          // Both orders of asking, so that each side wins somewhere.
          const [claimed, revoked] =
            index % 2 === 0
              ? await Promise.all([claim(), revoke()])
              : await Promise.all([revoke(), claim()]).then(([r, c]) => [c, r] as const);
          expect(revoked).toEqual(claimed.claimed ? { kind: 'claimed', boot: 'b1' } : { kind: 'revoked' });
        }),
      );
    }),
  );

  test(
    'text of any kind passes through',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      const odd = worker('n1', 'a|b"\\c\u2028', '"]ü');
      await store.commit(session, dispatchOf(jobOf('__proto__')));
      expect(await cluster.claims().claim(run('__proto__'), odd)).toMatchObject({ claimed: true });
      expect(await cluster.claims().claim(run('__proto__'), odd)).toMatchObject({ claimed: true });
      expect(await store.revoke(session, run('__proto__'))).toEqual({ kind: 'claimed', boot: odd.boot });
    }),
  );
}

function describeRefusals(subject: Run): void {
  const refused = { claimed: false, reason: expect.any(String) };

  test(
    'unknown jobs, other attempts and other nodes are refused and change nothing',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      const claims = cluster.claims();
      await store.commit(session, dispatchOf(jobOf('j1', { attempt: 2 })));
      expect(await claims.claim(run('j9'), worker())).toEqual(refused);
      expect(await claims.claim(run('j1', 1), worker())).toEqual(refused);
      expect(await claims.claim(run('j1', 3), worker())).toEqual(refused);
      expect(await claims.claim(run('j1', 2), worker('n2'))).toEqual(refused);
      expect(await claims.claim(run('j1', 2), worker())).toMatchObject({ claimed: true });
    }),
  );

  test(
    'a job that was not dispatched, or waits again, cannot be claimed',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      const claims = cluster.claims();
      const waiting = jobOf('j1', { state: 'waiting', dueMs: 1 });
      await store.commit(session, [{ type: 'job', job: waiting }]);
      expect(await claims.claim(run('j1'), worker())).toEqual(refused);
      await store.commit(session, [
        { type: 'dispatch', run: run('j1'), node: 'n1' },
        { type: 'job', job: waiting },
      ]);
      expect(await claims.claim(run('j1'), worker())).toEqual(refused);
      await store.commit(session, [{ type: 'dispatch', run: run('unknown'), node: 'n1' }]);
      expect(await claims.claim(run('unknown'), worker())).toEqual(refused);
    }),
  );

  test(
    'ended and forgotten jobs cannot be claimed',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      await store.commit(session, [...dispatchOf(jobOf('j1')), ...dispatchOf(jobOf('j2'))]);
      await store.commit(session, [finishOf('j1'), { type: 'forget-job', id: 'j2' }]);
      expect(await cluster.claims().claim(run('j1'), worker())).toEqual(refused);
      expect(await cluster.claims().claim(run('j2'), worker())).toEqual(refused);
      expect(await store.revoke(session, run('j1'))).toEqual({ kind: 'absent' });
    }),
  );

  test(
    'a revoked run stays so until it is dispatched anew',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      const claims = cluster.claims();
      await store.commit(session, dispatchOf(jobOf('j1')));
      expect(await store.revoke(session, run('j1', 2))).toEqual({ kind: 'absent' });
      expect(await store.revoke(session, run('j1'))).toEqual({ kind: 'revoked' });
      expect(await store.revoke(session, run('j1'))).toEqual({ kind: 'revoked' });
      expect(await claims.claim(run('j1'), worker())).toEqual(refused);
      await store.commit(session, [{ type: 'dispatch', run: run('j1'), node: 'n2' }]);
      expect(await claims.claim(run('j1'), worker('n1'))).toEqual(refused);
      expect(await claims.claim(run('j1'), worker('n2'))).toMatchObject({ claimed: true });
    }),
  );

  test(
    'dispatching a claimed attempt again does not make it claimable; the next attempt is',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      const claims = cluster.claims();
      await store.commit(session, dispatchOf(jobOf('j1')));
      await claims.claim(run('j1'), worker());
      await store.commit(session, dispatchOf(jobOf('j1')));
      expect(await claims.claim(run('j1'), worker('n1', 'b2', 'x2'))).toEqual(refused);
      await store.commit(session, dispatchOf(jobOf('j1', { attempt: 2, node: 'n2' })));
      expect(await claims.claim(run('j1', 1), worker())).toEqual(refused);
      expect(await claims.claim(run('j1', 2), worker('n2'))).toMatchObject({ claimed: true });
    }),
  );
}

function describeAfterwards(subject: Run): void {
  test(
    'the job is handed out as updated since the dispatch',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      const job = jobOf('j1');
      const updated = { ...job, fields: { ...job.fields, timeout: 7 } };
      await store.commit(session, dispatchOf(job));
      await store.commit(session, [{ type: 'job', job: updated }]);
      expect(await cluster.claims().claim(run('j1'), worker())).toEqual({
        claimed: true,
        job: updated.fields,
      });
    }),
  );

  test(
    'runs outlive the term that dispatched them; the next primary sees who claimed what',
    subject(async (cluster) => {
      const first = await openStore(cluster);
      const jobs = ['j1', 'j2', 'j3'].map((id, index) => jobOf(id, { seq: index + 1 }));
      await first.store.commit(first.session, jobs.flatMap(dispatchOf));
      await cluster.claims().claim(run('j1'), worker());
      await first.store.revoke(first.session, run('j2'));
      const second = await openStore(cluster);
      expect(second.state.jobs.get('j1')).toMatchObject({
        state: 'running',
        boot: 'b1',
        node: 'n1',
        attempt: 1,
      });
      // Taken back, but the primary died before the next step.
      expect(second.state.jobs.get('j2')).toMatchObject({ state: 'waiting', dueMs: 0, attempt: 1 });
      expect(second.state.jobs.get('j3')).toMatchObject({ state: 'dispatched', node: 'n1', attempt: 1 });
      expect(await cluster.claims().claim(run('j3'), worker())).toMatchObject({ claimed: true });
    }),
  );

  test(
    'an attempt is current from its claim until its job waits, goes on with another one or ends',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      const claims = cluster.claims();
      expect(await claims.isCurrent(run('j1'))).toBe(false);
      await store.commit(session, dispatchOf(jobOf('j1')));
      expect(await claims.isCurrent(run('j1'))).toBe(false);
      await claims.claim(run('j1'), worker());
      expect(await claims.isCurrent(run('j1'))).toBe(true);
      expect(await cluster.claims().isCurrent(run('j1'))).toBe(true);
      expect(await claims.isCurrent(run('j1', 2))).toBe(false);
      expect(await claims.isCurrent(run('j1', 11))).toBe(false);
      await store.commit(session, [
        { type: 'job', job: jobOf('j1', { attempt: 2, state: 'waiting', dueMs: 1 }) },
      ]);
      expect(await claims.isCurrent(run('j1'))).toBe(false);
      await store.commit(session, dispatchOf(jobOf('j1', { attempt: 2, node: 'n2' })));
      expect(await claims.isCurrent(run('j1', 2))).toBe(false);
      await claims.claim(run('j1', 2), worker('n2'));
      expect(await claims.isCurrent(run('j1'))).toBe(false);
      expect(await claims.isCurrent(run('j1', 2))).toBe(true);
      await store.commit(session, [finishOf('j1')]);
      expect(await claims.isCurrent(run('j1', 2))).toBe(false);
    }),
  );

  test(
    'a run that was taken back is not current',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      await store.commit(session, dispatchOf(jobOf('j1')));
      await store.revoke(session, run('j1'));
      expect(await cluster.claims().isCurrent(run('j1'))).toBe(false);
    }),
  );
}
