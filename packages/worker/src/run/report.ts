import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { JobResult, RunRef } from '@carillon/contract';
import type {
  Cancel,
  Clock,
  JobLog,
  LogArchive,
  Logger,
  ProcessLauncher,
  ResultSink,
  ResultSpool,
  RunClaims,
} from '@carillon/core';
import { jobMarker } from './prepare.js';

const firstPauseMs = 100;
const longestPauseMs = 2000;

export interface ReportDeps {
  clock: Clock;
  logger: Logger;
  logs: JobLog;
  archive: LogArchive;
  spool: ResultSpool;
  results: ResultSink;
  claims: Pick<RunClaims, 'isCurrent'>;
  launcher: Pick<ProcessLauncher, 'killStrays'>;
  /** A result is on the disk, and not yet handed in. */
  onSpooled: (result: JobResult) => Promise<void>;
}

/**
 * Hands in results so that none is lost: first on the worker's disk, then the log into the archive, then the result on
 * the queue, for as long as it takes. A result is never on the queue before its log is stored.
 */
export class ResultReporter {
  readonly #deps: ReportDeps;
  /** Ends of pauses between attempts. */
  readonly #pauses = new Set<() => void>();
  #stopped = false;
  #stop: () => void = () => undefined;
  readonly #whenStopped: Promise<'stopped'>;

  constructor(deps: ReportDeps) {
    this.#deps = deps;
    this.#whenStopped = new Promise((resolve) => {
      this.#stop = () => resolve('stopped');
    });
  }

  /**
   * Resolves with true when the result is on the queue and nothing of it is left here; with false when the worker was
   * stopped before: the result then stays in the spool for the next boot. Never rejects.
   */
  async deliver(result: JobResult, expireSec: number): Promise<boolean> {
    const { spool, logger, onSpooled } = this.#deps;
    try {
      await spool.put(result);
      await onSpooled(result);
    } catch (error) {
      logger.log('error', 'A result cannot be spooled', { job: result.job, error: String(error) });
    }
    return this.#handInAndRemove(result, expireSec, true);
  }

  async #handInAndRemove(result: JobResult, expireSec: number, hasLog: boolean): Promise<boolean> {
    const { spool, logs, logger } = this.#deps;
    if (!(await this.#handIn(result, expireSec, hasLog))) return false;
    await Promise.all([spool.remove(result), logs.remove(result.job)]).catch((error: unknown) => {
      logger.log('warn', 'Files of a completed run cannot be removed', {
        job: result.job,
        error: String(error),
      });
    });
    return true;
  }

  /**
   * Hands in what earlier boots left, oldest first; resolves when all of that is done or the worker was stopped. The
   * results of jobs that are held are being delivered already.
   */
  async replay(expireSec: number, isHeld: (job: string) => boolean): Promise<void> {
    const { spool, logs, logger } = this.#deps;
    const results = await spool.list().catch((error: unknown) => {
      logger.log('error', 'The spool cannot be read', { error: String(error) });
      return [];
    });
    for (const result of results) {
      if (isHeld(result.job)) continue;
      // Without a local log the earlier boot got as far as removing it: what is archived must not be replaced.
      const start = await logs.read(result.job, 0, 1).catch(() => new Uint8Array(0));
      if (!(await this.#handInAndRemove(result, expireSec, start.length > 0))) return;
      logger.log('info', 'A result of an earlier boot was handed in', { job: result.job });
    }
  }

  /**
   * Cleans up after runs that died with an earlier boot and left no result, which the primary ends: whatever still
   * runs of them is killed, so that it cannot meet the job's next run, and their logs are stored. For after the
   * replay and before the first run. Jobs that are held go on. What fails is left for the next boot.
   */
  async buryLostRuns(node: string, expireSec: number, isHeld: (job: string) => boolean): Promise<void> {
    const { logs, logger } = this.#deps;
    const warn = (error: unknown): void =>
      logger.log('warn', 'Logs of an earlier boot cannot be stored yet', { error: String(error) });
    const jobs = await logs.list().catch((error: unknown) => {
      warn(error);
      return [];
    });
    for (const job of jobs) {
      if (this.#stopped) return;
      if (!isHeld(job)) await this.#bury(node, job, expireSec).catch(warn);
    }
  }

  async #bury(node: string, job: string, expireSec: number): Promise<void> {
    const { logs, archive, launcher } = this.#deps;
    const standing = await compareLogs(logs, job, await archive.get(job));
    // What the archive has was handed in, only its file was not removed any more.
    if (standing !== 'contained') {
      await launcher.killStrays(jobMarker(node, job), 'prefix');
      // A log that differs is of an attempt elsewhere, which came after the lost one.
      if (standing === 'continues') await this.#archive(job, expireSec);
    }
    await logs.remove(job);
  }

  /** Gives up waiting: results not yet handed in stay in the spool. */
  stop(): void {
    this.#stopped = true;
    this.#stop();
    for (const wake of this.#pauses) wake();
  }

  async #handIn(result: JobResult, expireSec: number, hasLog: boolean): Promise<boolean> {
    let pauseMs = firstPauseMs;
    const progress = { archived: !hasLog };
    while (!this.#stopped) {
      try {
        // A store that never answers must not hold up a worker that is stopping.
        const end = await Promise.race([this.#attempt(result, expireSec, progress), this.#whenStopped]);
        return end !== 'stopped';
      } catch (error) {
        const level = pauseMs === firstPauseMs ? 'warn' : 'debug';
        this.#deps.logger.log(level, 'A result cannot be handed in yet', {
          job: result.job,
          error: String(error),
        });
      }
      await this.#pause(pauseMs);
      pauseMs = Math.min(longestPauseMs, pauseMs * 2);
    }
    return false;
  }

  async #attempt(result: JobResult, expireSec: number, progress: { archived: boolean }): Promise<void> {
    if (!progress.archived && (await this.#isLogWanted(result))) await this.#archive(result.job, expireSec);
    progress.archived = true;
    await this.#deps.results.addResult(result);
  }

  /**
   * A worker that was cut off for long may come late: when the job has ended without it, or is at another attempt, its
   * log must not replace a newer one.
   */
  async #isLogWanted(run: RunRef): Promise<boolean> {
    const { claims, archive } = this.#deps;
    return (await claims.isCurrent(run)) || (await archive.get(run.job)) === undefined;
  }

  /** A local log that cannot be read is given up: the result matters more. */
  async #archive(job: string, expireSec: number): Promise<void> {
    const { logs, archive, logger } = this.#deps;
    let unreadable: unknown;
    const bytes = async function* (): AsyncGenerator<Uint8Array> {
      try {
        yield* logs.compressed(job);
      } catch (error) {
        unreadable = error;
        throw error;
      }
    };
    try {
      await archive.put(job, bytes(), expireSec);
    } catch (error) {
      if (unreadable === undefined) throw error;
      logger.log('error', 'The log of a run cannot be read', { job, error: String(unreadable) });
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      let cancel: Cancel = () => undefined;
      const wake = (): void => {
        cancel();
        this.#pauses.delete(wake);
        resolve();
      };
      cancel = this.#deps.clock.after(ms, wake);
      this.#pauses.add(wake);
    });
  }
}

/**
 * How the log of a job here stands to the one in the archive, where none counts as an empty one that was never stored.
 * Rejects when the archived one is not whole.
 */
async function compareLogs(
  logs: JobLog,
  job: string,
  archived: AsyncIterable<Uint8Array> | undefined,
): Promise<'contained' | 'continues' | 'differs'> {
  if (archived === undefined) return 'continues';
  let bytes = 0;
  let differs = false;
  await pipeline(
    Readable.from(archived, { objectMode: false }),
    createGunzip(),
    async (chunks: AsyncIterable<Uint8Array>) => {
      for await (const chunk of chunks) {
        const own = await logs.read(job, bytes, chunk.length);
        differs ||= Buffer.compare(own, chunk.subarray(0, own.length)) !== 0;
        bytes += chunk.length;
      }
    },
  );
  if (differs) return 'differs';
  return (await logs.read(job, bytes, 1)).length > 0 ? 'continues' : 'contained';
}
