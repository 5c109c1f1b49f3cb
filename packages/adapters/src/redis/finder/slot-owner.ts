import type { Redis } from 'ioredis';
import type { HostPort } from '../redis-place.js';
import { type ClusterNode, ownerOfSlot, readClusterNodes } from './cluster-nodes.js';
import { askServers, type ConnectionSecrets, type ServerFinder, shared } from './server-finder.js';

export interface SlotOwnerOptions {
  /** Servers that are asked first; the others are learnt from them. */
  seeds: readonly HostPort[];
  /** The key whose slot is meant. */
  key: string;
  secrets: ConnectionSecrets;
  /** Where an address that was announced is reached from here. */
  route: (address: HostPort) => HostPort;
}

interface View {
  slot: number;
  nodes: ClusterNode[];
}

/** Finds the server of a Redis Cluster that has the slot of a key, by the newest of what the servers say. */
export class SlotOwner implements ServerFinder {
  readonly find = shared(() => this.#find());
  readonly #options: SlotOwnerOptions;
  #known: readonly HostPort[] = [];

  constructor(options: SlotOwnerOptions) {
    this.#options = options;
  }

  async #find(): Promise<HostPort> {
    const { secrets, key, route } = this.#options;
    const ask = (client: Redis, address: HostPort) => askNode(client, address, key);
    const views = await askServers(
      this.#addresses(),
      secrets,
      ask,
      'No server of the Redis Cluster can be asked',
    );
    const nodes = views.flatMap((view) => view.nodes);
    this.#known = nodes.map((node) => route(node.address));
    const owner = ownerOfSlot(nodes, views[0]?.slot ?? 0);
    if (owner === undefined) throw new Error('No server of the Redis Cluster has the keys at present');
    return route(owner.address);
  }

  #addresses(): HostPort[] {
    const all = [...this.#options.seeds, ...this.#known];
    return [...new Map(all.map((address) => [`${address.host} ${address.port}`, address])).values()];
  }
}

async function askNode(client: Redis, address: HostPort, key: string): Promise<View> {
  const [slot, text] = await Promise.all([client.cluster('KEYSLOT', key), client.cluster('NODES')]);
  return { slot: Number(slot), nodes: readClusterNodes(String(text), address) };
}
