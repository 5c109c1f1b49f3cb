import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

const mostFiles = 64;
/** A longer file is not kept: whoever uses it again writes all its bytes. */
const mostBytes = 4_096;
const space = ' ';

/**
 * Files that are used again rather than removed and made anew. Some file systems search long for a free place after
 * many files were removed: ext4 passes over each one that was removed within the last five seconds.
 */
export class SpareFiles {
  readonly #directory: string;
  readonly #paths: string[] = [];
  #made = 0;

  /** `directory` is created if needed, and what earlier boots left there is removed. */
  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(directory)) rmSync(join(directory, name), { force: true });
  }

  /**
   * Puts a text at a path, whole or not at all, also when this process is killed meanwhile; spaces may follow it there.
   * Throws the system's error.
   */
  put(path: string, text: string): void {
    const draft = this.#paths.pop() ?? this.#newPath();
    try {
      overwrite(draft, Buffer.from(text));
      renameSync(draft, path);
    } catch (error) {
      rmSync(draft, { force: true });
      throw error;
    }
  }

  /** Takes the file at a path away. Throws the system's error when there is none. */
  take(path: string): void {
    if (this.#paths.length >= mostFiles || statSync(path).size > mostBytes) {
      unlinkSync(path);
      return;
    }
    const spare = this.#newPath();
    try {
      renameSync(path, spare);
      this.#paths.push(spare);
    } catch {
      unlinkSync(path);
    }
  }

  #newPath(): string {
    this.#made += 1;
    return join(this.#directory, String(this.#made));
  }
}

/** Not cut to nothing before: ext4 would begin to write the file to the disk at once. */
function overwrite(path: string, bytes: Buffer): void {
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT, 0o640);
  try {
    const restBytes = Math.max(0, fstatSync(file).size - bytes.length);
    const all = restBytes === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(restBytes, space)]);
    let done = 0;
    while (done < all.length) done += writeSync(file, all, done);
  } finally {
    closeSync(file);
  }
}
