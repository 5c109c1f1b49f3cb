import { hasJoined, isServing } from '@carillon/testkit';
import { afterEach, expect, test } from '@jest/globals';
import { Stage } from './stage.js';

/*
 * Nodes that are told to stop, on real processes.
 */

let stage: Stage;

afterEach(async () => {
  await stage?.clear();
}, 60_000);

test('a drained worker: running jobs end within the grace or are aborted, others go elsewhere, detached ones go on', async () => {
  stage = await Stage.set({ primaries: 1, workers: 2, environment: { CARILLON_DRAIN_GRACE: '3' } });
  const { faulty, client } = stage;
  const [leaving] = faulty.workers;
  if (leaving === undefined) throw new Error('no worker');
  const first = { algo: 'prefer_first' };
  const [ends = ''] = await stage.run(await stage.held('soon', first));
  const [stays = ''] = await stage.run(await stage.held('late', first));
  const [apart = ''] = await stage.run(await stage.held('late', { ...first, detached: 1 }));
  const line = await stage.held('soon', { ...first, max_children: 1, queue: 1 });
  const [heads = '', ...queued] = await stage.run(line, 3);
  await stage.waitForLines('start', 4);
  // On w1 at once, and on w2 in two seconds, when the other has long begun to leave.
  const staggered = await stage.run(await stage.quick({ multiplex: 1, stagger: 2 }));
  await stage.waitForLines('end', 1);
  const takesNoMore = leaving.process.waitForNextLine(
    ({ message }) => message === 'The worker takes no more jobs',
  );
  const left = leaving.process.stop();
  await takesNoMore;
  stage.release('soon');
  expect(await stage.codesOf([ends, heads])).toEqual([0, 0]);
  expect(await stage.codesOf([stays])).toEqual([1]);
  expect((await client.getJobStatus({ id: stays })).job.description).toMatch(/^Job Aborted: .*shut/i);
  expect(await stage.codesOf([...queued, ...staggered])).toEqual([0, 0, 0, 0]);
  expect(await left).toBe(0);
  expect((await client.getJobStatus({ id: apart })).job.complete).not.toBe(1);
  leaving.process.start();
  await faulty.leader.process.waitForNextLine(hasJoined('w1'));
  stage.release('late');
  expect(await stage.codesOf([apart])).toEqual([0]);
  const runs = stage.lines.filter(({ at }) => at === 'start').map(({ job, attempt }) => `${job}/${attempt}`);
  expect(new Set(runs).size).toBe(runs.length);
}, 90_000);

test('every node is restarted under load: no request fails, and no job', async () => {
  stage = await Stage.set({
    primaries: 2,
    workers: 2,
    direct: true,
    environment: { CARILLON_DRAIN_GRACE: '10' },
  });
  const { faulty, client } = stage;
  const event = await stage.quick();
  const asked: string[] = [];
  const notes: string[] = [];
  const over = new AbortController();
  const load = async (lane: number): Promise<void> => {
    const { id } = await client.createEvent({
      title: `Lane ${lane}`,
      enabled: 1,
      category: 'general',
      plugin: 'shellplug',
      target: 'allgrp',
    });
    for (let n = 0; !over.signal.aborted; n += 1) {
      asked.push(...(await stage.run(event)));
      await client.updateEvent({ id, notes: `note ${n}` });
      notes[lane] = `note ${n}`;
      expect((await client.getEvent({ id })).event.notes).toBe(notes[lane]);
    }
  };
  const lanes = Promise.all([load(0), load(1)]);
  lanes.catch(() => undefined);
  for (const { process } of faulty.workers) {
    expect(await process.stop()).toBe(0);
    const back = faulty.leader.process.waitForNextLine(hasJoined(process.name));
    process.start();
    await back;
  }
  for (const { process } of faulty.primaries) {
    const { term, leader } = faulty;
    const next = leader.process === process ? faulty.nextLeader(term) : undefined;
    const back = process.waitForNextLine(({ message }) => message === 'The node runs');
    expect(await process.stop()).toBe(0);
    process.start();
    await Promise.all([back, next]);
  }
  const settled = asked.length;
  await stage.waitForLines('end', settled);
  over.abort();
  await lanes;
  expect(asked.length).toBeGreaterThan(20);
  expect(await stage.codesOf(asked)).toEqual(asked.map(() => 0));
  const starts = stage.lines.filter(({ at }) => at === 'start').map(({ job }) => job);
  expect([...starts].sort()).toEqual([...asked].sort());
  expect(faulty.leader.process.lines.filter(isServing).length).toBeGreaterThan(0);
}, 120_000);
