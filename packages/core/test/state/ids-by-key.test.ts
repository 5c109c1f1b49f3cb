import { expect, test } from '@jest/globals';
import { array, assert, boolean, constantFrom, property, record } from 'fast-check';
import { IdsByKey } from '../../src/state/ids-by-key.js';

test('holds what a map of sets would hold, in the same order', () => {
  const step = record({
    isAdded: boolean(),
    key: constantFrom('a', 'b'),
    id: constantFrom('1', '2', '3'),
  });
  assert(
    property(array(step, { maxLength: 30 }), (steps) => {
      const index = new IdsByKey();
      const model = new Map([
        ['a', new Set<string>()],
        ['b', new Set<string>()],
      ]);
      for (const { isAdded, key, id } of steps) {
        if (isAdded) {
          index.add(key, id);
          model.get(key)?.add(id);
        } else {
          index.remove(key, id);
          model.get(key)?.delete(id);
        }
        for (const [known, ids] of model) {
          expect([...index.of(known)]).toEqual([...ids]);
          expect(index.count(known)).toBe(ids.size);
        }
      }
    }),
  );
});
