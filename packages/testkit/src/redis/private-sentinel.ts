import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { askRedis } from './ask-redis.js';
import { freePort, type PrivateRedis } from './private-redis.js';
import { endAll, type NumberedServer, RedisDirectory, startAll } from './redis-directory.js';
import { ServerProcess } from './server-process.js';

export interface PrivateSentinelOptions {
  /** Wanted by the servers; the sentinels want `sentinel-` and it. */
  password?: string;
  /** How long the master may be silent before the sentinels replace it. */
  downAfterMs?: number;
}

/**
 * A master, two replicas and three sentinels of one test. As a `PrivateRedis` it is its master: `kill9` and `shutDown`
 * end that and resolve when all sentinels have agreed on another; `restart` starts what was ended, as a replica.
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
  const directory = await RedisDirectory.create();
  const { password } = options;
  const login = password === undefined ? [] : ['--requirepass', password, '--masterauth', password];
  const master = await directory.server(...login);
  await startAll([master]);
  const follow = ['--replicaof', '127.0.0.1', String(master.port)];
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
  const port = await freePort();
  const folder = directory.folder();
  const file = join(folder, 'sentinel.conf');
  const own = `sentinel-${password ?? ''}`;
  const login =
    password === undefined
      ? []
      : [`requirepass ${own}`, `sentinel sentinel-pass ${own}`, `sentinel auth-pass ${name} ${password}`];
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor ${name} 127.0.0.1 ${masterPort} 2`,
    `sentinel down-after-milliseconds ${name} ${downAfterMs}`,
    `sentinel failover-timeout ${name} 10000`,
    ...login,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  return { port, process: new ServerProcess([file, '--sentinel']) };
}

function privateSentinel(
  directory: RedisDirectory,
  servers: readonly NumberedServer[],
  sentinels: readonly NumberedServer[],
  password: string | undefined,
): PrivateSentinel {
  let ended: NumberedServer | undefined;
  const hosts = sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',');
  const [login, query] =
    password === undefined ? ['', ''] : [`:${password}@`, `?sentinel_password=sentinel-${password}`];
  const masterPort = async (): Promise<number> => {
    const [sentinel] = sentinels;
    const own = password === undefined ? '' : `:sentinel-${password}@`;
    const answer = await askRedis(
      `${own}127.0.0.1:${sentinel?.port}`,
      'SENTINEL',
      'get-master-addr-by-name',
      name,
    );
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
    const marks = sentinels.map((sentinel) => ({ sentinel, since: sentinel.process.mark() }));
    await away(old);
    await Promise.all(
      marks.map(({ sentinel, since }) => sentinel.process.waitForLines(/\+switch-master/, 1, since)),
    );
    return old;
  };
  return {
    url: `redis+sentinel://${login}${hosts}/${name}${query}`,
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
