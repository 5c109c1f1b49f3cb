import { PassThrough } from 'node:stream';
import { FakeClock } from '@carillon/testkit';
import type { LogLevel } from '@carillon/core';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  MemoryLogger,
  RationedLog,
  WinstonLogger,
  type WinstonLoggerOptions,
} from '../../src/logger/index.js';

function open(options: Partial<WinstonLoggerOptions> = {}) {
  const stream = new PassThrough();
  const logger = new WinstonLogger({ level: 'info', style: 'json', stream, nowMs: () => 0, ...options });
  const lines = (): string[] => {
    const text: unknown = stream.read();
    return text === null ? [] : String(text).trimEnd().split('\n');
  };
  return { logger, lines, stream };
}

describe('JSON lines', () => {
  test('carry time, level, message and all fields, those of children too', () => {
    const { logger, lines } = open({ fields: { node: 'n1' } });
    logger.child({ job: 'j1' }).log('warn', 'Something', { event: 'e1', count: 2 });
    expect(lines().map((line) => JSON.parse(line))).toEqual([
      {
        time: '1970-01-01T00:00:00.000Z',
        level: 'warn',
        message: 'Something',
        node: 'n1',
        job: 'j1',
        event: 'e1',
        count: 2,
      },
    ]);
  });

  test.each<[LogLevel, LogLevel[]]>([
    ['error', ['error']],
    ['warn', ['error', 'warn']],
    ['info', ['error', 'warn', 'info']],
    ['debug', ['error', 'warn', 'info', 'debug']],
  ])('below level %s nothing is written', (level, written) => {
    const { logger, lines } = open({ level });
    for (const each of ['error', 'warn', 'info', 'debug'] as const) logger.log(each, 'x');
    expect(lines().map((line) => JSON.parse(line).level)).toEqual(written);
  });

  test('fields cannot replace what belongs to the line', () => {
    const { logger, lines } = open();
    logger.log('info', 'real', { time: 'x', level: 'x', message: 'x' });
    expect(JSON.parse(lines()[0] ?? '')).toEqual({
      time: '1970-01-01T00:00:00.000Z',
      level: 'info',
      message: 'real',
    });
  });
});

describe('redaction', () => {
  test.each([
    'api_key',
    'X-API-Key',
    'secret',
    'clusterSecret',
    'Password',
    'session_token',
    'session_id',
    'X-Session-ID',
    'Authorization',
    'set-cookie',
  ])('the value of %s is never written, at any depth', (name) => {
    const { logger, lines } = open();
    logger.log('info', 'x', { [name]: 'hunter2', deep: [{ er: { [name]: { also: 'hunter2' } } }] });
    const text = lines().join();
    expect(text).not.toContain('hunter2');
    expect(text).toContain('[redacted]');
  });

  test('passwords of URLs are hidden in values, messages and errors', () => {
    const { logger, lines } = open();
    const url = 'rediss://user:hunter2@redis.example:6379/0';
    logger.log('info', `Connecting to ${url}`, { url, error: new Error(`no ${url}`) });
    const text = lines().join();
    expect(text).not.toContain('hunter2');
    expect(text).toContain('redis.example');
  });

  test('errors, cycles, big numbers, maps and bytes can be logged', () => {
    const { logger, lines } = open();
    const cycle: Record<string, unknown> = { name: 'x' };
    cycle['self'] = cycle;
    logger.log('info', 'x', {
      cycle,
      big: 12n,
      map: new Map([['a', 1]]),
      bytes: Buffer.from('abc'),
      error: new TypeError('oops'),
      nothing: undefined,
      call: () => 1,
      when: new Date(Number.NaN),
    });
    const line = JSON.parse(lines()[0] ?? '');
    expect(line).toMatchObject({
      cycle: { name: 'x', self: '[circular]' },
      big: '12',
      map: { a: 1 },
      bytes: '[3 bytes]',
    });
    expect(line.error).toContain('TypeError: oops');
  });
});

describe('text lines', () => {
  test('are readable', () => {
    const { logger, lines } = open({ style: 'text' });
    logger.log('warn', 'A worker is silent', { node: 'n1', title: 'two words', count: 2 });
    expect(lines()).toEqual([
      '1970-01-01T00:00:00.000Z WARN  A worker is silent node=n1 title="two words" count=2',
    ]);
  });

  test('no message and no field can forge a second line', () => {
    fc.assert(
      fc.property(fc.string(), fc.dictionary(fc.string(), fc.jsonValue()), (message, fields) => {
        for (const style of ['text', 'json'] as const) {
          const { logger, lines } = open({ style });
          logger.log('info', `${message}\n`, { ...fields, 'a\nb': '\u2028\r\n' });
          expect(lines().length).toBe(1);
        }
      }),
    );
  });
});

test('logging never throws, whatever is logged and wherever it goes', async () => {
  const { logger, stream } = open();
  const hostile = Object.defineProperty({}, 'name', {
    enumerable: true,
    get: () => {
      throw new Error('a trap');
    },
  });
  logger.log('info', 'x', { hostile });
  const destroyed = new Promise((resolve) => stream.once('close', resolve));
  stream.destroy(new Error('EPIPE'));
  await destroyed;
  logger.log('error', 'x');
  expect(stream.destroyed).toBe(true);
});

test('MemoryLogger keeps redacted lines of all its children', () => {
  const logger = new MemoryLogger();
  logger.child({ node: 'n1' }).log('info', 'x', { token: 't', job: 'j1' });
  expect(logger.lines).toEqual([
    { level: 'info', message: 'x', fields: { node: 'n1', token: '[redacted]', job: 'j1' } },
  ]);
});

test('RationedLog writes a text once in ten seconds and counts the repeats', () => {
  const clock = new FakeClock();
  const logger = new MemoryLogger();
  const rationed = new RationedLog(logger, clock);
  for (let n = 0; n < 1_000; n += 1) {
    rationed.report('warn', 'Trouble', new Error('ECONNREFUSED'));
    clock.advance(10);
  }
  rationed.report('warn', 'Trouble', new Error('another'));
  rationed.report('warn', 'Trouble', new Error('ECONNREFUSED'));
  expect(logger.lines.map((line) => line.fields)).toEqual([
    { error: 'ECONNREFUSED' },
    { error: 'another' },
    { error: 'ECONNREFUSED', repeats: 999 },
  ]);
});
