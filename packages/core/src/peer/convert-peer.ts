import { CarillonError } from '@carillon/contract';
import { userIdOf } from '../accounts/user-name.js';
import { checkStoredRecord } from '../transfer/stored-record.js';
import type { RecordLine, StateLine, TransferLine } from '../transfer/transfer-line.js';
import { type TransferTable, transferTables } from '../transfer/transfer-tables.js';
import { convertEvent } from './convert-events.js';
import { convertPast } from './convert-past.js';
import {
  convertApiKey,
  convertCategory,
  convertPlugin,
  convertServerGroup,
  convertUser,
} from './convert-records.js';
import { type Finding, Findings } from './findings.js';
import type { PeerData, PeerList } from './peer-file.js';
import { countOf, flagOf, nameRecord, type PeerRecord, textOf } from './peer-fields.js';

type Fields = Readonly<Record<string, unknown>>;

/** What a file of Cronicle becomes here, and what it cannot become. */
export interface ConvertedPeer {
  /** Ready to be imported, in the order imports want. */
  lines: TransferLine[];
  findings: Finding[];
}

const listOf: Readonly<Record<TransferTable, PeerList>> = {
  categories: 'categories',
  plugins: 'plugins',
  server_groups: 'server_groups',
  api_keys: 'api_keys',
  users: 'users',
  events: 'schedule',
};
const kindOf: Readonly<Record<TransferTable, string>> = {
  categories: 'category',
  plugins: 'plugin',
  server_groups: 'server group',
  api_keys: 'API key',
  users: 'user',
  events: 'event',
};

/**
 * Takes the data of Cronicle over (behaviour reference 3 and 11.3): ids, order, API keys and, where the file holds them,
 * cursors, history and completed jobs. Every record is as the API would accept it; what cannot be made so is left out and
 * reported. `sha256` is the digest under which keys are stored.
 */
export function convertPeer(data: PeerData, sha256: (text: string) => string): ConvertedPeer {
  const findings = new Findings();
  const keys = knownKeys(data);
  const keyId = (key: string) => keys.get(key);
  const conversion = new Conversion(data, findings, keyId, sha256);
  const records = transferTables.flatMap((table) => conversion.table(table));
  const events = new Map(
    records.flatMap((line) => (line.table === 'events' ? [[line.record.id, line.record] as const] : [])),
  );
  const targetOf = (event: string) => events.get(event)?.target ?? '';
  const redact = redactorOf(keys);
  const past = convertPast(data, { findings, targetOf, redact, keyId });
  reportOthers(data, findings);
  return {
    lines: [stateLine(data), ...records, ...progressLines(data.state, events), ...past],
    findings: findings.all,
  };
}

/** Converts lists to the records of tables. */
class Conversion {
  readonly #data: PeerData;
  readonly #findings: Findings;
  readonly #keyId: (key: string) => string | undefined;
  readonly #sha256: (text: string) => string;
  readonly #params = new Map<string, ReadonlySet<string>>();

  constructor(
    data: PeerData,
    findings: Findings,
    keyId: (key: string) => string | undefined,
    sha256: (text: string) => string,
  ) {
    this.#data = data;
    this.#findings = findings;
    this.#keyId = keyId;
    this.#sha256 = sha256;
  }

  table(table: TransferTable): RecordLine[] {
    const lines: RecordLine[] = [];
    const seen = new Set<string>();
    for (const fields of this.#recordsOf(table)) {
      const record: PeerRecord = {
        fields,
        what: nameRecord(kindOf[table], fields),
        findings: this.#findings,
      };
      const line = this.#convert(table, record, seen);
      if (line !== undefined) lines.push(line);
    }
    return lines;
  }

  /** Users stand beside their list, which only names them. */
  #recordsOf(table: TransferTable): readonly Fields[] {
    const { lists, users } = this.#data;
    const list = lists.get(listOf[table]) ?? [];
    if (table !== 'users') return list;
    const listed = list.map((item) => {
      const name = textOf(item, 'username');
      return users.get(userIdOf(name)) ?? { ...item, missing: true };
    });
    const others = [...users.values()].filter((user) => !listed.includes(user));
    return [...listed, ...others];
  }

  #convert(table: TransferTable, record: PeerRecord, seen: Set<string>): RecordLine | undefined {
    const { what, findings } = record;
    try {
      const converted = this.#recordOf(table, record);
      checkStoredRecord(table, converted);
      // Of several the peer always finds the first.
      const mark = 'key_hash' in converted ? String(converted['key_hash']) : converted.id;
      if (seen.has(mark) || seen.has(converted.id)) throw new CarillonError('api', 'it is there twice');
      seen.add(mark).add(converted.id);
      if (table === 'plugins' && 'params' in converted) {
        const params = converted['params'] as readonly { id: string }[];
        this.#params.set(converted.id, new Set(params.map(({ id }) => id)));
      }
      return { type: 'record', table, record: converted } as RecordLine;
    } catch (error) {
      if (!(error instanceof CarillonError)) throw error;
      findings.add('lost', what, error.message);
      return undefined;
    }
  }

  #recordOf(table: TransferTable, record: PeerRecord): { id: string } & Record<string, unknown> {
    switch (table) {
      case 'categories':
        return { ...convertCategory(record) };
      case 'plugins':
        return { ...convertPlugin(record) };
      case 'server_groups':
        return { ...convertServerGroup(record) };
      case 'api_keys':
        if (textOf(record.fields, 'key') === '') throw new CarillonError('api', 'it has no key');
        return { ...convertApiKey(record, this.#sha256) };
      case 'users':
        if (record.fields['missing'] === true)
          throw new CarillonError('api', 'its record is not in the file');
        return { ...convertUser(record) };
      case 'events':
        return convertEvent(record, { paramsOf: (plugin) => this.#params.get(plugin), keyId: this.#keyId });
    }
  }
}

function stateLine({ lists, state }: PeerData): StateLine {
  const tables = transferTables.filter((table) => lists.has(listOf[table]));
  const enabled = state?.['enabled'];
  return { type: 'state', tables, ...(enabled === undefined ? {} : { enabled: flagOf(enabled) }) };
}

/** Where events are: only events that catch up have a place of their own here. */
function progressLines(
  state: Fields | undefined,
  events: ReadonlyMap<string, { catch_up?: 0 | 1 }>,
): TransferLine[] {
  const lines: TransferLine[] = [];
  for (const [event, value] of entriesOf(state?.['cursors'])) {
    const minute = countOf(value);
    if (events.get(event)?.catch_up && minute > 0)
      lines.push({ type: 'cursor', event, minute: minute - (minute % 60) });
  }
  for (const [event, value] of entriesOf(state?.['robins'])) {
    if (events.has(event)) lines.push({ type: 'robin', event, index: countOf(value) });
  }
  return lines;
}

const entriesOf = (value: unknown): [string, unknown][] =>
  typeof value === 'object' && value !== null ? Object.entries(value) : [];

/** Ids of the records of keys, by key. */
function knownKeys({ lists }: PeerData): Map<string, string> {
  const keys = new Map<string, string>();
  for (const fields of lists.get('api_keys') ?? []) {
    const [key, id] = [textOf(fields, 'key'), textOf(fields, 'id')];
    if (key !== '' && /^\w{1,64}$/.test(id) && !keys.has(key)) keys.set(key, id);
  }
  return keys;
}

/** Keys stand in abort reasons of the peer (behaviour reference 13 #23). */
function redactorOf(keys: ReadonlyMap<string, string>): (text: string) => string {
  return (text) => {
    if (!text.includes('API Key')) return text;
    let clean = text;
    for (const [key, id] of keys) clean = clean.replaceAll(key, id);
    // Keys that were deleted since.
    return clean.replaceAll(/\b[0-9a-f]{32}\b/g, '(key)');
  };
}

/** Kinds of records that have no place here. */
function reportOthers({ others, lists, state }: PeerData, findings: Findings): void {
  const names = [...(lists.get('servers') ?? [])].map((server) => textOf(server, 'hostname')).filter(Boolean);
  if (names.length > 0) {
    findings.add(
      'check',
      'servers',
      `workers register themselves; start one on each of: ${names.join(', ')}`,
    );
  }
  if (state === undefined) {
    findings.add(
      'check',
      'cursors',
      'the file does not say how far events that catch up have come: they go on from the time of the import',
    );
  }
  for (const [kind, count] of others)
    findings.add('lost', kind, `${count} records of this kind are not taken over`);
}
