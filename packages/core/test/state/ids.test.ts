import { expect, test } from '@jest/globals';
import { type Clock, createIdSource, type Random } from '../../src/index.js';

const clockAt = (nowMs: number): Clock => ({
  nowMs: () => nowMs,
  monotonicMs: () => 0,
  after: () => () => undefined,
  every: () => () => undefined,
});
const randomOf = (own: number): Random => ({ integer: (bound) => own % bound, hex: () => '' });

test('ids have the documented form', () => {
  expect(createIdSource(clockAt(1_700_000_000_000), randomOf(5))('j')).toMatch(/^j[0-9a-z]{13}$/);
});

test('a thousand ids of one millisecond differ', () => {
  const newId = createIdSource(clockAt(1), randomOf(7));
  expect(new Set(Array.from({ length: 1_296 }, () => newId('e'))).size).toBe(1_296);
});

test('no id comes again while the clock stands still, or is set back', () => {
  let nowMs = 5_000;
  const newId = createIdSource({ ...clockAt(0), nowMs: () => nowMs }, randomOf(7));
  const ids = new Set<string>();
  const ask = (count: number): void => {
    for (let n = 0; n < count; n += 1) ids.add(newId('j'));
  };
  ask(3_000);
  for (nowMs = 0; nowMs < 5_010; nowMs += 1) ask(2);
  expect(ids.size).toBe(3_000 + 2 * 5_010);
});

test('two nodes with the same clock do not collide', () => {
  expect(createIdSource(clockAt(1), randomOf(1))('j')).not.toBe(createIdSource(clockAt(1), randomOf(2))('j'));
});
