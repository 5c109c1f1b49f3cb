import type { Job } from '@carillon/client';
import type { Command } from 'commander';
import { CommandError, reasonOf, UsageError } from '../failures.js';
import { outcomeText } from '../format/job-text.js';
import { formatBytes, formatDuration, formatShare, formatTime } from '../format/quantities.js';
import { type Column, formatPairs, formatTable } from '../format/table.js';
import { tableWidth } from '../format/width.js';
import { collect, type Options, readValue } from '../options.js';
import type { Action, CommandRun, Session } from '../session.js';

/** `job list|show|log|edit|abort|delete`. */
export function addJobCommands(program: Command, run: CommandRun): void {
  const job = program.command('job').description('jobs: the runs of events');
  job.command('list').description('list active jobs').action(run.action(listJobs));
  job.command('show <job>').description('one job, active or completed').action(run.action(showJob));
  job
    .command('log <job>')
    .description('print the log of a job')
    .option('-f, --follow', 'go on until the job has ended')
    .action(run.action(printLog));
  job
    .command('edit [jobs...]')
    .description('change limits, retries, chain or notifications of active jobs')
    .requiredOption('--set <name=value>', 'a setting, such as timeout=60; may be repeated', collect)
    .option(
      '--where <name=value>',
      'all active jobs with this field, such as event=ID; may be repeated',
      collect,
    )
    .action(run.action(editJobs));
  job
    .command('abort [jobs...]')
    .description('abort active jobs')
    .option(
      '--where <name=value>',
      'all active jobs with this field, such as event=ID; may be repeated',
      collect,
    )
    .option('--all', 'all active jobs')
    .option('--no-rewind', 'catch-up events do not run the minutes of these jobs once more')
    .action(run.action(abortJobs));
  job
    .command('delete <jobs...>')
    .description('delete completed jobs with their logs; for administrators')
    .action(run.action(deleteJobs));
}

/** Columns of active jobs. */
export const jobColumns: Column<Job>[] = [
  { title: 'JOB', value: (job) => job.id },
  { title: 'EVENT', value: (job) => job.event_title, cut: true },
  { title: 'STATE', value: (job) => job.state },
  { title: 'SERVER', value: (job) => job.hostname, cut: true },
  { title: 'DONE', value: (job) => formatShare(job.progress), right: true },
  { title: 'ELAPSED', value: (job) => formatDuration(job.elapsed), right: true },
  {
    title: 'CPU',
    value: (job) => (job.cpu === undefined ? '' : `${Math.round(job.cpu.current)}%`),
    right: true,
  },
  { title: 'MEMORY', value: (job) => formatBytes(job.mem?.current), right: true },
];

const listJobs: Action = async (session) => {
  const jobs = Object.values((await session.client.getActiveJobs()).jobs);
  if (session.json) return session.printJson(jobs);
  if (jobs.length === 0) session.note('There are no active jobs');
  else session.print(formatTable(jobs, jobColumns, tableWidth(session.io)));
};

const showJob: Action = async (session, id = '') => {
  const { job } = await session.client.getJobStatus({ id });
  if (session.json) return session.printJson(job);
  const { timeZone } = session.io;
  session.print(
    formatPairs([
      ['id', job.id],
      ['event', `${job.event_title} (${job.event})`],
      ['state', job.state],
      ['result', job.complete === undefined ? undefined : outcomeText({ code: job.code ?? 1 })],
      ['description', job.description],
      ['server', job.hostname],
      ['target', job.nice_target],
      ['category', job.category_title],
      ['plugin', job.plugin_title],
      ['source', job.source ?? 'schedule'],
      ['due', formatTime(job.now, timeZone)],
      ['started', formatTime(job.time_start, timeZone)],
      ['ended', formatTime(job.time_end, timeZone)],
      ['elapsed', formatDuration(job.elapsed)],
      ['progress', job.complete === undefined ? formatShare(job.progress) : undefined],
      ['pid', job.pid],
      ['cpu', average(job.cpu, (value) => `${Math.round(value)}%`)],
      ['memory', average(job.mem, formatBytes)],
      ['log', formatBytes(job.log_file_size)],
    ]),
  );
};

function average(stat: Job['cpu'], format: (value: number) => string): string | undefined {
  if (stat === undefined || stat.count === 0) return undefined;
  return `${format(stat.total / stat.count)} (peak ${format(stat.max)})`;
}

const printLog: Action = async (session, id = '') => {
  const { client, io, options } = session;
  if (!options.flag('follow')) {
    io.stdout.write(await client.jobLog(id));
    return;
  }
  await client.watchJob(
    id,
    { onLog: (text) => void io.stdout.write(text) },
    io.signal === undefined ? {} : { signal: io.signal },
  );
};

const editJobs: Action = async (session, ...ids) => {
  const { client, options } = session;
  const updates = valuesOf(options, 'set');
  const criteria = readCriteria(options, ids);
  if (criteria === undefined) {
    return forEachJob(session, ids, 'Changed', (id) => client.updateJob({ ...updates, id }));
  }
  // `updates` wins over a field of that name: jobs have none.
  const { count } = await client.updateJobs({ ...criteria, updates });
  if (session.json) return session.printJson({ count });
  session.print(`Changed ${count} ${count === 1 ? 'job' : 'jobs'}`);
};

const abortJobs: Action = async (session, ...ids) => {
  const { client, options } = session;
  const criteria = readCriteria(options, ids);
  if (criteria === undefined) {
    return forEachJob(session, ids, 'Aborting', (id) => client.abortJob({ id }));
  }
  const noRewind = options.choice('rewind') === false ? { no_rewind: 1 } : {};
  const { count } = await client.abortJobs({ ...criteria, ...noRewind });
  if (session.json) return session.printJson({ count });
  session.print(`Aborting ${count} ${count === 1 ? 'job' : 'jobs'}`);
};

const valuesOf = (options: Options, name: string): Record<string, unknown> =>
  Object.fromEntries([...options.pairs(name)].map(([key, value]) => [key, readValue(value)]));

/** What jobs must match; undefined when they are named one by one. Throws UsageError for neither or both. */
function readCriteria(options: Options, ids: readonly string[]): Record<string, unknown> | undefined {
  const where = valuesOf(options, 'where');
  const isBulk = Object.keys(where).length > 0 || options.flag('all');
  if (isBulk === ids.length > 0) throw new UsageError('Name jobs, or say which with --where or --all');
  return isBulk ? where : undefined;
}

const deleteJobs: Action = (session, ...ids) =>
  forEachJob(session, ids, 'Deleted', (id) => session.client.deleteJob({ id }));

/** Goes on after a job that is refused, and then fails with all refusals. */
async function forEachJob(
  session: Session,
  ids: readonly string[],
  word: string,
  act: (id: string) => Promise<unknown>,
): Promise<void> {
  const failures: string[] = [];
  for (const id of new Set(ids)) {
    try {
      await act(id);
      if (!session.json) session.print(`${word} job ${id}`);
    } catch (error) {
      if (ids.length === 1) throw error;
      failures.push(`${id}: ${reasonOf(error)}`);
    }
  }
  if (failures.length > 0) throw new CommandError(failures.join('\n'));
  if (session.json) session.printJson({ ids });
}
