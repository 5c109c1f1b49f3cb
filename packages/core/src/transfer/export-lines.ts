import type { ClusterState } from '../state/cluster-state.js';
import type { TransferLine } from './transfer-line.js';
import { transferTables } from './transfer-tables.js';

/**
 * Everything an export holds of the memory of the primary, as JSON texts: records by table, newest first, then state and
 * cursors. It is as the state is at the moment of the call, whatever becomes of the state afterwards.
 */
export function exportLines(state: ClusterState): string[] {
  const lines: string[] = [];
  const add = (line: TransferLine) => lines.push(JSON.stringify(line));
  add({
    type: 'state',
    tables: [...transferTables],
    enabled: state.enabled,
    ...(state.tickMinute === undefined ? {} : { tick_minute: state.tickMinute }),
    stats: { day: state.stats.day, totals: { ...state.stats.totals } },
  });
  for (const table of transferTables) {
    for (const { json } of state[table].page(0, state[table].size)) {
      lines.push(`{"type":"record","table":"${table}","record":${json}}`);
    }
  }
  for (const [event, minute] of state.cursors) add({ type: 'cursor', event, minute });
  for (const [event, minutes] of state.redos) add({ type: 'redo', event, minutes: [...minutes] });
  for (const [event, index] of state.robins) add({ type: 'robin', event, index });
  return lines;
}
