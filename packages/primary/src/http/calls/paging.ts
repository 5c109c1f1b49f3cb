import type { ListHeader } from '@carillon/contract';

export interface PageWish {
  /** First row, 0 or more. */
  readonly offset: number;
  /** Number of rows, 1 or more. */
  readonly limit: number;
}

/** Rows of a page in the list header: the peer's storage unit, kept for clients that show it. */
const pageSize = 50;
/** Beyond any list; keeps sums exact. */
const largest = 1_000_000_000;

/**
 * The page a client asks for (behaviour reference 8.2): numbers or numeric text. A `limit` that is absent, 0,
 * negative or other text is the default; an `offset` that is negative or text is 0. There is no upper limit.
 */
export function readPage(params: Readonly<Record<string, unknown>>, defaultLimit: number): PageWish {
  const offset = integerOf(params['offset']);
  const limit = integerOf(params['limit']);
  return { offset: Math.max(0, offset), limit: limit > 0 ? limit : defaultLimit };
}

/**
 * As `readPage`, for history: a `limit` in the query that is 0 or no number asks for everything (behaviour reference 8.2,
 * 13 no. 9). Values of a query are text.
 */
export function readHistoryPage(params: Readonly<Record<string, unknown>>, defaultLimit: number): PageWish {
  const page = readPage(params, defaultLimit);
  const limit = params['limit'];
  const isAll = typeof limit === 'string' && limit !== '' && integerOf(limit) === 0;
  return isAll ? { ...page, limit: largest } : page;
}

/** A whole number, by its leading digits when it is text; 0 when there is none. */
function integerOf(value: unknown): number {
  const number = typeof value === 'string' ? Number.parseInt(value, 10) : value;
  if (typeof number !== 'number' || Number.isNaN(number)) return 0;
  return Math.trunc(Math.min(largest, Math.max(-largest, number)));
}

/** The `list` object of an answer (behaviour reference 3.7); `length` counts the whole list. */
export function listHeader(length: number): ListHeader {
  return {
    page_size: pageSize,
    first_page: 0,
    last_page: Math.max(0, Math.ceil(length / pageSize) - 1),
    length,
    type: 'list',
  };
}

/** A paged answer from rows that are JSON texts already. */
export const pageJson = (rows: readonly string[], length: number): string =>
  `{"code":0,"rows":[${rows.join(',')}],"list":${JSON.stringify(listHeader(length))}}`;
