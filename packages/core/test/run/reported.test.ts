import { boundReport, longestReport, PluginProtocol, ShellProtocol } from '@carillon/core';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

const encoder = new TextEncoder();
const say = (...lines: string[]): PluginProtocol => {
  const protocol = new PluginProtocol();
  protocol.stdout(encoder.encode(lines.map((line) => `${line}\n`).join('')));
  protocol.end();
  return protocol;
};

describe('every key a plugin may report', () => {
  test.each<[string, unknown, unknown]>([
    ['progress', 0.25, 0.25],
    ['perf', 'db=1.5&read=2', 'db=1.5&read=2'],
    ['perf', { db: 1.5, read: 2 }, { db: 1.5, read: 2 }],
    [
      'perf',
      { scale: 1000, perf: { db: 1.5 }, counters: { rows: 7 } },
      { scale: 1000, perf: { db: 1.5 }, counters: { rows: 7 } },
    ],
    [
      'table',
      { title: 'T', header: ['a'], rows: [[1]], caption: 'c', filters: ['bytes'] },
      { title: 'T', header: ['a'], rows: [[1]], caption: 'c', filters: ['bytes'] },
    ],
    ['html', '<b>x</b>', '<b>x</b>'],
    ['html', { title: 'T', content: 'x', caption: 'c' }, { title: 'T', content: 'x', caption: 'c' }],
    ['label', 'nightly', 'nightly'],
    ['chain', 'e2', 'e2'],
    ['chain', '', ''],
    ['chain', false, ''],
    ['chain_error', 'e3', 'e3'],
    ['chain_data', { a: [1] }, { a: [1] }],
    ['chain_data', 'text', 'text'],
    ['chain_data', null, null],
    ['chain_params', { a: 1 }, { a: 1 }],
    ['notify_success', 'a@b.c', 'a@b.c'],
    ['notify_fail', '', ''],
    ['update_event', { timing: { minutes: [1] } }, { timing: { minutes: [1] } }],
  ])('%s: %j', (key, value, expected) => {
    const { report } = say(JSON.stringify({ [key]: value }));
    expect(report.reported).toEqual({ [key]: expected });
    expect(boundReport(report)).toEqual({ reported: { [key]: expected }, remarks: [] });
  });

  test.each(['notes', 'web_hook', 'retries', 'memo', 'hostname', 'id', '__proto__', 'constructor'])(
    '%s is not one',
    (key) => {
      const { report } = say(`{"${key}":"x","label":"y"}`);
      expect(report.reported).toEqual({ label: 'y' });
    },
  );

  test('the last value of a key counts', () => {
    const { report } = say('{"label":"a","progress":0.1}', '{"label":"b"}', '{"progress":0.9}');
    expect(report).toEqual({ progress: 0.9, reported: { label: 'b', progress: 0.9 } });
  });
});

describe('bytes of any kind', () => {
  const read = (bytes: Uint8Array): { log: Buffer; protocol: PluginProtocol } => {
    const protocol = new PluginProtocol();
    return { log: Buffer.concat([...protocol.stdout(bytes), ...protocol.end()]), protocol };
  };

  test('invalid UTF-8 and NUL bytes are logged as they are', () => {
    const bytes = Buffer.from([0x61, 0, 0xff, 0xfe, 0x0a, 0xc3, 0x0a, 0x7b, 0xff, 0x7d, 0x0a, 0]);
    expect(read(bytes).log.equals(bytes)).toBe(true);
  });

  test('invalid UTF-8 within a message becomes replacement characters', () => {
    const bytes = Buffer.concat([Buffer.from('{"label":"a'), Buffer.from([0xff]), Buffer.from('b"}\n')]);
    const { log, protocol } = read(bytes);
    expect(log.length).toBe(0);
    expect(protocol.report.reported).toEqual({ label: 'a\ufffdb' });
  });

  test('lines that end with CRLF', () => {
    const { log, protocol } = read(Buffer.from('text\r\n{"label":"x"}\r\n\r\n{"complete":1}\r\n'));
    expect(log.toString()).toBe('text\r\n\r\n');
    expect(protocol.report.completion).toEqual({ code: 0, description: '' });
  });

  test('a NUL within a message line makes it text, unless it is written as JSON does', () => {
    expect(read(Buffer.from('{"label":"a\0"}\n')).log.toString()).toBe('{"label":"a\0"}\n');
    expect(read(Buffer.from('{"label":"a\\u0000"}\n')).protocol.report.reported).toEqual({ label: 'a\0' });
  });
});

describe('boundReport', () => {
  test.each([
    ['perf', 32_768],
    ['html', 262_144],
    ['label', 1024],
    ['chain', 255],
    ['notify_fail', 8192],
  ])('%s of up to %d characters', (key, limit) => {
    // The quotes count.
    const fits = { [key]: 'x'.repeat(limit - 2) };
    expect(boundReport({ reported: fits })).toEqual({ reported: fits, remarks: [] });
    expect(boundReport({ reported: { [key]: 'x'.repeat(limit - 1), progress: 1 } })).toEqual({
      reported: { progress: 1 },
      remarks: [`The reported ${key} was left out: ${limit + 1} characters, at most ${limit} are kept`],
    });
  });

  test('of too much the largest goes first', () => {
    const reported = {
      table: { rows: ['x'.repeat(900_000)] },
      chain_data: 'y'.repeat(1_000_000),
      chain_params: { z: 'z'.repeat(800_000) },
      label: 'kept',
    };
    const bound = boundReport({ reported });
    expect(Object.keys(bound.reported)).toEqual(['table', 'chain_params', 'label']);
    expect(bound.remarks).toEqual([expect.stringMatching(/^The reported chain_data was left out: 1000002 /)]);
  });

  test('never more than the limit, nothing changed, nothing lost without a word', () => {
    const sizes = fc.dictionary(
      fc.constantFrom('table', 'chain_data', 'chain_params', 'update_event', 'perf', 'html'),
      fc.integer({ min: 0, max: 1_500_000 }),
    );
    fc.assert(
      fc.property(sizes, (given) => {
        const values = Object.entries(given).map(([key, size]) => [key, { v: 'x'.repeat(size) }] as const);
        const reported = Object.fromEntries(values);
        const bound = boundReport({ reported });
        const left = Object.keys(reported).filter((key) => !Object.hasOwn(bound.reported, key));
        const lengths = Object.values(bound.reported).map((value) => JSON.stringify(value).length);
        expect(lengths.reduce((sum, length) => sum + length, 0)).toBeLessThanOrEqual(longestReport);
        for (const [key, value] of Object.entries(bound.reported)) expect(value === reported[key]).toBe(true);
        expect(bound.remarks.length).toBe(left.length);
        for (const key of left)
          expect(bound.remarks.some((remark) => remark.includes(` ${key} `))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  test('messages that were too long are counted, other long lines are not', () => {
    const long = 'x'.repeat(1_100_000);
    const { report } = say(`{"table":"${long}"}`, long, ` {"html":"${long}`, '{"label":"y"}');
    expect(boundReport(report)).toEqual({
      reported: { label: 'y' },
      remarks: ['Messages that were too long and went to the log instead: 2'],
    });
    const shell = new ShellProtocol({ annotate: false, json: false, zone: 'UTC' });
    shell.stdout(encoder.encode(`{${long}\n1${long}\n`), 0);
    expect(boundReport(shell.report).remarks).toEqual([]);
  });
});
