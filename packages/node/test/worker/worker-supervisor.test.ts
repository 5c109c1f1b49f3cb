import type { ForkOptions } from 'node:child_process';
import { expect, jest, test } from '@jest/globals';
import { MemoryLogger } from '@carillon/adapters';
import { FakeClock } from '@carillon/testkit';
import { settings } from './worker-fixtures.js';

// No program is there to be started, as when the system has no room for another process.
const processes = await import('node:child_process');
jest.unstable_mockModule('node:child_process', () => ({
  ...processes,
  fork: (file: string, argv: string[], options: ForkOptions) =>
    processes.fork(file, argv, { ...options, execPath: '/nowhere/node' }),
}));
const { WorkerSupervisor } = await import('../../src/worker/worker-supervisor.js');

test('a worker process that cannot be started is tried again, and is not waited for', async () => {
  const clock = new FakeClock();
  const log = new MemoryLogger();
  const supervisor = new WorkerSupervisor(settings, clock, log);
  const failures = () =>
    log.lines.filter(({ message }) => message === 'The worker process ended and is started again').length;
  supervisor.start();
  await clock.advanceSettling(50);
  expect(failures()).toBe(1);
  await clock.advanceSettling(100);
  expect(failures()).toBe(2);
  await supervisor.stop(0);
  expect(clock.pending).toBe(0);
});
