import type { JobResult } from '@carillon/contract';
import type { ResultSpool } from '@carillon/core';
import { describe, expect, test } from '@jest/globals';

export interface SpoolSubject {
  spool: ResultSpool;
  /** The same storage, as a later boot sees it. */
  reopen: () => ResultSpool;
  close(): Promise<void>;
}

/** A result with recognisable contents. */
export const spoolResult = (job: string, attempt = 1, timeEnd = 1_700_000_000): JobResult => ({
  job,
  attempt,
  node: 'n1',
  hostname: 'h1',
  time_start: timeEnd - 1,
  time_end: timeEnd,
  pid: 4,
  outcome: { code: 'ünï', description: 'd' },
  log_file_size: 3,
  reported: { perf: { total: 1 } },
});

/** What every implementation of ResultSpool must do; `open` makes an empty one. */
export function spoolConformance(name: string, open: () => Promise<SpoolSubject>): void {
  const withSpool = (body: (subject: SpoolSubject) => Promise<void>) => async (): Promise<void> => {
    const subject = await open();
    try {
      await body(subject);
    } finally {
      await subject.close();
    }
  };

  describe(`${name}: ResultSpool`, () => {
    test(
      'a later boot finds what was put, oldest first',
      withSpool(async ({ spool, reopen }) => {
        expect(await spool.list()).toEqual([]);
        await spool.put(spoolResult('j2', 1, 300));
        await spool.put(spoolResult('j1', 1, 200));
        await spool.put(spoolResult('j3', 2, 100));
        expect(await reopen().list()).toEqual([
          spoolResult('j3', 2, 100),
          spoolResult('j1', 1, 200),
          spoolResult('j2', 1, 300),
        ]);
      }),
    );

    test(
      'a result of the same run is replaced, one of another attempt is not',
      withSpool(async ({ spool }) => {
        await spool.put(spoolResult('j1', 1, 100));
        await spool.put(spoolResult('j1', 2, 300));
        await spool.put(spoolResult('j1', 1, 200));
        expect(await spool.list()).toEqual([spoolResult('j1', 1, 200), spoolResult('j1', 2, 300)]);
      }),
    );

    test(
      'what was removed is gone, removing it again is harmless',
      withSpool(async ({ spool, reopen }) => {
        await spool.put(spoolResult('j1'));
        await spool.put(spoolResult('j1', 2));
        await spool.remove(spoolResult('j1'));
        await spool.remove(spoolResult('j1'));
        expect(await reopen().list()).toEqual([spoolResult('j1', 2)]);
      }),
    );
  });
}
