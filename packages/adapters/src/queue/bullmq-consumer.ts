import type { Cancel, Clock, Consumer } from '@carillon/core';
import { type Job, Worker } from 'bullmq';
import { Cluster, Redis } from 'ioredis';
import type { RationedLog } from '../logger/rationed-log.js';

/** How soon a message comes again. */
export interface RedeliverySettings {
  /** A message whose consumer died comes again after at most this time plus two checks. */
  lockMs: number;
  /** Between looks for messages whose consumer died. */
  checkMs: number;
  /** First wait after a handler rejected; doubled each time. */
  firstRetryMs: number;
  longestRetryMs: number;
  /** A close that takes longer cuts the connections; what was in progress comes again. */
  closeMs: number;
}

export const defaultRedelivery: RedeliverySettings = {
  lockMs: 5_000,
  checkMs: 1_000,
  firstRetryMs: 100,
  longestRetryMs: 5_000,
  closeMs: 4_500,
};

export interface BullmqConsumerOptions<Message> {
  queue: string;
  prefix: string;
  concurrency: number;
  handler: (message: Message) => Promise<void>;
  /** Pattern for this consumer's own connections; not used itself. */
  connection: Redis | Cluster;
  redelivery: RedeliverySettings;
  clock: Clock;
  log: RationedLog;
}

/** Wait after a lost connection; BullMQ's own are 5 and 15 s. */
const reconnectMs = 250;

/** BullMQ's worker, which can also be given up while Redis is away: its own `close` waits for Redis then. */
class AbandonableWorker<Message> extends Worker<Message, void> {
  /** No loop, timer or retry goes on; call when no handler is in progress or they are not to be waited for. */
  abandon(): void {
    this.closing ??= Promise.resolve();
    this.lockManager.close().catch(() => undefined);
  }

  protected override checkConnectionError<T>(task: () => Promise<T>): Promise<T | undefined> {
    return super.checkConnectionError(task, reconnectMs);
  }
}

/** BullMQ gives up on a message only after this many losses; in practice never. */
const never = 1_000_000_000;

/**
 * Takes messages of one queue until closed, on connections of its own. A message handed out twice while its first
 * handler is still in progress joins that handler instead of starting another: a process that was frozen for longer
 * than the lock gets its own messages again.
 */
export class BullmqConsumer<Message> implements Consumer {
  readonly #options: BullmqConsumerOptions<Message>;
  readonly #connections: (Redis | Cluster)[] = [];
  readonly #inProgress = new Map<string, Promise<void>>();
  readonly #worker: AbandonableWorker<Message>;
  #closed: Promise<void> | undefined;

  constructor(options: BullmqConsumerOptions<Message>) {
    this.#options = options;
    const { redelivery, log } = options;
    this.#worker = new AbandonableWorker<Message>(options.queue, (job) => this.#handle(job), {
      connection: this.#open(options.connection),
      prefix: options.prefix,
      concurrency: options.concurrency,
      lockDuration: redelivery.lockMs,
      stalledInterval: redelivery.checkMs,
      maxStalledCount: never,
      runRetryDelay: reconnectMs,
      settings: {
        backoffStrategy: (attempts) =>
          Math.min(redelivery.longestRetryMs, redelivery.firstRetryMs * 2 ** Math.min(attempts - 1, 30)),
      },
    });
    this.#worker.on('error', (error) =>
      log.report('warn', `Queue ${options.queue}: trouble with Redis`, error),
    );
    this.#worker.on('failed', (_job, error) =>
      log.report('warn', `Queue ${options.queue}: a handler failed; its message comes again`, error),
    );
    this.#worker.on('stalled', (id) =>
      log.report('info', `Queue ${options.queue}: a message of a lost consumer comes again`, id),
    );
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** BullMQ duplicates what it is given for its blocking reads; both are recorded, to be cut at the end. */
  #open(pattern: Redis | Cluster): Redis | Cluster {
    const opened = pattern instanceof Cluster ? pattern.duplicate() : pattern.duplicate();
    this.#track(opened);
    const duplicate: unknown = Reflect.get(opened, 'duplicate');
    if (typeof duplicate !== 'function') return opened;
    const record = (...settings: unknown[]): unknown => {
      const copy: unknown = Reflect.apply(duplicate, opened, settings);
      if (copy instanceof Redis || copy instanceof Cluster) this.#track(copy);
      return copy;
    };
    // Configurable, because BullMQ puts a proxy before it that answers differently.
    Object.defineProperty(opened, 'duplicate', { value: record, configurable: true, writable: true });
    return opened;
  }

  #track(connection: Redis | Cluster): void {
    // Not 0: BullMQ adds to the limit.
    connection.setMaxListeners(Number.POSITIVE_INFINITY);
    // BullMQ reports the error; without a listener after its close the process would end.
    connection.on('error', () => undefined);
    this.#connections.push(connection);
  }

  #handle(job: Job<Message, void>): Promise<void> {
    const id = job.id ?? '';
    const running = this.#inProgress.get(id);
    if (running !== undefined) {
      const { log, queue } = this.#options;
      log.report('debug', `Queue ${queue}: a message came twice and joins its handler`, id);
      return running;
    }
    const started = this.#options.handler(job.data).finally(() => this.#inProgress.delete(id));
    this.#inProgress.set(id, started);
    return started;
  }

  async #close(): Promise<void> {
    const { clock, redelivery, log, queue } = this.#options;
    let cancel: Cancel | undefined;
    const timeUp = new Promise<'late'>((resolve) => {
      cancel = clock.after(redelivery.closeMs, () => resolve('late'));
    });
    // BullMQ's close would wait for connections that are not there.
    const isConnected = this.#connections.every(({ status }) => status === 'ready' || status === 'connect');
    const ended = isConnected ? this.#worker.close() : Promise.allSettled(this.#inProgress.values());
    if ((await Promise.race([ended, timeUp])) === 'late') {
      log.report(
        'warn',
        `Queue ${queue}: closed without waiting any longer`,
        'handlers or Redis are too slow',
      );
    }
    cancel?.();
    this.#worker.abandon();
    for (const connection of this.#connections) endConnection(connection);
  }
}

/** Ends a connection in whatever state it is, without leaving more behind than an attempt to connect. */
function endConnection(connection: Redis | Cluster): void {
  // BullMQ connects a blocking connection once more, after its end, when its read was overdue as this was called; one
  // that stayed would keep the process alive.
  connection.on('ready', () => connection.disconnect());
  if (connection.status === 'end') return;
  if (connection instanceof Redis && connection.status === 'reconnecting') {
    // A disconnect now would leave its commands pending for ever. The next attempt is the last, and rejects them.
    connection.options.retryStrategy = () => null;
  } else connection.disconnect();
}
