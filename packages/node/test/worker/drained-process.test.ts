import { EventEmitter } from 'node:events';
import { expect, jest, test } from '@jest/globals';
import { MemoryLogger } from '@carillon/adapters';
import { FakeClock } from '@carillon/testkit';
import { settings } from './worker-fixtures.js';

/** A worker process under the test's control. */
class FakeProcess extends EventEmitter {
  readonly pid = 4711;
  readonly connected = true;
  readonly received: unknown[] = [];
  send(message: unknown): boolean {
    this.received.push(message);
    return true;
  }
  /** Says that it leaves, and exits. */
  leave(restart: boolean): void {
    this.emit('message', { type: 'leaving', restart });
    this.emit('exit', 0, null);
  }
}

const forked: FakeProcess[] = [];
const processes = await import('node:child_process');
jest.unstable_mockModule('node:child_process', () => ({
  ...processes,
  fork: () => {
    const child = new FakeProcess();
    forked.push(child);
    return child;
  },
}));
const { WorkerSupervisor } = await import('../../src/worker/worker-supervisor.js');

test('a process that was drained to be restarted is followed at once; one that ends for good is not', async () => {
  const clock = new FakeClock();
  const log = new MemoryLogger();
  const supervisor = new WorkerSupervisor(settings, clock, log);
  supervisor.start();
  forked[0]?.leave(true);
  expect(forked).toHaveLength(2);
  expect(supervisor.pid).toBe(4711);
  forked[1]?.leave(false);
  await clock.advanceSettling(60_000);
  expect(forked).toHaveLength(2);
  expect(supervisor.pid).toBeUndefined();
  expect(log.lines.filter((line) => line.level === 'error')).toEqual([]);
  await supervisor.stop(0);
});

test('a crash after a restart by request is a crash', async () => {
  forked.length = 0;
  const clock = new FakeClock();
  const log = new MemoryLogger();
  const supervisor = new WorkerSupervisor(settings, clock, log);
  supervisor.start();
  forked[0]?.leave(true);
  forked[1]?.emit('exit', 1, null);
  expect(forked).toHaveLength(2);
  await clock.advanceSettling(100);
  expect(forked).toHaveLength(3);
  expect(log.lines).toContainEqual(
    expect.objectContaining({ message: 'The worker process ended and is started again' }),
  );
});
