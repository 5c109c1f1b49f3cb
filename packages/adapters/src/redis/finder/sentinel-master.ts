import type { Redis } from 'ioredis';
import type { HostPort } from '../redis-place.js';
import { askServers, type ConnectionSecrets, type ServerFinder, shared } from './server-finder.js';

export interface SentinelMasterOptions {
  sentinels: readonly HostPort[];
  /** Under which the sentinels watch the master. */
  name: string;
  /** Of the sentinels. */
  secrets: ConnectionSecrets;
  /** Where an address that was announced is reached from here. */
  route: (address: HostPort) => HostPort;
}

interface View {
  address: HostPort;
  /** Of two sentinels that disagree, the one with the higher number knows of the later failover. */
  epoch: number;
}

/** Finds the master that sentinels watch, by the newest of what they say. */
export class SentinelMaster implements ServerFinder {
  readonly find = shared(() => this.#find());
  readonly #options: SentinelMasterOptions;

  constructor(options: SentinelMasterOptions) {
    this.#options = options;
  }

  async #find(): Promise<HostPort> {
    const { sentinels, name, secrets, route } = this.#options;
    const ask = (client: Redis) => askSentinel(client, name);
    const views = await askServers(sentinels, secrets, ask, 'No sentinel can be asked for the master');
    return route(views.reduce((newest, view) => (view.epoch > newest.epoch ? view : newest)).address);
  }
}

async function askSentinel(client: Redis, name: string): Promise<View> {
  const reply: unknown = await client.call('SENTINEL', 'MASTER', name);
  const fields = readFields(reply);
  const [host, port] = [fields.get('ip'), Number(fields.get('port'))];
  if (host === undefined || host === '' || !(port > 0)) throw new Error('the answer names no address');
  return { address: { host, port }, epoch: Number(fields.get('config-epoch')) || 0 };
}

/** Names and values in turn. */
function readFields(reply: unknown): Map<string, string> {
  const words: unknown[] = Array.isArray(reply) ? reply : [];
  const fields = new Map<string, string>();
  for (let at = 0; at + 1 < words.length; at += 2) fields.set(String(words[at]), String(words[at + 1]));
  return fields;
}
