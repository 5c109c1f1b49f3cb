import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { loadConfig } from '../../src/config/index.js';
import { runNode } from '../../src/start/run-node.js';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'carillon-run-'));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('after a start that failed, signals do what they usually do', async () => {
  const dataDir = join(directory, 'data');
  writeFileSync(dataDir, 'precious');
  const listeners = () => ['SIGTERM', 'SIGINT'].map((signal) => process.listenerCount(signal));
  const before = listeners();
  const running = runNode(loadConfig({ env: { CARILLON_DATA_DIR: dataDir } }));
  expect(listeners()).toEqual(before.map((count) => count + 1));
  await expect(running).rejects.toThrow('cannot be created');
  expect(listeners()).toEqual(before);
});
