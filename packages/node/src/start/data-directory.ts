import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Files of a node's data directory; all are private to the user that runs the node. A node of root may run jobs of other
 * users, who pass through it to scripts of their own, and still can neither look around nor read anything.
 */
export class DataDirectory {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /**
   * Creates the directory when it is missing. Throws with the path, the reason and the setting when that, or writing to it,
   * is impossible.
   */
  async prepare(): Promise<void> {
    try {
      const created = await mkdir(this.path, { recursive: true, mode: 0o700 });
      if (created !== undefined && process.getuid?.() === 0) await chmod(this.path, 0o711);
    } catch (error) {
      throw new Error(`The data directory ${this.path} cannot be created: ${mkdirProblem(error)}; ${remedy}`);
    }
    await access(this.path, constants.R_OK | constants.W_OK | constants.X_OK).catch(() => {
      throw new Error(
        `The data directory ${this.path} cannot be written by this user; make it theirs, or ${remedy}`,
      );
    });
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** Node id: generated once, kept for ever. It names the node whatever its host is called. */
  nodeId(): Promise<string> {
    return this.#readOrCreate('node-id', /^\w{1,64}$/, () => `n${randomBytes(6).toString('hex')}`);
  }

  /** Secret of a cluster that never leaves this machine. */
  localSecret(): Promise<string> {
    return this.#readOrCreate('cluster-secret', /^\S{16,}$/, () => randomBytes(32).toString('hex'));
  }

  /** Replaces a private file in one step. */
  async writePrivate(name: string, content: string): Promise<void> {
    const temporary = this.file(`${name}.${process.pid}.tmp`);
    await writeFile(temporary, content, { mode: 0o600 });
    await chmod(temporary, 0o600);
    await rename(temporary, this.file(name));
  }

  async #readOrCreate(name: string, form: RegExp, create: () => string): Promise<string> {
    const existing = await readFile(this.file(name), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw new Error(`${this.file(name)} cannot be read: ${reasonOf(error)}`);
    });
    if (existing === undefined) {
      const value = create();
      await this.writePrivate(name, `${value}\n`);
      return value;
    }
    const value = existing.trim();
    if (!form.test(value)) throw new Error(`${this.file(name)} is damaged; restore it or delete it`);
    return value;
  }
}

const remedy = 'name another with --data-dir or CARILLON_DATA_DIR';

/** The two mistakes that people make, in words; everything else as the system says it. */
function mkdirProblem(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EEXIST') return 'a file has its place';
  if (code === 'ENOTDIR') return 'a part of its path is a file';
  return reasonOf(error);
}

/** The text of whatever was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
