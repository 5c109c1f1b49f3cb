import { describe, expect, test } from '@jest/globals';
import { MemoryLogger } from '@carillon/adapters';
import type { DrainRequest } from '@carillon/worker';
import { OwnWorker } from '../../src/worker/own-worker.js';
import { settings } from './worker-fixtures.js';

/** Workers whose drains end when the test says so. */
class Workshop {
  readonly started: ((request: DrainRequest) => void)[] = [];
  /** Grace periods in order. */
  readonly drains: number[] = [];
  failure: Error | undefined;
  #finish: () => void = () => undefined;
  #finished: Promise<void> = Promise.resolve();
  readonly worker = new OwnWorker(settings, new MemoryLogger(), async (_settings, _log, onDrainRequested) => {
    if (this.failure !== undefined) throw this.failure;
    this.started.push(onDrainRequested);
    this.#finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
    const finished = this.#finished;
    return {
      drain: (graceMs) => {
        this.drains.push(graceMs);
        return finished;
      },
    };
  });

  async finish(): Promise<void> {
    this.#finish();
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  }

  async hasEnded(): Promise<boolean> {
    return Promise.race([this.worker.whenEnded.then(() => true), Promise.resolve(false)]);
  }
}

describe('a worker that is drained by request', () => {
  test('ends for good', async () => {
    const shop = new Workshop();
    await shop.worker.start();
    shop.started[0]?.({ restart: false });
    expect(shop.drains).toEqual([settings.drainGraceMs]);
    expect(await shop.hasEnded()).toBe(false);
    await shop.finish();
    await shop.worker.whenEnded;
    expect(shop.started).toHaveLength(1);
  });

  test('or is followed by another, which can be drained in its turn', async () => {
    const shop = new Workshop();
    await shop.worker.start();
    shop.started[0]?.({ restart: true, graceSec: 5 });
    // A repeat changes nothing.
    shop.started[0]?.({ restart: false });
    await shop.finish();
    expect(shop.drains).toEqual([5000]);
    expect(shop.started).toHaveLength(2);
    shop.started[1]?.({ restart: false, graceSec: 0 });
    await shop.finish();
    await shop.worker.whenEnded;
    expect(shop.drains).toEqual([5000, 0]);
  });

  test('is not started again when the node stops meanwhile', async () => {
    const shop = new Workshop();
    await shop.worker.start();
    shop.started[0]?.({ restart: true });
    const stopped = shop.worker.stop();
    await shop.finish();
    await stopped;
    expect(shop.started).toHaveLength(1);
  });

  test('ends the node when it cannot be started again', async () => {
    const shop = new Workshop();
    await shop.worker.start();
    shop.failure = new Error('directory in use');
    shop.started[0]?.({ restart: true });
    await shop.finish();
    await shop.worker.whenEnded;
    await shop.worker.stop();
  });
});
