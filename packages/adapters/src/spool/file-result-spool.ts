import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type JobResult, runId } from '@carillon/contract';
import type { Logger, ResultSpool } from '@carillon/core';
import { SpareFiles } from './spare-files.js';

/**
 * Results as files `JOB-ATTEMPT.json` in one directory, created if needed. A file is written elsewhere, in a directory
 * of the same name with `-spare` at its end, and renamed, so it is whole or absent after a crash of this process. Nothing is forced to the disk: a crash of
 * the whole machine may lose the last seconds, and the primary then ends those jobs as lost.
 */
export class FileResultSpool implements ResultSpool {
  readonly #directory: string;
  readonly #log: Logger;
  readonly #files: SpareFiles;

  constructor(directory: string, log: Logger) {
    this.#directory = directory;
    this.#log = log;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#files = new SpareFiles(`${directory}-spare`);
  }

  async put(result: JobResult): Promise<void> {
    this.#files.put(this.#path(result), JSON.stringify(result));
  }

  async remove(result: JobResult): Promise<void> {
    try {
      this.#files.take(this.#path(result));
    } catch {
      // Absent is what was asked for.
    }
  }

  async list(): Promise<JobResult[]> {
    const results: JobResult[] = [];
    for (const name of readdirSync(this.#directory)) {
      const result = name.endsWith('.json') ? this.#read(name) : undefined;
      if (result !== undefined) results.push(result);
    }
    return results.sort((a, b) => a.time_end - b.time_end || a.attempt - b.attempt);
  }

  #read(name: string): JobResult | undefined {
    try {
      const value: unknown = JSON.parse(readFileSync(join(this.#directory, name), 'utf8'));
      if (isResult(value)) return value;
      this.#log.log('error', 'A spooled result has no sense and is skipped', { file: name });
    } catch (error) {
      this.#log.log('error', 'A spooled result cannot be read and is skipped', {
        file: name,
        error: String(error),
      });
    }
    return undefined;
  }

  #path(result: JobResult): string {
    const name = runId(result);
    if (!/^\w[\w-]*$/.test(name)) throw new Error(`Malformed run id: ${name}`);
    return join(this.#directory, `${name}.json`);
  }
}

function isResult(value: unknown): value is JobResult {
  if (typeof value !== 'object' || value === null) return false;
  if (!('job' in value && 'attempt' in value && 'outcome' in value && 'time_end' in value)) return false;
  return (
    typeof value.job === 'string' && typeof value.attempt === 'number' && typeof value.time_end === 'number'
  );
}
