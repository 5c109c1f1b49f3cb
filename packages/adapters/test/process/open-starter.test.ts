import { allText, bundledProgram, signalsOfThisProcess } from '@carillon/testkit';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { MemoryLogger } from '../../src/logger/index.js';
import type { ProgramStarter } from '../../src/process/index.js';
import { shellStart } from './shell-start.js';

let starter: ProgramStarter | undefined;
let log: MemoryLogger;
beforeEach(() => {
  log = new MemoryLogger();
});
afterEach(async () => {
  await starter?.close();
  jest.resetModules();
});

async function outputKind(): Promise<string> {
  const { openStarter } = await import('../../src/process/index.js');
  starter = await openStarter({
    threadProgram: bundledProgram('spawn-thread.js'),
    log,
    signals: signalsOfThisProcess(),
  });
  const child = await starter.start(shellStart('/', 'readlink /proc/$$/fd/1'), () => '');
  const [text] = await Promise.all([allText(child.stdout), child.exited]);
  return text.replace(/:.*\n/, '');
}

test('programs get pipes, from posix_spawn', async () => {
  expect(await outputKind()).toBe('pipe');
  expect(log.lines).toEqual([]);
});

test('without koffi they are started all the same, by Node, and the log says so', async () => {
  jest.unstable_mockModule('koffi', () => ({}));
  expect(await outputKind()).toBe('socket');
  expect(log.lines.map(({ message }) => message)).toEqual([
    'Processes are started by a thread that forks; posix_spawn would be faster',
  ]);
});
