import type { CallAnswer } from '@carillon/contract';
import type { Command } from 'commander';
import { formatTime } from '../../format/quantities.js';
import { type Column, formatTable } from '../../format/table.js';
import { tableWidth } from '../../format/width.js';
import type { Action, CommandRun } from '../../session.js';

type Delivery = CallAnswer<'get_deliveries'>['rows'][number];
type Entry = CallAnswer<'get_activity'>['rows'][number];
type Launch = CallAnswer<'get_upcoming'>['rows'][number];

/** `activity`, `deliveries` and `upcoming`. */
export function addActivityCommands(program: Command, run: CommandRun): void {
  program
    .command('activity')
    .description('what was done and what went wrong, newest first; for administrators')
    .option('-n, --limit <count>', 'number of entries (25)')
    .action(run.action(showActivity));
  program
    .command('deliveries [job]')
    .description('what became of web hooks and e-mails, newest first; for administrators')
    .option('-n, --limit <count>', 'number of deliveries (25)')
    .action(run.action(showDeliveries));
  program
    .command('upcoming')
    .description('what the schedule will launch, soonest first')
    .option('-n, --limit <count>', 'number of launches (25)')
    .option('--hours <count>', 'how far to look ahead, 168 at the most (24)')
    .action(run.action(showUpcoming));
}

const showActivity: Action = async (session) => {
  const { client, io, options } = session;
  const { rows } = await client.getActivity({ limit: options.count('limit', 25, 1) });
  if (session.json) return session.printJson(rows);
  if (rows.length === 0) return session.note('Nothing has been noted');
  const columns: Column<Entry>[] = [
    { title: 'TIME', value: (entry) => formatTime(entry.epoch, io.timeZone) },
    { title: 'ACTION', value: (entry) => entry.action },
    { title: 'BY', value: (entry) => entry.username ?? entry.api_title, cut: true },
    { title: 'ABOUT', value: subjectOf, cut: true },
  ];
  session.print(formatTable(rows, columns, tableWidth(io)));
};

/** Keys under which entries hold what they are about (behaviour reference 3.6). */
const subjectKeys = ['event', 'cat', 'plugin', 'group', 'api_key', 'user', 'hostname', 'id'];

function subjectOf(entry: Entry): string {
  const values = entry as Readonly<Record<string, unknown>>;
  const description = values['description'];
  if (typeof description === 'string') return description;
  // Who did it is under `api_key` as well, but as a text.
  const records = subjectKeys.map((key) => values[key]).filter((value) => typeof value === 'object');
  for (const record of records) {
    if (record === null || record === undefined) continue;
    const { title, id, username } = record as { title?: unknown; id?: unknown; username?: unknown };
    if (typeof username === 'string' && id === undefined) return username;
    return typeof title === 'string' ? `${title} (${String(id)})` : String(id);
  }
  const texts = ['hostname', 'id', 'source'].map((key) => values[key]);
  const about = texts.find((value) => typeof value === 'string');
  if (about === undefined && entry.action === 'state_update') {
    return `scheduler ${Number(values['enabled']) === 1 ? 'on' : 'off'}`;
  }
  return String(about ?? '');
}

const showDeliveries: Action = async (session, job) => {
  const { client, io, options } = session;
  const limit = options.count('limit', 25, 1);
  const { rows, waiting } = await client.getDeliveries({ limit, ...(job === undefined ? {} : { job }) });
  if (session.json) return session.printJson({ rows, waiting });
  if (rows.length === 0) session.note('Nothing has been delivered');
  else {
    const columns: Column<Delivery>[] = [
      { title: 'TIME', value: (delivery) => formatTime(delivery.epoch, io.timeZone) },
      { title: 'KIND', value: (delivery) => delivery.type },
      { title: 'ABOUT', value: (delivery) => delivery.job ?? delivery.event, cut: true },
      { title: 'TO', value: (delivery) => delivery.target, cut: true },
      { title: 'TRIES', value: (delivery) => delivery.attempts, right: true },
      { title: 'RESULT', value: (delivery) => (delivery.code === 0 ? 'ok' : String(delivery.code)) },
      { title: 'DESCRIPTION', value: (delivery) => delivery.description, cut: true },
    ];
    session.print(formatTable(rows, columns, tableWidth(io)));
  }
  if (waiting > 0) session.note(`${waiting} on their way`);
};

/** As the call has it. */
const mostHours = 168;

const showUpcoming: Action = async (session) => {
  const { client, io, options } = session;
  const limit = options.count('limit', 25, 1);
  const answer = await client.getUpcoming({ limit, hours: options.count('hours', 24, 1, mostHours) });
  if (session.json) return session.printJson(answer.rows);
  if (answer.rows.length === 0) {
    return session.note(answer.enabled === 0 ? 'The scheduler is off' : 'Nothing is due in that time');
  }
  const columns: Column<Launch>[] = [
    { title: 'DUE', value: (launch) => formatTime(launch.epoch, io.timeZone) },
    { title: 'EVENT', value: (launch) => launch.event },
    { title: 'TITLE', value: (launch) => launch.event_title, cut: true },
    { title: 'TARGET', value: (launch) => launch.target, cut: true },
  ];
  session.print(formatTable(answer.rows, columns, tableWidth(io)));
  const more = answer.list.length - answer.rows.length;
  if (more > 0) session.note(`and ${more} more until ${formatTime(answer.until, io.timeZone)}`);
};
