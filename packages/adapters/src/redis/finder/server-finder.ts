import { Redis, type RedisOptions } from 'ioredis';
import type { HostPort } from '../redis-place.js';

/** Knows which of several servers has the keys. */
export interface ServerFinder {
  /**
   * Where that server is now. Calls at the same time share one round of questions. Rejects within two seconds, with
   * the reason, when nobody knows.
   */
  find(): Promise<HostPort>;
}

/** Credentials and TLS of a connection. */
export type ConnectionSecrets = Pick<RedisOptions, 'username' | 'password' | 'tls'>;

/** A server that does not answer for longer is passed over: the others know as much. */
const answerWithinMs = 800;

/**
 * Asks all servers at once and answers with all answers. Rejects when there is none, with the reason of one of them
 * after `nobody`.
 */
export async function askServers<Answer>(
  addresses: readonly HostPort[],
  secrets: ConnectionSecrets,
  question: (client: Redis, address: HostPort) => Promise<Answer>,
  nobody: string,
): Promise<Answer[]> {
  const outcomes = await Promise.allSettled(
    addresses.map((address) => ask(address, secrets, (client) => question(client, address))),
  );
  const answers = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  if (answers.length > 0) return answers;
  const reasons = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
  const first: unknown = reasons[0];
  throw new Error(`${nobody} (${first instanceof Error ? first.message : String(first)})`);
}

async function ask<Answer>(
  address: HostPort,
  secrets: ConnectionSecrets,
  question: (client: Redis) => Promise<Answer>,
): Promise<Answer> {
  const client = new Redis({
    ...address,
    ...secrets,
    connectTimeout: answerWithinMs,
    commandTimeout: answerWithinMs,
    disconnectTimeout: 0,
    retryStrategy: () => null,
    enableReadyCheck: false,
    disableClientInfo: true,
  });
  let reason: Error | undefined;
  // Tells why, when all that the commands say is that the connection is closed.
  client.on('error', (error: Error) => {
    reason ??= error;
  });
  try {
    return await question(client);
  } catch (error) {
    throw reason ?? error;
  } finally {
    client.disconnect();
  }
}

/** Makes calls at the same time share one round. */
export function shared<Answer>(round: () => Promise<Answer>): () => Promise<Answer> {
  let underWay: Promise<Answer> | undefined;
  return () => {
    underWay ??= round().finally(() => {
      underWay = undefined;
    });
    return underWay;
  };
}
