import { PeerFileReader, TransferFileError } from '@carillon/core';
import { generatePeerExport } from '@carillon/testkit';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

const read = (text: string, complete = true) => {
  const reader = new PeerFileReader();
  for (const line of text.replace(/\n$/, '').split('\n')) reader.read(line);
  return reader.finish({ complete });
};

const header = (first: number, last: number, length: number) =>
  JSON.stringify({ page_size: 2, first_page: first, last_page: last, length, type: 'list' });
const page = (...ids: string[]) => JSON.stringify({ type: 'list_page', items: ids.map((id) => ({ id })) });

describe('reading an export of Cronicle (behaviour reference 11.3)', () => {
  test('pages are put together by their numbers, negative ones first, wherever they stand', () => {
    const data = read(
      [
        '# Cronicle Data Export v1.0',
        '',
        `global/schedule/1 - ${page('e')}`,
        `global/schedule - ${header(-1, 1, 4)}`,
        `global/schedule/-1 - ${page('a')}`,
        `global/schedule/0 - ${page('b', 'c')}  `,
      ].join('\r\n'),
      false,
    );
    expect(data.lists.get('schedule')?.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'e']);
  });

  test('an empty list needs no page', () => {
    expect(read(`global/api_keys - ${header(0, 0, 0)}`, false).lists.get('api_keys')).toEqual([]);
  });

  test('other kinds of records are counted', () => {
    const data = read(
      'sessions/abc - {"id":"abc"}\nglobal/event_queue/e1 - {"type":"list"}\nfoo - {"a":1}',
      false,
    );
    expect([...data.others]).toEqual([
      ['sessions', 1],
      ['global/event_queue', 1],
      ['foo', 1],
    ]);
  });

  test.each([
    ['', 'Not an export of Cronicle: it holds no record'],
    ['# only\n\n', 'Not an export of Cronicle: it holds no record'],
    ['# x\nnonsense', 'line 2: Not a record of the form KEY - JSON'],
    ['global/state - {"enabled":tru}', 'line 1: The record is not JSON'],
    ['global/state - {"enabled":true', 'line 1: Not a record of the form KEY - JSON'],
    [
      `global/schedule - ${header(0, 1, 3)}\nglobal/schedule/0 - ${page('a', 'b')}`,
      'line 1: The file is cut off: page global/schedule/1 is missing',
    ],
    [
      `global/schedule - ${header(0, 0, 3)}\nglobal/schedule/0 - ${page('a', 'b')}`,
      'line 1: The file is damaged: global/schedule has 2 of its 3 items',
    ],
    [`\nglobal/schedule/0 - ${page('a', 'b')}`, 'line 2: The file is damaged: global/schedule has no header'],
    [
      `global/schedule - ${header(0, 2_000_000_000, 3)}`,
      'line 1: Malformed list header: global/schedule has more pages than items',
    ],
    [`global/schedule - ${header(0, -1, 3)}`, 'line 1: Malformed list header: global/schedule'],
    [
      'global/schedule/0 - {"type":"list_page","items":[1]}',
      'line 1: Malformed list page: global/schedule/0 (items must be objects)',
    ],
  ])('%j is refused', (text, message) => {
    expect(() => read(text, false)).toThrow(new TransferFileError(0, message));
  });

  test('a whole list that is missing means that the file was cut off', () => {
    expect(() => read(`global/schedule - ${header(0, 0, 0)}`)).toThrow('global/users is missing');
  });

  const whole = generatePeerExport(3, { events: 60, rows: 70, jobs: 3, nowSec: 1_700_000_000 });
  const usual = whole.text
    .split('\n')
    .filter((line) => !/^(?:logs|jobs|global\/state)/.test(line))
    .join('\n');

  test('an export cut off at any place is refused', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: usual.trimEnd().length - 1 }), (length) => {
        expect(() => read(usual.slice(0, length))).toThrow(TransferFileError);
      }),
    );
  });

  test('whatever the lines hold, it is read or refused in words', () => {
    const line = fc.oneof(
      fc.string(),
      fc.json().map((json) => `global/schedule/0 - ${json}`),
      fc.json().map((json) => `global/users - {"type":"list","x":${json}}`),
      fc.constantFrom(...usual.split('\n')),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        try {
          read(lines.join('\n'), false);
        } catch (error) {
          expect(error).toBeInstanceOf(TransferFileError);
        }
      }),
      { numRuns: 300 },
    );
  });
});
