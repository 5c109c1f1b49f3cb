import { describe, expect, test } from '@jest/globals';
import { MemoryLease, MemoryLeaseBoard, MemoryLogger } from '@carillon/adapters';
import type { Session } from '@carillon/core';
import { FakeClock, SeededRandom } from '@carillon/testkit';
import { Candidacy, type Tenure } from '../../src/leadership/candidacy.js';

const ttlMs = 2_500;

interface TestNode {
  candidacy: Candidacy;
  lease: MemoryLease;
  /** What happened to the office, in order. */
  story: string[];
  session: () => Session | undefined;
}

function cluster() {
  const clock = new FakeClock();
  const board = new MemoryLeaseBoard(clock);
  const node = (id: string, takeOffice?: (session: Session) => Promise<Tenure>): TestNode => {
    const lease = new MemoryLease(board);
    const story: string[] = [];
    let last: Session | undefined;
    const candidacy = new Candidacy({
      lease,
      clock,
      random: new SeededRandom(id.length),
      log: new MemoryLogger(),
      candidate: { id, hostname: id, url: `http://${id}` },
      ttlMs,
      takeOffice: async (session) => {
        last = session;
        story.push(`open ${session.term}`);
        if (takeOffice !== undefined) return takeOffice(session);
        return {
          close: async () => {
            story.push(`close ${session.term}`);
          },
        };
      },
    });
    return { candidacy, lease, story, session: () => last };
  };
  return { clock, board, node };
}

describe('Candidacy', () => {
  test('one node is the primary, the other knows it', async () => {
    const { clock, node } = cluster();
    const [a, b] = [node('a'), node('bb')];
    void a.candidacy.start();
    await clock.advanceSettling(10);
    await b.candidacy.start();
    expect(b.candidacy.holder()).toMatchObject({ id: 'a' });
    await clock.advanceSettling(10_000);
    expect(a.candidacy.trustedSession()?.signal.aborted).toBe(false);
    expect(b.candidacy.trustedSession()).toBeUndefined();
    expect(b.candidacy.holder()).toMatchObject({ id: 'a', url: 'http://a' });
    expect([a.story.length, b.story.length]).toEqual([1, 0]);
    await b.candidacy.stop();
    await a.candidacy.stop();
    expect(clock.pending).toBe(0);
  });

  test('a clean stop hands over without waiting for the lease to end', async () => {
    const { clock, node } = cluster();
    const [a, b] = [node('a'), node('bb')];
    void a.candidacy.start();
    await clock.advanceSettling(10);
    void b.candidacy.start();
    await clock.advanceSettling(300);
    await a.candidacy.stop();
    await clock.advanceSettling(0);
    expect(a.story.map((line) => line.split(' ')[0])).toEqual(['open', 'close']);
    expect(b.candidacy.trustedSession()).toBeDefined();
    await b.candidacy.stop();
  });

  test('a node cut off from the store stops trusting its lease before another node can have it', async () => {
    const { clock, node } = cluster();
    const [a, b] = [node('a'), node('bb')];
    void a.candidacy.start();
    await clock.advanceSettling(10);
    void b.candidacy.start();
    await clock.advanceSettling(1_000);
    a.lease.setOutage(new Error('cut off'));
    let overlap = false;
    let waitedMs = 0;
    while (b.candidacy.trustedSession() === undefined && waitedMs < 10_000) {
      await clock.advanceSettling(10);
      waitedMs += 10;
      if (a.candidacy.trustedSession() !== undefined && b.candidacy.trustedSession() !== undefined)
        overlap = true;
    }
    expect(overlap).toBe(false);
    expect(waitedMs).toBeLessThanOrEqual(ttlMs + 300);
    expect(a.session()?.signal.aborted).toBe(true);
    expect(b.session()?.term).toBeGreaterThan(a.session()?.term ?? 0);
    a.lease.setOutage(undefined);
    await clock.advanceSettling(1_000);
    expect(a.candidacy.trustedSession()).toBeUndefined();
    await a.candidacy.stop();
    await b.candidacy.stop();
  });

  test('a process that was paused over its lease does not trust it for a moment after waking', async () => {
    const { clock, node } = cluster();
    const a = node('a');
    void a.candidacy.start();
    await clock.advanceSettling(100);
    let trusted: Session | undefined;
    // Nothing runs while the process is paused; the first thing after it is a request, not a timer.
    clock.after(0, () => {
      trusted = a.candidacy.trustedSession();
    });
    const frozen = clock.monotonicMs();
    const monotonic = clock.monotonicMs.bind(clock);
    clock.monotonicMs = () => monotonic() + (monotonic() >= frozen ? ttlMs : 0);
    await clock.advanceSettling(0);
    expect(trusted).toBeUndefined();
    await a.candidacy.stop();
  });

  test('an office that cannot be taken gives the lease up, and is tried again later', async () => {
    const { clock, node, board } = cluster();
    let attempts = 0;
    const a = node('a', async () => {
      attempts += 1;
      if (attempts < 3) throw new Error('the state cannot be loaded');
      return { close: async () => undefined };
    });
    void a.candidacy.start();
    await clock.advanceSettling(1);
    expect(a.candidacy.trustedSession()).toBeUndefined();
    expect(board.holding).toBeUndefined();
    await clock.advanceSettling(10_000);
    expect(attempts).toBe(3);
    expect(a.candidacy.trustedSession()).toBeDefined();
    await a.candidacy.stop();
  });

  test('a refused write ends the term; the next one begins only when the old office is closed', async () => {
    const { clock, node } = cluster();
    let release: () => void = () => undefined;
    const story: string[] = [];
    const a = node('a', async (session) => {
      story.push(`open ${session.term}`);
      return {
        close: () =>
          new Promise<void>((resolve) => {
            release = () => {
              story.push(`closed ${session.term}`);
              resolve();
            };
          }),
      };
    });
    void a.candidacy.start();
    await clock.advanceSettling(10);
    const ended = a.candidacy.trustedSession();
    if (ended === undefined) throw new Error('not the leader');
    a.candidacy.abandon(ended, 'a write was refused');
    expect(a.session()?.signal.aborted).toBe(true);
    await clock.advanceSettling(20_000);
    expect(story).toHaveLength(1);
    release();
    await clock.advanceSettling(5_000);
    expect(story.map((line) => line.split(' ')[0])).toEqual(['open', 'closed', 'open']);
    a.candidacy.abandon(ended, 'a write of the first term failed late');
    expect(a.candidacy.trustedSession()).toBeDefined();
    const stopped = a.candidacy.stop();
    await clock.advanceSettling(0);
    release();
    await stopped;
  });

  test('a node that steps down stays out of the way for the time asked for', async () => {
    const { clock, node } = cluster();
    const a = node('a');
    void a.candidacy.start();
    await clock.advanceSettling(10);
    await a.candidacy.stepDown(5_000);
    await clock.advanceSettling(4_900);
    expect(a.candidacy.trustedSession()).toBeUndefined();
    await clock.advanceSettling(500);
    expect(a.candidacy.trustedSession()).toBeDefined();
    await a.candidacy.stop();
    expect(clock.pending).toBe(0);
  });

  test('a node that is out of the way knows who holds the lease, and when nobody does any more', async () => {
    const { clock, board, node } = cluster();
    const a = node('a');
    void a.candidacy.start();
    await clock.advanceSettling(10);
    await a.candidacy.stepDown(3_600_000);
    // Taken by a node whose announcement does not arrive, and which then dies without a word.
    const info = { id: 'b', hostname: 'b', url: 'http://b', term: board.term + 1 };
    board.holding = { token: 'of b', endsAtMs: clock.monotonicMs() + ttlMs, info };
    await clock.advanceSettling(500);
    expect(a.candidacy.holder()).toMatchObject({ id: 'b' });
    await clock.advanceSettling(ttlMs + 500);
    expect(a.candidacy.holder()).toBeUndefined();
    await a.candidacy.stop();
  });
});

test('a lease that is granted while the node is stopping is given back before it has stopped', async () => {
  const { clock, node, board } = cluster();
  const a = node('a');
  let grant: () => void = () => undefined;
  const acquire = a.lease.acquire.bind(a.lease);
  a.lease.acquire = async (...request) => {
    const answer = await acquire(...request);
    await new Promise<void>((resolve) => {
      grant = resolve;
    });
    return answer;
  };
  void a.candidacy.start();
  await clock.advanceSettling(0);
  expect(board.holding).toBeDefined();
  const stopped = a.candidacy.stop();
  grant();
  await stopped;
  expect(board.holding).toBeUndefined();
  expect(a.story).toEqual([]);
  expect(clock.pending).toBe(0);
});
