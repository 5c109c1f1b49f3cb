import { execFileSync } from 'node:child_process';
import fs from 'node:fs';

const everyMs = 100;
const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK']));

/**
 * Watches processes, given by name, until `stop`. That answers for each the processor time in percent of one core, and
 * the resident memory at the start, the highest seen and at the end, in MB of 1,000,000 bytes. Their children do not
 * count. `stop` throws when one of them has gone.
 */
export function watchProcesses(pids) {
  const startedMs = performance.now();
  const before = Object.entries(pids).map(([name, pid]) => ({ name, pid, ...usage(name, pid) }));
  const peak = new Map(before.map(({ name, rssMb }) => [name, rssMb]));
  const look = () => {
    for (const [name, pid] of Object.entries(pids)) {
      peak.set(name, Math.max(peak.get(name), usage(name, pid).rssMb));
    }
  };
  let failure;
  const timer = setInterval(() => {
    try {
      look();
    } catch (error) {
      failure ??= error;
    }
  }, everyMs);
  const stop = () => {
    clearInterval(timer);
    if (failure !== undefined) throw failure;
    look();
    const seconds = (performance.now() - startedMs) / 1000;
    const rows = before.map(({ name, pid, cpuSec, rssMb }) => {
      const after = usage(name, pid);
      const figures = {
        cpu_percent_of_a_core: round((100 * (after.cpuSec - cpuSec)) / seconds),
        rss_start_mb: round(rssMb),
        rss_peak_mb: round(peak.get(name)),
        rss_end_mb: round(after.rssMb),
        rss_growth_mb: round(peak.get(name) - rssMb),
      };
      return [name, figures];
    });
    return Object.fromEntries(rows);
  };
  return { stop, cancel: () => clearInterval(timer) };
}

function usage(name, pid) {
  if (!fs.existsSync(`/proc/${pid}`)) throw new Error(`The ${name} (process ${pid}) has ended`);
  // After the name in parentheses, which may hold anything: state is the first field, user and system time 12 and 13.
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const rss = /^VmRSS:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'latin1'));
  if (rss === null) throw new Error(`The ${name} (process ${pid}) has ended`);
  return {
    cpuSec: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
    rssMb: (Number(rss[1]) * 1024) / 1e6,
  };
}

/** One digit after the point. */
export const round = (value) => Math.round(value * 10) / 10;
