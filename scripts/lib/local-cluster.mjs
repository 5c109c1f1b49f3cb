import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { localHaproxyConfig } from './haproxy-config.mjs';

const program = fileURLToPath(new URL('../../packages/node/bin/carillon.js', import.meta.url));
const fetched = (name, file) => fileURLToPath(new URL(`../../.cache/${name}/bin/${file}`, import.meta.url));
const startTimeoutMs = 30_000;
const restartAfterMs = 300;

/** Programs that are named, else those that the scripts fetched, else those on the PATH. */
const programs = () => ({
  redis:
    process.env.CARILLON_REDIS_SERVER ||
    (existsSync(fetched('redis', 'redis-server')) ? fetched('redis', 'redis-server') : 'redis-server'),
  haproxy:
    process.env.CARILLON_HAPROXY ||
    (existsSync(fetched('haproxy', 'haproxy')) ? fetched('haproxy', 'haproxy') : 'haproxy'),
});

/**
 * The cluster of docker-compose.yml as processes of this machine: a Redis, two nodes that can be primary, workers, and
 * HAProxy in front with docker/haproxy.cfg. Everything ends with `stop`, or when this process does.
 */
export class LocalCluster {
  /** The one address for the API. */
  url = '';
  /** Of the administrator. */
  apiKey = randomBytes(16).toString('hex');
  /** Addresses of the nodes themselves, which the load balancer hides. */
  nodeUrls = [];
  #options;
  #children = new Map();
  #shared = {};
  #nextWorker = 1;
  #workers = [];
  #scaling = Promise.resolve();
  #isStopping = false;

  /**
   * `directory` keeps everything; `port` is that of the load balancer; `say` is called with a line when something starts or
   * ends. A `port` of 0 takes a free one.
   */
  constructor({ directory, port = 0, drainGraceSec = 30, environment = {}, say = () => undefined }) {
    this.#options = { directory, port, drainGraceSec, environment, say };
  }

  /** How many workers run that are not on their way out. */
  get workers() {
    return this.#workers.length;
  }

  /** Resolves when the API answers through the load balancer. */
  async start() {
    const { directory, drainGraceSec, environment } = this.#options;
    mkdirSync(directory, { recursive: true });
    const redisPort = await freePort();
    await this.#startRedis(redisPort);
    this.#shared = {
      CARILLON_REDIS_URL: `redis://127.0.0.1:${redisPort}/0`,
      CARILLON_CLUSTER_SECRET: randomBytes(24).toString('hex'),
      CARILLON_DRAIN_GRACE: String(drainGraceSec),
      ...environment,
    };
    const nodePorts = [await freePort(), await freePort()];
    this.nodeUrls = nodePorts.map((port) => `http://127.0.0.1:${port}`);
    nodePorts.forEach((port, index) => {
      this.#startNode(`primary-${index + 1}`, {
        CARILLON_ROLES: 'primary',
        CARILLON_NON_PRIMARY: 'forward',
        CARILLON_HTTP_PORT: String(port),
        CARILLON_PUBLIC_URL: `http://127.0.0.1:${port}`,
        CARILLON_BOOTSTRAP_API_KEY: this.apiKey,
      });
    });
    await this.#startBalancer(nodePorts);
    await this.#answers();
  }

  /** Starts or drains workers until there are `count`. Resolves when the new ones may get jobs and the others have ended. */
  scale(count) {
    const change = this.#scaling.then(async () => {
      const joined = [];
      while (this.#workers.length < count) {
        const name = `worker-${this.#nextWorker}`;
        this.#nextWorker += 1;
        this.#workers.push(name);
        joined.push(says(this.#startNode(name, { CARILLON_ROLES: 'worker' }), 'Connected to the primary'));
      }
      // As `docker compose --scale`: the newest go first.
      const leaving = this.#workers.splice(count);
      const withinMs = (this.#options.drainGraceSec + 30) * 1000;
      await Promise.all([...joined, ...leaving.map((name) => this.#end(name, withinMs))]);
    });
    this.#scaling = change.catch(() => undefined);
    return change;
  }

  /** Ends everything: the workers first, Redis last. */
  async stop() {
    this.#isStopping = true;
    const withinMs = (this.#options.drainGraceSec + 30) * 1000;
    await Promise.all(this.#workers.splice(0).map((name) => this.#end(name, withinMs)));
    for (const name of ['haproxy', 'primary-2', 'primary-1', 'redis']) await this.#end(name, 15_000);
  }

  async #startRedis(port) {
    const { directory } = this.#options;
    const data = join(directory, 'redis');
    mkdirSync(data, { recursive: true });
    const place = ['--port', String(port), '--bind', '127.0.0.1', '--dir', data];
    const durability = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--save', '', '--hz', '100'];
    const child = this.#run('redis', programs().redis, [
      ...place,
      ...durability,
      '--maxmemory-policy',
      'noeviction',
    ]);
    await says(child, 'eady to accept connections');
  }

  #startNode(name, settings) {
    const log = join(this.#options.directory, `${name}.log`);
    return this.#run(name, process.execPath, [program, 'start'], log, {
      ...this.#shared,
      CARILLON_HOSTNAME: name,
      CARILLON_DATA_DIR: join(this.#options.directory, name),
      CARILLON_LOG_FORMAT: 'json',
      ...settings,
    });
  }

  async #startBalancer(nodePorts) {
    const port = this.#options.port || (await freePort());
    const file = join(this.#options.directory, 'haproxy.cfg');
    writeFileSync(file, localHaproxyConfig(port, nodePorts));
    const child = this.#run(
      'haproxy',
      programs().haproxy,
      ['-f', file],
      join(this.#options.directory, 'haproxy.log'),
    );
    await Promise.race([
      once(child, 'spawn'),
      once(child, 'error').then(([error]) => {
        throw new Error(`HAProxy cannot be started: ${error.message}`);
      }),
    ]);
    this.url = `http://127.0.0.1:${port}`;
  }

  #run(name, file, args, log, environment = {}) {
    const { say } = this.#options;
    const { PATH, HOME } = process.env;
    const child = spawn(file, args, {
      env: { PATH, HOME, ...environment },
      // A process group of its own: Ctrl-C reaches this process alone, which ends the others in order.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#children.set(name, child);
    if (log !== undefined) {
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (text) => writeFileSync(log, text, { flag: 'a' }));
      }
    }
    say(`${name} starts`);
    child.once('exit', (code, signal) => {
      this.#children.delete(name);
      say(`${name} has ended${code === 0 ? '' : ` (${signal ?? `code ${code}`})`}`);
      // As `restart: unless-stopped`; a worker that was told to leave has been taken off the list.
      const isMissed = name === 'redis' || name.startsWith('primary-') || this.#workers.includes(name);
      if (this.#isStopping || !isMissed) return;
      setTimeout(() => this.#isStopping || this.#run(name, file, args, log, environment), restartAfterMs);
    });
    return child;
  }

  async #end(name, withinMs) {
    const child = this.#children.get(name);
    if (child === undefined || child.pid === undefined) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    const limit = setTimeout(() => child.kill('SIGKILL'), withinMs);
    await exited;
    clearTimeout(limit);
  }

  /** Kills a process without a chance to clean up; it is started again. */
  kill(name) {
    this.#children.get(name)?.kill('SIGKILL');
  }

  async #answers() {
    const deadline = Date.now() + startTimeoutMs;
    while (Date.now() < deadline) {
      if (!this.#children.has('haproxy')) {
        throw new Error(
          `HAProxy has ended: is the port of ${this.url} in use? ${this.#options.directory}/haproxy.log`,
        );
      }
      const answer = await fetch(`${this.url}/api/app/get_master_state/v1`, {
        headers: { 'X-API-Key': this.apiKey },
        signal: AbortSignal.timeout(2_000),
      }).catch(() => undefined);
      if (answer?.ok && (await answer.json()).code === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(
      `The API did not answer at ${this.url} within ${startTimeoutMs} ms; see ${this.#options.directory}/*.log`,
    );
  }
}

/** Resolves when the process says a text; rejects when it ends before, or takes too long. */
function says(child, text) {
  return new Promise((resolve, reject) => {
    const limit = setTimeout(
      () => reject(new Error(`${child.spawnfile} did not say '${text}'`)),
      startTimeoutMs,
    );
    const done = (settle) => (value) => {
      clearTimeout(limit);
      settle(value);
    };
    createInterface({ input: child.stdout }).on('line', (line) => line.includes(text) && done(resolve)());
    child.once('error', (error) =>
      done(reject)(new Error(`${child.spawnfile} cannot be started: ${error.message}`)),
    );
    child.once('exit', (code) =>
      done(reject)(new Error(`${child.spawnfile} ended with code ${code} while it started`)),
    );
  });
}

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
