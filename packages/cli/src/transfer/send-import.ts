import { ApiError, type CarillonClient } from '@carillon/client';
import { importGone } from '@carillon/contract';
import { UsageError } from '../failures.js';
import type { Options } from '../options.js';
import type { Session } from '../session.js';

/** A part is sent when it has so much text, or so many lines: the primary has other things to do in between. */
const partBytes = 512 * 1024;
const partLines = 500;
/** How often an import is begun again because the primary has changed. */
const mostRestarts = 5;
const finishTimeoutMs = 120_000;
/** A new primary may have to load much. */
const deadlineMs = 60_000;

export type ImportAnswer = Awaited<ReturnType<CarillonClient['finishImport']>>;
export type ImportWishes = Omit<Parameters<CarillonClient['finishImport']>[0], 'import' | 'parts'>;

/** Hands lines to a cluster in parts. Nothing is changed there before `finish`. */
export class ImportSender {
  readonly #client: CarillonClient;
  readonly #skipped: string | undefined;
  #id: string | undefined;
  #lines: unknown[] = [];
  #bytes = 0;
  #parts = 0;

  /** `skipped`: lines of this type are left out. */
  constructor(client: CarillonClient, skipped?: string) {
    this.#client = client;
    this.#skipped = skipped;
  }

  /** Throws ApiError for a line that the cluster refuses, maybe only with a later one. */
  async add(line: unknown, bytes: number): Promise<void> {
    if (this.#skipped !== undefined && Reflect.get(Object(line), 'type') === this.#skipped) return;
    if (this.#lines.length > 0 && this.#bytes + bytes > partBytes) await this.#send();
    this.#lines.push(line);
    this.#bytes += bytes;
    if (this.#lines.length >= partLines) await this.#send();
  }

  async finish(wishes: ImportWishes): Promise<ImportAnswer> {
    if (this.#lines.length > 0) await this.#send();
    const id = await this.#begin();
    return this.#client.finishImport(
      { import: id, parts: this.#parts, ...wishes },
      { timeoutMs: finishTimeoutMs, deadlineMs },
    );
  }

  async #send(): Promise<void> {
    const id = await this.#begin();
    await this.#client.addToImport({ import: id, part: this.#parts, lines: this.#lines }, { deadlineMs });
    this.#parts += 1;
    this.#lines = [];
    this.#bytes = 0;
  }

  async #begin(): Promise<string> {
    this.#id ??= (await this.#client.beginImport({}, { deadlineMs })).import;
    return this.#id;
  }
}

/**
 * Runs an import from its beginning, and once more when the primary changed meanwhile: an import that was carried out all the
 * same changes nothing when it is repeated.
 */
export async function importAnew(
  { client, options }: Pick<Session, 'client' | 'options'>,
  send: (sender: ImportSender) => Promise<ImportAnswer>,
): Promise<ImportAnswer> {
  for (let restarts = 0; ; restarts += 1) {
    try {
      return await send(new ImportSender(client, options.choice('jobs') === false ? 'job' : undefined));
    } catch (error) {
      if (restarts === mostRestarts || !hasPrimaryChanged(error)) throw error;
    }
  }
}

/** Its memory of the import went with it; or it did not come to confirm what may have been done. */
const hasPrimaryChanged = (error: unknown): boolean =>
  error instanceof ApiError && (error.code === 'unavailable' || error.description.startsWith(importGone));

/** What the options of an import command ask for. Throws UsageError for options that exclude each other. */
export function readWishes(options: Options, source: string): ImportWishes {
  if (options.flag('replace') && options.flag('keepExisting')) {
    throw new UsageError('Give either --replace or --keep-existing');
  }
  const existing = options.flag('replace') ? 'replace' : options.flag('keepExisting') ? 'keep' : 'refuse';
  return {
    source,
    existing,
    dry_run: options.flag('dryRun'),
    paused: options.flag('paused'),
    catch_up: options.choice('catchUp') ?? true,
    partial: options.flag('partial'),
  };
}
