import type { CallAnswer } from '@carillon/contract';
import type { Command } from 'commander';
import { formatTime } from '../../format/quantities.js';
import { type Column, formatTable, printable } from '../../format/table.js';
import { tableWidth } from '../../format/width.js';
import { collect } from '../../options.js';
import type { Action, CommandRun } from '../../session.js';
import { findRecord } from './find-record.js';

type ApiKey = CallAnswer<'get_api_keys'>['rows'][number];

/** `key list|create|revoke`. */
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
    .command('revoke <keys...>')
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

const createKey: Action = async (session, title = '') => {
  const { options } = session;
  const names = [...options.list('allow'), ...(options.flag('admin') ? ['admin'] : [])];
  const value = options.text('value');
  const description = options.text('description');
  const created = await session.client.createApiKey({
    title,
    privileges: Object.fromEntries(names.map((name): [string, number] => [name, 1])),
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
