import type { TableName } from '@carillon/core';

/**
 * Every key and channel name of the durable state. All share one hash tag, so that scripts may use several of
 * them in a Redis Cluster.
 */
export interface KeySpace {
  /** What all keys start with, hash tag included. */
  readonly root: string;
  /** Token of the present holder of the lease; expires with it. */
  readonly lease: string;
  /** Present term; grows for ever, never expires. */
  readonly term: string;
  /** JSON of the present or latest holder. */
  readonly primary: string;
  /** Channel on which changes of the holder are announced. */
  readonly announcements: string;
  /** Hash: session and number of the last commit. */
  readonly sequence: string;
  /** Counts the loads of the state, so that each gets a number of its own. */
  readonly loads: string;
  /** Hash of a table: id → `seq JSON`. */
  table(name: TableName): string;
  /** Hash: `enabled`, `tick_minute`, `stats_day`, `expire_days`. */
  readonly master: string;
  /** Hash: event → minute. */
  readonly cursors: string;
  /** Hash: event → JSON list of minutes. */
  readonly redos: string;
  /** Hash: event → index. */
  readonly robins: string;
  /** Hash of active jobs: id → JSON. */
  readonly jobs: string;
  /** Hash: id → JSON `[attempt, node]` of a dispatch newer than the stored job. */
  readonly dispatches: string;
  /** Hash of runs: job id → run entry. */
  readonly runs: string;
  /** A completed job as JSON; expires. */
  job(id: string): string;
  /** List of JSON rows, newest first. */
  readonly history: string;
  historyOf(event: string): string;
  readonly activity: string;
  /** Hash of web hooks and e-mails on their way: id → JSON. */
  readonly deliveries: string;
  /** List of JSON rows of those that are over, newest first. */
  readonly deliveryRows: string;
  /** Hash of changes put aside for one commit: number → JSON; expires. */
  stage(name: string): string;
  /** Copy of a list, by its key; expires. */
  copy(name: string, list: string): string;
  /** Hash of the totals of one day (YYYY-MM-DD); expires. */
  stats(day: string): string;
  /** Counts the questions whether replicas have what was written. */
  readonly confirmation: string;
  /** Written by the health check; expires. */
  readonly health: string;
}

/**
 * The key names under a prefix: `carillon` gives `{carillon}:events` and so on. A prefix that has its own hash
 * tag is used as it is. Throws RangeError for an empty prefix or one with other characters than letters,
 * digits and `_ . : -`.
 */
export function keySpace(prefix = 'carillon'): KeySpace {
  if (!/^(?:[\w.:-]+|[\w.:-]*\{[\w.:-]+\}[\w.:-]*)$/.test(prefix)) {
    throw new RangeError(`Not a usable Redis key prefix: ${JSON.stringify(prefix)}`);
  }
  const root = prefix.includes('{') ? prefix : `{${prefix}}`;
  const name = (rest: string) => `${root}:${rest}`;
  return {
    root,
    lease: name('lease'),
    term: name('term'),
    primary: name('primary'),
    announcements: name('announcements'),
    sequence: name('sequence'),
    loads: name('loads'),
    table: (table) => name(table),
    master: name('master'),
    cursors: name('cursors'),
    redos: name('redos'),
    robins: name('robins'),
    jobs: name('jobs'),
    dispatches: name('dispatches'),
    runs: name('runs'),
    job: (id) => name(`job:${id}`),
    history: name('history'),
    historyOf: (event) => name(`history:${event}`),
    activity: name('activity'),
    deliveries: name('deliveries'),
    deliveryRows: name('delivery-rows'),
    stage: (stage) => name(`stage:${stage}`),
    copy: (copy, list) => name(`copy:${copy}:${list.slice(root.length + 1)}`),
    stats: (day) => name(`stats:${day}`),
    confirmation: name('confirmation'),
    health: name('health'),
  };
}
