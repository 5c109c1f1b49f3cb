import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CarillonClient, type ClientOptions, createClient } from '@carillon/client';
import { freePort, type PrivateRedis, redisShape, startShapedRedis } from '../redis/index.js';
import { endStrays } from './end-strays.js';
import { NodeProcess } from './node-process.js';

/** A primary-eligible node with its address. */
export interface PrimaryProcess extends NodeProcess {
  readonly url: string;
}

class PrimaryNodeProcess extends NodeProcess implements PrimaryProcess {
  readonly url: string;

  constructor(name: string, url: string, environment: Record<string, string>, through: readonly string[]) {
    super(name, environment, through);
    this.url = url;
  }
}

/** One Redis and any number of real nodes, in a directory of their own; everything ends with `close`. */
export class TestCluster {
  readonly directory: string;
  readonly apiKey = '0123456789abcdef0123456789abcdef';
  readonly redis: PrivateRedis;
  readonly #nodes: NodeProcess[] = [];
  readonly #clients: CarillonClient[] = [];

  private constructor(directory: string, redis: PrivateRedis) {
    this.directory = directory;
    this.redis = redis;
  }

  /** On a Redis of its own, of the shape that CARILLON_TEST_REDIS says, or on the given one, which it ends as well. */
  static async start(redis?: PrivateRedis): Promise<TestCluster> {
    const directory = await mkdtemp(join(tmpdir(), 'carillon-cluster-'));
    return new TestCluster(directory, redis ?? (await startShapedRedis(redisShape())));
  }

  /** Where the node of that name keeps its data, unless its environment says otherwise. */
  dataDirectory(name: string): string {
    return join(this.directory, name);
  }

  /**
   * Prepares a primary-eligible node; `start` runs it. `url` is where tests reach it if the environment moves it, and
   * `through` a command that runs it elsewhere.
   */
  async primary(
    name: string,
    environment: Record<string, string> = {},
    url?: string,
    through: readonly string[] = [],
  ): Promise<PrimaryProcess> {
    const port = await freePort();
    const settings = {
      ...this.#common(name),
      CARILLON_ROLES: 'primary',
      CARILLON_HTTP_PORT: String(port),
      CARILLON_BOOTSTRAP_API_KEY: this.apiKey,
      ...environment,
    };
    const node = new PrimaryNodeProcess(name, url ?? `http://127.0.0.1:${port}`, settings, through);
    this.#nodes.push(node);
    return node;
  }

  worker(
    name: string,
    environment: Record<string, string> = {},
    through: readonly string[] = [],
  ): NodeProcess {
    const settings = { ...this.#common(name), CARILLON_ROLES: 'worker', ...environment };
    const node = new NodeProcess(name, settings, through);
    this.#nodes.push(node);
    return node;
  }

  /** An SDK client that knows these nodes. */
  client(...nodes: readonly PrimaryProcess[]): CarillonClient {
    return this.clientWith({ urls: nodes.map((node) => node.url) });
  }

  /** An SDK client with these options, and the key of the cluster. */
  clientWith(options: ClientOptions): CarillonClient {
    const client = createClient({ apiKey: this.apiKey, ...options });
    this.#clients.push(client);
    return client;
  }

  /** Ends whatever still runs and removes all files. */
  async close(): Promise<void> {
    for (const client of this.#clients) client.close();
    await Promise.all(this.#nodes.map((node) => node.kill9()));
    endStrays(this.directory);
    await this.redis.stop();
    await rm(this.directory, { recursive: true, force: true });
  }

  #common(name: string): Record<string, string> {
    return {
      CARILLON_REDIS_URL: this.redis.url,
      ...this.redis.settings,
      CARILLON_CLUSTER_SECRET: 'a secret of the test cluster',
      CARILLON_HOSTNAME: name,
      CARILLON_DATA_DIR: this.dataDirectory(name),
    };
  }
}
