import { createConnection, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

/** Called with the words of a command, and where it came from: an address, or `lua` for a call of a script. */
export type OnCommand = (words: readonly string[], source: string) => void;

const againAfterMs = 50;

/**
 * Sees every command that one Redis server executes, in its order, over a connection of its own that is made again
 * whenever it breaks. What a library offers for this loses its place when commands are executed while it begins.
 */
export class RedisMonitor {
  readonly #url: string;
  readonly #onCommand: OnCommand;
  #socket: Socket | undefined;
  #again: NodeJS.Timeout | undefined;
  #isClosed = false;
  #started: () => void = () => undefined;

  private constructor(url: string, onCommand: OnCommand) {
    this.#url = url;
    this.#onCommand = onCommand;
  }

  /** `url` is `redis://host:port` or `unix:/path`; resolves when the server has begun to tell. */
  static async start(url: string, onCommand: OnCommand): Promise<RedisMonitor> {
    const monitor = new RedisMonitor(url, onCommand);
    await new Promise<void>((resolve) => {
      monitor.#started = resolve;
      monitor.#connect();
    });
    return monitor;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#again);
    this.#socket?.destroy();
  }

  #connect(): void {
    const socket = createConnection(placeOf(this.#url));
    this.#socket = socket;
    socket.write('MONITOR\r\n');
    const lines = createInterface({ input: socket }).on('line', (line) => this.#onLine(line));
    // The end of the connection tells enough.
    for (const part of [socket, lines]) part.on('error', () => undefined);
    socket.on('close', () => {
      if (!this.#isClosed) this.#again = setTimeout(() => this.#connect(), againAfterMs);
    });
  }

  #onLine(line: string): void {
    if (line === '+OK') this.#started();
    const command = parseMonitorLine(line);
    if (command !== undefined) this.#onCommand(command.words, command.source);
  }
}

/** A line of MONITOR, such as `+1700000000.123456 [0 lua] "SET" "key" "a \"quoted\" value"`. */
export function parseMonitorLine(line: string): { words: string[]; source: string } | undefined {
  const [, source = '', text] = /^\+[\d.]+ \[\d+ ([^\]]*)\] (.*)$/.exec(line) ?? [];
  if (text === undefined) return undefined;
  const words = [...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, word = '']) => unescape(word));
  return { words, source };
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', a: '\x07', b: '\b' };

function unescape(word: string): string {
  return word.replace(/\\(x[0-9a-f]{2}|.)/gi, (_all, code: string) =>
    code.length === 3 ? String.fromCharCode(Number.parseInt(code.slice(1), 16)) : (escapes[code] ?? code),
  );
}

function placeOf(url: string): { path: string } | { host: string; port: number } {
  if (url.startsWith('unix:')) return { path: url.slice('unix:'.length) };
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}
