import { expect, test } from '@jest/globals';
import { MemoryPasswordHasher } from '@carillon/adapters';
import { deferred } from '@carillon/testkit';
import { PasswordDesk } from '../../src/accounts/password-desk.js';

test('one piece of work at a time, in order, whatever becomes of the one before', async () => {
  const desk = new PasswordDesk(new MemoryPasswordHasher());
  const first = deferred<void>();
  const done: number[] = [];
  const works = [
    desk.take(async () => {
      await first.promise;
      done.push(1);
      throw new Error('failed');
    }),
    desk.take(async () => done.push(2)),
    desk.take(async () => done.push(3)),
  ];
  await Promise.resolve();
  expect(done).toEqual([]);
  first.resolve();
  await Promise.allSettled(works);
  expect(done).toEqual([1, 2, 3]);
});

test('what is too much is asked to come again', async () => {
  const desk = new PasswordDesk(new MemoryPasswordHasher());
  const first = deferred<void>();
  const works = Array.from({ length: 32 }, () => desk.take(() => first.promise));
  await expect(desk.hash('geheim12')).rejects.toMatchObject({ code: 'unavailable', httpStatus: 503 });
  first.resolve();
  await Promise.all(works);
  await expect(desk.hash('geheim12')).resolves.toMatchObject({ salt: '' });
});
