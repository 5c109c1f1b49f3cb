import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { listHeader, readHistoryPage, readPage } from '../../src/http/calls/paging.js';

describe('pages (behaviour reference 8.2)', () => {
  test.each([
    [{}, 0, 50],
    [{ limit: 0 }, 0, 50],
    [{ limit: '0' }, 0, 50],
    [{ limit: 'all' }, 0, 50],
    [{ limit: '' }, 0, 50],
    [{ offset: null, limit: null }, 0, 50],
    [{ limit: -5 }, 0, 50],
    [{ limit: '25' }, 0, 25],
    [{ limit: 100_000 }, 0, 100_000],
    [{ offset: '10', limit: 5 }, 10, 5],
    [{ offset: -1 }, 0, 50],
    [{ offset: 'x' }, 0, 50],
    [{ offset: 2.7, limit: 2.7 }, 2, 2],
    [{ offset: 1e300, limit: 1e300 }, 1_000_000_000, 1_000_000_000],
  ])('%j', (params, offset, limit) => {
    expect(readPage(params, 50)).toEqual({ offset, limit });
  });

  test.each([
    [{ limit: '0' }, 1_000_000_000],
    [{ limit: 'all' }, 1_000_000_000],
    [{ limit: '' }, 100],
    [{ limit: 0 }, 100],
    [{ limit: '-5' }, 100],
    [{ limit: '25' }, 25],
    [{}, 100],
  ])('of history: %j', (params, limit) => {
    expect(readHistoryPage(params, 100)).toEqual({ offset: 0, limit });
  });

  test('any value gives a page', () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), (offset, limit) => {
        const page = readPage({ offset, limit }, 50);
        expect(Number.isSafeInteger(page.offset) && page.offset >= 0).toBe(true);
        expect(Number.isSafeInteger(page.limit) && page.limit >= 1).toBe(true);
      }),
    );
  });

  test.each([
    [0, 0],
    [1, 0],
    [50, 0],
    [51, 1],
    [500, 9],
  ])('a list of %d rows has last page %d', (length, last) => {
    expect(listHeader(length)).toEqual({
      page_size: 50,
      first_page: 0,
      last_page: last,
      length,
      type: 'list',
    });
  });
});
