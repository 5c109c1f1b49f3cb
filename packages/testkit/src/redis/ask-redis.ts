import { createRedis, MemoryLogger } from '@carillon/adapters';

/** One command to the server at `host:port`, with credentials before it where they are wanted; answers in text. */
export async function askRedis(place: string, command: string, ...args: string[]): Promise<string> {
  const client = createRedis({ url: `redis://${place}`, log: new MemoryLogger() }, 'commands');
  try {
    const answer: unknown = await client.call(command, ...args);
    return Array.isArray(answer) ? answer.map(String).join(' ') : String(answer);
  } finally {
    client.disconnect();
  }
}
