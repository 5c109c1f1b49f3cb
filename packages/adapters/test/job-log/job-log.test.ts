import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileLogWriter } from '../../src/job-log/file-log-writer.js';
import { FileJobLog, MemoryJobLog } from '../../src/job-log/index.js';
import { jobLogConformance } from '@carillon/testkit';
import { expect, test } from '@jest/globals';

const freshDirectory = (): Promise<string> => mkdtemp(join(tmpdir(), 'carillon-log-'));

jobLogConformance('MemoryJobLog', async () => ({ logs: new MemoryJobLog(), close: async () => undefined }));
jobLogConformance('FileJobLog', async () => {
  const directory = await freshDirectory();
  return { logs: new FileJobLog(directory), close: () => rm(directory, { recursive: true }) };
});

test('FileJobLog refuses names that would leave its directory', async () => {
  const directory = await freshDirectory();
  const logs = new FileJobLog(join(directory, 'logs'));
  for (const job of ['../x', 'a/b', '', '.', 'a\0'])
    await expect(logs.open(job)).rejects.toThrow('Malformed');
  await rm(directory, { recursive: true });
});

test('a disk that is full fails the write, later writes and the close, and nothing hangs', async () => {
  for (const size of [10, 100_000]) {
    const writer = new FileLogWriter('/dev/full', () => undefined);
    const first = writer.write('x'.repeat(size)).then(() => writer.flushed());
    await expect(first).rejects.toThrow('ENOSPC');
    await expect(writer.write('y')).rejects.toThrow('ENOSPC');
    await expect(writer.close()).rejects.toThrow('ENOSPC');
  }
});
