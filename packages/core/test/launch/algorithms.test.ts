import { describe, expect, test } from '@jest/globals';
import { isAlgorithm, launchChanges, type Member, pickMember, planLaunch } from '@carillon/core';
import fc from 'fast-check';
import { aJob, aMember, anEvent, aState, seededRandom } from '../support/builders.js';

const [a, b, c] = [aMember('a'), aMember('b'), aMember('c')];
const context = { random: seededRandom(3), loads: new Map(), robin: 0 };

test('known names', () => {
  for (const name of [
    'random',
    'round_robin',
    'least_cpu',
    'least_mem',
    'prefer_first',
    'prefer_last',
    'multiplex',
    '',
  ]) {
    expect(isAlgorithm(name)).toBe(true);
  }
  for (const name of ['constructor', 'Random', 'x']) expect(isAlgorithm(name)).toBe(false);
});

test('first and last by name', () => {
  expect(pickMember('prefer_first', [a, b, c], context).member).toBe(a);
  expect(pickMember('prefer_last', [a, b, c], context).member).toBe(c);
});

describe('least loaded: the worker itself plus its jobs, ties to the first by name', () => {
  const stat = (current: number) => ({ min: 0, max: 0, total: 0, count: 1, current });
  const nodeFor = (algo: 'least_cpu' | 'least_mem', members: Member[]) => {
    const state = aState([anEvent({ algo })]);
    state.applyChange({
      type: 'job',
      job: aJob('j1', { event: 'x', cpu: stat(50), mem: stat(10) }, { node: 'web1' }),
    });
    state.applyChange({
      type: 'job',
      job: aJob('j2', { event: 'x', cpu: stat(20), mem: stat(90) }, { node: 'web2' }),
    });
    const plan = planLaunch(
      { event: 'e1', overrides: {}, now: 0 },
      { state, members, nowMs: 0, maxJobs: 0, random: seededRandom(1), newJobId: () => 'j', nextSeq: 1 },
    );
    const [change] = launchChanges('e1', plan);
    return change?.type === 'job' ? change.job.node : undefined;
  };
  test.each<['least_cpu' | 'least_mem', number, number, string]>([
    ['least_cpu', 0, 0, 'web2'],
    ['least_cpu', 0, 40, 'web1'],
    ['least_cpu', 0, 30, 'web1'],
    ['least_mem', 0, 0, 'web1'],
    ['least_mem', 81, 0, 'web2'],
  ])('%s with own loads %i and %i: %s', (algo, first, second, node) => {
    const own = (load: number) => ({ cpu: load, mem: load });
    expect(nodeFor(algo, [aMember('web1', own(first)), aMember('web2', own(second))])).toBe(node);
  });
});

const members = fc
  .uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 8 })
  .map((ids) => ids.map((id) => aMember(id)));

test('whatever the algorithm and its state, the pick is a candidate', () => {
  const algo = fc.oneof(
    fc.constantFrom(
      'random',
      'round_robin',
      'least_cpu',
      'least_mem',
      'prefer_first',
      'prefer_last',
      'multiplex',
      '',
    ),
    fc.string(),
  );
  fc.assert(
    fc.property(algo, members, fc.integer({ min: -3, max: 99 }), fc.nat(), (name, list, robin, seed) => {
      const [first, ...others] = list;
      if (first === undefined) return;
      const pick = pickMember(name, [first, ...others], {
        random: seededRandom(seed),
        loads: new Map(),
        robin,
      });
      expect(list).toContain(pick.member);
    }),
  );
});

test('round robin visits all candidates in turn', () => {
  fc.assert(
    fc.property(members, fc.nat(20), (list, start) => {
      const [first, ...others] = list;
      if (first === undefined) return;
      let robin = start;
      const visited = list.map(() => {
        const pick = pickMember('round_robin', [first, ...others], { ...context, robin });
        robin = pick.robin ?? 0;
        return pick.member;
      });
      expect(new Set(visited).size).toBe(list.length);
    }),
  );
});

test('random reaches every candidate', () => {
  const picks = Array.from({ length: 200 }, () => pickMember('random', [a, b, c], context).member.id);
  expect(new Set(picks)).toEqual(new Set(['a', 'b', 'c']));
});
