import type { HistoryEntry, Job } from '@carillon/client';
import { printable } from './table.js';
import { formatDuration } from './quantities.js';

/** `ok`, `failed` or `failed (999)`: failures with code 1 need no number. */
export function outcomeText(entry: Pick<HistoryEntry, 'code'>): string {
  const failed = !isSuccess(entry.code);
  if (!failed) return 'ok';
  return entry.code === 1 ? 'failed' : `failed (${entry.code})`;
}

/** Only the number 0 is a success; a completed job always has a code. */
export const isSuccess = (code: number | string | undefined): boolean => code === 0;

/** The last line about a job that was watched. */
export function finalLine(job: Job): string {
  const where = job.hostname === '' ? '' : ` on ${job.hostname}`;
  const after = job.elapsed === undefined ? '' : ` after ${formatDuration(job.elapsed)}`;
  const description = printable(job.description ?? '').trim();
  const about = `Job ${job.id} (${printable(job.event_title)})`;
  if (isSuccess(job.code)) {
    return `${about} completed${where}${after}${description === '' ? '' : `: ${description}`}`;
  }
  const code = job.code === 1 || job.code === undefined ? '' : ` with code ${job.code}`;
  return `${about} failed${code}${where}${after}: ${description || 'no description'}`;
}

/** A bar for one line of a terminal; without progress a row of dots that tells it apart from 0 %. */
export function progressLine(job: Job, columns: number): string {
  const seconds = formatDuration(job.elapsed);
  const share = job.progress;
  const width = Math.max(10, Math.min(40, columns - 40));
  const filled = share === undefined ? 0 : Math.round(Math.min(1, Math.max(0, share)) * width);
  const bar = share === undefined ? '·'.repeat(width) : '#'.repeat(filled) + '-'.repeat(width - filled);
  const percent = share === undefined ? job.state : `${Math.round(Math.min(1, Math.max(0, share)) * 100)}%`;
  const text = `[${bar}] ${percent.padStart(4)}  ${seconds}  ${printable(job.event_title)}`;
  return [...text].slice(0, Math.max(1, columns - 1)).join('');
}
