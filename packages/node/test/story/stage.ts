import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CarillonClient } from '@carillon/client';
import {
  FaultyCluster,
  type FaultyClusterOptions,
  type JobLine,
  JobRecords,
  jobScript,
  readLines,
} from '@carillon/testkit';

type LiveJob = Parameters<Parameters<CarillonClient['watchJob']>[1]['onJob'] & object>[0];

/** What most stories need: a cluster with faults, a client, and the lines that jobs write. */
export class Stage {
  readonly faulty: FaultyCluster;
  readonly client: CarillonClient;
  readonly #records: JobRecords;

  private constructor(faulty: FaultyCluster) {
    this.faulty = faulty;
    this.client = faulty.client();
    this.#records = new JobRecords(faulty.cluster.directory, 'lines');
  }

  /** Leases of a second, and workers that are lost after `dead_job_timeout` = 5 s of silence. */
  static async set(options: FaultyClusterOptions): Promise<Stage> {
    const { environment, peerSettings, ...rest } = options;
    const faulty = await FaultyCluster.start({
      ...rest,
      environment: { CARILLON_LEASE_TTL_MS: '1000', ...environment },
      peerSettings: { dead_job_timeout: 5, child_kill_timeout: 1, ...peerSettings },
    });
    return new Stage(faulty);
  }

  /** Creates an event whose jobs write their two lines at once. */
  quick(more: Record<string, unknown> = {}): Promise<string> {
    return this.#create(jobScript({ path: this.#records.path, lastsMs: 0 }), more);
  }

  /** Creates an event whose jobs take that long. */
  lasting(lastsMs: number, more: Record<string, unknown> = {}): Promise<string> {
    return this.#create(jobScript({ path: this.#records.path, lastsMs }), more);
  }

  /** Creates an event whose jobs end when `release` is called with its flag. */
  held(flag: string, more: Record<string, unknown> = {}, retries = 0): Promise<string> {
    const wait = `until [ -e '${this.#flag(flag)}' ]; do sleep 0.05; done\n`;
    const script = jobScript({ path: this.#records.path, lastsMs: 0, retries });
    return this.#create(script.replace(/^echo "end/m, `${wait}echo "end`), { retries, ...more });
  }

  release(flag: string): void {
    writeFileSync(this.#flag(flag), '');
  }

  /** Runs an event so many times; answers the ids of the jobs. */
  async run(event: string, times = 1, client = this.client): Promise<string[]> {
    const answers = await Promise.all(Array.from({ length: times }, () => client.runEvent({ id: event })));
    return answers.flatMap(({ ids }) => ids);
  }

  get lines(): JobLine[] {
    return readLines(this.#records.read());
  }

  /** Resolves when so many lines of one kind have been written. */
  async waitForLines(at: JobLine['at'], count: number): Promise<void> {
    await this.#records.waitFor((records) => records.filter(([kind]) => kind === at).length >= count);
  }

  /** The job as soon as it is seen like that; rejects when it ends without. */
  async seen(id: string, like: (job: LiveJob) => boolean): Promise<LiveJob> {
    const over = new AbortController();
    let found: LiveJob | undefined;
    const onJob = (job: LiveJob): void => {
      if (!like(job)) return;
      found ??= job;
      over.abort();
    };
    await this.client.watchJob(id, { onJob }, { signal: over.signal }).catch((error: unknown) => {
      if (!over.signal.aborted) throw error;
    });
    if (found === undefined) throw new Error(`Job ${id} has ended`);
    return found;
  }

  /** Codes of jobs in the order given, after they have ended; each must have exactly one row in the history. */
  async codesOf(ids: readonly string[]): Promise<(number | string)[]> {
    for (const id of ids) await this.client.waitForJob(id);
    const rows = new Map<string, (number | string)[]>();
    for await (const { id, code } of this.client.history()) rows.set(id, [...(rows.get(id) ?? []), code]);
    return ids.map((id) => {
      const codes = rows.get(id) ?? [];
      return codes.length === 1 ? (codes[0] ?? '') : `${codes.length} rows`;
    });
  }

  async clear(): Promise<void> {
    this.#records.close();
    await this.faulty.close();
  }

  #flag(name: string): string {
    return join(this.faulty.cluster.directory, `flag-${name}`);
  }

  async #create(script: string, more: Record<string, unknown>): Promise<string> {
    const base = { title: 'Story', enabled: 1, category: 'general', plugin: 'shellplug', target: 'allgrp' };
    return (await this.client.createEvent({ ...base, params: { script }, ...more })).id;
  }
}
