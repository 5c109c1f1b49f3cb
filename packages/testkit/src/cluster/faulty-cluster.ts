import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CarillonClient } from '@carillon/client';
import { freePort, type PrivateRedis } from '../redis/index.js';
import type { LogLine, NodeProcess } from './node-process.js';
import { skewedClock } from './skewed-clock.js';
import { ownPort } from './socket-owner.js';
import { TcpProxy } from './tcp-proxy.js';
import { type PrimaryProcess, TestCluster } from './test-cluster.js';

/** A node whose way to Redis can be broken. */
export interface FaultyNode {
  readonly process: NodeProcess;
  readonly toRedis: TcpProxy;
}

export interface FaultyPrimary extends FaultyNode {
  readonly process: PrimaryProcess;
  /** The way of workers, and of redirected clients, to this node. */
  readonly toNode: TcpProxy;
}

export interface FaultyClusterOptions {
  primaries: number;
  workers: number;
  /**
   * Workers and redirected clients reach primaries without a stretch of network between, which `cutFromPrimaries` needs:
   * with it, a client that is redirected to a dead node does not get a refused connection but a broken one, and cannot
   * know that its request was not processed.
   */
  direct?: true;
  /**
   * Another Redis than a plain one, which the cluster ends as well. Nodes reach it directly: there is no stretch of
   * network that could be cut.
   */
  redis?: PrivateRedis;
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
 * A cluster of real processes, each on a loopback address of its own, whose connections go through stretches of network
 * that can be cut: node and Redis, worker and primary.
 */
export class FaultyCluster {
  readonly cluster: TestCluster;
  readonly primaries: FaultyPrimary[] = [];
  readonly workers: FaultyNode[] = [];
  readonly #environment: Record<string, string>;
  readonly #isRedisDirect: boolean;
  readonly #clocksAheadMs: Readonly<Record<string, number>>;
  #addresses = 10;

  private constructor(cluster: TestCluster, options: FaultyClusterOptions) {
    this.cluster = cluster;
    const settings = join(cluster.directory, 'settings.json');
    writeFileSync(settings, JSON.stringify(options.peerSettings ?? {}));
    this.#environment = { CARILLON_CONFIG: settings, ...options.environment };
    this.#isRedisDirect = options.redis !== undefined;
    this.#clocksAheadMs = options.clocksAheadMs ?? {};
  }

  /** Prepares all nodes (`p1`…, `w1`…), starts them, and resolves when every worker has joined the first primary. */
  static async start(options: FaultyClusterOptions): Promise<FaultyCluster> {
    const cluster = new FaultyCluster(await TestCluster.start(options.redis), options);
    for (let n = 1; n <= options.primaries; n += 1)
      await cluster.#addPrimary(`p${n}`, options.direct === true);
    for (let n = 1; n <= options.workers; n += 1) await cluster.#addWorker(`w${n}`);
    const [first, ...others] = cluster.primaries;
    first?.process.start();
    await first?.process.waitForLine(isServing);
    for (const { process } of [...others, ...cluster.workers]) process.start();
    for (const { process } of others) await process.waitForLine(({ message }) => message === 'The node runs');
    for (const { process } of cluster.workers) await first?.process.waitForLine(hasJoined(process.name));
    return cluster;
  }

  get nodes(): FaultyNode[] {
    return [...this.primaries, ...this.workers];
  }

  /** A client that knows all primaries directly. */
  client(): CarillonClient {
    return this.cluster.client(...this.primaries.map(({ process }) => process));
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
    worker.toRedis.cut();
    this.cutFromPrimaries(worker);
  }

  /** Cuts a worker, or without one all workers, off from every primary. */
  cutFromPrimaries(worker?: FaultyNode): void {
    const workers = worker === undefined ? this.workers : [worker];
    const isTheirs = (port: number): boolean =>
      ownPort(
        workers.map(({ process }) => process.pid),
        port,
      );
    for (const { toNode } of this.primaries) toNode.cut(isTheirs);
  }

  /** All stretches of network work again. */
  mend(): void {
    for (const { toRedis } of this.nodes) toRedis.mend();
    for (const { toNode } of this.primaries) toNode.mend();
  }

  async close(): Promise<void> {
    await this.cluster.close();
    const proxies = [
      ...this.nodes.map(({ toRedis }) => toRedis),
      ...this.primaries.map(({ toNode }) => toNode),
    ];
    await Promise.all(proxies.map((proxy) => proxy.close()));
  }

  async #addPrimary(name: string, isDirect: boolean): Promise<void> {
    const host = this.#nextAddress();
    const toRedis = await this.#wayToRedis(host);
    const port = await freePort(host);
    const toNode = await TcpProxy.start(host, { host, port });
    const process = await this.cluster.primary(
      name,
      {
        ...this.#environmentOf(name),
        ...this.#redisThrough(toRedis),
        CARILLON_HTTP_HOST: host,
        CARILLON_HTTP_PORT: String(port),
        ...(isDirect ? {} : { CARILLON_PUBLIC_URL: urlOf('http', toNode) }),
      },
      `http://${host}:${port}`,
    );
    this.primaries.push({ process, toRedis, toNode });
  }

  async #addWorker(name: string): Promise<void> {
    const toRedis = await this.#wayToRedis(this.#nextAddress());
    const environment = { ...this.#environmentOf(name), ...this.#redisThrough(toRedis) };
    this.workers.push({ process: this.cluster.worker(name, environment), toRedis });
  }

  #redisThrough(toRedis: TcpProxy): Record<string, string> {
    return this.#isRedisDirect ? {} : { CARILLON_REDIS_URL: urlOf('redis', toRedis) };
  }

  #environmentOf(name: string): Record<string, string> {
    const aheadMs = this.#clocksAheadMs[name] ?? 0;
    return { ...this.#environment, ...(aheadMs === 0 ? {} : skewedClock(aheadMs)) };
  }

  #wayToRedis(host: string): Promise<TcpProxy> {
    if (this.#isRedisDirect) return TcpProxy.start(host, { host, port: 1 });
    const { hostname, port } = new URL(this.cluster.redis.url);
    return TcpProxy.start(host, { host: hostname, port: Number(port) });
  }

  #nextAddress(): string {
    this.#addresses += 1;
    return `127.0.0.${this.#addresses}`;
  }

  #leading(is: (node: FaultyPrimary) => boolean): FaultyPrimary {
    const found = this.primaries.find(is);
    if (found === undefined) throw new Error('The cluster has no such primary');
    return found;
  }
}

const urlOf = (scheme: string, { address }: TcpProxy): string =>
  `${scheme}://${address.host}:${address.port}`;

function termOf({ lines }: NodeProcess): number {
  return Number(lines.findLast(isServing)?.['term'] ?? 0);
}
