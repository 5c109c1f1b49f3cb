import { mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, type RedisSite } from './private-redis.js';
import { ServerProcess } from './server-process.js';

/** One of several servers at the same host. */
export interface NumberedServer {
  readonly port: number;
  /** Where this process reaches it. */
  readonly url: string;
  readonly process: ServerProcess;
}

/** Where the servers of one set-up keep their files; all of it goes with `remove`. */
export class RedisDirectory {
  /** Where the servers listen, and reach each other. */
  readonly host: string;
  readonly #path: string;
  readonly #site: RedisSite | undefined;
  #folders = 0;
  #ports = 0;

  private constructor(path: string, site: RedisSite | undefined) {
    this.host = site?.host ?? '127.0.0.1';
    this.#path = path;
    this.#site = site;
  }

  /** `site`: where servers run that do not run here. */
  static async create(site?: RedisSite): Promise<RedisDirectory> {
    return new RedisDirectory(await mkdtemp(join(tmpdir(), 'carillon-redis-')), site);
  }

  /** A server that keeps everything in its append-only file; not started. */
  async server(...settings: readonly string[]): Promise<NumberedServer> {
    const [port, folder] = [await this.port(), this.folder()];
    const args = ['--port', String(port), '--bind', this.host, '--dir', folder];
    const lasting = ['--appendonly', 'yes', '--save', '', '--hz', '100', '--repl-diskless-sync-delay', '0'];
    const beyond = this.beyond(folder).flatMap(([name, value]) => [`--${name}`, value]);
    return this.numbered(port, folder, [...args, ...lasting, ...beyond, ...settings]);
  }

  /** A server with arguments of its own; what is in `beyond` has to be among its settings. */
  numbered(port: number, folder: string, args: readonly string[]): NumberedServer {
    const url = this.#site === undefined ? `redis://127.0.0.1:${port}` : `unix:${socketIn(folder)}`;
    return { port, url, process: new ServerProcess(args, this.#site?.through) };
  }

  /** Settings without which a server at another place is reached neither from there nor from here. */
  beyond(folder: string): [name: string, value: string][] {
    if (this.#site === undefined) return [];
    return [
      ['unixsocket', socketIn(folder)],
      ['protected-mode', 'no'],
    ];
  }

  /** A port that nobody uses. */
  async port(): Promise<number> {
    if (this.#site === undefined) return freePort();
    this.#ports += 1;
    return this.#site.port + this.#ports - 1;
  }

  /** A fresh folder. */
  folder(): string {
    this.#folders += 1;
    const path = join(this.#path, String(this.#folders));
    mkdirSync(path);
    return path;
  }

  async remove(): Promise<void> {
    await rm(this.#path, { recursive: true, force: true });
  }
}

const socketIn = (folder: string): string => join(folder, 'socket');

/** The same address with a password, where there is one. */
export const withPassword = (url: string, password: string | undefined): string =>
  password === undefined ? url : url.replace('redis://', `redis://:${password}@`);

export const startAll = async (servers: readonly NumberedServer[]): Promise<void> => {
  await Promise.all(servers.map(({ process }) => process.start()));
};

export const endAll = async (servers: readonly NumberedServer[]): Promise<void> => {
  await Promise.all(servers.map(({ process }) => process.end('SIGKILL')));
};
