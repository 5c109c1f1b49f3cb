import { connect } from 'node:net';
import type { Clock } from '@carillon/core';

/** End of a complete reply in the text so far, or undefined when more is to come (simple, error, integer, bulk). */
function replyText(received: string): string | undefined {
  const end = received.indexOf('\r\n');
  if (end < 0) return undefined;
  if (!received.startsWith('$')) return received.slice(0, end);
  const length = Number(received.slice(1, end));
  return Buffer.byteLength(received) >= end + 2 + length + 2 ? received.slice(end + 2) : undefined;
}

/**
 * One command over a Unix socket, without any state: the way to look at a server that may not be there. Resolves with
 * the reply (`+PONG`, `-LOADING …`, or the text of a bulk reply), or undefined when nobody answered in time or the
 * connection was closed. Never rejects.
 */
export function askRedis(
  socketPath: string,
  words: readonly string[],
  clock: Clock,
  limitMs = 1_000,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ path: socketPath });
    let received = '';
    const finish = (reply: string | undefined): void => {
      cancel();
      socket.destroy();
      resolve(reply);
    };
    const cancel = clock.after(limitMs, () => finish(undefined));
    socket.setEncoding('utf8');
    socket.on('connect', () => {
      const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
      socket.write(`*${words.length}\r\n${parts.join('')}`);
    });
    socket.on('data', (text: string) => {
      received += text;
      const reply = replyText(received);
      if (reply !== undefined) finish(reply);
    });
    socket.on('error', () => finish(undefined));
    socket.on('close', () => finish(undefined));
  });
}

/** Process id of the server behind a socket. */
export async function redisPid(socketPath: string, clock: Clock): Promise<number | undefined> {
  const info = await askRedis(socketPath, ['INFO', 'server'], clock);
  const pid = Number(/^process_id:(\d+)/m.exec(info ?? '')?.[1]);
  return Number.isInteger(pid) && pid > 0 ? pid : undefined;
}
