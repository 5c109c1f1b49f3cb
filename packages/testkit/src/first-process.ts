import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe } from '@jest/globals';

/** Runs a command as the first process of a namespace of its own, as containers do, and ends it when it is ended itself. */
export const asFirstProcess: readonly string[] = ['unshare', '--pid', '--fork', '--kill-child'];

/** The id, out here, of what `asFirstProcess` runs; `pid` is its own. */
export function firstProcessOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
}

/** A group of tests that need `asFirstProcess`; where it cannot be had it is skipped and says so, as `describeInNamespaces`. */
export function describeAsFirstProcess(name: string, tests: () => void): void {
  const [command = '', ...args] = asFirstProcess;
  if (spawnSync(command, [...args, 'true']).status === 0) {
    describe(name, tests);
    return;
  }
  const reason = 'needs the right to make process namespaces';
  process.stderr.write(`Skipped, because it ${reason}: ${name}\n`);
  describe.skip(`${name} (skipped: ${reason})`, tests);
}
