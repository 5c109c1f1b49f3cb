import { type ActivityEntry, type Caller, type Change, publicRecord } from '@carillon/core';
import type { OfficeContext } from '../office/context.js';

/**
 * The change that notes what a caller did (behaviour reference 3.6). Records in `data` are noted without what may be
 * a credential: their environment, and all of a web hook but its address.
 */
export function activityChange(
  { clock, settings }: Pick<OfficeContext, 'clock' | 'settings'>,
  action: string,
  caller: Caller,
  data: Readonly<Record<string, unknown>>,
): Change {
  const who =
    caller.kind === 'user' ? { username: caller.id } : { api_key: caller.id, api_title: caller.title };
  const entry: ActivityEntry = { ...who, ...noted(data), action, epoch: Math.floor(clock.nowMs() / 1000) };
  return { type: 'activity', entry, rowMax: settings.historyRows };
}

/** Whoever reads the activity log need not be allowed to edit what it tells of. */
function noted(data: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries = Object.entries(publicRecord(data)).map(([key, value]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? [key, publicRecord({ ...value })]
      : [key, value],
  );
  return Object.fromEntries(entries);
}
