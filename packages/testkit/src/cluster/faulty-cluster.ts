import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CarillonClient, ClientOptions } from '@carillon/client';
import { type PrivateRedis, type RedisShape, redisShape, startShapedRedis } from '../redis/index.js';
import type { ClusterNetwork, FaultyNode, FaultyPrimary } from './cluster-network.js';
import { NamespacedNetwork } from './namespaced-network.js';
import type { LogLine, NodeProcess } from './node-process.js';
import { ProxiedNetwork } from './proxied-network.js';
import { skewedClock } from './skewed-clock.js';
import type { TestCluster } from './test-cluster.js';

export interface FaultyClusterOptions {
  primaries: number;
  workers: number;
  /**
   * Workers and redirected clients reach primaries without a stretch of network between, which `cutFromPrimaries` needs:
   * with it, a client that is redirected to a dead node does not get a refused connection but a broken one, and cannot
   * know that its request was not processed.
   */
  direct?: true;
  /** What Redis it runs on; defaults to what CARILLON_TEST_REDIS says. */
  shape?: RedisShape;
  /** This Redis, whatever the shape; the cluster ends it as well. */
  redis?: PrivateRedis;
  /**
   * `toRedis` or `cutOff` will be used. No proxy can stand before servers that announce their own addresses, so that on
   * any shape but `plain` this takes namespaces (`whyNoNamespaces`).
   */
  cutsFromRedis?: true;
  /**
   * Each node and Redis is in a network namespace of its own, and faults make packets vanish. Needs what
   * `whyNoNamespaces` looks for; neither `direct` nor another Redis can be had with it.
   */
  namespaces?: boolean;
  /** For all nodes. */
  environment?: Readonly<Record<string, string>>;
  /** How far the wall clocks of nodes are ahead of that of the machine, by the names of the nodes. */
  clocksAheadMs?: Readonly<Record<string, number>>;
  /** Settings in the file that CARILLON_CONFIG names. */
  peerSettings?: Readonly<Record<string, unknown>>;
}

export const isServing = ({ message }: LogLine): boolean => message === 'The API is served by this node';
export const hasJoined =
  (hostname: string) =>
  (line: LogLine): boolean =>
    line.message === 'A worker joined' && line['hostname'] === hostname;

/**
 * A cluster of real processes, each on a loopback address or in a network namespace of its own, whose connections can be
 * cut: node and Redis, worker and primary.
 */
export class FaultyCluster {
  readonly cluster: TestCluster;
  readonly primaries: FaultyPrimary[] = [];
  readonly workers: FaultyNode[] = [];
  readonly #network: ClusterNetwork;
  readonly #environment: Record<string, string>;
  readonly #clocksAheadMs: Readonly<Record<string, number>>;

  private constructor(network: ClusterNetwork, options: FaultyClusterOptions) {
    this.cluster = network.cluster;
    this.#network = network;
    const settings = join(this.cluster.directory, 'settings.json');
    writeFileSync(settings, JSON.stringify(options.peerSettings ?? {}));
    this.#environment = { CARILLON_CONFIG: settings, ...options.environment };
    this.#clocksAheadMs = options.clocksAheadMs ?? {};
  }

  /** Prepares all nodes (`p1`…, `w1`…), starts them, and resolves when every worker has joined the first primary. */
  static async start(options: FaultyClusterOptions): Promise<FaultyCluster> {
    const network = await networkFor(options);
    const cluster = new FaultyCluster(network, options);
    try {
      await cluster.#start(options);
      return cluster;
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  async #start({ primaries, workers }: FaultyClusterOptions): Promise<void> {
    const network = this.#network;
    for (let n = 1; n <= primaries; n += 1) {
      this.primaries.push(await network.primary(`p${n}`, this.#environmentOf(`p${n}`)));
    }
    for (let n = 1; n <= workers; n += 1) {
      this.workers.push(await network.worker(`w${n}`, this.#environmentOf(`w${n}`)));
    }
    const [first, ...others] = this.primaries;
    first?.process.start();
    await first?.process.waitForLine(isServing);
    for (const { process } of [...others, ...this.workers]) process.start();
    for (const { process } of others) await process.waitForLine(({ message }) => message === 'The node runs');
    for (const { process } of this.workers) await first?.process.waitForLine(hasJoined(process.name));
  }

  get nodes(): FaultyNode[] {
    return [...this.primaries, ...this.workers];
  }

  /** A client that knows these primaries, without any all of them. */
  client(...nodes: readonly FaultyPrimary[]): CarillonClient {
    return this.cluster.clientWith(this.clientOptions(...nodes));
  }

  /** What `client` makes its clients with, but for the key. */
  clientOptions(...nodes: readonly FaultyPrimary[]): ClientOptions {
    const known = nodes.length === 0 ? this.primaries : nodes;
    return this.#network.clientOptions(known.map(({ process }) => process));
  }

  /** The network, for faults that only namespaces can have. Throws without them. */
  get namespaces(): NamespacedNetwork {
    if (!(this.#network instanceof NamespacedNetwork)) throw new Error('The cluster has no namespaces');
    return this.#network;
  }

  /** Highest term that any node has served. */
  get term(): number {
    return Math.max(0, ...this.primaries.map(({ process }) => termOf(process)));
  }

  /** The node that served the highest term, whether or not it still does. */
  get leader(): FaultyPrimary {
    return this.#leading((node) => termOf(node.process) === this.term);
  }

  /** A primary that is not the leader. */
  get standby(): FaultyPrimary {
    const { leader } = this;
    return this.#leading((node) => node !== leader);
  }

  /** Resolves with the node that is the first to serve a term above the given one. */
  nextLeader(above: number): Promise<FaultyPrimary> {
    const serves = (line: LogLine): boolean => isServing(line) && Number(line['term']) > above;
    return Promise.any(this.primaries.map((node) => node.process.waitForLine(serves).then(() => node)));
  }

  /** Cuts a worker off from Redis and from every primary; its processes do not notice but for that. */
  cutOff(worker: FaultyNode): void {
    this.#network.cutOff(worker);
  }

  /** Cuts a worker, or without one all workers, off from every primary. */
  cutFromPrimaries(worker?: FaultyNode): void {
    this.#network.cutFromPrimaries(worker === undefined ? this.workers : [worker]);
  }

  /** All stretches of network work again. */
  mend(): void {
    this.#network.mend();
  }

  async close(): Promise<void> {
    await this.#network.close();
  }

  #environmentOf(name: string): Record<string, string> {
    const aheadMs = this.#clocksAheadMs[name] ?? 0;
    return { ...this.#environment, ...(aheadMs === 0 ? {} : skewedClock(aheadMs)) };
  }

  #leading(is: (node: FaultyPrimary) => boolean): FaultyPrimary {
    const found = this.primaries.find(is);
    if (found === undefined) throw new Error('The cluster has no such primary');
    return found;
  }
}

async function networkFor(options: FaultyClusterOptions): Promise<ClusterNetwork> {
  const { direct, redis, cutsFromRedis, shape = redisShape() } = options;
  const namespaces = options.namespaces === true || (cutsFromRedis === true && shape !== 'plain');
  if (!namespaces) return ProxiedNetwork.start(direct === true, redis ?? (await startShapedRedis(shape)));
  if (direct === true || redis !== undefined)
    throw new Error('A cluster in namespaces has its own way and Redis');
  return NamespacedNetwork.start(shape);
}

function termOf({ lines }: NodeProcess): number {
  return Number(lines.findLast(isServing)?.['term'] ?? 0);
}
