import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkRun, type RunRecords, type Verdict } from '../checker/index.js';
import { FaultyCluster } from '../cluster/index.js';
import { type RedisShape, redisShape } from '../redis/index.js';
import { type Failover, type InjectedFault, SoakRun } from './soak-run.js';

export interface SoakOptions {
  seed: number;
  minutes: number;
  /** Scheduled events of each kind; defaults to 2. */
  each?: number;
  primaries?: number;
  workers?: number;
  /** Life of a lease; defaults to 1500, which a machine that does much else cannot keep up. */
  leaseTtlMs?: number;
  /** Clients that write at the same time; defaults to 3. */
  lanes?: number;
  /** What Redis it runs on; any but `plain` takes namespaces. Defaults to what CARILLON_TEST_REDIS says. */
  shape?: RedisShape;
  /** Each node and Redis in a network namespace of its own (`FaultyClusterOptions`). */
  namespaces?: boolean;
  /** Gets each fault as it is injected, and other progress. */
  tell?: (line: string) => void;
}

export interface SoakReport extends Verdict {
  seed: number;
  minutes: number;
  passed: boolean;
  faults: InjectedFault[];
  failovers: Failover[];
  /** Terms that began, and commits that were seen. */
  terms: number;
  commits: number;
  /** Calls of the clients by what became of them. */
  calls: Record<string, number>;
  /** Answers that no fault explains. */
  oddAnswers: string[];
  /** Where logs and records are kept after a failure. */
  kept?: string;
}

/** One that may become the primary and one worker have wrong clocks. */
const clocksAheadMs = { p2: 1_800_000, w2: -3_600_000 };
const peerSettings = { dead_job_timeout: 8, child_kill_timeout: 1 };

/**
 * Runs clients and random faults on a cluster of real processes, and checks what it leaves. The faults follow from the
 * seed; when they strike the cluster does not. Keeps logs and records in a directory when anything is wrong.
 */
export async function runSoak(options: SoakOptions): Promise<SoakReport> {
  const { seed, minutes, each = 2, primaries = 2, workers = 3, lanes = 3, tell = () => undefined } = options;
  const { leaseTtlMs = 1_500, namespaces = false, shape = redisShape() } = options;
  const environment = { CARILLON_LEASE_TTL_MS: String(leaseTtlMs), CARILLON_DRAIN_GRACE: '2' };
  const cluster = await FaultyCluster.start({
    primaries,
    workers,
    environment,
    peerSettings,
    clocksAheadMs,
    namespaces,
    shape,
    cutsFromRedis: true,
  });
  try {
    const run = new SoakRun(cluster, { seed, durationMs: minutes * 60_000, each, lanes, tell });
    const records = await run.run().catch(async (error: unknown) => {
      throw new Error(`The soak could not be finished; logs are in ${await keep(cluster, seed)}`, {
        cause: error,
      });
    });
    const verdict = checkRun(records);
    const { oddAnswers, fates } = run.ledger;
    const report: SoakReport = {
      seed,
      minutes,
      passed: verdict.violations.length === 0 && oddAnswers.length === 0,
      ...verdict,
      faults: run.faults,
      failovers: run.failovers,
      terms: records.terms,
      commits: records.commits,
      calls: fates,
      oddAnswers,
    };
    if (!report.passed) report.kept = await keep(cluster, seed, records);
    return report;
  } finally {
    await cluster.close();
  }
}

async function keep(cluster: FaultyCluster, seed: number, records?: RunRecords): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), `carillon-soak-${seed}-`));
  for (const { process } of cluster.nodes) {
    await writeFile(join(directory, `${process.name}.log`), process.output);
  }
  if (records !== undefined)
    await writeFile(join(directory, 'records.json'), JSON.stringify(records, null, 1));
  return directory;
}
