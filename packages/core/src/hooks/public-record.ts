import { shownUrl } from './hook-target.js';

/** Keys of jobs and events that no message repeats: they may hold credentials. */
const privateKeys: ReadonlySet<string> = new Set(['env', 'session_id', '__proto__']);

/**
 * A job or event as messages may repeat it: without its environment, and its web hook's URL without user, query and
 * header suffixes.
 */
export function publicRecord(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const shown = Object.fromEntries(Object.entries(record).filter(([key]) => !privateKeys.has(key)));
  const hook = shown['web_hook'];
  if (typeof hook === 'string' && hook !== '') shown['web_hook'] = shownUrl(hook);
  return shown;
}

/**
 * The same fields, the web hook without user, query and suffixes: those may hold credentials, which only the control
 * plane needs, and only while the job is active. What clients, processes and records get.
 */
export function withShownHook<Fields extends { [key: string]: unknown }>(fields: Fields): Fields {
  const hook = Object.hasOwn(fields, 'web_hook') ? fields['web_hook'] : undefined;
  return typeof hook === 'string' && hook !== '' ? { ...fields, web_hook: shownUrl(hook) } : fields;
}

/** The links of a message (behaviour reference 7.1). */
export function linksOf(baseUrl: string, event: string, job?: string): Record<string, string> {
  const base = { edit_event_url: `${baseUrl}/#Schedule?sub=edit_event&id=${event}` };
  return job === undefined ? base : { job_details_url: `${baseUrl}/#JobDetails?id=${job}`, ...base };
}

/** A text of the record; '' when it is absent or of another type. */
export function textIn(record: Readonly<Record<string, unknown>>, key: string): string {
  const value = Object.hasOwn(record, key) ? record[key] : undefined;
  return typeof value === 'string' ? value : '';
}
