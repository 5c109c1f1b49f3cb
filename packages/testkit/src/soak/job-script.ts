import type { JobLine } from '../checker/index.js';
import type { JobRecord } from '../cluster/index.js';

export interface JobShape {
  /** File that the lines are appended to, one write for each. */
  path: string;
  /** Time between the two lines. */
  lastsMs: number;
  /** Retries of the event, which tell the attempt. */
  retries?: number;
  /** The first attempt fails in every other minute. */
  fails?: true;
}

/** A script that writes a line when it starts and another before it ends, for `readLines`. */
export function jobScript({ path, lastsMs, retries = 0, fails }: JobShape): string {
  const line = (at: string) => `echo "${at} $JOB_ID $attempt $JOB_EVENT $JOB_NOW $JOB_HOSTNAME" >> '${path}'`;
  return [
    '#!/bin/sh',
    `attempt=$((${retries} - \${JOB_RETRIES:-0} + 1))`,
    line('start'),
    ...(lastsMs > 0 ? [`sleep ${lastsMs / 1000}`] : []),
    ...(fails ? ['[ $attempt -gt 1 ] || [ $((JOB_NOW / 60 % 2)) = 0 ] || exit 1'] : []),
    line('end'),
    '',
  ].join('\n');
}

/** Throws for a line that no job script wrote. */
export function readLines(records: readonly JobRecord[]): JobLine[] {
  return records.map((record) => {
    const [at, job = '', attempt, event = '', minute, host = ''] = record;
    if ((at !== 'start' && at !== 'end') || record.length !== 6) {
      throw new Error(`Not a line of a job: ${record.join(' ')}`);
    }
    return { at, job, attempt: Number(attempt), event, minute: Number(minute), host };
  });
}
