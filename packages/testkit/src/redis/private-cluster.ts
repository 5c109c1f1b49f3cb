import { keySpace } from '@carillon/adapters';
import { askRedis } from './ask-redis.js';
import { freePort, type PrivateRedis } from './private-redis.js';
import { endAll, type NumberedServer, RedisDirectory, startAll } from './redis-directory.js';

export interface PrivateClusterOptions {
  /** Gives the master of the keys a replica, which takes its place when it fails. */
  replica?: true;
}

/**
 * A Redis Cluster of three masters of one test, each with a third of the slots. As a `PrivateRedis` it is the master
 * that has the slot of `{carillon}`: `kill9` and `shutDown` end that; with a replica they resolve when that has taken
 * its place. `restart` starts what was ended, and resolves when the cluster is whole again.
 */
export interface PrivateCluster extends PrivateRedis {
  /** The port of the server that has the keys. */
  ownerPort(): Promise<number>;
  /** Makes the replica the master and the master its replica, without a loss. */
  swap(): Promise<void>;
  /** Gives the slot of the keys, with all of them, to another of the three masters. */
  moveSlot(): Promise<void>;
  /** Stops the clock of the master; with a replica resolves when that has its place. Answers how to undo it. */
  pauseOwner(): Promise<() => void>;
}

const slots = 16_384;
const isWhole = /Cluster state changed: ok/;

/** Starts the servers in fresh directories; resolves when the cluster is whole. */
export async function startPrivateCluster(options: PrivateClusterOptions = {}): Promise<PrivateCluster> {
  const directory = await RedisDirectory.create();
  const masters = await Promise.all([0, 1, 2].map(() => addServer(directory)));
  await startAll(masters);
  const [first] = masters;
  for (const [index, { port }] of masters.entries()) {
    const range = [Math.ceil((index * slots) / 3), Math.ceil(((index + 1) * slots) / 3) - 1].map(String);
    await ask(port, 'CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
    await ask(port, 'CLUSTER', 'ADDSLOTSRANGE', ...range);
    if (index > 0) await meet(port, first);
  }
  await Promise.all(masters.map(({ process }) => process.waitForLines(isWhole, 1)));
  const cluster = new Servers(directory, masters);
  if (options.replica) await cluster.addReplica();
  return cluster;
}

function ask(port: number, command: string, ...args: string[]): Promise<string> {
  return askRedis(`127.0.0.1:${port}`, command, ...args);
}

async function addServer(directory: RedisDirectory): Promise<NumberedServer> {
  const clusterPort = String(await freePort());
  const settings = ['--cluster-enabled', 'yes', '--cluster-port', clusterPort];
  return directory.server(...settings, '--cluster-node-timeout', '1500');
}

/** The bus is not at its usual port. */
async function meet(port: number, other: NumberedServer | undefined): Promise<void> {
  if (other === undefined) return;
  const bus = await ask(other.port, 'CONFIG', 'GET', 'cluster-port');
  await ask(port, 'CLUSTER', 'MEET', '127.0.0.1', String(other.port), bus.split(' ')[1] ?? '');
}

class Servers implements PrivateCluster {
  readonly url: string;
  readonly #directory: RedisDirectory;
  readonly #servers: NumberedServer[];
  #hasReplica = false;
  #ended: NumberedServer | undefined;

  constructor(directory: RedisDirectory, masters: readonly NumberedServer[]) {
    this.#directory = directory;
    this.#servers = [...masters];
    this.url = `redis+cluster://${masters.map(({ port }) => `127.0.0.1:${port}`).join(',')}`;
  }

  async ownerPort(): Promise<number> {
    return (await this.#owner()).port;
  }

  /** Resolves when it has all data and every server knows it. */
  async addReplica(): Promise<void> {
    const owner = await this.#owner();
    const id = await ask(owner.port, 'CLUSTER', 'MYID');
    const replica = await addServer(this.#directory);
    await replica.process.start();
    this.#servers.push(replica);
    await meet(replica.port, owner);
    await replica.process.waitForLines(isWhole, 1);
    await ask(replica.port, 'CLUSTER', 'REPLICATE', id);
    await replica.process.waitForLines(/sync: Finished with success/, 1);
    const replicaId = await ask(replica.port, 'CLUSTER', 'MYID');
    for (const { port } of this.#servers) await untilKnown(port, replicaId);
    this.#hasReplica = true;
  }

  async kill9(): Promise<void> {
    this.#ended = await this.#takeAway((server) => server.process.end('SIGKILL'));
  }

  async shutDown(): Promise<void> {
    this.#ended = await this.#takeAway((server) => server.process.end('SIGTERM'));
  }

  async restart(): Promise<void> {
    await this.#ended?.process.start();
    this.#ended = undefined;
  }

  async pauseOwner(): Promise<() => void> {
    const old = await this.#takeAway((server) => server.process.pause());
    return () => old.process.resume();
  }

  async swap(): Promise<void> {
    const owner = await this.#owner();
    const since = owner.process.mark();
    for (const { port } of this.#servers) {
      if (!(await isReplica(port))) continue;
      await ask(port, 'CLUSTER', 'FAILOVER');
      await owner.process.waitForLines(/Finished with success|Partial Resynchronization\./, 1, since);
      return;
    }
    throw new Error('The cluster has no replica');
  }

  async moveSlot(): Promise<void> {
    // Key by key, so that scripts meet a slot of which half is here and half is there.
    const owner = await this.#owner();
    const slot = await ask(owner.port, 'CLUSTER', 'KEYSLOT', keySpace().root);
    const target = await this.#otherMaster(owner);
    const [from, to] = [await ask(owner.port, 'CLUSTER', 'MYID'), await ask(target.port, 'CLUSTER', 'MYID')];
    await ask(target.port, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', from);
    await ask(owner.port, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', to);
    for (;;) {
      const keys = (await ask(owner.port, 'CLUSTER', 'GETKEYSINSLOT', slot, '1')).split(' ');
      if (keys[0] === '') break;
      const place = ['127.0.0.1', String(target.port), '', '0', '5000', 'KEYS'];
      await ask(owner.port, 'MIGRATE', ...place, ...keys);
    }
    for (const { port } of [target, owner]) await ask(port, 'CLUSTER', 'SETSLOT', slot, 'NODE', to);
  }

  async stop(): Promise<void> {
    await endAll(this.#servers);
    await this.#directory.remove();
  }

  async #takeAway(away: (server: NumberedServer) => unknown): Promise<NumberedServer> {
    const owner = await this.#owner();
    const others = this.#servers.filter((server) => server !== owner);
    const marks = others.map((server) => ({ server, since: server.process.mark() }));
    await away(owner);
    if (this.#hasReplica) {
      const elected = marks.map(({ server, since }) =>
        server.process.waitForLines(/Failover election won/, 1, since),
      );
      await Promise.race(elected);
    }
    return owner;
  }

  async #otherMaster(owner: NumberedServer): Promise<NumberedServer> {
    for (const server of this.#servers) {
      if (server !== owner && !(await isReplica(server.port))) return server;
    }
    throw new Error('The cluster has no other master');
  }

  /** As the running servers themselves say. */
  async #owner(): Promise<NumberedServer> {
    const running = this.#servers.filter((server) => server !== this.#ended);
    for (const server of running) {
      const answer = await ask(server.port, 'EXISTS', keySpace().root).catch((error: unknown) =>
        String(error),
      );
      if (/^\d+$/.test(answer) && !(await isReplica(server.port))) return server;
    }
    throw new Error('No server has the keys');
  }
}

async function isReplica(port: number): Promise<boolean> {
  return (await ask(port, 'ROLE')).startsWith('slave');
}

/** Answer by answer, at most as long as the test may take. */
async function untilKnown(port: number, id: string): Promise<void> {
  for (;;) {
    const nodes = (await ask(port, 'CLUSTER', 'NODES')).split('\n');
    if (nodes.some((line) => line.startsWith(id) && / (?:myself,)?slave /.test(line))) return;
  }
}
