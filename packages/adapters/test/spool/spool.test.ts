import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobResult } from '@carillon/contract';
import { MemoryLogger } from '../../src/logger/index.js';
import { FileResultSpool, MemoryResultSpool } from '../../src/spool/index.js';
import { spoolConformance, spoolResult } from '@carillon/testkit';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

const removeSpool = async (directory: string): Promise<void> => {
  for (const path of [directory, `${directory}-spare`]) await rm(path, { recursive: true });
};
const freshDirectory = (): Promise<string> => mkdtemp(join(tmpdir(), 'carillon-spool-'));

spoolConformance('MemoryResultSpool', async () => {
  const spool = new MemoryResultSpool();
  return { spool, reopen: () => spool, close: async () => undefined };
});
spoolConformance('FileResultSpool', async () => {
  const directory = await freshDirectory();
  const open = (): FileResultSpool => new FileResultSpool(directory, new MemoryLogger());
  return { spool: open(), reopen: open, close: () => removeSpool(directory) };
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
  await removeSpool(directory);
});

describe('the files of removed results', () => {
  let directory: string;
  let spool: FileResultSpool;
  beforeEach(async () => {
    directory = await freshDirectory();
    spool = new FileResultSpool(directory, new MemoryLogger());
  });
  afterEach(() => removeSpool(directory));
  const inodeOf = async (run: string): Promise<number> => (await stat(join(directory, `${run}.json`))).ino;
  const described = (job: string, description: string): JobResult => ({
    ...spoolResult(job),
    outcome: { code: 0, description },
  });

  test('are used again, by longer and by shorter ones', async () => {
    await spool.put(spoolResult('j1'));
    const inode = await inodeOf('j1-1');
    await spool.remove(spoolResult('j1'));
    expect(await readdir(directory)).toEqual([]);
    for (const result of [described('j2', 'd'.repeat(2_000)), described('j3', '')]) {
      await spool.put(result);
      expect(await inodeOf(`${result.job}-1`)).toBe(inode);
      expect(await spool.list()).toEqual([result]);
      const text = await readFile(join(directory, `${result.job}-1.json`), 'utf8');
      expect(text.trimEnd()).toBe(JSON.stringify(result));
      await spool.remove(result);
    }
  });

  test('are not kept when they are long, or very many', async () => {
    const long = described('j1', 'd'.repeat(5_000));
    await spool.put(long);
    await spool.remove(long);
    expect(await readdir(`${directory}-spare`)).toEqual([]);
    const results = Array.from({ length: 100 }, (_, n) => spoolResult(`j${n}`));
    for (const result of results) await spool.put(result);
    for (const result of results) await spool.remove(result);
    expect((await readdir(`${directory}-spare`)).length).toBe(64);
    expect(await readdir(directory)).toEqual([]);
  });

  test('are gone at the next boot, and the spool works without them', async () => {
    await spool.put(spoolResult('j1'));
    await spool.remove(spoolResult('j1'));
    const later = new FileResultSpool(directory, new MemoryLogger());
    expect(await readdir(`${directory}-spare`)).toEqual([]);
    await spool.put(spoolResult('j2'));
    expect(await later.list()).toEqual([spoolResult('j2')]);
  });

  test('a result that cannot be written is refused, and nothing is left of it', async () => {
    await mkdir(join(directory, 'j1-1.json'));
    await expect(spool.put(spoolResult('j1'))).rejects.toThrow('EISDIR');
    expect(await readdir(`${directory}-spare`)).toEqual([]);
  });
});
