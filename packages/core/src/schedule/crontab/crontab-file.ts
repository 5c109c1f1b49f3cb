import { CarillonError, type Timing } from '@carillon/contract';
import { expandCrontabKeyword, parseCrontabExpression } from './crontab-expression.js';
import { crontabScript, isUsableShell, splitCommand } from './crontab-script.js';
import { isTimezone } from '../wall-clock.js';

/** One event to create for a crontab line. */
export interface CrontabEvent {
  /** Readable, unique within the file, the same at each import. */
  title: string;
  timing: Timing;
  script: string;
  timezone?: string;
  /** User column: who cron would run the command as. */
  user?: string;
  notes: string;
}

/** A line that was not taken over, or not entirely. */
export interface CrontabProblem {
  /** Counted from 1. */
  line: number;
  text: string;
  reason: string;
}

export interface CrontabOptions {
  /** Path or name; its last part is in titles and notes. */
  fileName: string;
  /** True for /etc/crontab and /etc/cron.d: the sixth field is a user. */
  userColumn: boolean;
}

/** What is in force where a line stands. */
interface Surroundings {
  environment: Map<string, string>;
  timezone: string | undefined;
}

/** Line parsed as far as cron's own fields. */
interface Entry {
  fields: string;
  user?: string;
  command: string;
}

/**
 * Events for the lines of a crontab, with cron's own meaning (Vixie cron as in Debian): environment lines hold for the
 * lines below them, CRON_TZ or TZ is the time zone, SHELL the interpreter, `%` starts standard input. Cron
 * runs a line with both a day of the month and a weekday when either matches, timings need both: such a line
 * becomes two events that are never due together. Never throws: whatever cannot be taken over is a problem.
 */
export function parseCrontabFile(
  text: string,
  options: CrontabOptions,
): { events: CrontabEvent[]; problems: CrontabProblem[] } {
  const name = plainText(options.fileName.split(/[/\\]/).at(-1) ?? '').slice(0, 100) || 'crontab';
  const around: Surroundings = { environment: new Map(), timezone: undefined };
  const events: CrontabEvent[] = [];
  const problems: CrontabProblem[] = [];
  const titles = new Set<string>();
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const report = (reason: string): void => {
      problems.push({ line: index + 1, text: line, reason });
    };
    if (line.includes('\0')) {
      report('The line contains a NUL character');
    } else if (!readAssignment(line, around, report)) {
      const entry = readEntry(line, options.userColumn, report);
      if (entry !== undefined) {
        events.push(...eventsOf(entry, { name, line: index + 1, around, titles, report }));
      }
    }
  }
  return { events, problems };
}

/** Takes over `NAME = value`; false when the line is something else. */
function readAssignment(line: string, around: Surroundings, report: (reason: string) => void): boolean {
  const match = /^(["']?)([A-Za-z_]\w*)\1\s*=\s*(.*)$/.exec(line);
  const [, , name, given] = match ?? [];
  if (name === undefined || given === undefined) return false;
  const value = /^"(.*)"$/.exec(given)?.[1] ?? /^'(.*)'$/.exec(given)?.[1] ?? given;
  if (name === 'SHELL' && !isUsableShell(value)) {
    report('SHELL is not an absolute path; /bin/sh is used');
    around.environment.delete(name);
    return true;
  }
  if (name !== 'CRON_TZ') around.environment.set(name, value);
  if (name === 'CRON_TZ' || (name === 'TZ' && value !== '')) {
    const zone = value.replace(/^:/, '');
    if (zone === '' || isTimezone(zone)) around.timezone = zone || undefined;
    else report(`Unknown time zone: ${value}; it is ignored for the schedule`);
  }
  return true;
}

function readEntry(line: string, userColumn: boolean, report: (reason: string) => void): Entry | undefined {
  const isKeyword = line.startsWith('@');
  const schedule = isKeyword ? /^\S+/.exec(line)?.[0] : /^\S+(?:\s+\S+){4}(?=\s|$)/.exec(line)?.[0];
  if (schedule === undefined) {
    report('Neither five time fields and a command nor NAME=value');
    return undefined;
  }
  if (schedule.toLowerCase() === '@reboot') {
    report('@reboot has no counterpart: there is no boot of a cluster to run it at');
    return undefined;
  }
  if (isKeyword && expandCrontabKeyword(schedule) === undefined) {
    report(`Invalid crontab keyword: ${schedule}`);
    return undefined;
  }
  const rest = line.slice(schedule.length).trim();
  const user = userColumn ? /^\S+/.exec(rest)?.[0] : undefined;
  const command = rest.slice(user?.length ?? 0).trim();
  if (command === '' || splitCommand(command).command === '') {
    report(userColumn ? 'The user or the command is missing' : 'The command is missing');
    return undefined;
  }
  return { fields: schedule, command, ...(user === undefined ? {} : { user }) };
}

interface EntryContext {
  name: string;
  line: number;
  around: Surroundings;
  titles: Set<string>;
  report: (reason: string) => void;
}

function eventsOf(entry: Entry, context: EntryContext): CrontabEvent[] {
  const { around } = context;
  const { command, input } = splitCommand(entry.command);
  let timings: { timing: Timing; suffix: string }[];
  try {
    timings = exactTimings(entry.fields);
  } catch (error) {
    if (!(error instanceof CarillonError)) throw error;
    context.report(error.message);
    return [];
  }
  const common = {
    script: crontabScript(command, input, around.environment),
    ...(around.timezone === undefined ? {} : { timezone: around.timezone }),
    ...(entry.user === undefined ? {} : { user: entry.user }),
    notes: notesOf(entry, context),
  };
  return timings.map(({ timing, suffix }) => ({
    title: uniqueTitle(`${context.name}: ${firstWords(command)}${suffix}`, context.titles),
    timing,
    ...common,
  }));
}

const allDays = Array.from({ length: 31 }, (_, index) => index + 1);

/** One timing, or two without overlap whose union is what cron means. Throws CarillonError. */
function exactTimings(fields: string): { timing: Timing; suffix: string }[] {
  const timing = parseCrontabExpression(fields, '', true);
  const [, , dayField = '*', , weekdayField = '*'] = (expandCrontabKeyword(fields) ?? fields).split(/\s+/);
  // As cron does, only the first character tells whether a field is restricted: `*/2` is not.
  if (dayField.startsWith('*') || weekdayField.startsWith('*')) return [{ timing, suffix: '' }];
  const { days, weekdays, ...rest } = timing;
  if (days === undefined || weekdays === undefined) return [{ timing: rest, suffix: '' }];
  const otherDays = allDays.filter((day) => !days.includes(day));
  return [
    { timing: { ...rest, days }, suffix: ' (days of the month)' },
    { timing: { ...rest, days: otherDays, weekdays }, suffix: ' (weekdays)' },
  ];
}

function notesOf(entry: Entry, context: EntryContext): string {
  const mail = context.around.environment.get('MAILTO');
  const parts = [`Imported from ${context.name}, line ${context.line}.`];
  if (entry.user !== undefined) parts.push(`Ran as user ${entry.user}.`);
  if (mail) parts.push(`Output was mailed to ${mail}.`);
  return plainText(parts.join(' '));
}

/** The first words of a command, up to 60 characters. */
function firstWords(command: string): string {
  const words = plainText(command).split(' ');
  let text = words[0] ?? '';
  for (const word of words.slice(1)) {
    if (text.length + 1 + word.length > 60) break;
    text += ` ${word}`;
  }
  return text.length > 60 ? `${text.slice(0, 59)}…` : text || 'command';
}

function uniqueTitle(title: string, taken: Set<string>): string {
  let unique = title;
  for (let number = 2; taken.has(unique); number += 1) unique = `${title} (${number})`;
  taken.add(unique);
  return unique;
}

/** Without HTML metacharacters and control characters, white space as single blanks. */
function plainText(text: string): string {
  return text
    .replaceAll(/[<>\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, 1_000);
}
