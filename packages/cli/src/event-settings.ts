import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { CommandIo } from './command-io.js';
import { CommandError, reasonOf, UsageError } from './failures.js';
import { apiCalls } from '@carillon/contract';
import { nearestName } from './nearest.js';
import { collect, type Options, readValue } from './options.js';
import type { Session } from './session.js';
import { parseTiming } from './crontab/parse-timing.js';

/** Adds the options that describe an event, for `event create` and `event edit`. */
export function addSettingOptions(command: Command): Command {
  return command
    .option('--category <id>', 'category')
    .option('--plugin <id>', 'plugin that runs the jobs, such as shellplug, urlplug or testplug')
    .option('--target <group|host>', 'server group or host name')
    .option('--cron <expression>', 'when it is due, as a crontab line: "30 4 * * 1-5" or "@daily"')
    .option('--on-demand', 'no timing: only run by hand, by API or in a chain')
    .option('--timezone <zone>', 'IANA time zone of the timing, such as Europe/London')
    .option(
      '--script <text>',
      'script of the shell plugin; a first line #!/bin/sh is added when there is none',
    )
    .option('--script-file <path>', 'the same from a file')
    .option('--param <name=value>', 'parameter of the plugin; may be repeated', collect)
    .option('--notes <text>', 'notes')
    .option('--set <name=value>', 'any other property; JSON or text; may be repeated', collect);
}

/**
 * The event properties the options name (API reference, Event Data Format); nothing else. `title` is that of
 * the event. Throws UsageError for contradictions and malformed values.
 */
export function readSettings(options: Options, io: CommandIo, title: string): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  for (const [name, value] of options.pairs('set')) settings[name] = readValue(value);
  for (const name of ['category', 'plugin', 'target', 'timezone', 'notes']) {
    const value = options.text(name);
    if (value !== undefined) settings[name] = value;
  }
  const cron = options.text('cron');
  if (cron !== undefined && options.flag('onDemand')) {
    throw new UsageError('Give either --cron or --on-demand');
  }
  if (cron !== undefined) settings['timing'] = parseTiming(cron, title);
  if (options.flag('onDemand')) settings['timing'] = false;
  const params = readParams(options, io);
  if (Object.keys(params).length > 0) settings['params'] = params;
  return settings;
}

/** Says which names of `--set` the call does not know: the API stores them all the same, as Cronicle does. */
export function noteUnknownSettings(
  { options, warn }: Pick<Session, 'options' | 'warn'>,
  call: 'create_event' | 'update_event' | 'run_event',
): void {
  const known = Object.keys(apiCalls[call].params.properties);
  for (const name of options.pairs('set').keys()) {
    if (known.includes(name)) continue;
    const near = nearestName(name, known);
    warn(
      `--set ${name}: nothing that Carillon knows${near === undefined ? '' : ` (did you mean ${near}?)`}, kept all the same`,
    );
  }
}

function readScript(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new CommandError(`The script cannot be read: ${reasonOf(error)}`);
  }
}

function readParams(options: Options, io: CommandIo): Record<string, unknown> {
  const params: Record<string, unknown> = Object.fromEntries(options.pairs('param'));
  const text = options.text('script');
  const file = options.text('scriptFile');
  if (text !== undefined && file !== undefined) {
    throw new UsageError('Give either --script or --script-file');
  }
  if (text !== undefined) params['script'] = text.startsWith('#!') ? text : `#!/bin/sh\n\n${text}\n`;
  if (file !== undefined) params['script'] = readScript(resolve(io.cwd ?? '.', file));
  return params;
}
