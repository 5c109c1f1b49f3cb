import { mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './private-redis.js';
import { ServerProcess } from './server-process.js';

/** One of several servers on the loopback address. */
export interface NumberedServer {
  readonly port: number;
  readonly process: ServerProcess;
}

/** Where the servers of one set-up keep their files; all of it goes with `remove`. */
export class RedisDirectory {
  readonly #path: string;
  #count = 0;

  private constructor(path: string) {
    this.#path = path;
  }

  static async create(): Promise<RedisDirectory> {
    return new RedisDirectory(await mkdtemp(join(tmpdir(), 'carillon-redis-')));
  }

  /** A server that keeps everything in its append-only file; not started. */
  async server(...settings: readonly string[]): Promise<NumberedServer> {
    const port = await freePort();
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', this.folder()];
    const lasting = ['--appendonly', 'yes', '--save', '', '--hz', '100', '--repl-diskless-sync-delay', '0'];
    return { port, process: new ServerProcess([...args, ...lasting, ...settings]) };
  }

  /** A fresh folder. */
  folder(): string {
    this.#count += 1;
    const path = join(this.#path, String(this.#count));
    mkdirSync(path);
    return path;
  }

  async remove(): Promise<void> {
    await rm(this.#path, { recursive: true, force: true });
  }
}

export const startAll = async (servers: readonly NumberedServer[]): Promise<void> => {
  await Promise.all(servers.map(({ process }) => process.start()));
};

export const endAll = async (servers: readonly NumberedServer[]): Promise<void> => {
  await Promise.all(servers.map(({ process }) => process.end('SIGKILL')));
};
