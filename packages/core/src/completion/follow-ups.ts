import type { JobFields } from '@carillon/contract';
import type { LaunchRequest } from '../launch/types.js';
import { floorMinute } from '../schedule/tick.js';
import type { EndKind, EndRule } from './end-rules.js';

/** A launch that follows from the end of a job. */
export interface FollowUpLaunch {
  why: 'chain' | 'rerun';
  request: LaunchRequest;
}

/**
 * The launch that a completed job asks for (behaviour reference 5.8): its `chain` after a success, its `chain_error`
 * after a failure whose rule allows it. Chain data the job has itself received are passed on when it reports none.
 */
export function chainLaunch(record: JobFields, rule: EndRule, nowMs: number): FollowUpLaunch | undefined {
  const isSuccess = record.code === 0;
  const target = isSuccess ? record['chain'] : rule.chainError ? record['chain_error'] : undefined;
  if (typeof target !== 'string' || target === '') return undefined;
  const params = record['chain_params'];
  const hasParams = typeof params === 'object' && params !== null && !Array.isArray(params);
  return {
    why: 'chain',
    request: {
      event: target,
      overrides: hasParams ? { params } : {},
      now: Math.floor(nowMs / 1000),
      source: `Chain Reaction (${record.event_title})`,
      extra: {
        chain_data: record['chain_data'] ?? {},
        chain_code: record.code ?? 0,
        chain_description: record.description ?? '',
        source_event: record.event,
        source_job: record.id,
      },
    },
  };
}

/** The launch of an event's `chain_error` when the event itself could not be launched (behaviour reference 4.6). */
export function launchFailureChain(
  event: { id: string; title: string; chain_error?: string },
  reason: string,
  nowMs: number,
): FollowUpLaunch | undefined {
  if (event.chain_error === undefined || event.chain_error === '') return undefined;
  return {
    why: 'chain',
    request: {
      event: event.chain_error,
      overrides: {},
      now: Math.floor(nowMs / 1000),
      source: `Chain Reaction (${event.title})`,
      extra: {
        chain_data: {},
        chain_code: 'job_launch_failure',
        chain_description: reason,
        source_event: event.id,
        source_job: '',
      },
    },
  };
}

/**
 * What the activity log and the mail say when a follow-up launch is refused (behaviour reference 5.8, 5.12); `target` is the
 * event it was for, undefined when there is none.
 */
export function followUpFailure(
  { why, request }: FollowUpLaunch,
  target: { title: string } | undefined,
  reason: string,
): string {
  const what = target === undefined ? `Event ID not found: ${request.event}` : `${target.title}: ${reason}`;
  return why === 'chain' ? `Failed to launch chain reaction: ${what}` : `Failed to rerun job: ${what}`;
}

/**
 * The launch that replaces a lost catch-up job which somebody had started by hand, by API or by chain (behaviour
 * reference 5.12): with its parameters, `now` and source. One of a multiplexed set is not replaced: its server is gone.
 */
export function rerunLaunch(record: JobFields, kind: EndKind): FollowUpLaunch | undefined {
  if (kind !== 'lost' || !record['catch_up'] || record['multiplex']) return undefined;
  if (record.source === undefined || record.source === '') return undefined;
  const { username, api_key: key } = record;
  const extra: Record<string, unknown> = {};
  for (const name of passedOn) if (record[name] !== undefined) extra[name] = record[name];
  return {
    why: 'rerun',
    request: {
      event: record.event,
      overrides: { params: record.params },
      now: record.now,
      source: record.source,
      ...(typeof username === 'string' ? { username } : {}),
      ...(typeof key === 'string' ? { api_key: key } : {}),
      extra,
    },
  };
}

const passedOn = ['chain_data', 'chain_code', 'chain_description', 'source_event', 'source_job'] as const;

/** The minute of a scheduled catch-up job that has to be launched once more; undefined for all others. */
export function minuteToRedo(
  record: JobFields,
  rule: EndRule,
  isRewindForbidden: boolean,
): number | undefined {
  if (!rule.rewind || isRewindForbidden || record.code === 0) return undefined;
  if (!record['catch_up'] || record['multiplex']) return undefined;
  // Whoever started a job by hand did not mean a minute of the schedule.
  return record.source === undefined || record.source === '' ? floorMinute(record.now) : undefined;
}
