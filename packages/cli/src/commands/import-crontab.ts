import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ApiError, type CarillonClient, type ScheduledEvent, UnreachableError } from '@carillon/client';
import { type CrontabEvent, parseCrontabFile } from '@carillon/core';
import type { Command } from 'commander';
import { type ImportStep, planImport } from '../crontab/plan-import.js';
import { exitCodes, reasonOf } from '../failures.js';
import { type Column, formatTable, printable } from '../format/table.js';
import { describeTiming } from '../format/timing.js';
import { tableWidth } from '../format/width.js';
import type { Action, CommandRun, Session } from '../session.js';

/** `import crontab`. Answers `import`, for what else can be imported. */
export function addImportCommand(program: Command, run: CommandRun): Command {
  const group = program.command('import').description('take over a schedule from elsewhere');
  group
    .command('crontab <files...>')
    .description(
      'make an event of each line of crontabs; may be repeated, what is there already is left alone',
    )
    .option(
      '--user-column',
      'lines name a user before the command (default for /etc/crontab and /etc/cron.d)',
    )
    .option('--no-user-column', 'lines have no user column')
    .option('--dry-run', 'only show what would be done')
    .option('--target <group|host>', 'server group or host name of new events', 'allgrp')
    .option('--category <id>', 'category of new events', 'general')
    .option('--disabled', 'make new events, but do not run them yet')
    .action(run.action(importCrontabs));
  return group;
}

interface Found {
  events: CrontabEvent[];
  /** Lines and files that could not be read, ready to be shown. */
  problems: string[];
}

const importCrontabs: Action = async (session, ...files) => {
  const found = readFiles(session, files);
  const dryRun = session.options.flag('dryRun');
  const steps = planImport(found.events, await readSchedule(session, dryRun));
  const problems = [...found.problems];
  const done = dryRun ? steps : await applySteps(session, steps, problems);

  if (session.json) session.printJson({ steps: done.map(summarise), problems });
  else report(session, done, dryRun);
  for (const problem of problems) session.warn(problem);
  return problems.length === 0 ? exitCodes.ok : exitCodes.failure;
};

function readFiles(session: Session, files: readonly string[]): Found {
  const found: Found = { events: [], problems: [] };
  for (const file of files) {
    const path = resolve(session.io.cwd ?? '.', file);
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (error) {
      found.problems.push(`${file}: ${reasonOf(error)}`);
      continue;
    }
    const userColumn = session.options.choice('userColumn') ?? hasUserColumn(path);
    const { events, problems } = parseCrontabFile(text, { fileName: file, userColumn });
    found.events.push(...events);
    for (const { line, text: source, reason } of problems) {
      found.problems.push(`${file}:${line}: ${reason}: ${printable(source.trim())}`);
    }
  }
  return found;
}

/** The system's own crontabs say which user runs a line. */
const hasUserColumn = (path: string): boolean =>
  path === '/etc/crontab' || /^\/etc\/cron\.d\/[^/]+$/.test(path);

/** A dry run also works where no cluster is there yet. */
async function readSchedule(session: Session, dryRun: boolean): Promise<ScheduledEvent[]> {
  const events: ScheduledEvent[] = [];
  try {
    for await (const event of session.client.schedule()) events.push(event);
  } catch (error) {
    if (!dryRun || !(error instanceof UnreachableError || error instanceof ApiError)) throw error;
    session.warn(`Not compared with the schedule: ${error.message}`);
  }
  return events;
}

/** One after the other. A refused event is a problem and does not stop the rest. */
async function applySteps(
  session: Session,
  steps: readonly ImportStep[],
  problems: string[],
): Promise<ImportStep[]> {
  const done: ImportStep[] = [];
  // The newest event comes first in the schedule: in reverse the crontab's order is kept.
  for (const step of [...steps].reverse()) {
    try {
      await applyStep(session.client, session, step);
      done.unshift(step);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      problems.push(`${printable(step.event.title)}: ${error.description}`);
    }
  }
  return done;
}

async function applyStep(client: CarillonClient, session: Session, step: ImportStep): Promise<void> {
  const { event, existing } = step;
  const timed = {
    timing: event.timing,
    ...(event.timezone === undefined ? {} : { timezone: event.timezone }),
  };
  if (step.action === 'update' && existing !== undefined) {
    const params = { ...existing.params, script: event.script };
    await client.updateEvent({ id: existing.id, ...timed, params });
  } else if (step.action === 'create') {
    await client.createEvent({
      title: event.title,
      ...timed,
      enabled: session.options.flag('disabled') ? 0 : 1,
      category: session.options.text('category') ?? 'general',
      target: session.options.text('target') ?? 'allgrp',
      plugin: 'shellplug',
      params: { script: event.script },
      notes: event.notes,
    });
  }
}

const past: Record<ImportStep['action'], string> = { create: 'created', update: 'updated', skip: 'skipped' };
const columns: Column<ImportStep>[] = [
  { title: 'ACTION', value: (step) => step.action },
  { title: 'TITLE', value: (step) => step.event.title, cut: true },
  { title: 'TIMING', value: (step) => describeTiming(step.event.timing) },
  { title: 'USER', value: (step) => step.event.user },
  { title: 'COMMAND', value: (step) => commandOf(step.event.script), cut: true },
];

/** The script ends with the command; before it stand the environment and the standard input. */
const commandOf = (script: string): string => script.trimEnd().split('\n').at(-1) ?? '';

const summarise = (step: ImportStep): Record<string, unknown> => ({
  action: step.action,
  ...step.event,
  ...(step.existing === undefined ? {} : { id: step.existing.id }),
});

function report(session: Session, steps: readonly ImportStep[], dryRun: boolean): void {
  if (dryRun && steps.length > 0) session.print(formatTable(steps, columns, tableWidth(session.io)));
  const counts = (['create', 'update', 'skip'] as const).map((action) => {
    const count = steps.filter((step) => step.action === action).length;
    return dryRun ? `${count} to ${action}` : `${count} ${past[action]}`;
  });
  session.note(`${dryRun ? 'Dry run: ' : ''}${counts.join(', ')}`);
  const users = new Set(steps.flatMap((step) => step.event.user ?? []));
  if (users.size > 0) {
    session.note(`Jobs run as the user of the shell plugin, not as ${[...users].map(printable).join(', ')}`);
  }
}
