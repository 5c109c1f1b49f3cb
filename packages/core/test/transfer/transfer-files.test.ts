import { CarillonError } from '@carillon/contract';
import {
  checkTransferLine,
  ExportFileReader,
  type PastContext,
  planPast,
  TransferFileError,
} from '@carillon/core';
import { finishOf } from '@carillon/testkit';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { anEvent } from '../support/builders.js';

const header =
  '{"type":"header","format":"carillon-export","version":1,"exported":1,"tables":{},"active_jobs":0}';
const lines = [header, '{"type":"robin","event":"a","index":1}', '{"type":"robin","event":"b","index":1}'];
const whole = [...lines, '{"type":"trailer","counts":{"robin":2}}'];
const read = (given: readonly string[]) => {
  const reader = new ExportFileReader();
  const found = given.flatMap((line) => reader.read(line) ?? []);
  reader.finish();
  return found;
};

describe('the frame of an export', () => {
  test('what is between header and trailer is handed on', () => {
    expect(read([...whole, ''])).toHaveLength(2);
  });

  test.each([
    [[], 'The file is empty'],
    [['# x'], 'line 1: Not JSON'],
    [['[]'], 'line 1: Not an object'],
    [['{"type":"x"}'], 'line 1: Not an export of Carillon: the header is missing'],
    [[header.replace('"version":1', '"version":2')], 'line 1: Exports of version 2 cannot be read'],
    [lines, 'line 3: The file is cut off: the end of the export is missing'],
    [[...lines, '{"type":"robin'], 'line 4: Not JSON'],
    [
      whole.filter((_, index) => index !== 1),
      'line 3: 1 lines of type robin instead of 2: the file is damaged',
    ],
    [[...whole, lines[1] ?? ''], 'line 5: There is something behind the end of the export'],
  ])('%j is refused', (given, message) => {
    expect(() => read(given)).toThrow(new TransferFileError(0, message));
  });

  test('cut off at any place it is refused', () => {
    const text = whole.join('\n');
    fc.assert(
      fc.property(fc.integer({ min: 0, max: text.length - 1 }), (length) => {
        expect(() => read(text.slice(0, length).split('\n'))).toThrow(TransferFileError);
      }),
    );
  });
});

describe('lines', () => {
  test.each([
    [null, 'Not an object'],
    [{ type: 'party' }, 'Unknown type of line: "party"'],
    [{ type: 'record', table: 'servers', record: {} }, 'Unknown table: "servers"'],
    [{ type: 'record', table: 'events', record: [] }, 'events: record (must be object)'],
    [{ type: 'record', table: 'events', record: anEvent({ id: 'a b' }) }, 'events: Malformed parameter: id'],
    [
      { type: 'record', table: 'events', record: { ...anEvent(), timeout: -1 } },
      'events e1: Malformed parameter value: timeout',
    ],
    [
      { type: 'record', table: 'events', record: { ...anEvent(), enabled: true } },
      'events e1: Malformed parameter: enabled (must be 0 or 1)',
    ],
    [
      { type: 'record', table: 'events', record: anEvent({ timezone: 'Mars' }) },
      'events e1: Malformed or unknown timezone: Mars',
    ],
    [
      {
        type: 'record',
        table: 'api_keys',
        record: { id: 'k', title: 'K', key: 'x', active: 1, privileges: {}, created: 1, modified: 1 },
      },
      'api_keys k: Malformed parameter: key_hash',
    ],
    [
      { type: 'record', table: 'server_groups', record: { id: 'g', title: 'G', regexp: '(', master: 0 } },
      /^server_groups g: Malformed: Invalid regular expression/,
    ],
    [{ type: 'cursor', event: 'a', minute: '5' }, 'Malformed minute: "5"'],
    [{ type: 'history', row: { id: 'j1' } }, 'Malformed history row: "j1"'],
    [{ type: 'job', record: { id: 'j1' } }, 'Malformed job j1: event'],
    [{ type: 'activity', row: { action: 'x' } }, 'Malformed activity entry: it needs an action and an epoch'],
  ])('%j is refused', (line, message) => {
    expect(() => checkTransferLine(line)).toThrow(message);
  });

  test('whatever comes is taken or refused in words', () => {
    const anything = fc.oneof(
      fc.jsonValue(),
      fc.record({
        type: fc.constantFrom(
          'record',
          'state',
          'cursor',
          'redo',
          'robin',
          'job',
          'history',
          'activity',
          'delivery',
        ),
        table: fc.constantFrom('events', 'plugins', 'users', 'api_keys', 'categories', 'server_groups'),
        record: fc.oneof(
          fc.jsonValue(),
          fc.dictionary(fc.constantFrom(...Object.keys(anEvent()), 'key_hash', 'username'), fc.jsonValue()),
        ),
        row: fc.jsonValue(),
        event: fc.jsonValue(),
        minutes: fc.jsonValue(),
        tables: fc.jsonValue(),
        stats: fc.jsonValue(),
      }),
    );
    fc.assert(
      fc.property(anything, (line) => {
        try {
          checkTransferLine(line);
        } catch (error) {
          expect(error).toBeInstanceOf(CarillonError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('what is over', () => {
  const nowSec = 1_700_000_100;
  const context: PastContext = {
    nowSec,
    expireDays: 1,
    rowMax: 10,
    isEvent: (id) => id === 'e1',
    isKnownRow: () => false,
    oldestActivitySec: 50,
    oldestDeliverySec: Number.POSITIVE_INFINITY,
  };
  const row = (id: string, more: Record<string, unknown> = {}) => ({ ...finishOf(id).row, ...more });

  test('rows go to both histories, unless their event is gone', () => {
    const [one, two] = [row('j1'), row('j2', { event: 'gone' })];
    expect(
      planPast(
        [
          { type: 'history', row: one },
          { type: 'history', row: two },
          { type: 'event_history', row: row('j3') },
        ],
        context,
      ),
    ).toEqual([
      { type: 'past-rows', to: { list: 'history' }, rows: [one, two], rowMax: 10 },
      { type: 'past-rows', to: { list: 'event', event: 'e1' }, rows: [one, row('j3')], rowMax: 10 },
    ]);
  });

  test('what is known, too old, or newer than the oldest activity is left out', () => {
    const known = { ...context, isKnownRow: (id: string) => id === 'j1' };
    const old = row('j2', { epoch: nowSec - 86_400 });
    expect(
      planPast(
        [
          { type: 'history', row: row('j1') },
          { type: 'history', row: old },
        ],
        known,
      ),
    ).toEqual([]);
    const entry = (epoch: number) => ({ type: 'activity' as const, row: { action: 'x', epoch } });
    expect(planPast([entry(60), entry(50), entry(49)], context)).toEqual([
      { type: 'past-rows', to: { list: 'activity' }, rows: [{ action: 'x', epoch: 49 }], rowMax: 10 },
    ]);
  });

  test('records are kept for what is left of their time', () => {
    const { record } = finishOf('j1');
    const ended = (sec: number, days?: number) => ({
      type: 'job' as const,
      record: {
        ...record,
        now: sec,
        time_end: sec,
        ...(days === undefined ? {} : { log_expire_days: days }),
      },
    });
    const left = planPast(
      [ended(nowSec - 100), ended(nowSec - 86_400), ended(nowSec - 86_400, 2), ended(nowSec + 999)],
      context,
    );
    expect(left.map((change) => change.type === 'past-job' && change.expireSec)).toEqual([
      86_300, 86_400, 86_400,
    ]);
  });
});
