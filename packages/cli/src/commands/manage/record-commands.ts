import type { CarillonClient } from '@carillon/client';
import type { Command } from 'commander';
import { type Column, formatPairs, formatTable, printable } from '../../format/table.js';
import { tableWidth } from '../../format/width.js';
import { collect } from '../../options.js';
import type { Action, CommandRun, Session } from '../../session.js';
import { noteManaged } from '../schedule/note-managed.js';
import { findRecord } from './find-record.js';
import { readRecord } from './record-file.js';

type Fields = Record<string, unknown>;

/** What all these records have. */
interface KeptRecord {
  id: string;
  title: string;
  managed_by?: string;
}

/** A kind of record that is administered the same way as the others. */
export interface RecordKind<T extends KeptRecord> {
  /** Name of the group of commands. */
  command: string;
  noun: string;
  plural: string;
  columns: Column<T>[];
  /** Properties of a new record that need not be given. */
  presets: Fields;
  list: (client: CarillonClient) => Promise<T[]>;
  /** Answers the id, and what the person should be told. */
  create: (client: CarillonClient, fields: Fields) => Promise<{ id: string; warnings?: string[] }>;
  update: (client: CarillonClient, fields: Fields) => Promise<{ warnings?: string[] }>;
  remove: (client: CarillonClient, id: string) => Promise<unknown>;
  /** Disabling may abort jobs. */
  hasJobs: boolean;
}

/** `KIND list|show|create|update|delete`. */
export function addRecordCommands<T extends KeptRecord>(
  program: Command,
  run: CommandRun,
  kind: RecordKind<T>,
): void {
  const { noun, plural } = kind;
  const group = program.command(kind.command).description(`${plural} of the cluster`);
  group
    .command('list')
    .description(`list ${plural}`)
    .action(run.action(listRecords(kind)));
  group
    .command(`show <${kind.command}>`)
    .description(`one ${noun}, by id, title or how one of them starts`)
    .action(run.action(showRecord(kind)));
  group
    .command('create [file]')
    .description(`create a ${noun} from a JSON file, from --set, or both`)
    .option('--set <name=value>', 'a property; JSON or text; may be repeated', collect)
    .action(run.action(createRecord(kind)));
  const update = group
    .command(`update <${kind.command}> [file]`)
    .alias('edit')
    .description(`replace the given properties of a ${noun}`)
    .option('--set <name=value>', 'a property; JSON or text; may be repeated', collect)
    .action(run.action(updateRecord(kind)));
  if (kind.hasJobs) update.option('--abort-jobs', 'when it is disabled: also abort its running jobs');
  group
    .command(`delete <${kind.command}...>`)
    .description(`delete ${plural} that are not in use`)
    .action(run.action(deleteRecords(kind)));
}

const listRecords =
  <T extends KeptRecord>(kind: RecordKind<T>): Action =>
  async (session) => {
    const records = await kind.list(session.client);
    if (session.json) return session.printJson(records);
    if (records.length === 0) session.note(`There are no ${kind.plural}`);
    else session.print(formatTable(records, kind.columns, tableWidth(session.io)));
  };

const showRecord =
  <T extends KeptRecord>(kind: RecordKind<T>): Action =>
  async (session, text = '') => {
    const record = findRecord(await kind.list(session.client), kind.noun, text);
    if (session.json) return session.printJson(record);
    session.print(
      formatPairs(
        Object.entries(record).map(([name, value]): [string, string] => [
          name,
          typeof value === 'string' ? value : JSON.stringify(value),
        ]),
      ),
    );
  };

const createRecord =
  <T extends KeptRecord>(kind: RecordKind<T>): Action =>
  async (session, file) => {
    const fields = { ...kind.presets, ...readRecord(session, file) };
    const { id, warnings = [] } = await kind.create(session.client, fields);
    warn(session, warnings);
    if (session.json) return session.printJson({ id, warnings });
    session.print(`Created ${kind.noun} ${id}`);
  };

const updateRecord =
  <T extends KeptRecord>(kind: RecordKind<T>): Action =>
  async (session, text = '', file) => {
    const fields = readRecord(session, file);
    const record = findRecord(await kind.list(session.client), kind.noun, text);
    const { id } = record;
    if (session.options.flag('abortJobs')) fields['abort_jobs'] = 1;
    const { warnings = [] } = await kind.update(session.client, { ...fields, id });
    warn(session, warnings);
    noteManaged(session, record, fields);
    if (session.json) return session.printJson({ id, warnings });
    session.print(`Changed ${kind.noun} ${id}`);
  };

/** All are found before the first one is touched, so that a misspelt one changes nothing. */
const deleteRecords =
  <T extends KeptRecord>(kind: RecordKind<T>): Action =>
  async (session, ...texts) => {
    const known = await kind.list(session.client);
    const found = new Map(
      texts.map((text) => findRecord(known, kind.noun, text)).map((one) => [one.id, one]),
    );
    for (const { id, title } of found.values()) {
      await kind.remove(session.client, id);
      if (!session.json) session.print(`Deleted ${kind.noun} ${id} (${printable(title)})`);
    }
    if (session.json) session.printJson({ ids: [...found.keys()] });
  };

function warn(session: Session, warnings: readonly string[]): void {
  if (session.json) return;
  for (const text of warnings) session.warn(`warning: ${printable(text)}`);
}
