import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** True when the process has the IPv4 TCP connection whose own end is at this port. Linux only. */
export function ownsPort(pid: number, port: number): boolean {
  try {
    const inodes = socketsAt(pid, port);
    return readdirSync(`/proc/${pid}/fd`).some((descriptor) => inodes.has(linkOf(pid, descriptor)));
  } catch {
    return false; // The process has ended.
  }
}

/** The kernel's list may lack a line when it changes while it is read. */
const mostReads = 5;

/** Sockets of any process of the same network whose own end is at this port. */
function socketsAt(pid: number, port: number): Set<string> {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  for (let read = 1; ; read += 1) {
    const found = readFileSync(`/proc/${pid}/net/tcp`, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[1]?.endsWith(wanted))
      .map((fields) => `socket:[${fields[9] ?? ''}]`);
    if (found.length > 0 || read === mostReads) return new Set(found);
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
