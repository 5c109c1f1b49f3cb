import { createRedis, MemoryLogger } from '@carillon/adapters';

/** One command to the server at this address, with credentials where they are wanted; answers in text. */
export async function askRedis(url: string, command: string, ...args: string[]): Promise<string> {
  const client = createRedis({ url, log: new MemoryLogger() }, 'commands');
  try {
    const answer: unknown = await client.call(command, ...args);
    return Array.isArray(answer) ? answer.map(String).join(' ') : String(answer);
  } finally {
    client.disconnect();
  }
}
