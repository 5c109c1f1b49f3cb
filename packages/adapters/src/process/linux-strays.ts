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
  const pids = processIds();
  if (pids.length === 0) return undefined;
  for (const pid of pids) {
    const line = readText(`/proc/${pid}/stat`);
    // After the name: state, parent, group.
    const [state, , memberOf] = line.slice(line.lastIndexOf(')') + 2).split(' ', 3);
    if (Number(memberOf) === group && state !== 'Z' && state !== 'X') return true;
  }
  return false;
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

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function readEnvironment(pid: number): Buffer {
  try {
    return readFileSync(`/proc/${pid}/environ`);
  } catch {
    return Buffer.alloc(0);
  }
}
