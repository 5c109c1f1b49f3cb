import type { CarillonClient, ScheduledEvent } from '@carillon/client';
import type { CallParams } from '@carillon/contract';
import type { Command } from 'commander';
import { addSettingOptions, noteUnknownSettings, readSettings } from '../event-settings.js';
import { UsageError } from '../failures.js';
import { findEvent } from '../find-event.js';
import { noteUnknownTarget } from '../note-unknown-target.js';
import { noteManaged } from './schedule/note-managed.js';
import { formatTime } from '../format/quantities.js';
import { type Column, formatPairs, formatTable, printable } from '../format/table.js';
import { describeTiming } from '../format/timing.js';
import { tableWidth } from '../format/width.js';
import type { Action, CommandRun, Session } from '../session.js';
import { jobColumns } from './job.js';

/** `event list|show|create|edit|enable|disable|flush|delete`. */
export function addEventCommands(program: Command, run: CommandRun): void {
  const event = program.command('event').description('the events of the schedule');
  event
    .command('list [filter]')
    .description('list events; the filter is part of a title or an id')
    .action(run.action(listEvents));
  event
    .command('show <event>')
    .description('one event with its active jobs; EVENT is an id, a title or how one of them starts')
    .action(run.action(showEvent));
  addSettingOptions(event.command('create <title>').description('create an event'))
    .option('--id <id>', 'id of the new event; made up when not given')
    .option('--disabled', 'do not run it yet')
    .action(run.action(createEvent));
  addSettingOptions(event.command('edit <event>').description('change the given properties of an event'))
    .option('--title <title>', 'new title')
    .action(run.action(editEvent));
  event
    .command('enable <events...>')
    .description('switch events on')
    .action(run.action(switchEvents(1)));
  event
    .command('disable <events...>')
    .description('switch events off; running jobs go on')
    .option('--abort-jobs', 'also abort their running jobs')
    .action(run.action(switchEvents(0)));
  event
    .command('flush <events...>')
    .description('abort the queued jobs of events')
    .action(run.action(flushEvents));
  event
    .command('delete <events...>')
    .description('delete events that have no active jobs')
    .action(run.action(deleteEvents));
}

const columns: Column<ScheduledEvent>[] = [
  { title: 'ID', value: (event) => event.id },
  { title: 'TITLE', value: (event) => event.title, cut: true },
  { title: 'STATE', value: (event) => (isEnabled(event) ? 'on' : 'off') },
  { title: 'TIMING', value: (event) => describeTiming(event.timing), cut: true },
  { title: 'TARGET', value: (event) => event.target, cut: true },
  { title: 'PLUGIN', value: (event) => event.plugin },
  { title: 'CATEGORY', value: (event) => event.category },
];

const isEnabled = (event: ScheduledEvent): boolean => Number(event.enabled) === 1;

const listEvents: Action = async (session, filter = '') => {
  const wanted = filter.toLowerCase();
  const events: ScheduledEvent[] = [];
  for await (const event of session.client.schedule()) {
    if (event.title.toLowerCase().includes(wanted) || event.id.includes(wanted)) events.push(event);
  }
  if (session.json) return session.printJson(events);
  if (events.length === 0) {
    session.note(
      filter === '' ? 'There are no events. Create one with: carillon event create' : 'No such events',
    );
    return;
  }
  session.print(formatTable(events, columns, tableWidth(session.io)));
};

const showEvent: Action = async (session, text = '') => {
  const { id } = await findEvent(session.client, text);
  const { event, jobs, queue } = await session.client.getEvent({ id });
  if (session.json)
    return session.printJson({ event, jobs: jobs ?? [], ...(queue === undefined ? {} : { queue }) });
  session.print(describeEvent(event, session, queue));
  for (const [name, value] of Object.entries(event.params)) printParam(session, name, value);
  if (jobs !== undefined && jobs.length > 0) {
    session.print(`\n${formatTable(jobs, jobColumns, tableWidth(session.io))}`);
  }
};

/** Properties that the listing words itself, or that have a place of their own. */
const worded = new Set([
  'id',
  'title',
  'enabled',
  'timing',
  'params',
  'created',
  'modified',
  'timezone',
  'notes',
]);

function describeEvent(event: ScheduledEvent, session: Session, queue: number | undefined): string {
  const { timeZone } = session.io;
  const rest = Object.entries(event)
    .filter(([name, value]) => !worded.has(name) && value !== '' && value !== 0 && value !== false)
    .map(([name, value]): [string, string] => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]);
  return formatPairs([
    ['id', event.id],
    ['title', event.title],
    ['state', isEnabled(event) ? 'on' : 'off'],
    ['timing', describeTiming(event.timing)],
    ['timezone', event.timezone],
    ...rest.sort(([a], [b]) => (a < b ? -1 : 1)),
    ['queue', queue],
    ['created', formatTime(event.created, timeZone)],
    ['modified', formatTime(event.modified, timeZone)],
    ['notes', event.notes],
  ]);
}

function printParam(session: Session, name: string, value: unknown): void {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const lines = text.trimEnd().split('\n').map(printable);
  if (lines.length === 1) session.print(`param ${name}: ${lines[0]}`);
  else session.print(`param ${name}:\n${lines.map((line) => `    ${line}`.trimEnd()).join('\n')}`);
}

const createEvent: Action = async (session, title = '') => {
  const settings = readSettings(session.options, session.io, title);
  const id = session.options.text('id');
  const event = {
    category: 'general',
    plugin: 'shellplug',
    target: 'allgrp',
    enabled: session.options.flag('disabled') ? 0 : 1,
    ...settings,
    title,
    ...(id === undefined ? {} : { id }),
  };
  // The options only name keys and JSON values: whether they fit the schema is for the server to say.
  const created = await session.client.createEvent(event as CallParams<'create_event'>);
  noteUnknownSettings(session, 'create_event');
  await noteUnknownTarget(session, settings['target']);
  if (session.json) return session.printJson(created);
  session.print(`Created event ${created.id} (${printable(title)}), ${describeTiming(settings['timing'])}`);
};

const editEvent: Action = async (session, text = '') => {
  const event = await findEvent(session.client, text);
  const title = session.options.text('title');
  const settings = readSettings(session.options, session.io, title ?? event.title);
  if (title !== undefined) settings['title'] = title;
  if (Object.keys(settings).length === 0) throw new UsageError('Nothing to change: give at least one option');
  // `params` is replaced whole by the API: here only the given ones change.
  if (settings['params'] !== undefined)
    settings['params'] = Object.assign({}, event.params, settings['params']);
  await session.client.updateEvent({ ...settings, id: event.id });
  noteManaged(session, event, settings);
  noteUnknownSettings(session, 'update_event');
  await noteUnknownTarget(session, settings['target']);
  if (session.json) return session.printJson({ id: event.id });
  session.print(`Changed event ${event.id} (${printable(title ?? event.title)})`);
};

const switchEvents = (enabled: 0 | 1): Action => {
  const word = enabled === 1 ? 'Enabled' : 'Disabled';
  return (session, ...texts) =>
    forEachEvent(session, texts, word, async (client, event) => {
      const abort = session.options.flag('abortJobs') ? { abort_jobs: 1 } : {};
      await client.updateEvent({ id: event.id, enabled, ...abort });
    });
};

const flushEvents: Action = (session, ...texts) =>
  forEachEvent(session, texts, 'Flushed the queue of', async (client, event) => {
    await client.flushEventQueue({ id: event.id });
  });

const deleteEvents: Action = (session, ...texts) =>
  forEachEvent(session, texts, 'Deleted', async (client, event) => {
    await client.deleteEvent({ id: event.id });
  });

/** All events are found before the first one is touched, so that a misspelt one changes nothing. */
async function forEachEvent(
  session: Session,
  texts: readonly string[],
  word: string,
  act: (client: CarillonClient, event: ScheduledEvent) => Promise<void>,
): Promise<void> {
  const events = new Map<string, ScheduledEvent>();
  for (const text of texts) {
    const event = await findEvent(session.client, text);
    events.set(event.id, event);
  }
  for (const event of events.values()) {
    await act(session.client, event);
    if (!session.json) session.print(`${word} event ${event.id} (${printable(event.title)})`);
  }
  if (session.json) session.printJson({ ids: [...events.keys()] });
}
