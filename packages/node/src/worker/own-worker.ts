import type { Logger } from '@carillon/core';
import type { DrainRequest } from '@carillon/worker';
import type { WorkerRole } from './start-worker.js';
import type { WorkerSettings } from './worker-settings.js';

export type WorkerStarter = (
  settings: WorkerSettings,
  log: Logger,
  onDrainRequested: (request: DrainRequest) => void,
) => Promise<WorkerRole>;

/**
 * The worker of a node that has no other role: it runs in the node's own process. A restart that the primary asks for
 * starts another worker in its place.
 */
export class OwnWorker {
  /** Resolves when the primary asked the worker to end for good, and it has. */
  readonly whenEnded: Promise<void>;
  readonly #settings: WorkerSettings;
  readonly #log: Logger;
  readonly #startWorker: WorkerStarter;
  #ended: () => void = () => undefined;
  #worker: WorkerRole | undefined;
  #isStopping = false;
  #leaving: Promise<void> | undefined;

  constructor(settings: WorkerSettings, log: Logger, startWorker: WorkerStarter) {
    this.#settings = settings;
    this.#log = log;
    this.#startWorker = startWorker;
    this.whenEnded = new Promise((resolve) => {
      this.#ended = resolve;
    });
  }

  /** Rejects when the worker's directories cannot be used. */
  async start(): Promise<void> {
    this.#worker = await this.#startWorker(this.#settings, this.#log, (request) => {
      if (this.#isStopping || this.#leaving !== undefined) return;
      this.#leaving = this.#leave(request).catch((error: unknown) => {
        this.#log.log('error', 'The worker could not be started again', { error: String(error) });
        this.#ended();
      });
    });
  }

  /** Drains within the usual grace period, or a shorter one that is under way. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    const leaving = this.#leaving;
    await this.#worker?.drain(this.#settings.drainGraceMs);
    await leaving;
  }

  hasten(): void {
    void this.#worker?.drain(0);
  }

  async #leave({ restart, graceSec }: DrainRequest): Promise<void> {
    const graceMs = graceSec === undefined ? this.#settings.drainGraceMs : graceSec * 1000;
    await this.#worker?.drain(graceMs);
    this.#log.log('info', 'The worker has been drained by request', { restart });
    if (this.#isStopping) return;
    if (!restart) {
      this.#ended();
      return;
    }
    await this.start();
    this.#leaving = undefined;
    // Asked for while the new one was being started.
    if (this.#isStopping) await this.#worker?.drain(this.#settings.drainGraceMs);
  }
}
