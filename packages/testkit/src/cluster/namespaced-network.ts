import type { ClientOptions } from '@carillon/client';
import { NamespaceNetwork, type Place } from '../network/index.js';
import { type RedisShape, startShapedRedis } from '../redis/index.js';
import type { ClusterNetwork, FaultyNode, FaultyPrimary, Stretch } from './cluster-network.js';
import { type PrimaryProcess, TestCluster } from './test-cluster.js';

/** A node, or the place of Redis. */
export type Machine = Pick<FaultyNode, 'process'> | 'Redis';

const redisPort = 6379;
const nodePort = 3012;
/** A client that waits for somebody whose answers vanish shall not wait for as long as the default. */
const clientTimeoutMs = 4_000;

/**
 * Each node and Redis in a network namespace of its own. Packets vanish: connections stay half open, and nobody is told.
 * All servers of a Redis that has several share one namespace. The test reaches nodes through the hub of the network, and
 * Redis through Unix sockets.
 */
export class NamespacedNetwork implements ClusterNetwork {
  readonly cluster: TestCluster;
  readonly #network: NamespaceNetwork;
  readonly #redis: Place;
  readonly #places = new Map<string, Place>();
  /** Where this process reaches what nodes announce. */
  readonly #reachedAt = new Map<string, string>();

  private constructor(cluster: TestCluster, network: NamespaceNetwork, redis: Place) {
    this.cluster = cluster;
    this.#network = network;
    this.#redis = redis;
  }

  static async start(shape: RedisShape): Promise<NamespacedNetwork> {
    const network = new NamespaceNetwork();
    try {
      const place = network.join('redis');
      const within = { through: place.through, host: place.host, port: redisPort };
      const redis = await startShapedRedis(shape, { within });
      return new NamespacedNetwork(await TestCluster.start(redis), network, place);
    } catch (error) {
      await network.close();
      throw error;
    }
  }

  async primary(name: string, environment: Readonly<Record<string, string>>): Promise<FaultyPrimary> {
    const place = this.#join(name);
    const announced = `http://${place.host}:${nodePort}`;
    const url = `http://${await this.#network.reach(place, nodePort)}`;
    this.#reachedAt.set(announced, url);
    const settings = {
      ...environment,
      CARILLON_HTTP_HOST: '0.0.0.0',
      CARILLON_HTTP_PORT: String(nodePort),
      CARILLON_PUBLIC_URL: announced,
    };
    const process = await this.cluster.primary(name, settings, url, place.through);
    return { process, toRedis: this.#between(place, this.#redis) };
  }

  async worker(name: string, environment: Readonly<Record<string, string>>): Promise<FaultyNode> {
    const place = this.#join(name);
    const process = this.cluster.worker(name, environment, place.through);
    return { process, toRedis: this.#between(place, this.#redis) };
  }

  clientOptions(nodes: readonly PrimaryProcess[]): ClientOptions {
    return { urls: nodes.map(({ url }) => url), timeoutMs: clientTimeoutMs, route: this.#routeTo };
  }

  /** The cable of a machine is pulled: all packets from and to it vanish. */
  pull(machine: Machine): void {
    this.#network.pull(this.#placeOf(machine));
  }

  plug(machine: Machine): void {
    this.#network.plug(this.#placeOf(machine));
  }

  /** Packets from one machine to another vanish, in this direction alone. */
  lose(from: Machine, to: Machine): void {
    this.#network.lose(this.#placeOf(from), this.#placeOf(to));
  }

  cutOff(worker: FaultyNode): void {
    this.pull(worker);
  }

  cutFromPrimaries(workers: readonly FaultyNode[]): void {
    for (const announced of this.#reachedAt.keys()) {
      const primary = this.#placeAt(new URL(announced).hostname);
      for (const worker of workers) this.#between(this.#placeOf(worker), primary).cut();
    }
  }

  mend(): void {
    this.#network.mend();
  }

  async close(): Promise<void> {
    await this.cluster.close();
    await this.#network.close();
  }

  /** A client that went to the address itself would leave for the network of the machine. */
  readonly #routeTo = (announced: string): string => {
    const url = this.#reachedAt.get(announced);
    if (url === undefined) throw new Error(`No node of the cluster is at ${announced}`);
    return url;
  };

  #between(one: Place, other: Place): Stretch {
    const lose = (): void => {
      this.#network.lose(one, other);
      this.#network.lose(other, one);
    };
    const mend = (): void => {
      this.#network.keep(one, other);
      this.#network.keep(other, one);
    };
    return { cut: lose, freeze: lose, mend };
  }

  #join(name: string): Place {
    const place = this.#network.join(name);
    this.#places.set(name, place);
    return place;
  }

  #placeOf(machine: Machine): Place {
    if (machine === 'Redis') return this.#redis;
    const place = this.#places.get(machine.process.name);
    if (place === undefined) throw new Error(`No node ${machine.process.name}`);
    return place;
  }

  #placeAt(host: string): Place {
    const place = [...this.#places.values()].find((one) => one.host === host);
    if (place === undefined) throw new Error(`Nobody is at ${host}`);
    return place;
  }
}
