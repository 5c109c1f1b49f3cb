import type { HistoryEntry } from '@carillon/client';
import type { Command } from 'commander';
import { findEvent } from '../find-event.js';
import { isSuccess, outcomeText } from '../format/job-text.js';
import { formatDuration, formatTime } from '../format/quantities.js';
import { type Column, formatTable } from '../format/table.js';
import { tableWidth } from '../format/width.js';
import type { Action, CommandRun } from '../session.js';

/** `history`. */
export function addHistoryCommand(program: Command, run: CommandRun): void {
  program
    .command('history [event]')
    .description('completed jobs, newest first, of all events or of one')
    .option('-n, --limit <count>', 'number of jobs (25)')
    .option('--failed', 'only jobs that have failed')
    .action(run.action(showHistory));
}

const showHistory: Action = async (session, text) => {
  const { client, io, options } = session;
  const limit = options.count('limit', 25, 1);
  const event = text === undefined ? undefined : await findEvent(client, text);
  const entries: HistoryEntry[] = [];
  for await (const entry of client.history(event?.id)) {
    if (options.flag('failed') && isSuccess(entry.code)) continue;
    entries.push(entry);
    if (entries.length >= limit) break;
  }
  if (session.json) return session.printJson(entries);
  if (entries.length === 0) session.note('No jobs have been completed');
  else session.print(formatTable(entries, columnsFor(io.timeZone), tableWidth(io)));
};

const columnsFor = (timeZone: string | undefined): Column<HistoryEntry>[] => [
  { title: 'JOB', value: (entry) => entry.id },
  { title: 'EVENT', value: (entry) => entry.event_title, cut: true },
  { title: 'STARTED', value: (entry) => formatTime(entry.time_start, timeZone) },
  { title: 'ELAPSED', value: (entry) => formatDuration(entry.elapsed), right: true },
  { title: 'SERVER', value: (entry) => entry.hostname, cut: true },
  { title: 'RESULT', value: outcomeText },
  { title: 'DESCRIPTION', value: descriptionOf, cut: true },
];

/** Rows have a description only when the job failed. */
function descriptionOf(entry: HistoryEntry): string {
  const description: unknown = Reflect.get(entry, 'description');
  return typeof description === 'string' ? description : '';
}
