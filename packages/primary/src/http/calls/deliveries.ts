import type { DeliveryRow } from '@carillon/contract';
import { type CallContext, type CallHandlers, fromStore, textParam } from './call-context.js';
import { listHeader, type PageWish, readPage } from './paging.js';

/** Rows read at a time while those of one job are picked out. */
const batchRows = 1000;

/** What became of web hooks and e-mails. */
export const deliveryCalls: CallHandlers = {
  get_deliveries: async (context) => {
    const wish = readPage(context.params, 50);
    const job = textParam(context.params, 'job');
    const { rows, length } =
      job === ''
        ? await fromStore(context, context.office.deliveries(wish.offset, wish.limit))
        : await rowsOfJob(context, job, wish);
    const waiting = context.office.state.deliveries.size;
    return JSON.stringify({ code: 0, rows, list: listHeader(length), waiting });
  },
};

async function rowsOfJob(
  context: CallContext,
  job: string,
  { offset, limit }: PageWish,
): Promise<{ rows: DeliveryRow[]; length: number }> {
  const found: DeliveryRow[] = [];
  for (let read = 0, end = 1; read < end; ) {
    const page = await fromStore(context, context.office.deliveries(read, batchRows));
    found.push(...page.rows.filter((row) => row.job === job));
    end = page.rows.length === 0 ? 0 : page.length;
    read += page.rows.length;
  }
  return { rows: found.slice(offset, offset + limit), length: found.length };
}
