import type { ActivityEntry, Caller, Change } from '@carillon/core';
import type { OfficeContext } from '../office/context.js';

/** The change that notes what a caller did (behaviour reference 3.6). `data` must hold no credential. */
export function activityChange(
  { clock, settings }: Pick<OfficeContext, 'clock' | 'settings'>,
  action: string,
  caller: Caller,
  data: Readonly<Record<string, unknown>>,
): Change {
  const who =
    caller.kind === 'user' ? { username: caller.id } : { api_key: caller.id, api_title: caller.title };
  const entry: ActivityEntry = { ...who, ...data, action, epoch: Math.floor(clock.nowMs() / 1000) };
  return { type: 'activity', entry, rowMax: settings.historyRows };
}
