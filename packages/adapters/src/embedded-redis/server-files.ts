import { createHash } from 'node:crypto';
import { lstat, mkdir, open, rename, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Where everything of the embedded server lies. Paths are absolute. */
export interface ServerFiles {
  directory: string;
  socketPath: string;
  configPath: string;
  logPath: string;
  pidPath: string;
  lockPath: string;
}

/** What the kernel takes for the path of a Unix socket (unix(7)), without the final zero byte. */
const longestSocketPath = 107;
const longestLogBytes = 10 * 1024 * 1024;

/** Only its owner may look into it; what is there already must be such a directory. */
async function makePrivate(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const found = await lstat(directory);
  const strange = !found.isDirectory() || (process.getuid !== undefined && found.uid !== process.getuid());
  if (strange || (found.mode & 0o077) !== 0) {
    throw new Error(`${directory} must be a directory that only the user of this process can read`);
  }
}

/** Makes the server's directory in a data directory and says where its files are. */
export async function prepareFiles(dataDirectory: string): Promise<ServerFiles> {
  const directory = join(resolve(dataDirectory), 'redis');
  if (/[\r\n\0]/.test(directory)) throw new Error('The path of the data directory contains a line break');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  let socketPath = join(directory, 'redis.sock');
  if (Buffer.byteLength(socketPath) > longestSocketPath) {
    // The same data directory must lead to the same socket, so that a server left behind is found again.
    const name = createHash('sha256').update(directory).digest('hex').slice(0, 16);
    const short = join(tmpdir(), `carillon-${name}`);
    await makePrivate(short);
    socketPath = join(short, 'redis.sock');
    if (Buffer.byteLength(socketPath) > longestSocketPath) {
      throw new Error(`No place for a socket: the path of the temporary directory ${tmpdir()} is too long`);
    }
  }
  const file = (name: string): string => join(directory, name);
  return {
    directory,
    socketPath,
    configPath: file('redis.conf'),
    logPath: file('redis.log'),
    pidPath: file('redis.pid'),
    lockPath: file('server.lock'),
  };
}

const quoted = (text: string): string => `"${text.replace(/[\\"]/g, '\\$&')}"`;

/** The server's configuration: durable to a second, no eviction, no network. */
export function serverConfig(files: ServerFiles): string {
  return [
    'port 0',
    `unixsocket ${quoted(files.socketPath)}`,
    'unixsocketperm 700',
    `dir ${quoted(files.directory)}`,
    `logfile ${quoted(files.logPath)}`,
    `pidfile ${quoted(files.pidPath)}`,
    'daemonize no',
    'appendonly yes',
    'appendfsync everysec',
    'save ""',
    'maxmemory-policy noeviction',
    // Blocked clients wake on this timer; with the default of 10 retries start up to 100 ms late.
    'hz 100',
    '',
  ].join('\n');
}

/** Writes the configuration and puts a log that has grown large aside. */
export async function writeConfig(files: ServerFiles): Promise<void> {
  await writeFile(files.configPath, serverConfig(files), { mode: 0o600 });
  const log = await stat(files.logPath).catch(() => undefined);
  if (log !== undefined && log.size > longestLogBytes) await rename(files.logPath, `${files.logPath}.1`);
}

/** The last lines of the server's log, to explain why it does not start; '' when there is none. */
export async function logTail(files: ServerFiles): Promise<string> {
  const file = await open(files.logPath, 'r').catch(() => undefined);
  if (file === undefined) return '';
  try {
    const { size } = await file.stat();
    const length = Math.min(size, 4_096);
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString('utf8').trim().split('\n').slice(-5).join('\n');
  } finally {
    await file.close();
  }
}
