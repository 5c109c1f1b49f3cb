import { createConnection, Server, type Socket } from 'node:net';

/*
 * A program that runs in the hub of a namespace network. It is handed sockets that listen on the loopback address of the
 * machine, where the test is, and passes on what comes in to an address of the network: a socket stays in the namespace it was
 * made in, whoever has it.
 */

process.on('message', (message: unknown, server: unknown) => {
  if (!isTarget(message) || !(server instanceof Server)) return;
  server.on('connection', (client) => join(client, message));
});
process.on('disconnect', () => process.exit());

interface Target {
  readonly host: string;
  readonly port: number;
}

const isTarget = (message: unknown): message is Target =>
  typeof message === 'object' && message !== null && 'host' in message && 'port' in message;

/** A break at one end breaks the other; silence stays silence. */
function join(client: Socket, { host, port }: Target): void {
  const target = createConnection({ host, port });
  for (const [from, to] of [
    [client, target],
    [target, client],
  ] as const) {
    from.setNoDelay(true);
    from.pipe(to);
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
  }
}
