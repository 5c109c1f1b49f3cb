import { isObject } from './stored-record.js';

/** Version of the format written; files of later ones are refused. */
export const exportVersion = 1;

/** First line of an export. */
export interface ExportHeader {
  type: 'header';
  format: 'carillon-export';
  version: number;
  /** Unix seconds: everything in the file is as it was then. */
  exported: number;
  /** Records by table. */
  tables: Record<string, number>;
  /** Jobs that were active and therefore are not in the file. */
  active_jobs: number;
}

/** Last line of an export: a file without it is incomplete. */
export interface ExportTrailer {
  type: 'trailer';
  /** Lines between header and trailer, by type. */
  counts: Record<string, number>;
}

/** A file cannot be read as what it is said to be; the message begins with the number of the line. */
export class TransferFileError extends Error {
  /** From 1; 0 when the file as a whole is meant. */
  readonly line: number;

  constructor(line: number, reason: string) {
    super(line === 0 ? reason : `line ${line}: ${reason}`);
    this.name = 'TransferFileError';
    this.line = line;
  }
}

/**
 * Checks the frame of an export while its lines are read one after the other. What is between is handed on unchecked:
 * the cluster checks it.
 */
export class ExportFileReader {
  header: ExportHeader | undefined;
  readonly #counts = new Map<string, number>();
  #line = 0;
  #ended = false;

  /** What the next line holds, or undefined for header, trailer and blank lines. Throws TransferFileError. */
  read(text: string): Record<string, unknown> | undefined {
    this.#line += 1;
    if (text.trim() === '') return undefined;
    const value = this.#parse(text);
    if (this.#ended)
      throw new TransferFileError(this.#line, 'There is something behind the end of the export');
    if (this.header === undefined) {
      this.header = this.#readHeader(value);
      return undefined;
    }
    const { type } = value;
    if (type === 'trailer') {
      this.#checkTrailer(value);
      return undefined;
    }
    if (typeof type !== 'string') throw new TransferFileError(this.#line, 'The line has no type');
    this.#counts.set(type, (this.#counts.get(type) ?? 0) + 1);
    return value;
  }

  /** After the last line. Throws TransferFileError for a file that was cut off. */
  finish(): void {
    if (this.header === undefined) throw new TransferFileError(0, 'The file is empty');
    if (!this.#ended) {
      throw new TransferFileError(this.#line, 'The file is cut off: the end of the export is missing');
    }
  }

  /** Lines so far, by type. */
  counts(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }

  #parse(text: string): Record<string, unknown> {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw new TransferFileError(this.#line, 'Not JSON');
    }
    if (!isObject(value)) throw new TransferFileError(this.#line, 'Not an object');
    return value;
  }

  #readHeader(value: Record<string, unknown>): ExportHeader {
    if (value['type'] !== 'header' || value['format'] !== 'carillon-export') {
      throw new TransferFileError(this.#line, 'Not an export of Carillon: the header is missing');
    }
    if (typeof value['version'] !== 'number' || value['version'] > exportVersion) {
      const version = JSON.stringify(value['version']);
      throw new TransferFileError(this.#line, `Exports of version ${version} cannot be read`);
    }
    return value as unknown as ExportHeader;
  }

  #checkTrailer(value: Record<string, unknown>): void {
    const told = isObject(value['counts']) ? value['counts'] : {};
    const names = new Set([...Object.keys(told), ...this.#counts.keys()]);
    for (const name of names) {
      const [expected, found] = [told[name] ?? 0, this.#counts.get(name) ?? 0];
      if (expected === found) continue;
      const reason = `${found} lines of type ${name} instead of ${String(expected)}: the file is damaged`;
      throw new TransferFileError(this.#line, reason);
    }
    this.#ended = true;
  }
}
