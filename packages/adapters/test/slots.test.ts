import { deferred } from '@carillon/testkit';
import { expect, test } from '@jest/globals';
import { Slots } from '../src/slots.js';

test('so many run at one time, the others in the order in which they came, and a failure frees its place', async () => {
  const slots = new Slots(2);
  const begun: number[] = [];
  const ends = Array.from({ length: 5 }, () => deferred());
  const runs = ends.map((end, number) =>
    slots.use(async () => {
      begun.push(number);
      await end.promise;
      if (number === 1) throw new Error('one');
      return number;
    }),
  );
  expect(begun).toEqual([0, 1]);
  ends[1]?.resolve();
  await expect(runs[1]).rejects.toThrow('one');
  expect(begun).toEqual([0, 1, 2]);
  for (const end of ends) end.resolve();
  expect(await Promise.all([runs[0], runs[2], runs[3], runs[4]])).toEqual([0, 2, 3, 4]);
  expect(begun).toEqual([0, 1, 2, 3, 4]);
});

test('nobody who comes later overtakes', async () => {
  const slots = new Slots(1);
  const begun: string[] = [];
  const first = slots.use(async () => {
    begun.push('first');
  });
  const second = slots.use(async () => {
    begun.push('second');
  });
  await first;
  const third = slots.use(async () => {
    begun.push('third');
  });
  await Promise.all([second, third]);
  expect(begun).toEqual(['first', 'second', 'third']);
});
