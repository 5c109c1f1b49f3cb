import type { JobFields } from '@carillon/contract';
import { defaultNoticeSettings, type NoticeContext, type NoticeSettings } from '@carillon/core';

/** 2023-11-14 22:13:20 UTC. */
export const noticeMs = 1_700_000_000_000;

/** A context whose ids are d1, d2, …; the settings are the usual ones with the given parts replaced. */
export function noticeContext(
  parts: { hooks?: Partial<NoticeSettings['hooks']>; mail?: Partial<NoticeSettings['mail']> } = {},
): NoticeContext {
  const usual = defaultNoticeSettings({
    version: '9.9',
    hostname: 'primary.test',
    zone: 'UTC',
    baseAppUrl: 'http://cron.test',
  });
  let ids = 0;
  return {
    settings: { ...usual, hooks: { ...usual.hooks, ...parts.hooks }, mail: { ...usual.mail, ...parts.mail } },
    nowMs: noticeMs,
    newId: () => {
      ids += 1;
      return `d${ids}`;
    },
  };
}

/** The record of a job that failed. */
export function aRecord(fields: Partial<JobFields> = {}): JobFields {
  return {
    id: 'j1',
    event: 'e1',
    event_title: 'Nightly',
    category: 'general',
    category_title: 'General',
    plugin: 'shellplug',
    plugin_title: 'Shell Script',
    nice_target: 'Web',
    target: 'web',
    params: { script: 'echo' },
    command: 'builtin:shell',
    now: 1_700_000_000,
    hostname: 'web1',
    time_start: 1_700_000_000,
    elapsed: 90,
    pid: 77,
    complete: 1,
    code: 2,
    description: 'No space left',
    log_file_size: 2048,
    ...fields,
  };
}
