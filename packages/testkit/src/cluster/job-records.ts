import { type FSWatcher, mkdirSync, readFileSync, watch } from 'node:fs';
import { join } from 'node:path';

/** A line that a test's job wrote: fields separated by blanks. */
export type JobRecord = readonly string[];

/** A file that jobs append to and only the test reads; tells when enough has been written. */
export class JobRecords {
  readonly path: string;
  readonly #directory: string;
  #watcher: FSWatcher | undefined;

  constructor(directory: string, name: string) {
    this.#directory = join(directory, name);
    mkdirSync(this.#directory, { recursive: true });
    this.path = join(this.#directory, 'records');
  }

  read(): JobRecord[] {
    let text = '';
    try {
      text = readFileSync(this.path, 'utf8');
    } catch {
      return []; // Nothing has been written yet.
    }
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split(' '));
  }

  /** Resolves with all records once they satisfy the condition. */
  waitFor(condition: (records: JobRecord[]) => boolean): Promise<JobRecord[]> {
    return new Promise((resolve) => {
      const check = () => {
        const records = this.read();
        if (!condition(records)) return;
        watcher.close();
        resolve(records);
      };
      const watcher = watch(this.#directory, check);
      this.#watcher = watcher;
      check();
    });
  }

  close(): void {
    this.#watcher?.close();
  }
}
