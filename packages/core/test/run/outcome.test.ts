import type { JobOutcome } from '@carillon/contract';
import {
  addSample,
  localTimeWithOffset,
  logFooter,
  isRetried,
  logHeader,
  logPiece,
  logRemarks,
  outcomeOf,
  retryNotice,
  type PluginReport,
  type RunEnd,
} from '@carillon/core';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

const end = (
  kind: RunEnd['kind'],
  exit: number | string,
  completion?: PluginReport['completion'],
  firstErrorLine?: string,
  abortReason?: string,
): RunEnd => ({
  kind,
  pid: 42,
  exit: typeof exit === 'number' ? { code: exit, signal: null } : { code: null, signal: exit },
  output: { report: { reported: {}, ...(completion === undefined ? {} : { completion }) }, firstErrorLine },
  abort: abortReason === undefined ? undefined : { kind: 'timeout', reason: abortReason },
});
const said = (code: number | string, description = ''): PluginReport['completion'] => ({ code, description });

describe('outcomeOf', () => {
  test.each<[string, RunEnd, JobOutcome]>([
    ['plugin success', end('plugin', 0, said(0)), { code: 0, description: '' }],
    ['plugin success, then a crash', end('plugin', 9, said(0, 'ok')), { code: 0, description: 'ok' }],
    ['numeric text is a number', end('plugin', 0, said('0')), { code: 0, description: '' }],
    ['failure in words', end('plugin', 0, said('E5', 'bad')), { code: 'E5', description: 'bad' }],
    [
      'failure without words',
      end('plugin', 0, said(7)),
      { code: 7, description: 'Unknown Error (no description provided)' },
    ],
    ['plugin crash', end('plugin', 3), { code: 3, description: 'Child 42 crashed with code: 3' }],
    [
      'plugin silent',
      end('plugin', 0),
      { code: 1, description: 'Process exited without reporting job completion.', unknown: 1 },
    ],
    [
      'plugin killed',
      end('plugin', 'SIGKILL'),
      { code: 1, description: 'Process exited without reporting job completion.', unknown: 1 },
    ],
    ['detached plugin, silent success', end('detached', 0), { code: 0, description: '' }],
    ['detached plugin failure', end('detached', 3), { code: 3, description: 'Plugin exited with code: 3' }],
    [
      'detached plugin killed',
      end('detached', 'SIGTERM'),
      { code: 'SIGTERM', description: 'Plugin exited with code: SIGTERM' },
    ],
    ['detached plugin with a report', end('detached', 3, said(5, 'why')), { code: 5, description: 'why' }],
    [
      'an abort beats a detached success',
      end('detached', 0, undefined, undefined, 'why'),
      { code: 1, description: 'Job Aborted: why', abort_reason: 'why', abort: 'timeout' },
    ],
    ['shell success', end('shell', 0, undefined, 'noise'), { code: 0, description: '' }],
    ['shell failure', end('shell', 2), { code: 2, description: 'Script exited with code: 2' }],
    [
      'shell failure with a reason',
      end('shell', 2, undefined, 'no such file'),
      { code: 2, description: 'Script exited with code: 2: no such file' },
    ],
    [
      'shell killed',
      end('shell', 'SIGKILL'),
      { code: 'SIGKILL', description: 'Script exited with code: SIGKILL' },
    ],
    ['shell with a report', end('shell', 0, said(5, 'said so')), { code: 5, description: 'said so' }],
    [
      'an abort beats success',
      end('plugin', 0, said(0), undefined, 'why'),
      { code: 1, description: 'Job Aborted: why', abort_reason: 'why', abort: 'timeout' },
    ],
  ])('%s', (_name, input, outcome) => {
    expect(outcomeOf(input)).toEqual(outcome);
  });
});

describe('log texts', () => {
  const atMs = Date.UTC(2024, 5, 7, 8, 9, 10);

  test.each([
    ['UTC', '2024/06/07 08:09:10 (GMT+0)'],
    ['America/Los_Angeles', '2024/06/07 01:09:10 (GMT-7)'],
    ['Asia/Kolkata', '2024/06/07 13:39:10 (GMT+5:30)'],
    ['America/St_Johns', '2024/06/07 05:39:10 (GMT-2:30)'],
  ])('times in %s', (zone, expected) => {
    expect(localTimeWithOffset(atMs, zone)).toBe(expected);
  });

  test('header', () => {
    expect(logHeader({ id: 'j1', event_title: 'T', hostname: 'h' }, atMs, 'UTC')).toBe(
      '# Job ID: j1\n# Event Title: T\n# Hostname: h\n# Date/Time: 2024/06/07 08:09:10 (GMT+0)\n\n',
    );
  });

  test.each<[JobOutcome, string]>([
    [{ code: 0, description: '' }, '# Job completed successfully at 2024/06/07 08:09:10 (GMT+0).\n'],
    [
      { code: 0, description: 'fine' },
      '# Job completed successfully at 2024/06/07 08:09:10 (GMT+0).\n# Description: fine\n',
    ],
    [{ code: 1, description: 'bad' }, '# Job failed at 2024/06/07 08:09:10 (GMT+0).\n# Error: bad\n'],
    [{ code: 'X', description: 'bad' }, '# Job failed at 2024/06/07 08:09:10 (GMT+0).\n# Error X: bad\n'],
  ])('footer of %j', (outcome, middle) => {
    expect(logFooter(outcome, atMs, 'UTC')).toBe(`\n${middle}# End of log.\n`);
  });
});

describe('retries', () => {
  test.each<[Record<string, unknown>, Partial<JobOutcome>, boolean]>([
    [{ retries: 1 }, { code: 1 }, true],
    [{ retries: 1 }, { code: 'SIGKILL' }, true],
    [{ retries: 0 }, { code: 1 }, false],
    [{}, { code: 1 }, false],
    [{ retries: 3 }, { code: 0 }, false],
    [{ retries: 3 }, { code: 1, abort_reason: 'why', abort: 'manual' }, false],
    [{ retries: 3 }, { code: 1, unknown: 1 }, true],
  ])('%j after %j: %j', (job, outcome, expected) => {
    expect(isRetried(job, { code: 0, description: '', ...outcome })).toBe(expected);
  });

  test.each<[Record<string, unknown>, JobOutcome, string]>([
    [{ retries: 3 }, { code: 1, description: 'bad' }, 'error: bad\n# 3 retries remain'],
    [{ retries: 1, retry_delay: 0 }, { code: 1, description: '' }, 'error: \n# 1 retries remain'],
    [
      { retries: 2, retry_delay: 2 },
      { code: 999, description: 'x' },
      'error 999: x\n# 2 retries remain (2 sec delay)',
    ],
  ])('notice of %j after %j', (job, outcome, middle) => {
    expect(retryNotice(job, outcome)).toBe(`\n# Job failed with ${middle}\n\n`);
  });
});

test('remarks at the end of a log are lines of their own', () => {
  expect(logRemarks([])).toBe('');
  expect(logRemarks(['one', 'two'])).toBe('\n# one\n# two\n');
});

describe('logPiece', () => {
  const pieces = (bytes: Uint8Array, size: number): { text: string; offsets: boolean } => {
    let text = '';
    let offset = 0;
    let offsets = true;
    while (offset < bytes.length) {
      const window = bytes.subarray(offset, offset + size);
      const piece = logPiece(window, offset + size >= bytes.length);
      offsets &&= Buffer.byteLength(piece.text) === piece.length && piece.length > 0;
      text += piece.text;
      offset += piece.length;
    }
    return { text, offsets };
  };

  test('text comes back whole from pieces of any size that holds a character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 4, max: 16 }), (text, size) => {
        expect(pieces(Buffer.from(text), size)).toEqual({ text, offsets: true });
      }),
    );
  });

  test('any bytes: offsets stay true and it always moves on', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.integer({ min: 4, max: 16 }), (bytes, size) => {
        expect(pieces(bytes, size).offsets).toBe(true);
      }),
    );
  });

  test.each([
    ['latin-1', [0x61, 0xe9, 0x62], 'a?b'],
    ['a surrogate', [0xed, 0xa0, 0x80], '???'],
    ['an overlong form', [0xc0, 0x80], '??'],
    ['beyond the last code point', [0xf4, 0x90, 0x80, 0x80], '????'],
    ['a byte order mark', [0xef, 0xbb, 0xbf, 0x61], '\ufeffa'],
  ])('%s', (_name, bytes, text) => {
    expect(logPiece(Uint8Array.from(bytes), true)).toEqual({ text, length: bytes.length });
  });
});

test('addSample keeps minimum, maximum, total, count and the last value', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1 }), (values) => {
      let stat: ReturnType<typeof addSample> | undefined;
      for (const value of values) stat = addSample(stat, value);
      expect(stat).toEqual({
        min: Math.min(...values),
        max: Math.max(...values),
        total: values.reduce((sum, value) => sum + value, 0),
        count: values.length,
        current: values.at(-1),
      });
    }),
  );
});

test('texts of an outcome are bounded', () => {
  const outcome = outcomeOf(end('plugin', 0, said('E'.repeat(1000), 'd'.repeat(20_000))));
  expect(outcome.code).toBe(`${'E'.repeat(255)}…`);
  expect(outcome.description).toBe(`${'d'.repeat(10_000)}…`);
});
