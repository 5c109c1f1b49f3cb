import { type JobFields, type JobState } from '@carillon/contract';
import { type ActiveJob, type Cancel, type Change, viewActiveJob } from '@carillon/core';
import type { OfficeContext } from '../office/context.js';
import type { LogPiece, LogWatch } from './log-watch.js';

export type JobView = JobFields & { state: JobState };

/** What a watcher of one job hears. */
export interface JobWatcher {
  onJob(job: JobView): void;
  onLog(piece: LogPiece): void;
}

/** Tells watchers of jobs what happens to them: state, progress, samples, log. */
export class LiveHub {
  readonly #office: OfficeContext;
  readonly #logs: LogWatch;
  readonly #watchers = new Map<string, Set<JobWatcher>>();

  constructor(office: OfficeContext, logs: LogWatch) {
    this.#office = office;
    this.#logs = logs;
    office.journal.observe((changes) => this.#onChanges(changes));
  }

  /** Watches an active job; its present state is told at once. Undefined when there is no such job. */
  watchJob(id: string, watcher: JobWatcher): Cancel | undefined {
    const job = this.#office.state.jobs.get(id);
    if (job === undefined) return undefined;
    const watchers = this.#watchers.get(id) ?? new Set();
    this.#watchers.set(id, watchers.add(watcher));
    watcher.onJob(viewActiveJob(job, this.#office.clock.nowMs()));
    const endLog = this.#logs.watch(job, (piece) => watcher.onLog(piece));
    return () => {
      endLog();
      watchers.delete(watcher);
      if (watchers.size === 0) this.#watchers.delete(id);
    };
  }

  /** The live facts of a job changed. */
  onJob(job: ActiveJob): void {
    const watchers = this.#watchers.get(job.fields.id);
    if (watchers === undefined) return;
    const view = viewActiveJob(job, this.#office.clock.nowMs());
    for (const watcher of watchers) watcher.onJob(view);
  }

  #onChanges(changes: readonly Change[]): void {
    if (this.#watchers.size === 0) return;
    for (const change of changes) {
      if (change.type === 'finish') this.#finish(change.record);
      else if (change.type === 'job') this.onJob(change.job);
      else if (change.type === 'dispatch') {
        const job = this.#office.state.jobs.get(change.run.job);
        if (job !== undefined) this.onJob(job);
      }
    }
  }

  #finish(record: JobFields): void {
    const watchers = this.#watchers.get(record.id);
    this.#watchers.delete(record.id);
    for (const watcher of watchers ?? []) watcher.onJob({ ...record, state: 'completed' });
  }
}
