import { readFileSync, readlinkSync } from 'node:fs';

/** What tells one process from a later one with the same id. */
export interface ProcessIdentity {
  pid: number;
  /** Start of the process since boot, in clock ticks; '' where the system does not tell. */
  startTicks: string;
  /** Boot and process id name space; pids of another one mean nothing here. '' where unknown. */
  space: string;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}

/** State letter and start time of a process (proc(5), fields 3 and 22), or undefined when not to be had. */
function readStat(pid: number): { state: string; startTicks: string } | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  // The name, in parentheses, may contain anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state = ''] = fields;
  return state === '' ? undefined : { state, startTicks: fields[19] ?? '' };
}

/** The name space that pids of this process belong to. */
export function pidSpace(): string {
  let space = '';
  try {
    space = readlinkSync('/proc/self/ns/pid');
  } catch {
    // Not Linux.
  }
  return `${readText('/proc/sys/kernel/random/boot_id')} ${space}`.trim();
}

/** Identity of a process of this name space. */
export function identify(pid: number): ProcessIdentity {
  return { pid, startTicks: readStat(pid)?.startTicks ?? '', space: pidSpace() };
}

/** Whether a process with this id exists and is not a zombie. */
export function isPidAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // No permission means that it exists.
    if (!(typeof error === 'object' && error !== null && 'code' in error && error.code === 'EPERM'))
      return false;
  }
  return readStat(pid)?.state !== 'Z';
}

/** Whether exactly this process still runs; only for processes of this name space. */
export function isProcessAlive(identity: ProcessIdentity): boolean {
  if (!isPidAlive(identity.pid)) return false;
  const startTicks = readStat(identity.pid)?.startTicks ?? '';
  return startTicks === '' || identity.startTicks === '' || startTicks === identity.startTicks;
}

/** The command line of a process, words separated by blanks; '' when unknown. */
export function commandLine(pid: number): string {
  return readText(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
}
