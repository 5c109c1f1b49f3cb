import { keySpace } from '@carillon/adapters';
import { askRedis } from './ask-redis.js';
import type { PrivateRedis, RedisSite } from './private-redis.js';
import { endAll, type NumberedServer, RedisDirectory, startAll, withPassword } from './redis-directory.js';

export interface PrivateClusterOptions {
  /** Gives the master of the keys a replica, which takes its place when it fails. */
  replica?: true;
  /** Wanted by the servers; not with a replica. */
  password?: string;
  /** Runs there, without a password. */
  within?: RedisSite;
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
  const { password, within } = options;
  const directory = await RedisDirectory.create(within);
  const login = password === undefined ? [] : ['--requirepass', password];
  const masters = (await Promise.all([0, 1, 2].map(() => addServer(directory, login)))).map((server) => ({
    ...server,
    url: withPassword(server.url, password),
  }));
  await startAll(masters);
  const [first] = masters;
  for (const [index, server] of masters.entries()) {
    const range = [Math.ceil((index * slots) / 3), Math.ceil(((index + 1) * slots) / 3) - 1].map(String);
    await ask(server, 'CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
    await ask(server, 'CLUSTER', 'ADDSLOTSRANGE', ...range);
    if (index > 0) await meet(directory, server, first);
  }
  await Promise.all(masters.map(({ process }) => process.waitForLines(isWhole, 1)));
  const cluster = new Servers(directory, masters, password);
  if (options.replica) await cluster.addReplica();
  return cluster;
}

function ask({ url }: NumberedServer, command: string, ...args: string[]): Promise<string> {
  return askRedis(url, command, ...args);
}

async function addServer(directory: RedisDirectory, login: readonly string[]): Promise<NumberedServer> {
  const clusterPort = String(await directory.port());
  const settings = ['--cluster-enabled', 'yes', '--cluster-port', clusterPort];
  return directory.server(...settings, '--cluster-node-timeout', '1500', ...login);
}

/** The bus is not at its usual port. */
async function meet(
  { host }: RedisDirectory,
  server: NumberedServer,
  other: NumberedServer | undefined,
): Promise<void> {
  if (other === undefined) return;
  const bus = await ask(other, 'CONFIG', 'GET', 'cluster-port');
  await ask(server, 'CLUSTER', 'MEET', host, String(other.port), bus.split(' ')[1] ?? '');
}

class Servers implements PrivateCluster {
  readonly url: string;
  readonly settings = {};
  readonly #directory: RedisDirectory;
  readonly #servers: NumberedServer[];
  #hasReplica = false;
  #ended: NumberedServer | undefined;

  constructor(directory: RedisDirectory, masters: readonly NumberedServer[], password: string | undefined) {
    this.#directory = directory;
    this.#servers = [...masters];
    const login = password === undefined ? '' : `:${password}@`;
    this.url = `redis+cluster://${login}${masters.map(({ port }) => `${directory.host}:${port}`).join(',')}`;
  }

  get servers(): string[] {
    return this.#servers.map(({ url }) => url);
  }

  async holder(): Promise<string> {
    return (await this.#owner()).url;
  }

  async ownerPort(): Promise<number> {
    return (await this.#owner()).port;
  }

  /** Resolves when it has all data and every server knows it. */
  async addReplica(): Promise<void> {
    const owner = await this.#owner();
    const id = await ask(owner, 'CLUSTER', 'MYID');
    const replica = await addServer(this.#directory, []);
    await replica.process.start();
    this.#servers.push(replica);
    await meet(this.#directory, replica, owner);
    await replica.process.waitForLines(isWhole, 1);
    await ask(replica, 'CLUSTER', 'REPLICATE', id);
    await replica.process.waitForLines(/sync: Finished with success/, 1);
    const replicaId = await ask(replica, 'CLUSTER', 'MYID');
    for (const server of this.#servers) await untilKnown(server, replicaId);
    this.#hasReplica = true;
  }

  async kill9(): Promise<void> {
    this.#ended = await this.#takeAway((server) => server.process.end('SIGKILL'));
  }

  async shutDown(): Promise<void> {
    this.#ended = await this.#takeAway((server) => server.process.end('SIGTERM'));
  }

  async restart(): Promise<void> {
    const ended = this.#ended;
    this.#ended = undefined;
    await startAgain(ended === undefined ? [] : [ended]);
  }

  async outage(): Promise<() => Promise<void>> {
    await Promise.all(this.#servers.map(({ process }) => process.end('SIGTERM')));
    return () => startAgain(this.#servers);
  }

  async pauseOwner(): Promise<() => void> {
    const old = await this.#takeAway((server) => server.process.pause());
    return () => old.process.resume();
  }

  async swap(): Promise<void> {
    const owner = await this.#owner();
    const since = owner.process.mark();
    for (const server of this.#servers) {
      if (!(await isReplica(server))) continue;
      await ask(server, 'CLUSTER', 'FAILOVER');
      await owner.process.waitForLines(/Finished with success|Partial Resynchronization\./, 1, since);
      return;
    }
    throw new Error('The cluster has no replica');
  }

  async moveSlot(): Promise<void> {
    // Key by key, so that scripts meet a slot of which half is here and half is there.
    const owner = await this.#owner();
    const slot = await ask(owner, 'CLUSTER', 'KEYSLOT', keySpace().root);
    const target = await this.#otherMaster(owner);
    const [from, to] = [await ask(owner, 'CLUSTER', 'MYID'), await ask(target, 'CLUSTER', 'MYID')];
    await ask(target, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', from);
    await ask(owner, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', to);
    for (;;) {
      const keys = (await ask(owner, 'CLUSTER', 'GETKEYSINSLOT', slot, '1')).split(' ');
      if (keys[0] === '') break;
      const place = [this.#directory.host, String(target.port), '', '0', '5000', 'KEYS'];
      await ask(owner, 'MIGRATE', ...place, ...keys);
    }
    for (const server of [target, owner]) await ask(server, 'CLUSTER', 'SETSLOT', slot, 'NODE', to);
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
      if (server !== owner && !(await isReplica(server))) return server;
    }
    throw new Error('The cluster has no other master');
  }

  /** As the running servers themselves say. */
  async #owner(): Promise<NumberedServer> {
    const running = this.#servers.filter((server) => server !== this.#ended);
    for (const server of running) {
      const answer = await ask(server, 'EXISTS', keySpace().root).catch((error: unknown) => String(error));
      if (/^\d+$/.test(answer) && !(await isReplica(server))) return server;
    }
    throw new Error('No server has the keys');
  }
}

/** Resolves when each of them finds the cluster whole: before, it serves nobody. */
async function startAgain(servers: readonly NumberedServer[]): Promise<void> {
  const marks = servers.map((server) => ({ server, since: server.process.mark() }));
  await startAll(servers);
  await Promise.all(marks.map(({ server, since }) => server.process.waitForLines(isWhole, 1, since)));
}

async function isReplica(server: NumberedServer): Promise<boolean> {
  return (await ask(server, 'ROLE')).startsWith('slave');
}

/** Answer by answer, at most as long as the test may take. */
async function untilKnown(server: NumberedServer, id: string): Promise<void> {
  for (;;) {
    const nodes = (await ask(server, 'CLUSTER', 'NODES')).split('\n');
    if (nodes.some((line) => line.startsWith(id) && / (?:myself,)?slave /.test(line))) return;
  }
}
