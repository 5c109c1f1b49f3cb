import { readdirSync, readFileSync } from 'node:fs';

/**
 * Pids of all processes whose environment has this variable with exactly this value, or one that starts with it, on
 * systems with /proc; processes of other users are only visible to root. One synchronous pass.
 */
export function findMarked(name: string, value: string, match: 'exact' | 'prefix'): number[] {
  const entry = Buffer.from(match === 'exact' ? `${name}=${value}\0` : `${name}=${value}`);
  const found: number[] = [];
  for (const pid of processIds()) {
    if (pid === process.pid) continue;
    const environment = readEnvironment(pid);
    const at = environment.indexOf(entry);
    if (at === 0 || (at > 0 && environment[at - 1] === 0)) found.push(pid);
  }
  return found;
}

/**
 * True when some process of the group is more than a zombie. Zombies that nobody collects (a container without an init
 * process) would make a group look alive for ever. Undefined on systems without /proc.
 */
export function hasLiveMember(group: number): boolean | undefined {
  if (processIds().length === 0) return undefined;
  return liveMembers(group).length > 0;
}

/** Processes of a group that are more than zombies. */
export function liveMembers(group: number): { pid: number; session: number; startTicks: number }[] {
  const members: { pid: number; session: number; startTicks: number }[] = [];
  for (const pid of processIds()) {
    const fields = statFields(pid);
    if (Number(fields[2]) !== group || isDead(fields[0])) continue;
    members.push({ pid, session: Number(fields[3]), startTicks: Number(fields[19]) });
  }
  return members;
}

/** All pids of this machine; empty on systems without /proc. */
export function processIds(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

/** Of /proc/PID/stat, what follows the name: state, parent, group, session and so on; empty when it is gone. */
function statFields(pid: number): string[] {
  const line = readText(`/proc/${pid}/stat`);
  return line === '' ? [] : line.slice(line.lastIndexOf(')') + 2).split(' ');
}

const isDead = (state: string | undefined): boolean => state === 'Z' || state === 'X';

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

/** `NAME=VALUE` entries with a NUL after each; empty when the process is gone or not ours to look at. */
export function readEnvironment(pid: number): Buffer {
  try {
    return readFileSync(`/proc/${pid}/environ`);
  } catch {
    return Buffer.alloc(0);
  }
}
