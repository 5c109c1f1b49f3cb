import { parseHookTarget, shownUrl } from '@carillon/core';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

describe('parseHookTarget', () => {
  test.each([
    ['http://h/x', { url: 'http://h/x', headers: {}, data: {} }],
    ['  HTTPS://h  ', { url: 'HTTPS://h', headers: {}, data: {} }],
    ['http://[::1]:80/a[b]', { url: 'http://[::1]:80/a[b]', headers: {}, data: {} }],
    [
      'https://h/?a=1 [header: Authorization: Bearer a:b c] [HEADER:X-A:1]',
      { url: 'https://h/?a=1', headers: { Authorization: 'Bearer a:b c', 'X-A': '1' }, data: {} },
    ],
    [
      'http://h [data: count: 3] [data: rate: -1.5] [data: on: true] [data: none: null] [data: who: me too]',
      { url: 'http://h', headers: {}, data: { count: 3, rate: -1.5, on: true, none: null, who: 'me too' } },
    ],
    [
      'http://h [data: id: 12345678901234567890] [data: zip: 0123] [data: empty:]',
      { url: 'http://h', headers: {}, data: { id: '12345678901234567890', zip: '0123', empty: '' } },
    ],
    ['http://h [color: red: x] [header: broken]', { url: 'http://h', headers: {}, data: {} }],
    ['http://h [header: Bad Name: x] [header: A: ü✔]', { url: 'http://h', headers: {}, data: {} }],
    [
      'http://h [header: Content-Length: 5] [header: transfer-encoding: chunked] [header: Host: other]',
      { url: 'http://h', headers: { Host: 'other' }, data: {} },
    ],
  ])('%s', (text, expected) => {
    expect(parseHookTarget(text)).toEqual(expected);
  });

  test.each([
    '',
    ' ',
    'ftp://h',
    'http://',
    'http:///x',
    'h',
    'http://h other',
    'http://h [header: A: b',
    'x http://h',
  ])('%j is no target', (text) => {
    expect(parseHookTarget(text)).toBeUndefined();
  });

  test('never throws, and no header holds a line break', () => {
    const piece = fc.constantFrom(
      'http://h/',
      ' [header: A: ',
      ' [data: __proto__: ',
      ']',
      '\r\n',
      ':',
      'ü',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 12 }), (pieces) => {
        const target = parseHookTarget(pieces.join(''));
        const texts = Object.entries(target?.headers ?? {}).flat();
        expect(texts.every((text) => !/[\r\n\0]/.test(text))).toBe(true);
        expect(Object.getPrototypeOf(target?.data ?? {})).toBe(Object.prototype);
      }),
    );
  });

  test('names and values written as suffixes are read back', () => {
    const name = fc.stringMatching(/^[A-Z][A-Za-z-]{0,10}$/);
    const value = fc.stringMatching(/^[!-Z^-~]([ -Z^-~]{0,10}[!-Z^-~])?$/);
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(name, value), { selector: ([key]) => key.toLowerCase() }),
        (pairs) => {
          const refused = /^(connection|expect|te|trailer|upgrade)$/i;
          const kept = pairs.filter(([key]) => !refused.test(key));
          const text = `http://h/${pairs.map(([key, of]) => ` [header: ${key}: ${of}]`).join('')}`;
          expect(parseHookTarget(text)?.headers).toEqual(Object.fromEntries(kept));
        },
      ),
    );
  });

  test('a long line of blanks is read in no time', () => {
    expect(parseHookTarget(`http://h [header:${' '.repeat(8000)}]`)).toEqual({
      url: 'http://h',
      headers: {},
      data: {},
    });
    expect(parseHookTarget(`http://h${' ['.repeat(4000)}`)).toBeUndefined();
  });
});

test.each([
  ['https://user:pass@h:8080/path/x?token=1#f [header: A: b]', 'https://h:8080/path/x'],
  ['http://h', 'http://h'],
  ['http://a@b@h/x@y', 'http://h/x@y'],
  ['no url', ''],
])('shownUrl(%s)', (text, shown) => {
  expect(shownUrl(text)).toBe(shown);
});
