import type { Caller } from '../caller.js';
import { ApiError, UnreachableError } from '../errors.js';
import { delay } from '../timer.js';
import type { Job } from '../types.js';
import { LogPosition } from './log-position.js';
import { type LiveSessionEnd, runLiveSession } from './live-session.js';

/** What a watcher of a job is told. All are called in order, never after the watch has ended. */
export interface WatchHandlers {
  /** The job at first, and at each change; at last the completed job. */
  onJob?(job: Job): void;
  /** New text of the log, each byte once and in order; chunks end anywhere, but not inside a character. */
  onLog?(text: string, offset: number): void;
  /** The live connection was lost and is being replaced; informative. */
  onInterruption?(reason: string): void;
}

export interface WatchOptions {
  signal?: AbortSignal;
  /** How long to look for a primary when the cluster does not answer. Defaults to 60 s. */
  deadlineMs?: number;
  /** Longest wait for the end of the job; the watch then rejects with TimedOutError. Unlimited by default. */
  timeoutMs?: number;
}

/** What the watch needs of the client. */
export interface JobSource {
  jobStatus(id: string, deadlineMs: number, signal: AbortSignal): Promise<Job>;
  jobLog(id: string, deadlineMs: number, signal: AbortSignal): Promise<Buffer>;
}

/** After the job is complete: how long to wait for the rest of its log before it is fetched. */
const lastLinesMs = 2000;

/**
 * Follows one job to its end: over the live channel while that works, else by asking for its status and log again
 * and again. Survives the loss of the connection and of the primary.
 */
export class JobWatch {
  readonly #caller: Caller;
  readonly #source: JobSource;
  readonly #id: string;
  readonly #handlers: WatchHandlers;
  readonly #deadlineMs: number;
  readonly #position = new LogPosition();
  #liveSupported = true;
  /** The log has gaps, or live updates do not come: fetch it. */
  #fetchLog = false;
  #logEnded = false;
  /** Live sessions in a row that brought no message. */
  #idleSessions = 0;

  constructor(caller: Caller, source: JobSource, id: string, handlers: WatchHandlers, deadlineMs: number) {
    this.#caller = caller;
    this.#source = source;
    this.#id = id;
    this.#handlers = handlers;
    this.#deadlineMs = deadlineMs;
  }

  /**
   * Resolves with the completed job, whether it succeeded or not. Rejects with ApiError (unknown job, key refused),
   * UnreachableError, the signal's reason, or what a handler has thrown.
   */
  async run(signal: AbortSignal): Promise<Job> {
    for (let round = 0; ; round += 1) {
      const job = await this.#source.jobStatus(this.#id, this.#deadlineMs, signal);
      if (isComplete(job)) {
        await this.#finishLog(job, signal);
        this.#handlers.onJob?.(job);
        return job;
      }
      this.#handlers.onJob?.(job);
      if (this.#fetchLog || !this.#liveSupported) await this.#readLog(false, signal);
      if (round > 0) await delay(this.#caller.settings.timer, this.#pauseMs(), signal);
      if (this.#liveSupported) await this.#watchLive(signal);
    }
  }

  /** Grows while connections bring nothing. */
  #pauseMs(): number {
    const { pollMs } = this.#caller.settings;
    return this.#liveSupported ? Math.min(pollMs, 100 * 2 ** Math.min(this.#idleSessions, 16)) : pollMs;
  }

  /** Returns when the job is complete or the connection has gone. */
  async #watchLive(signal: AbortSignal): Promise<void> {
    const { route } = this.#caller;
    let end = await this.#session(route.current(), signal);
    for (let hops = 0; end.kind === 'moved' && hops < 3; hops += 1) {
      route.moveTo(end.base);
      end = await this.#session(route.current(), signal);
    }
    if (end.kind === 'unsupported') this.#liveSupported = false;
    if (end.kind === 'lost') {
      this.#fetchLog = true;
      this.#handlers.onInterruption?.(end.reason);
    }
  }

  async #session(base: string, signal: AbortSignal): Promise<LiveSessionEnd> {
    // A handler may have aborted since: an aborted signal tells nobody any more.
    signal.throwIfAborted();
    const { settings } = this.#caller;
    // A handler may have seen enough; a signal tells only once.
    signal.throwIfAborted();
    const grace = new AbortController();
    const cleanup = { cancel: (): void => {}, forward: (): void => grace.abort(signal.reason) };
    signal.addEventListener('abort', cleanup.forward, { once: true });
    this.#position.restart();
    let completed = false;
    this.#idleSessions += 1;
    try {
      return await runLiveSession({
        base,
        apiKey: settings.apiKey,
        sessionId: settings.sessionId,
        ca: settings.ca,
        id: this.#id,
        allowInsecureRedirect: settings.allowInsecureRedirect,
        timer: settings.timer,
        signal: grace.signal,
        onEvent: (event) => {
          this.#idleSessions = 0;
          if (event.type === 'log') return this.#takeLog(event, completed);
          // A job of the live channel has the shape of get_job_status.
          const job = event.job as Job;
          if (!isComplete(job)) {
            if (job.state === 'running') this.#logEnded = false;
            this.#handlers.onJob?.(job);
            return false;
          }
          if (completed) return false;
          completed = true;
          cleanup.cancel = settings.timer.after(lastLinesMs, () => grace.abort(graceOver));
          return this.#logEnded || this.#handlers.onLog === undefined;
        },
      });
    } catch (error) {
      if (error === graceOver) return { kind: 'ended' };
      throw error;
    } finally {
      cleanup.cancel();
      signal.removeEventListener('abort', cleanup.forward);
    }
  }

  /** Answers true when the session shall end: the log of a completed job is there, or bytes are missing. */
  #takeLog(event: { offset: number; text: string; end: boolean }, completed: boolean): boolean {
    const offset = this.#position.next;
    const taken = this.#position.accept(event.offset, event.text);
    if (taken === 'gap') {
      this.#fetchLog = true;
      this.#idleSessions += 1;
      return true;
    }
    if (taken.text !== '') this.#handlers.onLog?.(taken.text, offset);
    this.#logEnded = event.end;
    return event.end && completed;
  }

  async #finishLog(job: Job, signal: AbortSignal): Promise<void> {
    const upToDate = this.#logEnded && job.log_file_size === this.#position.next;
    if (!upToDate) await this.#readLog(true, signal);
  }

  /** Reads the log as it is now. A log that is not there (yet) is no failure. */
  async #readLog(complete: boolean, signal: AbortSignal): Promise<void> {
    this.#fetchLog = false;
    if (this.#handlers.onLog === undefined) return;
    let log: Buffer;
    try {
      log = await this.#source.jobLog(this.#id, this.#deadlineMs, signal);
    } catch (error) {
      if (error instanceof ApiError || error instanceof UnreachableError) {
        this.#handlers.onInterruption?.(`Cannot read the log: ${error.message}`);
        return;
      }
      throw error;
    }
    const offset = this.#position.next;
    const text = this.#position.acceptWhole(log, complete);
    if (text !== '') this.#handlers.onLog(text, offset);
  }
}

const graceOver = new Error('The rest of the log did not come in time');
const isComplete = (job: Job): boolean => job.complete !== undefined || job.state === 'completed';
