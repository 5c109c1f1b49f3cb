import { MemoryLease, MemoryLeaseBoard } from '@carillon/adapters';
import { FakeClock, leaseConformance } from '@carillon/testkit';
import { expect, test } from '@jest/globals';

leaseConformance('MemoryLease', async () => {
  const board = new MemoryLeaseBoard(new FakeClock());
  return {
    lease: () => new MemoryLease(board),
    expire: async () => board.expire(),
    listening: async () => undefined,
    close: async () => undefined,
  };
});

const candidate = { id: 'n', hostname: 'h', url: 'u' };

test('the lease ends with its time, counted from the latest renewal', async () => {
  const clock = new FakeClock();
  const lease = new MemoryLease(new MemoryLeaseBoard(clock));
  await lease.acquire('t', candidate, 100);
  clock.advance(99);
  expect(await lease.renew('t', 100)).toBe(true);
  clock.advance(99);
  expect(await lease.holder()).toMatchObject({ id: 'n' });
  clock.advance(1);
  expect(await lease.holder()).toBeUndefined();
  expect(await lease.renew('t', 100)).toBe(false);
});

test('during an outage every call of that node rejects', async () => {
  const board = new MemoryLeaseBoard(new FakeClock());
  const [cutOff, other] = [new MemoryLease(board), new MemoryLease(board)];
  cutOff.setOutage(new Error('unreachable'));
  await expect(cutOff.acquire('t', candidate, 100)).rejects.toThrow('unreachable');
  await expect(cutOff.renew('t', 100)).rejects.toThrow('unreachable');
  await expect(cutOff.resign('t')).rejects.toThrow('unreachable');
  await expect(cutOff.holder()).rejects.toThrow('unreachable');
  expect(await other.holder()).toBeUndefined();
  cutOff.setOutage(undefined);
  expect(await cutOff.acquire('t', candidate, 100)).toMatchObject({ held: true });
});
