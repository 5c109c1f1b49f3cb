import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * True when one of the processes has the IPv4 TCP connection whose own end is at this port. Linux only. The kernel's list
 * of sockets is long on a machine that does much else, so it is read once for all of them.
 */
export function ownPort(pids: readonly number[], port: number): boolean {
  const inodes = socketsAt(port);
  return inodes.size > 0 && pids.some((pid) => holds(pid, inodes));
}

/** The kernel's list may lack a line when it changes while it is read. */
const mostReads = 2;

/** Sockets of any process of this network whose own end is at this port. */
function socketsAt(port: number): Set<string> {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const line = new RegExp(`^ *\\d+: [0-9A-F]{8}:${hex} .*$`, 'gm');
  for (let read = 1; ; read += 1) {
    const found = (readFileSync('/proc/self/net/tcp', 'utf8').match(line) ?? []).map(
      (text) => `socket:[${text.trim().split(/\s+/)[9] ?? ''}]`,
    );
    if (found.length > 0 || read === mostReads) return new Set(found);
  }
}

function holds(pid: number, inodes: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((descriptor) => inodes.has(linkOf(pid, descriptor)));
  } catch {
    return false; // The process has ended.
  }
}

/** The process and those it started that run the same program, which its jobs do not. Linux only. */
export function processesOf(pid: number): number[] {
  try {
    const program = readlinkSync(`/proc/${pid}/exe`);
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    const same = children
      .filter((child) => child !== '')
      .map(Number)
      .filter((child) => exeOf(child) === program);
    return [pid, ...same.flatMap(processesOf)];
  } catch {
    return [];
  }
}

function exeOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return '';
  }
}

function linkOf(pid: number, descriptor: string): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${descriptor}`);
  } catch {
    return ''; // Closed since it was listed.
  }
}
