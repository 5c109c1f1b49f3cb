import { TransferFileError } from '../transfer/export-file.js';

type Fields = Record<string, unknown>;

/** Lists that an export of Cronicle always holds, even when nothing is in them (behaviour reference 11.3). */
export const peerLists = [
  'users',
  'plugins',
  'categories',
  'server_groups',
  'schedule',
  'servers',
  'api_keys',
] as const;
export type PeerList = (typeof peerLists)[number];

/** What a file holds, put together from its pages; items are as they are in the file, in the order of their list. */
export interface PeerData {
  lists: ReadonlyMap<PeerList, readonly Fields[]>;
  /** Records of users by key: the name in lower case without punctuation. */
  users: ReadonlyMap<string, Fields>;
  /** Not part of a usual export; taken when somebody added it, as are the three below. */
  state: Fields | undefined;
  completed: readonly Fields[];
  completedOf: ReadonlyMap<string, readonly Fields[]>;
  activity: readonly Fields[];
  jobs: readonly Fields[];
  /** How many records of other kinds there are, by kind. */
  others: ReadonlyMap<string, number>;
}

const linePattern = /^(\w[\w\-./]*)\s+-\s+(\{.+\})\s*$/;
const pagePattern = /^(.+)\/(-?\d+)$/;
const listPattern = /^(?:global\/\w+|logs\/(?:activity|completed|events\/\w+))$/;

interface Header {
  line: number;
  first: number;
  last: number;
  length: number;
}

/** Reads an export of Cronicle line by line (behaviour reference 11.3). */
export class PeerFileReader {
  readonly #headers = new Map<string, Header>();
  readonly #pages = new Map<string, { line: number; items: Fields[] }>();
  readonly #users = new Map<string, Fields>();
  readonly #jobs = new Map<string, Fields>();
  readonly #others = new Map<string, number>();
  #state: Fields | undefined;
  #line = 0;
  #records = 0;

  /** Throws TransferFileError for anything but a record, a comment and a blank line: Cronicle itself would skip it. */
  read(text: string): void {
    this.#line += 1;
    const line = this.#line === 1 ? text.replace(/^\uFEFF/, '') : text;
    if (line.trim() === '' || line.startsWith('#')) return;
    const [, key, json] = linePattern.exec(line) ?? [];
    if (key === undefined || json === undefined) {
      throw new TransferFileError(this.#line, 'Not a record of the form KEY - JSON');
    }
    this.#records += 1;
    this.#take(key, this.#parse(json));
  }

  /**
   * All of it, after the last line. Throws TransferFileError when pages, or with `complete` whole lists, are missing: the
   * file was cut off.
   */
  finish({ complete }: { complete: boolean }): PeerData {
    if (this.#records === 0) throw new TransferFileError(0, 'Not an export of Cronicle: it holds no record');
    const lists = new Map<PeerList, readonly Fields[]>();
    for (const name of peerLists) {
      const items = this.#list(`global/${name}`);
      if (items !== undefined) lists.set(name, items);
      else if (complete) {
        throw new TransferFileError(
          0,
          `The file is cut off, or is no export of Cronicle: global/${name} is missing`,
        );
      }
    }
    const completedOf = new Map<string, readonly Fields[]>();
    for (const key of this.#headers.keys()) {
      const event = /^logs\/events\/(\w+)$/.exec(key)?.[1];
      if (event !== undefined) completedOf.set(event, this.#list(key) ?? []);
    }
    const [completed, activity] = [this.#list('logs/completed') ?? [], this.#list('logs/activity') ?? []];
    this.#refuseStrayPages();
    return {
      lists,
      users: this.#users,
      state: this.#state,
      completed,
      completedOf,
      activity,
      jobs: [...this.#jobs.values()],
      others: this.#others,
    };
  }

  #take(key: string, value: Fields): void {
    const [, list = '', page = ''] = pagePattern.exec(key) ?? [];
    const user = /^users\/(\w+)$/.exec(key)?.[1];
    if (key === 'global/state') this.#state = value;
    else if (user !== undefined) this.#users.set(user, value);
    else if (listPattern.test(list) && page !== '') this.#takePage(key, value);
    else if (listPattern.test(key) && value['type'] === 'list') this.#takeHeader(key, value);
    else if (/^jobs\/\w+$/.test(key)) this.#jobs.set(key, value);
    else {
      const kind = key
        .split('/', 2)
        .slice(0, key.startsWith('global/') ? 2 : 1)
        .join('/');
      this.#others.set(kind, (this.#others.get(kind) ?? 0) + 1);
    }
  }

  #takeHeader(key: string, value: Fields): void {
    const [first, last, length] = [value['first_page'], value['last_page'], value['length']];
    if (!isInteger(first) || !isInteger(last) || !isInteger(length) || length < 0 || last < first) {
      throw new TransferFileError(this.#line, `Malformed list header: ${key}`);
    }
    this.#headers.set(key, { line: this.#line, first, last, length });
  }

  #takePage(key: string, value: Fields): void {
    const { items } = value;
    if (!Array.isArray(items) || !items.every(isFields)) {
      throw new TransferFileError(this.#line, `Malformed list page: ${key} (items must be objects)`);
    }
    this.#pages.set(key, { line: this.#line, items });
  }

  /** Items of all pages; undefined when there is no such list. */
  #list(key: string): Fields[] | undefined {
    const header = this.#headers.get(key);
    if (header === undefined) return undefined;
    const items: Fields[] = [];
    if (header.length > 0 && header.last - header.first > header.length + 2) {
      throw new TransferFileError(header.line, `Malformed list header: ${key} has more pages than items`);
    }
    for (let number = header.first; number <= header.last; number += 1) {
      const page = this.#pages.get(`${key}/${number}`);
      if (page === undefined && header.length === 0) continue;
      if (page === undefined) {
        throw new TransferFileError(header.line, `The file is cut off: page ${key}/${number} is missing`);
      }
      for (const item of page.items) items.push(item);
    }
    if (items.length !== header.length) {
      const found = `${items.length} of its ${header.length} items`;
      throw new TransferFileError(header.line, `The file is damaged: ${key} has ${found}`);
    }
    return items;
  }

  #refuseStrayPages(): void {
    for (const [key, { line }] of this.#pages) {
      const list = pagePattern.exec(key)?.[1] ?? '';
      if (!this.#headers.has(list))
        throw new TransferFileError(line, `The file is damaged: ${list} has no header`);
    }
  }

  #parse(json: string): Fields {
    let value: unknown;
    try {
      value = JSON.parse(json);
    } catch {
      throw new TransferFileError(this.#line, 'The record is not JSON');
    }
    if (!isFields(value)) throw new TransferFileError(this.#line, 'The record is not an object');
    return value;
  }
}

const isInteger = (value: unknown): value is number => Number.isSafeInteger(value);
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
