import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { askRedis } from './ask-redis.js';
import type { PrivateRedis, RedisSite } from './private-redis.js';
import { endAll, type NumberedServer, RedisDirectory, startAll, withPassword } from './redis-directory.js';

export interface PrivateSentinelOptions {
  /** Wanted by the servers; the sentinels want `sentinel-` and it. */
  password?: string;
  /** How long the master may be silent before the sentinels replace it. */
  downAfterMs?: number;
  /** Runs there, without a password. */
  within?: RedisSite;
}

/**
 * A master, two replicas and three sentinels of one test. As a `PrivateRedis` it is its master: `kill9` and `shutDown`
 * end that, as soon as a replica could take its place, and resolve when all sentinels have agreed on another; `restart`
 * starts what was ended, which the sentinels make a replica some ten seconds later.
 */
export interface PrivateSentinel extends PrivateRedis {
  /** The port of the present master. */
  masterPort(): Promise<number>;
  /** Stops the master's clock; resolves when the sentinels have agreed on another, and answers how to undo it. */
  pauseMaster(): Promise<() => void>;
  /** Stops the clocks of all replicas; answers how to undo it. */
  pauseReplicas(): Promise<() => void>;
  /** Ends the sentinels but one. */
  endSentinels(): Promise<void>;
}

const name = 'carillon-test';

/** Starts the servers in fresh directories; resolves when everybody knows everybody. */
export async function startPrivateSentinel(options: PrivateSentinelOptions = {}): Promise<PrivateSentinel> {
  const { password, within } = options;
  const directory = await RedisDirectory.create(within);
  const login = password === undefined ? [] : ['--requirepass', password, '--masterauth', password];
  const master = await directory.server(...login);
  await startAll([master]);
  const follow = ['--replicaof', directory.host, String(master.port)];
  const replicas = [await directory.server(...login, ...follow), await directory.server(...login, ...follow)];
  for (const { process } of replicas) await process.start(/sync: Finished with success/);
  const sentinels = await Promise.all([1, 2, 3].map(() => addSentinel(directory, master.port, options)));
  await Promise.all(sentinels.map(({ process }) => process.start(/\+monitor master/)));
  await Promise.all(
    sentinels.flatMap(({ process }) => [
      process.waitForLines(/\+slave slave/, 2),
      process.waitForLines(/\+sentinel sentinel/, 2),
    ]),
  );
  return privateSentinel(directory, [master, ...replicas], sentinels, password);
}

async function addSentinel(
  directory: RedisDirectory,
  masterPort: number,
  { password, downAfterMs = 1_000 }: PrivateSentinelOptions,
): Promise<NumberedServer> {
  const [port, folder] = [await directory.port(), directory.folder()];
  const file = join(folder, 'sentinel.conf');
  const own = `sentinel-${password ?? ''}`;
  const login =
    password === undefined
      ? []
      : [`requirepass ${own}`, `sentinel sentinel-pass ${own}`, `sentinel auth-pass ${name} ${password}`];
  const lines = [
    `port ${port}`,
    `bind ${directory.host}`,
    `dir ${folder}`,
    ...directory.beyond(folder).map((words) => words.join(' ')),
    `sentinel monitor ${name} ${directory.host} ${masterPort} 2`,
    `sentinel down-after-milliseconds ${name} ${downAfterMs}`,
    `sentinel failover-timeout ${name} 10000`,
    ...login,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  return directory.numbered(port, folder, [file, '--sentinel']);
}

function privateSentinel(
  directory: RedisDirectory,
  servers: readonly NumberedServer[],
  sentinels: readonly NumberedServer[],
  password: string | undefined,
): PrivateSentinel {
  let ended: NumberedServer | undefined;
  const hosts = sentinels.map(({ port }) => `${directory.host}:${port}`).join(',');
  const [login, query] =
    password === undefined ? ['', ''] : [`:${password}@`, `?sentinel_password=sentinel-${password}`];
  const masterPort = async (): Promise<number> => {
    const own = password === undefined ? undefined : `sentinel-${password}`;
    const sentinel = withPassword(sentinels[0]?.url ?? '', own);
    const answer = await askRedis(sentinel, 'SENTINEL', 'get-master-addr-by-name', name);
    return Number(answer.split(' ')[1]);
  };
  const master = async (): Promise<NumberedServer> => {
    const port = await masterPort();
    const found = servers.find((server) => server.port === port);
    if (found === undefined) throw new Error('The sentinels name a server that is none of theirs');
    return found;
  };
  /** Takes the master away, and resolves when it has been replaced. */
  const replace = async (away: (server: NumberedServer) => unknown): Promise<NumberedServer> => {
    const old = await master();
    await untilFollowed(withPassword(old.url, password));
    const marks = sentinels.map((sentinel) => ({ sentinel, since: sentinel.process.mark() }));
    await away(old);
    await Promise.all(
      marks.map(({ sentinel, since }) => sentinel.process.waitForLines(/\+switch-master/, 1, since)),
    );
    return old;
  };
  return {
    url: `redis+sentinel://${login}${hosts}/${name}${query}`,
    // One replica is left when the other has become the master.
    settings: { CARILLON_REDIS_REPLICAS: '1' },
    servers: servers.map((server) => withPassword(server.url, password)),
    holder: async () => withPassword((await master()).url, password),
    outage: async () => {
      await Promise.all(servers.map(({ process }) => process.end('SIGTERM')));
      return () => startAll(servers);
    },
    masterPort,
    kill9: async () => {
      ended = await replace(({ process }) => process.end('SIGKILL'));
    },
    shutDown: async () => {
      ended = await replace(({ process }) => process.end('SIGTERM'));
    },
    restart: async () => ended?.process.start(),
    pauseMaster: async () => {
      const old = await replace(({ process }) => process.pause());
      return () => old.process.resume();
    },
    pauseReplicas: async () => {
      const present = await master();
      const replicas = servers.filter((server) => server !== present && server !== ended);
      for (const { process } of replicas) process.pause();
      return () => {
        for (const { process } of replicas) process.resume();
      };
    },
    endSentinels: () => endAll(sentinels.slice(1)),
    stop: async () => {
      await endAll([...sentinels, ...servers]);
      await directory.remove();
    },
  };
}

/**
 * Answer by answer, at most as long as the test may take. A master that has gone while no other server follows it is not
 * replaced: those that were restarted take themselves for masters until there is one to follow.
 */
async function untilFollowed(url: string): Promise<void> {
  while (!/^master \d+ \S/.test(await askRedis(url, 'ROLE'))) continue;
}
