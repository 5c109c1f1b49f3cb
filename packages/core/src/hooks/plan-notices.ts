import type { CategoryRecord, Delivery, JobFields } from '@carillon/contract';
import { type HookSubject, planHooks } from './hook-notices.js';
import { eventMailValues, jobMailValues, planMail } from './mail-notices.js';
import { publicRecord, textIn } from './public-record.js';
import type { NoticeContext } from './settings.js';

/** An event as far as a message needs it. */
export interface NoticeEvent {
  id: string;
  title: string;
  [key: string]: unknown;
}

/** What a category gives to events that have none of their own. */
export type NoticeCategory = Pick<CategoryRecord, 'web_hook' | 'notify_fail'>;

/** Web hooks of a job that was dispatched: one set for each job, not again for a retry (behaviour reference 7.1). */
export function planStartNotices(job: JobFields, context: NoticeContext): Delivery[] {
  return planHooks(jobHook(job, { action: 'job_start', text: 'job_start' }), context);
}

/**
 * Web hooks and e-mails of a completed job: hooks with action `job_complete` whatever its code, and an e-mail to
 * `notify_success` or `notify_fail`. `failMail` false: the job was ended by hand, which is only told by mail when
 * `email_on_manual_abort` is set (behaviour reference 5.10, 7.1, 7.2).
 */
export function planCompletionNotices(
  record: JobFields,
  rule: { failMail: boolean },
  context: NoticeContext,
): Delivery[] {
  const isSuccess = record.code === 0;
  const text = isSuccess ? 'job_complete' : 'job_failure';
  const hooks = planHooks(jobHook(record, { action: 'job_complete', text }), context);
  if (!isSuccess && !rule.failMail && !context.settings.mail.onManualAbort) return hooks;
  const mail = planMail(
    {
      action: isSuccess ? 'job_success' : 'job_fail',
      event: record.event,
      job: record.id,
      recipients: textIn(record, isSuccess ? 'notify_success' : 'notify_fail'),
      values: () => jobMailValues(publicRecord(record), context),
    },
    context,
  );
  return [...hooks, ...mail];
}

/**
 * Web hooks `job_launch_failure` and the e-mail to `notify_fail` of a scheduled launch that failed with `reason`
 * (behaviour reference 4.6). Where the event has no web hook or recipients, those of its category are taken.
 */
export function planLaunchFailureNotices(
  event: NoticeEvent,
  category: NoticeCategory | undefined,
  reason: string,
  context: NoticeContext,
): Delivery[] {
  const hooks = planHooks(
    {
      action: 'job_launch_failure',
      text: 'job_launch_failure',
      event: event.id,
      record: () => ({
        ...publicRecord(event),
        code: 1,
        description: reason,
        event: event.id,
        event_title: event.title,
      }),
      webHook: textIn(event, 'web_hook') || (category?.web_hook ?? ''),
    },
    context,
  );
  const recipients = textIn(event, 'notify_fail') || (category?.notify_fail ?? '');
  const description = `Failed to launch scheduled event: ${event.title}: ${reason}`;
  return [...hooks, ...planEventErrorNotices(recipients, event, description, context)];
}

/**
 * The e-mail about an event that could not be launched in a chain or again (behaviour reference 5.8, 5.12); none
 * without recipients.
 */
export function planEventErrorNotices(
  recipients: string,
  event: NoticeEvent,
  description: string,
  context: NoticeContext,
): Delivery[] {
  const values = () =>
    eventMailValues({ ...publicRecord(event), notify_fail: recipients }, description, context);
  return planMail({ action: 'event_error', event: event.id, recipients, values }, context);
}

function jobHook(job: JobFields, occasion: Pick<HookSubject, 'action' | 'text'>): HookSubject {
  return {
    ...occasion,
    event: job.event,
    job: job.id,
    record: () => publicRecord(job),
    webHook: textIn(job, 'web_hook'),
  };
}
