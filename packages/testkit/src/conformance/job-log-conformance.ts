import { gunzipSync, gzipSync } from 'node:zlib';
import type { JobLog } from '@carillon/core';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

export interface JobLogSubject {
  logs: JobLog;
  close(): Promise<void>;
}

/** What every implementation of JobLog must do; `open` makes an empty one. */
export function jobLogConformance(name: string, open: () => Promise<JobLogSubject>): void {
  const withLogs = (body: (logs: JobLog) => Promise<void>) => async (): Promise<void> => {
    const subject = await open();
    try {
      await body(subject.logs);
    } finally {
      await subject.close();
    }
  };

  describe(`${name}: JobLog`, () => {
    test(
      'what was written can be read, during and after',
      withLogs(async (logs) => {
        const writer = await logs.open('j1');
        expect(writer.size).toBe(0);
        await writer.write('ünï');
        await writer.write(Buffer.from('\ncode'));
        expect(writer.size).toBe(10);
        expect(await textOf(logs, 'j1')).toBe('ünï\ncode');
        await writer.close();
        expect(await textOf(logs, 'j1')).toBe('ünï\ncode');
        expect(Buffer.from(await logs.read('j1', 6, 2)).toString()).toBe('co');
        expect((await logs.read('j1', 10, 5)).length).toBe(0);
        expect((await logs.read('j1', 99, 5)).length).toBe(0);
      }),
    );

    test(
      'large pieces, not waited for, keep their order among small ones',
      withLogs(async (logs) => {
        const writer = await logs.open('j1');
        const pieces = Array.from({ length: 60 }, (_, n) =>
          String.fromCharCode(65 + (n % 26)).repeat(n % 2 ? 9 : 90_000),
        );
        await Promise.all(pieces.map((piece) => writer.write(piece)));
        const whole = pieces.join('');
        expect(writer.size).toBe(whole.length);
        expect((await logs.read('j1', 0, whole.length)).length).toBe(whole.length);
        await writer.close();
        expect((await textOf(logs, 'j1')) === whole).toBe(true);
      }),
    );

    test(
      'opening again continues',
      withLogs(async (logs) => {
        for (const part of ['one ', 'two']) {
          const writer = await logs.open('j1');
          await writer.write(part);
          await writer.close();
        }
        const writer = await logs.open('j1');
        expect(writer.size).toBe(7);
        await writer.close();
        expect(await textOf(logs, 'j1')).toBe('one two');
      }),
    );

    test(
      'a log can be cut when it is opened again, and what was flushed is there for another reader',
      withLogs(async (logs) => {
        const writer = await logs.open('j1');
        await writer.write('kept, and cut off');
        await writer.write(Buffer.alloc(100_000));
        await writer.flushed();
        await writer.close();
        const again = await logs.open('j1', 6);
        expect(again.size).toBe(6);
        await again.write('here');
        await again.flushed();
        expect(await textOf(logs, 'j1')).toBe('kept, here');
        await again.close();
        const longer = await logs.open('j1', 1000);
        expect(longer.size).toBe(10);
        await longer.close();
      }),
    );

    test(
      'a closed log refuses more, and closing again is harmless',
      withLogs(async (logs) => {
        const writer = await logs.open('j1');
        await writer.close();
        await writer.close();
        await expect(writer.write('x')).rejects.toThrow('closed');
      }),
    );

    test.each([0, 1, 2, 3, 4, 5])(
      'a log that is removed while it is read, %i turns after the read began, is whole or empty',
      (turns) =>
        withLogs(async (logs) => {
          const writer = await logs.open('j1');
          await writer.write('text');
          await writer.close();
          const read = textOf(logs, 'j1');
          for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
          await logs.remove('j1');
          expect(['text', '']).toContain(await read);
        })(),
    );

    test(
      'removed and unknown logs are empty',
      withLogs(async (logs) => {
        const writer = await logs.open('j1');
        await writer.write('x');
        await writer.close();
        await logs.remove('j1');
        await logs.remove('j1');
        expect(await textOf(logs, 'j1')).toBe('');
        expect(gunzipSync(await compressed(logs, 'never')).length).toBe(0);
      }),
    );

    test(
      'lists the jobs that have a log',
      withLogs(async (logs) => {
        expect(await logs.list()).toEqual([]);
        for (const job of ['j1', 'j2', 'j3']) {
          const writer = await logs.open(job);
          await writer.write(job);
          if (job !== 'j3') await writer.close();
        }
        await logs.remove('j1');
        expect((await logs.list()).sort()).toEqual(['j2', 'j3']);
      }),
    );

    test(
      'a restored log is continued, and never replaces one',
      withLogs(async (logs) => {
        const earlier = 'first attempt →\n'.repeat(20_000);
        await logs.restore('j1', inPieces(gzipSync(earlier)));
        expect(await logs.list()).toEqual(['j1']);
        const writer = await logs.open('j1');
        expect(writer.size).toBe(Buffer.byteLength(earlier));
        await writer.write('second');
        await writer.close();
        await logs.restore('j1', inPieces(gzipSync('late')));
        expect((await textOf(logs, 'j1')) === `${earlier}second`).toBe(true);
      }),
    );

    test(
      'what cannot be restored leaves nothing behind',
      withLogs(async (logs) => {
        const whole = gzipSync('x'.repeat(100_000));
        const broken = async function* (): AsyncGenerator<Uint8Array> {
          yield whole.subarray(0, 20);
          throw new Error('away');
        };
        await expect(logs.restore('j1', broken())).rejects.toThrow('away');
        await expect(logs.restore('j1', inPieces(whole.subarray(0, 50)))).rejects.toThrow();
        await expect(logs.restore('j1', inPieces(Buffer.from('no gzip')))).rejects.toThrow();
        expect(await logs.list()).toEqual([]);
        expect(await textOf(logs, 'j1')).toBe('');
      }),
    );

    test(
      'compressed is the whole log in gzip form, small and large',
      withLogs(async (logs) => {
        let jobs = 0;
        const sizes = fc.constantFrom(0, 1, 1000, 65_536, 65_537, 500_000);
        await fc.assert(
          fc.asyncProperty(sizes, async (size) => {
            jobs += 1;
            const bytes = Buffer.alloc(size, 'abc\n');
            const writer = await logs.open(`j${jobs}`);
            await writer.write(bytes);
            await writer.close();
            expect(gunzipSync(await compressed(logs, `j${jobs}`)).equals(bytes)).toBe(true);
          }),
          { numRuns: 12 },
        );
      }),
    );
  });
}

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 7) yield bytes.subarray(at, at + 7);
}

async function textOf(logs: JobLog, job: string): Promise<string> {
  return Buffer.from(await logs.read(job, 0, 100_000_000)).toString();
}

async function compressed(logs: JobLog, job: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of logs.compressed(job)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
