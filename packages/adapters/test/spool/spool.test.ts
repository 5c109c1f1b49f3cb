import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryLogger } from '../../src/logger/index.js';
import { FileResultSpool, MemoryResultSpool } from '../../src/spool/index.js';
import { spoolConformance, spoolResult } from '@carillon/testkit';
import { expect, test } from '@jest/globals';

const freshDirectory = (): Promise<string> => mkdtemp(join(tmpdir(), 'carillon-spool-'));

spoolConformance('MemoryResultSpool', async () => {
  const spool = new MemoryResultSpool();
  return { spool, reopen: () => spool, close: async () => undefined };
});
spoolConformance('FileResultSpool', async () => {
  const directory = await freshDirectory();
  const open = (): FileResultSpool => new FileResultSpool(directory, new MemoryLogger());
  return { spool: open(), reopen: open, close: () => rm(directory, { recursive: true }) };
});

test('FileResultSpool skips what it cannot read, says so, and leaves it there', async () => {
  const directory = await freshDirectory();
  const logger = new MemoryLogger();
  const spool = new FileResultSpool(directory, logger);
  await spool.put(spoolResult('j1'));
  await writeFile(join(directory, 'j2-1.json'), '{"job":"j2"');
  await writeFile(join(directory, 'j3-1.json'), '[]');
  await writeFile(join(directory, 'j4-1.json.new'), 'half');
  expect(await spool.list()).toEqual([spoolResult('j1')]);
  expect(logger.lines.map((line) => line.fields['file']).sort()).toEqual(['j2-1.json', 'j3-1.json']);
  expect((await readdir(directory)).length).toBe(4);
  await rm(directory, { recursive: true });
});
