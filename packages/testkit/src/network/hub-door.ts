import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

/** A process of its own has to run it: the compiled one, also when tests run the sources. */
const program = fileURLToPath(new URL('../../dist/network/hub-relay.js', import.meta.url));

/** The way of a test into a network: addresses on loopback that lead to addresses there. */
export class HubDoor {
  readonly #child: ChildProcess;

  /** `through`: command that runs another one in the hub. */
  constructor(through: readonly string[]) {
    const [command, ...args] = [...through, process.execPath, program];
    this.#child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    // A test that never gets to `close` must be able to end.
    this.#child.unref();
    this.#child.channel?.unref();
    // What fails shows in connections that lead nowhere.
    this.#child.on('error', () => undefined);
  }

  /** A new address, `127.0.0.1:port`, that leads to the given one from now on. */
  async open(host: string, port: number): Promise<string> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    await new Promise<void>((resolve, reject) => {
      this.#child.send({ host, port }, server, (error) => (error === null ? resolve() : reject(error)));
    });
    server.close();
    return `127.0.0.1:${address.port}`;
  }

  async close(): Promise<void> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return;
    // Nothing else may be left that keeps this process waiting for the end.
    this.#child.ref();
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}
