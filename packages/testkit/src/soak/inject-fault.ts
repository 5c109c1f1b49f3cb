import { setTimeout as delay } from 'node:timers/promises';
import type { FaultyCluster, FaultyNode } from '../cluster/index.js';
import type { Fault } from './plan-faults.js';

/** Longer than any drain of a soak, with room for a slow machine. */
const stopWithinMs = 30_000;

/** Does what the fault says, and answers how to undo it. */
export async function injectFault(cluster: FaultyCluster, fault: Fault): Promise<() => Promise<void> | void> {
  const worker = cluster.workers[fault.worker % Math.max(1, cluster.workers.length)];
  switch (fault.kind) {
    case 'leader killed':
      return killed(cluster.leader);
    case 'standby killed':
      return killed(cluster.standby);
    case 'worker killed':
      return worker === undefined ? nothing : killed(worker);
    case 'leader stopped':
      return stopped(cluster.leader);
    case 'worker stopped':
      return worker === undefined ? nothing : stopped(worker);
    case 'leader paused':
      return paused(cluster.leader);
    case 'worker paused':
      return worker === undefined ? nothing : paused(worker);
    case 'leader cut from Redis':
      cluster.leader.toRedis.cut();
      return () => cluster.mend();
    case 'leader frozen towards Redis':
      cluster.leader.toRedis.freeze();
      return () => cluster.mend();
    case 'workers cut from primaries':
      cluster.cutFromPrimaries();
      return () => cluster.mend();
    case 'worker cut off':
      if (worker !== undefined) cluster.cutOff(worker);
      return () => cluster.mend();
    case 'Redis killed':
      await cluster.cluster.redis.kill9();
      return () => cluster.cluster.redis.restart();
    case 'Redis restarted':
      await cluster.cluster.redis.shutDown();
      return () => cluster.cluster.redis.restart();
  }
}

const nothing = (): void => undefined;

async function killed({ process }: FaultyNode): Promise<() => void> {
  await process.kill9();
  return () => process.start();
}

async function stopped({ process }: FaultyNode): Promise<() => void> {
  const limit = new AbortController();
  const late = delay(stopWithinMs, 'late', limit);
  if ((await Promise.race([process.stop(), late])) === 'late') {
    throw new Error(`${process.name} did not stop within ${stopWithinMs} ms`);
  }
  late.catch(() => undefined);
  limit.abort();
  return () => process.start();
}

function paused({ process }: FaultyNode): () => void {
  process.pause();
  return () => process.resume();
}
