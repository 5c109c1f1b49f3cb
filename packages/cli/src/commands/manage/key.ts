import type { CallAnswer } from '@carillon/contract';
import type { Command } from 'commander';
import { formatTime } from '../../format/quantities.js';
import { type Column, formatPairs, formatTable, printable } from '../../format/table.js';
import { tableWidth } from '../../format/width.js';
import { UsageError } from '../../failures.js';
import { collect, type Options, readValue } from '../../options.js';
import type { Action, CommandRun } from '../../session.js';
import { findRecord } from './find-record.js';
import { checkPrivileges } from './privilege-names.js';

type ApiKey = CallAnswer<'get_api_keys'>['rows'][number];

/** `key list|create|show|edit|revoke`. */
export function addKeyCommands(program: Command, run: CommandRun): void {
  const key = program.command('key').description('API keys');
  key
    .command('list')
    .description('list API keys; the keys themselves are not kept')
    .action(run.action(listKeys));
  key
    .command('create <title>')
    .description('create an API key and print it: the only time it is shown')
    .option('--allow <privilege>', 'such as run_events, cat_limit or cat_ID; may be repeated', collect)
    .option('--admin', 'may do everything')
    .option('--value <key>', 'the key, instead of a random one')
    .option('--description <text>', 'who uses it')
    .action(run.action(createKey));
  key
    .command('show <key>')
    .description('one API key, by id, title or how one of them starts; not the key itself')
    .action(run.action(showKey));
  key
    .command('edit <key>')
    .description('change the given properties of an API key')
    .option('--allow <privilege>', 'replaces all privileges; may be repeated', collect)
    .option('--admin', 'may do everything; replaces all privileges')
    .option('--set <name=value>', 'any other property, such as active=0; may be repeated', collect)
    .action(run.action(editKey));
  key
    .command('revoke <keys...>')
    .alias('delete')
    .description('delete API keys, by id or title of their records')
    .action(run.action(revokeKeys));
}

const columnsFor = (timeZone: string | undefined): Column<ApiKey>[] => [
  { title: 'ID', value: (key) => key.id },
  { title: 'TITLE', value: (key) => key.title, cut: true },
  { title: 'STATE', value: (key) => (key.active === 1 ? 'active' : 'disabled') },
  { title: 'CREATED', value: (key) => formatTime(key.created, timeZone) },
  { title: 'MAY', value: (key) => privilegesOf(key).join(', '), cut: true },
];

const privilegesOf = (key: ApiKey): string[] =>
  Object.entries(key.privileges)
    .filter(([, granted]) => Boolean(granted))
    .map(([name]) => name);

const listKeys: Action = async (session) => {
  const { rows } = await session.client.getApiKeys();
  if (session.json) return session.printJson(rows);
  session.print(formatTable(rows, columnsFor(session.io.timeZone), tableWidth(session.io)));
};

/** Privileges by name; undefined when the options name none. */
function privilegesFrom(options: Options): Record<string, number> | undefined {
  const names = [...checkPrivileges(options.list('allow')), ...(options.flag('admin') ? ['admin'] : [])];
  return names.length === 0
    ? undefined
    : Object.fromEntries(names.map((name): [string, number] => [name, 1]));
}

const showKey: Action = async (session, text = '') => {
  const { rows } = await session.client.getApiKeys();
  const { api_key: key } = await session.client.getApiKey({ id: findRecord(rows, 'API key', text).id });
  if (session.json) return session.printJson(key);
  const { timeZone } = session.io;
  session.print(
    formatPairs([
      ['id', key.id],
      ['title', key.title],
      ['description', key.description],
      ['state', key.active === 1 ? 'active' : 'disabled'],
      ['may', privilegesOf(key).join(', ')],
      ['created', formatTime(key.created, timeZone)],
      ['modified', formatTime(key.modified, timeZone)],
    ]),
  );
};

const editKey: Action = async (session, text = '') => {
  const { client, options } = session;
  const privileges = privilegesFrom(options);
  const settings = [...options.pairs('set')].map(([name, value]): [string, unknown] => [
    name,
    readValue(value),
  ]);
  if (privileges === undefined && settings.length === 0) {
    throw new UsageError('Nothing to change: give at least one option');
  }
  const { id, title } = findRecord((await client.getApiKeys()).rows, 'API key', text);
  const changes = { ...Object.fromEntries(settings), ...(privileges === undefined ? {} : { privileges }) };
  await client.updateApiKey({ ...changes, id });
  if (session.json) return session.printJson({ id });
  session.print(`Changed API key ${id} (${printable(title)})`);
};

const createKey: Action = async (session, title = '') => {
  const { options } = session;
  const value = options.text('value');
  const description = options.text('description');
  const created = await session.client.createApiKey({
    title,
    privileges: privilegesFrom(options) ?? {},
    ...(value === undefined ? {} : { key: value }),
    ...(description === undefined ? {} : { description }),
  });
  if (session.json) return session.printJson({ id: created.id, key: created.key });
  // Alone on standard output, so that a script can take it from there.
  session.note(`Created API key ${created.id} (${printable(title)}). It is shown this once:`);
  session.print(created.key);
};

/** All are found before the first one is touched. */
const revokeKeys: Action = async (session, ...texts) => {
  const { rows } = await session.client.getApiKeys();
  const found = new Map(texts.map((text) => findRecord(rows, 'API key', text)).map((key) => [key.id, key]));
  for (const { id, title } of found.values()) {
    await session.client.deleteApiKey({ id });
    if (!session.json) session.print(`Revoked API key ${id} (${printable(title)})`);
  }
  if (session.json) session.printJson({ ids: [...found.keys()] });
};
