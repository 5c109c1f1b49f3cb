import type { HistoryRow } from '@carillon/contract';
import { isLimited, missingScope } from '@carillon/core';
import { type CallContext, type CallHandlers, fromStore, requireScopeOf } from './call-context.js';
import { findEvent } from './events.js';
import { listHeader, type PageWish, readHistoryPage } from './paging.js';

/** Rows read at a time while a limited caller's history is picked out. */
const batchRows = 1000;

/** Calls that list completed jobs, newest first (behaviour reference 2.1, 8.2). */
export const historyCalls: CallHandlers = {
  get_event_history: async (context) => {
    const event = findEvent(context);
    requireScopeOf(context, event);
    const wish = readHistoryPage(context.params, 100);
    if (isLimited(context.caller)) return visibleHistory(context, event.id, wish);
    const page = await fromStore(context, context.office.history(event.id, wish.offset, wish.limit));
    return historyJson(page.rows, page.length);
  },

  get_history: async (context) => {
    const wish = readHistoryPage(context.params, 50);
    if (isLimited(context.caller)) return visibleHistory(context, undefined, wish);
    const page = await fromStore(context, context.office.history(undefined, wish.offset, wish.limit));
    return historyJson(page.rows, page.length);
  },
};

const historyJson = (rows: readonly HistoryRow[], length: number): string =>
  JSON.stringify({ code: 0, rows, list: listHeader(length) });

/**
 * The page of those rows a limited caller may see (behaviour reference 13, no. 20: rows are left out, not blanked).
 * `length` counts all visible rows that are kept.
 */
async function visibleHistory(
  context: CallContext,
  event: string | undefined,
  { offset, limit }: PageWish,
): Promise<string> {
  const { office, caller } = context;
  const hostnames = office.hostnames();
  const rows: HistoryRow[] = [];
  let length = 0;
  for (let read = 0, end = 1; read < end; ) {
    const page = await fromStore(context, office.history(event, read, batchRows));
    for (const row of page.rows) {
      if (missingScope(caller, row, office.state, hostnames) !== undefined) continue;
      length += 1;
      if (length > offset && rows.length < limit) rows.push(row);
    }
    end = page.rows.length === 0 ? 0 : page.length;
    read += page.rows.length;
  }
  return historyJson(rows, length);
}
