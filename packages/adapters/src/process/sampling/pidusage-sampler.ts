import pidusage from 'pidusage';
import type { ProcessSampler, TreeSample } from '@carillon/core';

/** Samples by pidusage, for systems without /proc: the root process of each tree only. */
export class PidusageSampler implements ProcessSampler {
  #known = new Set<number>();

  async sample(pids: readonly number[]): Promise<Map<number, TreeSample>> {
    const samples = new Map<number, TreeSample>();
    if (pids.length === 0) return samples;
    const known = new Set<number>();
    // Rejects when every process is gone; a process that is gone among others has no entry.
    const stats = await pidusage([...pids]).catch(() => ({}));
    for (const [key, stat] of Object.entries(stats)) {
      const pid = Number(key);
      if (!isStat(stat)) continue;
      known.add(pid);
      // The first value would be an average since the start of the process.
      samples.set(pid, { ...(this.#known.has(pid) ? { cpu: stat.cpu } : {}), mem: stat.memory });
    }
    this.#known = known;
    return samples;
  }
}

function isStat(value: unknown): value is { cpu: number; memory: number } {
  return typeof value === 'object' && value !== null && 'cpu' in value && 'memory' in value;
}
