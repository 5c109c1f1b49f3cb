import { readdirSync, readFileSync } from 'node:fs';

/**
 * Kills every process that was started with a path below the directory: jobs of workers that were killed live on, as they
 * do anywhere else, and nobody is left to end them. Where there is no /proc it does nothing.
 */
export function endStrays(directory: string): void {
  for (const pid of processIds()) {
    if (pid === process.pid || !commandOf(pid).includes(`${directory}/`)) continue;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  }
}

function processIds(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
