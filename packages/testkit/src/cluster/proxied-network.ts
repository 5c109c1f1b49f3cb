import type { ClientOptions } from '@carillon/client';
import { freePort, type PrivateRedis } from '../redis/index.js';
import type { ClusterNetwork, FaultyNode, FaultyPrimary } from './cluster-network.js';
import { ownPort } from './socket-owner.js';
import { TcpProxy } from './tcp-proxy.js';
import { type PrimaryProcess, TestCluster } from './test-cluster.js';

/** Nodes on loopback addresses of their own, and proxies between them that can be cut. */
export class ProxiedNetwork implements ClusterNetwork {
  readonly cluster: TestCluster;
  readonly #isDirect: boolean;
  readonly #isRedisDirect: boolean;
  readonly #toRedis: TcpProxy[] = [];
  readonly #toNodes: TcpProxy[] = [];
  #addresses = 10;

  private constructor(cluster: TestCluster, isDirect: boolean) {
    this.cluster = cluster;
    this.#isDirect = isDirect;
    this.#isRedisDirect = !cluster.redis.url.startsWith('redis://');
  }

  /**
   * `isDirect`: workers and redirected clients reach primaries without a proxy between. A Redis that is no single server
   * announces addresses of its own, at which nodes reach it directly.
   */
  static async start(isDirect: boolean, redis: PrivateRedis): Promise<ProxiedNetwork> {
    return new ProxiedNetwork(await TestCluster.start(redis), isDirect);
  }

  async primary(name: string, environment: Readonly<Record<string, string>>): Promise<FaultyPrimary> {
    const host = this.#nextAddress();
    const toRedis = await this.#wayToRedis(host);
    const port = await freePort(host);
    const toNode = await TcpProxy.start(host, { host, port });
    this.#toNodes.push(toNode);
    const process = await this.cluster.primary(
      name,
      {
        ...environment,
        ...this.#redisThrough(toRedis),
        CARILLON_HTTP_HOST: host,
        CARILLON_HTTP_PORT: String(port),
        ...(this.#isDirect ? {} : { CARILLON_PUBLIC_URL: urlOf('http', toNode) }),
      },
      `http://${host}:${port}`,
    );
    return { process, toRedis };
  }

  async worker(name: string, environment: Readonly<Record<string, string>>): Promise<FaultyNode> {
    const toRedis = await this.#wayToRedis(this.#nextAddress());
    const settings = { ...environment, ...this.#redisThrough(toRedis) };
    return { process: this.cluster.worker(name, settings), toRedis };
  }

  clientOptions(nodes: readonly PrimaryProcess[]): ClientOptions {
    return { urls: nodes.map(({ url }) => url) };
  }

  cutOff(worker: FaultyNode): void {
    worker.toRedis.cut();
    this.cutFromPrimaries([worker]);
  }

  cutFromPrimaries(workers: readonly FaultyNode[]): void {
    const isTheirs = (port: number): boolean =>
      ownPort(
        workers.map(({ process }) => process.pid),
        port,
      );
    for (const toNode of this.#toNodes) toNode.cut(isTheirs);
  }

  mend(): void {
    for (const proxy of [...this.#toRedis, ...this.#toNodes]) proxy.mend();
  }

  async close(): Promise<void> {
    await this.cluster.close();
    await Promise.all([...this.#toRedis, ...this.#toNodes].map((proxy) => proxy.close()));
  }

  #redisThrough(toRedis: TcpProxy): Record<string, string> {
    return this.#isRedisDirect ? {} : { CARILLON_REDIS_URL: urlOf('redis', toRedis) };
  }

  async #wayToRedis(host: string): Promise<TcpProxy> {
    const proxy = await TcpProxy.start(host, this.#redisAddress(host));
    this.#toRedis.push(proxy);
    return proxy;
  }

  /** Nobody uses the way there when nodes know their own. */
  #redisAddress(host: string): { host: string; port: number } {
    if (this.#isRedisDirect) return { host, port: 1 };
    const { hostname, port } = new URL(this.cluster.redis.url);
    return { host: hostname, port: Number(port) };
  }

  #nextAddress(): string {
    this.#addresses += 1;
    return `127.0.0.${this.#addresses}`;
  }
}

const urlOf = (scheme: string, { address }: TcpProxy): string =>
  `${scheme}://${address.host}:${address.port}`;
